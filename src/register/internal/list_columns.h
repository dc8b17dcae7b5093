// What the lists of the command and of the service share: columns of each list and how a division
// becomes a range. Columns speak of c (classification of the person), p (canbao.person), d
// (duplicate case or discrepancy), r (reject) and u (unlinked row).
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "register/internal/table_text.h"
#include "register/read.h"

namespace canbao::reg {

struct DivisionRange {
  bool all = true;
  int64_t low = 0, high = 0;  // 12 digits, half open
  bool below_county() const { return !all && high - low < 1000000; }
};

// "330000" is the province 33, "330100" the city 3301: the zeros behind say that all of it is
// meant. "" is all. CB-REGISTER-0604 for anything else.
Result<DivisionRange> RangeOf(std::string digits);

// Known at the cut-off: valid_from <= … AND valid_to > …
std::string Valid(const char* alias, const std::string& cutoff);

std::vector<TextColumn> ListColumns(ListKind kind);
// Of the people behind a figure, and of a search.
std::vector<TextColumn> PersonColumns();

}  // namespace canbao::reg
