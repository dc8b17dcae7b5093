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
  InstanceOptions instance;
  bool migrate = true;
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const std::string& data_dir,
                                                const DatabaseOptions& options = {});

  // A session of the loader. `application` shows in pg_stat_activity.
  Result<std::unique_ptr<Connection>> Connect(const char* application = "canbao") const;
  // A session of the service, which sees what `scope` allows: an int8multirange of 12-digit
  // divisions, "{[330100000000,330200000000)}". Only with the private instance.
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
  std::unique_ptr<Instance> instance_;
  std::shared_ptr<const FieldCipher> cipher_;
};

}  // namespace canbao::reg
