// Exports: a list leaves the register as a file, by a job that acts as its caller. Who took what
// out, when and why stays.
#include <boost/json.hpp>
#include <map>

#include "register/row_export.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

constexpr int kListed = 200;

std::string TextOf(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

Answer StartExport(Context& c) {
  const json::object& body = c.body().as_object();
  const json::value* clear_value = body.if_contains("clear");
  const bool clear = clear_value != nullptr && clear_value->as_bool();
  if (clear && !c.caller().Can("persons.reveal")) {
    return Refuse(403, "CB-SERVICE-0460",
                  Msg("没有导出明文的权限", "you may not export clear values"),
                  Msg("请导出脱敏的名单。", "export the list masked."));
  }
  const std::string list = TextOf(body, "list");
  const std::string column = TextOf(body, "column");
  const std::string purpose = TextOf(body, "purpose");
  std::map<std::string, std::string> query;
  json::object query_json;
  if (const json::value* q = body.if_contains("query")) {
    query_json = q->as_object();
    for (const auto& [name, value] : query_json) query[name] = value.as_string();
  }
  CANBAO_ASSIGN(reg::RowFilter filter, reg::FilterOf(list, column, query));
  (void)filter;
  json::object argument;
  size_t keys = 0;
  if (const json::value* k = body.if_contains("keys"); k != nullptr && !k->as_array().empty()) {
    keys = k->as_array().size();
    argument["keys"] = *k;
  }
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Job job, StartJob(c, *db, "export", argument, std::nullopt));
  CANBAO_TRY(db->Exec(
      "INSERT INTO canbao.export (job_id, list, \"column\", query, format, clear, "
      "account_id, account, division, purpose) "
      "VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9, $10)",
      {reg::Param(job.id), reg::Param(list), reg::Param(column),
       reg::Param(json::serialize(query_json)), reg::Param(TextOf(body, "format")),
       reg::Param(clear), reg::Param(c.caller().account_id), reg::Param(c.caller().account),
       reg::Param(c.caller().division), reg::Param(purpose)}));
  c.Record({"export.start",
            {},
            purpose,
            json::serialize(json::object{{"job", job.id},
                                         {"list", list},
                                         {"column", column},
                                         {"query", query_json},
                                         {"selected", keys},
                                         {"clear", clear}})});
  return Json(JobJson(job, LanguageOf(c.request())), 202);
}

Answer ListExports(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(reg::Rows rows,
                db->Exec("SELECT e.export_id, e.job_id, e.list, e.\"column\", e.query, e.format, "
                         "e.clear, e.account, canbao.moment(e.made_at), e.purpose, e.rows, "
                         "e.watermark, j.state, canbao.moment(e.expires_at), e.removed OR "
                         "e.expires_at <= now() FROM canbao.export e "
                         "LEFT JOIN canbao.job j USING (job_id) ORDER BY e.export_id DESC LIMIT $1",
                         {reg::Param(kListed)}));
  json::array items;
  for (int i = 0; i < rows.size(); ++i) {
    auto text = [&](int column) { return json::value(std::string(rows.Text(i, column))); };
    json::object item;
    item["id"] = text(0);
    item["job"] = text(1);
    std::string list(rows.Text(i, 2));
    if (!rows.Text(i, 3).empty()) list += " " + std::string(rows.Text(i, 3));
    item["list"] = list;
    item["query"] = json::parse(rows.Text(i, 4));
    item["format"] = text(5);
    item["clear"] = rows.Bool(i, 6);
    item["by"] = text(7);
    item["at"] = text(8);
    item["purpose"] = text(9);
    item["rows"] = rows.IsNull(i, 10) ? json::value(nullptr) : json::value(rows.Int(i, 10));
    item["watermark"] = text(11);
    if (!rows.IsNull(i, 12)) item["state"] = text(12);
    item["expires_at"] = rows.IsNull(i, 13) ? json::value(nullptr) : text(13);
    item["expired"] = rows.Bool(i, 14);
    items.push_back(std::move(item));
  }
  return Json(json::object{{"items", std::move(items)}});
}

}  // namespace

void AddExportHandlers(Handlers& to) {
  to.On("startExport", StartExport);
  to.On("listExports", ListExports);
}

}  // namespace canbao::service
