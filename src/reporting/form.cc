#include "reporting/form.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/digest.h"

namespace canbao::reporting {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, ColumnType>& Types() {
  static const std::map<std::string, ColumnType> kTypes = {
      {"count", ColumnType::kCount},      {"percent", ColumnType::kPercent},
      {"amount", ColumnType::kAmount},    {"yes_no", ColumnType::kYesNo},
      {"period", ColumnType::kPeriod},    {"departments", ColumnType::kDepartments},
      {"reserved", ColumnType::kReserved}};
  return kTypes;
}

// Cell number of a form's code; 0 = unknown.
int IdOf(std::string_view code) {
  if (code == "1") return kForm1;
  if (code == "2-1") return kForm21;
  if (code == "2-2") return kForm22;
  return 0;
}

// Reads one file; keeps the first mistake with its line.
class FormReader {
 public:
  FormReader(std::string path, const toml::table& table) : path_(std::move(path)), root_(table) {}

  Result<FormPtr> Read(std::string digest) {
    auto form = std::make_shared<Form>();
    form->digest = std::move(digest);
    Known(root_, {"form", "version", "valid_from", "valid_until", "title", "attachment", "unit",
                  "not_yet_verified", "sources", "signatures", "column", "check"});
    form->code = String(root_, "form", true);
    form->id = IdOf(form->code);
    if (form->id == 0) Wrong(root_, "form");
    form->version = String(root_, "version", true);
    form->title = Words(root_, "title", true);
    form->attachment = Words(root_, "attachment", true);
    form->unit = Words(root_, "unit", true);
    form->not_yet_verified = Words(root_, "not_yet_verified", false);
    for (const toml::node* node : Items(root_, "sources")) {
      form->sources.push_back(node->value_or(std::string()));
    }
    for (const toml::node* node : Items(root_, "signatures")) {
      form->signatures.push_back(WordsOf(*node, "signatures"));
    }
    for (const toml::node* node : Items(root_, "column")) {
      if (node->as_table() != nullptr) form->columns.push_back(ReadColumn(*node->as_table()));
    }
    for (const toml::node* node : Items(root_, "check")) {
      if (node->as_table() != nullptr) form->checks.push_back(ReadCheck(*node->as_table()));
    }
    CheckColumns(*form);
    if (error_) return Fail(std::move(*error_));
    return FormPtr(std::move(form));
  }

  Date Day(const char* key) {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return {};
    auto day = node->value_exact<toml::date>();
    if (!day) {
      Wrong(*node, key);
      return {};
    }
    return Date::FromYmd(day->year, day->month, day->day);
  }
  std::string Code() { return String(root_, "form", true); }
  std::optional<Error> TakeError() { return std::exchange(error_, std::nullopt); }

 private:
  FormColumn ReadColumn(const toml::table& t) {
    Known(t, {"number", "group", "subgroup", "heading", "type", "definition", "source", "part_of",
              "needs", "numerator", "denominator", "full_when", "note"});
    FormColumn column;
    column.number = static_cast<int>(t["number"].value_or(int64_t{0}));
    column.group = Words(t, "group", true);
    column.subgroup = Words(t, "subgroup", false);
    column.heading = Words(t, "heading", true);
    column.definition = Words(t, "definition", false);
    column.note = Words(t, "note", false);
    auto type = Types().find(String(t, "type", true));
    if (type == Types().end()) {
      Wrong(t, "type");
    } else {
      column.type = type->second;
    }
    column.source = String(t, "source", false);
    if (!column.source.empty() && column.source != "cell" && column.source != "case") {
      Wrong(t, "source");
    }
    column.part_of = static_cast<int>(t["part_of"].value_or(int64_t{0}));
    column.needs = String(t, "needs", false);
    column.full_when = String(t, "full_when", false);
    column.numerator = Formula(t, "numerator");
    column.denominator = Formula(t, "denominator");
    if (column.numerator.has_value() != column.denominator.has_value()) Wrong(t, "denominator");
    return column;
  }

