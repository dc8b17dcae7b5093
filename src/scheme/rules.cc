#include "scheme/rules.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/digest.h"

namespace canbao::scheme {
namespace {

namespace fs = std::filesystem;

// The words of the rule files for the flags of a person.
const std::map<std::string, uint32_t, std::less<>>& FlagWords() {
  static const std::map<std::string, uint32_t, std::less<>> kWords = {
      {"hukou", kH},
      {"insured_here", kL},
      {"insured_elsewhere", kE},
      {"employed", kW},
      {"dead", kD},
      {"full_time_student", kStudent},
      {"soldier", kSoldier},
      {"army_dependant", kDependant},
      {"imprisoned", kImprisoned},
      {"abroad", kOverseas},
      {"civil_servant", kCivilServant},
      {"interrupted", kInterruptedAny},
      {"wage_tax", kTaxed},
      {"employment_filing", kFiled},
      {"retired", kAged}};
  return kWords;
}

// One rule file that holds at the cut-off, with what is needed to speak of it in an error.
struct RuleFile {
  std::string name;
  std::string path;
  std::string digest;
  toml::table table;
};

Error BadRule(const RuleFile& file, const toml::node* at, Text message) {
  int64_t line = at != nullptr ? static_cast<int64_t>(at->source().begin.line) : 0;
  return Error{ErrorClass::kEnvironment,
               "CB-SCHEME-0003",
               std::move(message),
               Msg("请按 docs/formats/rules.md 更正规则文件",
                   "correct the rule file as described in "
                   "docs/formats/rules.md"),
               file.path,
               line,
               0};
}

Date ToDate(const toml::date& d) { return Date::FromYmd(d.year, d.month, d.day); }

// Reads typed values out of one table; the first thing that is wrong stays in `error`.
class Reader {
 public:
  Reader(RuleFile* file, const toml::table& table, std::string where)
      : file_(file), table_(table), where_(std::move(where)) {}

