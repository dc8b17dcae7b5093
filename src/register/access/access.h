// Accounts and sessions: proving who one is, opening, recognising and ending sessions, and what
// administrators do with accounts. The tables and who may touch them:
// db/migrations/0003_access.sql.
//
// Functions take the connection that may do it: `access` is canbao_access, `app` is canbao_app in
// the caller's session, or the owner (`canbao user`). An Authenticator is used by all threads at
// once. Refusals are Errors of class input: CB-REGISTER-0910 account, password or code is wrong ·
// 0911 locked · 0912 the second factor's code is wanted · 0913 no such pending factor or wrong code
// · 0914 the old password is wrong · 0930 not permitted · 0931 account exists · 0932 roles that
// exclude each other · 0933 no such account · 0934 oneself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "register/cipher.h"
#include "register/connection.h"

namespace canbao::reg {

struct SignInWords {
  std::string account;
  std::string password;
  std::string totp;  // "" = none given
  std::string address;
  std::string agent;
};

struct SignedIn {
  int64_t account_id = 0;
  int64_t session_id = 0;
  std::string token;
};

// A live session and whose it is.
struct SessionInfo {
  int64_t session_id = 0;
  int64_t account_id = 0;
  std::string account;
  std::string name;
  std::vector<std::string> roles;
  int64_t division = 0;
  std::string csrf;
  std::string expires_at;  // RFC 3339, UTC
  bool must_change_password = false;
  bool has_totp = false;
  bool administrator = false;
  std::vector<std::string> permissions;
  bool job = false;
  std::string last_signed_in_at;

  bool must_set_up_totp() const { return administrator && !has_totp; }
};

class Authenticator {
 public:
  explicit Authenticator(const FieldCipher& cipher) : cipher_(cipher) {}

  Result<SignedIn> SignIn(Connection& access, const SignInWords& words);
  // Ends the other sessions of the account.
  Status ChangePassword(Connection& access, const SessionInfo& who, std::string_view old_password,
                        std::string_view new_password);
  // A secret that ConfirmTotp() puts into force.
  Result<std::string> BeginTotp(Connection& access, const SessionInfo& who);
  Status ConfirmTotp(Connection& access, const SessionInfo& who, std::string_view code);

 private:
  // Accounts that do not exist are locked like others, or the lock would tell them apart.
  struct Stranger {
    int failures = 0;
    int lockouts = 0;
    std::chrono::steady_clock::time_point locked_until;
  };
  Status CountStranger(const std::string& account);

  const FieldCipher& cipher_;
  std::mutex mutex_;
  std::map<std::string, Stranger, std::less<>> strangers_;
};

// Nothing when the token opens no live session of an enabled account. `seen`: its owner is there,
// and it stays open for another half hour.
Result<std::optional<SessionInfo>> Recognise(Connection& access, std::string_view token,
                                             bool seen = true);
Result<bool> EndSession(Connection& access, int64_t account_id, int64_t session_id);

struct SessionRow {
  int64_t session_id = 0;
  std::string created_at, last_seen_at, address, agent;
  bool current = false;
};
Result<std::vector<SessionRow>> OwnSessions(Connection& app);

// ---- administration ----
struct UserAccount {
  int64_t account_id = 0;
  std::string account, name;
  std::vector<std::string> roles;
  int64_t division = 0;
  bool disabled = false, waiting = false, locked = false, has_totp = false, must_change = false;
  std::string last_signed_in_at;  // "" = never
};
Result<std::vector<UserAccount>> Accounts(Connection& app);
// 0933 when the caller does not see it.
Result<UserAccount> FindAccount(Connection& app, int64_t account_id);

struct NewAccount {
  std::string account, name;
  std::vector<std::string> roles;
  int64_t division = 0;
  std::string password;  // "" = one is made
  std::string made_by;
};
struct MadeAccount {
  int64_t account_id = 0;
  std::string password;
};
Result<MadeAccount> AddAccount(Connection& app, const NewAccount& account);

struct AccountChange {
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> roles;
  std::optional<int64_t> division;
  std::optional<bool> disabled;
  bool unlock = false;
  bool reset_totp = false;
};
Status ChangeAccount(Connection& app, int64_t account_id, const AccountChange& change);
// A new first password.
Result<std::string> ResetPassword(Connection& app, int64_t account_id);

// An array literal for a text[] parameter, sent as text and cast.
std::string TextArray(const std::vector<std::string>& values);
std::vector<std::string> ParseTextArray(std::string_view literal);

}  // namespace canbao::reg
