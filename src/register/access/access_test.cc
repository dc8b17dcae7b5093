// Accounts, sessions and what the database's two roles may do with them, on a real server.
#include "register/access/access.h"

#include <gtest/gtest.h>

#include <ctime>

#include "register/access/password.h"
#include "register/access/roles.h"
#include "register/access/session_token.h"
#include "register/access/test_session.h"
#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {

constexpr const char* kGood = "willow by the lake";

class AccessTest : public ::testing::Test {
 protected:
  // One server for all tests of the suite: each makes accounts of its own.
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
    db_ = nullptr;
    folder_ = nullptr;
  }
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    ASSERT_NE(db_, nullptr);
    auto owner = db_->Connect();
    auto access = db_->ConnectAccess();
    auto app = db_->ConnectApp();
    ASSERT_TRUE(owner && access && app);
    owner_ = std::move(*owner);
    access_ = std::move(*access);
    app_ = std::move(*app);
    authenticator_ = std::make_unique<Authenticator>(db_->cipher());
  }

  int64_t Make(const std::string& account, std::vector<std::string> roles = {"operator"},
               int64_t division = 330100000000) {
    auto made = AddAccount(*owner_, {account, "某人", std::move(roles), division, kGood, "test"});
    EXPECT_TRUE(made) << made.error().ToString();
    return made ? made->account_id : 0;
  }
  void Sql(const std::string& sql) {
    auto s = owner_->Run(sql);
    ASSERT_TRUE(s) << s.error().ToString();
  }
  std::string Count(const std::string& sql) {
    auto r = owner_->Exec(sql);
    return r && r->size() > 0 ? std::string(r->Text(0, 0)) : std::string("?");
  }
  Result<SignedIn> SignIn(const std::string& account, const std::string& password = kGood,
                          const std::string& totp = "") {
    return authenticator_->SignIn(*access_, {account, password, totp, "10.1.2.3", "test"});
  }
  static std::string CodeOf(const Result<SignedIn>& r) { return r ? "ok" : r.error().code; }
  std::optional<SessionInfo> Who(const std::string& token) {
    auto s = Recognise(*access_, token);
    EXPECT_TRUE(s) << s.error().ToString();
    return s ? *s : std::nullopt;
  }
  // canbao_app in the session.
  std::unique_ptr<Connection> App(const std::string& token) {
    auto c = ConnectSession(*db_, token);
    EXPECT_TRUE(c);
    return std::move(*c);
  }
  std::string Scope(Connection& c, const char* function = "scope") {
    auto r = c.Exec(std::string("SELECT canbao.") + function + "()");
    EXPECT_TRUE(r) << r.error().ToString();
    return r ? std::string(r->Text(0, 0)) : "";
  }

  static TestDataFolder* folder_;
  static Database* db_;
  std::unique_ptr<Connection> owner_, access_, app_;
  std::unique_ptr<Authenticator> authenticator_;
};
TestDataFolder* AccessTest::folder_ = nullptr;
Database* AccessTest::db_ = nullptr;

TEST_F(AccessTest, SigningInMakesASessionOfTheRolesAndTheDivision) {
  Make("li.na", {"operator", "reviewer"});
  auto in = SignIn("li.na");
  ASSERT_TRUE(in) << in.error().ToString();
  EXPECT_EQ(in->token.size(), 64u);
  auto who = Who(in->token);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->account, "li.na");
  EXPECT_EQ(who->division, 330100000000);
  EXPECT_EQ(who->roles, (std::vector<std::string>{"operator", "reviewer"}));
  EXPECT_TRUE(who->must_change_password);
  EXPECT_FALSE(who->must_set_up_totp());
  EXPECT_NE(std::find(who->permissions.begin(), who->permissions.end(), "cases.approve"),
            who->permissions.end());
  EXPECT_EQ(std::find(who->permissions.begin(), who->permissions.end(), "audit.read"),
            who->permissions.end());
  // The token itself is nowhere in the database.
  EXPECT_EQ(
      Count("SELECT count(*) FROM canbao.session WHERE session::text LIKE '%" + in->token + "%'"),
      "0");
  EXPECT_FALSE(Who(std::string(64, '0')));
  EXPECT_FALSE(Who("'; DROP TABLE canbao.session; --"));
}

