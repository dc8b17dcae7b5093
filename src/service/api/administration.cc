// Administration: accounts, roles, the audit.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "register/access/access.h"
#include "register/access/audit.h"
#include "register/access/roles.h"
#include "service/access/user_json.h"
#include "service/api/audit_action.h"
#include "service/context.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

int64_t PathId(const Context& c) {
  const std::string_view text = c.request().Param("id");
  int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

tl::unexpected<Problem> Refused(Error& error) {
  return tl::unexpected<Problem>(AccessProblem(std::move(error)));
}

json::object TextJson(const Text& t) { return {{"zh", t.zh}, {"en", t.en}}; }

std::vector<std::string> RolesOf(const json::value& v) {
  return json::value_to<std::vector<std::string>>(v);
}

// What a note says of an account: which, and what became of it; no password.
std::string AccountDetail(const std::string& account, json::object more = {}) {
  more["account"] = account;
  return json::serialize(more);
}

Answer ListUsers(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::vector<reg::UserAccount> rows, reg::Accounts(*db));
  json::array items;
  for (const reg::UserAccount& a : rows) items.push_back(UserJson(c.services(), a));
  return Json(json::object{{"items", std::move(items)}});
}

Answer AddUser(Context& c) {
  const json::object& body = c.body().get_object();
  reg::NewAccount wanted;
  wanted.account = json::value_to<std::string>(body.at("account"));
  wanted.name = json::value_to<std::string>(body.at("name"));
  wanted.roles = RolesOf(body.at("roles"));
  wanted.division = DivisionOfText(body.at("division").as_string());
  wanted.made_by = c.caller().account;
  c.Record({"account.add",
            {},
            "",
            AccountDetail(wanted.account,
                          {{"roles", body.at("roles")}, {"division", body.at("division")}})});
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto made = reg::AddAccount(*db, wanted);
  if (!made) return Refused(made.error());
  auto row = reg::FindAccount(*db, made->account_id);
  if (!row) return Refused(row.error());
  return Json(json::object{{"user", UserJson(c.services(), *row)}, {"password", made->password}},
              201)
      .With("Cache-Control", "no-store");
}

Answer ChangeUser(Context& c) {
  const json::object& body = c.body().get_object();
  reg::AccountChange change;
  if (const json::value* v = body.if_contains("name")) {
    change.name = json::value_to<std::string>(*v);
  }
  if (const json::value* v = body.if_contains("roles")) change.roles = RolesOf(*v);
  if (const json::value* v = body.if_contains("division")) {
    change.division = DivisionOfText(v->as_string());
  }
  if (const json::value* v = body.if_contains("disabled")) change.disabled = v->as_bool();
  if (const json::value* v = body.if_contains("unlock")) change.unlock = v->as_bool();
  if (const json::value* v = body.if_contains("reset_totp")) change.reset_totp = v->as_bool();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto before = reg::FindAccount(*db, PathId(c));
  if (!before) return Refused(before.error());
  json::object what = body;
  what.erase("name");
  if (change.name) what["renamed"] = true;
  c.Record({"account.change", {}, "", AccountDetail(before->account, std::move(what))});
  if (auto s = reg::ChangeAccount(*db, before->account_id, change); !s) return Refused(s.error());
  auto row = reg::FindAccount(*db, before->account_id);
  if (!row) return Refused(row.error());
  return Json(UserJson(c.services(), *row));
}

Answer ResetUserPassword(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto account = reg::FindAccount(*db, PathId(c));
  if (!account) return Refused(account.error());
  c.Record({"account.reset_password", {}, "", AccountDetail(account->account)});
  auto password = reg::ResetPassword(*db, account->account_id);
  if (!password) return Refused(password.error());
  return Json(json::object{{"password", *password}}).With("Cache-Control", "no-store");
}

Answer ListRoles(Context&) {
  CANBAO_ASSIGN(reg::RolePolicy policy, reg::ParseRoles(reg::CompiledRoles()));
  json::array items;
  for (const reg::Role& r : policy.roles) {
    json::array may;
    for (const std::string& p : r.may) may.emplace_back(p);
    items.push_back(json::object{
        {"role", r.name}, {"label", TextJson(r.label)}, {"permissions", std::move(may)}});
  }
  return Json(json::object{{"items", std::move(items)}});
}

Answer SearchAudit(Context& c) {
  const Request& r = c.request();
  reg::AuditQuery q;
  q.account = r.Query("account");
  q.action = r.Query("action");
  if (std::string_view person = r.Query("person"); !person.empty()) {
    int64_t key = 0;
    std::from_chars(person.data(), person.data() + person.size(), key);
    q.person = key;
  }
  q.from = r.Query("from");
  q.to = r.Query("to");
  q.after = r.Query("after");
  std::string_view limit = r.Query("limit");
  std::from_chars(limit.data(), limit.data() + limit.size(), q.limit);
  c.Record({"audit.search",
            q.person ? std::optional(static_cast<uint64_t>(*q.person)) : std::nullopt, "",
            json::serialize(json::object{{"account", q.account}, {"action", q.action}})});
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto page = reg::SearchAudit(*db, q);
  if (!page) return Refused(page.error());
  json::array items;
  for (const reg::AuditRow& row : page->rows) {
    json::object item{{"id", row.id},           {"at", row.at},
                      {"account", row.account}, {"name", row.name},
                      {"action", row.action},   {"label", TextJson(ActionLabel(row.action))},
                      {"detail", row.detail},   {"address", row.address},
                      {"outcome", row.outcome}};
    item["person"] = row.person ? json::value(std::to_string(*row.person)) : json::value(nullptr);
    item["purpose"] = row.purpose.empty() ? json::value(nullptr) : json::value(row.purpose);
    items.push_back(std::move(item));
  }
  return Json(
      json::object{{"items", std::move(items)},
                   {"next", page->next.empty() ? json::value(nullptr) : json::value(page->next)}});
}

Answer VerifyAudit(Context& c) {
  CANBAO_ASSIGN(auto app, c.services().db->ConnectApp());
  CANBAO_TRY(
      app->Exec("SELECT set_config('canbao.session', $1, false)", {reg::Param(c.caller().token)}));
  CANBAO_ASSIGN(reg::AuditReport report, reg::VerifyAudit(*app, c.services().data_dir));
  json::array findings;
  for (const reg::AuditFinding& f : report.findings) {
    findings.emplace_back(f.text.In(LanguageOf(c.request())));
  }
  c.Record({"audit.verify",
            {},
            "",
            json::serialize(json::object{{"ok", report.ok()},
                                         {"entries", report.entries},
                                         {"findings", report.findings.size()}})});
  return Json(json::object{{"ok", report.ok()},
                           {"entries", report.entries},
                           {"roots", report.roots},
                           {"findings", std::move(findings)}});
}

}  // namespace

void AddAdministrationHandlers(Handlers& to) {
  to.On("listUsers", ListUsers);
  to.On("addUser", AddUser);
  to.On("changeUser", ChangeUser);
  to.On("resetPassword", ResetUserPassword);
  to.On("listRoles", ListRoles);
  to.On("searchAudit", SearchAudit);
  to.On("verifyAudit", VerifyAudit);
}

}  // namespace canbao::service
