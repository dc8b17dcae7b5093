#include "app/demo/damage.h"

#include <algorithm>
#include <cstring>

namespace canbao::demo {
namespace {

// Rates in millionths of the rows of a kind, counted in files as agencies deliver them; `hard`
// takes three times as much.
struct NumberRate {
  NumberDamage damage;
  uint32_t enrolment, department;
};
constexpr NumberRate kNumberRates[] = {{NumberDamage::k15, 17500, 12000},
                                       {NumberDamage::kBlank, 22600, 0},
                                       {NumberDamage::kPlaceholder, 2800, 0},
                                       {NumberDamage::kBlanks, 2800, 2200},
                                       {NumberDamage::kFullWidth, 1400, 900},
                                       {NumberDamage::kApostrophe, 2000, 1200},
                                       {NumberDamage::kScientific, 1400, 1400},
                                       {NumberDamage::kSubstitution, 3300, 2600},
                                       {NumberDamage::kSwap, 1400, 1500},
                                       {NumberDamage::k17, 300, 700},
                                       {NumberDamage::k19, 700, 400},
                                       {NumberDamage::kTailLost, 1500, 1000},
                                       {NumberDamage::kTwoErrors, 400, 400},
                                       {NumberDamage::kSuperseded, 800, 900},
                                       {NumberDamage::kBirthAltered, 1800, 1600},
                                       {NumberDamage::kWrongPerson, 400, 400},
                                       {NumberDamage::kLowerX, 1200, 1000}};
struct NameRate {
  NameDamage damage;
  uint32_t rate;
};
// Rates among the names that have a place for the damage are higher; these are of all rows.
constexpr NameRate kNameRates[] = {
    {NameDamage::kHomophone, 7000},    {NameDamage::kShape, 6000}, {NameDamage::kMissingChar, 500},
    {NameDamage::kSpace, 1600},        {NameDamage::kSwap, 250},   {NameDamage::kTraditional, 1800},
    {NameDamage::kVariantForm, 30000}, {NameDamage::kDot, 200000}, {NameDamage::kPua, 250000},
    {NameDamage::kRareMark, 250000}};
struct BirthRate {
  BirthDamage damage;
  uint32_t rate;
};
constexpr BirthRate kBirthRates[] = {
    {BirthDamage::k0101, 4300},      {BirthDamage::kDigit, 2500},    {BirthDamage::kLunar, 3800},
    {BirthDamage::kImpossible, 400}, {BirthDamage::kMissing, 21000}, {BirthDamage::kSwapped, 600}};

bool IsUnusable(NumberDamage d) {
  return d == NumberDamage::kBlank || d == NumberDamage::kPlaceholder ||
         d == NumberDamage::kScientific || d == NumberDamage::kTwoErrors;
}
bool IsRepairable(NumberDamage d) { return d >= NumberDamage::k15 && d <= NumberDamage::kTailLost; }
bool IsOtherValid(NumberDamage d) {
  return d == NumberDamage::kSuperseded || d == NumberDamage::kBirthAltered;
}
bool IsVariantName(NameDamage d) {
  return d == NameDamage::kHomophone || d == NameDamage::kShape || d == NameDamage::kMissingChar ||
         d == NameDamage::kRareMark || d == NameDamage::kSwap;
}

bool SharesCharacter(std::string_view a, std::string_view b) {
  for (size_t i = 0; i + 3 <= a.size(); i += 3) {
    if (b.find(a.substr(i, 3)) != std::string_view::npos) return true;
  }
  return false;
}

// The number of somebody of the register whose name and birth date leave no doubt that it is not
// he.
bool OtherPersonsNumber(const World& world, uint64_t persons, const Person& person, Rng* rng,
                        char* id) {
  Person other;
  for (int attempt = 0; attempt < 30; ++attempt) {
    world.MakeCore(rng->Next() % persons, &other);
    if (!other.hukou || other.id_type != 1 || other.birth == person.birth ||
        other.sex == person.sex || SharesCharacter(person.name.view(), other.name.view())) {
      continue;
    }
    std::memcpy(id, other.id, 18);
    return true;
  }
  return false;
}

}  // namespace

Damage DrawDamage(const World& world, uint64_t seed, ErrorProfile profile, const Person& person,
                  uint32_t ordinal, const RowShape& shape) {
  Damage d;
  if (profile == ErrorProfile::kClean) return d;
  const uint32_t factor = profile == ErrorProfile::kHard ? 3 : 1;
  d.purpose = 1000 + ordinal;
  Rng rng(seed, person.index, d.purpose);
  if (shape.cls == RowClass::kRegister) {
    // The baseline has hardly any: a line that broke.
    if (rng.Chance(200 * factor)) d.row = RowDamage::kTooFew;
    return d;
  }
  const bool enrolment = shape.cls == RowClass::kEnrolment;
  const auto& counties = world.geography().counties;
  const uint64_t persons = counties.back().first_person + counties.back().persons;

  uint32_t u = rng.Below(1000000);
  for (const NumberRate& r : kNumberRates) {
    const uint32_t rate = (enrolment ? r.enrolment : r.department) * factor;
    if (u >= rate) {
      u -= rate;
      continue;
    }
    d.number = r.damage;
    break;
  }
  const bool citizen = person.id_type == 1;
  if (!citizen && d.number != NumberDamage::kBlank) d.number = NumberDamage::kNone;
  switch (d.number) {
    case NumberDamage::k15:
      if (person.birth >= 20000101) d.number = NumberDamage::kNone;
      break;
    case NumberDamage::kLowerX:
      if (person.id[17] != 'X') d.number = NumberDamage::kNone;
      break;
    case NumberDamage::kTailLost:
      // Lost digits that were noughts anyway are no loss.
      if (std::memcmp(person.id + 15, "000", 3) == 0) d.number = NumberDamage::kNone;
      break;
    case NumberDamage::kSuperseded:
      if (!world.SupersededNumber(person, d.id)) d.number = NumberDamage::kNone;
      break;
    case NumberDamage::kBirthAltered:
      if (!world.AlteredBirthNumber(person, &rng, d.id)) d.number = NumberDamage::kNone;
      break;
    case NumberDamage::kWrongPerson:
      if (!OtherPersonsNumber(world, persons, person, &rng, d.id)) d.number = NumberDamage::kNone;
      break;
    default:
      break;
  }

  std::string scratch;
  for (const NameRate& r : kNameRates) {
    if (rng.Chance(std::min(r.rate * factor, 600000u))) {
      Rng probe(seed, person.index, d.purpose + 500000);
      if (DamageName(person.name.view(), r.damage, &probe, &scratch)) {
        d.name = r.damage;
        break;
      }
    }
  }
  // Without a citizen number the birth date is the only sign of the age.
  if (shape.birth && citizen) {
    u = rng.Below(1000000);
    for (const BirthRate& r : kBirthRates) {
      const uint32_t rate = r.rate * factor;
      if (u >= rate) {
        u -= rate;
        continue;
      }
      d.birth = r.damage;
      break;
    }
    const uint32_t month = person.birth / 100 % 100;
    const uint32_t day = person.birth % 100;
    if ((d.birth == BirthDamage::k0101 && month == 1 && day == 1) ||
        (d.birth == BirthDamage::kSwapped && (day > 12 || day == month))) {
      d.birth = BirthDamage::kNone;
    }
  }
  d.sex_flip = shape.sex && rng.Chance(600 * factor);

  u = rng.Below(1000000) / factor;
  struct {
    RowDamage damage;
    uint32_t rate;
    bool applies;
  } const kRows[] = {{RowDamage::kDuplicate, 2000, true},
                     {RowDamage::kRequiredMissing, 300, true},
                     {RowDamage::kTooFew, 200, true},
                     {RowDamage::kTooMany, 500, true},
                     {RowDamage::kSchemeUnknown, 200, shape.scheme},
                     {RowDamage::kStateUnmapped, 1300, enrolment},
                     {RowDamage::kDateImpossible, 500, shape.end_date}};
  for (const auto& r : kRows) {
    if (u < r.rate) {
      if (r.applies) d.row = r.damage;
      break;
    }
    u -= r.rate;
  }
  return d;
}

void ApplyNumber(const Damage& damage, const Person& person, uint64_t seed, std::string* out) {
  out->assign(person.number());
  if (damage.number == NumberDamage::kNone) return;
  Rng rng(seed, person.index, damage.purpose + 1000000);
  std::string& id = *out;
  switch (damage.number) {
    case NumberDamage::kNone:
      break;
    case NumberDamage::kBlanks:
      switch (rng.Below(3)) {
        case 0:
          id = id.substr(0, 6) + " " + id.substr(6, 8) + " " + id.substr(14);
          break;
        case 1:
          id = " " + id;
          break;
        default:
          id += "  ";
      }
      break;
    case NumberDamage::kFullWidth: {
      std::string wide;
      for (char c : id) {
        // U+FF10 is EF BC 90; U+FF38 (Ｘ) is EF BC B8.
        wide += "\xEF\xBC";
        wide += static_cast<char>(c == 'X' ? 0xB8 : 0x90 + (c - '0'));
      }
      id = wide;
      break;
    }
    case NumberDamage::kLowerX:
      id[17] = 'x';
      break;
    case NumberDamage::kApostrophe:
      id = "'" + id;
      break;
    case NumberDamage::k15:
      id = id.substr(0, 6) + id.substr(8, 9);
      break;
    case NumberDamage::k17:
      id.erase(rng.Below(17), 1);
      break;
    case NumberDamage::k19:
      id.insert(id.begin() + 1 + rng.Below(16), static_cast<char>('0' + rng.Below(10)));
      break;
    case NumberDamage::kSubstitution: {
      const uint32_t at = rng.Below(17);
      id[at] = static_cast<char>('0' + (id[at] - '0' + 1 + rng.Below(9)) % 10);
      break;
    }
    case NumberDamage::kSwap: {
      uint32_t at = rng.Below(16);
      while (id[at] == id[at + 1]) at = (at + 1) % 16;
      std::swap(id[at], id[at + 1]);
      break;
    }
    case NumberDamage::kTailLost:
      id = id.substr(0, 15) + "000";
      break;
    case NumberDamage::kBlank:
      id.clear();
      break;
    case NumberDamage::kPlaceholder: {
      static constexpr const char* kTexts[] = {"111111111111111111", "999999999999999999", "不详",
                                               "无", "000000000000000000"};
      id = kTexts[rng.Below(5)];
      break;
    }
    case NumberDamage::kScientific: {
      const uint32_t digits = rng.Below(3) == 0 ? 6 : 12;
      std::string mantissa = id.substr(0, digits);
      while (mantissa.size() > 2 && mantissa.back() == '0') mantissa.pop_back();
      id = mantissa.substr(0, 1) + "." + mantissa.substr(1) + "E+17";
      break;
    }
    case NumberDamage::kTwoErrors:
      do {
        id.assign(person.number());
        const uint32_t a = rng.Below(17);
        const uint32_t b = (a + 1 + rng.Below(16)) % 17;
        for (uint32_t at : {a, b}) {
          id[at] = static_cast<char>('0' + (id[at] - '0' + 1 + rng.Below(9)) % 10);
        }
      } while (CheckDigit(id.data()) == id[17]);
      break;
    case NumberDamage::kSuperseded:
    case NumberDamage::kBirthAltered:
    case NumberDamage::kWrongPerson:
      id.assign(damage.id, 18);
      break;
  }
}

void ApplyName(const Damage& damage, const Person& person, uint64_t seed, std::string* out) {
  out->assign(person.name.view());
  if (damage.name == NameDamage::kNone) return;
  Rng rng(seed, person.index, damage.purpose + 500000);
  DamageName(person.name.view(), damage.name, &rng, out);
}

uint32_t ApplyBirth(const Damage& damage, const Person& person, uint64_t seed) {
  Rng rng(seed, person.index, damage.purpose + 1500000);
  const uint32_t y = person.birth / 10000;
  const uint32_t m = person.birth / 100 % 100;
  const uint32_t d = person.birth % 100;
  switch (damage.birth) {
    case BirthDamage::kNone:
      return person.birth;
    case BirthDamage::k0101:
      return y * 10000 + 101;
    case BirthDamage::kDigit: {
      const uint32_t day = std::min(d, 28u);
      return (rng.Below(2) == 0 && y < 2016 ? y + 1 : y - 1) * 10000 + m * 100 + day;
    }
    case BirthDamage::kLunar:
      // The lunar calendar runs about a month behind.
      return m == 1 ? (y - 1) * 10000 + 1200 + std::min(d, 28u)
                    : y * 10000 + (m - 1) * 100 + (d * 7 + 3) % 28 + 1;
    case BirthDamage::kImpossible: {
      static constexpr uint32_t kDays[] = {1131, 0, 1345, 230};
      return y * 10000 + kDays[rng.Below(4)];
    }
    case BirthDamage::kMissing:
      return 0;
    case BirthDamage::kSwapped:
      return y * 10000 + d * 100 + m;
  }
  return person.birth;
}

void AppendCorruption(const Damage& damage, std::string* out) {
  static constexpr const char* kNumbers[] = {"",
                                             "id_blanks",
                                             "id_fullwidth",
                                             "id_lower_x",
                                             "id_apostrophe",
                                             "id_15",
                                             "id_17",
                                             "id_19",
                                             "id_substitution",
                                             "id_swap",
                                             "id_tail_lost",
                                             "id_blank",
                                             "id_placeholder",
                                             "id_scientific",
                                             "id_two_errors",
                                             "id_superseded",
                                             "id_birth_altered",
                                             "id_wrong_person"};
  static constexpr const char* kBirths[] = {"",
                                            "birth_0101",
                                            "birth_digit",
                                            "birth_lunar",
                                            "birth_impossible",
                                            "birth_missing",
                                            "birth_swapped"};
  static constexpr const char* kRowNames[] = {"",
                                              "row_duplicate",
                                              "row_required_missing",
                                              "row_too_few",
                                              "row_too_many",
                                              "scheme_unknown",
                                              "state_unmapped",
                                              "date_impossible"};
  bool first = true;
  auto add = [&](std::string_view name) {
    if (name.empty()) return;
    if (!first) *out += '+';
    first = false;
    *out += name;
  };
  add(kNumbers[static_cast<int>(damage.number)]);
  add(NameOf(damage.name));
  add(kBirths[static_cast<int>(damage.birth)]);
  if (damage.sex_flip) add("sex_flip");
  add(kRowNames[static_cast<int>(damage.row)]);
}

std::string_view ExpectedOutcome(const Damage& d, const RowShape& shape, bool in_register) {
  if (d.Rejects()) return "rejected";
  if (shape.cls == RowClass::kRegister) return "baseline";
  if (d.number == NumberDamage::kWrongPerson) return "conflict";
  const bool damaged = d.number != NumberDamage::kNone || d.name != NameDamage::kNone ||
                       d.birth != BirthDamage::kNone || d.sex_flip;
  if (!in_register) return damaged ? "any" : "exact|unlinked";
  const bool contradicts = d.birth != BirthDamage::kNone || d.sex_flip;
  if (IsUnusable(d.number)) {
    return d.name == NameDamage::kNone && !contradicts && shape.birth ? "probable"
                                                                      : "probable|unlinked";
  }
  if (IsOtherValid(d.number)) {
    return d.name == NameDamage::kNone && !contradicts && shape.birth ? "probable"
                                                                      : "probable|unlinked";
  }
  if (IsRepairable(d.number)) {
    if (contradicts) return "repaired|probable|unlinked";
    return d.name == NameDamage::kNone ? "repaired" : "repaired|probable|unlinked";
  }
  if (d.name == NameDamage::kVariantForm) return "exact|name_variant";
  if (IsVariantName(d.name)) return "name_variant";
  return "exact";
}

bool MayBeLost(const Damage& d, const RowShape& shape) {
  if (IsOtherValid(d.number)) return true;
  const bool more = d.name != NameDamage::kNone || d.birth != BirthDamage::kNone || d.sex_flip;
  if (IsUnusable(d.number)) return more || shape.cls == RowClass::kDepartment || !shape.birth;
  return IsRepairable(d.number) && more;
}

bool NumberDamaged(const Damage& d) { return d.number != NumberDamage::kNone; }

}  // namespace canbao::demo
