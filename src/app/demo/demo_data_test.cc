#include "app/demo/demo_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unordered_set>

#include "app/demo/answers.h"
#include "app/demo/geography.h"
#include "app/demo/sheets.h"
#include "app/demo/world.h"
#include "base/digest.h"
#include "identity/citizen_number.h"
#include "identity/credit_code.h"

namespace canbao::demo {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::string Unzip(const fs::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string out;
  char buffer[65536];
  int n;
  while ((n = gzread(file, buffer, sizeof(buffer))) > 0) out.append(buffer, n);
  EXPECT_EQ(n, 0) << path;
  gzclose(file);
  return out;
}

class DemoData : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("canbao-demo-" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path Make(const std::string& name, DemoOptions options) {
    options.out = (folder_ / name).string();
    const Status status = GenerateDelivery(options);
    EXPECT_TRUE(status) << (status ? "" : status.error().ToString());
    return folder_ / name;
  }
  std::map<std::string, std::string> Digests(const fs::path& folder) {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        out[fs::relative(entry.path(), folder).string()] = Sha256Hex(Read(entry.path()));
      }
    }
    return out;
  }
  fs::path folder_;
};

// The value of `"key": 123` behind the first occurrence of `section`.
int64_t Figure(const std::string& json, const std::string& section, const std::string& key) {
  const size_t at = json.find("\"" + key + "\": ", json.find("\"" + section + "\""));
  EXPECT_NE(at, std::string::npos) << section << " " << key;
  return std::atoll(json.c_str() + at + key.size() + 4);
}

Geography SmallGeography(uint64_t persons) {
  auto geography = MakeGeography("", 330000, persons, 7, 3);
  EXPECT_TRUE(geography);
  return std::move(*geography);
}

TEST_F(DemoData, TheBytesDoNotDependOnThreads) {
  DemoOptions options;
  options.persons = 30000;  // four blocks of persons, four of the register
  options.threads = 1;
  const auto one = Digests(Make("one", options));
  options.threads = 3;
  EXPECT_EQ(one, Digests(Make("three", options)));
  EXPECT_GT(one.size(), 40u);
  options.seed = 2;
  EXPECT_NE(one, Digests(Make("other", options)));
}

TEST_F(DemoData, TheManifestTellsRowsAndDigestsOfEveryFile) {
  DemoOptions options;
  options.persons = 3000;
  options.errors = ErrorProfile::kClean;
  const fs::path folder = Make("d", options);
  const std::string manifest = Read(folder / "manifest.toml");
  std::set<std::string> named;
  size_t at = 0;
  while ((at = manifest.find("file     = \"", at)) != std::string::npos) {
    at += 12;
    const std::string file = manifest.substr(at, manifest.find('"', at) - at);
    named.insert(file);
    const size_t rows_at = manifest.find("rows     = ", at) + 11;
    const int64_t rows = std::atoll(manifest.c_str() + rows_at);
    const std::string digest = manifest.substr(manifest.find("sha256   = \"", at) + 12, 64);
    EXPECT_EQ(digest, Sha256Hex(Read(folder / file))) << file;
    if (file.ends_with(".xlsx")) continue;
    const std::string text = file.ends_with(".gz") ? Unzip(folder / file) : Read(folder / file);
    // Records: line ends outside quotes, without the header.
    int64_t records = -1;
    bool quoted = false;
    for (char c : text) {
      if (c == '"') quoted = !quoted;
      if (c == '\n' && !quoted) ++records;
    }
    EXPECT_EQ(records, rows) << file;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "manifest.toml") {
      EXPECT_EQ(named.count(name), 1u) << name;
    }
  }
}

