// Decisions against a slow, obviously right implementation: every seeker with every person, and the
// things that must not matter.
#include "comparison/link/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "comparison/link/test_model.h"

namespace canbao::comparison {
namespace {

struct LinkWorld {
  std::vector<Profile> persons;
  std::vector<Profile> seekers;
};

// Few names, dates and places, so that much is alike by accident.
LinkWorld RandomWorld(std::mt19937_64& rng, size_t persons, size_t seekers) {
  static const char* const kNames[] = {"张伟", "张晓明", "张晓鸣", "王芳",   "王小芳",
                                       "李强", "李晓强", "陈明亮", "陈亮明", "欧阳震华"};
  auto pick = [&rng](size_t n) { return static_cast<size_t>(rng() % n); };
  auto birth = [&] {
    return Date::FromYmd(static_cast<int>(1960 + pick(40)), static_cast<int>(1 + pick(12)),
                         static_cast<int>(1 + pick(28)));
  };
  LinkWorld w;
  for (size_t i = 0; i < persons; ++i) {
    Profile p;
    p.key = 1000 + i;
    p.name = identity::FoldToCode(kNames[pick(std::size(kNames))]).v;
    p.birth = birth();
    p.sex = pick(2) == 0 ? identity::Sex::kMale : identity::Sex::kFemale;
    p.verified = p.by_number = true;
    p.origin = static_cast<uint32_t>(330100 + pick(8));
    p.tail = static_cast<uint16_t>(1 + pick(999));
    p.places.Add(static_cast<uint32_t>(330100 + pick(2) * 100 + 1 + pick(5)));
    if (pick(2) == 0) p.phones.Add(static_cast<uint16_t>(1 + pick(400)));
    if (pick(3) == 0) p.units.Add(static_cast<uint16_t>(1 + pick(30)));
    p.first = i;
    w.persons.push_back(p);
  }
  for (size_t i = 0; i < seekers; ++i) {
    Profile s = w.persons[pick(persons)];
    // One in four is nobody known.
    if (pick(4) == 0) {
      s.birth = birth();
      s.phones = {};
      s.phones.Add(static_cast<uint16_t>(10000 + pick(50)));
    }
    s.key = kProvisionalBit | (i + 1);
    s.verified = s.by_number = false;
    if (pick(5) != 0) s.origin = 0;
    if (pick(5) != 0) s.tail = 0;
    if (pick(6) == 0) s.birth = {};
    if (pick(8) == 0) s.name = identity::FoldToCode(kNames[pick(std::size(kNames))]).v;
    if (pick(8) == 0) s.phones = {};
    if (pick(8) == 0) s.sex = identity::Sex::kUnknown;
    s.first = i;
    w.seekers.push_back(s);
  }
  return w;
}

struct LinkOutcome {
  Decided decided;
  std::vector<Pair> pairs;
  LinkStatistics statistics;
};

LinkOutcome Link(const LinkWorld& w, const LinkModel& model, const Labels& labels = {}) {
  LinkOutcome out;
  const Seekers seekers(w.seekers);
  Frequencies f;
  std::vector<BlockingKey> keys;
  std::vector<Seekers::Found> found;
  for (const Profile& p : w.persons) {
    f.Add(p, seekers.HasName(p.name));
    seekers.Find(p, &keys, &found);
    for (const auto& hit : found) {
      out.pairs.push_back(MakePair(hit.seeker, seekers.all()[hit.seeker], p, hit.rules));
    }
  }
  const Weights weights(model, TrainingCounts(1), f);
  out.decided = Decide(seekers, &out.pairs, weights, model, labels, &out.statistics);
  return out;
}

TEST(DecideTest, FindsThePairsOfEveryRuleAndNoOther) {
  std::mt19937_64 rng(7);
  const LinkWorld w = RandomWorld(rng, 300, 100);
  const Seekers seekers(w.seekers);
  std::vector<BlockingKey> keys;
  std::vector<Seekers::Found> found;
  for (const Profile& p : w.persons) {
    seekers.Find(p, &keys, &found);
    std::map<uint32_t, uint16_t> fast;
    for (const auto& f : found) fast[f.seeker] = f.rules;
    ASSERT_EQ(fast.size(), found.size()) << "a pair twice";
    std::map<uint32_t, uint16_t> slow;
    std::vector<BlockingKey> theirs;
    std::vector<BlockingKey> own;
    BlockingKeys(p, false, &theirs);
    for (uint32_t s = 0; s < seekers.size(); ++s) {
      BlockingKeys(seekers.all()[s], true, &own);
      for (const BlockingKey& a : own) {
        for (const BlockingKey& b : theirs) {
          if (a.key == b.key) slow[s] |= static_cast<uint16_t>(1u << a.rule);
        }
      }
    }
    ASSERT_EQ(fast, slow);
  }
}

TEST(DecideTest, EverybodyWithEverybodyDecidesTheSame) {
  auto model = ShippedModel();
  size_t links = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 rng(seed);
    const LinkWorld w = RandomWorld(rng, 1400, 600);
    const LinkOutcome fast = Link(w, *model);
    // N × N: of each seeker the best and the second best of all who share a key.
    Frequencies f;
    for (const Profile& p : w.persons) f.Add(p, true);
    const Weights weights(*model, TrainingCounts(1), f);
    struct Slow {
      uint64_t seeker;
      uint64_t person = 0;
      Bits best = kNever;
      Bits second = kNever;
      bool denied = false;
    };
    std::vector<Slow> slow;
    std::vector<Bits> best;
    std::vector<BlockingKey> a;
    std::vector<BlockingKey> b;
    for (const Profile& s : w.seekers) {
      Slow it{s.key};
      BlockingKeys(s, true, &a);
      for (const Profile& p : w.persons) {
        BlockingKeys(p, false, &b);
        const bool meet = std::any_of(a.begin(), a.end(), [&b](const BlockingKey& x) {
          return std::any_of(b.begin(), b.end(),
                             [&x](const BlockingKey& y) { return x.key == y.key; });
        });
        if (!meet) continue;
        const Compared c = Compare(s, p);
        const Bits score = weights.Sum(0, c.levels, {p.name, p.birth, c.place});
        if (score == kNever) continue;
        if (score > it.best) {
          it.second = it.best;
          it.best = score;
          it.person = p.key;
          it.denied = MayBeTwins(s, p) || c.levels.Of(Field::kSex) == level::kDiffer ||
                      c.levels.Of(Field::kBirth) == level::kBirthDiffer;
        } else {
          it.second = std::max(it.second, score);
        }
      }
      best.push_back(it.best);
      slow.push_back(it);
    }
    const Bits prior = Prior(EstimateShare(best, f.persons, model->first_no_number), f.persons);
    std::set<std::pair<uint64_t, uint64_t>> wanted;
    struct Sure {
      uint64_t wrong;
      uint64_t seeker;
      uint64_t person;
    };
    std::vector<Sure> sure;
    for (const Slow& s : slow) {
      if (s.best == kNever || s.denied || s.best + prior < model->accept) continue;
      const uint64_t wrong =
          Unlikely(s.best + prior) + (s.second == kNever ? 0 : Unlikely(s.best - s.second));
      if (wrong <= 2 * Unlikely(model->accept)) sure.push_back({wrong, s.seeker, s.person});
    }
    std::sort(sure.begin(), sure.end(), [](const Sure& x, const Sure& y) {
      return x.wrong != y.wrong ? x.wrong < y.wrong : x.seeker < y.seeker;
    });
    uint64_t expected = 0;
    for (const Sure& s : sure) {
      if (expected + s.wrong > kOne / 1000000 * model->false_per_million * f.persons) continue;
      expected += s.wrong;
      wanted.emplace(s.seeker, s.person);
    }
    std::set<std::pair<uint64_t, uint64_t>> got;
    for (const Match& m : fast.decided.matches) got.emplace(m.seeker, m.person);
    EXPECT_EQ(got, wanted) << "seed " << seed;
    links += got.size();
  }
  EXPECT_GT(links, 100u);
}

TEST(DecideTest, TheOrderOfPersonsAndSeekersDoesNotMatter) {
  auto model = ShippedModel();
  // A budget of errors that lets links through in a world as small as this.
  auto loose = std::make_shared<LinkModel>(*model);
  loose->false_per_million = 1000;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    std::mt19937_64 rng(seed);
    LinkWorld w = RandomWorld(rng, 400, 200);
    const LinkOutcome one = Link(w, *loose);
    std::shuffle(w.persons.begin(), w.persons.end(), rng);
    std::shuffle(w.seekers.begin(), w.seekers.end(), rng);
    const LinkOutcome two = Link(w, *loose);
    EXPECT_EQ(one.decided.matches, two.decided.matches);
    EXPECT_EQ(one.decided.clusters, two.decided.clusters);
    EXPECT_EQ(one.decided.review, two.decided.review);
    ASSERT_EQ(one.decided.judged.size(), two.decided.judged.size());
    for (size_t i = 0; i < one.decided.judged.size(); ++i) {
      EXPECT_EQ(one.pairs[one.decided.judged[i].pair].person,
                two.pairs[two.decided.judged[i].pair].person);
      EXPECT_EQ(one.decided.judged[i].odds, two.decided.judged[i].odds);
    }
  }
}

