// Checking UTF-8: whole blocks at several GB/s (Keiser and Lemire, "Validating UTF-8 in less than
// one instruction per byte", 2020), so that valid blocks need no check field by field. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canbao::extract {

bool IsValidUtf8(std::string_view text);

// Counts multi-byte characters and bytes that belong to none, to tell UTF-8 from other encodings.
// A character cut off at the end of the text counts as neither.
struct Utf8Census {
  uint64_t characters = 0;
  uint64_t invalid = 0;
};
Utf8Census CountUtf8(std::string_view text);

// Replaces invalid bytes by U+FFFD.
std::string RepairUtf8(std::string_view text);

}  // namespace canbao::extract
