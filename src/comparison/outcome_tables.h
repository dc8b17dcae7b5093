// The row files of one shard: person, enrolment, evidence, discrepancy, duplicate, unlinked,
// master. What stands in which column: docs/formats/outcome-files.md. One object per shard, used by
// one thread.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/row_file.h"
#include "comparison/outcome_stage.h"
#include "comparison/resolve.h"

namespace canbao::comparison {

// Values as written; docs/formats/outcome-files.md names them.
enum class Discrepancy : uint8_t {
  kNumberCleaned = 1,
  kNumberUpgraded,
  kNumberRepaired,
  kNameVariant,
  kNameChanged,
  kBirthDiffers,
  kSexDiffers,
  kBirthDropped,
  kDateDropped,
  kConflict,
  kSeveralPersonNumbers,
  kStopBenefit,
  kStateContradiction,
  kUnmappedState,
  kStudent25,
  kNumberContradictsBirth,
  kRegisterDuplicate,
  kNumberUnreadable,
  kFormerIdentity
};

const RowSchema& RejectSchema();
const RowSchema& FigureSchema();

// row_ref of the outcome files from a record's place. `workbook`: the line carries its sheet.
uint64_t RowRef(uint16_t extract, uint32_t line, bool workbook);
bool IsWorkbook(const extract::ExtractSpec& spec);

class OutcomeTables {
 public:
  static Result<std::unique_ptr<OutcomeTables>> Create(const std::string& folder, uint32_t shard,
                                                       const OutcomeInputs& in);

  // Writes everything of one group. `facts`, `enrolments` and `c` are meaningful when the group has
  // a person; enrolments are those of the belonging rows, in order; `duplicates` what was found,
  // whatever cases made of it.
  Status Write(std::span<const Record> rows, const std::vector<Outcome>& outcomes,
               const Resolution& res, uint64_t person, const scheme::PersonFacts& facts,
               std::span<const scheme::EnrolmentFact> enrolments, const scheme::Classification& c,
               uint16_t duplicates);
  // Keeps the person key of a number for the next run; also of numbers that this run did not see.
  Status WriteMaster(uint64_t key, uint64_t person);
  Status Finish();

  // Digests and counts of all shards, in their order.
  static void Summarise(const std::vector<std::unique_ptr<OutcomeTables>>& shards,
                        OutcomeCounts* counts);

 private:
  enum Table {
    kPerson,
    kEnrolment,
    kEvidence,
    kDiscrepancy,
    kDuplicate,
    kUnlinked,
    kMaster,
    kTables
  };
  explicit OutcomeTables(const OutcomeInputs& in) : in_(in) {}

  Status WritePerson(std::span<const Record> rows, const std::vector<Outcome>& outcomes,
                     const Resolution& res, uint64_t person, const scheme::PersonFacts& facts,
                     const scheme::Classification& c);
  Status WriteEnrolment(const Record& r, Outcome outcome, uint64_t person,
                        const scheme::EnrolmentFact& e);
  Status WriteEvidence(const Record& r, Outcome outcome, uint64_t person);
  Status WriteUnlinked(const Record& r, Outcome outcome, uint64_t person);
  Status WriteFindings(const Record& r, Outcome outcome, const Resolution& res,
                       const Record* reference, uint64_t person);
  Status WritePersonFindings(std::span<const Record> rows, const std::vector<Outcome>& outcomes,
                             const Resolution& res, uint64_t person,
                             std::span<const scheme::EnrolmentFact> enrolments,
                             const scheme::Classification& c, uint16_t duplicates);
  Status Finding(Discrepancy kind, uint64_t person, const Record& r, std::string_view field,
                 std::string_view delivered, std::string_view prevailing);
  uint64_t Ref(const Record& r) const;

  const OutcomeInputs& in_;
  std::array<std::unique_ptr<RowFileWriter>, kTables> files_;
  std::array<uint64_t, 32> discrepancies_{};
  struct NumberSeen {
    uint32_t scheme;
    uint32_t city;
    uint32_t person_no;
    size_t row;
  };
  std::vector<NumberSeen> numbers_;
};

}  // namespace canbao::comparison
