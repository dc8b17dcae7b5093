#include "casework/policy.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "register/read.h"

namespace canbao::casework {

std::string_view KindName(CaseKind kind) {
  return kind == CaseKind::kDuplicate ? "duplicate" : "discrepancy";
}

bool StepInfo::Needs(std::string_view what) const {
  return std::find(needs.begin(), needs.end(), what) != needs.end();
}

const StateInfo* Policy::FindState(State number) const {
  for (const StateInfo& s : states_) {
    if (s.number == number) return &s;
  }
  return nullptr;
}

const StateInfo* Policy::FindState(std::string_view name) const {
  for (const StateInfo& s : states_) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

const StepInfo* Policy::FindStep(CaseKind kind, std::string_view action) const {
  for (const StepInfo& s : steps_) {
    if (s.action == action && s.Of(kind)) return &s;
  }
  return nullptr;
}

const KeepRule* Policy::KeepRuleOf(int duplicate) const {
  auto it = keep_.find(duplicate);
  return it == keep_.end() ? nullptr : &it->second;
}

bool Policy::TakesType(std::string_view type) const {
  return std::find(types_.begin(), types_.end(), type) != types_.end();
}

// Reads one file; what is wrong first stays in `error`.
class PolicyReader {
 public:
  PolicyReader(Policy* to, std::string path) : to_(to), path_(std::move(path)) {}

  Status Read(const toml::table& file, std::string_view policy) {
    if (policy == "steps") {
      ForEach(file, "state", [this](const toml::table& t) { ReadState(t); });
      ForEach(file, "step", [this](const toml::table& t) { ReadStep(t); });
      ReadEvidence(file);
    } else {
      ForEach(file, "rule", [this](const toml::table& t) { ReadRule(t); });
    }
    if (error_) return Fail(std::move(*error_));
    return {};
  }

  Error Wrong(const toml::node* at, std::string_view key, std::string_view expected) const {
    return Error{
        ErrorClass::kEnvironment,
        "CB-CASEWORK-0001",
        Msg("办理规则的 {0} 不对，应为 {1}", "casework policy: {0} is wrong, expected {1}",
            std::string(key), std::string(expected)),
        Text{"请按 docs/formats/cases.md 更正。", "Correct it as docs/formats/cases.md says."},
        path_,
        at != nullptr ? static_cast<int64_t>(at->source().begin.line) : 0,
        0};
  }

 private:
  void Complain(const toml::node* at, std::string_view key, std::string_view expected) {
    if (!error_) error_ = Wrong(at, key, expected);
  }

  template <typename F>
  void ForEach(const toml::table& file, std::string_view key, F read) {
    const toml::array* all = file[key].as_array();
    if (all == nullptr || all->empty()) return Complain(&file, key, "[[ … ]]");
    for (const toml::node& node : *all) {
      if (const toml::table* t = node.as_table()) {
        read(*t);
      } else {
        Complain(&node, key, "[[ … ]]");
      }
    }
  }

  std::string Word(const toml::table& t, std::string_view key) {
    auto value = t[key].value<std::string>();
    if (!value || value->empty()) Complain(&t, key, "text");
    return value.value_or("");
  }
  Text Words(const toml::table& t, std::string_view key) {
    Text text;
    if (const toml::table* both = t[key].as_table()) {
      text.zh = Word(*both, "zh");
      text.en = Word(*both, "en");
    } else {
      Complain(&t, key, "{ zh, en }");
    }
    return text;
  }
  std::vector<std::string> List(const toml::table& t, std::string_view key) {
    std::vector<std::string> out;
    const toml::array* all = t[key].as_array();
    if (all == nullptr) return out;
    for (const toml::node& node : *all) {
      auto value = node.value<std::string>();
      if (!value) Complain(&node, key, "[ text, … ]");
      out.push_back(value.value_or(""));
    }
    return out;
  }

  void ReadState(const toml::table& t) {
    StateInfo s;
    s.number = static_cast<State>(t["number"].value_or<int64_t>(0));
    s.name = Word(t, "name");
    s.label = Words(t, "label");
    s.closed = t["closed"].value_or(false);
    if (s.number < 1 || s.number > kGone || to_->FindState(s.number) != nullptr) {
      Complain(&t, "number", "1–10, each once");
    }
    to_->states_.push_back(std::move(s));
  }

  State NumberOf(const toml::table& t, std::string_view key, const std::string& name) {
    const StateInfo* s = to_->FindState(name);
    if (s == nullptr) Complain(&t, key, "the name of a state");
    return s == nullptr ? State{0} : s->number;
  }

  void ReadStep(const toml::table& t) {
    StepInfo s;
    const std::string kind = Word(t, "case");
    s.duplicate = kind == "duplicate" || kind == "any";
    s.discrepancy = kind == "discrepancy" || kind == "any";
    if (!s.duplicate && !s.discrepancy) Complain(&t, "case", "duplicate | discrepancy | any");
    s.action = Word(t, "action");
    s.label = Words(t, "label");
    for (const std::string& name : List(t, "from")) s.from.push_back(NumberOf(t, "from", name));
    if (t.contains("to")) s.to = NumberOf(t, "to", Word(t, "to"));
    if (s.from.empty() != (s.to == 0)) Complain(&t, "to", "from and to, or neither");
    const std::string who = Word(t, "who");
    if (who == "party") {
      s.who = Who::kParty;
    } else if (who == "source") {
      s.who = Who::kSource;
    } else if (who != "anyone") {
      Complain(&t, "who", "anyone | party | source");
    }
    s.needs = List(t, "needs");
    for (const std::string& need : s.needs) {
      if (need != "note" && need != "reason" && need != "due") {
        Complain(&t, "needs", "note | reason | due");
      }
    }
    s.all_parties = t["all_parties"].value_or(false);
    s.four_eyes = t["four_eyes"].value_or(false);
    s.due_days = static_cast<int>(t["due_days"].value_or<int64_t>(0));
    if (s.due_days < 0 || s.due_days > 3650) Complain(&t, "due_days", "0–3650");
    to_->steps_.push_back(std::move(s));
  }

  void ReadEvidence(const toml::table& file) {
    const toml::table* t = file["evidence"].as_table();
    if (t == nullptr) return Complain(&file, "evidence", "[evidence]");
    to_->largest_evidence_ = (*t)["largest_bytes"].value_or<int64_t>(0);
    if (to_->largest_evidence_ < 1 || to_->largest_evidence_ > (64 << 20)) {
      Complain(t, "largest_bytes", "1–67108864");
    }
    to_->types_ = List(*t, "types");
  }

  void ReadRule(const toml::table& t) {
    static constexpr std::pair<const char*, Criterion> kWords[] = {
        {"employee", Criterion::kEmployee}, {"employee_year", Criterion::kEmployeeYear},
        {"employed", Criterion::kEmployed}, {"residence", Criterion::kResidence},
        {"longest", Criterion::kLongest},   {"latest", Criterion::kLatest}};
    KeepRule rule;
    rule.wording = Words(t, "wording");
    for (const std::string& word : List(t, "criteria")) {
      const auto* found = std::find_if(std::begin(kWords), std::end(kWords),
                                       [&](auto& k) { return word == k.first; });
      if (found == std::end(kWords)) {
        Complain(&t, "criteria", "employee | employee_year | employed | residence | …");
      } else {
        rule.criteria.push_back(found->second);
      }
    }
    if (rule.criteria.empty()) Complain(&t, "criteria", "[ text, … ]");
    for (const std::string& name : List(t, "duplicates")) {
      int bit = 0;
      for (int b = 1; b <= 64; b <<= 1) {
        if (reg::DuplicateLabel(b).en == name) bit = b;
      }
      if (bit == 0 || to_->keep_.contains(bit)) {
        Complain(&t, "duplicates", "names of duplicates, each once");
      }
      to_->keep_[bit] = rule;
    }
  }

  Policy* to_;
  std::string path_;
  std::optional<Error> error_;
};

Result<std::shared_ptr<const Policy>> Policy::Load(const std::string& policy_dir, Date day) {
  namespace fs = std::filesystem;
  struct File {
    std::string path;
    Date from;
    toml::table table;
  };
  std::map<std::string, File, std::less<>> in_force;
  std::error_code ec;
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(policy_dir + "/casework", ec)) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  auto policy = std::make_shared<Policy>();
  for (const std::string& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    File file;
    file.path = path;
    try {
      file.table = toml::parse(text.str(), path);
    } catch (const toml::parse_error& e) {
      return Fail(Error{ErrorClass::kEnvironment,
                        "CB-CASEWORK-0001",
                        Msg("办理规则读不懂：{0}", "casework policy does not parse: {0}",
                            std::string(e.description())),
                        {},
                        path,
                        static_cast<int64_t>(e.source().begin.line),
                        0});
    }
    PolicyReader reader(policy.get(), path);
    const std::string name = file.table["policy"].value_or(std::string());
    auto from = file.table["valid_from"].value<toml::date>();
    const toml::array* source = file.table["source"].as_array();
    if (name != "steps" && name != "keep") {
      return Fail(reader.Wrong(nullptr, "policy", "steps | keep"));
    }
    if (!from) return Fail(reader.Wrong(nullptr, "valid_from", "YYYY-MM-DD"));
    if (source == nullptr || source->empty()) {
      return Fail(reader.Wrong(nullptr, "source", "[ text, … ]"));
    }
    file.from = Date::FromYmd(from->year, from->month, from->day);
    if (file.from > day) continue;
    auto it = in_force.find(name);
    if (it == in_force.end() || it->second.from < file.from) {
      in_force.insert_or_assign(name, std::move(file));
    }
  }
  for (const char* name : {"steps", "keep"}) {
    auto it = in_force.find(name);
    if (it == in_force.end()) {
      return Fail(ErrorClass::kEnvironment, "CB-CASEWORK-0002",
                  Msg("{0} 没有施行中的办理规则“{1}”", "no casework policy {1} is in force on {0}",
                      day.ToIso(), std::string(name)),
                  Text{"请检查 data/casework。", "Look into data/casework."});
    }
    CANBAO_TRY(PolicyReader(policy.get(), it->second.path).Read(it->second.table, name));
  }
  return std::shared_ptr<const Policy>(std::move(policy));
}

}  // namespace canbao::casework
