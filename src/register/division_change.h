// Changes of divisions that were recorded here, beside the program's own tables
// (identity/division.h). On the caller's session; one thread. Errors: CB-REGISTER-12xx.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "identity/division.h"
#include "register/connection.h"

namespace canbao::reg {

struct RecordedDivisionChange {
  int64_t id = 0;
  identity::DivisionChange change;
  std::string recorded_by;  // account
};

Result<std::vector<RecordedDivisionChange>> DivisionChanges(Connection& c);  // by day
// The number of the last one; what was made from them holds as long as it stays.
Result<int64_t> LastDivisionChange(Connection& c);
// CB-REGISTER-1201: the same change of the day is recorded already. Otherwise its number.
Result<int64_t> AddDivisionChange(Connection& c, const identity::DivisionChange& change,
                                  const std::string& account);

}  // namespace canbao::reg