TEST_F(AccessTest, WhatIsWrongIsNotSaid) {
  Make("sun.li");
  EXPECT_EQ(CodeOf(SignIn("sun.li", "wrong password")), "CB-REGISTER-0910");
  EXPECT_EQ(CodeOf(SignIn("nobody.at.all", kGood)), "CB-REGISTER-0910");
  Sql("UPDATE canbao.account SET disabled = true WHERE account = 'sun.li'");
  EXPECT_EQ(CodeOf(SignIn("sun.li")), "CB-REGISTER-0910");
}

TEST_F(AccessTest, FiveFailuresLockAndTheLockDoubles) {
  Make("wu.lei");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(CodeOf(SignIn("wu.lei", "wrong")), "CB-REGISTER-0910") << i;
  EXPECT_EQ(CodeOf(SignIn("wu.lei")), "CB-REGISTER-0911");  // right, but too late
  auto minutes = [&] {
    return Count(
        "SELECT round(extract(epoch FROM locked_until - now()) / 60) FROM canbao.account "
        "WHERE account = 'wu.lei'");
  };
  EXPECT_EQ(minutes(), "15");
  Sql("UPDATE canbao.account SET locked_until = now() - interval '1 second' WHERE account = "
      "'wu.lei'");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(CodeOf(SignIn("wu.lei", "wrong")), "CB-REGISTER-0910") << i;
  EXPECT_EQ(minutes(), "30");
  // Being right ends it all.
  Sql("UPDATE canbao.account SET locked_until = now() - interval '1 second' WHERE account = "
      "'wu.lei'");
  EXPECT_EQ(CodeOf(SignIn("wu.lei")), "ok");
  EXPECT_EQ(Count("SELECT failures + lockouts FROM canbao.account WHERE account = 'wu.lei'"), "0");
  // The fifth attempt may be the right one.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(CodeOf(SignIn("wu.lei", "wrong")), "CB-REGISTER-0910");
  EXPECT_EQ(CodeOf(SignIn("wu.lei")), "ok");
}

TEST_F(AccessTest, AccountsThatDoNotExistAreLockedAlike) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(CodeOf(SignIn("ghost", "wrong")), "CB-REGISTER-0910") << i;
  EXPECT_EQ(CodeOf(SignIn("ghost", "wrong")), "CB-REGISTER-0911");
}

TEST_F(AccessTest, ACodeOfTheSecondFactorCountsOnce) {
  Make("zhou.an", {"system_administrator"});
  auto first = SignIn("zhou.an");
  ASSERT_TRUE(first);
  auto who = Who(first->token);
  ASSERT_TRUE(who);
  EXPECT_TRUE(who->must_set_up_totp());
  auto secret = authenticator_->BeginTotp(*access_, *who);
  ASSERT_TRUE(secret);
  const int64_t step = static_cast<int64_t>(std::time(nullptr)) / kTotpSeconds;
  EXPECT_EQ(authenticator_->ConfirmTotp(*access_, *who, "000000").error().code, "CB-REGISTER-0913");
  ASSERT_TRUE(authenticator_->ConfirmTotp(*access_, *who, TotpCode(*secret, step)));
  EXPECT_FALSE(Who(first->token)->must_set_up_totp());
  EXPECT_EQ(CodeOf(SignIn("zhou.an")), "CB-REGISTER-0912");
  EXPECT_EQ(CodeOf(SignIn("zhou.an", "wrong")), "CB-REGISTER-0910");  // no word of the factor
  // The code that confirmed has been used; the next step's is good, once.
  EXPECT_EQ(CodeOf(SignIn("zhou.an", kGood, TotpCode(*secret, step))), "CB-REGISTER-0910");
  Sql("UPDATE canbao.account SET failures = 0 WHERE account = 'zhou.an'");
  const std::string next = TotpCode(*secret, step + 1);
  EXPECT_EQ(CodeOf(SignIn("zhou.an", kGood, next)), "ok");
  EXPECT_EQ(CodeOf(SignIn("zhou.an", kGood, next)), "CB-REGISTER-0910");
  // The secret is sealed.
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.account WHERE totp = '\\x" + ToHex(*secret) + "'"),
            "0");
}

