// Tables of the contract from pages of the register, and names of divisions for them. Stateless;
// any thread. Internal to api/.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "register/person_page.h"
#include "register/scoped_list.h"
#include "service/context.h"

namespace canbao::service {

boost::json::object LabelJson(const Text& text);
// null for "".
boost::json::value OrNull(std::string_view text);

// Columns and rows; what is empty is null.
boost::json::object TableJson(const std::vector<reg::PageColumn>& columns,
                              const std::vector<std::vector<std::string>>& rows);
// The same with count, first, next and previous.
boost::json::object PageJson(const reg::TablePage& page);

// ?division=, the caller's by default. 403 CB-SERVICE-0301 for one outside of the caller's.
tl::expected<std::string, Problem> DivisionWithin(const Caller& caller, std::string_view asked);

// Whole number of a parameter that the contract has checked; `otherwise` when it is not given.
int64_t NumberOf(std::string_view text, int64_t otherwise);
int BranchOf(std::string_view name);  // -1: none

}  // namespace canbao::service
