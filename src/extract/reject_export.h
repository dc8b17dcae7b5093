// Rejected rows as a file to correct and deliver again: the header and the records as they were
// delivered, in UTF-8, behind two columns that say why and from which line (readers carry further
// columns unread, so they need not be removed).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "extract/row.h"

namespace canbao::extract {

struct RejectedRecord {
  std::string line;  // "42"; of a workbook's second sheet "2!42"
  std::string why;   // RejectWords(), or the same in the reader's language
  std::string text;  // the record as Reject::text has it
};

// Why, in words: "row_required_missing name (column 3)".
std::string RejectWords(RejectReason reason, std::string_view field, uint16_t column);

// `header` and `delimiter` are those of the extract's account; of workbooks and tables the
// delimiter is a comma. Writes beside `path` and renames, so that half a file is never seen.
Status WriteCorrectable(const std::string& path, std::string_view header, char delimiter,
                        std::span<const RejectedRecord> records);

}  // namespace canbao::extract
