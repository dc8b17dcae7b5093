#include "register/access/access.h"

#include <ctime>

#include "register/access/password.h"
#include "register/access/session_token.h"

namespace canbao::reg {
namespace {

constexpr size_t kStrangersMost = 20000;
constexpr int kFailuresToLock = 5;

// Times of the database as RFC 3339 in UTC, to the second.
#define CANBAO_UTC(column) \
  "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

tl::unexpected<Error> WrongWords() {
  return Fail(ErrorClass::kInput, "CB-REGISTER-0910",
              Msg("账号、密码或验证码不正确。", "account, password or code is wrong."),
              Text{"请重新输入。连续 5 次不正确将锁定 15 分钟。",
                   "Try again. After five failures the account is locked for 15 minutes."});
}

tl::unexpected<Error> Locked() {
  return Fail(ErrorClass::kInput, "CB-REGISTER-0911",
              Msg("账号已因多次失败而锁定。", "the account is locked after several failures."),
              Text{"请在 15 分钟后再试，或请安全管理员解锁。",
                   "Try again in 15 minutes, or ask the security administrator to unlock it."});
}

Status Refused(std::string_view said) {
  if (said == "ok") return {};
  if (said == "exists") {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0931",
                Msg("账号已存在。", "the account exists already."),
                Text{"请换一个账号。", "Choose another name for the account."});
  }
  if (said == "roles") {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0932",
                Msg("角色不能这样组合。", "the roles cannot be combined so."),
                Text{"三员（系统、安全、审计管理员）互斥，也不得兼任业务角色。",
                     "The three administrators exclude each other and every other role."});
  }
  if (said == "unknown") {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0933",
                Msg("没有这个账号。", "there is no such account."));
  }
  if (said == "self") {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0934",
                Msg("不能更改自己的账号。", "nobody may change his own account."),
                Text{"请由另一位管理员办理。", "Ask another administrator."});
  }
  return Fail(ErrorClass::kInput, "CB-REGISTER-0930",
              Msg("没有这项权限。", "that is not permitted."),
              Text{"新建账号由系统管理员办理，授权、启用、解锁、重置由安全管理员办理。",
                   "Accounts are made by the system administrator; roles, enabling, unlocking and "
                   "resetting are the security administrator's."});
}

Param TextOr(const std::optional<std::string>& v) { return v ? Param(*v) : Param(nullptr); }

int64_t UnixNow() { return static_cast<int64_t>(std::time(nullptr)); }

}  // namespace

std::string TextArray(const std::vector<std::string>& values) {
  std::string out = "{";
  for (const std::string& v : values) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (char c : v) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::vector<std::string> ParseTextArray(std::string_view literal) {
  std::vector<std::string> out;
  if (literal.size() < 2 || literal == "{}") return out;
  std::string one;
  bool quoted = false;
  for (size_t i = 1; i + 1 < literal.size(); ++i) {
    const char c = literal[i];
    if (c == '\\' && i + 2 < literal.size()) {
      one += literal[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.push_back(std::move(one));
      one.clear();
    } else {
      one += c;
    }
  }
  out.push_back(std::move(one));
  return out;
}

Status Authenticator::CountStranger(const std::string& account) {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  if (strangers_.size() >= kStrangersMost) strangers_.clear();
  Stranger& s = strangers_[account];
  if (now < s.locked_until) return Locked();
  if (++s.failures >= kFailuresToLock) {
    s.failures = 0;
    s.locked_until = now + std::chrono::minutes(15) * (1 << std::min(s.lockouts++, 7));
  }
  return {};
}

Result<SignedIn> Authenticator::SignIn(Connection& access, const SignInWords& words) {
  CANBAO_ASSIGN(Rows a, access.Exec("SELECT account_id, open, password_hash, totp, "
                                    "locked_until > now() FROM canbao.access_attempt($1)",
                                    {Param(words.account)}));
  if (a.size() == 0) {
    Status counted = CountStranger(words.account);
    PasswordMatches("", words.password);
    if (!counted) return Fail(std::move(counted.error()));
    return WrongWords();
  }
  const int64_t account = a.Int(0, 0);
  const bool open = a.Bool(0, 1);
  // The password is looked at in any case: a lock or a disabled account answers no faster.
  const bool right = PasswordMatches(std::string(a.Text(0, 2)), words.password);
  // Locked before this attempt; a lock that this attempt would bring is lifted by being right.
  if (!open && a.Bool(0, 4)) return Locked();
  if (!open || !right) return WrongWords();
  Param step(nullptr);
  if (!a.IsNull(0, 3)) {
    if (words.totp.empty()) {
      return Fail(ErrorClass::kInput, "CB-REGISTER-0912",
                  Msg("请输入动态验证码。", "the code of the second factor is wanted."));
    }
    auto secret = cipher_.OpenText(a.Bytes(0, 3));
    if (!secret) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0904",
                  Msg("动态验证码的密钥无法解开。", "the second factor's secret does not open."),
                  Text{"请核对 keys 目录，或由安全管理员重置。",
                       "Check the keys folder, or have the second factor reset."});
    }
    auto found = TotpStep(*secret, words.totp, UnixNow());
    if (!found) return WrongWords();
    step = Param(*found);
  }
  CANBAO_ASSIGN(Rows fresh,
                access.Exec("SELECT canbao.access_forgive($1, $2)", {Param(account), step}));
  if (!fresh.Bool(0, 0)) return WrongWords();  // a code that was used before
  CANBAO_ASSIGN(SessionToken made, NewSessionToken());
  CANBAO_ASSIGN(std::string csrf, RandomBytes(24));
  CANBAO_ASSIGN(Rows session,
                access.Exec("SELECT canbao.access_open($1, $2, $3, $4, $5)",
                            {Param(account), Param::Bytes(made.hash), Param(ToHex(csrf)),
                             Param(words.address), Param(words.agent)}));
  if (session.IsNull(0, 0)) return WrongWords();  // disabled meanwhile
  return SignedIn{account, session.Int(0, 0), made.token};
}

