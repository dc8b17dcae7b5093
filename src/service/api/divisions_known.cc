#include "service/api/divisions_known.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "register/division_change.h"

namespace canbao::service {
namespace json = boost::json;
using identity::Division;
using identity::DivisionTable;

namespace {

// By the folder of the tables: the last change that a table has.
struct KnownTable {
  int64_t last_change = -1;
  DivisionsPtr table;
};

struct TableShelf {
  std::mutex mutex;
  std::map<std::string, KnownTable> by_folder;
};

TableShelf& Shelf() {
  static TableShelf shelf;
  return shelf;
}

}  // namespace

Result<DivisionsPtr> DivisionsOf(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(int64_t last, reg::LastDivisionChange(*db));
  TableShelf& shelf = Shelf();
  const std::string& folder = c.services().policy_dir;
  std::lock_guard lock(shelf.mutex);
  KnownTable& known = shelf.by_folder[c.services().data_dir + "|" + folder];
  if (known.table && known.last_change == last) return known.table;
  CANBAO_ASSIGN(DivisionTable table, DivisionTable::Load(folder));
  CANBAO_ASSIGN(auto recorded, reg::DivisionChanges(*db));
  std::vector<identity::DivisionChange> changes;
  for (reg::RecordedDivisionChange& r : recorded) changes.push_back(std::move(r.change));
  table.Apply(std::move(changes));
  known.table = std::make_shared<const DivisionTable>(std::move(table));
  known.last_change = last;
  return known.table;
}

DivisionSpan SpanOf(uint64_t division) {
  if (division == 0) return {0, 999999999999};
  for (uint64_t step : {10000000000ull, 100000000ull, 1000000ull, 1000ull}) {
    if (division % step == 0) return {division, division + step - 1};
  }
  return {division, division};
}

tl::expected<uint64_t, Problem> AskedDivision(Context& c, const DivisionTable& divisions) {
  const auto own = static_cast<uint64_t>(c.caller().division);
  const std::string_view text = c.request().Query("division");
  if (text.empty()) return own;
  uint64_t asked = identity::ParseDivision(text).v;
  const bool country = asked == 0 && text.find_first_not_of('0') == std::string_view::npos;
  if (country ? own == 0 : SpanOf(own).Has(asked) && divisions.IsKnown(Division{asked})) {
    return asked;
  }
  return Refuse(404, "CB-SERVICE-0201",
                Text{"没有这个行政区划，或不在您的管辖范围内。",
                     "there is no such division, or it is not one of yours."},
                Text{"请从列表中选择。", "Choose one from the list."});
}

std::string DivisionCode(uint64_t division) {
  if (division % 1000000 == 0) return fmt::format("{:06}", division / 1000000);
  return division % 1000 == 0 ? fmt::format("{:09}", division / 1000)
                              : fmt::format("{:012}", division);
}

std::string LevelName(uint64_t division) {
  if (division == 0) return "country";
  if (division % 10000000000 == 0) return "province";
  if (division % 100000000 == 0) return "city";
  if (division % 1000000 == 0) return "county";
  return division % 1000 == 0 ? "township" : "village";
}

std::string DivisionName(const DivisionTable& divisions, uint64_t division, Date on) {
  if (division == 0) return "全国";
  std::string name = divisions.NameOf(Division{division}, on);
  return name.empty() ? DivisionCode(division) : name;
}

json::value NameOrNull(const DivisionTable& divisions, uint64_t division, Date on) {
  if (division == 0) return nullptr;
  std::string name = divisions.NameOf(Division{division}, on);
  return name.empty() ? json::value(nullptr) : json::value(name);
}

json::object DivisionJson(const DivisionTable& divisions, uint64_t division, Date on) {
  json::object o;
  o["code"] = DivisionCode(division);
  o["name"] = DivisionName(divisions, division, on);
  o["level"] = LevelName(division);
  o["full_name"] =
      division == 0 ? std::string("全国") : divisions.FullNameOf(Division{division}, on);
  const std::vector<identity::DivisionRecord> records = divisions.RecordsOf(Division{division});
  auto year = [](uint16_t y) -> json::value {
    if (y == 0) return nullptr;
    return json::value(std::to_string(y));
  };
  o["from"] = records.empty() ? json::value(nullptr) : year(records.front().valid_from);
  o["to"] = records.empty() ? json::value(nullptr) : year(records.back().valid_until);
  o["children"] = divisions.HasChildren(Division{division}, on);
  return o;
}

}  // namespace canbao::service
