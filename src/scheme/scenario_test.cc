// Runs tests/scenarios/classification/*.toml: situations that a clerk can read, one gtest failure
// for each that comes out differently. Format: the README beside them.
#include <gtest/gtest.h>

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scheme/person.h"
#include "scheme/rules.h"

namespace canbao::scheme {
namespace {

Date ToDate(const toml::node_view<const toml::node>& node) {
  auto day = node.value<toml::date>();
  return day ? Date::FromYmd(day->year, day->month, day->day) : Date{};
}

// A typing mistake in a scenario must not pass as a default.
void ExpectKnownKeys(const toml::table& table, const std::set<std::string>& known) {
  for (const auto& [key, node] : table) {
    EXPECT_TRUE(known.contains(std::string(key.str()))) << "unknown key " << key.str();
  }
}

const std::map<std::string, State>& States() {
  static const std::map<std::string, State> kStates = {
      {"参保缴费", State::kContributing},     {"暂停缴费", State::kInterrupted},
      {"终止", State::kTerminated},           {"待遇享受", State::kReceiving},
      {"待遇暂停", State::kBenefitSuspended}, {"未映射", State::kUnmapped},
      {"未参保", State::kNotEnrolled},
  };
  return kStates;
}

const std::map<std::string, Management>& Managements() {
  static const std::map<std::string, Management> kManagements = {
      {"管理中", Management::kManaged}, {"死亡", Management::kDead},
      {"注销", Management::kCancelled}, {"迁出", Management::kMovedOut},
      {"其它", Management::kOther},
  };
  return kManagements;
}

const std::map<std::string, EvidenceKind>& Kinds() {
  static const std::map<std::string, EvidenceKind> kKinds = {
      {"death", EvidenceKind::kDeath},
      {"prisoner", EvidenceKind::kPrisoner},
      {"soldier", EvidenceKind::kSoldier},
      {"army_dependant", EvidenceKind::kArmyDependant},
      {"abroad", EvidenceKind::kAbroad},
      {"student", EvidenceKind::kFullTimeStudent},
      {"part_time_student", EvidenceKind::kPartTimeStudent},
      {"wage_tax", EvidenceKind::kWageTax},
      {"employment_filing", EvidenceKind::kEmploymentFiling},
      {"residence", EvidenceKind::kResidence},
      {"survey", EvidenceKind::kSurveyResult},
      {"confirmation", EvidenceKind::kConfirmation},
      {"double_settlement", EvidenceKind::kDoubleSettlement},
  };
  return kKinds;
}

const std::map<std::string, uint32_t>& Words() {
  static const std::map<std::string, uint32_t> kWords = {
      {"H", kH},
      {"L", kL},
      {"E", kE},
      {"W", kW},
      {"D", kD},
      {"verified", kVerified},
      {"deregister", kDeregister},
      {"stop_benefit", kStopBenefit},
      {"student_25", kStudent25},
      {"contradiction", kStateContradiction},
      {"unmapped", kUnmappedState},
      {"civil_servant", kCivilServant},
      {"survey_insured", kSurveyInsured},
  };
  return kWords;
}

constexpr const char* kDuplicateNames[] = {
    "pension:cross_scheme",         "pension:cross_region", "pension:benefit_cross_scheme",
    "pension:benefit_cross_region", "medical:cross_scheme", "medical:cross_region",
    "medical:benefit_cross_scheme"};

template <typename T>
T Lookup(const std::map<std::string, T>& words, const std::string& word) {
  auto found = words.find(word);
  EXPECT_TRUE(found != words.end()) << "unknown word " << word;
  return found != words.end() ? found->second : T{};
}

EnrolmentFact ReadEnrolment(const toml::table& t) {
  ExpectKnownKeys(t, {"scheme", "state", "region", "employer", "unit_type", "category",
                      "employer_county", "from", "until", "year", "confirmed"});
  EnrolmentFact e;
  e.scheme = static_cast<SchemeCode>(t["scheme"].value_or(0));
  e.state = Lookup(States(), t["state"].value_or(std::string("参保缴费")));
  e.region = static_cast<uint32_t>(t["region"].value_or(330100));
  e.has_employer = t["employer"].value_or(false);
  e.unit_type = static_cast<uint8_t>(t["unit_type"].value_or(0));
  e.insured_category = static_cast<uint16_t>(t["category"].value_or(0));
  e.employer_county = static_cast<uint32_t>(t["employer_county"].value_or(0));
  e.enrolled_on = ToDate(t["from"]);
  e.ended_on = ToDate(t["until"]);
  e.insured_year = static_cast<uint16_t>(t["year"].value_or(0));
  e.confirmed = t["confirmed"].value_or(true);
  return e;
}

EvidenceFact ReadEvidence(const toml::table& t) {
  ExpectKnownKeys(t, {"kind", "from", "until", "exact", "unit_type", "county", "code"});
  EvidenceFact e;
  e.kind = Lookup(Kinds(), t["kind"].value_or(std::string()));
  e.from = ToDate(t["from"]);
  e.until = ToDate(t["until"]);
  e.exact = t["exact"].value_or(true);
  e.unit_type = static_cast<uint8_t>(t["unit_type"].value_or(0));
  e.county = static_cast<uint32_t>(t["county"].value_or(0));
  e.code = static_cast<uint8_t>(t["code"].value_or(0));
  return e;
}

PersonFacts ReadPerson(const toml::table* t) {
  PersonFacts person;
  if (t == nullptr) {
    person.in_register = true;
    person.hukou = identity::Division{330102000000};
    person.birth = Date::FromYmd(1980, 1, 1);
    person.sex = identity::Sex::kMale;
    return person;
  }
  ExpectKnownKeys(*t, {"register", "management", "changed_on", "born", "sex"});
  std::string hukou = (*t)["register"].value_or(std::string());
  person.in_register = !hukou.empty();
  if (person.in_register) person.hukou.v = std::stoull(hukou) * 1000000;
  person.management = Lookup(Managements(), (*t)["management"].value_or(std::string("管理中")));
  person.changed_on = ToDate((*t)["changed_on"]);
  person.birth = ToDate((*t)["born"]);
  person.sex = (*t)["sex"].value_or(std::string("男")) == "女" ? identity::Sex::kFemale
                                                               : identity::Sex::kMale;
  return person;
}

std::set<std::string> Strings(const toml::table& t, std::string_view key) {
  std::set<std::string> out;
  if (const toml::array* array = t[key].as_array()) {
    for (const toml::node& node : *array) out.insert(node.value_or(std::string()));
  }
  return out;
}

std::string ClassOf(const Classification& c) {
  if ((c.flags & kL) != 0) return "local";
  if ((c.flags & kElsewhere) != 0) return "elsewhere";
  return (c.flags & kToVerify) != 0 ? "to_verify" : "none";
}

void Check(const toml::table& expect, const Classification& c) {
  ExpectKnownKeys(expect, {"class", "column", "uncovered", "duplicates", "has", "has_not", "county",
                           "city", "cross"});
  EXPECT_EQ(ClassOf(c), expect["class"].value_or(std::string("(missing)")));
  EXPECT_EQ(c.form_2_2, expect["column"].value_or(-1));
  EXPECT_EQ(c.both_classes, expect["cross"].value_or(0));
  std::set<std::string> uncovered;
  for (int i = 0; i < kBranches; ++i) {
    if ((c.uncovered >> i & 1) != 0) uncovered.emplace(BranchName(static_cast<Branch>(i)));
  }
  EXPECT_EQ(uncovered, Strings(expect, "uncovered"));
  std::set<std::string> duplicates;
  for (size_t i = 0; i < std::size(kDuplicateNames); ++i) {
    if ((c.duplicates >> i & 1) != 0) duplicates.emplace(kDuplicateNames[i]);
  }
  EXPECT_EQ(duplicates, Strings(expect, "duplicates"));
  for (const std::string& word : Strings(expect, "has")) {
    EXPECT_TRUE((c.flags & Lookup(Words(), word)) != 0) << "should have " << word;
  }
  for (const std::string& word : Strings(expect, "has_not")) {
    EXPECT_TRUE((c.flags & Lookup(Words(), word)) == 0) << "should not have " << word;
  }
  if (auto county = expect["county"].value<int64_t>()) {
    EXPECT_EQ(c.county, *county);
  }
  if (auto city = expect["city"].value<int64_t>()) {
    EXPECT_EQ(c.city, *city);
  }
}

TEST(ScenarioTest, EverySituationComesOutAsWritten) {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(CANBAO_SOURCE_DIR) / "tests/scenarios/classification";
  std::map<std::pair<uint32_t, Date>, RulesPtr> rules;
  int situations = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".toml") continue;
    toml::table file = toml::parse_file(entry.path().string());
    ExpectKnownKeys(file, {"cutoff", "province", "situation"});
    for (const toml::node& node : *file["situation"].as_array()) {
      const toml::table& t = *node.as_table();
      ++situations;
      SCOPED_TRACE(entry.path().filename().string() + ":" +
                   std::to_string(node.source().begin.line) + " " +
                   t["name"].value_or(std::string("(no name)")));
      ExpectKnownKeys(t,
                      {"name", "cutoff", "province", "person", "enrolments", "evidence", "expect"});
      Date cutoff = ToDate(t.contains("cutoff") ? t["cutoff"] : std::as_const(file)["cutoff"]);
      uint32_t province =
          static_cast<uint32_t>(t["province"].value_or(file["province"].value_or(int64_t{0})));
      RulesPtr& loaded = rules[{province, cutoff}];
      if (loaded == nullptr) {
        auto result = LoadRules(std::string(CANBAO_SOURCE_DIR) + "/data", province, cutoff);
        ASSERT_TRUE(result) << result.error().ToString();
        loaded = std::move(*result);
      }
      PersonFacts person = ReadPerson(t["person"].as_table());
      std::vector<EnrolmentFact> enrolments;
      if (const toml::array* array = t["enrolments"].as_array()) {
        for (const toml::node& e : *array) enrolments.push_back(ReadEnrolment(*e.as_table()));
      }
      std::vector<EvidenceFact> evidence;
      if (const toml::array* array = t["evidence"].as_array()) {
        for (const toml::node& e : *array) evidence.push_back(ReadEvidence(*e.as_table()));
      }
      person.enrolments = enrolments;
      person.evidence = evidence;
      const toml::table* expect = t["expect"].as_table();
      ASSERT_TRUE(expect != nullptr);
      Check(*expect, Classify(person, *loaded));
    }
  }
  EXPECT_GE(situations, 150);
}

}  // namespace
}  // namespace canbao::scheme
