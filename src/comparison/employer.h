// What the stages of a comparison want to know of an employer: it fits in a word, which records
// carry, and a hash to tell it from others.
#pragma once

#include <cstdint>

namespace canbao::comparison {

// From below: county 20 bits (six digits, 0 = unknown), unit type 8, nothing 3, given 1.
struct Employer {
  uint32_t v = 0;
  uint16_t id = 0;  // of its code, else of its number; 0 = unknown
  static constexpr Employer Of(uint8_t unit_type, uint32_t county, uint16_t id) {
    return {1u << 31 | static_cast<uint32_t>(unit_type) << 20 | (county & 0xFFFFF), id};
  }
  // A number was given, even if no employer extract knows it.
  bool given() const { return v != 0; }
  uint8_t unit_type() const { return static_cast<uint8_t>(v >> 20); }
  uint32_t county() const { return v & 0xFFFFF; }
};

}  // namespace canbao::comparison
