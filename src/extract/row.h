// The typed row: what every reader of an agency's file produces and everything downstream consumes,
// whatever the file's format, encoding or column names were. Views point into the reader's block
// and live only for the duration of the sink call.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/date.h"
#include "identity/citizen_number.h"
#include "identity/division.h"
#include "identity/name.h"
#include "scheme/person.h"
#include "scheme/scheme.h"

namespace canbao::extract {

enum class Kind : uint8_t {
  kHouseholdRegister,
  kResidencePermit,
  kEnrolment,
  kEmployer,
  kStudent,
  kDeath,
  kPrisoner,
  kMilitary,
  kAbroad,
  kWageTax,
  kSubsidised,
  kCard,
  kRemoteMedical,
  kNationalReply,
  kResidentPopulation,
  kEmploymentFiling,
  kStaffing,
  kBirth,
  kMedicalSettlement,
  kNationalRequest
};
inline constexpr int kKinds = 20;

enum class Stage : uint8_t {
  kInternal = 0,
  kCrossDepartment = 1,
  kCrossCity = 2,
  kCrossProvince = 3
};

// About no person: rows in = reference + rejected.
constexpr bool IsReference(Kind k) {
  return k == Kind::kEmployer || k == Kind::kResidentPopulation;
}
// May make a person of its own (rules.md §3, outcome unlinked).
constexpr bool MakesPerson(Kind k) {
  return k == Kind::kEnrolment || k == Kind::kWageTax || k == Kind::kEmploymentFiling;
}

// Repairs and oddities of an accepted row, each a discrepancy for its source.
enum RowFinding : uint16_t {
  kNumberCleaned = 1u << 0,     // blanks, full width, apostrophe, lower-case x
  kNumberUpgraded = 1u << 1,    // 15 digits
  kBirthDateDropped = 1u << 2,  // impossible birth date, dropped
  kOptionalDateDropped = 1u << 3,
  kStateUnmapped = 1u << 4,
  kSexUnreadable = 1u << 5,
  kCreditCodeSoft = 1u << 6,
  kDivisionUnknown = 1u << 7,
  kNumberShown = 1u << 8  // number was shown as a spreadsheet number (scientific notation)
};

enum class Change : uint8_t { kNone = 0, kAdd, kUpdate, kDelete };  // 变更类型 of a delta

struct Row {
  uint64_t line = 0;      // where the record begins in the decoded file, 1-based; sheet row
  uint8_t sheet = 0;      // 0 for text files
  uint16_t findings = 0;  // RowFinding
  Change change = Change::kNone;

  // Identity.
  identity::ParsedNumber number;
  std::string_view id_number;  // as delivered, UTF-8
  std::string_view id_type;    // as delivered
  std::string_view name;       // as delivered, UTF-8
  identity::NameCode name_code;
  identity::Sex sex = identity::Sex::kUnknown;
  Date birth;

  // Household register.
  identity::Division division;  // hukou_division, residence_division, employer's and population's
  scheme::Management management = scheme::Management::kManaged;
  uint8_t hukou_type = 0;  // AAC009
  uint8_t ethnicity = 0;
  Date changed_on;
  std::string_view household_no;
  std::string_view relation;
  std::string_view phone;
  std::string_view address;
  std::string_view former_name;
  std::string_view former_number;

  // Enrolment, national reply, settlement.
  scheme::SchemeCode scheme = 0;
  scheme::State state = scheme::State::kUnmapped;
  uint16_t insured_category = 0;
  uint16_t insured_year = 0;
  uint32_t region = 0;  // six digits; remote_medical: insured_region
  uint32_t care_region = 0;
  Date enrolled_on;
  Date first_month;
  Date ended_on;
  std::string_view person_no;
  std::string_view employer_no;
  std::string_view employer_name;
  std::string_view uscc;
  std::string_view state_text;  // the delivered codes "AAC008/AAC031/AAE116", for mapping lists

  // Departments: what `from`, `until` and `evidence` mean is in scheme/person.h.
  scheme::EvidenceKind evidence = scheme::EvidenceKind::kCard;
  Date from;
  Date until;
  std::string_view
      category;             // subsidised, remote_medical, purpose abroad, school stage, card status
  std::string_view detail;  // school, grade, card_no, …

  // Employer (with uscc, employer_no, employer_name, division) and resident population.
  uint8_t unit_type = 0;
  std::string_view industry;
  uint32_t headcount = 0;
  uint16_t year = 0;
  uint64_t population = 0;

  // Birth certificates: the mother's number as delivered. Settlements: the amount in fen.
  std::string_view mother_number;
  int64_t paid = 0;
};

// Why a row was rejected: stable, printed, kept with the row. `row_…` are about its shape.
enum class RejectReason : uint8_t {
  kTooFewFields = 1,  // row_too_few
  kTooManyFields,     // row_too_many
  kRequiredMissing,   // row_required_missing
  kSchemeUnknown,     // scheme_unknown
  kDateImpossible,    // required date impossible and not to be taken from the number
  kRegionUnknown,
  kValueUnreadable,  // a required coded value that no mapping reads
  kEncodingInvalid,  // bytes that are no text in the file's encoding, in a field that is kept
  kTooLong
};
std::string_view RejectCode(RejectReason reason);  // "row_too_few"

struct Reject {
  uint64_t line = 0;
  uint8_t sheet = 0;
  RejectReason reason = RejectReason::kTooFewFields;
  uint16_t column = 0;     // 1-based column of the field at fault, 0 = whole row
  std::string_view field;  // its English name
  std::string_view text;   // the record as delivered, decoded to UTF-8
};

// Some hundred records of a file: accepted rows and rejects in the order of their lines.
struct RowBatch {
  uint32_t extract = 0;  // index into the delivery's extracts
  uint64_t block = 0;    // ascends with the lines of the file, with gaps
  std::span<const Row> rows;
  std::span<const Reject> rejects;
};

// Consumer of rows. Called concurrently from several workers (`worker` < thread count), blocks of
// one file in any order; a block is handed over exactly once.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual Status OnBatch(int worker, const RowBatch& batch) = 0;
};

}  // namespace canbao::extract