TEST_F(AccessTest, SessionsEndByThemselves) {
  Make("qian.yi");
  auto in = SignIn("qian.yi");
  ASSERT_TRUE(in);
  const std::string id = std::to_string(in->session_id);
  EXPECT_TRUE(Who(in->token));
  Sql("UPDATE canbao.session SET idle_until = now() - interval '1 second' WHERE session_id = " +
      id);
  EXPECT_FALSE(Who(in->token));  // and is not woken by asking
  EXPECT_EQ(Scope(*App(in->token)), "{}");
  in = SignIn("qian.yi");
  ASSERT_TRUE(in);
  Sql("UPDATE canbao.session SET expires_at = now() WHERE session_id = " +
      std::to_string(in->session_id));
  EXPECT_FALSE(Who(in->token));
  // Being seen moves the first limit, never the second.
  in = SignIn("qian.yi");
  Sql("UPDATE canbao.session SET last_seen_at = now() - interval '5 minutes', "
      "idle_until = now() + interval '1 minute' WHERE session_id = " +
      std::to_string(in->session_id));
  EXPECT_TRUE(Who(in->token));
  EXPECT_EQ(Count("SELECT idle_until > now() + interval '29 minutes' AND "
                  "expires_at < now() + interval '12 hours 1 second' FROM canbao.session "
                  "WHERE session_id = " +
                  std::to_string(in->session_id)),
            "t");
}

TEST_F(AccessTest, AtMostFiveSessionsTheOldestEnds) {
  Make("feng.shan");
  std::vector<std::string> tokens;
  for (int i = 0; i < 6; ++i) {
    auto in = SignIn("feng.shan");
    ASSERT_TRUE(in);
    tokens.push_back(in->token);
  }
  EXPECT_FALSE(Who(tokens[0]));
  for (size_t i = 1; i < 6; ++i) EXPECT_TRUE(Who(tokens[i])) << i;
  auto own = OwnSessions(*App(tokens[5]));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->size(), 5u);
  EXPECT_TRUE((*own)[0].current);
  EXPECT_EQ((*own)[0].address, "10.1.2.3");
  // Only one's own can be ended.
  Make("chen.mo");
  auto other = SignIn("chen.mo");
  ASSERT_TRUE(other);
  auto ended = EndSession(*access_, Who(tokens[5])->account_id, other->session_id);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(*ended);
  EXPECT_TRUE(Who(other->token));
}

TEST_F(AccessTest, ANewPasswordEndsTheOtherSessions) {
  Make("he.jing");
  auto one = SignIn("he.jing"), two = SignIn("he.jing");
  ASSERT_TRUE(one && two);
  auto who = Who(two->token);
  EXPECT_EQ(
      authenticator_->ChangePassword(*access_, *who, "wrong", "another good one").error().code,
      "CB-REGISTER-0914");
  EXPECT_EQ(authenticator_->ChangePassword(*access_, *who, kGood, "short").error().code,
            "CB-REGISTER-0920");
  EXPECT_EQ(authenticator_->ChangePassword(*access_, *who, kGood, kGood).error().code,
            "CB-REGISTER-0924");
  EXPECT_EQ(Scope(*App(two->token)), "{}");  // nothing is seen before
  ASSERT_TRUE(authenticator_->ChangePassword(*access_, *who, kGood, "another good one"));
  EXPECT_FALSE(Who(one->token));
  ASSERT_TRUE(Who(two->token));
  EXPECT_FALSE(Who(two->token)->must_change_password);
  EXPECT_EQ(Scope(*App(two->token)), "{[330100000000,330200000000)}");
  EXPECT_EQ(CodeOf(SignIn("he.jing")), "CB-REGISTER-0910");
  EXPECT_EQ(CodeOf(SignIn("he.jing", "another good one")), "ok");
}

