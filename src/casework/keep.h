// Which relation of a duplicate is proposed to be kept, by the rule of the policy. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/date.h"
#include "casework/policy.h"

namespace canbao::casework {

struct Relation {
  int scheme = 0;
  uint32_t region = 0;
  int state = 0;  // scheme::State
  Date enrolled_on;
  bool employed = false;  // with an employer
  std::string source;
};

// Index into `relations`; −1 where there are fewer than two, or no criterion tells them apart.
// `residence`: 12 digits, 0 = unknown.
int ProposeKeep(const KeepRule& rule, const std::vector<Relation>& relations, uint64_t residence,
                Date cutoff);

}  // namespace canbao::casework
