// The little language in which checks and derived columns are written in data/forms/*.toml, so that
// both are data and can be printed beside the form exactly as they are evaluated:
//
//   check     := condition [ ('=>' | '<=>') condition ]
//   condition := sum ('>=' | '<=' | '=' | '>' | '<') sum
//   sum       := term { ('+' | '-') term }
//   term      := number ['%'] | column | range | 'max' range | name
//   column    := ['[' form ']'] '(' n | 'not_yet_verified' ')'      [previous] = the round before
//   range     := ['[' form ']'] '(' n '..' m ')'                    sum of the columns
//
// Percentages and amounts are in hundredths, so 100% is 10000. An unknown figure makes what it
// stands in unknown; max() passes over unknown ones. Immutable after Parse(), shared by all
// threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace canbao::reporting {

// Where an expression finds its figures; `form` is empty for the form itself.
class FigureSource {
 public:
  virtual ~FigureSource() = default;
  virtual std::optional<int64_t> Cell(std::string_view form, int column) const = 0;
  virtual std::optional<int64_t> Named(std::string_view name) const = 0;
};

class Sum {
 public:
  struct Term {
    enum Kind { kNumber, kColumn, kRange, kMax, kName } kind = kNumber;
    int sign = 1;
    int64_t number = 0;
    int first = 0;
    int last = 0;
    std::string form;  // "", "2-1", "previous"
    std::string name;
  };

  static Result<Sum> Parse(std::string_view text);
  std::optional<int64_t> Evaluate(const FigureSource& source) const;
  const std::vector<Term>& terms() const { return terms_; }

 private:
  friend class ExpressionParser;
  std::vector<Term> terms_;
};

struct Condition {
  Sum left;
  Sum right;
  std::string comparison;  // >= <= = > <
};

struct Verdict {
  bool known = false;  // every figure was there
  bool holds = true;   // true as well when not known: nothing speaks against it
  std::optional<int64_t> left;
  std::optional<int64_t> right;
};

class Check {
 public:
  static Result<Check> Parse(std::string_view text);
  // left and right are the sides of the last condition.
  Verdict Evaluate(const FigureSource& source) const;
  const std::vector<Condition>& conditions() const { return conditions_; }

 private:
  friend class ExpressionParser;
  std::vector<Condition> conditions_;  // one, or two joined by `joint_`
  std::string joint_;                  // "", "=>", "<=>"
};

}  // namespace canbao::reporting
