#include "comparison/link/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "comparison/link/test_model.h"

namespace canbao::comparison {
namespace {

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

Bits Score(const LinkModel& model, const Profile& s, const Profile& p, const Frequencies& f) {
  const Compared c = Compare(s, p);
  return Weights(model, TrainingCounts(1), f).Sum(0, c.levels, {p.name, p.birth, c.place});
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

TEST(WeightsTest, EveryFieldSaysWhatItShould) {
  auto model = ShippedModel();
  const Frequencies f = Province();
  const Profile person = Zhang();
  Profile seeker = Zhang();
  seeker.by_number = false;
  const Bits all = Score(*model, seeker, person, f);
  // Missing says nothing, contradicting says no: fields can only take away.
  auto without = [&](auto change) {
    Profile s = seeker;
    change(&s);
    return Score(*model, s, person, f);
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
  EXPECT_EQ(without([](Profile* s) { s->name = identity::FoldToCode("李芳").v; }), kNever);
}

TEST(WeightsTest, NamesakesOfOneBirthdayAreNotEnoughInAProvince) {
  auto model = ShippedModel();
  Frequencies f = Province();
  Profile person = Zhang();
  Profile seeker;
  seeker.name = person.name;
  seeker.birth = person.birth;
  const Bits small = Score(*model, seeker, person, f) + Prior(model->first_no_number, f.persons);
  // A hundred times the people, and of everything a hundred times as many.
  f.persons *= 100;
  f.names[person.name] *= 100;
  for (uint32_t& n : f.births) n *= 100;
  const Bits large = Score(*model, seeker, person, f) + Prior(model->first_no_number, f.persons);
  EXPECT_NEAR(small - large, 664, 3);
  EXPECT_LT(large, model->accept);
  // A rare name says more.
  Frequencies rare = f;
  rare.names[person.name] = 3;
  EXPECT_GT(Score(*model, seeker, person, rare), Score(*model, seeker, person, f) + 1000);
}

TEST(TrainingTest, CountsTakeTheModelsPlaceAsTheyGrow) {
  auto model = ShippedModel();
  TrainingCounts counts(2);
  // Nothing seen: the model as it is, and levels that are counted together keep their sum.
  const auto m = [&](uint8_t level) { return counts.M(*model, 1, Field::kPhone, level); };
  const auto supposed = model->rates[static_cast<size_t>(Field::kPhone)];
  EXPECT_EQ(m(1), supposed[1].m);
  EXPECT_EQ(m(2), supposed[2].m);
  Levels same;
  same.Set(Field::kPhone, level::kEqual);
  Levels other;
  other.Set(Field::kPhone, level::kDiffer);
  for (int i = 0; i < 9000; ++i) counts.Add(1, i % 10 == 0 ? other : same);
  EXPECT_NEAR(static_cast<double>(m(1)), 900000, 6000);
  EXPECT_NEAR(static_cast<double>(m(1) + m(2)), 1000000, 2);
  // Of that source alone.
  EXPECT_EQ(counts.M(*model, 0, Field::kPhone, 1), supposed[1].m);
  // A number cannot be learned from rows that it links.
  Levels tail;
  tail.Set(Field::kTail, level::kEqual);
  counts.Add(1, tail, 100000);
  EXPECT_EQ(counts.M(*model, 1, Field::kTail, 1),
            model->rates[static_cast<size_t>(Field::kTail)][1].m);
  TrainingCounts twice(2);
  twice.Merge(counts);
  twice.Merge(counts);
  EXPECT_EQ(twice.Of(1, Field::kPhone, 2), 2 * counts.Of(1, Field::kPhone, 2));
}

// A thousand names borne by one, two hundred by two, sixty by three: one that is borne by one
// stands for 0.4 persons, and says more than a bit more than one in all persons.
TEST(FrequenciesTest, WhatOnePersonBearsIsRarer) {
  Frequencies f;
  f.persons = 1000000;
  EXPECT_EQ(f.RareNames()[1], 1000u);
  uint64_t name = 1;
  for (auto [names, bearers] : {std::pair(1000, 1), std::pair(200, 2), std::pair(60, 3)}) {
    for (int i = 0; i < names; ++i) f.sampled_names[name++] = static_cast<uint64_t>(bearers);
  }
  EXPECT_EQ(f.RareNames()[1], 400u);
  EXPECT_EQ(f.RareNames()[2], 900u);
  auto model = ShippedModel();
  Levels same;
  same.Set(Field::kName, level::kNameExact);
  const Shared one{Zhang().name, {}, 0};
  const Bits told = Weights(*model, TrainingCounts(1), f).Of(Field::kName, 0, same, one);
  f.sampled_names.clear();
  const Bits plain = Weights(*model, TrainingCounts(1), f).Of(Field::kName, 0, same, one);
  EXPECT_EQ(told - plain, 132);
}

TEST(LevelTest, WhatASourceDoesNotSayIsNoLevel) {
  Profile nothing;
  nothing.name = Zhang().name;
  const Levels levels = Compare(nothing, Zhang()).levels;
  EXPECT_EQ(levels.Of(Field::kName), level::kNameExact);
  for (size_t f = 1; f < kFields; ++f) EXPECT_EQ(levels.Of(static_cast<Field>(f)), level::kNone);
}

}  // namespace
}  // namespace canbao::comparison
