// The gate between router and handlers, on a real database: who gets in, what is undone, what is
// recorded.
#include "service/gate.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <ctime>

#include "register/access/access.h"
#include "register/access/audit.h"
#include "register/access/password.h"
#include "register/access/test_session.h"
#include "register/test_data_folder.h"
#include "service/access/desk.h"

namespace canbao::service {
namespace {

using reg::InstanceOptions;
using reg::TestDataFolder;
namespace json = boost::json;

constexpr const char* kPassword = "willow by the lake";

class GateTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access((InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    folder_ = new TestDataFolder();
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = db->release();
  }
  static void TearDownTestSuite() {
    delete db_;
    delete folder_;
  }
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    ASSERT_NE(db_, nullptr);
    pool_ = std::make_unique<reg::Pool>([] { return db_->ConnectApp(); });
    services_.db = db_;
    services_.pool = pool_.get();
    services_.data_dir = folder_->path();
    services_.policy_dir = CANBAO_SOURCE_DIR "/data";
    gate_ = MakeGate(services_);
    AddSessionHandlers(handlers_);
    AddAdministrationHandlers(handlers_);
    owner_ = std::move(*db_->Connect());
  }

  Answer Run(const Route& route, Request request, const Handler& handler, json::value body = {}) {
    request.method = route.method;
    if (request.peer.empty()) request.peer = "10.0.0.1";
    return gate_->Run(route, request, body, handler).answer;
  }
  // An operation of the contract by its own handler.
  Answer Call(const char* operation, const char* permission, Method method, const Request& request,
              json::value body = {}) {
    return Run({operation, permission, method, "/"}, request, *handlers_.Find(operation),
               std::move(body));
  }
  Answer SignIn(const std::string& account, const std::string& password = kPassword,
                const std::string& totp = "", Request request = {}) {
    json::object body{{"account", account}, {"password", password}};
    if (!totp.empty()) body["totp"] = totp;
    return Call("signIn", "public", Method::kPost, request, body);
  }
  static std::string Header(const Answer& a, std::string_view name) {
    if (a) {
      for (const auto& [key, value] : a->headers) {
        if (key == name) return value;
      }
    }
    return {};
  }
  static std::string TokenOf(const Answer& a) {
    const std::string cookie = Header(a, "Set-Cookie");
    const size_t at = cookie.find('='), end = cookie.find(';');
    return at == std::string::npos ? "" : cookie.substr(at + 1, end - at - 1);
  }
  static json::object BodyOf(const Answer& a) {
    return a ? json::parse(a->body).as_object() : json::object();
  }
  static std::string CodeOf(const Answer& a) {
    return a ? std::to_string(a->status) : a.error().error.code;
  }
  static int StatusOf(const Answer& a) { return a ? a->status : a.error().status; }
  static Request As(const std::string& token, const std::string& csrf = "test") {
    Request r;
    r.headers["cookie"] = "theme=dark; canbao_session=" + token;
    if (!csrf.empty()) r.headers["x-csrf-token"] = csrf;
    return r;
  }
  std::string Token(std::vector<std::string> roles, int64_t division = 330100000000) {
    auto token = reg::TestSession(*db_, division, roles);
    EXPECT_TRUE(token) << token.error().ToString();
    return token ? *token : "";
  }
  std::string Scalar(const std::string& sql) {
    auto r = owner_->Exec(sql);
    EXPECT_TRUE(r) << r.error().ToString();
    return r && r->size() > 0 ? std::string(r->Text(0, 0)) : "";
  }
  std::string Entries(const std::string& action, const std::string& outcome) {
    return Scalar("SELECT count(*) FROM canbao.audit_entry WHERE action = '" + action +
                  "' AND outcome = '" + outcome + "'");
  }
  static Answer Fine(Context&) { return NoContent(); }