  int64_t Int(std::string_view key, int64_t lowest, int64_t highest) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return 0;
    auto value = node->value_exact<int64_t>();
    if (!value || *value < lowest || *value > highest) {
      Wrong(node, key, fmt::format("{}..{}", lowest, highest));
      return 0;
    }
    return *value;
  }
  int64_t IntOr(std::string_view key, int64_t fallback, int64_t lowest, int64_t highest) {
    return table_.contains(key) ? Int(key, lowest, highest) : fallback;
  }
  bool Bool(std::string_view key) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return false;
    auto value = node->value_exact<bool>();
    if (!value) Wrong(node, key, "true | false");
    return value.value_or(false);
  }
  std::string String(std::string_view key) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return {};
    auto value = node->value_exact<std::string>();
    if (!value || value->empty()) Wrong(node, key, "text");
    return value.value_or("");
  }
  Date Day(std::string_view key, bool required) {
    const toml::node* node = Find(key, required);
    if (node == nullptr) return {};
    auto value = node->value_exact<toml::date>();
    Date day = value ? ToDate(*value) : Date{};
    if (!day.has_value()) Wrong(node, key, "YYYY-MM-DD");
    return day;
  }
  const toml::array* Array(std::string_view key, bool required = true) {
    const toml::node* node = Find(key, required);
    if (node == nullptr) return nullptr;
    if (node->as_array() == nullptr) Wrong(node, key, "[ … ]");
    return node->as_array();
  }
  const toml::table* Table(std::string_view key) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return nullptr;
    if (node->as_table() == nullptr) Wrong(node, key, "[ table ]");
    return node->as_table();
  }
  template <typename T>
  std::vector<T> Ints(std::string_view key, int64_t lowest, int64_t highest, bool required = true) {
    std::vector<T> values;
    if (const toml::array* array = Array(key, required)) {
      for (const toml::node& node : *array) {
        auto value = node.value_exact<int64_t>();
        if (!value || *value < lowest || *value > highest) {
          Wrong(&node, key, fmt::format("{}..{}", lowest, highest));
          break;
        }
        values.push_back(static_cast<T>(*value));
      }
    }
    return values;
  }
  std::vector<std::string> Strings(std::string_view key) {
    std::vector<std::string> values;
    if (const toml::array* array = Array(key)) StringsOf(*array, key, &values);
    return values;
  }
  void StringsOf(const toml::array& array, std::string_view key, std::vector<std::string>* out) {
    for (const toml::node& node : array) {
      auto value = node.value_exact<std::string>();
      if (!value) {
        Wrong(&node, key, "text");
        return;
      }
      out->push_back(*value);
    }
  }
  uint32_t Flags(const toml::array& words, std::string_view key) {
    uint32_t mask = 0;
    std::vector<std::string> names;
    StringsOf(words, key, &names);
    for (const std::string& name : names) mask |= FlagOf(name, key, &words);
    return mask;
  }
  uint32_t FlagOf(const std::string& name, std::string_view key, const toml::node* at) {
    auto found = FlagWords().find(name);
    if (found != FlagWords().end()) return found->second;
    Wrong(at, key, "hukou, insured_here, employed, dead, full_time_student, …");
    return 0;
  }
  uint32_t Columns(std::string_view key) {
    uint32_t mask = 0;
    for (int column : Ints<int>(key, 16, 26)) mask |= 1u << column;
    return mask;
  }

  void Wrong(const toml::node* at, std::string_view key, std::string_view expected) {
    if (error_) return;
    error_ = BadRule(*file_, at != nullptr ? at : &table_,
                     Msg("规则文件 {0}{1} 的值不对，应为 {2}",
                         "rule file: the value of {0}{1} is wrong, "
                         "expected {2}",
                         where_, std::string(key), std::string(expected)));
  }
  void Contradiction(const toml::node* at, Text what) {
    if (!error_) error_ = BadRule(*file_, at != nullptr ? at : &table_, std::move(what));
  }

  void Touch(std::string_view key) { seen_.insert(std::string(key)); }

  // Call last: unknown keys are mistakes too.
  Status Finish() {
    if (!error_) {
      for (const auto& [key, node] : table_) {
        if (!seen_.contains(key.str())) {
          error_ = BadRule(*file_, &node,
                           Msg("规则文件有未知的键 {0}{1}", "rule file: unknown key {0}{1}", where_,
                               std::string(key.str())));
          break;
        }
      }
    }
    if (error_) return Fail(std::move(*error_));
    return {};
  }

 private:
  const toml::node* Find(std::string_view key, bool required) {
    seen_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr && required && !error_) {
      error_ = BadRule(
          *file_, &table_,
          Msg("规则文件缺少 {0}{1}", "rule file: {0}{1} is missing", where_, std::string(key)));
    }
    return node;
  }

  RuleFile* file_;
  const toml::table& table_;
  std::string where_;
  std::set<std::string, std::less<>> seen_;
  std::optional<Error> error_;
};

// Calls `read(Reader&, table)` for each table of an array of tables; unknown keys are refused.
template <typename F>
Status ForEachTable(RuleFile* file, const toml::array* array, const std::string& name, F read) {
  if (array == nullptr) return {};
  for (const toml::node& node : *array) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return Fail(BadRule(*file, &node, Msg("[[{0}]] 应为表", "[[{0}]] must be a table", name)));
    }
    Reader reader(file, *table, name + ".");
    read(reader, *table);
    CANBAO_TRY(reader.Finish());
  }
  return {};
}

// The keys that every rule file has; read before its own ones.
void ReadHeader(Reader* reader) {
  reader->String("rule");
  reader->Day("valid_from", true);
  reader->Day("valid_until", false);
  reader->IntOr("province", 0, 110000, 990000);
  if (const toml::array* source = reader->Array("source"); source != nullptr && source->empty()) {
    reader->Wrong(source, "source", "[ text, … ]");
  }
}

// The latest birth date that has reached `months` of age at `cutoff`; a birthday counts on its day.
Date BornUntil(Date cutoff, int months) {
  int index = cutoff.month_index() - months;
  int year = index / 12;
  int month = index % 12 + 1;
  for (int day = cutoff.day(); day > 0; --day) {
    Date date = Date::FromYmd(year, month, day);
    if (date.has_value()) return date;
  }
  return {};
}

std::optional<Branch> BranchFromName(const std::string& name) {
  for (int i = 0; i < kBranches; ++i) {
    if (BranchName(static_cast<Branch>(i)) == name) return static_cast<Branch>(i);
  }
  return std::nullopt;
}

