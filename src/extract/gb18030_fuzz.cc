// Any bytes as GB18030: the result is valid UTF-8, and the same as ICU's where the bytes are valid.
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include "extract/format/gb18030.h"
#include "extract/format/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  bool valid = true;
  std::string mine = DecodeGb18030(text, &valid);
  if (!IsValidUtf8(mine) || RepairUtf8(mine) != mine) __builtin_trap();
  if (!valid) return 0;
  static UConverter* converter = [] {
    UErrorCode code = U_ZERO_ERROR;
    return ucnv_open("gb18030", &code);
  }();
  UErrorCode code = U_ZERO_ERROR;
  icu::UnicodeString icu(text.data(), static_cast<int32_t>(text.size()), converter, code);
  std::string theirs;
  icu.toUTF8String(theirs);
  if (theirs != mine) __builtin_trap();
  return 0;
}
