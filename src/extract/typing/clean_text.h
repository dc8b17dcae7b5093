// Repairs of short coded values that spreadsheets and input methods damage. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace canbao::extract {

enum class Blanks { kKeep, kDrop };

// Full-width characters made half width, apostrophes at the front and (kDrop) all blanks gone.
// Writes at most utf8.size() bytes to `room`.
std::string_view HalfWidth(std::string_view utf8, char* room, Blanks blanks);

// A whole number: digits, thousands separators, ".0" behind them. False on anything else or
// overflow.
bool ParseWhole(std::string_view utf8, uint64_t* out);

// An amount with up to two decimals, in hundredths.
bool ParseAmount(std::string_view utf8, int64_t* out);

}  // namespace canbao::extract
