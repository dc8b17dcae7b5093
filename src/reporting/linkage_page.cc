#include "reporting/linkage_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reporting/chart.h"
#include "reporting/markup.h"
#include "reporting/page_style.h"

namespace canbao::reporting {
namespace {

using V = LinkVerdict;

struct VerdictClass {
  V verdict;
  const char* name;
};
// From the bottom of a stack: what is left to do has the common base line.
constexpr VerdictClass kStack[] = {
    {V::kReview, "v-review"}, {V::kUnlikely, "v-unlikely"}, {V::kLinked, "v-linked"}};

constexpr int kMostBits = 60;  // what is more has been gathered there

std::string Number(uint64_t n) { return AmountText(static_cast<double>(n), true); }

class Page {
 public:
  Page(const LinkageAccount& account, Lang lang)
      : a_(account), r_(account.now), zh_(lang == Lang::kZh), lang_(lang) {}

  std::string Make() {
    Head();
    out_.Open("body").Line().Raw(kPagePatterns).Line();
    Title();
    out_.Open("main").Line();
    if (r_.groups() == 0) {
      Empty();
    } else {
      Figures();
      Odds();
      out_.Open("div", {{"class", "pair uneven"}});
      Rules();
      Candidates();
      out_.Close().Line();
      Clusters();
    }
    Learned();
    Rows();
    Differences();
    out_.Close().Line();
    Terms();
    std::string page = "<!DOCTYPE html>\n";
    page += out_.Take();
    return page + "\n";
  }

 private:
  std::string Say(const char* zh, const char* en) const { return zh_ ? zh : en; }
  // One table row.
  using Cells = std::vector<std::string>;

  void Head();
  void Title();
  void Empty();
  void Figures();
  void Tiles();
  void Seekers();
  void Odds();
  void OddsChart(const char* id, const std::string& title, bool with_links, double height);
  void Rules();
  void Candidates();
  void Clusters();
  void SizesChart(const char* id, const std::string& title,
                  const std::map<uint64_t, uint64_t>& sizes, double largest);
  void Learned();
  void LearnedByFile(const std::vector<LevelRates>& rates);
  void Rows();
  void Outcomes();
  void Sources();
  void Differences();
  void Terms();

  void Begin(const std::string& heading, const std::string& explanation);
  void End() { out_.Close().Line(); }
  template <typename Chart>
  void Show(const Chart& chart);
  void Legend(const std::vector<std::pair<std::string, std::string>>& entries);
  // `printed`: on paper, too, since the chart does not say the figures.
  void Table(const std::string& caption, const Cells& head, const std::vector<Cells>& rows,
             bool printed = false);
  void BareTable(const std::string& caption, const Cells& head, const std::vector<Cells>& rows);
  std::string LevelNameOf(const LevelRates& rates) const {
    return NameOf(a_.names.levels, rates.field + "." + rates.level).In(lang_);
  }
  std::string FieldAndLevel(const LevelRates& rates) const {
    return NameOf(a_.names.fields, rates.field).In(lang_) + " · " + LevelNameOf(rates);
  }
  // The interval of links that are expected to be wrong.
  std::string WrongText() const {
    const Interval wrong = PoissonInterval(r_.expected_wrong);
    return wrong.low == wrong.high ? Number(wrong.low)
                                   : Number(wrong.low) + "–" + Number(wrong.high);
  }
  std::string KindOf(const std::string& kind) const {
    return NameOf(a_.names.kinds, kind).In(lang_);
  }

  const LinkageAccount& a_;
  const LinkageReport& r_;
  bool zh_;
  Lang lang_;
  Markup out_;
};

void Page::Head() {
  const std::string language = Say("zh-CN", "en");
  out_.Open("html", {{"xmlns", "http://www.w3.org/1999/xhtml"}, {"lang", language}}).Line();
  out_.Open("head").Line();
  out_.Empty("meta", {{"charset", "utf-8"}}).Line();
  out_.Empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  out_.Line().Empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}}).Line();
  out_.Element("title", Say("关联情况 · ", "Linkage · ") + r_.run + " · " + r_.cutoff).Line();
  out_.Open("style").Raw(kPageStyle).Close().Line();
  out_.Close().Line();
}

