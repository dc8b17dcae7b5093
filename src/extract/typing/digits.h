// Eight ASCII digits in one word, as dates and codes are read: first byte lowest. Pure functions.
#pragma once

#include <cstdint>

namespace canbao::extract {

inline bool AreDigits(uint64_t eight) {
  return (((eight & 0xF0F0F0F0F0F0F0F0u) ^ 0x3030303030303030u) |
          (((eight + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) ^ 0x3030303030303030u)) == 0;
}

// Of digits: four numbers of two digits, in 16 bits each.
inline uint64_t DigitPairs(uint64_t eight) {
  return (eight & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8 & 0x00FF00FF00FF00FFu;
}

// Of digits: the number of eight digits.
inline uint32_t DigitNumber(uint64_t eight) {
  uint64_t fours = DigitPairs(eight) * 6553601 >> 16;
  return static_cast<uint32_t>((fours & 0x0000FFFF0000FFFFu) * 42949672960001u >> 32);
}

}  // namespace canbao::extract