Status ReadObligations(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  const toml::array* branches = top.Array("branch");
  CANBAO_TRY(top.Finish());
  unsigned seen = 0;
  CANBAO_TRY(ForEachTable(file, branches, "branch", [&](Reader& reader, const toml::table& table) {
    std::optional<Branch> branch = BranchFromName(reader.String("branch"));
    if (!branch) {
      reader.Wrong(table.get("branch"), "branch", "pension, medical, work_injury, …");
      return;
    }
    int index = static_cast<int>(*branch);
    if ((seen & (1u << index)) != 0) {
      reader.Contradiction(&table, Msg("险种大类 {0} 出现两次", "branch {0} is given twice",
                                       std::string(BranchName(*branch))));
    }
    seen |= 1u << index;
    Obligation& obligation = rules->obligations[static_cast<size_t>(index)];
    if (const toml::array* within = reader.Array("within")) {
      if (within->size() > obligation.within.size()) reader.Wrong(within, "within", "≤ 4");
      for (const toml::node& group : *within) {
        if (group.as_array() == nullptr || group.as_array()->empty() ||
            obligation.alternatives == static_cast<int>(obligation.within.size())) {
          reader.Wrong(&group, "within", "[[ word, … ], … ]");
          return;
        }
        obligation.within[static_cast<size_t>(obligation.alternatives++)] =
            reader.Flags(*group.as_array(), "within");
      }
    }
    if (const toml::array* exempt = reader.Array("exempt")) {
      obligation.exempt = reader.Flags(*exempt, "exempt");
    }
    int64_t min_age = reader.Int("min_age", 0, 100);
    int64_t grace = reader.IntOr("newborn_grace_days", 0, 0, 366);
    obligation.born_until =
        min_age > 0 ? BornUntil(rules->cutoff, static_cast<int>(min_age) * 12)
                    : Date{static_cast<uint16_t>(std::max<int64_t>(rules->cutoff.v - grace, 1))};
  }));
  if (seen != (1u << kBranches) - 1) {
    return Fail(BadRule(*file, nullptr,
                        Msg("参保义务规则没有写全五个险种大类",
                            "the obligations do not speak of all five branches")));
  }
  return {};
}

// Retirement age in months of somebody born on `birth` under one table of the file.
struct RetirementAge {
  int months = 0;
  Date delay_from;
  int step = 1;
  int max_delay = 0;

  int MonthsFor(Date birth) const {
    if (!delay_from.has_value() || birth < delay_from) return months;
    int delay = (birth.month_index() - delay_from.month_index()) / step + 1;
    return months + std::min(delay, max_delay);
  }
};

// The age rises by less than the birth dates do, so "has reached it" is monotone in the birth date.
Date LatestRetiredBirth(const RetirementAge& age, Date cutoff) {
  uint32_t low = 0;  // retired (or before the calendar)
  uint32_t high = cutoff.v;
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    Date birth{static_cast<uint16_t>(middle)};
    (birth <= BornUntil(cutoff, age.MonthsFor(birth)) ? low : high) = middle;
  }
  return Date{static_cast<uint16_t>(low)};
}

Status ReadRetirement(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  static constexpr const char* kNames[] = {"unknown", "men", "women"};  // order of identity::Sex
  for (size_t i = 0; i < 3; ++i) {
    const toml::table* table = top.Table(kNames[i]);
    if (table == nullptr) break;
    Reader reader(file, *table, std::string(kNames[i]) + ".");
    RetirementAge age;
    age.months = static_cast<int>(reader.Int("age_months", 1, 1200));
    age.delay_from = reader.Day("delay_from_birth", false);
    if (age.delay_from.has_value()) {
      age.step = static_cast<int>(reader.Int("months_per_step", 1, 120));
      age.max_delay = static_cast<int>(reader.Int("max_delay_months", 1, 240));
    }
    CANBAO_TRY(reader.Finish());
    rules->retired_born_until[i] = LatestRetiredBirth(age, rules->cutoff);
  }
  return top.Finish();
}

