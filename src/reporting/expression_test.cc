#include "reporting/expression.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace canbao::reporting {
namespace {

class Source : public FigureSource {
 public:
  std::optional<int64_t> Cell(std::string_view form, int column) const override {
    auto found = cells.find({std::string(form), column});
    return found != cells.end() ? std::optional(found->second) : std::nullopt;
  }
  std::optional<int64_t> Named(std::string_view name) const override {
    auto found = named.find(std::string(name));
    return found != named.end() ? std::optional(found->second) : std::nullopt;
  }
  std::map<std::pair<std::string, int>, int64_t> cells;
  std::map<std::string, int64_t> named;
};

Source SampleFigures() {
  Source s;
  for (int i = 1; i <= 5; ++i) s.cells[{"", i}] = i * 10;
  s.cells[{"2-1", 1}] = 7;
  s.cells[{"previous", 2}] = 21;
  s.cells[{"", 27}] = 3;
  s.named["cities"] = 11;
  return s;
}

Verdict Of(const std::string& rule, const Source& source) {
  auto check = Check::Parse(rule);
  EXPECT_TRUE(check) << rule;
  return check ? check->Evaluate(source) : Verdict{};
}

TEST(ExpressionTest, SumsAndComparisons) {
  Source s = SampleFigures();
  Verdict v = Of("(1) = (2) - (3) + (4) - 20", s);
  EXPECT_TRUE(v.known);
  EXPECT_TRUE(v.holds);
  EXPECT_EQ(v.left, 10);
  EXPECT_EQ(v.right, 10);
  EXPECT_FALSE(Of("(1) > (2)", s).holds);
  EXPECT_TRUE(Of("(1) < (2)", s).holds);
  EXPECT_TRUE(Of("(1) <= 10", s).holds);
  EXPECT_FALSE(Of("(1) >= 11", s).holds);
  EXPECT_TRUE(Of("cities >= (1)", s).holds);
  EXPECT_TRUE(Of("(1) <= 100%", s).holds);
  EXPECT_EQ(Of("(1) <= 100%", s).right, 10000);
}

TEST(ExpressionTest, RangesOtherFormsAndTheRoundBefore) {
  Source s = SampleFigures();
  EXPECT_EQ(Of("(1..5) = 0", s).left, 150);
  EXPECT_EQ(Of("max(1..22) = 0", s).left, 50);
  EXPECT_EQ(Of("(1..5) + (not_yet_verified) = 0", s).left, 153);
  EXPECT_EQ(Of("[2-1](1) = 0", s).left, 7);
  EXPECT_FALSE(Of("(2) >= [previous](2)", s).holds);
}

TEST(ExpressionTest, UnknownFiguresSpeakAgainstNothing) {
  Source s = SampleFigures();
  for (const char* rule : {"(9) >= (1)", "(1) >= (9)", "(1..9) = 0", "nothing > 0",
                           "(9) > 0 => (1) = 999", "(1) > 0 <=> (9) > 0"}) {
    Verdict v = Of(rule, s);
    EXPECT_FALSE(v.known) << rule;
    EXPECT_TRUE(v.holds) << rule;
  }
}

TEST(ExpressionTest, Implications) {
  Source s = SampleFigures();
  EXPECT_TRUE(Of("(1) = 10 => (2) = 20", s).holds);
  EXPECT_FALSE(Of("(1) = 10 => (2) = 21", s).holds);
  EXPECT_TRUE(Of("(1) = 11 => (2) = 21", s).holds);
  EXPECT_TRUE(Of("(1) > 0 <=> (2) > 0", s).holds);
  EXPECT_FALSE(Of("(1) > 0 <=> (2) < 0", s).holds);
  EXPECT_TRUE(Of("(1) <= 0 <=> (2) <= 0", s).holds);
}

TEST(ExpressionTest, MistakesAreRefused) {
  for (const char* rule : {"", "(1)", "(1) >", "(1) = (2", "(1) == (2)", "(2..1) = 0", "max(1) = 0",
                           "[2-1 (1) = 0", "(1) = (2) (3)", "(x) = 1", "(1) => (2)", "(1) = 2 => ",
                           "[](1) = 1", "(1) = 1234567890123"}) {
    auto check = Check::Parse(rule);
    ASSERT_FALSE(check) << rule;
    EXPECT_EQ(check.error().code, "CB-REPORTING-0004");
  }
}

}  // namespace
}  // namespace canbao::reporting
