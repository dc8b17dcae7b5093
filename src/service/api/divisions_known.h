// Divisions for handlers: the program's table with the changes that were recorded here, the
// division a request is about, and their JSON. The table is loaded once and again after a change;
// what is handed out stays as it is. Any thread. Errors: CB-SERVICE-0201 … 0203.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "identity/division.h"
#include "service/context.h"

namespace canbao::service {

using DivisionsPtr = std::shared_ptr<const identity::DivisionTable>;

Result<DivisionsPtr> DivisionsOf(Context& c);

// 12-digit codes of a division: [first, last]. 0 = the country.
struct DivisionSpan {
  uint64_t first = 0;
  uint64_t last = 0;
  bool Has(uint64_t code) const { return code >= first && code <= last; }
};
DivisionSpan SpanOf(uint64_t division);

// The division of ?division=, the caller's by default. One that is not the caller's or below it is
// as unknown as one that does not exist: 404, CB-SERVICE-0201.
tl::expected<uint64_t, Problem> AskedDivision(Context& c, const identity::DivisionTable& divisions);

// "330000", "330102001", "000000" the country.
std::string DivisionCode(uint64_t division);
std::string LevelName(uint64_t division);
// Its name at a date; 全国 of the country, the code of an unknown one.
std::string DivisionName(const identity::DivisionTable& divisions, uint64_t division, Date on);
// The same, null of no division and of one that nobody knows: a page shows the code then.
boost::json::value NameOrNull(const identity::DivisionTable& divisions, uint64_t division, Date on);
// Schema Division.
boost::json::object DivisionJson(const identity::DivisionTable& divisions, uint64_t division,
                                 Date on);

}  // namespace canbao::service
