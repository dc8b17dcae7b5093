// One record → one typed row or one reject, by the plan of its file. This is where the rules of
// extracts.md about values live; shapes of files are behind it, persons in front of it. One builder
// for each worker and file; nothing is allocated per row.
//
// What evidence a department's row is (scheme/person.h): a student's row is kFullTimeStudent or
// kPartTimeStudent only while 在读, a military row kSoldier or kArmyDependant by its category. Rows
// that are evidence of nothing the forms ask for (graduated, left, 退役, …) stay rows and are
// kCard, the neutral kind.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/date.h"
#include "extract/mapping/record_plan.h"
#include "extract/row.h"
#include "extract/typing/record_fields.h"
#include "identity/division.h"

namespace canbao::extract {

// Which county codes the division table knows; a memo shared by all workers.
class KnownDivisions {
 public:
  explicit KnownDivisions(identity::DivisionTable table)
      : table_(std::move(table)), memo_(1000000) {}
  bool IsKnown(uint32_t county) const {
    if (county >= memo_.size()) return false;
    uint8_t known = memo_[county].load(std::memory_order_relaxed);
    return known != 0 ? known == 2 : Ask(county);
  }

 private:
  bool Ask(uint32_t county) const {
    bool known = table_.IsKnown(identity::Division{uint64_t{county} * 1000000});
    memo_[county].store(known ? 2 : 1, std::memory_order_relaxed);
    return known;
  }
  identity::DivisionTable table_;
  mutable std::vector<std::atomic<uint8_t>> memo_;
};

// What a row of `kind` is evidence of. Meanings that the row does not have are −1.
scheme::EvidenceKind EvidenceOf(Kind kind, const Codes& codes, int student_status, int full_time,
                                int military);

class RowBuilder {
 public:
  // `divisions` may be null: then no code is unknown. `arena` holds the texts that a row's views
  // need.
  RowBuilder(const RecordPlan& plan, Date today, const KnownDivisions* divisions, Arena* arena);

  // True: `row` is filled but for line and sheet. False: `reject` says why, but for line, sheet,
  // text.
  template <typename Record>
  bool Build(const Record& record, Row* row, Reject* reject);

  // Bytes of the arena that one row may need besides its own fields.
  static constexpr size_t kRoomPerRow = 320;
  // Longest value that is kept.
  static constexpr size_t kMaxFieldBytes = 4096;

 private:
  struct Pending;  // values whose meaning depends on others
  void TakeField(const PlannedColumn& column, std::string_view text, Row* row, Pending* pending);
  bool Finish(Row* row, Pending* pending, Reject* reject);
  Date TakeDate(const PlannedColumn& column, std::string_view text, RowFinding finding, Row* row,
                Pending* pending);
  void TakeDivision(const PlannedColumn& column, std::string_view text, Row* row, Pending* pending);
  uint32_t TakeRegion(std::string_view text, Row* row, bool* readable);
  void TakeCreditCode(std::string_view text, Row* row);
  int Code(const CodeTable& table, std::string_view text) const;
  void SetState(Row* row, const Pending& pending);

  const RecordPlan& plan_;
  const SourceMapping& mapping_;
  Date today_;
  const KnownDivisions* divisions_;
  Arena* arena_;
};

}  // namespace canbao::extract
