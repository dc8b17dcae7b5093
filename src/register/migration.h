// The schema's versions: db/migrations/NNNN_name.sql, compiled into the executable, applied in
// order and recorded with their digests. Threads: one connection, one thread; concurrent migrators
// wait for each other on an advisory lock. Errors: CB-REGISTER-03xx.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

struct Migration {
  int version;
  std::string name;
  std::string sql;
};

const std::vector<Migration>& Migrations();
int NewestSchemaVersion();

// Applies what is missing of `migrations`. Refuses a database that has versions beyond them
// (0303) or in which an applied one had other text (0304).
Status Migrate(Connection& c, const std::vector<Migration>& migrations = Migrations());
// 0 when there is no schema.
Result<int> SchemaVersion(Connection& c);

}  // namespace canbao::reg