Status Authenticator::ChangePassword(Connection& access, const SessionInfo& who,
                                     std::string_view old_password, std::string_view new_password) {
  CANBAO_TRY(CheckPasswordRules(who.account, new_password));
  CANBAO_ASSIGN(Rows a, access.Exec("SELECT open, password_hash, locked_until > now() "
                                    "FROM canbao.access_attempt($1)",
                                    {Param(who.account)}));
  const bool right =
      a.size() == 1 && PasswordMatches(std::string(a.Text(0, 1)), old_password) && a.Bool(0, 0);
  if (a.size() == 1 && !a.Bool(0, 0) && a.Bool(0, 2)) return Locked();
  if (!right) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0914",
                Msg("原密码不正确。", "the old password is wrong."));
  }
  if (old_password == new_password) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0924",
                Msg("新密码与原密码相同。", "the new password is the old one."));
  }
  CANBAO_ASSIGN(std::string hash, HashPassword(new_password));
  CANBAO_TRY(access.Exec("SELECT canbao.access_set_password($1, $2, $3)",
                         {Param(who.account_id), Param(hash), Param(who.session_id)}));
  return {};
}

Result<std::string> Authenticator::BeginTotp(Connection& access, const SessionInfo& who) {
  CANBAO_ASSIGN(std::string secret, MakeTotpSecret());
  CANBAO_TRY(access.Exec("SELECT canbao.access_begin_totp($1, $2)",
                         {Param(who.account_id), Param::Bytes(cipher_.SealText(secret))}));
  return secret;
}

Status Authenticator::ConfirmTotp(Connection& access, const SessionInfo& who,
                                  std::string_view code) {
  CANBAO_ASSIGN(Rows pending,
                access.Exec("SELECT canbao.access_pending_totp($1)", {Param(who.account_id)}));
  std::optional<std::string> secret;
  if (!pending.IsNull(0, 0)) secret = cipher_.OpenText(pending.Bytes(0, 0));
  std::optional<int64_t> step;
  if (secret) step = TotpStep(*secret, code, UnixNow());
  if (!step) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0913",
                Msg("动态验证码不正确。", "the code is wrong."),
                Text{"请核对手机时间，输入当前的验证码。",
                     "Check the clock of the phone and enter the current code."});
  }
  CANBAO_TRY(access.Exec("SELECT canbao.access_confirm_totp($1, $2, $3)",
                         {Param(who.account_id), Param(*step), Param(who.session_id)}));
  return {};
}

Result<std::optional<SessionInfo>> Recognise(Connection& access, std::string_view token,
                                             bool seen) {
  if (token.size() != 64) return std::optional<SessionInfo>();
  CANBAO_ASSIGN(
      Rows r,
      access.Exec(
          "SELECT session_id, account_id, account, name, roles, division, csrf, " CANBAO_UTC(
              "expires_at") ", must_change, has_totp, administrator, permissions, "
                            "kind = 'job', " CANBAO_UTC(
                                "last_signed_in_at") " FROM canbao.access_recognise($1, $2)",
          {Param::Bytes(TokenHash(token)), Param(seen)}));
  if (r.size() == 0) return std::optional<SessionInfo>();
  SessionInfo s;
  s.session_id = r.Int(0, 0);
  s.account_id = r.Int(0, 1);
  s.account = r.Text(0, 2);
  s.name = r.Text(0, 3);
  s.roles = ParseTextArray(r.Text(0, 4));
  s.division = r.Int(0, 5);
  s.csrf = r.Text(0, 6);
  s.expires_at = r.Text(0, 7);
  s.must_change_password = r.Bool(0, 8);
  s.has_totp = r.Bool(0, 9);
  s.administrator = r.Bool(0, 10);
  s.permissions = ParseTextArray(r.Text(0, 11));
  s.job = r.Bool(0, 12);
  s.last_signed_in_at = r.Text(0, 13);
  return std::optional<SessionInfo>(std::move(s));
}

