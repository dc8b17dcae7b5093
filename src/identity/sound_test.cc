#include "identity/sound.h"

#include <gtest/gtest.h>

namespace canbao::identity {
namespace {

uint64_t Sound(std::string_view name) { return SoundOf(FoldToCode(name)); }

TEST(SoundTest, HomophonesAreOne) {
  EXPECT_EQ(Sound("张晓明"), Sound("章小鸣"));
  EXPECT_EQ(Sound("张晓明"), Sound("臧小民"));  // zh z, ing in
  EXPECT_EQ(Sound("宁静"), Sound("林进"));
  EXPECT_NE(Sound("张晓明"), Sound("李晓明"));
  EXPECT_NE(Sound("张晓"), Sound("张晓明"));
}

TEST(SoundTest, SurnamesSoundLikeSurnames) {
  EXPECT_EQ(Sound("单芳"), Sound("善方"));
  EXPECT_NE(Sound("单芳"), Sound("丹方"));
  EXPECT_EQ(Sound("王单"), Sound("汪丹"));
}

TEST(SoundTest, NothingAndLongNames) {
  EXPECT_EQ(SoundOf(NameCode{}), 0u);
  EXPECT_EQ(Sound("买买提·乌斯曼"), FoldToCode("买买提乌斯曼").v);
}

}  // namespace
}  // namespace canbao::identity
