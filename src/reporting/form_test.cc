#include "reporting/form.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "reporting/cube.h"

namespace canbao::reporting {
namespace {

namespace fs = std::filesystem;

Date Cutoff() { return Date::FromYmd(2017, 9, 30); }

FormPtr Load(const std::string& code) {
  auto form = LoadForm(std::string(CANBAO_SOURCE_DIR) + "/data", code, Cutoff());
  EXPECT_TRUE(form) << form.error().ToString();
  return form ? *form : nullptr;
}

const CheckResult& CheckOf(const FormResult& result, const std::string& rule) {
  for (const CheckResult& check : result.checks) {
    if (check.rule == rule) return check;
  }
  ADD_FAILURE() << "no check " << rule;
  static const CheckResult kNone;
  return kNone;
}

Figures Form21(std::initializer_list<int64_t> values) {
  Figures figures;
  int column = 1;
  for (int64_t value : values) figures.Set(kForm21, column++, value);
  return figures;
}

TEST(FormTest, ThreeFormsWithTheirNumbers) {
  EXPECT_EQ(Load("2-1")->columns.size(), 25u);
  EXPECT_EQ(Load("2-2")->columns.size(), 26u);
  EXPECT_EQ(Load("1")->columns.size(), 32u);
  for (const char* code : {"2-1", "2-2", "1"}) {
    FormPtr form = Load(code);
    EXPECT_EQ(form->signatures.size(), 4u);
    EXPECT_FALSE(form->sources.empty());
    for (const FormColumn& column : form->columns) {
      EXPECT_FALSE(column.heading.zh.empty());
      EXPECT_FALSE(column.heading.en.empty());
      bool counted = form->id != kForm1;
      EXPECT_EQ(column.source.empty(), !counted) << column.number;
      EXPECT_EQ(column.definition.zh.empty(), column.definition.en.empty()) << column.number;
      if (counted) {
        EXPECT_FALSE(column.definition.zh.empty()) << column.number;
      }
    }
  }
}

// Only the three printed formulas of form 2-1 block.
TEST(FormTest, OnlyThePrintedChecksBlock) {
  std::vector<std::string> blocking;
  for (const char* code : {"2-1", "2-2", "1"}) {
    FormPtr form = Load(code);
    for (const FormCheck& check : form->checks) {
      if (check.blocking) blocking.push_back(check.rule);
    }
  }
  EXPECT_EQ(blocking,
            (std::vector<std::string>{"(2) >= (3)", "(1) = (2) - (3) + (4) + (5)", "(5) >= (6)"}));
}

TEST(FormTest, DerivedColumnsOfForm1) {
  std::vector<int> derived;
  FormPtr form = Load("1");
  for (const FormColumn& column : form->columns) {
    if (column.derived()) derived.push_back(column.number);
  }
  EXPECT_EQ(derived, (std::vector<int>{13, 14, 15, 16, 17, 18, 22, 27, 28}));
}

TEST(FormTest, ConsolidatedColumnsFollowTheirColumn) {
  FormPtr form = Load("2-1");
  for (const FormColumn& column : form->columns) {
    if (column.part_of == 0) continue;
    EXPECT_EQ(column.part_of, column.number - 1);
    EXPECT_EQ(column.heading.zh.front(), '#');
  }
}

TEST(FormTest, ChecksOfForm21HoldOrSayByHowMuch) {
  FormPtr form = Load("2-1");
  Subject subject{330000, {}, Cutoff(), "all"};
  Figures good = Form21({100, 80, 10, 5, 25, 1});
  for (int column = 7; column <= 25; ++column) good.Set(kForm21, column, 0);
  FormResult result = Evaluate(form, good, subject);
  for (const CheckResult& check : result.checks) EXPECT_TRUE(check.holds) << check.rule;
  EXPECT_FALSE(result.Blocked());

  good.Set(kForm21, 1, 103);
  result = Evaluate(form, good, subject);
  const CheckResult& identity = CheckOf(result, "(1) = (2) - (3) + (4) + (5)");
  EXPECT_FALSE(identity.holds);
  EXPECT_TRUE(identity.blocking);
  EXPECT_EQ(identity.left, 103);
  EXPECT_EQ(identity.right, 100);
  EXPECT_EQ(identity.difference, 3);
  EXPECT_NE(identity.explanation.zh.find("相差 3"), std::string::npos);
  EXPECT_NE(identity.explanation.en.find("difference 3"), std::string::npos);
  EXPECT_TRUE(result.Blocked());

  good.Set(kForm21, 1, 100);
  good.Set(kForm21, 9, 1);  // more consolidated than found: ours, warns only
  result = Evaluate(form, good, subject);
  EXPECT_FALSE(CheckOf(result, "(8) >= (9)").holds);
  EXPECT_FALSE(result.Blocked());
}

TEST(FormTest, OnlyColumns23To25MayExceedTheRegister) {
  FormPtr form = Load("2-1");
  Figures figures = Form21({100, 80, 10, 5, 25, 1});
  for (int column = 7; column <= 22; ++column) figures.Set(kForm21, column, 0);
  for (int column = 23; column <= 25; ++column) figures.Set(kForm21, column, 1000);
  const std::string rule = "max(1..22) <= (1) + (3)";
  EXPECT_TRUE(CheckOf(Evaluate(form, figures, {}), rule).holds);
  figures.Set(kForm21, 16, 111);
  EXPECT_FALSE(CheckOf(Evaluate(form, figures, {}), rule).holds);
}

TEST(FormTest, WithoutSettlementsNotCollectedIsNeverZero) {
  Cube cube;
  cube.Add(330102, 330100, true, 21, 1, 5);
  Figures figures = cube.RollUp(330000, Population::kAll);
  FormResult result = Evaluate(Load("2-1"), figures, {});
  for (int column : {21, 22}) {
    EXPECT_FALSE(result.columns[static_cast<size_t>(column - 1)].has_value());
    EXPECT_TRUE(result.not_collected[static_cast<size_t>(column - 1)]);
  }
  EXPECT_FALSE(CheckOf(result, "(21) >= (22)").known);
  figures.facts.insert("medical_settlement");
  result = Evaluate(Load("2-1"), figures, {});
  EXPECT_EQ(result.columns[20], 0);
  EXPECT_FALSE(result.not_collected[20]);
}

TEST(FormTest, Form22AddsUpAgainstForm21) {
  Figures figures = Form21({100, 80, 10, 5, 25, 1});
  for (int column = 1; column <= 27; ++column) figures.Set(kForm22, column, 0);
  figures.Set(kForm22, 1, 85);
  figures.Set(kForm22, 19, 5);
  figures.Set(kForm22, 27, 20);
  FormResult result = Evaluate(Load("2-2"), figures, {});
  EXPECT_EQ(result.not_yet_verified, 20);
  for (const CheckResult& check : result.checks) {
    EXPECT_TRUE(check.known) << check.rule;
    EXPECT_TRUE(check.holds) << check.rule;
  }
  figures.Set(kForm22, 27, 19);
  result = Evaluate(Load("2-2"), figures, {});
  EXPECT_FALSE(CheckOf(result, "(1..26) + (not_yet_verified) = [2-1](1) + [2-1](3)").holds);
}

TEST(FormTest, PercentagesRoundHalfUpInIntegers) {
  EXPECT_EQ(PercentHundredths(1, 3), 3333);
  EXPECT_EQ(PercentHundredths(2, 3), 6667);
  EXPECT_EQ(PercentHundredths(1, 200000), 0);              // 0.0005 % → 0.00
  EXPECT_EQ(PercentHundredths(1, 20000), 1);               // 0.005 % → 0.01, half up
  EXPECT_EQ(PercentHundredths(9999499, 100000000), 1000);  // 9.999499 % → 10.00
  EXPECT_EQ(PercentHundredths(5, 4), 12500) << "never clamped";
  EXPECT_EQ(PercentHundredths(1400000000, 1400000000), 10000);
  EXPECT_EQ(PercentHundredths(0, 5), 0);
  EXPECT_FALSE(PercentHundredths(1, 0));
  EXPECT_FALSE(PercentHundredths(std::nullopt, 5));
  EXPECT_EQ(HundredthsText(9750), "97.50");
  EXPECT_EQ(HundredthsText(-5), "-0.05");
}

TEST(FormTest, Form1IsComputedWhereItsFiguresAre) {
  FormPtr form = Load("1");
  Figures figures = Form21({1721, 1692, 169, 75, 123, 3});
  figures.SetNamed("resident_population", 1700);
  figures.SetNamed("compared_internal", 1770);
  figures.SetNamed("expanded", 1);
  figures.SetNamed("still_uncovered", 2);
  FormResult result = Evaluate(form, figures, {});
  auto column = [&](int n) { return result.columns[static_cast<size_t>(n - 1)]; };
  EXPECT_EQ(column(22), 10412);  // (1692 + 75 + 3) / 1700 = 104.1176 %
  EXPECT_EQ(column(13), 10412);
  EXPECT_EQ(column(28), 3333);
  for (int n : {1, 9, 12, 14, 15, 16, 17, 18, 26, 27, 29}) EXPECT_FALSE(column(n)) << n;
  const CheckResult& above = CheckOf(result, "(22) <= 100%");
  EXPECT_FALSE(above.holds);
  EXPECT_FALSE(above.blocking);
  EXPECT_NE(above.explanation.zh.find("左边 104.12，右边 100.00，相差 4.12"), std::string::npos)
      << above.explanation.zh;

  figures.facts.insert("provincially_central");
  EXPECT_EQ(Evaluate(form, figures, {}).columns[14], 10000);
}

TEST(FormTest, CumulativeFiguresAreComparedWithTheRoundBefore) {
  FormPtr form = Load("1");
  Figures figures;
  figures.Set(kForm1, 29, 4);
  figures.Set(kForm1, 30, 100);
  figures.previous[{kForm1, 29}] = 5;
  FormResult result = Evaluate(form, figures, {});
  EXPECT_FALSE(CheckOf(result, "(29) >= [previous](29)").holds);
  EXPECT_FALSE(CheckOf(result, "(30) >= [previous](30)").known);
  EXPECT_TRUE(CheckOf(result, "(29) > 0 <=> (30) > 0").holds);
  figures.Set(kForm1, 30, 0);
  EXPECT_FALSE(CheckOf(Evaluate(form, figures, {}), "(29) > 0 <=> (30) > 0").holds);
}

class BrokenFormTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::path(::testing::TempDir()) /
           ("canbao_forms_" +
            std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    fs::copy(fs::path(CANBAO_SOURCE_DIR) / "data/forms", dir_ / "forms");
  }
  void TearDown() override { fs::remove_all(dir_); }
  void Replace(const std::string& from, const std::string& to) {
    fs::path path = dir_ / "forms/form-2-1.toml";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::string s = text.str();
    size_t at = s.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    std::ofstream(path) << s.replace(at, from.size(), to);
  }
  std::string CodeOf(const std::string& form = "2-1", Date cutoff = Cutoff()) {
    auto result = LoadForm(dir_.string(), form, cutoff);
    return result ? "" : result.error().code;
  }
  fs::path dir_;
};

TEST_F(BrokenFormTest, UnknownForm) { EXPECT_EQ(CodeOf("3"), "CB-REPORTING-0001"); }
TEST_F(BrokenFormTest, BrokenToml) {
  Replace("number = 7", "number = ");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0002");
}
TEST_F(BrokenFormTest, UnknownKey) {
  Replace("part_of = 2", "partof = 2");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0003");
}
TEST_F(BrokenFormTest, NumbersHaveAGap) {
  Replace("number = 7\n", "number = 70\n");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0003");
}
TEST_F(BrokenFormTest, CheckNamesAColumnThatIsNotThere) {
  Replace("rule = \"(5) >= (6)\"", "rule = \"(5) >= (60)\"");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0003");
}
TEST_F(BrokenFormTest, FormulaCannotBeRead) {
  Replace("rule = \"(5) >= (6)\"", "rule = \"(5) => (6)\"");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0004");
}
TEST_F(BrokenFormTest, TwoVersionsAtOnce) {
  fs::copy(dir_ / "forms/form-2-1.toml", dir_ / "forms/form-2-1b.toml");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0005");
}
TEST_F(BrokenFormTest, NoVersionAtTheDate) {
  EXPECT_EQ(CodeOf("2-1", Date::FromYmd(2000, 1, 1)), "CB-REPORTING-0006");
  fs::remove_all(dir_ / "forms");
  EXPECT_EQ(CodeOf(), "CB-REPORTING-0006");
}

}  // namespace
}  // namespace canbao::reporting
