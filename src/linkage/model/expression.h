// Derived columns: `lower(trim(surname))`, `substr(concat(given, surname), 1, 3)`, `year(dob)`.
// What there is stands in kFunctions (expression.cc) and in docs/formats/link-model.md. A function
// of one column is called once for each distinct text, not for each row. A missing value stays
// missing.
//
// Parsing fails with kErrModelExpression; evaluation does not fail. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "linkage/values.h"

namespace canbao::linkage {

struct Expression {
  enum class Kind { kColumn, kText, kCall };
  Kind kind = Kind::kColumn;
  std::string name;  // of the column or function, or the text
  std::vector<Expression> inputs;
  std::vector<int64_t> numbers;

  // The columns it is made of, with repetitions.
  void Columns(std::vector<std::string>* names) const;
};

Result<Expression> ParseExpression(std::string_view text);

// `column` gives the column of a name; it must have as many rows as asked for.
using ColumnOf = std::function<const Column&(const std::string&)>;
Column Evaluate(const Expression& expression, size_t rows, const ColumnOf& column);

}  // namespace canbao::linkage