void Page::Title() {
  out_.Open("header").Element("h1", Say("本次运行的关联情况", "How this run linked its rows"));
  out_.Open("dl", {{"class", "facts"}});
  auto fact = [this](const std::string& what, const std::string& value) {
    out_.Open("div").Element("dt", what).Element("dd", value).Close();
  };
  fact(Say("运行", "run"), r_.run);
  fact(Say("截止日期", "cut-off"), r_.cutoff);
  fact(Say("省份", "province"), std::to_string(r_.province));
  fact(Say("凭号码在库的人", "persons by number"), Number(r_.persons));
  if (a_.before) {
    fact(Say("对比运行", "compared with"),
         fmt::format("{} · {}", a_.before->run, a_.before->cutoff));
  }
  out_.Close().Close().Line();
}

void Page::Begin(const std::string& heading, const std::string& explanation) {
  out_.Open("section").Element("h2", heading);
  if (!explanation.empty()) out_.Element("p", explanation);
  out_.Line();
}

template <typename Chart>
void Page::Show(const Chart& chart) {
  out_.Open("figure").Line();
  Draw(chart, &out_);
  out_.Close().Line();
}

void Page::Legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  out_.Open("ul", {{"class", "legend"}});
  for (const auto& [kind, label] : entries) {
    out_.Open("li").Open("svg", {{"viewBox", "0 0 16 12"}, {"aria-hidden", "true"}});
    out_.Empty("rect", {{"width", "16"}, {"height", "12"}, {"rx", "2"}, {"class", kind}});
    out_.Close().Text(label).Close();
  }
  out_.Close().Line();
}

void Page::BareTable(const std::string& caption, const Cells& head,
                     const std::vector<Cells>& rows) {
  out_.Open("div", {{"class", "scroll"}}).Open("table");
  if (!caption.empty()) out_.Element("caption", caption);
  out_.Open("thead").Open("tr");
  for (const std::string& cell : head) out_.Element("th", cell, {{"scope", "col"}});
  out_.Close().Close().Line().Open("tbody").Line();
  for (const Cells& row : rows) {
    out_.Open("tr").Element("th", row.front(), {{"scope", "row"}});
    for (size_t i = 1; i < row.size(); ++i) out_.Element("td", row[i]);
    out_.Close().Line();
  }
  out_.Close().Close().Close().Line();
}

void Page::Table(const std::string& caption, const Cells& head, const std::vector<Cells>& rows,
                 bool printed) {
  out_.Open("details", {{"class", printed ? "printed" : "folded"}});
  out_.Element("summary", Say("数据表：", "Table: ") + caption).Line();
  BareTable(caption, head, rows);
  out_.Close().Line();
}

void Page::Empty() {
  out_.Open("section", {{"class", "empty"}});
  out_.Element("h2", Say("没有需要寻找本人的行", "No rows looked for their person"));
  out_.Element("p",
               Say("凭号码、号码修复和个人编号关联之后，没有剩下要打分的行。",
                   "Numbers, repaired numbers and personal numbers left no rows to be scored."));
  out_.Close().Line();
}

// ---- figures at the head ----

void Page::Figures() {
  Begin(Say("概要", "At a glance"), "");
  Tiles();
  out_.Element(
      "p",
      Msg("预期错误关联数是模型从得分推算的，并非核对所得：若模型正确，实际错误数以 95% 的概率为 "
          "{0}。会超出上限的，一律留待人工核对。",
          "How many links are wrong is what the model expects from their scores, not what somebody "
          "checked: if the model is right, their number is {0} with a probability of 95 %. What "
          "would exceed the limit is left to be reviewed.",
          WrongText())
          .In(lang_));
  Seekers();
  End();
}