  FormCheck ReadCheck(const toml::table& t) {
    Known(t, {"rule", "blocking", "message"});
    FormCheck check;
    check.rule = String(t, "rule", true);
    check.blocking = t["blocking"].value_or(false);
    check.message = Words(t, "message", true);
    auto parsed = Check::Parse(check.rule);
    if (parsed) {
      check.check = std::move(*parsed);
    } else if (!error_) {
      error_ = std::move(parsed.error()).At(path_, Line(t));
    }
    return check;
  }

  std::optional<Sum> Formula(const toml::table& t, const char* key) {
    std::string text = String(t, key, false);
    if (text.empty()) return std::nullopt;
    auto parsed = Sum::Parse(text);
    if (parsed) return std::move(*parsed);
    if (!error_) error_ = std::move(parsed.error()).At(path_, Line(t));
    return std::nullopt;
  }

  // Numbers run 1, 2, … ; every column that a formula or a check names is there.
  void CheckColumns(const Form& form) {
    int count = static_cast<int>(form.columns.size());
    if (count == 0) Wrong(root_, "column");
    for (int i = 0; i < count; ++i) {
      const FormColumn& column = form.columns[static_cast<size_t>(i)];
      if (column.number != i + 1 || column.part_of >= column.number) {
        Wrong(root_, fmt::format("column {}", i + 1));
      }
    }
    for (const FormCheck& check : form.checks) {
      for (const Condition& condition : check.check.conditions()) {
        for (const Sum* sum : {&condition.left, &condition.right}) {
          for (const Sum::Term& term : sum->terms()) {
            bool own = term.form.empty() || term.form == "previous";
            bool beside = term.first == kNotYetVerifiedColumn && !form.not_yet_verified.zh.empty();
            if (own && !beside && term.last > count) Wrong(root_, check.rule);
            if (!own && IdOf(term.form) == 0) Wrong(root_, check.rule);
          }
        }
      }
    }
  }

  std::string String(const toml::table& t, const char* key, bool required) {
    const toml::node* node = t.get(key);
    if (node == nullptr) {
      if (required) Wrong(t, key);
      return {};
    }
    auto value = node->value_exact<std::string>();
    if (!value) Wrong(*node, key);
    return value.value_or("");
  }
  Text Words(const toml::table& t, const char* key, bool required) {
    const toml::node* node = t.get(key);
    if (node == nullptr) {
      if (required) Wrong(t, key);
      return {};
    }
    return WordsOf(*node, key);
  }
  Text WordsOf(const toml::node& node, const char* key) {
    const toml::table* words = node.as_table();
    if (words == nullptr || !(*words)["zh"].is_string() || !(*words)["en"].is_string()) {
      Wrong(node, key);
      return {};
    }
    return Text{(*words)["zh"].value_or(std::string()), (*words)["en"].value_or(std::string())};
  }
  std::vector<const toml::node*> Items(const toml::table& t, const char* key) {
    std::vector<const toml::node*> items;
    if (const toml::array* array = t[key].as_array()) {
      for (const toml::node& node : *array) items.push_back(&node);
    }
    return items;
  }
  void Known(const toml::table& t, const std::set<std::string_view>& keys) {
    for (const auto& [key, node] : t) {
      if (!keys.contains(key.str())) Wrong(node, std::string(key.str()));
    }
  }
  static int64_t Line(const toml::node& node) {
    return static_cast<int64_t>(node.source().begin.line);
  }
  void Wrong(const toml::node& node, const std::string& key) {
    if (error_) return;
    error_ = Error{
        ErrorClass::kEnvironment,
        "CB-REPORTING-0003",
        Msg("表式文件的 {0} 缺失、未知或不对", "form file: {0} is missing, unknown or wrong", key),
        Msg("写法见 docs/formats/forms.md", "docs/formats/forms.md says how to write it"),
        path_,
        Line(node),
        0};
  }

  std::string path_;
  const toml::table& root_;
  std::optional<Error> error_;
};

// Figures as one form sees them: its own evaluated columns first.
class EvaluatedFigures : public FigureSource {
 public:
  EvaluatedFigures(const FormResult& result, const Figures& figures)
      : result_(result), figures_(figures) {}

