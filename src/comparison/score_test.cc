#include "comparison/score.h"

#include <gtest/gtest.h>

namespace canbao::comparison {
namespace {

std::shared_ptr<const LinkModel> Model() {
  auto model = LinkModel::Load(CANBAO_SOURCE_DIR "/data", Date::FromYmd(2017, 9, 30));
  if (!model) ADD_FAILURE() << model.error().ToString();
  return *model;
}

Profile Zhang(uint32_t county = 330102) {
  Profile p;
  p.key = 33010219680406763;
  p.name = identity::FoldToCode("张晓明").v;
  p.birth = Date::FromYmd(1968, 4, 6);
  p.sex = identity::Sex::kFemale;
  p.verified = p.by_number = true;
  p.places.Add(county);
  p.phones.Add(77);
  return p;
}

// A province of a million: 张晓明 is the name of a hundred, and every day saw thirty births.
Frequencies Province() {
  Frequencies f;
  f.persons = 1000000;
  f.names[Zhang().name] = 100;
  for (uint32_t& n : f.births) n = 30;
  f.places[330102] = 10000;
  f.places[330100] = 100000;
  return f;
}

TEST(NearTest, TheMistakesThatClerksMake) {
  auto d = [](int v) { return Date::FromYmd(v / 10000, v / 100 % 100, v % 100); };
  EXPECT_TRUE(IsNear(d(19680406), d(19680604)));  // exchanged
  EXPECT_TRUE(IsNear(d(19680406), d(19690406)));  // one part
  EXPECT_TRUE(IsNear(d(19680406), d(19680101)));  // the default
  EXPECT_TRUE(IsNear(d(19680406), d(19680309)));  // lunar
  EXPECT_FALSE(IsNear(d(19680406), d(19680406)));
  EXPECT_FALSE(IsNear(d(19680406), d(19751231)));
  EXPECT_FALSE(IsNear(d(19680406), Date{}));
}

TEST(ScoreTest, EveryFieldSaysWhatItShould) {
  auto model = Model();
  const Frequencies f = Province();
  const Profile person = Zhang();
  Profile seeker = Zhang();
  seeker.by_number = false;
  const Bits all = model->Score(seeker, person, f);
  // Missing says nothing, contradicting says no: fields can only take away.
  auto without = [&](auto change) {
    Profile s = seeker;
    change(&s);
    return model->Score(s, person, f);
  };
  Bits no_birth = without([](Profile* s) { s->birth = {}; });
  Bits near = without([](Profile* s) { s->birth = Date::FromYmd(1968, 6, 4); });
  Bits other = without([](Profile* s) { s->birth = Date::FromYmd(1951, 2, 3); });
  EXPECT_GT(all, near);
  EXPECT_GT(near, no_birth);
  EXPECT_GT(no_birth, other);
  Bits no_phone = without([](Profile* s) { s->phones = {}; });
  Bits new_phone = without([](Profile* s) {
    s->phones = {};
    s->phones.Add(78);
  });
  EXPECT_GT(all, no_phone);
  EXPECT_GT(no_phone, new_phone);
  Bits city = without([](Profile* s) {
    s->places = {};
    s->places.Add(330108);
  });
  Bits far = without([](Profile* s) {
    s->places = {};
    s->places.Add(650102);
  });
  EXPECT_GT(all, city);
  EXPECT_GT(city, far);
  EXPECT_GT(all, without([](Profile* s) { s->sex = identity::Sex::kMale; }) + 700);
  // 张晓鸣 sounds the same; 李芳 is somebody else.
  EXPECT_GT(all, without([](Profile* s) { s->name = identity::FoldToCode("张晓鸣").v; }) + 500);
  EXPECT_EQ(without([](Profile* s) { s->name = identity::FoldToCode("李芳").v; }), INT32_MIN);
}

TEST(ScoreTest, NamesakesOfOneBirthdayAreNotEnoughInAProvince) {
  auto model = Model();
  Frequencies f = Province();
  Profile person = Zhang();
  Profile seeker;
  seeker.name = person.name;
  seeker.birth = person.birth;
  const Bits small = model->Score(seeker, person, f) + Prior(model->FirstShare(false), f.persons);
  // A hundred times the people, and of everything a hundred times as many.
  f.persons *= 100;
  f.names[person.name] *= 100;
  for (uint32_t& n : f.births) n *= 100;
  const Bits large = model->Score(seeker, person, f) + Prior(model->FirstShare(false), f.persons);
  EXPECT_NEAR(small - large, 664, 3);
  EXPECT_LT(large, model->accept());
  // A rare name says more.
  Frequencies rare = f;
  rare.names[person.name] = 3;
  EXPECT_GT(model->Score(seeker, person, rare), model->Score(seeker, person, f) + 1000);
}

TEST(ScoreTest, TwinsAreNotLinkedByScoreAlone) {
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
  std::vector<uint64_t> known;
  BlockingKeys(person, false, &known);
  auto finds = [&](const Profile& seeker) {
    std::vector<uint64_t> keys;
    BlockingKeys(seeker, true, &keys);
    return std::any_of(keys.begin(), keys.end(), [&](uint64_t k) {
      return std::find(known.begin(), known.end(), k) != known.end();
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
  // Not by a name and a city alone where there is a birth date that says otherwise.
  EXPECT_FALSE(finds(with([](Profile* s) {
    s->birth = Date::FromYmd(1951, 2, 3);
    s->places.Add(330108);
  })));
}

}  // namespace
}  // namespace canbao::comparison
