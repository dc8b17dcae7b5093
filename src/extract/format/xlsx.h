// Workbooks (.xlsx, ECMA-376) through libzip and expat, streamed: only the shared strings are held
// in memory. Hidden sheets are left out; formulas give their stored value; errors are empty.
//
// Numbers become what they mean: whole numbers as digits, cells with a date format as YYYY-MM-DD
// (1900 and 1904 counting). A whole number of more than 15 digits has lost its tail to the
// spreadsheet and is given in scientific notation, so that nobody takes its zeros for digits.
#pragma once

#include <memory>
#include <string>

#include "extract/format/table_source.h"

namespace canbao::extract {

Result<std::unique_ptr<TableSource>> OpenXlsx(const std::string& path);
// The same from bytes in memory (they must outlive the source), for fuzzing.
Result<std::unique_ptr<TableSource>> OpenXlsxBytes(std::string_view bytes, const std::string& name);

}  // namespace canbao::extract
