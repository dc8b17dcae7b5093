#include "reporting/render.h"

#include <algorithm>
#include <boost/json.hpp>

namespace canbao::reporting {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};
// East Asian Width W and F (UAX #11), in the blocks that names and headings use.
constexpr Range kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF}, {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Range kCombining[] = {
    {0x0300, 0x036F}, {0x200B, 0x200F}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

bool In(uint32_t c, const Range* begin, const Range* end) {
  return std::any_of(begin, end, [c](const Range& r) { return c >= r.first && c <= r.last; });
}

// The next code point; a broken byte counts as one character.
uint32_t NextCodePoint(std::string_view s, size_t* at) {
  unsigned char lead = static_cast<unsigned char>(s[*at]);
  int extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  uint32_t c = extra == 3   ? lead & 0x07
               : extra == 2 ? lead & 0x0F
               : extra == 1 ? lead & 0x1F
                            : lead;
  ++*at;
  while (extra-- > 0 && *at < s.size() && (static_cast<unsigned char>(s[*at]) & 0xC0) == 0x80) {
    c = c << 6 | (static_cast<unsigned char>(s[(*at)++]) & 0x3F);
  }
  return c;
}

std::string PadRight(const std::string& s, int width) {
  return s + std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(s))), ' ');
}
std::string PadLeft(const std::string& s, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(s))), ' ') + s;
}

// Rows of equal length: the first two columns to the left, the others to the right.
std::string Aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += i == 0 || i > 1 ? PadLeft(row[i], widths[i]) : PadRight(row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::vector<const FormResult*> All(const FormTable& table) {
  std::vector<const FormResult*> all = {&table.total};
  for (const FormResult& part : table.parts) all.push_back(&part);
  return all;
}

std::string NumberText(std::optional<int64_t> value) {
  return value ? std::to_string(*value) : std::string();
}

std::string CrossText(const FormResult& result, Lang lang) {
  const Form& form = *result.form;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> head = {"", Msg("职工 × 居民", "employee × resident").In(lang)};
  for (int resident = 11; resident <= 15; ++resident) head.push_back(fmt::format("({})", resident));
  rows.push_back(head);
  for (int employee = 1; employee <= 10; ++employee) {
    std::vector<std::string> row = {
        fmt::format("({})", employee),
        form.columns[static_cast<size_t>(employee - 1)].heading.In(lang)};
    bool any = false;
    for (int i = 0; i < 5; ++i) {
      int64_t count = result.cross[static_cast<size_t>((employee - 1) * 5 + i)];
      any |= count != 0;
      row.push_back(std::to_string(count));
    }
    if (any) rows.push_back(std::move(row));
  }
  return Msg("\n同时参加职工和居民险种的人数（在表中计入职工栏）：\n",
             "\nPersons in employee and resident schemes (counted under employees above):\n")
             .In(lang) +
         Aligned(rows);
}

std::string ChecksText(const FormResult& result, Lang lang) {
  std::string out;
  for (const CheckResult& check : result.checks) {
    const char* mark = !check.known ? "·" : check.holds ? "✓" : check.blocking ? "✗" : "!";
    out += fmt::format("  {} {}", mark, check.holds ? check.rule : check.explanation.In(lang));
    if (!check.known)
      out += Msg("  （缺数，未核对）", "  (a figure is missing, not checked)").In(lang);
    out += "\n";
  }
  return out;
}

// Numbers are written by hand: decimals exactly as printed, never 9.75E1.
std::string JsonNumber(std::optional<int64_t> value, bool decimals) {
  if (!value) return "null";
  return decimals ? HundredthsText(*value) : std::to_string(*value);
}

std::string JsonString(const std::string& s) {
  return boost::json::serialize(boost::json::string(s));
}

std::string JsonColumns(const FormResult& result) {
  std::string out = "{";
  for (size_t i = 0; i < result.columns.size(); ++i) {
    const FormColumn& column = result.form->columns[i];
    out += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", column.number,
                       JsonNumber(result.columns[i], column.has_decimals()));
  }
  if (result.form->id == kForm22) {
    out += ",\"not_yet_verified\":" + JsonNumber(result.not_yet_verified, false);
  }
  return out + "}";
}

std::string JsonChecks(const FormResult& result) {
  std::string out = "[";
  for (const CheckResult& check : result.checks) {
    if (out.size() > 1) out += ",";
    out += fmt::format(R"({{"rule":{},"holds":{},"blocking":{},"known":{},"left":{},"right":{})",
                       JsonString(check.rule), check.holds, check.blocking, check.known,
                       JsonNumber(check.left, check.decimals),
                       JsonNumber(check.right, check.decimals));
    if (!check.holds) {
      out += fmt::format(R"(,"difference":{},"explanation":{{"zh":{},"en":{}}})",
                         JsonNumber(check.difference, check.decimals),
                         JsonString(check.explanation.zh), JsonString(check.explanation.en));
    }
    out += "}";
  }
  return out + "]";
}

std::string CsvField(const std::string& s) {
  if (s.find_first_of(",\"\r\n") == std::string::npos) return s;
  std::string quoted = "\"";
  for (char c : s) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void CsvLine(const std::vector<std::string>& fields, std::string* out) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) *out += ',';
    *out += CsvField(fields[i]);
  }
  *out += "\r\n";
}

}  // namespace

int DisplayWidth(std::string_view utf8) {
  int width = 0;
  for (size_t at = 0; at < utf8.size();) {
    uint32_t c = NextCodePoint(utf8, &at);
    if (In(c, std::begin(kCombining), std::end(kCombining))) continue;
    width += In(c, std::begin(kWide), std::end(kWide)) ? 2 : 1;
  }
  return width;
}

