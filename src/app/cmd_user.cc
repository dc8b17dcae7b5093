// canbao user: accounts of the service, from the machine it runs on. The first administrators are
// made here; afterwards the service's own administrators do it, each their half (docs/access.md).
// What is done is in the audit, as by the account "console".
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/table_output.h"
#include "base/file.h"
#include "identity/division.h"
#include "register/access/access.h"
#include "register/access/audit.h"
#include "register/access/password.h"

namespace canbao::app {
namespace {

struct Options {
  std::string data;
  std::string database;
  std::string account;
  std::string name;
  std::vector<std::string> roles;
  std::string division;
  std::string password_file;
  std::string format = "text";
  bool ready = false;
};

Result<std::unique_ptr<reg::Database>> OpenAccounts(const Options& o) {
  CANBAO_TRY(MakeFolders(Absolute(o.data)));
  reg::DatabaseOptions d;
  d.url = o.database;
  return reg::Database::Open(Absolute(o.data), d);
}

// Who sits at the console, as the machine knows them.
std::string UnixUser() {
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

// What `work` does and its entry in the audit, or neither; sealed at once, for the service may not
// run.
Status Audited(reg::Database& db, const std::string& action, boost::json::object detail,
               const std::function<Status(reg::Connection&)>& work) {
  CANBAO_ASSIGN(auto c, db.Connect("canbao user"));
  reg::AuditWriter writer("canbao user");
  CANBAO_TRY(writer.Open(*c));
  {
    CANBAO_ASSIGN(reg::Transaction t, reg::Transaction::Begin(*c));
    CANBAO_TRY(work(*c));
    detail["unix_user"] = UnixUser();
    reg::AuditRecord record;
    record.account = "console";
    record.action = action;
    record.detail = boost::json::serialize(detail);
    record.address = "console";
    CANBAO_TRY(writer.Append(*c, record));
    CANBAO_TRY(t.Commit());
  }
  CANBAO_TRY(reg::AuditRoots(db.data_dir()).Seal(*c));
  return {};
}

Result<int64_t> DivisionOf(const std::string& text) {
  if (text == "00" || text == "0") return 0;
  const identity::Division d = identity::ParseDivision(text);
  if (!d.has_value()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0027",
                Msg("不是行政区划代码：{0}", "this is no code of a division: {0}", text),
                Text{"用 2、4、6、9 或 12 位代码，全国为 00。",
                     "Give 2, 4, 6, 9 or 12 digits; 00 is the country."});
  }
  return static_cast<int64_t>(d.v);
}

Result<reg::UserAccount> ByName(reg::Connection& c, const std::string& account) {
  CANBAO_ASSIGN(std::vector<reg::UserAccount> all, reg::Accounts(c));
  for (reg::UserAccount& a : all) {
    if (a.account == account) return std::move(a);
  }
  return Fail(ErrorClass::kInput, "CB-APP-0028",
              Msg("没有这个账号：{0}", "there is no account {0}", account),
              Text{"用 canbao user list 查看。", "see `canbao user list`."});
}

bool IsAdministrator(const std::vector<std::string>& roles) {
  for (const std::string& r : roles) {
    if (r.ends_with("_administrator")) return true;
  }
  return false;
}

// The password stands; an administrator gets the second factor at once.
Status MakeReady(reg::Connection& c, const reg::Database& db, int64_t account_id,
                 const std::vector<std::string>& roles, std::string* secret) {
  std::string sealed;
  if (IsAdministrator(roles)) {
    CANBAO_ASSIGN(*secret, reg::MakeTotpSecret());
    sealed = db.cipher().SealText(*secret);
  }
  CANBAO_TRY(c.Exec(
      "UPDATE canbao.account SET must_change = false, totp = $2 WHERE account_id = $1",
      {reg::Param(account_id), sealed.empty() ? reg::Param(nullptr) : reg::Param::Bytes(sealed)}));
  return {};
}

void Print(const Options& o, const std::string& account, const std::string& password,
           const std::string& secret) {
  if (o.format == "json") {
    boost::json::object out{{"account", account}, {"password", password}};
    if (!secret.empty()) out["totp_secret"] = reg::Base32(secret);
    std::printf("%s\n", boost::json::serialize(out).c_str());
    return;
  }
  std::printf("%s %s\n", Say("账号", "account").c_str(), account.c_str());
  std::printf("%s %s\n",
              o.ready
                  ? Say("密码", "password").c_str()
                  : Say("初始密码（只显示这一次，首次登录须更改）",
                        "first password, shown this once, to be changed at the first signing in:")
                        .c_str(),
              password.c_str());
  if (!secret.empty()) {
    std::printf("%s %s\n", Say("动态验证码密钥", "secret of the second factor").c_str(),
                reg::Base32(secret).c_str());
  }
}

Status AddAccountCommand(const Options& o) {
  reg::NewAccount wanted;
  wanted.account = o.account;
  wanted.name = o.name;
  wanted.roles = o.roles;
  wanted.made_by = "console";
  CANBAO_ASSIGN(wanted.division, DivisionOf(o.division));
  if (!o.password_file.empty()) {
    CANBAO_ASSIGN(wanted.password, ReadWholeFile(o.password_file, 4096));
    while (!wanted.password.empty() &&
           (wanted.password.back() == '\n' || wanted.password.back() == '\r')) {
      wanted.password.pop_back();
    }
  }
  CANBAO_ASSIGN(auto db, OpenAccounts(o));
  reg::MadeAccount made;
  std::string secret;
  boost::json::array roles;
  for (const std::string& r : o.roles) roles.emplace_back(r);
  CANBAO_TRY(
      Audited(*db, "account.add",
              {{"account", o.account}, {"roles", std::move(roles)}, {"division", o.division}},
              [&](reg::Connection& c) -> Status {
                CANBAO_ASSIGN(made, reg::AddAccount(c, wanted));
                if (o.ready) {
                  return MakeReady(c, *db, made.account_id, o.roles, &secret);
                }
                return {};
              }));
  Print(o, o.account, made.password, secret);
  return {};
}

std::string Join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : ",") + w;
  return out;
}

