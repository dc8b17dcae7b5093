// Cases as the contract shows them, for answers of other areas. Internal to api/.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>

#include "base/error.h"
#include "service/context.h"

namespace canbao::service {

// The newest cases about a person that the caller may see; none for a caller who sees no cases.
Result<boost::json::array> CasesOfPerson(Context& c, int64_t person_key);

}  // namespace canbao::service
