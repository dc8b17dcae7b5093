// Any text as a date, a number, an amount. What is read as a date can be written and read again.
#include <cstdint>

#include "extract/typing/clean_text.h"
#include "extract/typing/date_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (bool date1904 : {false, true}) {
    canbao::Date date = ParseDateText(text, date1904);
    if (date.has_value() && ParseDateText(date.ToIso(), false) != date) __builtin_trap();
  }
  uint64_t n = 0;
  if (ParseWhole(text, &n) && n > 999999999999999999u) __builtin_trap();
  int64_t fen = 0;
  ParseAmount(text, &fen);
  return 0;
}
