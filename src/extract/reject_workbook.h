// Rejected rows as a workbook to correct: a sheet for each file, its header and the rows as they
// were delivered, the cell at fault coloured and with the reason as its comment. A row whose shape
// is wrong is coloured as a whole. The columns reject_reason and reject_line stand in front, as in
// reject_export.h: readers carry them unread, so the file can be delivered again as it is.
//
// One thread. Files are written beside their place and renamed. Fails with kErrWrite.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "extract/row.h"

namespace canbao::extract {

struct WorkbookReject {
  std::string line;     // "42"; of a workbook's second sheet "2!42"
  std::string why;      // in the reader's language
  uint16_t column = 0;  // 1-based, 0 = the whole row
  std::string text;     // the record as Reject::text has it
};

class RejectWorkbook {
 public:
  static Result<std::unique_ptr<RejectWorkbook>> Create(const std::string& path);
  virtual ~RejectWorkbook() = default;

  // A file's sheet; `header` and `delimiter` are those of its account. At most a million rows; what
  // lies beyond is left out.
  virtual Status AddFile(const std::string& file, std::string_view header, char delimiter,
                         const std::vector<WorkbookReject>& rejects) = 0;
  virtual Status Finish() = 0;
};

// The fields of one delimited record in UTF-8, quotes taken off.
std::vector<std::string> FieldsOfRecord(std::string_view record, char delimiter);

}  // namespace canbao::extract
