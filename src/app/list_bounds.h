// rules.md §3: a full list may end enrolments that it omits only if its row count lies within a set
// bound of the last one (data/rules/full-list-*.toml); otherwise it is refused whole. Asked between
// the comparison and the load.
#pragma once

#include "comparison/run.h"
#include "scheme/rules.h"

namespace canbao::app {

// kInput CB-APP-0014 names the first source whose enrolment lists changed too much and which is not
// among `accepted`.
Status CheckListBounds(const comparison::CompareResult& previous,
                       const comparison::CompareResult& run, const scheme::Rules& rules,
                       const std::vector<std::string>& accepted);

}  // namespace canbao::app
