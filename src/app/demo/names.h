// Names of invented people, and the ways in which real files misspell a name.
// Pure functions over constant tables, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/demo/random.h"

namespace canbao::demo {

inline constexpr int kMaxNameBytes = 63;

struct PersonName {
  char text[kMaxNameBytes + 1];
  uint8_t length = 0;
  bool dotted = false;  // 库尔班·热合曼
  bool rare = false;    // has a rare character
  bool latin = false;
  std::string_view view() const { return {text, length}; }
};

// `family` decides the surname (members of a household share it), `rng` the rest.
void MakeName(uint64_t family, bool male, int birth_year, bool foreigner, Rng* rng,
              PersonName* name);

enum class NameDamage : uint8_t {
  kNone,
  kDot,          // another separator: 库尔班•热合曼
  kSpace,        // blanks inside
  kTraditional,  // 陳剛
  kVariantForm,  // 峯 for 峰
  kPua,          // a private-use code point for a rare character
  kHomophone,
  kShape,
  kMissingChar,
  kRareMark,  // ? or □ for a rare character
  kSwap       // given characters swapped
};
std::string_view NameOf(NameDamage damage);  // "name_homophone"

// Damages `name`; false (and `out` untouched) when the name has no place for this damage.
bool DamageName(std::string_view name, NameDamage damage, Rng* rng, std::string* out);

}  // namespace canbao::demo
