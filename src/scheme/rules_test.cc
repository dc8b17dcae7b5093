#include "scheme/rules.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace canbao::scheme {
namespace {

namespace fs = std::filesystem;

Date RulesDay() { return Date::FromYmd(2017, 9, 30); }

// A copy of data/rules and data/pooling that a test may spoil.
class RulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(::testing::TempDir()) /
           ("canbao_rules_" +
            std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    for (const char* folder : {"rules", "pooling"}) {
      fs::copy(fs::path(CANBAO_SOURCE_DIR) / "data" / folder, dir_ / folder,
               fs::copy_options::recursive);
    }
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Replace(const std::string& file, const std::string& from, const std::string& to) {
    std::stringstream text;
    text << std::ifstream(dir_ / file).rdbuf();
    std::string s = text.str();
    size_t at = s.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    s.replace(at, from.size(), to);
    std::ofstream(dir_ / file) << s;
  }
  void Append(const std::string& file, const std::string& text) {
    std::ofstream(dir_ / file, std::ios::app) << text;
  }
  Result<RulesPtr> Load(Date cutoff = RulesDay(), uint32_t province = 330000) {
    return LoadRules(dir_.string(), province, cutoff);
  }
  void ExpectError(const std::string& code, Date cutoff = RulesDay()) {
    auto rules = Load(cutoff);
    ASSERT_FALSE(rules);
    EXPECT_EQ(rules.error().code, code) << rules.error().ToString();
  }

  fs::path dir_;
};

TEST_F(RulesTest, LoadsEveryYearFromTheLawToNow) {
  for (int year = 2012; year <= 2030; ++year) {
    auto rules = Load(Date::FromYmd(year, 12, 31));
    ASSERT_TRUE(rules) << rules.error().ToString();
  }
}

TEST_F(RulesTest, VersionNamesFilesAndDigests) {
  auto rules = Load();
  ASSERT_TRUE(rules);
  std::string before = VersionOf(**rules);
  EXPECT_NE(before.find("obligations-2011.toml sha256:"), std::string::npos);
  EXPECT_EQ(before.find("retirement-2025.toml"), std::string::npos);
  Append("rules/duplicates-2017.toml", "# a remark\n");
  auto changed = Load();
  ASSERT_TRUE(changed);
  EXPECT_NE(VersionOf(**changed), before);
}

TEST_F(RulesTest, NoRuleInForce) {
  ExpectError("CB-SCHEME-0004", Date::FromYmd(2011, 6, 30));
  fs::remove(dir_ / "rules/duplicates-2017.toml");
  ExpectError("CB-SCHEME-0004");
}

TEST_F(RulesTest, TwoRulesInForceContradict) {
  fs::copy(dir_ / "rules/duplicates-2017.toml", dir_ / "rules/duplicates-again.toml");
  ExpectError("CB-SCHEME-0005");
}

TEST_F(RulesTest, ProvincesOwnFilePrevails) {
  fs::copy(dir_ / "rules/duplicates-2017.toml", dir_ / "rules/a-330000.toml");
  Replace("rules/a-330000.toml", "rule = \"duplicates\"",
          "rule = \"duplicates\"\nprovince = 330000");
  Replace("rules/a-330000.toml", "min_overlap_months = 0", "min_overlap_months = 2");
  auto own = Load();
  ASSERT_TRUE(own) << own.error().ToString();
  EXPECT_EQ((*own)->min_overlap_months, 2);
  auto other = Load(RulesDay(), 340000);
  ASSERT_TRUE(other);
  EXPECT_EQ((*other)->min_overlap_months, 0);
}

TEST_F(RulesTest, MaternityOfCivilServantsIsAProvincialSwitch) {
  fs::copy(dir_ / "rules/obligations-2011.toml", dir_ / "rules/z-330000.toml");
  Replace("rules/z-330000.toml", "rule = \"obligations\"",
          "rule = \"obligations\"\nprovince = 330000");
  Replace("rules/z-330000.toml", "exempt = [\"civil_servant\"]  # a provincial", "exempt = []  #");
  auto rules = Load();
  ASSERT_TRUE(rules) << rules.error().ToString();
  EXPECT_EQ((*rules)->obligations[static_cast<size_t>(Branch::kMaternity)].exempt, 0u);
}

TEST_F(RulesTest, BrokenTomlSaysWhere) {
  Replace("rules/full-list-2017.toml", "min_change_permille =", "min_change_permille = =");
  auto rules = Load();
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, "CB-SCHEME-0002");
  EXPECT_GT(rules.error().line, 0);
}

