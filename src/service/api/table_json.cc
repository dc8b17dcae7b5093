#include "service/api/table_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "identity/division.h"
#include "scheme/scheme.h"

namespace canbao::service {

namespace json = boost::json;

namespace {

const char* KindName(reg::CellKind kind) {
  switch (kind) {
    case reg::CellKind::kText:
      return "text";
    case reg::CellKind::kNumber:
      return "number";
    case reg::CellKind::kDay:
      return "day";
    case reg::CellKind::kDivision:
      return "division";
    case reg::CellKind::kPerson:
      return "person";
    case reg::CellKind::kMasked:
      return "masked";
    case reg::CellKind::kPlace:
      return "place";
  }
  return "text";
}

// Half open, of 12 digits; the country is all.
struct Span {
  uint64_t low = 0;
  uint64_t high = 1'000'000'000'000;
};
Span SpanOfDivision(uint64_t division) {
  if (division == 0) return {};
  for (uint64_t step : {10'000'000'000ull, 100'000'000ull, 1'000'000ull, 1'000ull}) {
    if (division % step == 0) return {division, division + step};
  }
  return {division, division + 1};
}

}  // namespace

json::object LabelJson(const Text& text) { return {{"zh", text.zh}, {"en", text.en}}; }

json::value OrNull(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object TableJson(const std::vector<reg::PageColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  json::array heads, lines;
  for (const reg::PageColumn& c : columns) {
    heads.push_back(
        json::object{{"key", c.key}, {"label", LabelJson(c.label)}, {"kind", KindName(c.kind)}});
  }
  for (const std::vector<std::string>& row : rows) {
    json::object line;
    for (size_t i = 0; i < columns.size(); ++i) line[columns[i].key] = OrNull(row[i]);
    lines.push_back(std::move(line));
  }
  return {{"columns", std::move(heads)}, {"rows", std::move(lines)}};
}

json::object PageJson(const reg::TablePage& page) {
  json::object out = TableJson(page.columns, page.rows);
  auto number = [](const std::optional<int64_t>& n) {
    return n ? json::value(*n) : json::value(nullptr);
  };
  out["count"] = number(page.count);
  out["first"] = number(page.first);
  out["next"] = OrNull(page.next);
  out["previous"] = OrNull(page.previous);
  return out;
}

tl::expected<std::string, Problem> DivisionWithin(const Caller& caller, std::string_view asked) {
  auto own = static_cast<uint64_t>(caller.division);
  if (asked.empty()) return own == 0 ? std::string() : fmt::format("{:012}", own);
  Span all = SpanOfDivision(own);
  Span part = SpanOfDivision(identity::ParseDivision(asked).v);
  if (part.low < all.low || part.high > all.high) {
    return Refuse(403, "CB-SERVICE-0301",
                  Msg("这个区划不在您的管辖范围内。", "this division is not within yours."),
                  Msg("请选择本级或下级区划。", "Choose your own or one below it."));
  }
  return std::string(asked);
}

int64_t NumberOf(std::string_view text, int64_t otherwise) {
  int64_t n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

int BranchOf(std::string_view name) {
  for (int b = 0; b < scheme::kBranches; ++b) {
    if (scheme::BranchName(static_cast<scheme::Branch>(b)) == name) return b;
  }
  return -1;
}

}  // namespace canbao::service