std::string CellText(const FormResult& result, size_t index, Lang lang) {
  if (result.not_collected[index]) return Msg("未采集", "not collected").In(lang);
  const FormColumn& column = result.form->columns[index];
  if (column.type == ColumnType::kYesNo && result.columns[index]) {
    return (*result.columns[index] != 0 ? Msg("是", "yes") : Msg("否", "no")).In(lang);
  }
  return ValueText(column, result.columns[index]);
}

std::string DivisionText(const Subject& subject, Lang lang) {
  const std::string& name = subject.name.In(lang);
  std::string code = subject.division == 0 ? std::string() : fmt::format("{:06}", subject.division);
  if (name.empty()) return code;
  return code.empty() ? name : fmt::format("{} ({})", name, code);
}

std::string RenderText(const FormTable& table, Lang lang) {
  const FormResult& total = table.total;
  const Form& form = *total.form;
  std::string out = form.title.In(lang) + "\n";
  out += DivisionText(total.subject, lang) + "  " +
         Msg("截止 {0}", "as of {0}", total.subject.cutoff.ToIso()).In(lang);
  if (total.subject.population == "hukou")
    out += Msg("  本省户籍人口", "  hukou population").In(lang);
  if (!form.unit.In(lang).empty()) out += "  " + form.unit.In(lang);
  out += "\n\n";

  std::vector<std::vector<std::string>> rows;
  std::vector<const FormResult*> all = All(table);
  if (all.size() > 1) {
    std::vector<std::string> head = {"", ""};
    for (const FormResult* result : all) {
      const std::string& name = result->subject.name.In(lang);
      head.push_back(result == &total ? Msg("合计", "total").In(lang)
                     : name.empty()   ? DivisionText(result->subject, lang)
                                      : name);
    }
    rows.push_back(std::move(head));
  }
  std::string group;
  for (size_t i = 0; i < form.columns.size(); ++i) {
    const FormColumn& column = form.columns[i];
    std::string heading = column.group.In(lang);
    if (!column.subgroup.In(lang).empty()) heading += " · " + column.subgroup.In(lang);
    if (heading != group) {
      rows.push_back({"", heading});
      group = heading;
    }
    std::vector<std::string> row = {
        std::to_string(column.number),
        (column.part_of != 0 ? "    " : "  ") + column.heading.In(lang)};
    for (const FormResult* result : all) row.push_back(CellText(*result, i, lang));
    rows.push_back(std::move(row));
  }
  if (!form.not_yet_verified.zh.empty()) {
    rows.push_back({"", Msg("表外", "Beside the form").In(lang)});
    std::vector<std::string> row = {"", "  " + form.not_yet_verified.In(lang)};
    for (const FormResult* result : all) row.push_back(NumberText(result->not_yet_verified));
    rows.push_back(std::move(row));
  }
  out += Aligned(rows);
  if (total.HasCross()) out += CrossText(total, lang);

  out += Msg("\n审核关系\n", "\nChecks\n").In(lang) + ChecksText(total, lang);
  for (const FormResult& part : table.parts) {
    for (const CheckResult& check : part.checks) {
      if (check.holds) continue;
      out += fmt::format("  {} {}: {}\n", check.blocking ? "✗" : "!",
                         DivisionText(part.subject, lang), check.explanation.In(lang));
    }
  }
  return out;
}

std::string RenderJson(const FormTable& table) {
  const FormResult& total = table.total;
  std::string out = fmt::format(
      R"({{"form":{},"division":"{:06}","cutoff":"{}","columns":{},"checks":{},"population":{},"form_version":{})",
      JsonString(total.form->code), total.subject.division, total.subject.cutoff.ToIso(),
      JsonColumns(total), JsonChecks(total), JsonString(total.subject.population),
      JsonString(total.form->version));
  if (total.HasCross()) {
    out += ",\"employee_x_resident\":{";
    const char* separator = "";
    for (size_t i = 0; i < total.cross.size(); ++i) {
      if (total.cross[i] == 0) continue;
      out += fmt::format("{}\"{}x{}\":{}", separator, i / 5 + 1, i % 5 + 11, total.cross[i]);
      separator = ",";
    }
    out += "}";
  }
  if (!table.parts.empty()) {
    out += ",\"parts\":[";
    const char* separator = "";
    for (const FormResult& part : table.parts) {
      out += fmt::format(R"({}{{"division":"{:06}","name":{},"columns":{},"checks":{}}})",
                         separator, part.subject.division, JsonString(part.subject.name.zh),
                         JsonColumns(part), JsonChecks(part));
      separator = ",";
    }
    out += "]";
  }
  return out + "}\n";
}

std::string RenderCsv(const FormTable& table, Lang lang) {
  const Form& form = *table.total.form;
  std::string out = "\xEF\xBB\xBF";
  std::vector<std::string> head = {Msg("行政区划", "division").In(lang),
                                   Msg("名称", "name").In(lang)};
  for (const FormColumn& column : form.columns) {
    head.push_back(fmt::format("{} {}", column.number, column.heading.In(lang)));
  }
  if (!form.not_yet_verified.zh.empty()) head.push_back(form.not_yet_verified.In(lang));
  CsvLine(head, &out);
  for (const FormResult* result : All(table)) {
    std::vector<std::string> line = {fmt::format("{:06}", result->subject.division),
                                     result->subject.name.In(lang)};
    for (size_t i = 0; i < form.columns.size(); ++i) line.push_back(CellText(*result, i, lang));
    if (!form.not_yet_verified.zh.empty()) line.push_back(NumberText(result->not_yet_verified));
    CsvLine(line, &out);
  }
  return out;
}

}  // namespace canbao::reporting
