#include "reporting/page_style.h"

namespace canbao::reporting {

// No < and no &: the page is XML, too.
const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #f4f5f3; --sheet: #ffffff; --ink: #1b1f23; --quiet: #59626b; --rule: #dfe2e0;
  --grid: #e6e9e7; --base: #8b949c; --link: #0072b2; --good: #00815f; --look: #c96a00;
  --look-ground: #ffd9a0; --none: #b9bfc5; --second: #cc79a7; --mark: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --sheet: #1d2125; --ink: #e7e9ea; --quiet: #a3adb5; --rule: #343a40;
    --grid: #2d3338; --base: #79828a; --link: #56b4e9; --good: #2bbf94; --look: #ffb347;
    --look-ground: #6b4610; --none: #6d767e; --second: #dc98bf; --mark: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { font-size: 16px; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 "Segoe UI", "Helvetica Neue", Arial, "PingFang SC", "Microsoft YaHei",
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", sans-serif;
}
main, header, footer { max-width: 1040px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 40px; padding-bottom: 20px; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; margin: 0 0 10px; letter-spacing: -0.01em; }
h1:lang(zh) { letter-spacing: 0.02em; }
h2 { font-size: 1.16rem; line-height: 1.35; font-weight: 650; margin: 0 0 4px; }
p { margin: 0 0 12px; max-width: 46em; }
.quiet { color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: 2px 28px; margin: 0; padding: 0; font-size: 0.94rem; }
.facts div { display: flex; gap: 8px; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
section {
  background: var(--sheet); border: 1px solid var(--rule); border-radius: 8px;
  padding: 22px 24px 18px; margin: 0 0 20px;
}
section p { font-size: 0.94rem; color: var(--quiet); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; margin-bottom: 20px; }
.pair section { margin: 0; }
.pair div, .pair section { min-width: 0; }
.uneven { grid-template-columns: 1.62fr 1fr; }
.tiles { display: grid; grid-template-columns: 1.35fr 1fr 1fr 1fr; gap: 1px; margin: 14px 0 16px;
  padding: 0; background: var(--rule); border: 1px solid var(--rule); border-radius: 6px;
  overflow: hidden; }
.tiles div { background: var(--sheet); padding: 14px 16px 12px; border-left: 4px solid transparent; }
.tiles dt { font-size: 0.86rem; color: var(--quiet); line-height: 1.35; }
.tiles dd { margin: 0; font-variant-numeric: tabular-nums; }
.tiles .figure { font-size: 1.7rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
.tiles .note { font-size: 0.86rem; color: var(--quiet); line-height: 1.4; }
.tiles .wide { grid-column: span 2; }
.tiles .v-linked { border-left-color: var(--link); }
.tiles .v-confirmed { border-left-color: var(--good); }
.tiles .v-review { border-left-color: var(--look); }
.tiles .v-unlikely { border-left-color: var(--none); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 10px 0 2px;
  padding: 0; font-size: 0.88rem; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend svg { width: 16px; height: 12px; flex: none; margin: 0; }
figure { margin: 10px 0 0; overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: 0.9rem; font-weight: 600; margin: 14px 0 2px; }
svg text { font-size: 13px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .quiet { fill: var(--quiet); }
svg .strong { font-weight: 600; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
.grid { stroke: var(--grid); stroke-width: 1; }
.base { stroke: var(--base); stroke-width: 1; }
.mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 5 3; }
.median { stroke: var(--ink); stroke-width: 2; }
.dot { fill: var(--link); fill-opacity: 0.45; }
.v-linked { fill: var(--link); }
.v-confirmed { fill: var(--good); }
.v-review { fill: url(#hatched); }
.v-unlikely { fill: var(--none); }
.v-other { fill: var(--second); }
.hatch-ground { fill: var(--look-ground); }
.hatch { stroke: var(--look); stroke-width: 2.6; }
.patterns { position: absolute; width: 0; height: 0; }
details { margin-top: 12px; border-top: 1px solid var(--rule); padding-top: 8px; }
summary { cursor: pointer; font-size: 0.9rem; color: var(--quiet); }
summary:hover, summary:focus-visible { color: var(--ink); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.88rem; line-height: 1.4; margin: 10px 0 4px;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: 6px; }
th, td { padding: 4px 12px; text-align: right; border-bottom: 1px solid var(--rule);
  vertical-align: baseline; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 600; color: var(--quiet); vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 400; }
table.close th, table.close td { padding: 3px 6px; font-size: 0.8rem; }
table.close th:first-child { padding-left: 0; }
table.close thead tr + tr th:first-child { text-align: right; padding-left: 6px; }
table.close [colspan] { text-align: center; border-bottom-color: var(--base); }
td small { color: var(--quiet); display: block; font-size: 0.88em; line-height: 1.2; }
.empty { text-align: center; padding: 48px 24px; }
.empty p { margin: 6px auto 0; }
footer { padding-top: 4px; padding-bottom: 48px; font-size: 0.88rem; color: var(--quiet); }
footer dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; }
footer dt { color: var(--ink); }
footer dd { margin: 0; max-width: 52em; }
@media screen {
  /* Its summary says it already. */
  details caption { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
}
@media screen and (max-width: 760px) {
  .pair, .uneven { grid-template-columns: 1fr; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  figure svg { min-width: 440px; }
  .pair figure svg { min-width: 0; }
}
@page { size: A4; margin: 14mm 12mm; }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --sheet: #fff; --ink: #000; --quiet: #444b52; --rule: #c9cdcb; --grid: #dcdfdd;
    --base: #6b747c; --link: #0072b2; --good: #00815f; --look: #c96a00; --look-ground: #ffd9a0;
    --none: #b9bfc5; --second: #cc79a7; --mark: #b3261e;
  }
  html { font-size: 12.5px; }
  body { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  header { padding-top: 0; }
  section { border: 0; border-top: 1px solid var(--rule); border-radius: 0; padding: 14px 0 10px;
    margin: 0; }
  .pair { margin: 0; gap: 24px; }
  .pair section, figure, .tiles, p, tr, footer { break-inside: avoid; }
  h2, section > p, .legend, figcaption, caption, thead { break-after: avoid; }
  details { border: 0; margin: 0; padding: 0; }
  .facts { font-size: 1rem; }
  details.printed::details-content { content-visibility: visible; block-size: auto; }
  details:not([open]) > summary { display: none; }
  .scroll, figure { overflow: visible; }
  table { font-size: 0.9rem; }
  table.close th, table.close td { padding: 2px 4px; font-size: 0.74rem; }
}
)css";

const std::string_view kPagePatterns = R"svg(<svg class="patterns" aria-hidden="true"><defs>
<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse"
 patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>
<line class="hatch" x1="1.3" y1="0" x2="1.3" y2="6"/></pattern></defs></svg>)svg";

}  // namespace canbao::reporting