void Page::Tiles() {
  const std::vector<Headline> now = Headlines(r_);
  const std::vector<Headline> before = a_.before ? Headlines(*a_.before) : std::vector<Headline>();
  static constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"linked", "v-linked"},
      {"confirmed", "v-confirmed"},
      {"review", "v-review"},
      {"unlikely", "v-unlikely"}};
  out_.Open("dl", {{"class", "tiles"}}).Line();
  for (size_t i = 0; i < now.size(); ++i) {
    const Headline& h = now[i];
    // Stands below the links that are expected to be wrong.
    if (h.key == "expected_wrong_limit" || h.key == "in_clusters") continue;
    std::string_view kind;
    for (const auto& [key, name] : kClasses) {
      if (h.key == key) kind = name;
    }
    std::string note = h.share ? ShareText(*h.share) : std::string();
    if (h.key == "groups") {
      note = Msg("在 {0} 行之中", "among {0} rows", Number([this] {
                   uint64_t rows = 0;
                   for (const auto& e : r_.extracts) rows += e.rows_in;
                   return rows;
                 }()))
                 .In(lang_);
    }
    if (h.key == "expected_wrong") {
      kind = "wide";
      note = Msg("95% 区间 {0} · 上限 {1}", "95 % interval {0} · limit {1}", WrongText(),
                 AmountText(r_.limit, false))
                 .In(lang_);
    }
    out_.Open("div", {{"class", kind}}).Element("dt", h.label.In(lang_));
    out_.Element("dd", AmountText(h.value, h.whole), {{"class", "figure"}});
    out_.Element("dd", note, {{"class", "note"}});
    if (a_.before) {
      const std::string change = ChangeText(h.value - before[i].value, h.whole);
      out_.Element("dd",
                   change == "0" ? Say("与上次相同", "as in last run")
                                 : Msg("较上次 {0}", "{0} since last run", change).In(lang_),
                   {{"class", "note"}});
    }
    out_.Close().Line();
  }
  out_.Close().Line();
}

void Page::Seekers() {
  auto row = [](const std::string& label, const LinkageReport::Seekers& s) {
    return Cells{label, Number(s.groups), Number(s.with_candidates), ShareText(s.share)};
  };
  BareTable(
      Say("谁在寻找本人", "Who looked for their person"),
      {Say("行组", "groups of rows"), Say("行组数", "groups"), Say("有候选人", "with candidates"),
       Say("估计本人在库的比例", "estimated share whose person is known")},
      {row(Say("没有可用号码", "without a usable number"), r_.no_number),
       row(Say("号码未经任何来源核实", "under a number that nothing verifies"), r_.unverified)});
}

// ---- odds ----

void Page::OddsChart(const char* id, const std::string& title, bool with_links, double height) {
  Histogram chart;
  chart.height = height;
  const int lowest = std::min(r_.odds.begin()->first, 0);
  const int highest = std::max(r_.odds.rbegin()->first, 9);
  chart.from = lowest;
  chart.to = highest + 1;
  uint64_t total = 0;
  std::vector<V> shown;
  for (const VerdictClass& c : kStack) {
    if (!with_links && c.verdict == V::kLinked) continue;
    chart.classes.emplace_back(c.name);
    shown.push_back(c.verdict);
  }
  for (const auto& [bits, counts] : r_.odds) {
    Histogram::Column column{static_cast<double>(bits), {}};
    for (V v : shown) {
      column.parts.push_back(static_cast<double>(Of(counts, v)));
      total += Of(counts, v);
    }
    chart.columns.push_back(std::move(column));
  }
  if (a_.thresholds) {
    chart.marks.push_back({a_.thresholds->review, Say("核对线", "review from")});
    chart.marks.push_back({a_.thresholds->accept, Say("关联线", "link from")});
  }
  chart.axis = Say("最佳候选人的优势（比特，log₂）", "odds of the best candidate in bits (log₂)");
  if (highest >= kMostBits) chart.axis += Say("，至多计到 60", ", counted up to 60");
  chart.words = {id, title,
                 Msg("直方图：{0} 个行组，优势从 {1} 到 {2} 比特，按结论叠加。数字见下表。",
                     "Histogram of {0} groups of rows, odds from {1} to {2} bits, stacked by "
                     "verdict. The figures are in the table below.",
                     Number(total), lowest, highest)
                     .In(lang_)};
  Show(chart);
}

