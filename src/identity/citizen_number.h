// Citizen numbers (GB 11643) and the other documents a row may carry in its number column.
// Pure functions, thread-safe, no allocation on the fast path (a valid 18-digit number).
//
// A number that can identify a person becomes a PersonNumber, 64 bits:
//   bit 63 clear: the first 17 digits as an integer (< 2^57); the check digit follows from them.
//   bit 63 set:   another document; the low 62 bits hash (document type, folded number).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"

namespace canbao::identity {

enum class Sex : uint8_t { kUnknown = 0, kMale = 1, kFemale = 2 };

struct PersonNumber {
  uint64_t v = 0;  // 0 = none
  constexpr bool has_value() const { return v != 0; }
  constexpr bool is_citizen() const { return v != 0 && (v >> 63) == 0; }
  friend constexpr auto operator<=>(PersonNumber, PersonNumber) = default;
};

enum class NumberClass : uint8_t {
  kMissing = 0,  // empty, or a placeholder (无, 000…, 123456…)
  kValid = 1,    // 18 digits: shape, real date, check digit (81/82/83 0000 and leading 9 included)
  kUpgraded15 = 2,  // a valid 15-digit number, upgraded; `number` is the 18-digit one
  kOther = 3,  // another document (passport, 港澳台 pass, army id …), accepted by its own shape
  kDamaged = 4  // anything else; `text` keeps the cleaned characters for repair
};

struct ParsedNumber {
  NumberClass cls = NumberClass::kMissing;
  bool cleaned = false;  // blanks, full width, apostrophe, or lower-case x had to be repaired
  PersonNumber number;   // kValid, kUpgraded15, kOther
  char text[33] = {};    // cleaned text: upper case, half width, no blanks; NUL-terminated
  uint8_t length = 0;
};

// `raw` is UTF-8 as delivered. `id_type` is the document type code of the row (AAC058; "" or "01" =
// citizen number). `today` bounds the birth date (a number of the future is damaged).
ParsedNumber ParseNumber(std::string_view raw, std::string_view id_type, Date today);

// The fast path of ParseNumber() alone: numbers that are valid as they stand. Made once for many.
class PlainNumbers {
 public:
  explicit PlainNumbers(Date today);
  // Of the 18 bytes at `p`; false for anything that needs a second look.
  bool Parse(const char* p, PersonNumber* out) const;

 private:
  uint32_t first_;  // birth dates that are possible, YYYYMMDD
  uint32_t last_;
};

// Parts of a citizen number. Missing / unknown for other documents.
Date BirthDateOf(PersonNumber number);
Sex SexOf(PersonNumber number);
uint32_t AddressCodeOf(PersonNumber number);       // first six digits
char CheckDigitOf(uint64_t first17);               // '0'..'9' or 'X'
std::string ToText(PersonNumber number);           // 18 characters; empty for other documents
PersonNumber FromText18(std::string_view text18);  // none unless valid

// Every valid citizen number one repair away from `text` (ParsedNumber::text): one substituted
// digit (the check digit too), one adjacent transposition, one missing digit, one extra digit, 15
// leading digits kept with the tail lost (spreadsheet: 000 or nothing behind them, or scientific
// notation that still shows 15 digits). Sorted, without repetition. Real birth dates up to `today`
// only. A valid number has no candidates but one that ends in 000: one lost tail in eleven leaves a
// check digit that fits, so a number of that kind which nobody has is worth repairing too (`text`
// itself is then among the candidates). 15 digits that are a valid old number are not taken for a
// cut one.
std::vector<PersonNumber> RepairCandidates(std::string_view text, Date today);

// "330102********1111": for logs, screens and lists.
std::string MaskNumber(std::string_view text);

}  // namespace canbao::identity
