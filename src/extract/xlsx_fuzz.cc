// Any bytes as a workbook: every row of every sheet is read, or the file is refused.
#include "extract/format/xlsx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  auto source = OpenXlsxBytes({reinterpret_cast<const char*>(data), size}, "fuzz.xlsx");
  if (!source) return 0;
  TableChunk chunk;
  size_t characters = 0;
  for (int chunks = 0; chunks < 1000; ++chunks) {
    auto more = (*source)->Next(64, &chunk);
    if (!more || !*more) break;
    for (const auto& row : chunk.rows) {
      for (std::string_view cell : chunk.CellsOf(row)) {
        for (char c : cell) characters += static_cast<unsigned char>(c);
      }
    }
  }
  return characters == SIZE_MAX ? 1 : 0;
}