void Page::Odds() {
  Begin(
      Say("优势的分布", "How sure it is"),
      Say("每个行组与其最佳候选人是同一人的优势，以 2 为底的对数：8 比特约为 256 比 1。"
          "证据充分仍待核对的，是性别或出生日期相矛盾，或可能是同胞。",
          "The odds that a group of rows and its best candidate are one person, as a logarithm to "
          "the base of 2: 8 bits are 256 to 1. What is left to be reviewed in spite of high odds "
          "contradicts in sex or birth date, or may be a brother or sister."));
  if (r_.odds.empty()) {
    out_.Element("p", Say("没有打分的行组。", "No group was scored."));
    End();
    return;
  }
  uint64_t tallest = 0;
  uint64_t tallest_left = 0;
  std::vector<Cells> rows;
  for (const auto& [bits, counts] : r_.odds) {
    tallest = std::max(tallest, Of(counts, V::kLinked));
    tallest_left = std::max(tallest_left, Of(counts, V::kReview) + Of(counts, V::kUnlikely));
    rows.push_back({std::to_string(bits), Number(Of(counts, V::kLinked)),
                    Number(Of(counts, V::kReview)), Number(Of(counts, V::kUnlikely))});
  }
  Legend({{"v-linked", VerdictLabel(V::kLinked).In(lang_)},
          {"v-review", VerdictLabel(V::kReview).In(lang_)},
          {"v-unlikely", VerdictLabel(V::kUnlikely).In(lang_)}});
  OddsChart("odds", Say("优势按结论的分布", "Odds by verdict"), true, 300);
  // Beside thousands of links a dozen rows to look at are a hair's breadth.
  if (tallest_left > 0 && tallest_left * 4 < tallest) {
    out_.Element("figcaption", Say("放大：只看没有关联的", "Closer: only what was not linked"));
    OddsChart("odds-left", Say("没有关联的行组的优势", "Odds of groups that were not linked"),
              false, 200);
  }
  if (Of(r_.verdicts, V::kConfirmed) + Of(r_.verdicts, V::kApart) > 0) {
    out_.Element("p",
                 Msg("人工结论不在图中：确认 {0} 个行组，否定 {1} 对。",
                     "What people decided is not in the chart: groups confirmed {0}, pairs denied "
                     "{1}.",
                     Number(Of(r_.verdicts, V::kConfirmed)), Number(Of(r_.verdicts, V::kApart)))
                     .In(lang_));
  }
  Table(Say("优势按结论的分布", "odds by verdict"),
        {Say("比特（从，不足下一整数）", "bits (from, to below the next)"),
         VerdictLabel(V::kLinked).In(lang_), VerdictLabel(V::kReview).In(lang_),
         VerdictLabel(V::kUnlikely).In(lang_)},
        rows);
  End();
}

// ---- pairs, candidates, clusters ----

void Page::Rules() {
  Begin(
      Say("各分块规则的配对", "Pairs by blocking rule"),
      Msg("比较了 {0} 对，姓名至少相近而打分的 {1} 对。每对计在第一条成立的规则下。",
          "{0} pairs were compared; {1} of them, whose names are at least alike, were scored. Each "
          "counts for the first rule that holds.",
          Number(r_.compared), Number(r_.scored))
          .In(lang_));
  BarChart chart;
  chart.width = 572;
  chart.classes = {"v-linked"};
  std::vector<Cells> rows;
  for (const LinkageReport::Rule& rule : r_.rules) {
    const std::string label = fmt::format("{} {}", rule.number, rule.name.In(lang_));
    chart.bars.push_back({label, {static_cast<double>(rule.pairs)}, Number(rule.pairs)});
    rows.push_back({label, Number(rule.pairs)});
  }
  chart.words = {"rules", Say("配对数按分块规则", "Pairs by blocking rule"),
                 Msg("条形图：{0} 条规则的配对数，共 {1} 对。",
                     "Bars of {0} rules, {1} pairs in all.", r_.rules.size(), Number(r_.compared))
                     .In(lang_)};
  Show(chart);
  Table(Say("配对数按分块规则", "pairs by blocking rule"),
        {Say("规则", "rule"), Say("配对", "pairs")}, rows);
  End();
}

