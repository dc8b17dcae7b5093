// What the rules say of an invented person: the generator's own reading of the rules (classes,
// forms 2-1 and 2-2, uncovered branches, duplicates), kept apart from the product's on purpose, so
// that each checks the other. Pure functions; Tally belongs to one thread and is merged at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "app/demo/world.h"

namespace canbao::demo {

enum class PersonClass : uint8_t { kLocal, kElsewhere, kToVerify, kOutOfScope };

// Which rows of a person the comparison may count; a bit per row in the order of Person's arrays.
struct RowMask {
  bool register_row = true;
  uint32_t enrolments = 0xFFFFFFFF;
  uint32_t wages = 0xFFFFFFFF;
  bool student = true, death = true, prison = true, military = true, abroad = true, filing = true;
};

inline constexpr int kForm22Columns = 27;  // 27 = not yet verified

struct Answer {
  bool managed = false;  // H
  bool alive = true;
  PersonClass cls = PersonClass::kOutOfScope;
  uint32_t form_2_1 = 0;   // bit c: counts in column c
  uint8_t form_2_2 = 0;    // 1..27, 0 = in no column
  uint8_t uncovered = 0;   // bits: pension, medical, work injury, unemployment, maternity
  uint8_t duplicates = 0;  // bits as kDuplicateNames
  bool interrupted = false, wage = false;
  bool dead_enrolled = false;
  bool student = false, soldier = false, dependant = false, prisoner = false, abroad = false;
};

inline constexpr const char* kBranchNames[] = {"pension", "medical", "work_injury", "unemployment",
                                               "maternity"};
inline constexpr const char* kDuplicateNames[] = {
    "pension:cross_scheme",         "pension:cross_region", "pension:benefit_cross_scheme",
    "pension:benefit_cross_region", "medical:cross_scheme", "medical:cross_region",
    "medical:benefit_cross_scheme"};

Answer AnswerFor(const Person& person, const RowMask& rows, const World& world);

// Codes that stand for `state` in the family of the scheme (resident or employee).
struct StateCodes {
  const char* enrolment;     // AAC008
  const char* contribution;  // AAC031
  const char* benefit;       // AAE116
};
StateCodes CodesFor(uint16_t scheme, DemoState state, uint8_t variant);

// Counts of both forms.
struct Counts {
  std::array<int64_t, 26> form_2_1{};                  // 1..25
  std::array<int64_t, kForm22Columns + 1> form_2_2{};  // 1..27
  void Add(const Answer& answer);
  void Merge(const Counts& other);
};

}  // namespace canbao::demo