Date FirstOfWindow(Date cutoff, int64_t months) {
  if (months == 0) return Date::Last();
  int index = cutoff.month_index() - static_cast<int>(months) + 1;
  return Date::FromYmd(index / 12, index % 12 + 1, 1);
}

Status ReadEmployment(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  auto mark = [&](auto& marks, const char* key, int64_t highest, Rules::Mark with) {
    for (uint16_t value : top.Ints<uint16_t>(key, 1, highest)) marks[value] |= with;
  };
  mark(rules->category_marks, "flexible_categories", 999, Rules::kNoRealEmployer);
  mark(rules->unit_marks, "virtual_unit_types", 255, Rules::kNoRealEmployer);
  mark(rules->category_marks, "civil_servant_categories", 999, Rules::kOfCivilServants);
  mark(rules->unit_marks, "civil_servant_unit_types", 255, Rules::kOfCivilServants);
  rules->first_tax_month = FirstOfWindow(rules->cutoff, top.Int("wage_tax_months", 0, 60));
  rules->first_filing_day =
      FirstOfWindow(rules->cutoff, top.Int("employment_filing_months", 0, 60));
  rules->unknown_birth_is_of_age = top.Bool("unknown_birth_is_of_age");
  rules->student25_born_until =
      BornUntil(rules->cutoff, static_cast<int>(top.Int("student_flag_age", 1, 150)) * 12);
  return top.Finish();
}

Status ReadDuplicates(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  rules->min_overlap_months = static_cast<int>(top.Int("min_overlap_months", 0, 1200));
  const toml::array* types = top.Array("type");
  CANBAO_TRY(top.Finish());
  for (size_t code = 0; code < rules->schemes.size(); ++code) {
    SchemeCode scheme = static_cast<SchemeCode>(code);
    SchemeInfo& info = rules->schemes[code];
    info.standing = static_cast<uint8_t>(StandingOf(scheme));
    if (BranchOf(scheme) == Branch::kNone) continue;
    info.branch_bit = static_cast<uint8_t>(1u << static_cast<int>(BranchOf(scheme)));
    info.employee = IsEmployeeScheme(scheme);
    if (IsResidentScheme(scheme)) {
      info.resident_bit = scheme == 170 ? 1 : scheme == 380 ? 4 : 2;
    } else {
      info.employee_bit = info.branch_bit;
    }
  }
  return ForEachTable(file, types, "type", [&](Reader& reader, const toml::table& table) {
    if (rules->types == Rules::kTypes) {
      reader.Contradiction(&table, Msg("[[type]] 超过 {0} 个", "more than {0} [[type]]",
                                       static_cast<int>(Rules::kTypes)));
      return;
    }
    size_t index = static_cast<size_t>(rules->types++);
    rules->type_names[index] = reader.String("name");
    std::optional<Branch> branch = BranchFromName(reader.String("branch"));
    if (branch != Branch::kPension && branch != Branch::kMedical) {
      reader.Wrong(table.get("branch"), "branch", "pension | medical");
      return;
    }
    rules->type_branches[index] = *branch;
    (branch == Branch::kPension ? rules->pension_types : rules->medical_types) |=
        static_cast<uint8_t>(1u << index);
    for (SchemeCode code : reader.Ints<SchemeCode>("schemes", 100, 511)) {
      if (StandingOf(code) != SchemeStanding::kCounted || BranchOf(code) != *branch) {
        reader.Wrong(table.get("schemes"), "schemes", BranchName(*branch));
        return;
      }
      if (rules->schemes[code].type >= 0) {
        reader.Contradiction(&table,
                             Msg("险种 {0} 属于两个类型", "scheme {0} is of two types", code));
      }
      rules->schemes[code].type = static_cast<int8_t>(index);
    }
  });
}

