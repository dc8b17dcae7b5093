// At which level do two profiles agree, field by field? What a level says, in bits, is the model's
// business (model.h); this is what the rows show. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "comparison/link/profile.h"

namespace canbao::comparison {

enum class Field : uint8_t {
  kName,
  kBirth,
  kSex,
  kPlace,
  kPhone,
  kUnit,
  kHousehold,
  kOrigin,
  kTail
};
inline constexpr size_t kFields = 9;
inline constexpr size_t kMaxLevels =
    6;  // levels 1 to 5 of a field; 0 = one of the two says nothing

// Levels by field. All fields that are not listed: equal, differ.
namespace level {
inline constexpr uint8_t kNone = 0, kEqual = 1, kDiffer = 2;
inline constexpr uint8_t kNameExact = 1, kNameAlike = 2, kNameUnlike = 3;
// The last two: only the number says the seeker's birth date, and it may be what is wrong with it.
inline constexpr uint8_t kBirthEqual = 1, kBirthNear = 2, kBirthDiffer = 3, kNumberNear = 4,
                         kNumberDiffer = 5;
inline constexpr uint8_t kCounty = 1, kCity = 2, kOtherPlace = 3;
}  // namespace level

// How a model and people call a level. u, m: whether the run counts them.
struct LevelName {
  const char* key;
  const char* zh;
  const char* en;
  bool u_counted;
  bool m_counted;
};
struct FieldName {
  const char* key;
  const char* zh;
  const char* en;
  std::span<const LevelName> levels;  // [i] is level i + 1
};
const std::array<FieldName, kFields>& FieldNames();

// The levels of all fields, three bits each.
struct Levels {
  uint32_t v = 0;
  uint8_t Of(Field f) const { return v >> (3 * static_cast<uint32_t>(f)) & 7; }
  void Set(Field f, uint8_t level) {
    v |= static_cast<uint32_t>(level) << (3 * static_cast<uint32_t>(f));
  }
  friend bool operator==(Levels, Levels) = default;
};

struct Compared {
  Levels levels;
  uint32_t place = 0;  // the county or city that both have; 0 = none
};
Compared Compare(const Profile& seeker, const Profile& person);

// Another sex, a birth date that has nothing in common with the person's, a brother or sister
// (MayBeTwins()): for somebody to look at, however rare the name.
inline bool IsDenied(Levels levels, bool may_be_twins) {
  return may_be_twins || levels.Of(Field::kSex) == level::kDiffer ||
         levels.Of(Field::kBirth) == level::kBirthDiffer;
}

// Day and month exchanged, one part of three differs, 1 January of the year, or as far apart as a
// lunar date is from its solar one.
bool IsNear(Date a, Date b);

}  // namespace canbao::comparison
