#include "reporting/expression.h"

#include <algorithm>
#include <cctype>

namespace canbao::reporting {

// Recursive descent over the text; the first mistake ends it.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  Result<Sum> ParseSum() {
    Sum sum;
    if (!ReadSum(&sum) || !AtEnd()) return Fail(Mistake());
    return sum;
  }

  Result<Check> ParseCheck() {
    Check check;
    check.conditions_.emplace_back();
    if (!ReadCondition(&check.conditions_.back())) return Fail(Mistake());
    for (const char* joint : {"<=>", "=>"}) {
      if (check.joint_.empty() && Accept(joint)) check.joint_ = joint;
    }
    if (!check.joint_.empty()) {
      check.conditions_.emplace_back();
      if (!ReadCondition(&check.conditions_.back())) return Fail(Mistake());
    }
    if (!AtEnd()) return Fail(Mistake());
    return check;
  }

 private:
  bool ReadCondition(Condition* condition) {
    if (!ReadSum(&condition->left)) return false;
    for (const char* comparison : {">=", "<=", "=", ">", "<"}) {
      if (!Accept(comparison)) continue;
      condition->comparison = comparison;
      return ReadSum(&condition->right);
    }
    return false;
  }

  bool ReadSum(Sum* sum) {
    int sign = 1;
    for (;;) {
      Sum::Term term;
      term.sign = sign;
      if (!ReadTerm(&term)) return false;
      sum->terms_.push_back(std::move(term));
      if (Accept("+")) {
        sign = 1;
      } else if (Accept("-")) {
        sign = -1;
      } else {
        return true;
      }
    }
  }

  bool ReadTerm(Sum::Term* term) {
    Blanks();
    if (Accept("max")) {
      if (!ReadColumns(term) || term->kind != Sum::Term::kRange) return false;
      term->kind = Sum::Term::kMax;
      return true;
    }
    if (Peek() == '[' || Peek() == '(') return ReadColumns(term);
    if (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
      term->kind = Sum::Term::kNumber;
      if (!ReadInt(&term->number)) return false;
      if (Accept("%")) term->number *= 100;
      return true;
    }
    term->kind = Sum::Term::kName;
    return ReadName(&term->name);
  }

  bool ReadColumns(Sum::Term* term) {
    Blanks();
    if (Peek() == '[') {
      size_t close = text_.find(']', at_);
      if (close == std::string_view::npos) return false;
      term->form = std::string(text_.substr(at_ + 1, close - at_ - 1));
      if (term->form.empty()) return false;
      at_ = close + 1;
    }
    if (!Accept("(")) return false;
    if (Accept("not_yet_verified")) {
      term->kind = Sum::Term::kColumn;
      term->first = term->last = 27;
      return Accept(")");
    }
    int64_t first = 0;
    if (!ReadInt(&first)) return false;
    int64_t last = first;
    term->kind = Sum::Term::kColumn;
    if (Accept("..")) {
      term->kind = Sum::Term::kRange;
      if (!ReadInt(&last) || last < first) return false;
    }
    term->first = static_cast<int>(first);
    term->last = static_cast<int>(last);
    return Accept(")");
  }

  bool ReadInt(int64_t* value) {
    Blanks();
    size_t start = at_;
    *value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      *value = *value * 10 + (text_[at_++] - '0');
    }
    return at_ > start && at_ - start <= 12;
  }

  bool ReadName(std::string* name) {
    Blanks();
    while (at_ < text_.size() &&
           (std::isalpha(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      *name += text_[at_++];
    }
    return !name->empty();
  }

  // "=" must not eat the first half of "=>", nor "<=" that of "<=>".
  bool Accept(std::string_view token) {
    Blanks();
    std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(token)) return false;
    if ((token == "=" && rest.starts_with("=>")) || (token == "<=" && rest.starts_with("<=>")) ||
        (token == "<" && rest.starts_with("<="))) {
      return false;
    }
    at_ += token.size();
    return true;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool AtEnd() {
    Blanks();
    return at_ == text_.size();
  }
  Error Mistake() const {
    return Error{ErrorClass::kEnvironment,
                 "CB-REPORTING-0004",
                 Msg("公式 {0} 在第 {1} 个字符处看不懂",
                     "formula {0} cannot be read at character {1}", std::string(text_), at_ + 1),
                 Msg("写法见 docs/formats/forms.md", "docs/formats/forms.md says how to write it"),
                 {},
                 0,
                 0};
  }

  std::string_view text_;
  size_t at_ = 0;
};

Result<Sum> Sum::Parse(std::string_view text) { return ExpressionParser(text).ParseSum(); }
Result<Check> Check::Parse(std::string_view text) { return ExpressionParser(text).ParseCheck(); }

namespace {

std::optional<int64_t> EvaluateTerm(const Sum::Term& term, const FigureSource& source) {
  switch (term.kind) {
    case Sum::Term::kNumber:
      return term.number;
    case Sum::Term::kName:
      return source.Named(term.name);
    case Sum::Term::kColumn:
      return source.Cell(term.form, term.first);
    case Sum::Term::kRange: {
      int64_t total = 0;
      for (int column = term.first; column <= term.last; ++column) {
        std::optional<int64_t> value = source.Cell(term.form, column);
        if (!value) return std::nullopt;
        total += *value;
      }
      return total;
    }
    case Sum::Term::kMax: {
      std::optional<int64_t> highest;
      for (int column = term.first; column <= term.last; ++column) {
        std::optional<int64_t> value = source.Cell(term.form, column);
        if (value && (!highest || *value > *highest)) highest = value;
      }
      return highest;
    }
  }
  return std::nullopt;
}

Verdict EvaluateCondition(const Condition& condition, const FigureSource& source) {
  Verdict verdict;
  verdict.left = condition.left.Evaluate(source);
  verdict.right = condition.right.Evaluate(source);
  if (!verdict.left || !verdict.right) return verdict;
  verdict.known = true;
  int64_t left = *verdict.left;
  int64_t right = *verdict.right;
  const std::string& c = condition.comparison;
  verdict.holds = c == ">="   ? left >= right
                  : c == "<=" ? left <= right
                  : c == "="  ? left == right
                  : c == ">"  ? left > right
                              : left < right;
  return verdict;
}

}  // namespace

std::optional<int64_t> Sum::Evaluate(const FigureSource& source) const {
  int64_t total = 0;
  for (const Term& term : terms_) {
    std::optional<int64_t> value = EvaluateTerm(term, source);
    if (!value) return std::nullopt;
    total += term.sign * *value;
  }
  return total;
}

Verdict Check::Evaluate(const FigureSource& source) const {
  Verdict first = EvaluateCondition(conditions_.front(), source);
  if (conditions_.size() == 1) return first;
  Verdict second = EvaluateCondition(conditions_.back(), source);
  Verdict joined = second;
  joined.known = first.known && second.known;
  joined.holds = !joined.known ||
                 (joint_ == "=>" ? !first.holds || second.holds : first.holds == second.holds);
  return joined;
}

}  // namespace canbao::reporting
