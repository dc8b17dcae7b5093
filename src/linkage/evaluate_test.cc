#include "linkage/evaluate.h"

#include <gtest/gtest.h>

#include <random>

namespace canbao::linkage {
namespace {

TEST(EvaluateTest, CountsPairsAndRows) {
  // Said: {a a a} {b}; real: {1 1} {2 2}.
  Evaluation e = Evaluate({{"a", "1", ""}, {"a", "1", ""}, {"a", "2", "x"}, {"b", "2", ""}});
  EXPECT_EQ(e.all.said_pairs, 3u);
  EXPECT_EQ(e.all.real_pairs, 2u);
  EXPECT_EQ(e.all.right_pairs, 1u);
  EXPECT_DOUBLE_EQ(e.all.precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(e.all.recall(), 0.5);
  EXPECT_DOUBLE_EQ(e.all.bcubed_precision, (2.0 / 3 + 2.0 / 3 + 1.0 / 3 + 1) / 4);
  EXPECT_DOUBLE_EQ(e.all.bcubed_recall, (1 + 1 + 0.5 + 0.5) / 4);
  EXPECT_EQ(e.merged, 1u);
  EXPECT_EQ(e.split, 1u);
  // The row of stratum x is in two said pairs and one real one, none of them right.
  EXPECT_EQ(e.strata["x"].said_pairs, 2u);
  EXPECT_EQ(e.strata["x"].real_pairs, 1u);
  EXPECT_EQ(e.strata["x"].right_pairs, 0u);
}

TEST(EvaluateTest, RowsOfNobodyAreAlone) {
  Evaluation e = Evaluate({{"", "1", ""}, {"", "1", ""}, {"", "", ""}});
  EXPECT_EQ(e.all.said_pairs, 0u);
  EXPECT_EQ(e.all.real_pairs, 1u);
  EXPECT_DOUBLE_EQ(e.all.precision(), 1);
  EXPECT_DOUBLE_EQ(e.all.recall(), 0);
  EXPECT_EQ(e.split, 1u);
}

TEST(EvaluateTest, NothingIsPerfect) {
  Evaluation e = Evaluate({});
  EXPECT_DOUBLE_EQ(e.all.f1(), 1);
}

// Against counting every pair.
TEST(EvaluateTest, AgreesWithCountingEveryPair) {
  std::mt19937 rng(5);
  for (int world = 0; world < 200; ++world) {
    std::vector<JudgedRow> rows(rng() % 30);
    for (JudgedRow& r : rows) {
      r.said = rng() % 5 == 0 ? "" : std::to_string(rng() % 6);
      r.real = std::to_string(rng() % 6);
      r.stratum = rng() % 2 == 0 ? "x" : "y";
    }
    uint64_t said = 0;
    uint64_t real = 0;
    uint64_t right = 0;
    uint64_t right_x = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        bool s = !rows[i].said.empty() && rows[i].said == rows[j].said;
        bool r = rows[i].real == rows[j].real;
        said += s;
        real += r;
        right += s && r;
        right_x += s && r && (rows[i].stratum == "x" || rows[j].stratum == "x");
      }
    }
    Evaluation e = Evaluate(rows);
    ASSERT_EQ(e.all.said_pairs, said);
    ASSERT_EQ(e.all.real_pairs, real);
    ASSERT_EQ(e.all.right_pairs, right);
    ASSERT_EQ(e.strata["x"].right_pairs, right_x);
  }
}

}  // namespace
}  // namespace canbao::linkage
