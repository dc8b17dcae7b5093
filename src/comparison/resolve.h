// Who do the rows under one number belong to? rules.md §3, "Outcome per row", for everything that
// the number decides: exact, name_variant, conflict, unlinked, and the identity that prevails.
//
// Resolve() is a pure function of the rows of one key in their internal order; the brute-force
// oracle of the tests states the same rules pair by pair.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comparison/record.h"

namespace canbao::comparison {

// Values as written to outcome files (docs/formats/outcome-files.md).
enum class Outcome : uint8_t {
  kNone = 0,
  kBaseline = 1,
  kExact = 2,
  kNameVariant = 3,
  kRepaired = 4,
  kProbable = 5,
  kConflict = 6,
  kUnlinked = 7,
  kSuperseded = 8  // a newer delta row stands for it, or it ended something itself
};
inline constexpr int kOutcomes = 9;
std::string_view OutcomeName(Outcome outcome);  // "exact"

// Are the two rows under one number about one person?
enum class Agreement : uint8_t {
  kSameName,     // folded names equal
  kAlikeName,    // names alike
  kNameChanged,  // names unlike, birth date and sex equal (更名, to review)
  kContradict    // another person, or nothing to tell by
};
Agreement Compare(const Record& a, const Record& b);

struct Resolution {
  bool has_person = false;
  bool in_register = false;
  bool confirmed = false;  // false: provisional
  bool verified = false;   // in the register, or two sources agree in name and birth date
  int maker = -1;          // row by which the person was first seen
  int reference = -1;      // row whose name prevails
  Date birth;              // prevailing; from the number where no row says it
  identity::Sex sex = identity::Sex::kUnknown;
};

class Resolver {
 public:
  // `rows`: all rows of one key, ascending by order(), no probes and no masters. Fills one outcome
  // per row. A row without a usable number among them was
  // brought here by the link stage: it is `repaired` or `probable` and has no say in who the person
  // is, but it makes one of a number that only departments know.
  Resolution Resolve(std::span<const Record> rows, std::vector<Outcome>* outcomes);

 private:
  Resolution ResolveByRegister(std::span<const Record> rows, std::vector<Outcome>* outcomes);
  Resolution ResolveByMajority(std::span<const Record> rows, std::vector<Outcome>* outcomes);
  void Prevail(std::span<const Record> rows, const std::vector<Outcome>& outcomes, Resolution* r);

  std::vector<int> leader_;  // union-find over rows
  std::vector<int> members_;
};

// May a row without a usable number belong to the person whose reference row, birth date and sex
// are given? Every field that the row has must agree.
bool Agrees(const Record& row, const Record& reference, Date birth, identity::Sex sex);

}  // namespace canbao::comparison
