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

// The same mapping the other way round: what a person's classification must say to count in a cell.
// A test holds the two together.
struct CellTest {
  uint32_t flags_mask = 0;  // flags & mask == flags_value
  uint32_t flags_value = 0;
  uint8_t uncovered = 0;         // has this bit; 0 = whatever
  uint16_t duplicates = 0;       // has this bit; 0 = whatever
  uint8_t form_2_2 = kNoColumn;  // is this; kNoColumn = whatever
  bool nobody = false;           // no such column
  bool Holds(const Classification& c) const {
    return !nobody && (c.flags & flags_mask) == flags_value &&
           (uncovered == 0 || (c.uncovered & uncovered) != 0) &&
           (duplicates == 0 || (c.duplicates & duplicates) != 0) &&
           (form_2_2 == kNoColumn || c.form_2_2 == form_2_2);
  }
};

// Of a column of form 2-1 (1..25) or 2-2 (1..26, kNotYetVerified).
constexpr CellTest TestOf(uint8_t form, uint8_t column) {
  CellTest t;
  if (form == kForm22) {
    t.form_2_2 = column;
    t.nobody = column == kNoColumn || column > kNotYetVerified;
    return t;
  }
  for (size_t i = 0; i < sizeof(kUncoveredColumns); ++i) {
    if (kUncoveredColumns[i] == column) t.uncovered = static_cast<uint8_t>(1u << i);
  }
  for (int i = 0; i < kConsolidatedShift + kDuplicates; ++i) {
    if (ColumnOfDuplicate(i) == column) t.duplicates = static_cast<uint16_t>(1u << i);
  }
  switch (column) {
    case 1:
      t.flags_mask = t.flags_value = kH;
      break;
    case 2:
      t.flags_mask = t.flags_value = kL;
      break;
    case 3:
      t.flags_mask = kH | kL;
      t.flags_value = kL;
      break;
    case 4:
      t.flags_mask = t.flags_value = kElsewhere;
      break;
    case 5:
      t.flags_mask = t.flags_value = kToVerify;
      break;
    case 6:
      t.flags_mask = t.flags_value = kVerified;
      break;
    default:
      t.nobody = form != kForm21 || (t.uncovered == 0 && t.duplicates == 0);
  }
  return t;
}

}  // namespace canbao::scheme
