// Column 27 of form 1: how many discrepancies were found up to a cut-off, and how many of them are
// put right. Counted by the load (canbao.case_figure), by county; a session sees those of its
// division.
#pragma once

#include <cstdint>
#include <optional>

#include "base/date.h"
#include "base/error.h"
#include "register/connection.h"

namespace canbao::casework {

struct Corrections {
  int64_t found = 0;
  int64_t corrected = 0;
};

// Nothing: no cases were counted at the cut-off (it was loaded before there were any). Counties in
// [from, until].
Result<std::optional<Corrections>> CorrectionsAt(reg::Connection& c, Date cutoff, uint32_t from = 0,
                                                 uint32_t until = 999999);

}  // namespace canbao::casework
