// A session for tests: an account of the given roles and division, made by the owner, and the token
// that canbao.session takes. Only tests include this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "register/access/session_token.h"
#include "register/database.h"

namespace canbao::reg {

// `division` has 12 digits; 0 = the country. The same roles and division are the same account.
inline Result<std::string> TestSession(Database& db, int64_t division,
                                       const std::vector<std::string>& roles) {
  CANBAO_ASSIGN(auto owner, db.Connect());
  CANBAO_ASSIGN(SessionToken made, NewSessionToken());
  std::string list, account = "t";
  for (const std::string& role : roles) {
    list += (list.empty() ? "" : ",") + role;
    account += "-" + role.substr(0, 6);
  }
  account += "-" + std::to_string(division);
  CANBAO_TRY(owner->Exec(
      "WITH a AS (INSERT INTO canbao.account (account, name, roles, division, must_change, totp) "
      "VALUES ($1, $1, string_to_array($2, ','), $3, false, '\\x00') ON CONFLICT (account) "
      "DO UPDATE SET name = excluded.name RETURNING account_id) "
      "INSERT INTO canbao.session (account_id, token_hash, csrf, kind, idle_until, expires_at) "
      "SELECT account_id, $4, 'test', 'browser', now() + interval '1 hour', "
      "now() + interval '1 hour' FROM a",
      {Param(account), Param(list), Param(division), Param::Bytes(made.hash)}));
  return made.token;
}

// A connection as canbao_app in such a session.
inline Result<std::unique_ptr<Connection>> ConnectSession(Database& db, const std::string& token) {
  CANBAO_ASSIGN(auto c, db.ConnectApp());
  CANBAO_TRY(c->Exec("SELECT set_config('canbao.session', $1, false)", {Param(token)}));
  return c;
}

}  // namespace canbao::reg