TEST_F(DemoData, TruthRowsPointAtTheirLines) {
  DemoOptions options;
  options.persons = 3000;
  const fs::path folder = Make("d", options);
  std::istringstream truth(Unzip(folder / "truth/rows.csv.gz"));
  std::string line;
  std::getline(truth, line);
  EXPECT_EQ(line, "file,line,record,person,kind,corruption,expected_outcome");
  std::map<std::string, std::vector<std::string>> files;
  int checked = 0;
  while (std::getline(truth, line)) {
    std::vector<std::string> f;
    std::istringstream fields(line);
    for (std::string x; std::getline(fields, x, ',');) f.push_back(x);
    ASSERT_GE(f.size(), 6u) << line;
    // Undamaged rows show the number of their person at the stated line.
    if (f[0].find("pension_employee") != 0 || !f[5].empty()) continue;
    auto& lines = files[f[0]];
    if (lines.empty()) {
      std::istringstream text(Read(folder / f[0]));
      for (std::string x; std::getline(text, x);) lines.push_back(x);
    }
    const size_t at = std::stoul(f[1]) - 1;
    ASSERT_LT(at, lines.size());
    const uint64_t index = std::stoull(f[3].substr(1)) - 1;
    auto geography = MakeGeography("", 330000, options.persons, options.seed, 3);
    World world(&*geography, {options.seed, false, false, true});
    Person person;
    world.MakeCore(index, &person);
    EXPECT_NE(lines[at].find(std::string(person.number())), std::string::npos) << line;
    if (++checked == 40) break;
  }
  EXPECT_EQ(checked, 40);
}

TEST_F(DemoData, TheFormsObeyThePrintedChecks) {
  for (ErrorProfile profile :
       {ErrorProfile::kClean, ErrorProfile::kRealistic, ErrorProfile::kHard}) {
    DemoOptions options;
    options.persons = 8000;
    options.errors = profile;
    const std::string json = Read(Make("p" + std::to_string(static_cast<int>(profile)), options) /
                                  "truth/expected.json");
    auto column = [&](int c) { return Figure(json, "form_2_1", std::to_string(c)); };
    EXPECT_EQ(column(1), column(2) - column(3) + column(4) + column(5));
    EXPECT_GE(column(2), column(3));
    EXPECT_GT(column(5), 0);
    int64_t insured = 0, reasons = 0;
    for (int c = 1; c <= 26; ++c) {
      (c <= 15 ? insured : reasons) += Figure(json, "form_2_2", std::to_string(c));
    }
    reasons += Figure(json, "form_2_2", "not_yet_verified");
    EXPECT_EQ(insured, column(2) + column(4));
    EXPECT_EQ(reasons, column(5));
  }
}

TEST_F(DemoData, SlimFilesHoldFourAndAHalfEnrolmentsAPerson) {
  DemoOptions options;
  options.persons = 20000;
  options.slim = true;
  options.errors = ErrorProfile::kClean;
  const fs::path folder = Make("slim", options);
  int64_t bytes = 0, rows = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".csv") continue;
    const std::string text = Read(entry.path());
    bytes += static_cast<int64_t>(text.size());
    rows += std::count(text.begin(), text.end(), '\n');
  }
  EXPECT_NEAR(static_cast<double>(rows) / 20000, 5.7, 0.4);
  EXPECT_NEAR(static_cast<double>(bytes) / static_cast<double>(rows), 70, 5);
}

TEST_F(DemoData, RefusesWhatItCannotMake) {
  DemoOptions options;
  options.out = (folder_ / "x").string();
  options.persons = 10;
  auto status = GenerateDelivery(options);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "CB-APP-0107");
  EXPECT_EQ(status.error().cls, ErrorClass::kUsage);
  options.persons = 1000;
  options.province = 990000;
  status = GenerateDelivery(options);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "CB-APP-0101");
  options.province = 330000;
  options.out = "/proc/canbao-demo";
  status = GenerateDelivery(options);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().cls, ErrorClass::kEnvironment);
}

