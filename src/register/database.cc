#include "register/database.h"

#include "register/migration.h"

namespace canbao::reg {

Result<std::unique_ptr<Database>> Database::Open(const std::string& data_dir,
                                                 const DatabaseOptions& options) {
  std::unique_ptr<Database> db(new Database());
  db->data_dir_ = data_dir;
  db->url_ = options.url;
  if (options.url.empty()) {
    CANBAO_ASSIGN(db->instance_, Instance::Open(data_dir, options.instance));
  }
  CANBAO_ASSIGN(auto c, db->Connect());
  if (options.migrate) CANBAO_TRY(Migrate(*c));
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

Result<std::unique_ptr<Connection>> Database::ConnectScoped(const std::string& scope) const {
  if (!instance_) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-0105",
                Msg("--database 的服务器需要另行给出 canbao_app 的连接。",
                    "with --database, a connection as canbao_app has to be given on its own."));
  }
  CANBAO_ASSIGN(auto c, Connection::Open(instance_->ConnInfo("canbao_app")));
  CANBAO_TRY(c->Exec("SELECT set_config('canbao.scope', $1, false)", {Param(scope)}));
  return c;
}

}  // namespace canbao::reg
