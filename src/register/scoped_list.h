// Pages of lists for the service: read in the caller's session, so that the policies of the
// database decide which rows there are; masked for a screen.
//
// A list is ordered by key: persons by (county, person_key), rows of files by (county, source_ref).
// The next page and the one before begin at a key, which costs the same at any depth; a jump to the
// n-th page finds the county by counts (canbao.listed_person, listed_row, figure) and steps within
// it. `count` is exact: of what the caller sees.
//
// Calls block and belong to the thread of the connection. Errors: CB-REGISTER-11xx and 06xx.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/read.h"

namespace canbao::reg {

// Which rows. Of a list, or of the people behind a figure when `form` is set.
struct RowFilter {
  ListKind list = ListKind::kToVerify;
  int form = 0;          // 21 or 22
  int column = 0;        // 27 of form 22 = not yet verified
  bool hukou = false;    // persons of H alone
  Date cutoff;           // missing = the newest
  std::string division;  // as ListQuery; empty = all
  int branch = -1;       // scheme::Branch: uncovered in it
  int number = 0;        // bit of a duplicate, kind of a discrepancy, reason of a reject
  int age_from = -1;     // years at the cut-off
  int age_to = -1;
  int scheme = 0;  // persons with an enrolment of it; conflicts of it
  int group = 0;   // column of form 2-2
};

struct PageRequest {
  RowFilter filter;
  std::string after, before;  // cursors; at most one of the two
  int64_t page = 0;           // 1-based; instead of a cursor
  int limit = 50;
};

enum class CellKind { kText, kNumber, kDay, kDivision, kPerson, kMasked, kPlace };

struct PageColumn {
  std::string key;
  Text label;
  CellKind kind = CellKind::kText;
};

struct TablePage {
  std::vector<PageColumn> columns;
  std::vector<std::vector<std::string>> rows;
  std::optional<int64_t> count;
  std::optional<int64_t> first;  // ordinal of the first row
  std::string next, previous;    // cursors; empty at the ends
};

Result<TablePage> ReadPage(Connection& c, const FieldCipher& cipher, const PageRequest& request);

// How many rows the filter gives in the caller's scope.
Result<int64_t> CountRows(Connection& c, const RowFilter& filter);

// What a table's column is for whoever draws it.
PageColumn DescribeColumn(const ListColumn& column);

// The newest cut-off, or `cutoff` when it is known: as ResolveCutoff(), in the caller's session.
Result<Date> CutoffFor(Connection& c, Date cutoff);

}  // namespace canbao::reg
