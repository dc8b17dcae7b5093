// From a RowFilter to SQL: which rows of which table in which order, and how their number is known
// without counting them. One place for pages, counts and exports.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "register/connection.h"
#include "register/internal/list_columns.h"
#include "register/scoped_list.h"

namespace canbao::reg {

struct RowQuery {
  // Inner rows: SELECT <select> <from> WHERE <where>, ordered by the keys, of which the first
  // `index` are an index. Every key is selected by its alias k0, k1, …
  std::string select;
  std::string from;
  std::string where;
  std::vector<std::string> keys;
  std::vector<std::string> key_types;
  size_t index = 2;
  std::string alias;  // of the inner rows outside
  std::string joins;  // outside
  std::vector<TextColumn> columns;
  // SELECT of (county, rows) by county; empty: only counting tells.
  std::string counts;
  // Of canbao.list_mark, where the list has marks; a county has `counts` rows.
  std::string marks;
  // What $1, $2, … stand for, in both: divisions, so that one plan does for all of them.
  std::vector<Param> params;
};

// `cutoff` is resolved. Without `bound` divisions are written out and nothing is a parameter (a
// cursor takes none). CB-REGISTER-1102 for a filter that the list does not have.
Result<RowQuery> QueryFor(const RowFilter& filter, Date cutoff, int64_t province, bool bound);

}  // namespace canbao::reg
