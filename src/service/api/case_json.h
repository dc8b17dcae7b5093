// What the handlers of cases and of the review queue share; internal to api/.
#pragma once

#include <string>
#include <string_view>

#include "service/context.h"

namespace canbao::service {

// What is shown of a name without a purpose: "王*".
std::string CaseMaskedName(std::string_view name);

void AddReviewHandlers(Handlers& to);

}  // namespace canbao::service
