// The errors that real files carry, at the rates of a profile, and the outcome of the comparison
// that is right for a row with them. Decided from (seed, person, row) alone, before the person's
// answer is worked out, because rejected and conflicting rows count for nobody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/demo/names.h"
#include "app/demo/world.h"

namespace canbao::demo {

enum class ErrorProfile : uint8_t { kClean, kRealistic, kHard };

enum class NumberDamage : uint8_t {
  kNone,
  // The number can be read at once.
  kBlanks,
  kFullWidth,
  kLowerX,
  kApostrophe,
  // One repair leads back.
  k15,
  k17,
  k19,
  kSubstitution,
  kSwap,
  kTailLost,
  // Nothing usable is left.
  kBlank,
  kPlaceholder,
  kScientific,
  kTwoErrors,
  // A valid number that nobody else has.
  kSuperseded,
  kBirthAltered,
  // Another person's number.
  kWrongPerson
};
enum class BirthDamage : uint8_t { kNone, k0101, kDigit, kLunar, kImpossible, kMissing, kSwapped };
enum class RowDamage : uint8_t {
  kNone,
  kDuplicate,
  kRequiredMissing,
  kTooFew,
  kTooMany,
  kSchemeUnknown,
  kStateUnmapped,
  kDateImpossible
};

struct Damage {
  NumberDamage number = NumberDamage::kNone;
  NameDamage name = NameDamage::kNone;
  BirthDamage birth = BirthDamage::kNone;
  RowDamage row = RowDamage::kNone;
  bool sex_flip = false;
  char id[24] = {};      // the number when it is another valid one (superseded, altered, other's)
  uint64_t purpose = 0;  // for the draws when the damage is applied
  bool any() const {
    return number != NumberDamage::kNone || name != NameDamage::kNone ||
           birth != BirthDamage::kNone || row != RowDamage::kNone || sex_flip;
  }
  bool Rejects() const {
    return row == RowDamage::kRequiredMissing || row == RowDamage::kTooFew ||
           row == RowDamage::kTooMany || row == RowDamage::kSchemeUnknown;
  }
  // The row counts for nobody.
  bool Excluded() const {
    return Rejects() || number == NumberDamage::kWrongPerson || row == RowDamage::kStateUnmapped;
  }
};

enum class RowClass : uint8_t { kRegister, kEnrolment, kDepartment };

// What can go wrong in a row depends on what it holds.
struct RowShape {
  RowClass cls = RowClass::kEnrolment;
  bool birth = false, sex = false, scheme = false, end_date = false, lower_level = false;
};

// `ordinal` tells the rows of one person apart.
Damage DrawDamage(const World& world, uint64_t seed, ErrorProfile profile, const Person& person,
                  uint32_t ordinal, const RowShape& shape);

// The texts as written. `out` is replaced.
void ApplyNumber(const Damage& damage, const Person& person, uint64_t seed, std::string* out);
void ApplyName(const Damage& damage, const Person& person, uint64_t seed, std::string* out);
// yyyymmdd as a number that need not be a date; 0 = empty.
uint32_t ApplyBirth(const Damage& damage, const Person& person, uint64_t seed);

// "id_15+name_space"; names as in the truth files.
void AppendCorruption(const Damage& damage, std::string* out);
std::string_view ExpectedOutcome(const Damage& damage, const RowShape& shape, bool in_register);

// Whether the row is surely linked (`good`), and whether its number was damaged at all (`worst`).
bool MayBeLost(const Damage& damage, const RowShape& shape);
bool NumberDamaged(const Damage& damage);

}  // namespace canbao::demo
