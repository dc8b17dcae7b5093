// What waits for the caller, counted where their role and the database's policies let them see it.
#pragma once

#include <boost/json/array.hpp>

#include "base/error.h"
#include "register/figure_read.h"
#include "service/context.h"

namespace canbao::service {

// Nothing that is zero. `run` is the one that the page shows.
Result<boost::json::array> WaitingJson(Context& c, const reg::RunRow& run);

}  // namespace canbao::service