TEST_F(AccessTest, ScopeFollowsRoleAndDivision) {
  struct Case {
    std::vector<std::string> roles;
    int64_t division;
    const char* persons;
    const char* figures;
  };
  const Case cases[] = {
      {{"operator"},
       330106000000,
       "{[330106000000,330107000000)}",
       "{[330106000000,330107000000)}"},
      {{"clerk"}, 330106001000, "{[330106001000,330106002000)}", "{[330106001000,330106002000)}"},
      {{"surveyor"},
       330106001001,
       "{[330106001001,330106001002)}",
       "{[330106001001,330106001002)}"},
      {{"reviewer"},
       330000000000,
       "{[0,1),[330000000000,340000000000)}",
       "{[0,1),[330000000000,340000000000)}"},
      {{"operator"}, 0, "{[0,1000000000000)}", "{[0,1000000000000)}"},
      {{"leader"}, 330100000000, "{}", "{[330100000000,330200000000)}"},
      {{"liaison"}, 330100000000, "{}", "{[330100000000,330200000000)}"},
      {{"system_administrator"}, 0, "{}", "{}"},
      {{"security_administrator"}, 0, "{}", "{}"},
      {{"audit_administrator"}, 0, "{}", "{}"},
  };
  // Whose province the register is, a run says.
  auto owner = db_->Connect();
  ASSERT_TRUE(owner);
  ASSERT_TRUE((*owner)->Run(
      "INSERT INTO canbao.run (name, province, cutoff, made_at, rules, content_digest, "
      "result_digest, persons, highest_key, manifest) "
      "VALUES ('r', 330000, '2017-09-30', '', '', '', '', 0, 0, '{}')"));
  for (const Case& c : cases) {
    auto token = TestSession(*db_, c.division, c.roles);
    ASSERT_TRUE(token) << token.error().ToString();
    auto app = App(*token);
    EXPECT_EQ(Scope(*app), c.persons) << c.roles[0];
    EXPECT_EQ(Scope(*app, "figure_scope"), c.figures) << c.roles[0];
  }
  EXPECT_EQ(Scope(*app_), "{}");
  ASSERT_TRUE(app_->Run("SET canbao.session = 'guessed'"));
  EXPECT_EQ(Scope(*app_), "{}");
  // The old setting opens nothing.
  ASSERT_TRUE(app_->Run("SET canbao.scope = '{[0,1000000000000)}'"));
  EXPECT_EQ(Scope(*app_), "{}");
}

TEST_F(AccessTest, ADisabledAccountSeesNothingAtOnce) {
  auto token = TestSession(*db_, 330200000000, {"clerk", "operator"});
  ASSERT_TRUE(token);
  auto app = App(*token);
  EXPECT_EQ(Scope(*app), "{[330200000000,330300000000)}");
  Sql("UPDATE canbao.account SET disabled = true WHERE account_id = (SELECT account_id FROM "
      "canbao.session ORDER BY session_id DESC LIMIT 1)");
  EXPECT_EQ(Scope(*app), "{}");
}

