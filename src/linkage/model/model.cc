#include "linkage/model/model.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/file.h"
#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

constexpr uint64_t kMostModelBytes = 1 << 20;
constexpr int kDeepestCondition = 8;

struct TestName {
  std::string_view key;
  Test test;
  enum class Argument { kNone, kSimilarity, kCount, kNumber } argument;
  std::string_view argument_key;
};
using TestArgument = TestName::Argument;
constexpr TestName kTests[] = {
    {"exact", Test::kExact, TestArgument::kNone, ""},
    {"jaro_winkler", Test::kJaroWinkler, TestArgument::kSimilarity, "at_least"},
    {"jaro", Test::kJaro, TestArgument::kSimilarity, "at_least"},
    {"levenshtein", Test::kLevenshtein, TestArgument::kCount, "at_most"},
    {"damerau_levenshtein", Test::kDamerauLevenshtein, TestArgument::kCount, "at_most"},
    {"days", Test::kDays, TestArgument::kCount, "at_most"},
    {"months", Test::kMonths, TestArgument::kCount, "at_most"},
    {"years", Test::kYears, TestArgument::kCount, "at_most"},
    {"day_month_swapped", Test::kDayMonthSwapped, TestArgument::kNone, ""},
    {"difference", Test::kDifference, TestArgument::kNumber, "at_most"},
    {"percent", Test::kPercent, TestArgument::kNumber, "at_most"},
    {"shared", Test::kShared, TestArgument::kCount, "at_least"},
    {"first", Test::kFirst, TestArgument::kCount, "characters"},
    {"begins", Test::kBegins, TestArgument::kCount, "characters"},
    {"contains", Test::kContains, TestArgument::kCount, "characters"},
    {"name", Test::kName, TestArgument::kNone, ""},
    {"missing", Test::kMissing, TestArgument::kNone, ""},
};

class Reader {
 public:
  Reader(const std::string& path, const toml::table& root) : path_(path), root_(root) {}

  Result<Model> Read() {
    CANBAO_TRY(Keys(root_, {"version", "name", "source", "id", "mode", "one_per_file", "columns",
                            "comparison", "blocking", "training", "decision"}));
    CANBAO_ASSIGN(int64_t version, Integer(root_, "version", 1, INT32_MAX, std::nullopt));
    if (version != 1) {
      return Wrong(kErrModelVersion, root_["version"].node(),
                   Msg("不支持模型格式第 {0} 版", "models of version {0} are not known", version));
    }
    CANBAO_ASSIGN(model_.name, String(root_, "name", std::string()));
    CANBAO_ASSIGN(model_.source, String(root_, "source", std::string()));
    CANBAO_ASSIGN(model_.id, String(root_, "id", std::string()));
    CANBAO_ASSIGN(size_t mode, Word(root_, "mode", {"link_and_dedupe", "link_only"}));
    model_.link_only = mode == 1;
    CANBAO_ASSIGN(model_.one_per_file, Flag(root_, "one_per_file"));
    CANBAO_TRY(Columns());
    CANBAO_TRY(Comparisons());
    CANBAO_TRY(Rules());
    CANBAO_TRY(ReadTraining());
    CANBAO_TRY(ReadDecision());
    return std::move(model_);
  }

 private:
  tl::unexpected<Error> Wrong(std::string_view code, const toml::node* at, Text message) const {
    const int64_t line = at == nullptr ? 0 : static_cast<int64_t>(at->source().begin.line);
    return Fail(Error{ErrorClass::kInput, std::string(code), std::move(message),
                      Msg("模型的写法见 docs/formats/link-model.md",
                          "docs/formats/link-model.md says how a model is written"),
                      path_, line, 0});
  }
  tl::unexpected<Error> WrongValue(const toml::node* at, std::string_view key,
                                   const std::string& wanted) const {
    return Wrong(kErrModelValue, at, Msg("{0} 应为 {1}", "{0} should be {1}", key, wanted));
  }

