// Whether all is well, for the page of the system administrator: each thing is looked at, good
// answers come too. Cheap (no table of persons is read; `canbao doctor` recounts). Any thread; no
// errors: what cannot be asked is a check that is not ok.
#pragma once

#include <vector>

#include "base/text.h"
#include "service/context.h"

namespace canbao::service {

struct HealthCheck {
  Text name;
  bool ok = false;
  Text detail;
};

std::vector<HealthCheck> CheckHealth(const Services& services);

}  // namespace canbao::service