Status ReadInsuredSets(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  rules->employee_column.fill(static_cast<uint8_t>(top.Int("employee_other", 1, 15)));
  const toml::array* employee = top.Array("employee");
  const toml::array* resident = top.Array("resident");
  const toml::array* reasons = top.Array("reason");
  const toml::table* survey = top.Table("survey");
  CANBAO_TRY(top.Finish());

  uint32_t given = 0;
  CANBAO_TRY(
      ForEachTable(file, employee, "employee", [&](Reader& reader, const toml::table& table) {
        static constexpr std::string_view kLetters = "PMWUB";  // order of Branch
        unsigned set = 0;
        for (char letter : reader.String("set")) {
          size_t bit = kLetters.find(letter);
          if (bit == std::string_view::npos) {
            reader.Wrong(table.get("set"), "set", "P M W U B");
            return;
          }
          set |= 1u << bit;
        }
        if ((given >> set & 1) != 0) {
          reader.Contradiction(&table, Msg("险种组合写了两次", "a set is given twice"));
        }
        given |= 1u << set;
        rules->employee_column[set] = static_cast<uint8_t>(reader.Int("column", 1, 15));
      }));
  rules->employee_column[0] = kNoColumn;

  CANBAO_TRY(
      ForEachTable(file, resident, "resident", [&](Reader& reader, const toml::table& table) {
        unsigned set = 0;
        for (const std::string& name : reader.Strings("set")) {
          if (name != "RP" && name != "RM" && name != "NC") {
            reader.Wrong(table.get("set"), "set", "RP | RM | NC");
            return;
          }
          set |= name == "RP" ? 1 : name == "RM" ? 2 : 4;
        }
        if (set == 0 || rules->resident_column[set] != kNoColumn) {
          reader.Contradiction(&table,
                               Msg("险种组合为空或写了两次", "a set is empty or given twice"));
        }
        rules->resident_column[set] = static_cast<uint8_t>(reader.Int("column", 1, 15));
      }));
  for (size_t set = 1; set < 8; ++set) {
    if (rules->resident_column[set] == kNoColumn) {
      return Fail(
          BadRule(*file, nullptr,
                  Msg("居民险种的组合没有写全", "not every set of resident schemes is given")));
    }
  }

  CANBAO_TRY(ForEachTable(file, reasons, "reason", [&](Reader& reader, const toml::table& table) {
    Reason reason;
    reason.column = static_cast<uint8_t>(reader.Int("column", 16, 26));
    reason.flag = reader.FlagOf(reader.String("evidence"), "evidence", table.get("evidence"));
    rules->reasons.push_back(reason);
  }));

  if (survey == nullptr) return {};
  Reader reader(file, *survey, "survey.");
  rules->survey_verified = reader.Columns("verified");
  rules->survey_not_verified = reader.Columns("not_verified");
  rules->confirmable = reader.Columns("confirmable");
  if ((rules->survey_verified & rules->survey_not_verified) != 0) {
    reader.Contradiction(
        survey, Msg("同一栏既算核实又不算核实", "a column is both verified and not verified"));
  }
  return reader.Finish();
}

Status ReadFullList(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  rules->min_change_permille = static_cast<int>(top.Int("min_change_permille", -1000, 0));
  rules->max_change_permille = static_cast<int>(top.Int("max_change_permille", 0, 100000));
  rules->tolerated_rows = static_cast<int>(top.Int("tolerated_rows", 0, 1000000));
  return top.Finish();
}

Status ReadSurvivorship(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  rules->source_order = top.Strings("order");
  std::set<std::string> distinct(rules->source_order.begin(), rules->source_order.end());
  if (distinct.size() != rules->source_order.size()) {
    top.Contradiction(nullptr, Msg("order 中有重复的数据源", "a kind stands twice in order"));
  }
  return top.Finish();
}

// Appends one group per entry of `divisions`: 2 to 6 leading digits.
void ReadGroups(Reader* reader, const toml::table& table, uint32_t target, Rules::Special mark,
                Rules* rules, std::vector<DivisionGroup>* out) {
  std::vector<SchemeCode> schemes = reader->Ints<SchemeCode>("schemes", 100, 999, false);
  for (const std::string& digits : reader->Strings("divisions")) {
    bool numeric =
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!numeric || digits.size() < 2 || digits.size() > 6) {
      reader->Wrong(table.get("divisions"), "divisions", "2..6 digits");
      return;
    }
    DivisionGroup group;
    group.prefix = static_cast<uint32_t>(std::stoul(digits));
    for (size_t i = digits.size(); i < 6; ++i) group.divisor *= 10;
    group.target = target;
    group.schemes = schemes;
    rules->special[group.prefix * group.divisor / 10000] |= mark;
    out->push_back(std::move(group));
  }
}

