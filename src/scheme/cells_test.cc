#include "scheme/cells.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>

namespace canbao::scheme {
namespace {

// What counts and what finds the counted are one mapping.
TEST(Cells, TestsFindWhoIsCounted) {
  std::mt19937 rng(4);
  for (int i = 0; i < 20000; ++i) {
    Classification c;
    c.flags = rng() & 0xFF;
    c.duplicates = rng() % 4 == 0 ? rng() & 0x3FFF : 0;
    c.uncovered = rng() & 0x1F;
    c.form_2_2 = static_cast<uint8_t>(rng() % 28);
    std::set<std::pair<int, int>> counted;
    ForEachCell(c, [&](uint8_t form, uint8_t column) {
      if (form != kCrossTable) counted.insert({form, column});
    });
    std::set<std::pair<int, int>> found;
    for (uint8_t column = 0; column <= 30; ++column) {
      if (TestOf(kForm21, column).Holds(c)) found.insert({kForm21, column});
      if (TestOf(kForm22, column).Holds(c)) found.insert({kForm22, column});
    }
    ASSERT_EQ(found, counted) << c.flags << " " << c.duplicates << " " << int{c.uncovered} << " "
                              << int{c.form_2_2};
  }
}

}  // namespace
}  // namespace canbao::scheme