  std::optional<int64_t> Cell(std::string_view form, int column) const override {
    int own = result_.form->id;
    if (form == "previous") {
      auto found = figures_.previous.find({own, column});
      return found != figures_.previous.end() ? std::optional(found->second) : std::nullopt;
    }
    int id = form.empty() ? own : IdOf(form);
    if (id != own) return figures_.Get(id, column);
    if (column == kNotYetVerifiedColumn && !result_.form->not_yet_verified.zh.empty()) {
      return result_.not_yet_verified;
    }
    size_t index = static_cast<size_t>(column - 1);
    return index < result_.columns.size() ? result_.columns[index] : std::nullopt;
  }
  std::optional<int64_t> Named(std::string_view name) const override {
    return figures_.Named(std::string(name));
  }

 private:
  const FormResult& result_;
  const Figures& figures_;
};

// Percentages and amounts stand on both sides of a check or on none; the first column tells.
bool HasDecimals(const Form& form, const FormCheck& check) {
  const Sum::Term& term = check.check.conditions().back().left.terms().front();
  bool own = term.form.empty() || term.form == "previous";
  size_t index = static_cast<size_t>(term.first - 1);
  return own && term.kind == Sum::Term::kColumn && index < form.columns.size() &&
         form.columns[index].has_decimals();
}

Text Explain(const FormCheck& check, const CheckResult& result) {
  auto text = [&](int64_t value) {
    return result.decimals ? HundredthsText(value) : std::to_string(value);
  };
  return Text{
      fmt::format("{} 不成立：左边 {}，右边 {}，相差 {}。{}", check.rule, text(*result.left),
                  text(*result.right), text(result.difference), check.message.zh),
      fmt::format("{} does not hold: {} on the left, {} on the right, difference {}: {}",
                  check.rule, text(*result.left), text(*result.right), text(result.difference),
                  check.message.en)};
}

}  // namespace

bool FormResult::HasCross() const {
  return form->id == kForm22 &&
         std::any_of(cross.begin(), cross.end(), [](int64_t n) { return n != 0; });
}

bool FormResult::Blocked() const {
  return std::any_of(checks.begin(), checks.end(),
                     [](const CheckResult& c) { return c.blocking && !c.holds; });
}

int HeadingLines(const Form& form) {
  const bool subgroups = std::any_of(form.columns.begin(), form.columns.end(),
                                     [](const FormColumn& c) { return !c.subgroup.zh.empty(); });
  return subgroups ? 3 : 2;
}

std::vector<HeadingCell> HeadingsOf(const Form& form) {
  std::vector<HeadingCell> out;
  const std::vector<FormColumn>& columns = form.columns;
  const int lines = HeadingLines(form);
  auto number = [&](size_t i) { return static_cast<int>(i) + 1; };
  for (size_t i = 0; i < columns.size();) {
    size_t end = i;
    while (end < columns.size() && columns[end].group.zh == columns[i].group.zh) ++end;
    const bool split = !columns[i].subgroup.zh.empty();
    out.push_back(
        {columns[i].group, 0, number(i), static_cast<int>(end - i), split ? 1 : lines - 1});
    for (size_t k = i; split && k < end;) {
      size_t stop = k;
      while (stop < end && columns[stop].subgroup.zh == columns[k].subgroup.zh) ++stop;
      out.push_back({columns[k].subgroup, 1, number(k), static_cast<int>(stop - k), 1});
      k = stop;
    }
    i = end;
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    out.push_back({columns[i].heading, lines - 1, number(i), 1, 1});
  }
  if (!form.not_yet_verified.zh.empty()) {
    out.push_back({form.not_yet_verified, 0, number(columns.size()), 1, lines});
  }
  return out;
}

std::optional<int64_t> PercentHundredths(std::optional<int64_t> numerator,
                                         std::optional<int64_t> denominator) {
  if (!numerator || !denominator || *denominator <= 0 || *numerator < 0) return std::nullopt;
  // 2 × 10,000 × 1.4 billion persons is far from the end of 64 bits.
  return (*numerator * 20000 + *denominator) / (*denominator * 2);
}

std::string HundredthsText(int64_t hundredths) {
  int64_t size = hundredths < 0 ? -hundredths : hundredths;
  return fmt::format("{}{}.{:02}", hundredths < 0 ? "-" : "", size / 100, size % 100);
}

