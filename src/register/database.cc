#include "register/database.h"

#include "register/access/roles.h"
#include "register/access/session_token.h"
#include "register/migration.h"
#include "register/upkeep.h"

namespace canbao::reg {
namespace {

// Of a session of the service: its routes have some sixty queries, lists some more for their
// filters.
constexpr size_t kPlans = 300;

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(const std::string& data_dir,
                                                 const DatabaseOptions& options) {
  std::unique_ptr<Database> db(new Database());
  db->data_dir_ = data_dir;
  db->url_ = options.url;
  db->app_url_ = options.app_url;
  db->access_url_ = options.access_url;
  if (options.url.empty()) {
    CANBAO_ASSIGN(db->instance_, Instance::Open(data_dir, options.instance));
  }
  CANBAO_ASSIGN(auto c, db->Connect());
  if (options.migrate) {
    CANBAO_TRY(Migrate(*c));
    CANBAO_TRY(LoadRoles(*c));
    CANBAO_TRY(DoUpkeep(*c));
  }
  // Keys are made only for a database that nothing was sealed in: others would not open it.
  CANBAO_ASSIGN(Rows known, c->Exec("SELECT check_sum FROM canbao.field_key WHERE version = 1"));
  CANBAO_ASSIGN(db->cipher_, FieldCipher::Open(db->keys_dir(), known.size() == 0));
  if (known.size() == 0) {
    CANBAO_TRY(
        c->Exec("INSERT INTO canbao.field_key (version, check_sum) VALUES (1, $1) "
                "ON CONFLICT DO NOTHING",
                {Param::Bytes(db->cipher_->check_sum())}));
  } else if (known.Bytes(0, 0) != db->cipher_->check_sum()) {
    return Fail(Error{ErrorClass::kEnvironment, "CB-REGISTER-0406",
                      Msg("keys 中的密钥不属于这个数据库。",
                          "the keys in this data folder belong to another database."),
                      Msg("请放回与该数据库同时建立或备份的密钥文件。",
                          "Put back the key files that were made, or backed up, with it."),
                      db->keys_dir(), 0, 0});
  }
  return db;
}

std::string Database::conn_info() const { return instance_ ? instance_->ConnInfo() : url_; }

Result<std::unique_ptr<Connection>> Database::Connect(const char* application) const {
  CANBAO_ASSIGN(auto c, Connection::Open(conn_info()));
  CANBAO_TRY(c->Run("SET application_name = " + QuoteLiteral(application)));
  return c;
}

namespace {

Result<std::unique_ptr<Connection>> ConnectAs(const Instance* instance, const std::string& url,
                                              const char* role) {
  if (instance == nullptr && url.empty()) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-0105",
                Msg("--database 的服务器需要另行给出 {0} 的连接。",
                    "with --database, a connection as {0} has to be given on its own.", role));
  }
  return Connection::Open(instance != nullptr ? instance->ConnInfo(role) : url);
}

}  // namespace

Result<std::unique_ptr<Connection>> Database::ConnectApp() const {
  CANBAO_ASSIGN(auto c, ConnectAs(instance_.get(), app_url_, "canbao_app"));
  CANBAO_TRY(c->KeepPlans(kPlans));
  return c;
}

Result<std::unique_ptr<Connection>> Database::ConnectAccess() const {
  CANBAO_ASSIGN(auto c, ConnectAs(instance_.get(), access_url_, "canbao_access"));
  CANBAO_TRY(c->KeepPlans(kPlans));
  return c;
}

Result<std::unique_ptr<Connection>> Database::ConnectScoped(const std::string& scope) const {
  CANBAO_ASSIGN(auto c, ConnectApp());
  if (scope.empty()) return c;
  CANBAO_ASSIGN(auto owner, Connect());
  CANBAO_ASSIGN(SessionToken made, NewSessionToken());
  CANBAO_TRY(
      owner->Exec("WITH a AS (INSERT INTO canbao.account (account, name, roles, division, "
                  "must_change) VALUES ('scoped', 'scoped', ARRAY['operator', 'reviewer'], 0, "
                  "false) ON CONFLICT (account) DO UPDATE SET name = 'scoped' "
                  "RETURNING account_id) "
                  "INSERT INTO canbao.session (account_id, token_hash, csrf, kind, narrowed, "
                  "idle_until, expires_at) SELECT account_id, $1, '', 'job', $2::int8multirange, "
                  "now() + interval '1 day', now() + interval '1 day' FROM a",
                  {Param::Bytes(made.hash), Param(scope)}));
  CANBAO_TRY(c->Exec("SELECT set_config('canbao.session', $1, false)", {Param(made.token)}));
  return c;
}

}  // namespace canbao::reg