TEST(World, NumbersAreValidAndNobodySharesOne) {
  constexpr uint64_t kPersons = 60000;
  const Geography geography = SmallGeography(kPersons);
  World world(&geography, {5, false, false, false});
  ASSERT_TRUE(world.FitsSequenceNumbers());
  std::unordered_set<std::string> seen;
  const Date today = Date::FromYmd(2017, 10, 8);
  Person p;
  for (uint64_t i = 0; i < kPersons; ++i) {
    world.MakeCore(i, &p);
    EXPECT_TRUE(seen.emplace(p.number()).second) << p.number();
    if (p.id_type != 1) continue;
    const auto parsed = identity::ParseNumber(p.number(), "01", today);
    ASSERT_EQ(parsed.cls, identity::NumberClass::kValid) << p.number();
    ASSERT_EQ(identity::BirthDateOf(parsed.number).yyyymmdd(), p.birth);
    ASSERT_EQ(static_cast<int>(identity::SexOf(parsed.number)), p.sex);
  }
  // Old and altered numbers are valid and belong to nobody.
  int altered = 0;
  for (uint64_t i = 0; i < kPersons; i += 7) {
    world.MakeCore(i, &p);
    char id[18];
    Rng rng(5, i, 99);
    if (world.SupersededNumber(p, id)) {
      EXPECT_EQ(seen.count(std::string(id, 18)), 0u);
      EXPECT_EQ(identity::ParseNumber({id, 18}, "01", today).cls, identity::NumberClass::kValid);
    }
    if (world.AlteredBirthNumber(p, &rng, id)) {
      ++altered;
      EXPECT_EQ(seen.count(std::string(id, 18)), 0u);
      EXPECT_EQ(identity::ParseNumber({id, 18}, "01", today).cls, identity::NumberClass::kValid);
    }
  }
  EXPECT_GT(altered, 8000);
}

TEST(World, EmployersHaveValidCreditCodesOfTheirOwn) {
  const Geography geography = SmallGeography(50000);
  World world(&geography, {});
  std::set<std::string> codes, numbers;
  for (int32_t c = 0; c < static_cast<int32_t>(geography.counties.size()); ++c) {
    for (uint32_t k = 0; k < geography.counties[c].employers; ++k) {
      std::string code, number;
      world.AppendCreditCode({c, k}, &code);
      world.AppendEmployerNo({c, k}, &number);
      EXPECT_EQ(identity::ParseCreditCode(code).cls, identity::CreditCodeClass::kValid) << code;
      EXPECT_TRUE(codes.insert(code).second);
      EXPECT_TRUE(numbers.insert(number).second);
    }
  }
}

TEST(World, ThePopulationLooksLikeAProvince) {
  constexpr uint64_t kPersons = 60000;
  const Geography geography = SmallGeography(kPersons);
  World world(&geography, {3, false, false, false});
  std::map<std::string, int> surnames;
  int hukou = 0, old = 0, rare = 0, dotted = 0, males = 0, revoked = 0, adults = 0;
  Person p;
  for (uint64_t i = 0; i < kPersons; ++i) {
    world.MakeCore(i, &p);
    hukou += p.hukou;
    old += p.age >= 60;
    rare += p.name.rare;
    dotted += p.name.dotted;
    males += p.sex == 1;
    if (p.hukou && p.age >= 18 && p.id_type == 1) {
      ++adults;
      const auto& codes = geography.counties[p.county].revoked_codes;
      const auto address = static_cast<uint32_t>(std::stoul(std::string(p.id, 6)));
      revoked += std::count(codes.begin(), codes.end(), address) != 0;
    }
    if (!p.name.dotted && !p.name.latin) ++surnames[std::string(p.name.view().substr(0, 3))];
  }
  EXPECT_NEAR(hukou, kPersons * 0.886, kPersons * 0.01);
  EXPECT_NEAR(old, kPersons * 0.175, kPersons * 0.02);
  EXPECT_NEAR(males, kPersons * 0.5, kPersons * 0.01);
  EXPECT_NEAR(dotted, kPersons * 0.007, kPersons * 0.002);
  EXPECT_NEAR(rare, kPersons * 0.0024, kPersons * 0.001);
  EXPECT_NEAR(revoked, adults * 0.28, adults * 0.1);
  EXPECT_NEAR(surnames["王"], kPersons * 0.065, kPersons * 0.02);
  EXPECT_GT(surnames["王"], 5 * surnames["孟"]);
  EXPECT_GT(surnames.size(), 90u);
}

