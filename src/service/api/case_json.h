// What other handlers have of cases; internal to api/.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>

#include "base/error.h"
#include "service/context.h"

namespace canbao::service {

// The cases of a person that the caller may see (schema Case); empty without cases.read.
Result<boost::json::array> CasesOfPerson(Context& c, uint64_t person);

void AddReviewHandlers(Handlers& to);

}  // namespace canbao::service