void Page::Candidates() {
  Begin(Say("每个行组的候选人", "Candidates of a group"),
        Say("与多少人打了分。没有候选人的行组无从关联。",
            "How many persons it was scored with. A group without any cannot be linked."));
  BarChart chart;
  chart.width = 352;
  chart.classes = {"v-linked"};
  std::vector<Cells> rows;
  for (const LinkageReport::Candidates& c : r_.candidates) {
    const std::string label = c.from == c.to ? Number(c.from) : Number(c.from) + "–" + Number(c.to);
    const double share = static_cast<double>(c.groups) / static_cast<double>(r_.groups());
    chart.bars.push_back({label,
                          {static_cast<double>(c.groups)},
                          fmt::format("{} · {}", Number(c.groups), ShareText(share))});
    rows.push_back({label, Number(c.groups), ShareText(share)});
  }
  chart.words = {"candidates", Say("行组按候选人数", "Groups by number of candidates"),
                 Msg("条形图：{0} 个行组按候选人数分布。",
                     "Bars: {0} groups by number of candidates.", Number(r_.groups()))
                     .In(lang_)};
  Show(chart);
  Table(Say("行组按候选人数", "groups by number of candidates"),
        {Say("候选人", "candidates"), Say("行组", "groups"), Say("占比", "share")}, rows);
  End();
}

// 1, 2, 3, 4, 5–8, 9–16, …
std::map<uint64_t, std::pair<std::string, uint64_t>> Bucketed(
    const std::map<uint64_t, uint64_t>& sizes) {
  std::map<uint64_t, std::pair<std::string, uint64_t>> out;
  for (const auto& [size, count] : sizes) {
    uint64_t to = size;
    std::string label = std::to_string(size);
    if (size > 4) {
      to = 8;
      while (to < size) to *= 2;
      label = fmt::format("{}–{}", to / 2 + 1, to);
    }
    out[to].first = label;
    out[to].second += count;
  }
  return out;
}

void Page::SizesChart(const char* id, const std::string& title,
                      const std::map<uint64_t, uint64_t>& sizes, double largest) {
  BarChart chart;
  chart.width = 460;
  chart.classes = {"v-linked"};
  chart.largest = largest;
  uint64_t total = 0;
  // Both charts have the same lines, so that what is missing shows.
  std::map<uint64_t, uint64_t> all = r_.clusters;
  all.insert(r_.components.begin(), r_.components.end());
  const auto mine = Bucketed(sizes);
  for (const auto& [to, bucket] : Bucketed(all)) {
    auto it = mine.find(to);
    const uint64_t n = it == mine.end() ? 0 : it->second.second;
    chart.bars.push_back({bucket.first, {static_cast<double>(n)}, Number(n)});
    total += n;
  }
  chart.words = {id, title,
                 Msg("条形图：共 {0} 个，按所含行组数分布。",
                     "Bars: {0} of them by the number of groups of rows in each.", Number(total))
                     .In(lang_)};
  out_.Open("div").Element("figcaption", title);
  Show(chart);
  out_.Close();
}

void Page::Clusters() {
  Begin(
      Say("无人认领的行组如何聚拢", "How groups that nobody known matches came together"),
      Say("没有号码、也没有与任何已知的人关联的行组，彼此比较后聚为一人。左边是采用的结果（平均连接"
          "），"
          "右边是仅看连通会得到的结果：右边的大块说明有人居中把不同的人连在了一起。",
          "Groups of rows without a number that match nobody known are compared with one another. "
          "To the left what was decided (average link), to the right what connected components "
          "would have made of it: large ones there are different people, with somebody between "
          "them."));
  if (r_.clusters.empty() && r_.components.empty()) {
    out_.Element("p", Say("没有这样的行组。", "There are none."));
    End();
    return;
  }
  double largest = 0;
  for (const auto* sizes : {&r_.clusters, &r_.components}) {
    for (const auto& [to, bucket] : Bucketed(*sizes)) {
      largest = std::max(largest, static_cast<double>(bucket.second));
    }
  }
  out_.Open("div", {{"class", "pair"}}).Line();
  SizesChart("clusters", Say("聚类（采用）", "Clusters, as decided"), r_.clusters, largest);
  SizesChart("components", Say("连通分量（对照）", "Connected components, for comparison"),
             r_.components, largest);
  out_.Close().Line();
  std::map<uint64_t, std::array<uint64_t, 2>> both;
  for (const auto& [size, n] : r_.clusters) both[size][0] = n;
  for (const auto& [size, n] : r_.components) both[size][1] = n;
  std::vector<Cells> rows;
  for (const auto& [size, n] : both) rows.push_back({Number(size), Number(n[0]), Number(n[1])});
  Table(
      Say("聚类与连通分量按大小", "clusters and components by size"),
      {Say("所含行组", "groups together"), Say("聚类", "clusters"), Say("连通分量", "components")},
      rows);
  End();
}

