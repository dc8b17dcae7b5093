// Lists, the people behind a figure, saved filters.
#include <boost/json.hpp>

#include "base/digest.h"
#include "base/speak_lang.h"
#include "identity/division.h"
#include "register/scoped_list.h"
#include "scheme/person.h"
#include "service/api/divisions_known.h"
#include "service/api/table_json.h"
#include "service/context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

// A column's name in the contract: "7", "not_yet_verified"; -1 for what is none.
int ColumnOf(std::string_view text, int from, int to) {
  if (text == "not_yet_verified") return scheme::kNotYetVerified;
  int64_t n = NumberOf(text, -1);
  return n >= from && n <= to && std::to_string(n) == text ? static_cast<int>(n) : -1;
}

tl::unexpected<Problem> BadColumn(std::string_view text) {
  return Refuse(400, "CB-SERVICE-0302",
                Msg("没有这一栏：{0}", "there is no such column: {0}", text),
                Msg("请使用表中的栏号。", "Use a column of the form."));
}

// What a list and the people of a figure have in common.
tl::expected<reg::PageRequest, Problem> RequestOf(Context& c) {
  const Request& r = c.request();
  reg::PageRequest request;
  auto division = DivisionWithin(c.caller(), r.Query("division"));
  if (!division) return tl::unexpected<Problem>(division.error());
  request.filter.division = *division;
  if (!r.Query("cutoff").empty()) request.filter.cutoff = ParseIsoDate(r.Query("cutoff"));
  request.after = r.Query("after");
  request.before = r.Query("before");
  request.page = NumberOf(r.Query("page"), 0);
  request.limit = static_cast<int>(NumberOf(r.Query("limit"), 50));
  if (!request.after.empty() && !request.before.empty()) {
    return Refuse(400, "CB-SERVICE-0303",
                  Msg("after 与 before 不能同时给出。", "after and before exclude each other."));
  }
  return request;
}

Result<reg::TablePage> PageOf(Context& c, const reg::PageRequest& request) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  SpeakLang speak(LanguageOf(c.request()));
  CANBAO_ASSIGN(reg::TablePage page, reg::ReadPage(*db, c.services().db->cipher(), request));
  return page;
}

// The page with the names of the divisions in it, those of relations ("310@330100:contributing;…")
// among them.
Result<json::object> NamedPage(Context& c, const reg::PageRequest& request,
                               const reg::TablePage& page) {
  json::object out = PageJson(page);
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  json::object names;
  auto add = [&](std::string_view code) {
    if (code.empty() || names.contains(code)) return;
    const json::value name =
        NameOrNull(*divisions, identity::ParseDivision(code).v, request.filter.cutoff);
    if (name.is_string()) names[code] = name;
  };
  for (size_t i = 0; i < page.columns.size(); ++i) {
    const bool relations = page.columns[i].key == "relations";
    if (!relations && page.columns[i].kind != reg::CellKind::kDivision) continue;
    for (const std::vector<std::string>& row : page.rows) {
      const std::string_view cell = row[i];
      if (!relations) add(cell);
      for (size_t at = cell.find('@'); relations && at != cell.npos; at = cell.find('@', at + 1)) {
        add(cell.substr(at + 1, 6));
      }
    }
  }
  out["names"] = std::move(names);
  return out;
}

// The same page asked for again is not sent again.
Answer Tagged(const Context& c, json::object page) {
  Response answer = Json(page);
  std::string tag = "\"" + Sha256Hex(answer.body).substr(0, 24) + "\"";
  if (c.request().Header("if-none-match") == tag) {
    Response same;
    same.status = 304;
    return std::move(same.With("ETag", tag));
  }
  return std::move(answer.With("ETag", tag));
}

reg::ListKind ListOf(std::string_view name) {
  if (name == "uncovered") return reg::ListKind::kUncovered;
  if (name == "duplicates") return reg::ListKind::kDuplicates;
  if (name == "discrepancies") return reg::ListKind::kDiscrepancies;
  if (name == "conflicts") return reg::ListKind::kConflicts;
  if (name == "rejects") return reg::ListKind::kRejects;
  return reg::ListKind::kToVerify;
}

// Which rows were shown, without a value that tells who somebody is.
std::string DetailOf(const Request& r, std::string_view what, const reg::TablePage& page) {
  json::object detail{{"list", what}, {"rows", page.rows.size()}};
  for (const char* name : {"column", "population", "division", "branch", "number", "age_from",
                           "age_to", "scheme", "group", "cutoff", "page"}) {
    if (!r.Query(name).empty()) detail[name] = r.Query(name);
  }
  if (page.first) detail["first"] = *page.first;
  return json::serialize(detail);
}