  Status Keys(const toml::table& table, std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : table) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
        return Wrong(kErrModelKey, &value, Msg("不认识的键 {0}", "unknown key {0}", key.str()));
      }
    }
    return {};
  }
  tl::unexpected<Error> Lacks(const toml::table& table, std::string_view key) const {
    return Wrong(kErrModelKey, &table, Msg("缺少 {0}", "{0} is missing", key));
  }

  Result<std::string> String(const toml::table& table, std::string_view key,
                             std::optional<std::string> otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      if (otherwise) return *otherwise;
      return Lacks(table, key);
    }
    auto value = node->value_exact<std::string>();
    if (!value) return WrongValue(node, key, "a text");
    return *value;
  }
  Result<int64_t> Integer(const toml::table& table, std::string_view key, int64_t low, int64_t high,
                          std::optional<int64_t> otherwise) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      if (otherwise) return *otherwise;
      return Lacks(table, key);
    }
    auto value = node->value_exact<int64_t>();
    if (!value || *value < low || *value > high) {
      return WrongValue(node, key, fmt::format("{} … {}", low, high));
    }
    return *value;
  }
  Result<std::optional<double>> Number(const toml::table& table, std::string_view key, double low,
                                       double high) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return std::optional<double>();
    auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value) || *value < low || *value > high) {
      return WrongValue(node, key, fmt::format("{} … {}", low, high));
    }
    return value;
  }
  Result<bool> Flag(const toml::table& table, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    auto value = node->value_exact<bool>();
    if (!value) return WrongValue(node, key, "true, false");
    return *value;
  }
  // The first word is what holds without the key.
  Result<size_t> Word(const toml::table& table, std::string_view key,
                      std::initializer_list<std::string_view> words) const {
    CANBAO_ASSIGN(std::string word, String(table, key, std::string(*words.begin())));
    const auto* found = std::find(words.begin(), words.end(), word);
    if (found != words.end()) return static_cast<size_t>(found - words.begin());
    return WrongValue(table.get(key), key, fmt::format("{}", fmt::join(words, ", ")));
  }

  // A text, or texts in an array.
  Result<std::vector<std::string>> Texts(const toml::node& node, std::string_view key,
                                         size_t most) const {
    std::vector<std::string> out;
    if (auto one = node.value_exact<std::string>()) {
      out.push_back(*one);
      return out;
    }
    const toml::array* array = node.as_array();
    if (array == nullptr || array->size() > most) {
      return WrongValue(&node, key, fmt::format("a text, or at most {} in an array", most));
    }
    for (const toml::node& item : *array) {
      auto text = item.value_exact<std::string>();
      if (!text) return WrongValue(&item, key, "a text");
      out.push_back(*text);
    }
    return out;
  }

  Result<const toml::array*> Tables(std::string_view key, size_t most) const {
    const toml::node* node = root_.get(key);
    if (node == nullptr) return Lacks(root_, key);
    const toml::array* array = node->as_array();
    if (array == nullptr || array->empty() || !array->is_homogeneous(toml::node_type::table)) {
      return WrongValue(node, key, fmt::format("[[{}]]", key));
    }
    if (array->size() > most) {
      return Wrong(kErrModelTooMuch, node, Msg("{0} 最多 {1} 个", "at most {1} of {0}", key, most));
    }
    return array;
  }

  Status Columns() {
    const toml::node* node = root_.get("columns");
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    if (table == nullptr) return WrongValue(node, "columns", "[columns]");
    if (table->size() > kMostColumns) {
      return Wrong(kErrModelTooMuch, node,
                   Msg("列最多 {0} 个", "at most {0} columns", kMostColumns));
    }
    for (const auto& [key, value] : *table) {
      auto text = value.value_exact<std::string>();
      if (!text) return WrongValue(&value, key.str(), "an expression");
      auto parsed = ParseExpression(*text);
      if (!parsed) return Located(&value, std::move(parsed.error()));
      derived_.emplace(std::string(key.str()), Derived{std::move(*parsed), &value});
    }
    for (const auto& [name, derived] : derived_) CANBAO_TRY(NeedDerived(name));
    return {};
  }

  tl::unexpected<Error> Located(const toml::node* at, Error error) const {
    error.file = path_;
    error.line = static_cast<int64_t>(at->source().begin.line);
    return Fail(std::move(error));
  }

  // A column that is made of others comes behind them. Its own name within itself is the column of
  // the tables.
  Status NeedDerived(const std::string& name) {
    if (index_.contains(name)) return {};
    Derived& derived = derived_.at(name);
    if (!open_.insert(name).second) {
      return Wrong(kErrModelCycle, derived.node,
                   Msg("列 {0} 由自己生成", "the column {0} is made of itself", name));
    }
    CANBAO_TRY(Resolve(&derived.expression, name));
    open_.erase(name);
    index_.emplace(name, Append({name, derived.expression, false}));
    return {};
  }

  // Names of the columns of the tables get an index of their own, "raw:" and the name.
  Status Resolve(Expression* e, const std::string& within) {
    if (e->kind == Expression::Kind::kColumn) {
      if (e->name != within && derived_.contains(e->name)) return NeedDerived(e->name);
      e->name = model_.columns[Raw(e->name)].name;
      return {};
    }
    for (Expression& input : e->inputs) CANBAO_TRY(Resolve(&input, within));
    return {};
  }

  uint32_t Append(ModelColumn column) {
    model_.columns.push_back(std::move(column));
    return static_cast<uint32_t>(model_.columns.size() - 1);
  }
  uint32_t Raw(const std::string& name) {
    const auto [it, added] = raw_.emplace(name, 0);
    if (added) {
      Expression e;
      e.name = name;
      it->second = Append({"raw:" + name, std::move(e), true});
    }
    return it->second;
  }

  // The column that a level names.
  uint32_t Named(const std::string& name) {
    const auto it = index_.find(name);
    return it != index_.end() ? it->second : Raw(name);
  }
  // The column that a blocking rule gives: a name or an expression.
  Result<uint32_t> Given(const toml::node& node, const std::string& text) {
    if (const auto it = index_.find(text); it != index_.end()) return it->second;
    auto parsed = ParseExpression(text);
    if (!parsed) return Located(&node, std::move(parsed.error()));
    if (parsed->kind == Expression::Kind::kColumn) return Named(parsed->name);
    CANBAO_TRY(Resolve(&*parsed, std::string()));
    const uint32_t at = Append({"=" + text, std::move(*parsed), false});
    index_.emplace(text, at);
    return at;
  }

  Status Comparisons() {
    CANBAO_ASSIGN(const toml::array* array, Tables("comparison", kMostComparisons));
    std::set<std::string> names;
    for (const toml::node& node : *array) {
      const toml::table& table = *node.as_table();
      CANBAO_TRY(Keys(table, {"name", "level", "missing"}));
      Comparison comparison;
      CANBAO_ASSIGN(comparison.name, String(table, "name", std::nullopt));
      if (!names.insert(comparison.name).second) {
        return Wrong(
            kErrModelTwice, &node,
            Msg("比较 {0} 出现两次", "the comparison {0} is there twice", comparison.name));
      }
      const toml::node* levels = table.get("level");
      if (levels == nullptr) return Lacks(table, "level");
      const toml::array* list = levels->as_array();
      if (list == nullptr || list->size() < 2 || !list->is_homogeneous(toml::node_type::table)) {
        return WrongValue(levels, "level", "[{…}, …, {else = true}]");
      }
      if (list->size() > kMostLevels) {
        return Wrong(kErrModelTooMuch, levels,
                     Msg("一个比较最多 {0} 级", "at most {0} levels of a comparison", kMostLevels));
      }
      std::set<uint32_t> columns;
      for (const toml::node& level : *list) {
        CANBAO_TRY(ReadLevel(*level.as_table(), &comparison, &columns));
      }
      if (!comparison.levels.back().otherwise) {
        return Wrong(kErrModelLevel, levels,
                     Msg("最后一级应为 else = true", "the last level should be else = true"));
      }
      CANBAO_TRY(CheckGiven(*levels, comparison));
      CANBAO_ASSIGN(size_t missing, Word(table, "missing", {"", "any", "all"}));
      comparison.missing_first = missing == 0 ? columns.size() == 1 : missing == 1;
      model_.comparisons.push_back(std::move(comparison));
    }
    return {};
  }

  // m and u are shares: given for all levels that count, or for none, and no more than a whole.
  Status CheckGiven(const toml::node& at, const Comparison& c) const {
    double sum_m = 0;
    double sum_u = 0;
    size_t m = 0;
    size_t u = 0;
    size_t all = 0;
    for (const Level& level : c.levels) {
      if (level.says_nothing) continue;
      ++all;
      m += level.m.has_value();
      u += level.u.has_value();
      sum_m += level.m.value_or(0);
      sum_u += level.u.value_or(0);
    }
    if ((m != 0 && m != all) || (u != 0 && u != all) || sum_m > 1.001 || sum_u > 1.001) {
      return Wrong(
          kErrModelLevel, &at,
          Msg("{0}：m、u 应每级都给或都不给，且合计不超过 1",
              "{0}: m and u are for all levels or for none, and no more than 1 together", c.name));
    }
    return {};
  }

  Status ReadLevel(const toml::table& table, Comparison* comparison, std::set<uint32_t>* columns) {
    Level level;
    if (!comparison->levels.empty() && comparison->levels.back().otherwise) {
      return Wrong(kErrModelLevel, &table,
                   Msg("else 之后不能再有级", "no level may stand behind else"));
    }
    CANBAO_ASSIGN(level.otherwise, Flag(table, "else"));
    if (level.otherwise) {
      CANBAO_TRY(Keys(table, {"else", "label", "m", "u"}));
      level.label = "else";
    } else {
      CANBAO_TRY(ReadCondition(table, true, 0, &level.when));
      Collect(level.when, columns);
      level.label = Describe(level.when);
    }
    CANBAO_ASSIGN(level.label, String(table, "label", level.label));
    CANBAO_ASSIGN(level.m, Number(table, "m", 1e-9, 1));
    CANBAO_ASSIGN(level.u, Number(table, "u", 1e-9, 1));
    CANBAO_ASSIGN(level.says_nothing, Flag(table, "says_nothing"));
    if (level.says_nothing && (level.m || level.u)) {
      return Wrong(kErrModelLevel, &table,
                   Msg("says_nothing 的级没有 m、u", "a level that says nothing has no m and u"));
    }
    if (const toml::node* node = table.get("frequency")) {
      CANBAO_ASSIGN(auto names, Texts(*node, "frequency", 4));
      for (const std::string& name : names) level.frequency.push_back(Named(name));
    }
    CANBAO_ASSIGN(int64_t percent, Integer(table, "frequency_percent", 0, 100, 100));
    level.frequency_percent = static_cast<int32_t>(percent);
    comparison->levels.push_back(std::move(level));
    return {};
  }

  static void Collect(const Condition& c, std::set<uint32_t>* columns) {
    if (c.kind == Condition::Kind::kTest) {
      columns->insert(c.left);
      columns->insert(c.right);
    }
    for (const Condition& part : c.parts) Collect(part, columns);
  }

  Status ReadCondition(const toml::table& table, bool top, int depth, Condition* out) {
    if (depth > kDeepestCondition) {
      return Wrong(kErrModelTooMuch, &table, Msg("条件嵌套过深", "conditions are nested too deep"));
    }
    std::vector<std::string_view> known;
    if (top) known = {"label", "m", "u", "says_nothing", "frequency", "frequency_percent", "else"};
    const TestName* test = nullptr;
    size_t tests = 0;
    for (const TestName& t : kTests) {
      if (!table.contains(t.key)) continue;
      test = &t;
      ++tests;
    }
    const bool all = table.contains("all");
    const bool any = table.contains("any");
    const bool swapped = table.contains("swapped");
    if (tests + all + any + swapped != 1) {
      return Wrong(
          kErrModelLevel, &table,
          Msg("每一级（条件）要有恰好一种检验", "a level (condition) has exactly one test"));
    }
    if (all || any) {
      const std::string_view key = all ? "all" : "any";
      known.push_back(key);
      out->kind = all ? Condition::Kind::kAll : Condition::Kind::kAny;
      const toml::array* parts = table.get(key)->as_array();
      if (parts == nullptr || parts->empty() || !parts->is_homogeneous(toml::node_type::table) ||
          parts->size() > kMostTestBits) {
        return WrongValue(table.get(key), key, "[{…}, …]");
      }
      for (const toml::node& part : *parts) {
        out->parts.emplace_back();
        CANBAO_TRY(ReadCondition(*part.as_table(), false, depth + 1, &out->parts.back()));
      }
    } else {
      CANBAO_TRY(ReadTest(table, swapped ? kTests[0] : *test, swapped, &known, out));
    }
    for (const auto& [key, value] : table) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
        return Wrong(kErrModelKey, &value, Msg("不认识的键 {0}", "unknown key {0}", key.str()));
      }
    }
    return {};
  }

  Status ReadTest(const toml::table& table, const TestName& test, bool swapped,
                  std::vector<std::string_view>* known, Condition* out) {
    const std::string_view key = swapped ? "swapped" : test.key;
    known->push_back(key);
    out->test = test.test;
    const toml::node& node = *table.get(key);
    CANBAO_ASSIGN(auto names, Texts(node, key, 2));
    if (names.empty() || (swapped && names.size() != 2)) {
      return WrongValue(&node, key, swapped ? "two columns" : "a column");
    }
    out->left = Named(names.front());
    out->right = Named(names.back());
    out->both_ways = swapped;
    if (names.size() == 2) {
      known->push_back("both_ways");
      CANBAO_ASSIGN(bool both, Flag(table, "both_ways"));
      out->both_ways = out->both_ways || both;
    }
    if (test.argument == TestArgument::kNone) return {};
    known->push_back(test.argument_key);
    if (test.argument == TestArgument::kCount) {
      CANBAO_ASSIGN(out->limit, Integer(table, test.argument_key, 0, 1'000'000, std::nullopt));
    } else {
      const bool similarity = test.argument == TestArgument::kSimilarity;
      CANBAO_ASSIGN(auto value, Number(table, test.argument_key, 0, similarity ? 1 : 1e9));
      if (!value) return Lacks(table, test.argument_key);
      out->at_least = *value;
      out->limit = similarity ? 0 : std::llround(*value * 1e6);
    }
    if (test.test == Test::kShared) {
      known->push_back("separator");
      CANBAO_ASSIGN(std::string separator, String(table, "separator", std::string()));
      if (separator.size() > 1) return WrongValue(table.get("separator"), "separator", "one byte");
      if (!separator.empty()) out->separator = separator[0];
    }
    return {};
  }

  std::string NameOf(uint32_t column) const {
    const ModelColumn& c = model_.columns[column];
    return c.raw ? c.made_of.name : c.name;
  }
  std::string Describe(const Condition& c) const {
    if (c.kind != Condition::Kind::kTest) {
      std::string out;
      for (const Condition& part : c.parts) {
        if (!out.empty()) out += c.kind == Condition::Kind::kAll ? " + " : " | ";
        out += Describe(part);
      }
      return out;
    }
    std::string columns = NameOf(c.left);
    if (c.left != c.right) columns += (c.both_ways ? "<>" : "~") + NameOf(c.right);
    for (const TestName& t : kTests) {
      if (t.test != c.test) continue;
      if (t.argument == TestArgument::kNone) return fmt::format("{} {}", t.key, columns);
      const char* sign = t.argument_key == "at_least"  ? ">="
                         : t.argument_key == "at_most" ? "<="
                                                       : "";
      if (t.argument == TestArgument::kCount)
        return fmt::format("{} {} {}{}", t.key, columns, sign, c.limit);
      return fmt::format("{} {} {}{}", t.key, columns, sign, c.at_least);
    }
    return columns;
  }

  Status Rules() {
    CANBAO_ASSIGN(const toml::array* array, Tables("blocking", kMostRules));
    for (const toml::node& node : *array) {
      const toml::table& table = *node.as_table();
      CANBAO_TRY(Keys(table, {"on", "split", "hot", "up_to", "label"}));
      BlockingRule rule;
      const toml::node* on = table.get("on");
      if (on == nullptr) return Lacks(table, "on");
      CANBAO_ASSIGN(auto names, Texts(*on, "on", 8));
      for (const std::string& name : names) {
        CANBAO_ASSIGN(uint32_t column, Given(*on, name));
        rule.on.push_back(column);
      }
      if (const toml::node* split = table.get("split")) {
        CANBAO_ASSIGN(auto by, Texts(*split, "split", 8));
        for (const std::string& name : by) {
          CANBAO_ASSIGN(uint32_t column, Given(*split, name));
          rule.split.push_back(column);
        }
      }
      const std::string label = names.empty() ? "*" : fmt::format("{}", fmt::join(names, " + "));
      CANBAO_ASSIGN(rule.label, String(table, "label", label));
      CANBAO_ASSIGN(int64_t hot, Integer(table, "hot", 2, INT32_MAX, 5000));
      CANBAO_ASSIGN(int64_t up_to, Integer(table, "up_to", 0, INT64_MAX, INT64_MAX));
      rule.hot = static_cast<uint64_t>(hot);
      rule.up_to = static_cast<uint64_t>(up_to);
      model_.rules.push_back(std::move(rule));
    }
    return {};
  }

  Status ReadTraining() {
    const toml::node* node = root_.get("training");
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    if (table == nullptr) return WrongValue(node, "training", "[training]");
    CANBAO_TRY(Keys(*table,
                    {"seed", "random_pairs", "candidate_pairs", "rounds", "prior", "frequencies"}));
    Training& t = model_.training;
    CANBAO_ASSIGN(int64_t seed, Integer(*table, "seed", 0, INT64_MAX, 1));
    CANBAO_ASSIGN(int64_t random, Integer(*table, "random_pairs", 1000, 1'000'000'000,
                                          static_cast<int64_t>(t.random_pairs)));
    CANBAO_ASSIGN(int64_t some, Integer(*table, "candidate_pairs", 1000, 1'000'000'000,
                                        static_cast<int64_t>(t.candidate_pairs)));
    CANBAO_ASSIGN(int64_t rounds, Integer(*table, "rounds", 0, 10'000, 100));
    CANBAO_ASSIGN(t.prior, Number(*table, "prior", 1e-15, 0.999));
    CANBAO_ASSIGN(size_t frequencies, Word(*table, "frequencies", {"auto", "rows", "persons"}));
    t.seed = static_cast<uint64_t>(seed);
    t.random_pairs = static_cast<uint64_t>(random);
    t.candidate_pairs = static_cast<uint64_t>(some);
    t.rounds = static_cast<int32_t>(rounds);
    t.frequencies = static_cast<Training::Frequencies>(frequencies);
    return {};
  }

  Status ReadDecision() {
    const toml::node* node = root_.get("decision");
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    if (table == nullptr) return WrongValue(node, "decision", "[decision]");
    CANBAO_TRY(Keys(*table, {"probability", "bits", "clustering", "largest", "cap"}));
    Decision& d = model_.decision;
    CANBAO_ASSIGN(auto probability, Number(*table, "probability", 1e-6, 0.999999999));
    CANBAO_ASSIGN(auto bits, Number(*table, "bits", -100, 100));
    if (probability && bits) {
      return Wrong(kErrModelValue, table->get("bits"),
                   Msg("probability 与 bits 只能给一个", "give probability or bits, not both"));
    }
    if (bits) d.threshold = static_cast<Bits>(std::lround(*bits * 100));
    if (probability) {
      const auto p = static_cast<uint64_t>(std::llround(*probability * 1e12));
      d.threshold = Log2(p, 1'000'000'000'000 - p);
    }
    CANBAO_ASSIGN(size_t how, Word(*table, "clustering", {"average", "complete", "components"}));
    d.clustering = static_cast<Clustering>(how);
    CANBAO_ASSIGN(int64_t largest, Integer(*table, "largest", 2, 5000, d.largest));
    d.largest = static_cast<uint32_t>(largest);
    CANBAO_ASSIGN(auto cap, Number(*table, "cap", 1, 1000));
    if (cap) d.cap = static_cast<Bits>(std::lround(*cap * 100));
    return {};
  }

  struct Derived {
    Expression expression;
    const toml::node* node = nullptr;
  };

  std::string path_;
  const toml::table& root_;
  Model model_;
  std::map<std::string, Derived> derived_;
  std::set<std::string> open_;
  std::map<std::string, uint32_t> index_;
  std::map<std::string, uint32_t> raw_;
};

}  // namespace