// ---- m ----

void Page::Learned() {
  const std::vector<LevelRates> rates = RatesByLevel(r_, a_.names.order);
  if (rates.empty()) return;
  Begin(
      Say("从数据学到的 m", "m as the data teach it"),
      Say("m 是同一个人的两行在某字段达到某级别的比例，逐个文件在凭已核实号码关联的行上统计，"
          "再与模型的设想合并。每点一个文件，竖线为中位数；远离众点的文件值得一看。",
          "m is the share of a person's own rows that stand at a level of a field: counted file by "
          "file on rows that a verified number links, together with what the model supposes. A dot "
          "is a file, the stroke their median; a file far from the others is worth a look."));
  StripPlot plot;
  plot.axis = "m";
  std::vector<Cells> rows;
  std::string field;
  for (const LevelRates& level : rates) {
    StripPlot::Line line{
        FieldAndLevel(level), {}, level.median, fmt::format("{:.3f}", level.median)};
    for (const LinkageReport::Learned* l : level.files) line.values.push_back(l->m);
    line.begins_group = level.field != field;
    field = level.field;
    plot.lines.push_back(std::move(line));
    uint64_t counted = 0;
    for (const LinkageReport::Learned* l : level.files) counted += l->rows;
    rows.push_back({FieldAndLevel(level), Number(level.files.size()), Number(counted),
                    fmt::format("{:.4f}", level.lowest), fmt::format("{:.4f}", level.median),
                    fmt::format("{:.4f}", level.highest)});
  }
  plot.words = {
      "learned", Say("各字段、级别的 m", "m by field and level"),
      Msg("点图：{0} 个级别，每点一个文件，右侧为中位数。",
          "Strip plot of {0} levels, a dot for each file, medians to the right.", rates.size())
          .In(lang_)};
  Show(plot);
  Table(Say("m 的最小、中位、最大值", "lowest, median and highest m"),
        {Say("字段 · 级别", "field · level"), Say("文件", "files"), Say("统计的行", "rows counted"),
         Say("最小", "lowest"), Say("中位", "median"), Say("最大", "highest")},
        rows, true);
  LearnedByFile(rates);
  End();
}

void Page::LearnedByFile(const std::vector<LevelRates>& rates) {
  struct FileKey {
    std::string file, source, kind;
    auto operator<=>(const FileKey&) const = default;
  };
  std::map<FileKey, std::vector<const LinkageReport::Learned*>> by_file;
  for (size_t i = 0; i < rates.size(); ++i) {
    for (const LinkageReport::Learned* l : rates[i].files) {
      by_file.try_emplace({l->file, l->source, l->kind}, rates.size()).first->second[i] = l;
    }
  }
  const std::string caption =
      Say("各文件的 m，下方小字为统计的行数", "m by file, rows counted below");
  out_.Open("details", {{"class", "folded"}});
  out_.Element("summary", Say("数据表：", "Table: ") + caption).Line();
  out_.Open("div", {{"class", "scroll"}}).Open("table", {{"class", "close"}});
  out_.Element("caption", caption).Open("thead").Open("tr");
  out_.Element("th", Say("来源 · 文件", "source · file"), {{"scope", "col"}, {"rowspan", "2"}});
  for (size_t i = 0; i < rates.size();) {
    size_t end = i;
    while (end < rates.size() && rates[end].field == rates[i].field) ++end;
    out_.Element("th", NameOf(a_.names.fields, rates[i].field).In(lang_),
                 {{"scope", "colgroup"}, {"colspan", std::to_string(end - i)}});
    i = end;
  }
  out_.Close().Open("tr");
  for (const LevelRates& level : rates) {
    out_.Element("th", LevelNameOf(level), {{"scope", "col"}});
  }
  out_.Close().Close().Line().Open("tbody").Line();
  for (const auto& [key, cells] : by_file) {
    out_.Open("tr").Open("th", {{"scope", "row"}}).Text(key.source + " · " + KindOf(key.kind));
    out_.Empty("br").Element("small", key.file).Close();
    for (const LinkageReport::Learned* l : cells) {
      out_.Open("td");
      if (l != nullptr) out_.Text(fmt::format("{:.3f}", l->m)).Element("small", Number(l->rows));
      out_.Close();
    }
    out_.Close().Line();
  }
  out_.Close().Close().Close().Close().Line();
}

