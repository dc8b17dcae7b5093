#include "linkage/model/expression.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>

#include "identity/name.h"
#include "linkage/engine/similarity.h"
#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

constexpr int kDeepest = 32;
constexpr size_t kMostInputs = 16;

using Numbers = std::vector<int64_t>;

template <typename Keep>
std::string Filter(std::string_view text, Keep keep) {
  std::u32string in;
  std::u32string out;
  Decode(text, &in);
  for (char32_t c : in) {
    if (keep(c)) out.push_back(c);
  }
  return Encode(out);
}

bool IsAlnum(char32_t c) { return u_isalnum(static_cast<UChar32>(c)) != 0; }
bool IsDigit(char32_t c) { return c >= '0' && c <= '9'; }
bool IsLetter(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }

std::string Lower(std::string_view text, const Numbers&) {
  std::u32string in;
  Decode(text, &in);
  for (char32_t& c : in) c = static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  return Encode(in);
}

// Blanks at the ends gone, those within one each.
std::string TrimBlanks(std::string_view text, const Numbers&) {
  std::string out;
  for (char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

// From 1; from the end when negative.
std::string Substr(std::string_view text, const Numbers& n) {
  std::u32string in;
  Decode(text, &in);
  const auto size = static_cast<int64_t>(in.size());
  const int64_t begin = n[0] > 0 ? n[0] - 1 : std::max<int64_t>(size + n[0], 0);
  if (begin >= size || n[1] <= 0) return {};
  return Encode(
      std::u32string_view(in).substr(static_cast<size_t>(begin), static_cast<size_t>(n[1])));
}

std::string Token(std::string_view text, const Numbers& n) {
  std::vector<std::string_view> tokens;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find(' ', i), text.size());
    if (end > i) tokens.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  const auto size = static_cast<int64_t>(tokens.size());
  const int64_t at = n[0] > 0 ? n[0] - 1 : size + n[0];
  return at < 0 || at >= size ? std::string() : std::string(tokens[static_cast<size_t>(at)]);
}

std::string SortedTokens(std::string_view text, const Numbers&) {
  std::string out;
  for (std::string_view part : Parts(text, '\0')) {
    if (!out.empty()) out.push_back(' ');
    out += part;
  }
  return out;
}

std::string SortedCharacters(std::string_view text, const Numbers&) {
  std::u32string in;
  Decode(text, &in);
  std::erase(in, U' ');
  std::sort(in.begin(), in.end());
  return Encode(in);
}

std::string DayText(std::string_view text, const Numbers&) {
  const auto d = ParseDay(text);
  return d ? fmt::format("{:04}-{:02}-{:02}", d->year, d->month, d->day) : std::string();
}
std::string PartOfDay(std::string_view text, int32_t Day::*part) {
  const auto d = ParseDay(text);
  return d ? std::to_string((*d).*part) : std::string();
}

std::string Fold(std::string_view text, const Numbers&) {
  identity::FoldedName folded;
  identity::FoldName(text, &folded);
  return identity::ToUtf8(folded);
}

using Unary = std::string (*)(std::string_view, const Numbers&);
struct Function {
  std::string_view name;
  size_t numbers;
  Unary unary;
};

constexpr Function kFunctions[] = {
    {"lower", 0, Lower},
    {"trim", 0, TrimBlanks},
    {"alnum", 0, [](std::string_view t, const Numbers&) { return Filter(t, IsAlnum); }},
    {"digits", 0, [](std::string_view t, const Numbers&) { return Filter(t, IsDigit); }},
    {"letters", 0, [](std::string_view t, const Numbers&) { return Filter(t, IsLetter); }},
    {"substr", 2, Substr},
    {"token", 1, Token},
    {"sorted", 0, SortedTokens},
    {"characters", 0, SortedCharacters},
    {"soundex", 0, [](std::string_view t, const Numbers&) { return Soundex(t); }},
    {"phonetic", 0, [](std::string_view t, const Numbers&) { return PhoneticKey(t); }},
    {"date", 0, DayText},
    {"year", 0, [](std::string_view t, const Numbers&) { return PartOfDay(t, &Day::year); }},
    {"month", 0, [](std::string_view t, const Numbers&) { return PartOfDay(t, &Day::month); }},
    {"day", 0, [](std::string_view t, const Numbers&) { return PartOfDay(t, &Day::day); }},
    {"fold", 0, Fold},
    {"pinyin", 0, [](std::string_view t, const Numbers&) { return identity::Pinyin(t); }},
};
// Of several columns.
constexpr std::string_view kConcat = "concat";      // missing when one of them is
constexpr std::string_view kJoin = "join";          // those that are there, with a blank between
constexpr std::string_view kCoalesce = "coalesce";  // the first that is there
// Of a column and a text.
constexpr std::string_view kBefore = "before";
constexpr std::string_view kAfter = "after";

const Function* FunctionOf(std::string_view name) {
  for (const Function& f : kFunctions) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

bool TakesSeveral(std::string_view name) {
  return name == kConcat || name == kJoin || name == kCoalesce;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expression> Parse() {
    CANBAO_ASSIGN(Expression out, Term(0));
    SkipBlanks();
    if (at_ < text_.size()) return Wrong("the end");
    if (out.kind == Expression::Kind::kText) return Wrong("a column");
    return out;
  }

 private:
  tl::unexpected<Error> Wrong(const std::string& wanted) const {
    return Fail(ErrorClass::kInput, std::string(kErrModelExpression),
                Msg("表达式 {0} 第 {1} 个字符有误（应为 {2}）",
                    "the expression {0} is wrong at character {1} ({2} wanted)",
                    std::string(text_.substr(0, 200)), at_ + 1, wanted),
                Msg("写法见 docs/formats/link-model.md", "see docs/formats/link-model.md"));
  }

  void SkipBlanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool Eat(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  static bool IsWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<uint8_t>(c) >= 0x80;
  }

  Result<Expression> Term(int depth) {
    SkipBlanks();
    if (depth > kDeepest || at_ >= text_.size()) return Wrong("a column or function");
    Expression out;
    const char quote = text_[at_];
    if (quote == '\'' || quote == '"' || quote == '`') {
      const size_t end = text_.find(quote, at_ + 1);
      if (end == std::string_view::npos) return Wrong("a closing quote");
      // Names with blanks or hyphens stand in backquotes.
      out.kind = quote == '`' ? Expression::Kind::kColumn : Expression::Kind::kText;
      out.name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      if (out.name.empty() && quote == '`') return Wrong("a column");
      return out;
    }
    const size_t begin = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    if (at_ == begin) return Wrong("a column or function");
    out.name = text_.substr(begin, at_ - begin);
    if (!Eat('(')) return out;
    out.kind = Expression::Kind::kCall;
    const Function* function = FunctionOf(out.name);
    const bool split = out.name == kBefore || out.name == kAfter;
    if (function == nullptr && !split && !TakesSeveral(out.name)) {
      at_ = begin;
      return Wrong("a known function");
    }
    CANBAO_TRY(Arguments(depth, function == nullptr ? 0 : function->numbers, &out));
    if (!Eat(')')) return Wrong(")");
    const size_t inputs = out.inputs.size();
    auto is_text = [&out](size_t i) { return out.inputs[i].kind == Expression::Kind::kText; };
    if (function != nullptr && (inputs != 1 || is_text(0))) return Wrong("one column");
    if (split && (inputs != 2 || is_text(0) || !is_text(1) || out.inputs[1].name.empty())) {
      return Wrong("a column and a text");
    }
    if (std::all_of(out.inputs.begin(), out.inputs.end(),
                    [](const Expression& e) { return e.kind == Expression::Kind::kText; })) {
      return Wrong("a column");
    }
    return out;
  }

  Status Arguments(int depth, size_t numbers, Expression* out) {
    do {
      if (out->inputs.size() >= kMostInputs) return Wrong(")");
      CANBAO_ASSIGN(Expression input, Term(depth + 1));
      out->inputs.push_back(std::move(input));
    } while (numbers == 0 && Eat(','));
    for (size_t i = 0; i < numbers; ++i) {
      if (!Eat(',')) return Wrong(",");
      CANBAO_TRY(Number(out));
    }
    return {};
  }

  Status Number(Expression* out) {
    SkipBlanks();
    const bool negative = Eat('-');
    int64_t value = 0;
    const size_t begin = at_;
    while (at_ < text_.size() && IsDigit(static_cast<uint8_t>(text_[at_])) && at_ - begin < 6) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == begin) return Wrong("a number");
    out->numbers.push_back(negative ? -value : value);
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
};

template <typename Change>
Column MapValues(const Column& in, Change change) {
  Column out;
  std::vector<Code> to(in.values.size(), kMissing);
  for (Code code = 1; code < to.size(); ++code) to[code] = out.values.Add(change(in.values[code]));
  out.rows.resize(in.rows.size());
  for (size_t i = 0; i < in.rows.size(); ++i) out.rows[i] = to[in.rows[i]];
  return out;
}

std::string Split(std::string_view text, std::string_view by, bool before) {
  const size_t at = text.find(by);
  if (at == std::string_view::npos) return before ? std::string(text) : std::string();
  return std::string(before ? text.substr(0, at) : text.substr(at + by.size()));
}

Column Several(const Expression& e, size_t rows, const ColumnOf& column) {
  std::vector<Column> in;
  for (const Expression& input : e.inputs) {
    if (input.kind == Expression::Kind::kText) {
      Column text;
      text.rows.assign(rows, text.values.Add(input.name));
      in.push_back(std::move(text));
    } else {
      in.push_back(Evaluate(input, rows, column));
    }
  }
  Column out;
  out.rows.reserve(rows);
  std::string text;
  for (size_t row = 0; row < rows; ++row) {
    text.clear();
    for (const Column& c : in) {
      const std::string_view part = c.Text(row);
      if (e.name == kCoalesce) {
        text = part;
        if (!part.empty()) break;
      } else if (e.name == kJoin) {
        if (!text.empty() && !part.empty()) text.push_back(' ');
        text += part;
      } else if (part.empty()) {
        text.clear();
        break;
      } else {
        text += part;
      }
    }
    out.rows.push_back(out.values.Add(text));
  }
  return out;
}

}  // namespace

void Expression::Columns(std::vector<std::string>* names) const {
  if (kind == Kind::kColumn) names->push_back(name);
  for (const Expression& input : inputs) input.Columns(names);
}

Result<Expression> ParseExpression(std::string_view text) { return Parser(text).Parse(); }

Column Evaluate(const Expression& e, size_t rows, const ColumnOf& column) {
  if (e.kind == Expression::Kind::kColumn) {
    return MapValues(column(e.name), [](std::string_view text) { return text; });
  }
  if (TakesSeveral(e.name)) return Several(e, rows, column);
  const Column in = Evaluate(e.inputs[0], rows, column);
  if (const Function* function = FunctionOf(e.name)) {
    return MapValues(in, [&](std::string_view text) { return function->unary(text, e.numbers); });
  }
  return MapValues(
      in, [&](std::string_view text) { return Split(text, e.inputs[1].name, e.name == kBefore); });
}

}  // namespace canbao::linkage