Status ReadPooling(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  const toml::array* whole = top.Array("whole", false);
  const toml::array* alone = top.Array("alone", false);
  CANBAO_TRY(top.Finish());
  CANBAO_TRY(ForEachTable(file, whole, "whole", [&](Reader& reader, const toml::table& table) {
    ReadGroups(&reader, table, 0, Rules::kWhole, rules, &rules->whole);
  }));
  return ForEachTable(file, alone, "alone", [&](Reader& reader, const toml::table& table) {
    ReadGroups(&reader, table, 0, Rules::kAlone, rules, &rules->alone);
  });
}

Status ReadUnits(RuleFile* file, Rules* rules) {
  Reader top(file, file->table, "");
  ReadHeader(&top);
  const toml::array* units = top.Array("unit", false);
  CANBAO_TRY(top.Finish());
  return ForEachTable(file, units, "unit", [&](Reader& reader, const toml::table& table) {
    uint32_t code = static_cast<uint32_t>(reader.Int("code", 110000, 990000));
    ReadGroups(&reader, table, code, Rules::kUnits, rules, &rules->units);
  });
}

struct RuleKind {
  const char* name;
  Status (*read)(RuleFile*, Rules*);
};
constexpr RuleKind kKinds[] = {
    {"obligations", ReadObligations},
    {"retirement", ReadRetirement},
    {"employment", ReadEmployment},
    {"duplicates", ReadDuplicates},
    {"insured_sets", ReadInsuredSets},
    {"full_list", ReadFullList},
    {"survivorship", ReadSurvivorship},
    {"pooling", ReadPooling},
    {"units", ReadUnits},
};

bool IsKnownRule(const std::string& name) {
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](const RuleKind& kind) { return name == kind.name; });
}

// A rule file with its dates; kept only when it holds for the province at the cut-off.
struct Candidate {
  RuleFile file;
  std::string rule;
  uint32_t province = 0;  // 0 = everywhere
};

Result<std::optional<Candidate>> ReadCandidate(const fs::path& path, uint32_t province,
                                               Date cutoff) {
  Candidate candidate;
  candidate.file.name = path.filename().string();
  candidate.file.path = path.string();
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    return Fail(Error{ErrorClass::kEnvironment, "CB-SCHEME-0001",
                      Msg("无法读取规则文件", "cannot read the rule file"),
                      Msg("请检查安装目录下的 data/", "check data/ of the installation"),
                      path.string(), 0, 0});
  }
  candidate.file.digest = Sha256Hex(text.str());
  try {
    candidate.file.table = toml::parse(text.str(), path.string());
  } catch (const toml::parse_error& e) {
    return Fail(Error{ErrorClass::kEnvironment,
                      "CB-SCHEME-0002",
                      Msg("规则文件不是合法的 TOML: {0}", "the rule file is not valid TOML: {0}",
                          std::string(e.description())),
                      {},
                      path.string(),
                      static_cast<int64_t>(e.source().begin.line),
                      static_cast<int64_t>(e.source().begin.column)});
  }
  Reader reader(&candidate.file, candidate.file.table, "");
  candidate.rule = reader.String("rule");
  Date from = reader.Day("valid_from", true);
  Date until = reader.Day("valid_until", false);
  candidate.province = static_cast<uint32_t>(reader.IntOr("province", 0, 110000, 990000));
  if (!candidate.rule.empty() && !IsKnownRule(candidate.rule)) {
    reader.Wrong(candidate.file.table.get("rule"), "rule", "obligations, retirement, …");
  }
  if (until.has_value() && until <= from) {
    reader.Wrong(candidate.file.table.get("valid_until"), "valid_until", "> valid_from");
  }
  for (const auto& [key, node] : candidate.file.table) reader.Touch(key.str());
  CANBAO_TRY(reader.Finish());
  bool holds = from <= cutoff && (!until.has_value() || cutoff < until) &&
               (candidate.province == 0 || candidate.province == province);
  if (!holds) return std::optional<Candidate>();
  return std::optional<Candidate>(std::move(candidate));
}

}  // namespace