// ---- rows ----

void Page::Rows() {
  if (r_.extracts.empty()) return;
  Outcomes();
  Sources();
}

void Page::Outcomes() {
  uint64_t total = 0;
  for (const LinkageReport::Extract& e : r_.extracts) total += e.rows_in;
  Begin(Say("各行的结果", "What became of the rows"),
        Msg("{0} 行逐行有交代：关联、未关联、参考或拒收。",
            "An account of {0} rows: linked, unlinked, for reference, or rejected.", Number(total))
            .In(lang_));
  BarChart chart;
  chart.classes = {"v-linked", "v-review", "v-unlikely"};
  std::vector<Cells> rows;
  for (const auto& [key, n] : RowsByOutcome(r_)) {
    const std::string label = NameOf(a_.names.outcomes, key).In(lang_);
    const double share = total == 0 ? 0 : static_cast<double>(n) / static_cast<double>(total);
    const bool open = key == "unlinked" || key == "conflict" || key == "rejected";
    const bool aside = key == "reference" || key == "superseded";
    const auto value = static_cast<double>(n);
    chart.bars.push_back({label,
                          {open || aside ? 0 : value, open ? value : 0, aside ? value : 0},
                          fmt::format("{} · {}", Number(n), ShareText(share))});
    rows.push_back({label, Number(n), ShareText(share)});
  }
  chart.words = {
      "outcomes", Say("行数按结果", "Rows by outcome"),
      Msg("条形图：{0} 行按结果分布。", "Bars: {0} rows by outcome.", Number(total)).In(lang_)};
  Legend({{"v-linked", Say("归到了人", "given to a person")},
          {"v-review", Say("未归到人", "given to nobody")},
          {"v-unlikely", Say("不参与关联", "not to be linked")}});
  Show(chart);
  Table(Say("行数按结果", "rows by outcome"),
        {Say("结果", "outcome"), Say("行", "rows"), Say("占比", "share")}, rows);
  End();
}

