#include "comparison/link/level.h"

#include <algorithm>

namespace canbao::comparison {
namespace {

using identity::NameAgreement;
using identity::NameCode;
using identity::Sex;

constexpr LevelName kNameLevels[] = {{"exact", "相同", "the same", true, true},
                                     {"alike", "相近", "alike", true, true}};
constexpr LevelName kBirthLevels[] = {
    {"equal", "相同", "equal", true, true},
    {"near", "相近", "near", false, true},
    {"differ", "不同", "different", false, true},
    {"number_near", "号码所示相近", "near, by the number", false, false},
    {"number_differ", "号码所示不同", "different, by the number", false, false}};
constexpr LevelName kPlaceLevels[] = {{"county", "同县区", "one county", true, true},
                                      {"city", "同市", "one city", true, true},
                                      {"other", "异地", "elsewhere", false, true}};
constexpr LevelName kTwoLevels[] = {{"equal", "相同", "equal", false, true},
                                    {"differ", "不同", "different", false, true}};
// Rows that a verified number links have one number: nothing to be counted there.
constexpr LevelName kNumberLevels[] = {{"equal", "相同", "equal", false, false},
                                       {"differ", "不同", "different", false, false}};

constexpr std::array<FieldName, kFields> kFieldNames = {
    FieldName{"name", "姓名", "name", kNameLevels},
    FieldName{"birth", "出生日期", "birth date", kBirthLevels},
    FieldName{"sex", "性别", "sex", kTwoLevels},
    FieldName{"place", "地区", "place", kPlaceLevels},
    FieldName{"phone", "电话", "phone", kTwoLevels},
    FieldName{"unit", "用人单位", "employer", kTwoLevels},
    FieldName{"household", "户号", "household", kTwoLevels},
    FieldName{"origin", "号码前六位", "first six digits", kNumberLevels},
    FieldName{"tail", "号码末四位", "last digits", kNumberLevels}};

uint8_t NameLevel(uint64_t a, uint64_t b) {
  if (a == b) return level::kNameExact;
  // Names too long for a code are known by their hash alone.
  if (a == 0 || b == 0 || NameCode{a}.is_hash() || NameCode{b}.is_hash()) {
    return level::kNameUnlike;
  }
  identity::FoldedName fa;
  identity::FoldedName fb;
  identity::Unpack(NameCode{a}, &fa);
  identity::Unpack(NameCode{b}, &fb);
  return identity::CompareNames(fa, fb) == NameAgreement::kUnlike ? level::kNameUnlike
                                                                  : level::kNameAlike;
}

uint8_t PlaceLevel(const Profile& a, const Profile& b, uint32_t* place) {
  if (a.places.n == 0 || b.places.n == 0) return level::kNone;
  uint32_t city = 0;
  for (uint32_t x : a.places.all()) {
    for (uint32_t y : b.places.all()) {
      if (x == y && x % 100 != 0) {
        *place = x;
        return level::kCounty;
      }
      if (city == 0 && CityOf(x) == CityOf(y)) city = CityOf(x);
    }
  }
  *place = city;
  return city != 0 ? level::kCity : level::kOtherPlace;
}

}  // namespace

const std::array<FieldName, kFields>& FieldNames() { return kFieldNames; }

bool IsNear(Date a, Date b) {
  if (!a.has_value() || !b.has_value() || a == b) return false;
  uint32_t x = a.yyyymmdd();
  uint32_t y = b.yyyymmdd();
  bool year = x / 10000 == y / 10000;
  bool month = x / 100 % 100 == y / 100 % 100;
  bool day = x % 100 == y % 100;
  if (year + month + day == 2) return true;
  if (year && x / 100 % 100 == y % 100 && x % 100 == y / 100 % 100) return true;
  if (year && (x % 10000 == 101 || y % 10000 == 101)) return true;
  // A lunar date is 17 to 52 days behind its solar one.
  int apart = static_cast<int>(a.v) - static_cast<int>(b.v);
  apart = apart < 0 ? -apart : apart;
  return apart >= 17 && apart <= 52;
}

Compared Compare(const Profile& s, const Profile& p) {
  Compared out;
  Levels& l = out.levels;
  l.Set(Field::kName, NameLevel(s.name, p.name));
  if (l.Of(Field::kName) == level::kNameUnlike) return out;
  if (s.birth.has_value() && p.birth.has_value()) {
    const bool near = IsNear(s.birth, p.birth);
    l.Set(Field::kBirth, s.birth == p.birth  ? level::kBirthEqual
                         : s.birth_of_number ? (near ? level::kNumberNear : level::kNumberDiffer)
                         : near              ? level::kBirthNear
                                             : level::kBirthDiffer);
  }
  auto two = [&l](Field f, bool both, bool equal) {
    if (both) l.Set(f, equal ? level::kEqual : level::kDiffer);
  };
  two(Field::kSex, s.sex != Sex::kUnknown && p.sex != Sex::kUnknown, s.sex == p.sex);
  l.Set(Field::kPlace, PlaceLevel(s, p, &out.place));
  two(Field::kPhone, s.phones.n > 0 && p.phones.n > 0, s.phones.Meets(p.phones));
  two(Field::kUnit, s.units.n > 0 && p.units.n > 0, s.units.Meets(p.units));
  two(Field::kHousehold, s.household != 0 && p.household != 0, s.household == p.household);
  two(Field::kOrigin, s.origin != 0 && p.origin != 0, s.origin == p.origin);
  two(Field::kTail, s.tail != 0 && p.tail != 0, s.tail == p.tail);
  return out;
}

}  // namespace canbao::comparison
