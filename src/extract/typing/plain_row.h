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

#include <immintrin.h>

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
  // The columns that nearly every file has, or that come in nearly every row: read one after the
  // other, without asking which comes next.
  enum Hot : uint8_t {
    kNumber,
    kName,
    kSex,
    kBirth,
    kState,  // enrolment, contribution, benefit
    kContribution,
    kBenefit,
    kEnrolledOn,
    kEndedOn,
    kPersonNo,
    kEmployerNo,
    kRegion,
    kCategory,
    kDivision,
    kManagement,
    kChangedOn,
    kHot
  };
  // How the others are read: a loop over steps.
  enum class Take : uint8_t {
    kNumberType,
    kText,
    kDate,
    kMonth,
    kScheme,
    kRegion,
    kYear,
    kCode,     // code → a byte of the row
    kMeaning,  // code → meaning_[slot]
    kCreditCode,
    kNothing  // only an empty value is plain
  };
  // The codes seen last by one column, so that 管理中 is looked up once and not in every row.
  struct CodeMemo {
    __m128i text{};
    int code = -1;
  };
  using CodeMemos = std::array<CodeMemo, 4>;
  struct Column {
    uint32_t column = kAbsent;
    Field field = Field::kNone;
    bool required = false;
    bool may_be_placeholder = false;
  };
  struct Step : Column {
    Take take = Take::kNothing;
    uint16_t offset = 0;  // of the member of Row
    uint8_t slot = 0;     // of meaning_
    const CodeTable* codes = nullptr;
    CodeMemos memo{};
  };
  enum Meaning : uint8_t { kStudentStatus, kFullTime, kMeanings };
  static constexpr uint32_t kAbsent = UINT32_MAX;

  void AddColumn(const PlannedColumn& column);
  void AddStep(const PlannedColumn& column);
  bool TakeStep(Step& step, std::string_view text, Row* row);
  int CodeOf(Field field, const CodeTable& codes, CodeMemos* memos, std::string_view text) const;
  bool IsPlaceholder(const Column& column, std::string_view text) const {
    return column.may_be_placeholder && mapping_.placeholders.IsPlaceholder(column.field, text);
  }
  template <bool kReturn>
  bool BuildAs(const TextRecord& record, bool text_valid, Row* row);
  bool TakeSteps(const TextRecord& record, bool text_valid, Row* row);
  bool SetState(Row* row, std::array<uint8_t, 3> state) const;

  const RecordPlan& plan_;
  const SourceMapping& mapping_;
  Date today_;
  const KnownDivisions* divisions_;
  bool usable_ = true;
  bool has_prose_ = false;
  bool has_scheme_ = false;
  bool has_known_scheme_ = false;  // the manifest's
  identity::PlainNumbers numbers_;
  std::array<Column, kHot> hot_{};
  uint16_t enrolled_offset_ = 0;  // of the member of Row
  CodeMemos sexes_{};
  CodeMemos managements_{};
  // The digits of a state column that are states: 1 << digit.
  std::array<uint16_t, 3> state_digits_{};
  uint64_t region_text_ = 0;  // six bytes, and the region that they were found to be
  uint32_t region_ = 0;
  std::vector<Step> steps_;
  std::array<uint8_t, 3> no_state_{};
  // Of the record being read.
  std::array<int, kMeanings> meaning_{};
};

}  // namespace canbao::extract
