// Tables that are not delimited text: workbooks (.xlsx, .xls) and dBASE files (.dbf), row by row,
// every cell as UTF-8 text that means what the spreadsheet shows. A source belongs to one thread at
// a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace canbao::extract {

// Rows of one sheet. Cells are views into storage of the chunk itself or of its source.
struct TableChunk {
  struct RowSpan {
    uint64_t line;   // sheet row, 1-based
    uint32_t first;  // of its cells
    uint32_t cells;
  };
  int sheet = 0;  // 0 for the first sheet of the workbook, hidden ones counted
  std::string sheet_name;
  std::vector<std::string_view> cells;
  std::vector<RowSpan> rows;
  std::deque<std::string> storage;

  void Clear() {
    cells.clear();
    rows.clear();
    storage.clear();
  }
  std::span<const std::string_view> CellsOf(const RowSpan& row) const {
    return std::span(cells).subspan(row.first, row.cells);
  }
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  // About `want` further rows of one sheet (rows without any text are left out); false at the end.
  virtual Result<bool> Next(size_t want, TableChunk* chunk) = 0;
  // Leaves out what is left of the sheet of the last chunk.
  virtual void SkipSheet() = 0;
  // Days count from 1904-01-01 in numeric cells that carry no date format.
  virtual bool date1904() const { return false; }
};

enum class FileType { kText, kXlsx, kXls, kDbf, kUnknown };
FileType FileTypeOf(const std::string& path);  // by its name

// `encoding`: of .dbf files, the manifest's or empty.
Result<std::unique_ptr<TableSource>> OpenTableSource(const std::string& path,
                                                     const std::string& encoding);

}  // namespace canbao::extract