TEST(Damage, RatesFollowTheProfile) {
  constexpr uint64_t kPersons = 40000;
  const Geography geography = SmallGeography(kPersons);
  World world(&geography, {3, false, false, true});
  RowShape shape;
  shape.birth = shape.sex = shape.scheme = shape.end_date = true;
  std::map<std::string, double> share[2];
  for (int hard = 0; hard < 2; ++hard) {
    Person p;
    for (uint64_t i = 0; i < kPersons; ++i) {
      world.MakeCore(i, &p);
      const Damage d =
          DrawDamage(world, 3, hard ? ErrorProfile::kHard : ErrorProfile::kRealistic, p, 10, shape);
      std::string names;
      AppendCorruption(d, &names);
      std::istringstream list(names);
      for (std::string x; std::getline(list, x, '+');) share[hard][x] += 1.0 / kPersons;
    }
  }
  // As counted in samples of such files.
  const std::map<std::string, double> kExpected = {
      {"id_15", 0.0145},          {"id_blank", 0.0226},
      {"id_placeholder", 0.0028}, {"id_substitution", 0.0033},
      {"id_swap", 0.0014},        {"birth_missing", 0.021},
      {"birth_0101", 0.0043},     {"birth_lunar", 0.0038},
      {"name_homophone", 0.0045}, {"name_traditional", 0.0012},
      {"row_duplicate", 0.002},   {"state_unmapped", 0.0013}};
  for (const auto& [name, rate] : kExpected) {
    EXPECT_NEAR(share[0][name], rate, rate * 0.4 + 0.0003) << name;
    EXPECT_GT(share[1][name], share[0][name] * 1.8) << name;
  }
}

TEST(Damage, DamagedNumbersAreWhatTheirNamesSay) {
  constexpr uint64_t kPersons = 5000;
  const Geography geography = SmallGeography(kPersons);
  World world(&geography, {3, false, false, true});
  const Date today = Date::FromYmd(2017, 10, 8);
  Person p;
  std::string text;
  for (uint64_t i = 0; i < kPersons; ++i) {
    world.MakeCore(i, &p);
    if (p.id_type != 1) continue;
    for (NumberDamage kind :
         {NumberDamage::kBlanks, NumberDamage::kFullWidth, NumberDamage::kApostrophe,
          NumberDamage::kSubstitution, NumberDamage::kSwap, NumberDamage::k17, NumberDamage::k19,
          NumberDamage::kTwoErrors, NumberDamage::kScientific, NumberDamage::kPlaceholder}) {
      Damage d;
      d.number = kind;
      d.purpose = 1000 + i % 5;
      ApplyNumber(d, p, 3, &text);
      const auto cls = identity::ParseNumber(text, "01", today).cls;
      if (kind <= NumberDamage::kApostrophe) {
        EXPECT_EQ(cls, identity::NumberClass::kValid) << text;
      } else {
        EXPECT_NE(cls, identity::NumberClass::kValid) << text;
      }
    }
  }
}

TEST(Damage, OutcomesOfTheRules) {
  RowShape shape;
  shape.birth = true;
  Damage d;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "exact");
  EXPECT_EQ(ExpectedOutcome(d, shape, false), "exact|unlinked");
  d.name = NameDamage::kHomophone;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "name_variant");
  EXPECT_EQ(ExpectedOutcome(d, shape, false), "any");
  d = {};
  d.number = NumberDamage::kSwap;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "repaired");
  d.number = NumberDamage::kBlank;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "probable");
  d.birth = BirthDamage::kMissing;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "probable|unlinked");
  d.number = NumberDamage::kWrongPerson;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "conflict");
  d.row = RowDamage::kTooMany;
  EXPECT_EQ(ExpectedOutcome(d, shape, true), "rejected");
}

// Situations in, figures out: rules of classification as a clerk would tell them.
class Answers : public testing::Test {
 protected:
  Answers() : geography_(SmallGeography(5000)), world_(&geography_, {}) {
    person_.hukou = true;
    person_.birth = 19800101;
    person_.age = 37;
  }
  Enrolment& Add(uint16_t scheme, DemoState state = DemoState::kContributing) {
    Enrolment& e = person_.enrolments[person_.enrolment_count++];
    e = Enrolment{};
    e.scheme = scheme;
    e.state = state;
    e.region = 330100;
    e.enrolled_on = 20100101;
    e.category = scheme == 170 || scheme >= 380 ? 200 : 101;
    return e;
  }
  Answer Ask() { return AnswerFor(person_, RowMask{}, world_); }
  static bool Has(const Answer& a, int column) { return a.form_2_1 >> column & 1; }