TEST_F(RulesTest, UnknownKeyIsRefused) {
  Replace("rules/full-list-2017.toml", "max_change_permille",
          "max_chnage = 3\nmax_change_permille");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, UnknownRuleIsRefused) {
  Replace("rules/full-list-2017.toml", "rule = \"full_list\"", "rule = \"full_lists\"");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, MissingBranchIsRefused) {
  Replace("rules/obligations-2011.toml", "branch = \"unemployment\"", "branch = \"maternity\"");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, UnknownWordIsRefused) {
  Replace("rules/obligations-2011.toml", "\"soldier\"", "\"solder\"");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, SchemeOfTwoTypesIsRefused) {
  Replace("rules/duplicates-2017.toml", "schemes = [390, 391]", "schemes = [380, 390, 391]");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, SchemeOfAnotherBranchIsRefused) {
  Replace("rules/duplicates-2017.toml", "schemes = [170]", "schemes = [170, 390]");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, IncompleteResidentSetsAreRefused) {
  Replace("rules/insured-sets-2017.toml", "set = [\"NC\"]", "set = [\"NC\", \"RP\"]");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, SourceMustBeGiven) {
  Replace("rules/retirement-1978.toml",
          "source = [\"国发〔1978〕104号 (全国人大常委会第二次会议批准)\"]", "source = []");
  ExpectError("CB-SCHEME-0003");
}

TEST_F(RulesTest, FolderMissing) {
  fs::remove_all(dir_ / "pooling");
  ExpectError("CB-SCHEME-0001");
}

TEST_F(RulesTest, CutoffOrProvinceMissing) {
  EXPECT_EQ(LoadRules(dir_.string(), 330000, Date{}).error().code, "CB-SCHEME-0006");
  EXPECT_EQ(LoadRules(dir_.string(), 330100, RulesDay()).error().code, "CB-SCHEME-0006");
}

TEST_F(RulesTest, RetirementDayOfEveryBirthMonthSince1965) {
  auto rules = Load(Date::FromYmd(2040, 1, 1));
  ASSERT_TRUE(rules);
  // Everybody has the full delay by then: men 63, women 58.
  EXPECT_EQ((*rules)->retired_born_until[1], Date::FromYmd(1977, 1, 1));
  EXPECT_EQ((*rules)->retired_born_until[2], Date::FromYmd(1982, 1, 1));
  // 附表1: a man born in May 1965 retires two months later than 60, in July 2025.
  EXPECT_LT((*Load(Date::FromYmd(2025, 6, 30)))->retired_born_until[1], Date::FromYmd(1965, 5, 1));
  EXPECT_EQ((*Load(Date::FromYmd(2025, 7, 31)))->retired_born_until[1], Date::FromYmd(1965, 5, 31));
}

TEST_F(RulesTest, LeapDayBirthdayComesOnTheFirstOfMarch) {
  Date leap_day = Date::FromYmd(1992, 2, 29);
  auto before = Load(Date::FromYmd(2017, 2, 28));
  ASSERT_TRUE(before);
  EXPECT_LT((*before)->student25_born_until, leap_day);
  auto after = Load(Date::FromYmd(2017, 3, 1));
  ASSERT_TRUE(after);
  EXPECT_GE((*after)->student25_born_until, leap_day);
  auto leap = Load(Date::FromYmd(2020, 2, 29));
  ASSERT_TRUE(leap);
  EXPECT_EQ((*leap)->retired_born_until[1], Date::FromYmd(1960, 2, 29));
}

TEST_F(RulesTest, RegionsAndUnits) {
  auto rules = Load();
  ASSERT_TRUE(rules);
  const Rules& r = **rules;
  EXPECT_EQ(r.PoolingRegion(330106, 110), 330100u);
  EXPECT_EQ(r.PoolingRegion(330000, 110), 330000u);
  EXPECT_EQ(r.PoolingRegion(320506, 110), 320000u);
  EXPECT_EQ(r.PoolingRegion(659001, 110), 660000u);
  EXPECT_EQ(r.UnitOf(650102), 650000u);
  EXPECT_EQ(r.UnitOf(660100), 660000u);
  EXPECT_EQ(r.CityOf(429004), 429004u);
  EXPECT_EQ(r.CityOf(420106), 420100u);
  Append("pooling/regions-2017.toml",
         "[[alone]]\ndivisions = [\"330281\"]\nschemes = [310, 390]\n");
  auto split = Load();
  ASSERT_TRUE(split) << split.error().ToString();
  EXPECT_EQ((*split)->PoolingRegion(330281, 310), 330281u);
  EXPECT_EQ((*split)->PoolingRegion(330281, 110), 330200u);
  EXPECT_EQ((*split)->CityOf(330281), 330200u) << "a rule for some schemes moves no city";
}

}  // namespace
}  // namespace canbao::scheme