Profile Somebody(uint64_t key, const char* name, int ymd, uint32_t place, uint16_t phone) {
  Profile p;
  p.key = key;
  p.name = identity::FoldToCode(name).v;
  p.birth = Date::FromYmd(ymd / 10000, ymd / 100 % 100, ymd % 100);
  p.sex = identity::Sex::kFemale;
  p.places.Add(place);
  p.phones.Add(phone);
  return p;
}

// A thousand persons nobody looks for, and one or two that somebody does.
LinkWorld Crowd(std::initializer_list<Profile> persons, std::initializer_list<Profile> seekers) {
  std::mt19937_64 rng(3);
  LinkWorld w = RandomWorld(rng, 200000, 1);
  w.seekers.assign(seekers);
  for (Profile p : persons) {
    p.verified = p.by_number = true;
    w.persons.push_back(p);
  }
  return w;
}

TEST(DecideTest, PeopleDecideOverScores) {
  auto model = ShippedModel();
  const Profile person = Somebody(7, "司马相如", 19680406, 330102, 77);
  Profile seeker = person;
  seeker.key = kProvisionalBit | 1;
  const LinkWorld w = Crowd({person}, {seeker});
  ASSERT_EQ(Link(w, *model).decided.matches.size(), 1u);
  const Labels no(std::vector<Decision>{{seeker.key, 7, Judgement::kDifferent, "", "", ""}});
  const LinkOutcome apart = Link(w, *model, no);
  EXPECT_TRUE(apart.decided.matches.empty());
  ASSERT_EQ(apart.decided.judged.size(), 1u);
  EXPECT_EQ(apart.decided.judged[0].verdict, Verdict::kApart);
  const Labels withdrawn(std::vector<Decision>{{seeker.key, 7, Judgement::kDifferent, "", "", ""},
                                               {seeker.key, 7, Judgement::kWithdrawn, "", "", ""}});
  EXPECT_TRUE(withdrawn.empty());
  EXPECT_EQ(Link(w, *model, withdrawn).decided.matches.size(), 1u);

  Profile vague = seeker;
  vague.birth = Date::FromYmd(1951, 2, 3);
  vague.places = {};
  const LinkWorld doubtful = Crowd({person}, {vague});
  EXPECT_TRUE(Link(doubtful, *model).decided.matches.empty());
  const Labels yes(std::vector<Decision>{{vague.key, 7, Judgement::kSame, "", "", ""}});
  const LinkOutcome told = Link(doubtful, *model, yes);
  ASSERT_EQ(told.decided.matches.size(), 1u);
  EXPECT_EQ(told.statistics.labels, 1u);
}