TEST_F(AccessTest, RolesThatExcludeEachOtherAreRefused) {
  const std::vector<std::vector<std::string>> wrong = {
      {"system_administrator", "security_administrator"},
      {"security_administrator", "audit_administrator"},
      {"audit_administrator", "operator"},
      {"leader", "system_administrator"},
      {"no_such_role"},
      {}};
  for (const auto& roles : wrong) {
    auto made = AddAccount(*owner_, {"mixed", "某人", roles, 0, kGood, "test"});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, "CB-REGISTER-0932");
  }
  // The table refuses it too, and persons for administrators, whoever asks.
  EXPECT_FALSE(
      owner_->Exec("INSERT INTO canbao.account (account, name, roles, division) VALUES "
                   "('mixed', 'x', ARRAY['audit_administrator', 'clerk'], 0)"));
  EXPECT_FALSE(owner_->Exec(
      "INSERT INTO canbao.role_permission VALUES ('system_administrator', 'persons.read')"));
  EXPECT_FALSE(LoadRoles(*owner_, R"(
valid_from = 2020-01-01
[[permission]]
name = "persons.read"
personal = true
[[role]]
name = "system_administrator"
administrator = true
may = ["persons.read"]
)"));
}

TEST_F(AccessTest, AdministratorsDoEachTheirHalf) {
  auto system = TestSession(*db_, 330000000000, {"system_administrator"});
  auto security = TestSession(*db_, 330000000000, {"security_administrator"});
  auto audit = TestSession(*db_, 330000000000, {"audit_administrator"});
  auto clerk = TestSession(*db_, 330000000000, {"clerk"});
  ASSERT_TRUE(system && security && audit && clerk);
  NewAccount wanted{"new.one", "新人", {"clerk"}, 330100000000, kGood, "system"};
  auto code = [](const auto& r) { return r ? std::string("ok") : r.error().code; };
  EXPECT_EQ(code(AddAccount(*App(*security), wanted)), "CB-REGISTER-0930");
  EXPECT_EQ(code(AddAccount(*App(*audit), wanted)), "CB-REGISTER-0930");
  EXPECT_EQ(code(AddAccount(*App(*clerk), wanted)), "CB-REGISTER-0930");
  NewAccount elsewhere = wanted;
  elsewhere.division = 320000000000;
  EXPECT_EQ(code(AddAccount(*App(*system), elsewhere)), "CB-REGISTER-0930");
  elsewhere.division = 0;  // nor the country
  EXPECT_EQ(code(AddAccount(*App(*system), elsewhere)), "CB-REGISTER-0930");
  auto made = AddAccount(*App(*system), wanted);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(code(AddAccount(*App(*system), wanted)), "CB-REGISTER-0931");
  // It waits: the maker cannot put it into force.
  EXPECT_EQ(CodeOf(SignIn("new.one")), "CB-REGISTER-0910");
  AccountChange enable;
  enable.disabled = false;
  EXPECT_EQ(code(ChangeAccount(*App(*system), made->account_id, enable)), "CB-REGISTER-0930");
  AccountChange more;
  more.roles = std::vector<std::string>{"operator"};
  EXPECT_EQ(code(ChangeAccount(*App(*system), made->account_id, more)), "CB-REGISTER-0930");
  EXPECT_EQ(code(ResetPassword(*App(*system), made->account_id)), "CB-REGISTER-0930");
  auto row = FindAccount(*App(*security), made->account_id);
  ASSERT_TRUE(row);
  EXPECT_TRUE(row->waiting && row->disabled);
  EXPECT_EQ(code(ChangeAccount(*App(*security), made->account_id, enable)), "ok");
  EXPECT_EQ(CodeOf(SignIn("new.one")), "ok");
  // Taking away is free to both; the session ends with it.
  auto in = SignIn("new.one");
  AccountChange disable;
  disable.disabled = true;
  EXPECT_EQ(code(ChangeAccount(*App(*system), made->account_id, disable)), "ok");
  EXPECT_FALSE(Who(in->token));
  EXPECT_EQ(code(ChangeAccount(*App(*audit), made->account_id, enable)), "CB-REGISTER-0930");
  EXPECT_EQ(code(ChangeAccount(*App(*clerk), made->account_id, enable)), "CB-REGISTER-0930");
  // Nobody grants himself.
  auto self = Who(*security);
  ASSERT_TRUE(self);
  EXPECT_EQ(code(ChangeAccount(*App(*security), self->account_id, more)), "CB-REGISTER-0934");
  // Who may not see accounts sees none; elsewhere's are not there.
  EXPECT_TRUE(Accounts(*App(*clerk))->empty());
  auto far = TestSession(*db_, 320000000000, {"security_administrator"});
  EXPECT_EQ(code(FindAccount(*App(*far), made->account_id)), "CB-REGISTER-0933");
  EXPECT_EQ(code(ChangeAccount(*App(*far), made->account_id, enable)), "CB-REGISTER-0933");
}

