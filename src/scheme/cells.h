// Which cells of the forms a person counts in. The comparison uses it to count while it classifies,
// the register to keep its cubes by −old/+new, the drill-down to find the people behind a figure:
// one mapping for all, so that a figure and its people cannot drift apart. Pure, no allocation.
#pragma once

#include <cstdint>

#include "scheme/person.h"

namespace canbao::scheme {

// Form codes of a cell. 23 is the cross table beside form 2-2: persons in employee and resident
// schemes, column = (employee column − 1) × 5 + (resident column − 11) + 1 = 1..50.
inline constexpr uint8_t kForm21 = 21;
inline constexpr uint8_t kForm22 = 22;
inline constexpr uint8_t kCrossTable = 23;

// Column of form 2-1 for each duplicate bit; its 已整合 column follows.
inline constexpr uint8_t kDuplicateColumns[] = {8, 10, 12, 14, 17, 19, 21};
// Column of form 2-1 for each branch's uncovered set, by Branch.
inline constexpr uint8_t kUncoveredColumns[] = {7, 16, 23, 24, 25};

constexpr uint8_t ColumnOfDuplicate(int bit) {
  return bit < kConsolidatedShift
             ? kDuplicateColumns[bit]
             : static_cast<uint8_t>(kDuplicateColumns[bit - kConsolidatedShift] + 1);
}

// Calls f(form, column) for each cell; at most once for a cell. Persons of W alone count in 23–25
// only.
template <typename F>
void ForEachCell(const Classification& c, F f) {
  if ((c.flags & kH) != 0) f(kForm21, uint8_t{1});
  if ((c.flags & kL) != 0) {
    f(kForm21, uint8_t{2});
    if ((c.flags & kH) == 0) f(kForm21, uint8_t{3});
  }
  if ((c.flags & kElsewhere) != 0) f(kForm21, uint8_t{4});
  if ((c.flags & kToVerify) != 0) f(kForm21, uint8_t{5});
  if ((c.flags & kVerified) != 0) f(kForm21, uint8_t{6});
  for (unsigned bits = c.uncovered; bits != 0; bits &= bits - 1) {
    f(kForm21, kUncoveredColumns[__builtin_ctz(bits)]);
  }
  for (unsigned bits = c.duplicates; bits != 0; bits &= bits - 1) {
    f(kForm21, ColumnOfDuplicate(__builtin_ctz(bits)));
  }
  if (c.form_2_2 != kNoColumn) f(kForm22, c.form_2_2);
  if (c.both_classes != 0) {
    f(kCrossTable, static_cast<uint8_t>((c.form_2_2 - 1) * 5 + (c.both_classes - 11) + 1));
  }
}

}  // namespace canbao::scheme