Result<bool> EndSession(Connection& access, int64_t account_id, int64_t session_id) {
  CANBAO_ASSIGN(Rows r, access.Exec("SELECT canbao.access_end($1, $2, NULL)",
                                    {Param(account_id), Param(session_id)}));
  return r.Bool(0, 0);
}

Result<std::vector<SessionRow>> OwnSessions(Connection& app) {
  CANBAO_ASSIGN(Rows r,
                app.Exec("SELECT session_id, " CANBAO_UTC("created_at") ", " CANBAO_UTC(
                    "last_seen_at") ", address, agent, current FROM canbao.own_sessions()"));
  std::vector<SessionRow> out;
  for (int i = 0; i < r.size(); ++i) {
    out.push_back({r.Int(i, 0), std::string(r.Text(i, 1)), std::string(r.Text(i, 2)),
                   std::string(r.Text(i, 3)), std::string(r.Text(i, 4)), r.Bool(i, 5)});
  }
  return out;
}

namespace {

constexpr const char* kAccountColumns =
    "account_id, account, name, roles, division, disabled, waiting, locked, has_totp, "
    "must_change, " CANBAO_UTC("last_signed_in_at");

UserAccount AccountOf(const Rows& r, int i) {
  return {r.Int(i, 0),
          std::string(r.Text(i, 1)),
          std::string(r.Text(i, 2)),
          ParseTextArray(r.Text(i, 3)),
          r.Int(i, 4),
          r.Bool(i, 5),
          r.Bool(i, 6),
          r.Bool(i, 7),
          r.Bool(i, 8),
          r.Bool(i, 9),
          std::string(r.Text(i, 10))};
}

}  // namespace

Result<std::vector<UserAccount>> Accounts(Connection& app) {
  CANBAO_ASSIGN(Rows r, app.Exec(fmt::format("SELECT {} FROM canbao.accounts()", kAccountColumns)));
  std::vector<UserAccount> out;
  for (int i = 0; i < r.size(); ++i) out.push_back(AccountOf(r, i));
  return out;
}

Result<UserAccount> FindAccount(Connection& app, int64_t account_id) {
  CANBAO_ASSIGN(Rows r,
                app.Exec(fmt::format("SELECT {} FROM canbao.accounts() WHERE account_id = $1",
                                     kAccountColumns),
                         {Param(account_id)}));
  if (r.size() == 0) return Fail(std::move(Refused("unknown").error()));
  return AccountOf(r, 0);
}

Result<MadeAccount> AddAccount(Connection& app, const NewAccount& account) {
  MadeAccount made;
  made.password = account.password;
  if (made.password.empty()) {
    CANBAO_ASSIGN(made.password, MakeFirstPassword());
  } else {
    CANBAO_TRY(CheckPasswordRules(account.account, made.password));
  }
  CANBAO_ASSIGN(std::string hash, HashPassword(made.password));
  CANBAO_ASSIGN(
      Rows r,
      app.Exec("SELECT said, made FROM canbao.add_account($1, $2, $3::text::text[], $4, $5, $6)",
               {Param(account.account), Param(account.name), Param(TextArray(account.roles)),
                Param(account.division), Param(hash), Param(account.made_by)}));
  CANBAO_TRY(Refused(r.Text(0, 0)));
  made.account_id = r.Int(0, 1);
  return made;
}

namespace {

Status Change(Connection& app, int64_t account_id, const AccountChange& change,
              const std::optional<std::string>& hash) {
  const Param roles = change.roles ? Param(TextArray(*change.roles)) : Param(nullptr);
  const Param division = change.division ? Param(*change.division) : Param(nullptr);
  const Param disabled = change.disabled ? Param(*change.disabled) : Param(nullptr);
  CANBAO_ASSIGN(
      Rows r, app.Exec("SELECT canbao.change_account($1, $2, $3::text::text[], $4, $5, $6, $7, $8)",
                       {Param(account_id), TextOr(change.name), roles, division, disabled,
                        Param(change.unlock), Param(change.reset_totp), TextOr(hash)}));
  return Refused(r.Text(0, 0));
}

}  // namespace

Status ChangeAccount(Connection& app, int64_t account_id, const AccountChange& change) {
  return Change(app, account_id, change, std::nullopt);
}

Result<std::string> ResetPassword(Connection& app, int64_t account_id) {
  CANBAO_ASSIGN(std::string password, MakeFirstPassword());
  CANBAO_ASSIGN(std::string hash, HashPassword(password));
  CANBAO_TRY(Change(app, account_id, {}, hash));
  return password;
}

}  // namespace canbao::reg
