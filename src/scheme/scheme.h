// Schemes (险种, AAE140), their branches, and the states of an enrolment. rules.md §1–2 in code.
#pragma once

#include <cstdint>
#include <string_view>

namespace canbao::scheme {

// 险种大类. The order is the order of the forms' columns.
enum class Branch : uint8_t { kPension, kMedical, kWorkInjury, kUnemployment, kMaternity, kNone };
inline constexpr int kBranches = 5;

// AAE140 as its number: 110 120 170 210 310 320 330 340 350 360 370 380 390 391 392 180 410 510.
using SchemeCode = uint16_t;

enum class SchemeStanding : uint8_t {
  kCounted,
  kMedicalCover /* 340 350 360 */,
  kNotCounted,
  kUnknown
};
SchemeStanding StandingOf(SchemeCode scheme);
Branch BranchOf(SchemeCode scheme);  // kNone for schemes not counted
bool IsEmployeeScheme(SchemeCode scheme);
bool IsResidentScheme(SchemeCode scheme);

// The state of an enrolment after its source's code was mapped (rules.md §2).
enum class State : uint8_t {
  kNotEnrolled = 0,
  kContributing = 1,
  kInterrupted = 2,
  kTerminated = 3,
  kReceiving = 4,
  kBenefitSuspended = 5,
  kUnmapped = 6
};
constexpr bool IsActive(State s) {
  return s == State::kContributing || s == State::kReceiving || s == State::kBenefitSuspended;
}
std::string_view StateName(State s);    // "contributing"
std::string_view StateNameZh(State s);  // "参保缴费"
std::string_view BranchName(Branch b);
std::string_view BranchNameZh(Branch b);

}  // namespace canbao::scheme