  const Route read_{"getHome", "figures.read", Method::kGet, "/home"};
  const Route write_{"stepCase", "cases.write", Method::kPost, "/cases/{id}/steps"};
  static TestDataFolder* folder_;
  static reg::Database* db_;
  std::unique_ptr<reg::Connection> owner_;
  std::unique_ptr<reg::Pool> pool_;
  Services services_;
  Handlers handlers_;
  std::unique_ptr<Gate> gate_;
};
TestDataFolder* GateTest::folder_ = nullptr;
reg::Database* GateTest::db_ = nullptr;

TEST_F(GateTest, NobodyGetsInWithoutASession) {
  EXPECT_EQ(CodeOf(Run(read_, {}, Fine)), "CB-SERVICE-0100");
  EXPECT_EQ(StatusOf(Run(read_, {}, Fine)), 401);
  EXPECT_EQ(CodeOf(Run(read_, As(std::string(64, 'a')), Fine)), "CB-SERVICE-0100");
  EXPECT_EQ(CodeOf(Run(read_, As("' OR true --"), Fine)), "CB-SERVICE-0100");
  EXPECT_EQ(CodeOf(Run(read_, As(Token({"leader"})), Fine)), "204");
  // A job's session is the database's, not a browser's.
  const std::string job = Token({"operator"}, 330500000000);
  ASSERT_TRUE(owner_->Exec("UPDATE canbao.session SET kind = 'job' WHERE token_hash = $1",
                           {reg::Param::Bytes(reg::TokenHash(job))}));
  EXPECT_EQ(CodeOf(Run(read_, As(job), Fine)), "CB-SERVICE-0100");
}

TEST_F(GateTest, ARoleWithoutThePermissionIsRefusedAndRecorded) {
  const std::string before = Entries("access.refused", "CB-SERVICE-0101");
  auto refused = Run(write_, As(Token({"leader"})), Fine);
  EXPECT_EQ(CodeOf(refused), "CB-SERVICE-0101");
  EXPECT_EQ(StatusOf(refused), 403);
  EXPECT_EQ(Entries("access.refused", "CB-SERVICE-0101"), std::to_string(std::stoi(before) + 1));
  EXPECT_EQ(CodeOf(Run(read_, As(Token({"audit_administrator"}, 0)), Fine)), "CB-SERVICE-0101");
}

TEST_F(GateTest, ChangesNeedTheTokenOfThePage) {
  const std::string token = Token({"operator"});
  EXPECT_EQ(CodeOf(Run(write_, As(token, ""), Fine)), "CB-SERVICE-0102");
  EXPECT_EQ(CodeOf(Run(write_, As(token, "tesT"), Fine)), "CB-SERVICE-0102");
  EXPECT_EQ(CodeOf(Run(write_, As(token), Fine)), "204");
  EXPECT_EQ(CodeOf(Run(read_, As(token, ""), Fine)), "204");  // reading changes nothing
}

TEST_F(GateTest, TheHandlerActsAsItsCallerAndIsUndoneWhenItRefuses) {
  const std::string token = Token({"operator"}, 330200000000);
  std::string scope;
  auto save = [&](int status) {
    return [&scope, status](Context& c) -> Answer {
      CANBAO_ASSIGN(reg::Connection * db, c.Db());
      CANBAO_ASSIGN(reg::Rows r, db->Exec("SELECT canbao.scope(), canbao.account_id()"));
      scope = r.Text(0, 0);
      EXPECT_EQ(r.Int(0, 1), c.caller().account_id);
      CANBAO_TRY(
          db->Exec("INSERT INTO canbao.saved_filter (name, list, query) VALUES ($1, 'x', '{}')",
                   {reg::Param(std::to_string(status))}));
      c.Record({"test.save", 42, "试验", R"({"n":1})"});
      if (status >= 400) return Refuse(status, "CB-SERVICE-0999", Msg("不行", "no"));
      return NoContent();
    };
  };
  EXPECT_EQ(CodeOf(Run(write_, As(token), save(204))), "204");
  EXPECT_EQ(scope, "{[330200000000,330300000000)}");
  EXPECT_EQ(CodeOf(Run(write_, As(token), save(409))), "CB-SERVICE-0999");
  EXPECT_EQ(Scalar("SELECT string_agg(name, ',') FROM canbao.saved_filter"), "204");
  // Both are in the audit: what was done, and what was tried.
  EXPECT_EQ(Entries("test.save", "ok"), "1");
  EXPECT_EQ(Entries("test.save", "CB-SERVICE-0999"), "1");
  EXPECT_EQ(
      Scalar("SELECT account || ' ' || person || ' ' || purpose || ' ' || detail || ' ' || address "
             "FROM canbao.audit_entry WHERE action = 'test.save' AND outcome = 'ok'"),
      "t-operat-330200000000 42 试验 {\"n\":1} 10.0.0.1");
  auto report = reg::VerifyAudit(*owner_, folder_->path());
  ASSERT_TRUE(report);
  for (const auto& f : report->findings) ADD_FAILURE() << f.text.Get();
}

TEST_F(GateTest, ATransactionThatFailedIsNoSuccess) {
  auto broken = [](Context& c) -> Answer {
    CANBAO_ASSIGN(reg::Connection * db, c.Db());
    (void)db->Exec("SELECT 1/0");
    return NoContent();
  };
  EXPECT_EQ(StatusOf(Run(write_, As(Token({"operator"})), broken)), 500);
}

TEST_F(GateTest, AConnectionCarriesNothingToTheNextCaller) {
  auto scope = [](std::string* to) {
    return [to](Context& c) -> Answer {
      CANBAO_ASSIGN(reg::Connection * db, c.Db());
      CANBAO_ASSIGN(reg::Rows r, db->Exec("SELECT canbao.scope()"));
      *to = r.Text(0, 0);
      return NoContent();
    };
  };
  std::string first, second;
  (void)Run(write_, As(Token({"operator"}, 330300000000)), scope(&first));
  (void)Run({"x", "public", Method::kGet, "/"}, {}, scope(&second));
  EXPECT_EQ(first, "{[330300000000,330400000000)}");
  EXPECT_EQ(second, "{}");
}

TEST_F(GateTest, SigningInGivesACookieAndEndsTheSessionBefore) {
  ASSERT_TRUE(
      reg::AddAccount(*owner_, {"yang.fan", "杨帆", {"clerk"}, 330106000000, kPassword, "t"}));
  auto in = SignIn("yang.fan");
  ASSERT_EQ(CodeOf(in), "201");
  const std::string cookie = Header(in, "Set-Cookie");
  EXPECT_NE(cookie.find("; HttpOnly"), std::string::npos);
  EXPECT_NE(cookie.find("; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(cookie.find("; Secure"), std::string::npos);
  json::object body = BodyOf(in);
  EXPECT_EQ(body["user"].at("account"), "yang.fan");
  EXPECT_EQ(body["user"].at("division"), "330106");
  EXPECT_EQ(body["user"].at("division_name"), "浙江省杭州市西湖区");
  EXPECT_EQ(body["must"], json::array{"change_password"});
  EXPECT_EQ(in->body.find(TokenOf(in)), std::string::npos);
  // A session that somebody planted in the browser is not carried over: the token is new, the old
  // one ends.
  Request again = As(TokenOf(in));
  again.tls = true;
  auto second = SignIn("yang.fan", kPassword, "", again);
  ASSERT_EQ(CodeOf(second), "201");
  EXPECT_NE(Header(second, "Set-Cookie").find("; Secure"), std::string::npos);
  EXPECT_NE(TokenOf(second), TokenOf(in));
  EXPECT_EQ(CodeOf(Call("getSession", "session", Method::kGet, As(TokenOf(in)))),
            "CB-SERVICE-0100");
  const std::string planted(64, 'f');
  auto third = SignIn("yang.fan", kPassword, "", As(planted));
  EXPECT_NE(TokenOf(third), planted);
  Request cross;
  cross.headers["sec-fetch-site"] = "cross-site";
  EXPECT_EQ(CodeOf(SignIn("yang.fan", kPassword, "", cross)), "CB-SERVICE-0106");
  EXPECT_EQ(CodeOf(SignIn("yang.fan", "wrong")), "CB-REGISTER-0910");
  EXPECT_EQ(StatusOf(SignIn("yang.fan", "wrong")), 401);
  EXPECT_EQ(Entries("session.open", "CB-REGISTER-0910"), "2");
}

TEST_F(GateTest, TheFirstPasswordIsChangedBeforeAnythingElse) {
  ASSERT_TRUE(
      reg::AddAccount(*owner_, {"lu.xun", "鲁迅", {"operator"}, 330600000000, kPassword, "t"}));
  auto in = SignIn("lu.xun");
  const std::string token = TokenOf(in);
  const std::string csrf(BodyOf(in)["csrf_token"].as_string());
  EXPECT_EQ(CodeOf(Run(read_, As(token, csrf), Fine)), "CB-SERVICE-0103");
  EXPECT_EQ(CodeOf(Run({"listJobs", "session", Method::kGet, "/jobs"}, As(token, csrf), Fine)),
            "CB-SERVICE-0103");
  json::object words{{"old", kPassword}, {"new", "1234567890"}};
  EXPECT_EQ(CodeOf(Call("changePassword", "session", Method::kPut, As(token, csrf), words)),
            "CB-REGISTER-0922");
  words["new"] = "pines on the ridge";
  EXPECT_EQ(CodeOf(Call("changePassword", "session", Method::kPut, As(token, csrf), words)), "204");
  EXPECT_EQ(CodeOf(Run(read_, As(token, csrf), Fine)), "204");
  EXPECT_EQ(BodyOf(Call("getSession", "session", Method::kGet, As(token)))["must"], json::array());
  EXPECT_EQ(CodeOf(Call("signOut", "session", Method::kDelete, As(token, csrf))), "204");
  EXPECT_EQ(CodeOf(Run(read_, As(token, csrf), Fine)), "CB-SERVICE-0100");
  EXPECT_EQ(Entries("session.close", "ok"), "1");
}

TEST_F(GateTest, AnAdministratorNeedsTheSecondFactor) {
  auto made = reg::AddAccount(*owner_,
                              {"admin.one", "管理员", {"system_administrator"}, 0, kPassword, "t"});
  ASSERT_TRUE(made);
  ASSERT_TRUE(
      owner_->Run("UPDATE canbao.account SET must_change = false WHERE account = 'admin.one'"));
  auto in = SignIn("admin.one");
  const std::string token = TokenOf(in);
  const std::string csrf(BodyOf(in)["csrf_token"].as_string());
  EXPECT_EQ(BodyOf(in)["must"], json::array{"set_up_totp"});
  const Route users{"listUsers", "users.read", Method::kGet, "/users"};
  EXPECT_EQ(CodeOf(Run(users, As(token), Fine)), "CB-SERVICE-0104");
  auto begun = Call("beginTotp", "session", Method::kPost, As(token, csrf));
  ASSERT_EQ(CodeOf(begun), "200");
  // The secret as an app would read it.
  std::string secret;
  uint32_t held = 0;
  int bits = 0;
  for (char c : json::value_to<std::string>(BodyOf(begun)["secret"])) {
    held = held << 5 | static_cast<uint32_t>(c >= 'A' ? c - 'A' : c - '2' + 26);
    bits += 5;
    if (bits >= 8) secret += static_cast<char>(held >> (bits -= 8));
  }
  const int64_t step = static_cast<int64_t>(std::time(nullptr)) / 30;
  EXPECT_EQ(CodeOf(Call("confirmTotp", "session", Method::kPut, As(token, csrf),
                        json::object{{"code", reg::TotpCode(secret, step)}})),
            "204");
  EXPECT_EQ(CodeOf(Run(users, As(token), Fine)), "204");
  EXPECT_EQ(CodeOf(SignIn("admin.one")), "CB-REGISTER-0912");
  EXPECT_EQ(CodeOf(SignIn("admin.one", kPassword, reg::TotpCode(secret, step))),
            "CB-REGISTER-0910");
  EXPECT_EQ(CodeOf(SignIn("admin.one", kPassword, reg::TotpCode(secret, step + 1))), "201");
}

TEST_F(GateTest, AccountsAreMadeByOneAdministratorAndGrantedByAnother) {
  const std::string system = Token({"system_administrator"}, 330000000000);
  const std::string security = Token({"security_administrator"}, 330000000000);
  json::object wanted{{"account", "ma.ke"},
                      {"name", "马可"},
                      {"roles", json::array{"clerk"}},
                      {"division", "330106"}};
  EXPECT_EQ(StatusOf(Call("addUser", "users.write", Method::kPost, As(security), wanted)), 403);
  auto made = Call("addUser", "users.write", Method::kPost, As(system), wanted);
  ASSERT_EQ(CodeOf(made), "201");
  json::object user = BodyOf(made)["user"].as_object();
  const std::string password(BodyOf(made)["password"].as_string());
  EXPECT_EQ(user["waiting"], true);
  EXPECT_EQ(CodeOf(SignIn("ma.ke", password)), "CB-REGISTER-0910");
  EXPECT_EQ(StatusOf(Call("addUser", "users.write", Method::kPost, As(system), wanted)), 409);
  Request change = As(security);
  change.params["id"] = std::string(user["id"].as_string());
  auto granted =
      Call("changeUser", "users.write", Method::kPatch, change, json::object{{"disabled", false}});
  ASSERT_EQ(CodeOf(granted), "200");
  EXPECT_EQ(BodyOf(granted)["waiting"], false);
  EXPECT_EQ(CodeOf(SignIn("ma.ke", password)), "201");
  auto mixed = Call("changeUser", "users.write", Method::kPatch, change,
                    json::object{{"roles", json::array{"clerk", "audit_administrator"}}});
  EXPECT_EQ(CodeOf(mixed), "CB-REGISTER-0932");
  change.params["id"] = "999999999";
  EXPECT_EQ(StatusOf(Call("changeUser", "users.write", Method::kPatch, change,
                          json::object{{"disabled", true}})),
            404);
  // The password is in no audit.
  EXPECT_EQ(
      Scalar("SELECT count(*) FROM canbao.audit_entry WHERE detail LIKE '%" + password + "%'"),
      "0");
  EXPECT_EQ(Entries("account.add", "ok"), "1");
  auto listed = Call("listUsers", "users.read", Method::kGet, As(system));
  EXPECT_NE(listed->body.find("ma.ke"), std::string::npos);
  EXPECT_EQ(listed->body.find("argon2"), std::string::npos);
}

TEST_F(GateTest, TheAuditorSearchesAndVerifies) {
  const std::string auditor = Token({"audit_administrator"}, 0);
  Request r = As(auditor);
  r.query["limit"] = "2";
  auto page = Call("searchAudit", "audit.read", Method::kGet, r);
  ASSERT_EQ(CodeOf(page), "200") << page.error().error.ToString();
  auto verified = Call("verifyAudit", "audit.read", Method::kPost, r);
  ASSERT_EQ(CodeOf(verified), "200") << verified.error().error.ToString();
  EXPECT_EQ(BodyOf(verified)["ok"], true) << verified->body;
  r.query["after"] = "nonsense";
  EXPECT_EQ(StatusOf(Call("searchAudit", "audit.read", Method::kGet, r)), 400);
}

TEST_F(GateTest, TheServiceSealsTheAuditWhenItStops) {
  EXPECT_EQ(CodeOf(Run(write_, As(Token({"leader"})), Fine)), "CB-SERVICE-0101");
  gate_.reset();
  EXPECT_EQ(Scalar("SELECT count(*) FROM canbao.audit_heads()"), "0");
}

TEST_F(GateTest, EventsEndWithTheirSession) {
  const std::string token = Token({"operator"});
  auto watch = [](Context&) -> Answer {
    Response r;
    r.events = [] { return std::optional<std::string>("x"); };
    return r;
  };
  auto answer = Run(read_, As(token), watch);
  ASSERT_TRUE(answer && answer->events);
  EXPECT_EQ(answer->events(), "x");
}

}  // namespace
}  // namespace canbao::service
