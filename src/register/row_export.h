// Lists as exports have them: every row of a list or of the people behind a figure, as the caller's
// session sees it, a row at a time and without counting on memory. The same filters, order and
// columns as the pages of scoped_list.h.
//
// A reader streams with a cursor in the caller's open transaction and belongs to the connection's
// thread. Errors: CB-REGISTER-1301 (words that no list knows), and what scoped_list says.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/read.h"
#include "register/scoped_list.h"

namespace canbao::reg {

// From the contract's words: a list ("uncovered"), or a form ("form-2-1") with its column, and the
// filters as they stand behind ? of a page.
Result<RowFilter> FilterOf(std::string_view list, std::string_view column,
                           const std::map<std::string, std::string>& query);

struct ExportOptions {
  std::vector<int64_t> persons;  // only these; empty = all
  bool clear = false;            // numbers, names, phones as they are
  int64_t rows = 0;              // about as many are expected; 0 = unknown
};

Result<std::unique_ptr<ListReader>> StreamRows(Connection& c, const FieldCipher& cipher,
                                               const RowFilter& filter,
                                               const ExportOptions& options);

}  // namespace canbao::reg
