// A handler that a request with an Idempotency-Key reaches only once: the same request again is
// given the answer of the first, another request under the same key is refused (422,
// CB-SERVICE-0013). What was refused is not kept and may be tried again.
#pragma once

#include <string>

#include "service/context.h"

namespace canbao::service {

// The handler must outlive what is returned.
Handler OnlyOnce(std::string operation, const Handler& handler);

}  // namespace canbao::service
