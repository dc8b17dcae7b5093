// A model for tables that nobody wrote one for: which column is a name, a date, an address is told
// by its header and by what stands in it. The result is the text of a model, to be used as it is or
// to be corrected first. Columns that name rows or tell the truth (`cluster`, `label`) are left
// alone.
//
// Pure. Error: kErrNoRoles when no column is of use.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "linkage/table.h"

namespace canbao::linkage {

struct GuessOptions {
  std::vector<std::string> ignored;
  bool link_only = false;
};

Result<std::string> GuessModel(const std::vector<Table>& tables, const GuessOptions& options);

}  // namespace canbao::linkage
