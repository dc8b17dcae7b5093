// Forms as data: the columns, definitions, formulas and checks of data/forms/*.toml, and their
// evaluation over figures. Last stage before a form is shown, exported or sent; knows nothing of
// where the figures come from (cube.h makes them from the figure table of a run).
//
// A Form is immutable after LoadForm() and may be shared by threads. Errors CB-REPORTING-00xx: a
// form that is missing at the date, contradictory or unreadable. Figures never are an error: what
// is not known stays blank.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "reporting/expression.h"
#include "reporting/figures.h"

namespace canbao::reporting {

enum class ColumnType : uint8_t {
  kCount,
  kPercent,  // two decimals, half up; kept as hundredths
  kAmount,   // 万元, two decimals, kept as hundredths
  kYesNo,
  kDepartments,
  kPeriod,
  kReserved  // not printed in the notice: stays blank
};

struct FormColumn {
  int number = 0;
  Text group;     // first line of the heading
  Text subgroup;  // second line; may be empty
  Text heading;
  ColumnType type = ColumnType::kCount;
  Text definition;
  std::string source;            // "cell", "case", or empty (derived, declared)
  int part_of = 0;               // a # column: the column it is part of
  std::string needs;             // extract kind without which the column is not collected
  std::optional<Sum> numerator;  // derived percentages
  std::optional<Sum> denominator;
  std::string full_when;  // declared fact that makes it 100 %
  Text note;

  bool has_decimals() const { return type == ColumnType::kPercent || type == ColumnType::kAmount; }
  bool derived() const { return numerator.has_value(); }
  bool declared() const { return source.empty() && !derived(); }
};

struct FormCheck {
  std::string rule;  // as printed: "(1) = (2) - (3) + (4) + (5)"
  Check check;
  Text message;
  bool blocking = false;  // printed in the notice; ours only warn
};

struct Form {
  std::string code;  // "2-1"
  int id = 0;        // kForm21
  std::string version;
  Text title;
  Text attachment;        // 附件2
  Text unit;              // 单位：人
  Text not_yet_verified;  // heading of the figure beside form 2-2; empty elsewhere
  std::vector<std::string> sources;
  std::vector<Text> signatures;
  std::vector<FormColumn> columns;  // numbers 1..n in order
  std::vector<FormCheck> checks;
  std::string digest;  // sha256 of the file
};
using FormPtr = std::shared_ptr<const Form>;

// The form `code` ("2-1", "2-2", "1") that holds at `cutoff`.
Result<FormPtr> LoadForm(const std::string& data_dir, const std::string& code, Date cutoff);

struct CheckResult {
  std::string rule;
  bool known = false;  // false: a figure is missing, nothing could be checked
  bool holds = true;
  bool blocking = false;
  std::optional<int64_t> left;
  std::optional<int64_t> right;
  int64_t difference = 0;  // left − right where known
  bool decimals = false;   // the sides are percentages or amounts, in hundredths
  Text explanation;        // in words, with the difference; empty when it holds
};

// What a form speaks of.
struct Subject {
  uint32_t division = 0;  // 330000
  Text name;              // 浙江省; empty = the code alone
  Date cutoff;
  std::string population = "all";  // all | hukou
};

struct FormResult {
  FormPtr form;
  Subject subject;
  std::vector<std::optional<int64_t>> columns;  // by number − 1; percentages in hundredths
  std::vector<bool> not_collected;              // by number − 1: no extract of the kind it needs
  std::optional<int64_t> not_yet_verified;      // form 2-2
  std::array<int64_t, 50> cross{};  // form 2-2: employee × resident, see scheme/cells.h
  std::vector<CheckResult> checks;

  bool HasCross() const;
  bool Blocked() const;  // a printed check fails
};

FormResult Evaluate(FormPtr form, const Figures& figures, const Subject& subject);

// A cell of the headings: the lines are groups, subgroups where a form has them, and the columns'
// own; the numbers of the columns stand below them, in a line of their own.
struct HeadingCell {
  Text text;
  int row = 0;     // 0-based line
  int column = 0;  // number of the first column; beside form 2-2 one more than its last
  int span = 1;    // columns
  int rows = 1;    // lines
};
// Runs of equal headings are one cell; a group without a subgroup reaches down over its line. In
// the order in which they are written: each group with its subgroups, then the columns.
std::vector<HeadingCell> HeadingsOf(const Form& form);
int HeadingLines(const Form& form);

// Half up in integers: 100 × 100 × numerator / denominator; nothing without a positive denominator.
std::optional<int64_t> PercentHundredths(std::optional<int64_t> numerator,
                                         std::optional<int64_t> denominator);
std::string HundredthsText(int64_t hundredths);  // 9750 → "97.50"
// "1692", "97.50"; empty when not known.
std::string ValueText(const FormColumn& column, std::optional<int64_t> value);

}  // namespace canbao::reporting