std::string ValueText(const FormColumn& column, std::optional<int64_t> value) {
  if (!value) return {};
  return column.has_decimals() ? HundredthsText(*value) : std::to_string(*value);
}

Result<FormPtr> LoadForm(const std::string& data_dir, const std::string& code, Date cutoff) {
  if (IdOf(code) == 0) {
    return Fail(ErrorClass::kUsage, "CB-REPORTING-0001",
                Msg("没有表 {0}", "there is no form {0}", code),
                Msg("可选 2-1、2-2、1", "choose 2-1, 2-2 or 1"));
  }
  std::vector<fs::path> paths;
  std::error_code ec;
  fs::path dir = fs::path(data_dir) / "forms";
  for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() == ".toml") paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  FormPtr found;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    toml::table table;
    try {
      table = toml::parse(text.str(), path.string());
    } catch (const toml::parse_error& e) {
      return Fail(Error{ErrorClass::kEnvironment,
                        "CB-REPORTING-0002",
                        Msg("表式文件不是合法的 TOML: {0}", "the form file is not valid TOML: {0}",
                            std::string(e.description())),
                        {},
                        path.string(),
                        static_cast<int64_t>(e.source().begin.line),
                        static_cast<int64_t>(e.source().begin.column)});
    }
    FormReader reader(path.string(), table);
    if (reader.Code() != code) continue;
    Date from = reader.Day("valid_from");
    Date until = reader.Day("valid_until");
    if (auto error = reader.TakeError()) return Fail(std::move(*error));
    if (cutoff < from || (until.has_value() && until <= cutoff)) continue;
    CANBAO_ASSIGN(FormPtr form, reader.Read(Sha256Hex(text.str())));
    if (found != nullptr) {
      return Fail(Error{ErrorClass::kEnvironment, "CB-REPORTING-0005",
                        Msg("表 {0} 在 {1} 有两个版本同时有效",
                            "two versions of form {0} hold on {1}", code, cutoff.ToIso()),
                        Msg("请用 valid_until 结束其中一个", "end one of them with valid_until"),
                        path.string(), 0, 0});
    }
    found = std::move(form);
  }
  if (found == nullptr) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REPORTING-0006",
        Msg("没有在 {1} 有效的表 {0}", "no version of form {0} holds on {1}", code, cutoff.ToIso()),
        Msg("请检查 data/forms", "check data/forms"));
  }
  return found;
}

FormResult Evaluate(FormPtr form, const Figures& figures, const Subject& subject) {
  FormResult result;
  result.form = std::move(form);
  result.subject = subject;
  const Form& f = *result.form;
  result.columns.resize(f.columns.size());
  result.not_collected.resize(f.columns.size());
  if (!f.not_yet_verified.zh.empty()) {
    result.not_yet_verified = figures.Get(f.id, kNotYetVerifiedColumn);
  }
  for (size_t i = 0; i < result.cross.size() && f.id == kForm22; ++i) {
    result.cross[i] = figures.Get(kCrossTable, static_cast<int>(i) + 1).value_or(0);
  }
  EvaluatedFigures source(result, figures);
  for (size_t i = 0; i < f.columns.size(); ++i) {
    const FormColumn& column = f.columns[i];
    if (!column.needs.empty() && !figures.facts.contains(column.needs)) {
      result.not_collected[i] = true;
    } else if (!column.full_when.empty() && figures.facts.contains(column.full_when)) {
      result.columns[i] = 10000;
    } else if (column.derived()) {
      result.columns[i] = PercentHundredths(column.numerator->Evaluate(source),
                                            column.denominator->Evaluate(source));
    } else {
      result.columns[i] = figures.Get(f.id, column.number);
    }
  }
  for (const FormCheck& check : f.checks) {
    Verdict verdict = check.check.Evaluate(source);
    CheckResult out;
    out.rule = check.rule;
    out.known = verdict.known;
    out.holds = verdict.holds;
    out.blocking = check.blocking;
    out.decimals = HasDecimals(f, check);
    out.left = verdict.left;
    out.right = verdict.right;
    if (out.known) out.difference = *out.left - *out.right;
    if (!out.holds) out.explanation = Explain(check, out);
    result.checks.push_back(std::move(out));
  }
  return result;
}

}  // namespace canbao::reporting