  Geography geography_;
  World world_;
  Person person_;
};

TEST_F(Answers, AllFiveSchemesWithAnEmployer) {
  for (uint16_t s : {110, 310, 410, 210, 510}) Add(s).employer = {0, 5};
  const Answer a = Ask();
  EXPECT_EQ(a.cls, PersonClass::kLocal);
  EXPECT_EQ(a.form_2_2, 1);
  EXPECT_EQ(a.uncovered, 0);
}

TEST_F(Answers, AFlexibleWorkerIsNotEmployed) {
  Enrolment& e = Add(110);
  e.employer = {0, 5};
  e.category = 102;
  EXPECT_EQ(Ask().uncovered, 2);  // medical only
  e.category = 101;
  EXPECT_EQ(Ask().uncovered, 2 | 4 | 8 | 16);
  e.employer = {0, 3};  // a virtual unit
  EXPECT_EQ(Ask().uncovered, 2);
  e.employer = {0, 16};  // 机关
  EXPECT_EQ(Ask().uncovered, 2);
}

TEST_F(Answers, TheDeadStayUntilTheyAreStruckOff) {
  Add(170, DemoState::kReceiving);
  person_.died_on = 20170101;
  const Answer a = Ask();
  EXPECT_EQ(a.cls, PersonClass::kToVerify);
  EXPECT_EQ(a.form_2_2, 25);
  EXPECT_TRUE(a.dead_enrolled);
  EXPECT_EQ(a.uncovered, 0);
  person_.died_on = 20171001;  // after the cut-off
  EXPECT_EQ(Ask().cls, PersonClass::kLocal);
}

TEST_F(Answers, DuplicatesAcrossSchemesRegionsAndProvinces) {
  Add(110);
  Add(170);
  EXPECT_EQ(Ask().duplicates, 1);
  person_.enrolment_count = 1;
  Add(110).city = 1;
  EXPECT_EQ(Ask().duplicates, 2);
  person_.enrolment_count = 1;
  Enrolment& e = Add(110);
  e.elsewhere = true;
  e.region = 320100;
  EXPECT_EQ(Ask().duplicates, 2);
  person_.enrolment_count = 0;
  Add(110, DemoState::kReceiving);
  Add(120, DemoState::kReceiving);
  EXPECT_EQ(Ask().duplicates, 1 | 4);
  person_.enrolment_count = 0;
  Add(390);
  Add(391);  // one scheme type in one region
  EXPECT_EQ(Ask().duplicates, 0);
}

TEST_F(Answers, WhoIsFoundNowhereHasAReason) {
  EXPECT_EQ(Ask().form_2_2, 27);
  Add(110, DemoState::kInterrupted);
  EXPECT_EQ(Ask().form_2_2, 17);
  person_.student = 1;
  EXPECT_EQ(Ask().form_2_2, 19);
  EXPECT_EQ(Ask().uncovered, 2);  // students are obliged to medical cover
  person_.abroad = 1;
  person_.left_on = 20150101;
  EXPECT_EQ(Ask().form_2_2, 22);
  EXPECT_EQ(Ask().uncovered, 0);
  person_.returned_on = kCutoff;  // on the day it is over
  EXPECT_EQ(Ask().form_2_2, 19);
  person_.returned_on = kCutoff + 70;
  EXPECT_EQ(Ask().form_2_2, 22);
}

TEST_F(Answers, EndsAndBeginningsAreReadAtTheCutoff) {
  Enrolment& e = Add(170, DemoState::kTerminated);
  e.ended_on = kCutoff;
  EXPECT_EQ(Ask().cls, PersonClass::kToVerify);
  e.ended_on = 20171003;
  EXPECT_EQ(Ask().cls, PersonClass::kLocal);
  e.enrolled_on = 20171002;
  EXPECT_EQ(Ask().cls, PersonClass::kToVerify);
}

TEST(Sheets, Gb18030OfAllPlanes) {
  std::string out;
  AppendGb18030("张A𬭚", &out);
  EXPECT_EQ(out, std::string("\xD5\xC5\x41\x99\x33\xAA\x34", 7));
}

}  // namespace
}  // namespace canbao::demo