bool DivisionGroup::HasScheme(SchemeCode scheme) const {
  return schemes.empty() || std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

uint32_t Rules::SpecialUnitOf(uint32_t code) const {
  for (const DivisionGroup& unit : units) {
    if (unit.Has(code)) return unit.target;
  }
  return code / 10000 * 10000;
}

uint32_t Rules::SpecialPoolingRegion(uint32_t region, SchemeCode scheme) const {
  for (const DivisionGroup& group : whole) {
    if (group.Has(region) && group.HasScheme(scheme)) return group.prefix * group.divisor;
  }
  for (const DivisionGroup& group : alone) {
    if (group.Has(region) && group.HasScheme(scheme)) return region;
  }
  return region / 100 * 100;
}

uint32_t Rules::SpecialCityOf(uint32_t county) const {
  for (const DivisionGroup& group : alone) {
    if (group.Has(county) && group.schemes.empty()) return county;
  }
  return county / 100 * 100;
}

void RulesDeleter::operator()(const Rules* rules) const { delete rules; }

const std::string& VersionOf(const Rules& rules) { return rules.version; }

Result<RulesPtr> LoadRules(const std::string& data_dir, uint32_t province, Date cutoff) {
  if (!cutoff.has_value() || province == 0 || province % 10000 != 0) {
    return Fail(
        ErrorClass::kUsage, "CB-SCHEME-0006",
        Msg("省份代码 {0} 或截止日期不对", "province {0} or cut-off date is wrong", province));
  }
  std::vector<fs::path> paths;
  for (const char* folder : {"rules", "pooling"}) {
    std::error_code ec;
    fs::path dir = fs::path(data_dir) / folder;
    for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
      if (it->path().extension() == ".toml") paths.push_back(it->path());
    }
    if (ec) {
      return Fail(Error{
          ErrorClass::kEnvironment, "CB-SCHEME-0001",
          Msg("无法读取规则目录: {0}", "cannot read the folder of rules: {0}", ec.message()),
          Msg("请检查安装目录下的 data/", "check data/ of the installation"), dir.string(), 0, 0});
    }
  }
  std::sort(paths.begin(), paths.end());

  // What holds at the cut-off; a province's own file goes before the general one.
  std::map<std::string, Candidate> chosen;
  for (const fs::path& path : paths) {
    CANBAO_ASSIGN(std::optional<Candidate> candidate, ReadCandidate(path, province, cutoff));
    if (!candidate) continue;
    auto found = chosen.find(candidate->rule);
    if (found == chosen.end()) {
      chosen.emplace(candidate->rule, std::move(*candidate));
    } else if (found->second.province == candidate->province) {
      return Fail(Error{
          ErrorClass::kEnvironment, "CB-SCHEME-0005",
          Msg("{0} 与 {1} 在 {2} 同时有效（规则 {3}）", "{0} and {1} both hold on {2} (rule {3})",
              found->second.file.name, candidate->file.name, cutoff.ToIso(), candidate->rule),
          Msg("请用 valid_until 结束其中一个", "end one of them with valid_until"),
          candidate->file.path, 0, 0});
    } else if (candidate->province != 0) {
      found->second = std::move(*candidate);
    }
  }

  auto rules = std::unique_ptr<Rules, RulesDeleter>(new Rules());
  rules->province = province;
  rules->cutoff = cutoff;
  std::vector<std::string> versions;
  for (const RuleKind& kind : kKinds) {
    auto found = chosen.find(kind.name);
    if (found == chosen.end()) {
      return Fail(ErrorClass::kEnvironment, "CB-SCHEME-0004",
                  Msg("没有在 {1} 有效的规则 {0}", "no rule {0} holds on {1}",
                      std::string(kind.name), cutoff.ToIso()),
                  Msg("请在 data/rules 或 data/pooling 补充有效期",
                      "add a file for that date to data/rules or data/pooling"));
    }
    CANBAO_TRY(kind.read(&found->second.file, rules.get()));
    versions.push_back(found->second.file.name + " sha256:" + found->second.file.digest);
  }
  std::sort(versions.begin(), versions.end());
  for (const std::string& version : versions) {
    if (!rules->version.empty()) rules->version += ';';
    rules->version += version;
  }
  return RulesPtr(rules.release());
}

}  // namespace canbao::scheme
