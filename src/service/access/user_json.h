// Accounts and sessions as the contract's JSON: shared by session_handlers.cc and
// api/administration.cc. Stateless; what fails is reading the divisions.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "register/access/access.h"
#include "service/context.h"

namespace canbao::service {

// "330100" of 330100000000; "00" is the country.
std::string DivisionText(int64_t division);
int64_t DivisionOfText(std::string_view digits);
std::string DivisionName(const Services& services, int64_t division);

boost::json::object UserJson(const Services& services, const reg::UserAccount& account);
boost::json::object SessionJson(const Services& services, const reg::SessionInfo& session);

// The status that a refusal of register/access/access.h is answered with.
Problem AccessProblem(Error error);

}  // namespace canbao::service
