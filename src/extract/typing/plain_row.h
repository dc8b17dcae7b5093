// The fast lane of RowBuilder for records of text files whose every value has its plain shape: a
// valid number of 18 digits, dates of eight digits, coded values that the tables hold as they
// stand, no blanks around, nothing to reject and nothing to find. Nineteen rows of twenty are like
// that, and cost a tenth of what the rules for all the others cost.
//
// Build() says no to any record with anything unusual in it; RowBuilder, whose rules are the
// normative ones, then builds the row from the beginning. Where Build() says yes, the row is the
// same, bit by bit (plain_row_test.cc compares the two on random records).
//
// Belongs to one thread; made anew for each piece of a file.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "extract/mapping/record_plan.h"
#include "extract/row.h"
#include "extract/typing/record_fields.h"
#include "extract/typing/row_builder.h"

namespace canbao::extract {

class PlainRowReader {
 public:
  PlainRowReader(const RecordPlan& plan, Date today, const KnownDivisions* divisions);

  // Whether files of this plan have plain rows at all.
  bool usable() const { return usable_; }
  // Whether columns besides the name are likely to hold Chinese: only then is it cheaper to check
  // the encoding of a whole piece than that of its few odd values.
  bool has_prose() const { return has_prose_; }

  // `text_valid`: the piece is UTF-8 and was found valid as a whole. `row` may hold anything that
  // an earlier Build() of this reader or of the plan's RowBuilder left in it, and must be Row{}
  // before the first. True: the row is filled but for line and sheet.
  bool Build(const TextRecord& record, bool text_valid, Row* row);

 private:
  enum class Take : uint8_t {
    kNumber,
    kNumberType,
    kName,
    kText,
    kDate,
    kBirth,
    kMonth,
    kState,
    kScheme,
    kRegion,
    kDivision,
    kSmallNumber,
    kYear,
    kCode,     // code → a byte of the row
    kMeaning,  // code → pending_[slot]
    kCreditCode,
    kNothing  // only an empty value is plain
  };
  // The codes seen last by one column, so that 管理中 is looked up once and not in every row.
  struct CodeMemo {
    std::array<uint64_t, 2> text{};
    uint8_t size = 0;
    int16_t code = -1;
  };
  struct Step {
    Take take = Take::kNothing;
    Field field = Field::kNone;
    bool required = false;
    bool may_be_placeholder = true;
    uint16_t column = 0;
    uint16_t offset = 0;  // of the member of Row
    uint8_t slot = 0;     // of state_ or meaning_
    const CodeTable* codes = nullptr;
    std::array<CodeMemo, 4> memo{};
  };
  enum Meaning : uint8_t { kStudentStatus, kFullTime, kMeanings };

  void AddStep(const PlannedColumn& column);
  bool TakeStep(Step& step, std::string_view text, Row* row);
  int CodeOf(Step* step, std::string_view text) const;
  bool SetState(Row* row) const;

  const RecordPlan& plan_;
  const SourceMapping& mapping_;
  Date today_;
  const KnownDivisions* divisions_;
  bool usable_ = true;
  bool has_prose_ = false;
  bool has_scheme_ = false;
  identity::PlainNumbers numbers_;
  std::vector<Step> steps_;
  std::array<uint8_t, 3> no_state_{};
  // Of the record being read.
  std::array<uint8_t, 3> state_{};  // enrolment, contribution, benefit: StateTable's classes
  std::array<int, kMeanings> meaning_{};
  bool region_given_ = false;
};

}  // namespace canbao::extract