void Page::Sources() {
  constexpr size_t kShown = 24;
  Begin(Say("哪些来源的行没有归到人", "Which sources have rows without a person"),
        Say("未关联和被拒收的行占该来源可关联行的比例，由高到低。",
            "Rows that were not linked, or rejected, as a share of what of the source could be "
            "linked, the largest first."));
  struct Ranked {
    SourceRows rows;
    double linkable = 0;
    double open = 0;
  };
  std::vector<Ranked> ranked;
  std::vector<Cells> rows;
  for (SourceRows& s : RowsBySource(r_)) {
    rows.push_back({s.source + " · " + KindOf(s.kind), Number(s.files), Number(s.rows_in),
                    Number(s.linked), Number(s.unlinked), Number(s.reference), Number(s.rejected)});
    const double linkable = static_cast<double>(s.linked + s.unlinked + s.rejected);
    const double open = static_cast<double>(s.unlinked + s.rejected);
    if (open > 0 && s.reference == 0) ranked.push_back({std::move(s), linkable, open / linkable});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.open > b.open; });
  const size_t left_out = ranked.size() > kShown ? ranked.size() - kShown : 0;
  ranked.resize(std::min(ranked.size(), kShown));
  if (ranked.empty()) {
    out_.Element("p", Say("没有：每个来源的每一行都归到了人。",
                          "None: every row of every source was given to a person."));
  } else {
    BarChart chart;
    chart.classes = {"v-review", "v-other"};
    for (const Ranked& s : ranked) {
      chart.bars.push_back(
          {s.rows.source + " · " + KindOf(s.rows.kind),
           {static_cast<double>(s.rows.unlinked) / s.linkable,
            static_cast<double>(s.rows.rejected) / s.linkable},
           fmt::format("{} · {} / {}", ShareText(s.open), Number(s.rows.unlinked + s.rows.rejected),
                       AmountText(s.linkable, true))});
    }
    chart.words = {"sources", Say("没有归到人的行按来源", "Rows without a person by source"),
                   Msg("条形图：{0} 个来源，未关联与被拒收的比例，由高到低。",
                       "Bars of {0} sources: shares of unlinked and rejected rows, the largest "
                       "first.",
                       ranked.size())
                       .In(lang_)};
    Legend({{"v-review", Say("未关联", "unlinked")}, {"v-other", Say("拒收", "rejected")}});
    Show(chart);
    if (left_out > 0) {
      out_.Element("p",
                   Msg("另有 {0} 个来源，比例更低，见下表。",
                       "{0} more sources have smaller shares; they are in the table.", left_out)
                       .In(lang_));
    }
  }
  Table(Say("行数按来源", "rows by source"),
        {Say("来源", "source"), Say("文件", "files"), Say("读入", "rows in"), Say("关联", "linked"),
         Say("未关联", "unlinked"), Say("参考", "reference"), Say("拒收", "rejected")},
        rows);
  End();
}

// ---- the run before ----

void Page::Differences() {
  if (!a_.before) return;
  Begin(Say("与上次运行相比", "Since the run before"),
        Msg("上次：{0}，截止日期 {1}。", "Then: run {0}, cut-off {1}.", a_.before->run,
            a_.before->cutoff)
            .In(lang_));
  const std::vector<Headline> before = Headlines(*a_.before);
  std::vector<Cells> rows;
  size_t i = 0;
  for (const Headline& h : Headlines(r_)) {
    const Headline& was = before[i++];
    rows.push_back({h.label.In(lang_), AmountText(was.value, h.whole),
                    was.share ? ShareText(*was.share) : "", AmountText(h.value, h.whole),
                    h.share ? ShareText(*h.share) : "", ChangeText(h.value - was.value, h.whole)});
  }
  BareTable("",
            {Say("项目", "figure"), Say("上次", "before"), Say("占比", "share"), Say("本次", "now"),
             Say("占比", "share"), Say("变化", "change")},
            rows);
  End();
}

void Page::Terms() {
  out_.Open("footer").Open("dl");
  auto term = [this](const std::string& word, const std::string& meaning) {
    out_.Element("dt", word).Element("dd", meaning).Line();
  };
  term(
      Say("行组", "group of rows"),
      Say("没有可用号码而看来是同一人的行，或者只有部门知道、无从核实的一个号码下的行。",
          "rows without a usable number that are one person's by all they say, or the rows under a "
          "number that nothing verifies."));
  term(Say("优势", "odds"),
       Say("各字段的 log₂(m / u) 之和，加上事先已知的；每增 1 比特，可能性加倍。",
           "the sum of log₂(m / u) over the fields, with what is known beforehand; every bit "
           "doubles "
           "them."));
  term(VerdictLabel(V::kReview).In(lang_),
       Say("可能是同一人，但不够确定，或有矛盾；由人决定。",
           "may be one person, though not surely enough, or something contradicts it: somebody "
           "decides."));
  term(VerdictLabel(V::kUnlikely).In(lang_),
       Say("有人与之相近，但更可能不是本人。",
           "somebody resembles it, but is more likely another person."));
  out_.Close().Close().Line();
}

}  // namespace

std::string LinkagePage(const LinkageAccount& account, Lang lang) {
  return Page(account, lang).Make();
}

}  // namespace canbao::reporting
