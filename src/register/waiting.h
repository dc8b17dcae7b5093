// What waits for the caller of a session, in numbers: counted from tables that hold sums or are
// short, within what the database's policies show. One thread. Errors: those of the connection.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

Result<int64_t> DeliveriesToDecide(Connection& c);  // checked, neither accepted nor refused

struct CasesWaiting {
  int64_t assigned = 0;    // to the account, open
  int64_t overdue = 0;     // of these, and of anybody's within scope
  int64_t found = 0;       // nobody has begun on them
  int64_t to_approve = 0;  // proposed by somebody else
};
Result<CasesWaiting> CasesWaitingFor(Connection& c, const std::string& account);

}  // namespace canbao::reg
