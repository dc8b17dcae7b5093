#include "linkage/weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace canbao::linkage {
namespace {

TEST(Log2Test, IsTheLogarithmToTheHundredth) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 20000; ++i) {
    uint64_t a = (rng() >> (rng() % 60)) | 1;
    uint64_t b = (rng() >> (rng() % 60)) | 1;
    double exact = 100 * (std::log2(static_cast<double>(a)) - std::log2(static_cast<double>(b)));
    ASSERT_NEAR(Log2(a, b), exact, 0.6) << a << "/" << b;
  }
  EXPECT_EQ(Log2(8, 1), 300);
  EXPECT_EQ(Log2(1, 8), -300);
  EXPECT_EQ(Log2(7, 7), 0);
}

TEST(UnlikelyTest, HalvesWithEveryBit) {
  for (Bits bits : {0, 1, 50, 99, 100, 777, 1330, 2500}) {
    double exact = std::exp2(40 - bits / 100.0);
    EXPECT_NEAR(static_cast<double>(Unlikely(bits)) / exact, 1, 1e-4) << bits;
  }
  EXPECT_EQ(Unlikely(-500), Unlikely(0));
  EXPECT_EQ(Unlikely(100000), 0u);
}

TEST(ShareTest, IsFoundFromTheScores) {
  // Of a thousand, 300 have a person whose score is far above chance; others have a poor one.
  std::vector<Bits> best(1000, INT32_MIN);
  for (size_t i = 0; i < 300; ++i) best[i] = 4000;
  for (size_t i = 300; i < 600; ++i) best[i] = 200;
  uint64_t share = EstimateShare(best, 1000000, kOne / 20);
  EXPECT_NEAR(static_cast<double>(share) / static_cast<double>(kOne), 0.3, 0.005);
}

TEST(ShareTest, ComesToNothingWhereNobodyHasAPerson) {
  // Two of a million are alike by chance: good enough if every tenth had a person, not so here.
  std::vector<Bits> best(1000000, INT32_MIN);
  best[0] = best[1] = 3700;
  uint64_t first = kOne / 10;
  EXPECT_GT(best[0] + Prior(first, 10000000), 1000);
  uint64_t share = EstimateShare(best, 10000000, first);
  EXPECT_LT(best[0] + Prior(share, 10000000), 0);
}

}  // namespace
}  // namespace canbao::linkage
