#include "comparison/link/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "comparison/link/test_model.h"

namespace canbao::comparison {
namespace {

TEST(TwinsTest, TwinsAreNotLinkedByScoreAlone) {
  const Profile elder = Zhang();
  Profile younger = Zhang();
  younger.name = identity::FoldToCode("张晓鸣").v;
  EXPECT_TRUE(MayBeTwins(younger, elder));
  EXPECT_FALSE(MayBeTwins(elder, elder));
  // What is left of the number tells them apart, or makes them one.
  Profile known = elder;
  known.tail = 764;
  younger.tail = 772;
  EXPECT_TRUE(MayBeTwins(younger, known));
  younger.tail = 764;
  EXPECT_FALSE(MayBeTwins(younger, known));
}

// Whoever can be found by all of the fields is found by each rule alone.
TEST(BlockingTest, EachRuleFinds) {
  Profile person = Zhang();
  person.household = 9;
  person.units.Add(5);
  person.origin = 330102;
  person.tail = 764;
  std::vector<BlockingKey> known;
  BlockingKeys(person, false, &known);
  auto finds = [&](const Profile& seeker) {
    std::vector<BlockingKey> keys;
    BlockingKeys(seeker, true, &keys);
    return std::any_of(keys.begin(), keys.end(), [&](const BlockingKey& k) {
      return std::any_of(known.begin(), known.end(),
                         [&k](const BlockingKey& other) { return other.key == k.key; });
    });
  };
  auto with = [](auto fill) {
    Profile s;
    s.name = Zhang().name;
    fill(&s);
    return s;
  };
  const uint64_t alike = identity::FoldToCode("张晓鸣").v;
  EXPECT_TRUE(finds(with([](Profile* s) { s->birth = Date::FromYmd(1968, 4, 6); })));
  EXPECT_TRUE(finds(with([&](Profile* s) {
    s->name = alike;
    s->birth = Date::FromYmd(1968, 4, 6);
    s->places.Add(330108);
  })));
  EXPECT_TRUE(finds(with([](Profile* s) {
    s->birth = Date::FromYmd(1968, 12, 30);
    s->places.Add(330108);
  })));
  EXPECT_TRUE(finds(with([&](Profile* s) {
    s->name = alike;
    s->phones.Add(77);
  })));
  EXPECT_TRUE(finds(with([](Profile* s) { s->units.Add(5); })));
  EXPECT_TRUE(finds(with([](Profile* s) { s->household = 9; })));
  EXPECT_TRUE(finds(with([](Profile* s) { s->origin = 330102; })));
  EXPECT_TRUE(finds(with([&](Profile* s) {
    s->name = alike;
    s->origin = 330102;
    s->tail = 764;
  })));
  EXPECT_TRUE(finds(with([](Profile* s) { s->places.Add(330108); })));
  // Characters in another order, in another province.
  EXPECT_TRUE(finds(with([](Profile* s) {
    s->name = identity::FoldToCode("张明晓").v;
    s->birth = Date::FromYmd(1968, 4, 6);
  })));
  // Heard over the telephone, the day misheard as well.
  EXPECT_TRUE(finds(with([](Profile* s) {
    s->name = identity::FoldToCode("章小敏").v;
    s->birth = Date::FromYmd(1968, 4, 16);
    s->places.Add(330108);
  })));
  EXPECT_TRUE(finds(with([&](Profile* s) {
    s->name = alike;
    s->birth = Date::FromYmd(1968, 4, 6);
    s->tail = 764;
  })));
  // Not by a name and a city alone where there is a birth date that says otherwise.
  EXPECT_FALSE(finds(with([](Profile* s) {
    s->birth = Date::FromYmd(1951, 2, 3);
    s->places.Add(330108);
  })));
}

}  // namespace
}  // namespace canbao::comparison
