// What classification needs to know of one person (PersonFacts) and what it says of him
// (Classification). The comparison builds the facts inside a partition and calls Classify() once
// per person and cut-off; nothing here allocates, does I/O or depends on anything but its arguments
// and the loaded rules, so the same facts give the same bytes anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "identity/citizen_number.h"
#include "identity/division.h"
#include "scheme/scheme.h"

namespace canbao::scheme {

// 管理状态 of the household register.
enum class Management : uint8_t {
  kManaged = 0,
  kDead = 1,
  kCancelled = 2,
  kMovedOut = 3,
  kOther = 4
};

struct EnrolmentFact {
  SchemeCode scheme = 0;
  State state = State::kUnmapped;            // as delivered
  State state_at_cutoff = State::kUnmapped;  // filled by Classify (StateAt)
  bool confirmed = false;         // outcome exact, name_variant, repaired, or person-making
  bool has_employer = false;      // employer_no or uscc given
  uint8_t unit_type = 0;          // AAB019 of the employer, 0 = unknown
  uint16_t insured_category = 0;  // AAC066, 0 = none
  uint32_t region = 0;            // six digits as delivered
  uint32_t employer_county = 0;   // six digits, 0 = unknown
  Date enrolled_on;
  Date ended_on;
  uint16_t insured_year = 0;  // 参保年度 of yearly schemes, 0 = none
  uint64_t order = 0;         // place of its row in the internal order
};

enum class EvidenceKind : uint8_t {
  kDeath,             // from = died_on; exact links only are handed in as `exact`
  kPrisoner,          // from .. until
  kSoldier,           // 现役, from .. until
  kArmyDependant,     // 随军家属建账, from .. until
  kAbroad,            // from = left_on, until = returned_on
  kFullTimeStudent,   // 在读 and full-time; from = enrolled_on, until = graduates_on
  kPartTimeStudent,   // 在读, not full-time
  kWageTax,           // from = first day of the month of 所属期
  kEmploymentFiling,  // from .. until
  kResidence,         // residence permit; from = registered_on, division in `county`
  kSubsidised,
  kCard,
  kRemoteMedical,
  kStaffing,
  kSurveyResult,  // reviewed, from = its date; `code`: 16..26 = column of form 2-2; 1..15 = found
                  // insured in another province, with proof, in that column; 0 = found and
                  // insured as the register shows; more = refused, not found (visited only)
  kConfirmation,  // a county reviewer confirmed exact evidence of column `code`, from = its date
  kDoubleSettlement  // settlements show two schemes paying for one admission or invoice
};

struct EvidenceFact {
  EvidenceKind kind = EvidenceKind::kCard;
  bool exact = false;  // outcome of its row is `exact`
  uint8_t code = 0;
  uint8_t unit_type = 0;  // wage tax, filing: of the employer, 0 = unknown
  Date from;
  Date until;
  uint32_t county = 0;  // residence: six digits; wage tax, filing: of the employer
};

struct PersonFacts {
  bool in_register = false;
  bool confirmed = true;  // false: a provisional person
  Management management = Management::kManaged;
  Date changed_on;
  identity::Division hukou;
  Date birth;  // prevailing; missing when nobody knows
  identity::Sex sex = identity::Sex::kUnknown;
  std::span<EnrolmentFact> enrolments;
  std::span<const EvidenceFact> evidence;
};

// Bits of Classification::flags.
enum Flag : uint32_t {
  kH = 1u << 0,
  kL = 1u << 1,
  kE = 1u << 2,  // alive and enrolled elsewhere (whatever L says)
  kW = 1u << 3,
  kD = 1u << 4,
  kToVerify = 1u << 5,   // H ∧ ¬L ∧ ¬E
  kVerified = 1u << 6,   // of these, verified
  kElsewhere = 1u << 7,  // H ∧ ¬L ∧ E
  kStudent = 1u << 8,    // full-time, at the cut-off
  kSoldier = 1u << 9,
  kDependant = 1u << 10,
  kImprisoned = 1u << 11,
  kOverseas = 1u << 12,
  kDeregister = 1u << 13,          // 户口待注销: D and still managed
  kStopBenefit = 1u << 14,         // D with an active enrolment
  kStudent25 = 1u << 15,           // student of 25 or older
  kStateContradiction = 1u << 16,  // ended on or before the cut-off, delivered as active
  kUnmappedState = 1u << 17,
  kInterruptedAny = 1u << 18,
  kCivilServant = 1u << 19,   // category on an active enrolment, or unit type of the employer
  kTaxed = 1u << 20,          // wage tax of the last three months
  kFiled = 1u << 21,          // employment filing of the last three months
  kSurveyInsured = 1u << 22,  // a survey found the person insured in another province
  kAged = 1u << 23            // at or above retirement age
};

// Duplicates, one bit each.
enum Duplicate : uint16_t {
  kPensionCrossScheme = 1u << 0,
  kPensionCrossRegion = 1u << 1,
  kPensionBenefitCrossScheme = 1u << 2,
  kPensionBenefitCrossRegion = 1u << 3,
  kMedicalCrossScheme = 1u << 4,
  kMedicalCrossRegion = 1u << 5,
  kMedicalBenefitCrossScheme = 1u << 6  // from settlements only
};

// What people made of a duplicate's case stands behind it: bit << kConsolidatedShift =
// consolidated.
inline constexpr int kDuplicates = 7;
inline constexpr int kConsolidatedShift = 7;

// form_2_2 of a person of H ∪ L without a column yet, and of everybody else.
inline constexpr uint8_t kNotYetVerified = 27;
inline constexpr uint8_t kNoColumn = 0;

struct Classification {
  uint32_t flags = 0;
  uint16_t duplicates = 0;       // Duplicate bits, and what cases made of them (ApplyCases)
  uint8_t uncovered = 0;         // bit = Branch
  uint8_t form_2_2 = kNoColumn;  // 1..26, kNotYetVerified, kNoColumn
  uint32_t county = 0;  // where the person counts (rules.md §5, below the province); 0 = unknown
  uint32_t city = 0;
  uint8_t branches_anywhere = 0;  // bit = Branch: active and confirmed, employee or resident
  uint8_t both_classes = 0;       // in employee and resident schemes: the column 11..15 that the
                                  // resident ones would give (form_2_2 has the employee column);
                                  // else 0. Cross table beside form 2-2
};

// Dated policy: obligation rules, retirement ages, pooling regions (data/rules/*.toml). Immutable
// after loading; shared by all threads.
class Rules;

struct RulesDeleter {
  void operator()(const Rules*) const;
};
using RulesPtr = std::unique_ptr<const Rules, RulesDeleter>;
// The rules in force at `cutoff` for `province` (330000), from `data_dir`/rules.
Result<RulesPtr> LoadRules(const std::string& data_dir, uint32_t province, Date cutoff);
const std::string& VersionOf(const Rules& rules);  // for manifests: file names, dates, digests

// rules.md §4 "The state at the cut-off"; not_enrolled when the enrolment begins after it, or is of
// a later insured year. Active lists of an earlier insured year are terminated. Sets *contradiction
// when an active state carries an end on or before the cut-off.
State StateAt(const EnrolmentFact& e, Date cutoff, bool* contradiction);

// Fills enrolments[].state_at_cutoff and returns the person's classification. Division codes are
// taken as delivered: where a county ended before the cut-off with one successor, the caller has
// mapped it already. Evidence is handed in only when its row counts as confirmed.
Classification Classify(const PersonFacts& person, const Rules& rules);

// What people decided of the person's cases before the cut-off, into the classification: a
// dismissed duplicate is none, a consolidated one counts whether or not the data still show it.
// Within H ∪ L.
void ApplyCases(uint16_t dismissed, uint16_t consolidated, Classification* c);

}  // namespace canbao::scheme
