#include "reporting/linkage_report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/progress.h"
#include "reporting/render.h"

namespace canbao::reporting {
namespace {

namespace json = boost::json;

uint64_t Count(const json::object& o, std::string_view key) {
  return o.at(key).to_number<uint64_t>();
}
std::string String(const json::object& o, std::string_view key) {
  return std::string(o.at(key).as_string());
}

ByVerdict VerdictsOf(const json::object& o) {
  return {Count(o, "linked"), Count(o, "confirmed"), Count(o, "review"), Count(o, "unlikely"),
          Count(o, "apart")};
}

LinkageReport::Seekers SeekersOf(const json::object& o) {
  return {Count(o, "groups"), Count(o, "with_candidates"), o.at("share").to_number<double>()};
}

std::map<uint64_t, uint64_t> SizesOf(const json::array& rows) {
  std::map<uint64_t, uint64_t> out;
  for (const json::value& v : rows) {
    out[Count(v.as_object(), "groups")] += Count(v.as_object(), "count");
  }
  return out;
}

LinkageReport::Extract ExtractOf(const json::object& o) {
  LinkageReport::Extract e;
  e.file = String(o, "file");
  e.source = String(o, "source");
  e.kind = String(o, "kind");
  e.rows_in = Count(o, "rows_in");
  e.linked = Count(o, "linked");
  e.unlinked = Count(o, "unlinked");
  e.reference = Count(o, "reference");
  e.rejected = Count(o, "rejected");
  for (const auto& outcome : o.at("outcomes").as_object()) {
    e.outcomes.emplace_back(outcome.key(), outcome.value().to_number<uint64_t>());
  }
  return e;
}

LinkageReport Parsed(const json::object& manifest) {
  LinkageReport r;
  r.run = String(manifest, "run");
  r.cutoff = String(manifest, "cutoff");
  r.province = Count(manifest, "province");
  for (const json::value& v : manifest.at("extracts").as_array()) {
    r.extracts.push_back(ExtractOf(v.as_object()));
  }
  const json::object& o = manifest.at("linkage").as_object();
  r.persons = Count(o, "persons");
  r.no_number = SeekersOf(o.at("seekers").at("no_number").as_object());
  r.unverified = SeekersOf(o.at("seekers").at("unverified").as_object());
  const json::object& pairs = o.at("pairs").as_object();
  r.compared = Count(pairs, "compared");
  r.scored = Count(pairs, "scored");
  for (const json::value& v : pairs.at("by_rule").as_array()) {
    const json::object& rule = v.as_object();
    r.rules.push_back(
        {Count(rule, "rule"), {String(rule, "zh"), String(rule, "en")}, Count(rule, "pairs")});
  }
  for (const json::value& v : o.at("candidates").as_array()) {
    const json::object& c = v.as_object();
    r.candidates.push_back({Count(c, "from"), Count(c, "to"), Count(c, "seekers")});
  }
  for (const json::value& v : o.at("odds").as_array()) {
    r.odds[v.at("bits").to_number<int>()] = VerdictsOf(v.as_object());
  }
  r.verdicts = VerdictsOf(o.at("verdicts").as_object());
  r.expected_wrong = o.at("expected_wrong").to_number<double>();
  r.limit = o.at("expected_wrong_limit").to_number<double>();
  r.decisions = Count(o, "decisions_applied");
  r.clusters = SizesOf(o.at("clusters").as_array());
  r.components = SizesOf(o.at("components").as_array());
  for (const json::value& v : o.at("m").as_array()) {
    const json::object& m = v.as_object();
    r.learned.push_back({String(m, "file"), String(m, "source"), String(m, "kind"),
                         String(m, "field"), String(m, "level"), Count(m, "rows"),
                         m.at("m").to_number<double>()});
  }
  return r;
}

double Middle(std::vector<double> sorted) {
  const size_t n = sorted.size();
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

// ---- text ----

using Cells = std::vector<std::string>;

std::string Filled(size_t width) { return std::string(width, ' '); }

// The first column to the left, the others to the right.
std::string Table(const std::vector<Cells>& rows) {
  std::vector<int> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string out;
  for (const Cells& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string fill = Filled(static_cast<size_t>(widths[i] - DisplayWidth(row[i])));
      line += i == 0 ? row[i] + fill : "  " + fill + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Whole(uint64_t n) { return AmountText(static_cast<double>(n), true); }

std::string HeadText(const LinkageAccount& a, Lang lang) {
  std::vector<Cells> rows;
  const std::vector<Headline> before = a.before ? Headlines(*a.before) : std::vector<Headline>();
  if (a.before) {
    rows.push_back({"", Msg("本次", "now").In(lang), Msg("占比", "share").In(lang),
                    Msg("上次", "before").In(lang), Msg("变化", "change").In(lang)});
  }
  size_t i = 0;
  for (const Headline& h : Headlines(a.now)) {
    Cells row = {h.label.In(lang), AmountText(h.value, h.whole),
                 h.share ? ShareText(*h.share) : std::string()};
    if (a.before) {
      row.push_back(AmountText(before[i].value, h.whole));
      row.push_back(ChangeText(h.value - before[i].value, h.whole));
    }
    rows.push_back(std::move(row));
    ++i;
  }
  const Interval wrong = PoissonInterval(a.now.expected_wrong);
  return Table(rows) + Msg("  错误关联数是模型的预期（95% 区间 {0}–{1}），并非核对所得。\n",
                           "  Wrong links are what the model expects (95 % interval {0} to {1}), "
                           "not what somebody "
                           "checked.\n",
                           wrong.low, wrong.high)
                           .In(lang);
}

// Bits by eights, and what lies beyond at both ends together.
std::string OddsText(const LinkageReport& r, Lang lang) {
  std::map<int, ByVerdict> by_range;
  for (const auto& [bits, counts] : r.odds) {
    const int range = std::clamp(bits >= 0 ? bits / 8 : (bits - 7) / 8, -2, 5);
    for (size_t v = 0; v < kLinkVerdicts; ++v) by_range[range][v] += counts[v];
  }
  std::vector<Cells> rows = {{"", VerdictLabel(LinkVerdict::kLinked).In(lang),
                              VerdictLabel(LinkVerdict::kReview).In(lang),
                              VerdictLabel(LinkVerdict::kUnlikely).In(lang)}};
  for (const auto& [range, counts] : by_range) {
    rows.push_back({range == -2  ? "< -8"
                    : range == 5 ? "≥ 40"
                                 : fmt::format("{} … {}", range * 8, range * 8 + 8),
                    Whole(Of(counts, LinkVerdict::kLinked)),
                    Whole(Of(counts, LinkVerdict::kReview)),
                    Whole(Of(counts, LinkVerdict::kUnlikely))});
  }
  return Table(rows);
}

std::string SizesText(const LinkageReport& r, Lang lang) {
  std::map<uint64_t, std::array<uint64_t, 2>> both;
  for (const auto& [size, count] : r.clusters) both[size][0] = count;
  for (const auto& [size, count] : r.components) both[size][1] = count;
  std::vector<Cells> rows = {{Msg("行组数", "groups together").In(lang),
                              Msg("聚类", "clusters").In(lang),
                              Msg("连通分量", "components").In(lang)}};
  for (const auto& [size, counts] : both) {
    rows.push_back({Whole(size), Whole(counts[0]), Whole(counts[1])});
  }
  return Table(rows);
}

std::string RatesText(const LinkageAccount& a, Lang lang) {
  std::vector<Cells> rows = {{Msg("字段、级别", "field, level").In(lang),
                              Msg("文件", "files").In(lang), Msg("最小", "lowest").In(lang),
                              Msg("中位", "median").In(lang), Msg("最大", "highest").In(lang)}};
  for (const LevelRates& rates : RatesByLevel(a.now, a.names.order)) {
    rows.push_back({NameOf(a.names.fields, rates.field).In(lang) + " · " +
                        NameOf(a.names.levels, rates.field + "." + rates.level).In(lang),
                    Whole(rates.files.size()), fmt::format("{:.3f}", rates.lowest),
                    fmt::format("{:.3f}", rates.median), fmt::format("{:.3f}", rates.highest)});
  }
  return Table(rows);
}

std::string SourcesText(const LinkageAccount& a, Lang lang) {
  std::vector<Cells> rows = {{Msg("来源", "source").In(lang), Msg("读入", "rows in").In(lang),
                              Msg("关联", "linked").In(lang), Msg("未关联", "unlinked").In(lang),
                              Msg("参考", "reference").In(lang), Msg("拒绝", "rejected").In(lang)}};
  for (const SourceRows& s : RowsBySource(a.now)) {
    rows.push_back({s.source + " · " + NameOf(a.names.kinds, s.kind).In(lang), Whole(s.rows_in),
                    Whole(s.linked), Whole(s.unlinked), Whole(s.reference), Whole(s.rejected)});
  }
  return Table(rows);
}

}  // namespace

Text VerdictLabel(LinkVerdict verdict) {
  switch (verdict) {
    case LinkVerdict::kLinked:
      return {"按得分关联", "linked by score"};
    case LinkVerdict::kConfirmed:
      return {"人工确认", "confirmed by somebody"};
    case LinkVerdict::kReview:
      return {"待人工核对", "to be reviewed"};
    case LinkVerdict::kUnlikely:
      return {"不像本人", "unlikely"};
    case LinkVerdict::kApart:
      break;
  }
  return {"人工否定的配对", "pairs denied by somebody"};
}

uint64_t LinkageReport::without_candidate() const {
  uint64_t judged = 0;
  for (LinkVerdict v : {LinkVerdict::kLinked, LinkVerdict::kConfirmed, LinkVerdict::kReview,
                        LinkVerdict::kUnlikely}) {
    judged += Of(verdicts, v);
  }
  return groups() > judged ? groups() - judged : 0;
}

uint64_t LinkageReport::in_clusters() const {
  uint64_t n = 0;
  for (const auto& [size, count] : clusters) n += size > 1 ? size * count : 0;
  return n;
}

Result<LinkageReport> ReadLinkage(const json::object& manifest, const std::string& path) {
  try {
    return Parsed(manifest);
  } catch (const std::exception& e) {
    return Fail(
        Error{ErrorClass::kEnvironment, "CB-REPORTING-0011",
              Msg("运行清单中的关联情况已损坏：{0}",
                  "what a manifest says of the linkage is damaged: {0}", std::string(e.what())),
              Text{"请从备份恢复该文件，或重新比对。",
                   "restore the file from a backup, or compare again."},
              path, 0, 0});
  }
}

std::vector<Headline> Headlines(const LinkageReport& r) {
  const auto groups = static_cast<double>(r.groups());
  std::vector<Headline> out;
  auto whole = [&](std::string_view key, Text label, uint64_t n, bool of_groups) {
    const auto value = static_cast<double>(n);
    std::optional<double> share;
    if (of_groups && groups > 0) share = value / groups;
    out.push_back({key, std::move(label), value, true, share});
  };
  whole("groups", {"寻找本人的行组", "groups that looked for their person"}, r.groups(), false);
  constexpr std::pair<std::string_view, LinkVerdict> kBest[] = {
      {"linked", LinkVerdict::kLinked},
      {"confirmed", LinkVerdict::kConfirmed},
      {"review", LinkVerdict::kReview},
      {"unlikely", LinkVerdict::kUnlikely}};
  for (const auto& [key, v] : kBest) whole(key, VerdictLabel(v), Of(r.verdicts, v), true);
  whole("without_candidate", {"没有候选人", "without a candidate"}, r.without_candidate(), true);
  whole("in_clusters", {"聚为一人的行组", "groups that came together"}, r.in_clusters(), false);
  out.push_back({"expected_wrong",
                 {"预期错误关联", "links expected to be wrong"},
                 r.expected_wrong,
                 false,
                 std::nullopt});
  out.push_back({"expected_wrong_limit",
                 {"错误关联上限", "limit of wrong links"},
                 r.limit,
                 false,
                 std::nullopt});
  return out;
}

Interval PoissonInterval(double expected) {
  constexpr double kTail = 0.025;
  Interval out;
  if (!(expected > 0)) return out;
  // Logarithms, since exp(−expected) is 0 beyond 745.
  double log_p = -expected;
  double below = 0;
  bool has_low = false;
  const auto end = static_cast<uint64_t>(expected + 12 * std::sqrt(expected) + 20);
  for (uint64_t k = 0; k <= end; ++k) {
    if (k > 0) log_p += std::log(expected / static_cast<double>(k));
    below += std::exp(log_p);
    if (!has_low && below >= kTail) {
      out.low = k;
      has_low = true;
    }
    if (below >= 1 - kTail) {
      out.high = k;
      return out;
    }
  }
  out.high = end;
  return out;
}

std::vector<LevelRates> RatesByLevel(const LinkageReport& report,
                                     const std::vector<std::string>& order) {
  std::vector<LevelRates> out;
  for (const LinkageReport::Learned& l : report.learned) {
    auto it = std::find_if(out.begin(), out.end(), [&l](const LevelRates& r) {
      return r.field == l.field && r.level == l.level;
    });
    if (it == out.end()) it = out.insert(out.end(), LevelRates{l.field, l.level, {}});
    it->files.push_back(&l);
  }
  auto place = [&order](const LevelRates& r) {
    return std::find(order.begin(), order.end(), r.field + "." + r.level);
  };
  std::stable_sort(out.begin(), out.end(), [&place](const LevelRates& a, const LevelRates& b) {
    return place(a) < place(b);
  });
  for (LevelRates& rates : out) {
    std::vector<double> sorted;
    for (const LinkageReport::Learned* l : rates.files) sorted.push_back(l->m);
    std::sort(sorted.begin(), sorted.end());
    rates.lowest = sorted.front();
    rates.highest = sorted.back();
    rates.median = Middle(std::move(sorted));
  }
  return out;
}

std::vector<SourceRows> RowsBySource(const LinkageReport& report) {
  std::vector<SourceRows> out;
  for (const LinkageReport::Extract& e : report.extracts) {
    auto it = std::find_if(out.begin(), out.end(), [&e](const SourceRows& s) {
      return s.source == e.source && s.kind == e.kind;
    });
    if (it == out.end()) it = out.insert(out.end(), SourceRows{e.source, e.kind});
    ++it->files;
    it->rows_in += e.rows_in;
    it->linked += e.linked;
    it->unlinked += e.unlinked;
    it->reference += e.reference;
    it->rejected += e.rejected;
  }
  return out;
}

std::vector<std::pair<std::string, uint64_t>> RowsByOutcome(const LinkageReport& report) {
  std::vector<std::pair<std::string, uint64_t>> out;
  auto add = [&out](const std::string& key, uint64_t n) {
    auto it =
        std::find_if(out.begin(), out.end(), [&key](const auto& o) { return o.first == key; });
    if (it == out.end()) it = out.insert(out.end(), {key, 0});
    it->second += n;
  };
  for (const LinkageReport::Extract& e : report.extracts) {
    for (const auto& [key, n] : e.outcomes) add(key, n);
  }
  for (const LinkageReport::Extract& e : report.extracts) {
    add("reference", e.reference);
    add("rejected", e.rejected);
  }
  return out;
}

std::string AmountText(double value, bool whole) {
  if (value < 0) return "−" + AmountText(-value, whole);
  if (whole || value >= 100) {
    return FormatAmount(static_cast<uint64_t>(std::llround(value)), ProgressUnit::kItems);
  }
  if (value == 0) return "0";
  return value < 0.001 ? "< 0.001" : fmt::format("{:.{}f}", value, value < 1 ? 3 : 2);
}

std::string ChangeText(double change, bool whole) {
  const std::string amount = AmountText(std::abs(change), whole);
  if (amount == "0" || amount == "< 0.001") return "0";
  return (change > 0 ? "+" : "−") + amount;
}

std::string ShareText(double share) {
  const double percent = share * 100;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  if (percent < 100 && percent >= 99.95) return "> 99.9 %";
  return fmt::format("{:.1f} %", percent);
}

Text NameOf(const std::map<std::string, Text>& names, const std::string& key) {
  auto it = names.find(key);
  return it != names.end() ? it->second : Text{key, key};
}

std::string LinkageText(const LinkageAccount& a, Lang lang) {
  const LinkageReport& r = a.now;
  std::string out =
      Msg("关联情况　运行 {0}　截止日期 {1}　省份 {2}\n",
          "Linkage of run {0}, cut-off {1}, province {2}\n", r.run, r.cutoff, r.province)
          .In(lang);
  if (a.before) {
    out += Msg("对比运行 {0}　截止日期 {1}\n", "compared with run {0}, cut-off {1}\n",
               a.before->run, a.before->cutoff)
               .In(lang);
  }
  out += "\n";
  if (r.groups() == 0) {
    out += Msg("  没有需要寻找本人的行：凭号码、号码修复和个人编号关联之后，没有剩下要打分的行。\n",
               "  No rows looked for their person: numbers, repaired numbers and personal numbers "
               "left "
               "none to be scored.\n")
               .In(lang);
  } else {
    out += HeadText(a, lang);
    out += Msg("\n谁在寻找本人\n", "\nWho looked\n").In(lang);
    auto seekers = [lang](const Text& label, const LinkageReport::Seekers& s) {
      return Cells{label.In(lang), Whole(s.groups), Whole(s.with_candidates), ShareText(s.share)};
    };
    out += Table({{"", Msg("行组", "groups").In(lang), Msg("有候选人", "with candidates").In(lang),
                   Msg("估计在库比例", "estimated share known").In(lang)},
                  seekers({"没有可用号码", "without a usable number"}, r.no_number),
                  seekers({"号码未经核实", "under a number nothing verifies"}, r.unverified)});
    out +=
        Msg("\n优势（比特）按结论\n", "\nOdds in bits, by verdict\n").In(lang) + OddsText(r, lang);
    out += Msg("\n比较 {0} 对，打分 {1} 对；按分块规则\n",
               "\n{0} pairs compared, {1} scored; by blocking rule\n", Whole(r.compared),
               Whole(r.scored))
               .In(lang);
    std::vector<Cells> rows;
    for (const LinkageReport::Rule& rule : r.rules) {
      rows.push_back(
          {fmt::format("{:>2}  {}", rule.number, rule.name.In(lang)), Whole(rule.pairs)});
    }
    out += Table(rows);
    if (!r.clusters.empty() || !r.components.empty()) {
      out += Msg("\n无人认领的行组\n", "\nGroups that nobody known matches\n").In(lang) +
             SizesText(r, lang);
    }
  }
  if (!r.learned.empty()) {
    out += Msg("\n学到的 m（各文件）\n", "\nm as learned, over the files\n").In(lang) +
           RatesText(a, lang);
  }
  return out + Msg("\n各来源的行\n", "\nRows by source\n").In(lang) + SourcesText(a, lang);
}

std::string LinkageJson(const LinkageAccount& a, const json::object& manifest) {
  json::object out;
  out["run"] = a.now.run;
  out["cutoff"] = a.now.cutoff;
  out["previous"] = nullptr;
  json::object differences;
  if (a.before) {
    out["previous"] = a.before->run;
    const std::vector<Headline> before = Headlines(*a.before);
    size_t i = 0;
    auto number = [](double value, bool whole) {
      return whole ? json::value(static_cast<int64_t>(value)) : json::value(value);
    };
    for (const Headline& h : Headlines(a.now)) {
      differences[h.key] = json::object{{"now", number(h.value, h.whole)},
                                        {"before", number(before[i].value, h.whole)},
                                        {"change", number(h.value - before[i].value, h.whole)}};
      ++i;
    }
  }
  out["differences"] = std::move(differences);
  for (const auto& member : manifest.at("linkage").as_object()) {
    out[member.key()] = member.value();
  }
  return json::serialize(out) + "\n";
}

}  // namespace canbao::reporting
