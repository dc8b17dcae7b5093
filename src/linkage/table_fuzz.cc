// Any bytes as a table: no crash, as many values in every column as rows, lines that ascend.
#include <cstdint>
#include <stdexcept>

#include "linkage/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using canbao::linkage::ParseTable;
  auto table = ParseTable({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!table) return 0;
  if (table->header.size() != table->columns.size()) throw std::logic_error("columns");
  for (const auto& column : table->columns) {
    if (column.rows.size() != table->rows()) throw std::logic_error("rows");
    for (auto code : column.rows) {
      if (code >= column.values.size()) throw std::logic_error("codes");
    }
  }
  for (size_t i = 1; i < table->rows(); ++i) {
    if (table->lines[i] <= table->lines[i - 1]) throw std::logic_error("lines");
  }
  return 0;
}
