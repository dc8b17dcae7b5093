// The register's database: the private instance of the data folder or a server named by --database,
// with its schema up to date and the field keys that belong to it. Everything else in this library
// takes a Database.
//
// Thread-safe after Open(): sessions are made per call. Errors: what instance, connection,
// migration and cipher say, and CB-REGISTER-0406 (keys of another database).
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/instance.h"

namespace canbao::reg {

struct DatabaseOptions {
  std::string url;  // --database; empty = the private instance
  // The same server as canbao_app and as canbao_access, for the service; only with `url`.
  std::string app_url;
  std::string access_url;
  InstanceOptions instance;
  bool migrate = true;
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const std::string& data_dir,
                                                const DatabaseOptions& options = {});

  // A session of the loader. `application` shows in pg_stat_activity.
  Result<std::unique_ptr<Connection>> Connect(const char* application = "canbao") const;
  // A connection of the service (`canbao_app`), which sees nothing until canbao.session names a
  // session (register/access/access.h); one of signing in (`canbao_access`).
  Result<std::unique_ptr<Connection>> ConnectApp() const;
  Result<std::unique_ptr<Connection>> ConnectAccess() const;
  // For tests: a connection of the service in a session made for it, with every permission of the
  // data roles and `scope`, an int8multirange of 12-digit divisions.
  Result<std::unique_ptr<Connection>> ConnectScoped(const std::string& scope) const;

  const FieldCipher& cipher() const { return *cipher_; }
  const std::string& data_dir() const { return data_dir_; }
  std::string keys_dir() const { return data_dir_ + "/keys"; }
  std::string conn_info() const;
  Instance* instance() const { return instance_.get(); }  // null with --database

 private:
  Database() = default;
  std::string data_dir_;
  std::string url_;
  std::string app_url_;
  std::string access_url_;
  std::unique_ptr<Instance> instance_;
  std::shared_ptr<const FieldCipher> cipher_;
};

}  // namespace canbao::reg