TEST(DecideTest, AnotherSexOrABrotherIsForSomebodyToLookAt) {
  auto model = ShippedModel();
  const Profile person = Somebody(7, "司马相如", 19680406, 330102, 77);
  Profile seeker = person;
  seeker.key = kProvisionalBit | 1;
  seeker.sex = identity::Sex::kMale;
  LinkOutcome out = Link(Crowd({person}, {seeker}), *model);
  EXPECT_TRUE(out.decided.matches.empty());
  EXPECT_EQ(out.decided.review, 1u);
  seeker = person;
  seeker.key = kProvisionalBit | 1;
  seeker.name = identity::FoldToCode("司马相茹").v;
  out = Link(Crowd({person}, {seeker}), *model);
  EXPECT_TRUE(out.decided.matches.empty());
  EXPECT_EQ(out.decided.review, 1u);
}

TEST(DecideTest, RowsOfSomebodyUnknownComeTogether) {
  auto model = ShippedModel();
  Profile a = Somebody(kProvisionalBit | 1, "诸葛孔明", 19680406, 330102, 77);
  Profile b = a;
  b.key = kProvisionalBit | 2;
  Profile brother = a;
  brother.key = kProvisionalBit | 3;
  brother.name = identity::FoldToCode("诸葛孔鸣").v;
  Profile other = Somebody(kProvisionalBit | 4, "诸葛孔明", 19870909, 650102, 5);
  const LinkOutcome out = Link(Crowd({}, {a, b, brother, other}), *model);
  EXPECT_TRUE(out.decided.matches.empty());
  ASSERT_EQ(out.decided.clusters.size(), 1u);
  EXPECT_EQ(out.decided.clusters[0].seeker, b.key);
  EXPECT_EQ(out.decided.clusters[0].person, a.key);
  EXPECT_EQ(out.statistics.clusters.at(2), 1u);
}

// An employer's telephone for hundreds of its staff: nobody is lost, and not everybody is compared
// with everybody.
TEST(DecideTest, HotBlocksAreSplit) {
  std::vector<Profile> staff;
  for (uint64_t i = 0; i < 500; ++i) {
    Profile p = Somebody(kProvisionalBit | (i + 1), i % 2 == 0 ? "张晓明" : "张伟",
                         static_cast<int>(19600101 + i % 28 + i / 28 * 10000), 330102, 77);
    staff.push_back(p);
  }
  const Seekers seekers(staff);
  std::vector<BlockingKey> keys;
  std::vector<Seekers::Found> found;
  Profile person = staff[10];
  person.places = {};
  seekers.Find(person, &keys, &found);
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const Seekers::Found& f) {
    return seekers.all()[f.seeker].key == staff[10].key;
  }));
  EXPECT_LT(found.size(), 300u);
}

}  // namespace
}  // namespace canbao::comparison