bool Model::trained() const {
  for (const Comparison& c : comparisons) {
    for (const Level& level : c.levels) {
      if (!level.says_nothing && (!level.m || !level.u)) return false;
    }
  }
  return training.prior.has_value();
}

std::vector<std::string> Model::Inputs() const {
  std::set<std::string> out;
  for (const ModelColumn& c : columns) {
    if (c.raw) out.insert(c.made_of.name);
  }
  return {out.begin(), out.end()};
}

Result<Model> ParseModel(const std::string& text, const std::string& path) {
  toml::parse_result parsed;
  try {
    parsed = toml::parse(text);
  } catch (const toml::parse_error& e) {
    return Fail(Error{ErrorClass::kInput, std::string(kErrModelSyntax),
                      Msg("不是 TOML：{0}", "no TOML: {0}", std::string(e.description())),
                      Msg("请更正该行", "correct this line"), path,
                      static_cast<int64_t>(e.source().begin.line),
                      static_cast<int64_t>(e.source().begin.column)});
  }
  CANBAO_ASSIGN(Model model, Reader(path, parsed).Read());
  model.digest = Sha256Hex(text);
  return model;
}

Result<Model> LoadModel(const std::string& path) {
  CANBAO_ASSIGN(std::string text, ReadWholeFile(path, kMostModelBytes));
  return ParseModel(text, path);
}

}  // namespace canbao::linkage
