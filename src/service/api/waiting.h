// What waits for the caller, counted where their role and the database's policies let them see it.
#pragma once

#include <boost/json/array.hpp>

#include "base/error.h"
#include "service/context.h"

namespace canbao::service {

Result<boost::json::array> WaitingJson(Context& c);

}  // namespace canbao::service
