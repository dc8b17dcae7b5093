// What the actions of the audit are called. Stateless; internal to api/.
#pragma once

#include <string_view>

#include "base/text.h"

namespace canbao::service {

// One that has no words shows its name.
Text ActionLabel(std::string_view action);

}  // namespace canbao::service