TEST_F(AccessTest, TheServiceReadsNoSecrets) {
  auto token = TestSession(*db_, 0, {"security_administrator"});
  auto app = App(*token);
  for (const char* sql :
       {"SELECT password_hash FROM canbao.account", "SELECT totp FROM canbao.account",
        "SELECT * FROM canbao.account", "SELECT * FROM canbao.session",
        "SELECT * FROM canbao.caller", "SELECT * FROM canbao.access_attempt('scoped')",
        "SELECT canbao.access_recognise('\\x00', true)",
        "SELECT canbao.access_open(1, '\\x00', '', '', '')",
        "SELECT canbao.access_set_password(1, 'x', 1)", "SELECT canbao.access_pending_totp(1)",
        "UPDATE canbao.account SET roles = ARRAY['operator']",
        "INSERT INTO canbao.role_permission VALUES ('clerk', 'audit.read')",
        "DELETE FROM canbao.session", "SELECT canbao.append_audit_root(1, '', '', '')",
        "SET ROLE canbao_access", "SET ROLE canbao_owner"}) {
    EXPECT_FALSE(app->Exec(sql)) << sql;
  }
  // Nor does what signs in see persons.
  for (const char* sql : {"SELECT * FROM canbao.person_row", "SELECT * FROM canbao.account",
                          "SELECT * FROM canbao.session", "SELECT canbao.scope()",
                          "SELECT * FROM canbao.accounts()", "SET ROLE canbao_app"}) {
    EXPECT_FALSE(access_->Exec(sql)) << sql;
  }
  // Names are there for those who are signed in.
  EXPECT_TRUE(app->Exec("SELECT account_id, account, name FROM canbao.account"));
  auto nobody = app_->Exec("SELECT account_id FROM canbao.account");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->size(), 0);
}

TEST_F(AccessTest, FiltersAreOnesOwn) {
  auto one = TestSession(*db_, 330100000000, {"clerk"});
  auto two = TestSession(*db_, 330200000000, {"clerk"});
  ASSERT_TRUE(App(*one)->Exec(
      "INSERT INTO canbao.saved_filter (name, list, query) VALUES ('mine', 'uncovered', '{}')"));
  auto count = [&](const std::string& token) {
    auto r = App(token)->Exec("SELECT count(*) FROM canbao.saved_filter");
    return r ? r->Int(0, 0) : -1;
  };
  EXPECT_EQ(count(*one), 1);
  EXPECT_EQ(count(*two), 0);
  EXPECT_FALSE(
      App(*two)->Exec("INSERT INTO canbao.saved_filter (account_id, name, list, query) "
                      "SELECT account_id, 'x', 'y', '{}' FROM canbao.account LIMIT 1"));
}

TEST(TextArray, GoesThereAndBack) {
  const std::vector<std::string> values = {"a", "b,c", "d\"e", "f\\g", "", "中"};
  EXPECT_EQ(ParseTextArray(TextArray(values)), values);
  EXPECT_TRUE(ParseTextArray("{}").empty());
  EXPECT_EQ(ParseTextArray("{x,y}"), (std::vector<std::string>{"x", "y"}));
}

}  // namespace
}  // namespace canbao::reg
