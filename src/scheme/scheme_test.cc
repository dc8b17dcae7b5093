#include "scheme/scheme.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace canbao::scheme {
namespace {

TEST(SchemeTest, EveryCodeOfTheList) {
  std::set<int> known;
  for (int code = 0; code < 1000; ++code) {
    SchemeCode scheme = static_cast<SchemeCode>(code);
    if (StandingOf(scheme) == SchemeStanding::kUnknown) {
      EXPECT_EQ(BranchOf(scheme), Branch::kNone) << code;
      continue;
    }
    known.insert(code);
    bool counted = StandingOf(scheme) == SchemeStanding::kCounted;
    EXPECT_EQ(IsEmployeeScheme(scheme) || IsResidentScheme(scheme), counted) << code;
    EXPECT_FALSE(IsEmployeeScheme(scheme) && IsResidentScheme(scheme)) << code;
    if (StandingOf(scheme) == SchemeStanding::kNotCounted) {
      EXPECT_EQ(BranchOf(scheme), Branch::kNone) << code;
    }
  }
  EXPECT_EQ(known, (std::set<int>{110, 120, 170, 180, 210, 310, 320, 330, 340, 350, 360, 370, 380,
                                  390, 391, 392, 410, 510}));
  EXPECT_EQ(StandingOf(65535), SchemeStanding::kUnknown);
}

TEST(SchemeTest, Branches) {
  for (int code : {110, 120, 170})
    EXPECT_EQ(BranchOf(static_cast<SchemeCode>(code)), Branch::kPension);
  for (int code : {310, 380, 390, 391, 340, 350, 360}) {
    EXPECT_EQ(BranchOf(static_cast<SchemeCode>(code)), Branch::kMedical);
  }
  EXPECT_EQ(BranchOf(210), Branch::kUnemployment);
  EXPECT_EQ(BranchOf(410), Branch::kWorkInjury);
  EXPECT_EQ(BranchOf(510), Branch::kMaternity);
}

TEST(SchemeTest, StatesAndNames) {
  std::set<std::string_view> names;
  std::set<std::string_view> names_zh;
  int active = 0;
  for (int i = 0; i <= 6; ++i) {
    State state = static_cast<State>(i);
    names.insert(StateName(state));
    names_zh.insert(StateNameZh(state));
    active += IsActive(state) ? 1 : 0;
  }
  EXPECT_EQ(names.size(), 7u);
  EXPECT_EQ(names_zh.size(), 7u);
  EXPECT_EQ(active, 3);
  EXPECT_EQ(BranchName(Branch::kWorkInjury), "work_injury");
  EXPECT_EQ(BranchNameZh(Branch::kWorkInjury), "工伤");
}

}  // namespace
}  // namespace canbao::scheme