Status ListAccounts(const Options& o) {
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(auto c, db->Connect());
  CANBAO_ASSIGN(std::vector<reg::UserAccount> all, reg::Accounts(*c));
  if (o.format == "json") {
    boost::json::array items;
    for (const reg::UserAccount& a : all) {
      boost::json::array roles;
      for (const std::string& r : a.roles) roles.emplace_back(r);
      items.push_back(boost::json::object{{"account", a.account},
                                          {"name", a.name},
                                          {"roles", std::move(roles)},
                                          {"division", fmt::format("{:012}", a.division)},
                                          {"disabled", a.disabled},
                                          {"waiting", a.waiting},
                                          {"locked", a.locked},
                                          {"totp", a.has_totp},
                                          {"last_signed_in_at", a.last_signed_in_at}});
    }
    std::printf("%s\n", boost::json::serialize(items).c_str());
    return {};
  }
  for (const reg::UserAccount& a : all) {
    std::string state;
    auto add = [&](bool is, const char* zh, const char* en) {
      if (is) state += (state.empty() ? "" : " ") + Say(zh, en);
    };
    add(a.waiting, "待授权", "waiting");
    add(a.disabled && !a.waiting, "停用", "disabled");
    add(a.locked, "锁定", "locked");
    add(a.has_totp, "动态码", "second-factor");
    add(a.must_change, "须改密码", "must-change");
    std::printf("%-20s %012lld  %-40s %s  %s\n", a.account.c_str(),
                static_cast<long long>(a.division), Join(a.roles).c_str(), a.name.c_str(),
                state.c_str());
  }
  return {};
}

// One change of an account that is there.
Status ChangeCommand(const Options& o, const char* action, const reg::AccountChange& change) {
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  return Audited(*db, "account.change", {{"account", o.account}, {"change", action}},
                 [&](reg::Connection& c) -> Status {
                   CANBAO_ASSIGN(reg::UserAccount a, ByName(c, o.account));
                   return reg::ChangeAccount(c, a.account_id, change);
                 });
}

Status DisableAccount(const Options& o) {
  reg::AccountChange change;
  change.disabled = true;
  return ChangeCommand(o, "disable", change);
}

Status EnableAccount(const Options& o) {
  reg::AccountChange change;
  change.disabled = false;
  change.unlock = true;
  return ChangeCommand(o, "enable", change);
}

Status ResetTotp(const Options& o) {
  reg::AccountChange change;
  change.reset_totp = true;
  return ChangeCommand(o, "reset-totp", change);
}

Status ResetPasswordCommand(const Options& o) {
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  std::string password;
  CANBAO_TRY(Audited(*db, "account.reset_password", {{"account", o.account}},
                     [&](reg::Connection& c) -> Status {
                       CANBAO_ASSIGN(reg::UserAccount a, ByName(c, o.account));
                       CANBAO_ASSIGN(password, reg::ResetPassword(c, a.account_id));
                       return {};
                     }));
  Print(o, o.account, password, "");
  return {};
}

}  // namespace

void AddUser(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command user = app.AddCommand("user", Say("服务的账号", "accounts of the service"));
  user.NeedsCommand();
  auto add = [&](const char* name, const std::string& help, Status (*run)(const Options&),
                 bool names) {
    Command sub = user.AddCommand(name, help);
    if (names) sub.Add("account", &o->account, Say("账号", "account")).Required();
    sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
    sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
    RunOnUse(sub, action, o, run);
    return sub;
  };
  auto format = [&](Command sub) {
    sub.Add("--format", &o->format, Say("输出格式", "format"))
        .OneOf({"text", "json"})
        .ShowDefault();
  };
  Command made = add("add", Say("新建账号", "makes an account"), AddAccountCommand, true);
  made.Add("--name", &o->name, Say("姓名", "the user's name")).Required();
  made.Add("--role", &o->roles, Say("角色，可重复", "role; may be repeated")).Required();
  made.Add("--division", &o->division,
           Say("行政区划代码，全国为 00", "code of the division; 00 is the country"))
      .Required();
  made.Add("--password-file", &o->password_file,
           Say("从文件读取密码（不给则生成）", "file with the password; one is made without"));
  made.AddFlag("--ready", &o->ready,
               Say("密码无须更改，管理员的动态验证码立即生效（用于演示）",
                   "the password need not be changed and an administrator gets a second factor at "
                   "once (for demonstrations)"));
  format(made);
  format(add("list", Say("列出账号", "lists accounts"), ListAccounts, false));
  add("disable", Say("停用账号", "disables an account"), DisableAccount, true);
  add("enable", Say("启用并解锁账号", "enables and unlocks an account"), EnableAccount, true);
  format(add("reset-password", Say("重置密码", "gives a new first password"), ResetPasswordCommand,
             true));
  add("reset-totp",
      Say("取消动态验证码，须重新设置", "takes the second factor away, to be set up anew"),
      ResetTotp, true);
}

}  // namespace canbao::app
