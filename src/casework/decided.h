// What people had decided of duplicates before a cut-off: an input of the comparison of that
// cut-off. A decision taken when the newest cut-off was c counts at cut-offs after c and changes
// none before.
#pragma once

#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "register/database.h"

namespace canbao::casework {

struct Decided {
  uint64_t person = 0;
  uint16_t dismissed = 0;     // bits of scheme::Duplicate
  uint16_t consolidated = 0;  // the same
};

Result<std::vector<Decided>> DecidedBefore(reg::Database& db, Date cutoff);

}  // namespace canbao::casework
