// Divisions: their tree, their history, and changes that an administrator records. What divisions
// there are is public: nothing here depends on the caller's place.
#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "register/division_change.h"
#include "service/api/divisions_known.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using identity::ChangeKind;
using identity::Division;
using identity::DivisionTable;

json::object ChangeJson(const identity::DivisionChange& change) {
  json::object o{{"kind", identity::ChangeKindName(change.kind)},
                 {"code", DivisionCode(change.code.v)},
                 {"date", change.date.ToIso()},
                 {"source", change.source},
                 {"year_only", change.year_only}};
  if (!change.name.empty()) o["name"] = change.name;
  if (change.successor.has_value()) o["successor"] = DivisionCode(change.successor.v);
  return o;
}

size_t LimitAsked(const Request& request, size_t otherwise) {
  const std::string_view text = request.Query("limit");
  size_t n = 0;
  for (char c : text) n = n * 10 + static_cast<size_t>(c - '0');
  return text.empty() ? otherwise : n;
}

Answer ListDivisions(Context& c) {
  CANBAO_ASSIGN(DivisionsPtr table, DivisionsOf(c));
  const std::string_view q = c.request().Query("q");
  const std::string_view parent_text = c.request().Query("parent");
  std::vector<Division> found;
  if (!q.empty()) {
    found = table->Search(q, LimitAsked(c.request(), 50));
    if (!parent_text.empty()) {
      const DivisionSpan span = SpanOf(identity::ParseDivision(parent_text).v);
      std::erase_if(found, [&](Division d) { return !span.Has(d.v); });
    }
  } else {
    const Division parent = identity::ParseDivision(parent_text);
    const bool country = parent_text.find_first_not_of('0') == std::string_view::npos;
    if (!country && !table->IsKnown(parent)) {
      return Refuse(404, "CB-SERVICE-0201",
                    Text{"没有这个行政区划。", "there is no such division."});
    }
    // All of them: a tree with a hole in it is worse than a long one.
    found = table->ChildrenOf(parent, {});
  }
  json::array items;
  for (Division d : found) items.push_back(DivisionJson(*table, d.v, {}));
  return Json(json::object{{"items", std::move(items)}});
}

Answer GetDivision(Context& c) {
  CANBAO_ASSIGN(DivisionsPtr table, DivisionsOf(c));
  const std::string_view text = c.request().Param("code");
  const Division code = identity::ParseDivision(text);
  const bool country = text.find_first_not_of('0') == std::string_view::npos;
  if (!country && !table->IsKnown(code)) {
    return Refuse(404, "CB-SERVICE-0201", Text{"没有这个行政区划。", "there is no such division."});
  }
  json::object o = DivisionJson(*table, code.v, {});
  json::array parents;
  uint64_t last = code.v;
  for (uint64_t step : {10000000000ull, 100000000ull, 1000000ull, 1000ull}) {
    const uint64_t above = code.v / step * step;
    if (above == code.v || above == 0 || above == last) continue;
    last = above;
    if (table->IsKnown(Division{above})) parents.push_back(DivisionJson(*table, above, {}));
  }
  o["parents"] = std::move(parents);
  json::array history;
  for (const identity::DivisionChange& change : table->HistoryOf(code)) {
    history.push_back(ChangeJson(change));
  }
  o["history"] = std::move(history);
  return Json(o);
}

Answer ListChanges(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(auto changes, reg::DivisionChanges(*db));
  std::reverse(changes.begin(), changes.end());  // newest first
  json::array items;
  for (const reg::RecordedDivisionChange& r : changes) {
    json::object o = ChangeJson(r.change);
    o["id"] = std::to_string(r.id);
    o["recorded_by"] = r.recorded_by;
    items.push_back(std::move(o));
  }
  return Json(json::object{{"items", std::move(items)}});
}

// What the contract cannot say: which fields a kind needs, and that they agree with what is known.
std::vector<Problem::Field> MistakesOf(const identity::DivisionChange& change,
                                       const DivisionTable& table, Lang lang) {
  std::vector<Problem::Field> out;
  auto wrong = [&](const char* field, const Text& why) { out.push_back({field, why.In(lang)}); };
  if (change.code.v % 1000000 != 0) {
    wrong("code", {"只登记县级及以上区划的变更（六位代码）。",
                   "changes are recorded of county level and above (six digits)."});
  } else if (!table.IsValid(change.code, change.date)) {
    wrong("code", {"这个区划在该日期不存在。", "there is no such division at that date."});
  }
  if (!change.date.has_value()) wrong("date", {"没有这一天。", "there is no such day."});
  const bool leads = change.kind == ChangeKind::kMerge || change.kind == ChangeKind::kSplit;
  if (change.kind == ChangeKind::kRename && change.name.empty()) {
    wrong("name", {"请填写新名称。", "the new name is missing."});
  }
  if (leads && !change.successor.has_value()) {
    wrong("successor", {"请填写承接的区划代码。", "the division that takes its place is missing."});
  } else if (!leads && change.successor.has_value()) {
    wrong("successor", {"更名和撤销没有承接区划。", "a renaming or an end has no successor."});
  } else if (leads && change.successor.v % 1000000 != 0) {
    wrong("successor", {"须为六位代码。", "it has six digits."});
  } else if (leads && !table.IsKnown(change.successor) && change.name.empty()) {
    wrong("name", {"承接的区划是新设的，请填写名称。", "the successor is new: give its name."});
  } else if (change.kind == ChangeKind::kMerge && change.successor == change.code) {
    wrong("successor", {"不能并入自身。", "it cannot go into itself."});
  }
  return out;
}

Answer AddChange(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(DivisionsPtr table, DivisionsOf(c));
  const json::object& body = c.body().as_object();
  auto text = [&](const char* key) {
    const json::value* v = body.if_contains(key);
    return v == nullptr ? std::string() : std::string(v->as_string());
  };
  identity::DivisionChange change;
  change.kind = identity::ChangeKindFromName(text("kind")).value_or(ChangeKind::kRename);
  change.code = identity::ParseDivision(text("code"));
  change.name = text("name");
  change.successor = identity::ParseDivision(text("successor"));
  change.date = ParseIsoDate(text("date"));
  change.source = text("source");
  std::vector<Problem::Field> mistakes = MistakesOf(change, *table, LanguageOf(c.request()));
  if (!mistakes.empty()) {
    Problem p(422, Error{ErrorClass::kInput,
                         "CB-SERVICE-0205",
                         Text{"变更不完整或与已知区划不符。",
                              "the change is incomplete, or contradicts what is known."},
                         Text{"请改正标出的各项。", "Correct what is marked."},
                         {},
                         0,
                         0});
    p.fields = std::move(mistakes);
    return tl::unexpected(std::move(p));
  }
  auto id = reg::AddDivisionChange(*db, change, c.caller().account);
  if (!id) {
    if (id.error().code != "CB-REGISTER-1201") return tl::unexpected(Problem(id.error()));
    return Refuse(409, id.error().code, id.error().message, id.error().remedy);
  }
  json::object o = ChangeJson(change);
  o["id"] = std::to_string(*id);
  o["recorded_by"] = c.caller().account;
  c.Record({"division.change", std::nullopt, {}, json::serialize(o)});
  return Json(o, 201);
}

}  // namespace

void AddDivisionHandlers(Handlers& to) {
  to.On("listDivisions", ListDivisions);
  to.On("getDivision", GetDivision);
  to.On("listDivisionChanges", ListChanges);
  to.On("addDivisionChange", AddChange);
}

}  // namespace canbao::service