Answer GetList(Context& c) {
  const Request& r = c.request();
  auto request = RequestOf(c);
  if (!request) return tl::unexpected<Problem>(request.error());
  reg::RowFilter& f = request->filter;
  f.list = ListOf(r.Param("list"));
  f.branch = BranchOf(r.Query("branch"));
  f.number = static_cast<int>(NumberOf(r.Query("number"), 0));
  f.age_from = static_cast<int>(NumberOf(r.Query("age_from"), -1));
  f.age_to = static_cast<int>(NumberOf(r.Query("age_to"), -1));
  f.scheme = static_cast<int>(NumberOf(r.Query("scheme"), 0));
  if (!r.Query("group").empty()) {
    f.group = ColumnOf(r.Query("group"), 1, 26);
    if (f.group < 0) return BadColumn(r.Query("group"));
  }
  CANBAO_ASSIGN(reg::TablePage page, PageOf(c, *request));
  c.Record({"list.read", {}, "", DetailOf(r, r.Param("list"), page)});
  CANBAO_ASSIGN(json::object named, NamedPage(c, *request, page));
  return Tagged(c, std::move(named));
}

Answer GetFormPeople(Context& c) {
  const Request& r = c.request();
  auto request = RequestOf(c);
  if (!request) return tl::unexpected<Problem>(request.error());
  reg::RowFilter& f = request->filter;
  std::string_view form = r.Param("form");
  if (form == "1") {
    return Refuse(
        404, "CB-SERVICE-0304",
        Msg("表1 的数字背后没有人员名单。", "no people stand behind the figures of form 1."));
  }
  f.form = form == "2-1" ? 21 : 22;
  f.column = ColumnOf(r.Query("column"), 1, f.form == 21 ? 25 : 26);
  if (f.column < 0 || (f.form == 21 && f.column > 25)) return BadColumn(r.Query("column"));
  f.hukou = r.Query("population") == "hukou";
  CANBAO_ASSIGN(reg::TablePage page, PageOf(c, *request));
  c.Record({"list.read", {}, "", DetailOf(r, fmt::format("form-{}", form), page)});
  CANBAO_ASSIGN(json::object named, NamedPage(c, *request, page));
  return Json(std::move(named));
}

json::object FilterJson(const reg::Rows& rows, int i) {
  return {{"id", rows.Text(i, 0)},
          {"name", rows.Text(i, 1)},
          {"list", rows.Text(i, 2)},
          {"query", json::parse(rows.Text(i, 3))}};
}

constexpr char kFilterColumns[] = "filter_id, name, list, query::text";

Answer ListSavedFilters(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Rows rows, db->Exec(fmt::format("SELECT {} FROM canbao.saved_filter WHERE "
                                                     "account_id = $1 ORDER BY list, name",
                                                     kFilterColumns),
                                         {reg::Param(c.caller().account_id)}));
  json::array items;
  for (int i = 0; i < rows.size(); ++i) items.push_back(FilterJson(rows, i));
  return Json(json::object{{"items", std::move(items)}});
}

// One of the same name is replaced.
Answer SaveFilter(Context& c) {
  constexpr int64_t kMostFilters = 200;
  const json::object& body = c.body().as_object();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Rows have, db->Exec("SELECT count(*) FROM canbao.saved_filter"));
  if (have.Int(0, 0) >= kMostFilters) {
    return Refuse(409, "CB-SERVICE-0305",
                  Msg("最多保存 {0} 个筛选。", "at most {0} filters are kept.", kMostFilters),
                  Msg("请先删除不用的。", "Delete some first."));
  }
  CANBAO_ASSIGN(
      reg::Rows rows,
      db->Exec(
          fmt::format("INSERT INTO canbao.saved_filter (account_id, name, list, query) "
                      "VALUES ($1, $2, $3, $4::text::jsonb) ON CONFLICT (account_id, "
                      "name) DO UPDATE SET list = excluded.list, query = "
                      "excluded.query RETURNING {}",
                      kFilterColumns),
          {reg::Param(c.caller().account_id), reg::Param(std::string(body.at("name").as_string())),
           reg::Param(std::string(body.at("list").as_string())),
           reg::Param(json::serialize(body.at("query")))}));
  c.Record({"filter.save", {}, "", "{}"});
  return Json(FilterJson(rows, 0), 201);
}

Answer DeleteFilter(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Rows rows,
                db->Exec("DELETE FROM canbao.saved_filter WHERE filter_id = $1 AND account_id = $2",
                         {reg::Param(NumberOf(c.request().Param("id"), 0)),
                          reg::Param(c.caller().account_id)}));
  if (rows.affected() == 0) {
    return Refuse(404, "CB-SERVICE-0306", Msg("没有这个筛选。", "there is no such filter."));
  }
  c.Record({"filter.delete", {}, "", "{}"});
  return NoContent();
}

}  // namespace

void AddListHandlers(Handlers& to) {
  to.On("getList", GetList);
  to.On("getFormPeople", GetFormPeople);
  to.On("listSavedFilters", ListSavedFilters);
  to.On("saveFilter", SaveFilter);
  to.On("deleteFilter", DeleteFilter);
}

}  // namespace canbao::service
