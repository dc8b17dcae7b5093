// The engine against a brute-force oracle that looks at every pair of a small invented world, and
// what must not change anything: the order of rows and files, threads, names of values.
#include "linkage/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "linkage/engine/similarity.h"
#include "linkage/errors.h"
#include "linkage/model/guess.h"

namespace canbao::linkage {
namespace {

struct Person {
  std::string first, last, born, town;
};
using World = std::vector<Person>;

std::string Damaged(std::string text, std::mt19937* rng) {
  if (text.empty()) return text;
  const size_t at = (*rng)() % text.size();
  switch ((*rng)() % 4) {
    case 0:
      return text.erase(at, 1);
    case 1:
      return text.insert(at, 1, static_cast<char>('a' + (*rng)() % 26));
    case 2:
      if (at + 1 < text.size()) std::swap(text[at], text[at + 1]);
      return text;
    default:
      return "";
  }
}

World MakeWorld(size_t rows, uint32_t seed) {
  const std::vector<std::string> firsts = {"anna", "boris", "clara", "dmitri", "emma", "farid"};
  const std::vector<std::string> lasts = {"abel",    "brandt", "costa",  "dietrich",
                                          "eriksen", "faber",  "garcia", "hansen"};
  const std::vector<std::string> towns = {"north", "south", "eastwick", "westbury"};
  std::mt19937 rng(seed);
  World out;
  while (out.size() < rows) {
    Person p{firsts[rng() % firsts.size()], lasts[rng() % lasts.size()],
             fmt::format("{}-{:02}-{:02}", 1950 + rng() % 12, 1 + rng() % 12, 1 + rng() % 28),
             towns[rng() % towns.size()]};
    for (size_t copies = 1 + rng() % 4; copies > 0 && out.size() < rows; --copies) {
      Person copy = p;
      if (rng() % 3 == 0) copy.first = Damaged(copy.first, &rng);
      if (rng() % 3 == 0) copy.last = Damaged(copy.last, &rng);
      if (rng() % 4 == 0) copy.born = Damaged(copy.born, &rng);
      if (rng() % 4 == 0) copy.town = Damaged(copy.town, &rng);
      if (rng() % 9 == 0) std::swap(copy.first, copy.last);
      out.push_back(copy);
    }
  }
  return out;
}

Table TableOf(const World& world) {
  std::string text = "nr,first,last,born,town\n";
  for (size_t i = 0; i < world.size(); ++i) {
    const Person& p = world[i];
    text += fmt::format("{},{},{},{},{}\n", i, p.first, p.last, p.born, p.town);
  }
  auto table = ParseTable(text, "world.csv");
  if (!table) ADD_FAILURE() << table.error().ToString();
  return std::move(*table);
}

const char* const kComparisons = R"TOML(
version = 1
[[comparison]]
name = "name"
missing = "all"
level = [
  { all = [{ exact = "first" }, { exact = "last" }], frequency = ["first", "last"] },
  { swapped = ["first", "last"] },
  { all = [{ jaro_winkler = "first", at_least = 0.85 }, { damerau_levenshtein = "last", at_most = 1 }], frequency = "last", frequency_percent = 50 },
  { all = [{ missing = "first" }, { missing = "last" }], says_nothing = true },
  { any = [{ exact = "first" }, { exact = ["first", "last"] }] },
  { else = true },
]
[[comparison]]
name = "born"
level = [{ exact = "born" }, { days = "born", at_most = 31 }, { levenshtein = "born", at_most = 2 }, { else = true }]
[[comparison]]
name = "town"
level = [{ exact = "town", frequency = "town" }, { jaro = "town", at_least = 0.8 }, { else = true }]
)TOML";

const char* const kRules = R"TOML(
[[blocking]]
on = ["first", "last"]
[[blocking]]
on = "born"
[[blocking]]
on = ["substr(last, 1, 2)", "town"]
[training]
frequencies = "rows"
)TOML";

std::u32string Points(const std::string& text) {
  std::u32string out;
  Decode(text, &out);
  return out;
}

// Levels as the model above says them, in its own words. 0: missing.
std::vector<size_t> OracleLevels(const Person& a, const Person& b) {
  auto both = [](const std::string& x, const std::string& y) { return !x.empty() && !y.empty(); };
  auto same = [&](const std::string& x, const std::string& y) { return both(x, y) && x == y; };
  const bool any_view = both(a.first, b.first) || both(a.last, b.last) || both(a.first, b.last) ||
                        both(a.last, b.first);
  size_t name = 0;
  if (any_view) {
    if (same(a.first, b.first) && same(a.last, b.last)) {
      name = 1;
    } else if (same(a.first, b.last) && same(a.last, b.first)) {
      name = 2;
    } else if (both(a.first, b.first) && both(a.last, b.last) &&
               JaroWinkler(Points(a.first), Points(b.first)) >= 0.85 &&
               DamerauLevenshtein(Points(a.last), Points(b.last)) <= 1) {
      name = 3;
    } else if (!both(a.first, b.first) && !both(a.last, b.last)) {
      name = 4;
    } else if (same(a.first, b.first) || same(a.first, b.last) || same(a.last, b.first)) {
      name = 5;
    } else {
      name = 6;
    }
  }
  size_t born = 0;
  if (both(a.born, b.born)) {
    const auto x = ParseDay(a.born);
    const auto y = ParseDay(b.born);
    born = a.born == b.born                                   ? 1
           : x && y && std::abs(x->number - y->number) <= 31  ? 2
           : Levenshtein(Points(a.born), Points(b.born)) <= 2 ? 3
                                                              : 4;
  }
  size_t town = 0;
  if (both(a.town, b.town)) {
    town = a.town == b.town ? 1 : Jaro(Points(a.town), Points(b.town)) >= 0.8 ? 2 : 3;
  }
  return {name, born, town};
}

// The rule that brings two together, or -1.
int OracleRule(const Person& a, const Person& b) {
  if (!a.first.empty() && !a.last.empty() && a.first == b.first && a.last == b.last) return 0;
  if (!a.born.empty() && a.born == b.born) return 1;
  if (!a.last.empty() && !a.town.empty() && !b.last.empty() && a.town == b.town &&
      a.last.substr(0, 2) == b.last.substr(0, 2)) {
    return 2;
  }
  return -1;
}

// What a value says more than an average one.
class OracleFrequency {
 public:
  OracleFrequency(const World& world, std::string Person::*field) : field_(field) {
    for (const Person& p : world) {
      if ((p.*field).empty()) continue;
      ++counts_[p.*field];
      ++all_;
    }
    uint64_t pairs = 1;
    for (const auto& [value, n] : counts_) pairs += n * (n - 1);
    expected_ = (pairs << 8) / (all_ - 1);
  }
  Bits Of(const Person& a, const Person& b) const {
    if ((a.*field_).empty() || (b.*field_).empty()) return 0;
    return std::min(One(a.*field_), One(b.*field_));
  }

 private:
  Bits One(const std::string& value) const { return Log2(expected_ + 256, counts_.at(value) << 8); }
  std::string Person::*field_;
  std::map<std::string, uint64_t> counts_;
  uint64_t all_ = 0;
  uint64_t expected_ = 0;
};

using Partition = std::set<std::set<size_t>>;

// Joins the two groups of a component with the largest mean until none reaches the threshold.
Partition OracleClusters(size_t n, const std::map<std::pair<size_t, size_t>, Bits>& candidates,
                         const std::function<Bits(size_t, size_t)>& score, Bits threshold,
                         Bits cap) {
  std::vector<size_t> component(n);
  for (size_t i = 0; i < n; ++i) component[i] = i;
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [pair, weight] : candidates) {
      size_t& x = component[pair.first];
      size_t& y = component[pair.second];
      if (weight < threshold || x == y) continue;
      x = y = std::min(x, y);
      changed = true;
    }
  }
  std::vector<std::set<size_t>> groups;
  for (size_t i = 0; i < n; ++i) groups.push_back({i});
  for (;;) {
    double best = -1e9;
    size_t first = 0;
    size_t second = 0;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t j = i + 1; j < groups.size(); ++j) {
        if (component[*groups[i].begin()] != component[*groups[j].begin()]) continue;
        double sum = 0;
        for (size_t x : groups[i]) {
          for (size_t y : groups[j]) sum += std::clamp(score(x, y), -cap, cap);
        }
        const double mean = sum / static_cast<double>(groups[i].size() * groups[j].size());
        if (mean <= best + 1e-9) continue;
        best = mean;
        first = i;
        second = j;
      }
    }
    if (best < threshold) break;
    groups[first].insert(groups[second].begin(), groups[second].end());
    groups.erase(groups.begin() + static_cast<int64_t>(second));
  }
  return {groups.begin(), groups.end()};
}

Model ModelOf(const std::string& text) {
  auto model = ParseModel(text, "model.toml");
  if (!model) ADD_FAILURE() << model.error().ToString();
  return std::move(*model);
}

LinkResult Linked(const Model& model, const std::vector<Table>& tables, int threads = 2,
                  Bits keep = INT32_MAX) {
  LinkOptions options;
  options.threads = threads;
  options.keep_above = keep;
  std::vector<std::string> paths;
  for (size_t i = 0; i < tables.size(); ++i) paths.push_back("t" + std::to_string(i) + ".csv");
  auto result = Link(model, tables, paths, options);
  if (!result) ADD_FAILURE() << result.error().ToString();
  return std::move(*result);
}

Partition PartitionOf(const LinkResult& r) {
  std::map<uint32_t, std::set<size_t>> groups;
  for (RowId row = 0; row < r.frame->rows; ++row) {
    groups[r.clusters.of_row[row]].insert(r.frame->origin[row]);
  }
  Partition out;
  for (const auto& [person, rows] : groups) out.insert(rows);
  return out;
}

// Pairs by the places of their rows in the input.
std::map<std::pair<size_t, size_t>, std::pair<int, Bits>> PairsOf(const LinkResult& r) {
  std::map<std::pair<size_t, size_t>, std::pair<int, Bits>> out;
  for (const ScoredPair& p : r.pairs) {
    const auto [a, b] = std::minmax({size_t{r.frame->origin[p.a]}, size_t{r.frame->origin[p.b]}});
    EXPECT_TRUE(out.emplace(std::pair{a, b}, std::pair{int{p.rule}, p.weight}).second);
  }
  return out;
}

constexpr Bits kKeepAll = -1000000;

TEST(LinkTest, SameAsBruteForce) {
  const Model model = ModelOf(std::string(kComparisons) + kRules);
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    const World world = MakeWorld(seed == 1 ? 400 : 120, seed);
    std::vector<Table> tables;
    tables.push_back(TableOf(world));
    const LinkResult r = Linked(model, tables, 2, kKeepAll);
    const auto weights = r.parameters.Weights(model);
    const OracleFrequency first(world, &Person::first);
    const OracleFrequency last(world, &Person::last);
    const OracleFrequency town(world, &Person::town);
    auto score = [&](size_t i, size_t j) {
      const auto levels = OracleLevels(world[i], world[j]);
      Bits sum = r.parameters.PriorBits();
      for (size_t c = 0; c < levels.size(); ++c) sum += weights[c][levels[c]];
      if (levels[0] == 1) sum += first.Of(world[i], world[j]) + last.Of(world[i], world[j]);
      if (levels[0] == 3) sum += last.Of(world[i], world[j]) * 50 / 100;
      if (levels[2] == 1) sum += town.Of(world[i], world[j]);
      return sum;
    };
    const auto pairs = PairsOf(r);
    std::map<std::pair<size_t, size_t>, Bits> candidates;
    for (size_t i = 0; i < world.size(); ++i) {
      for (size_t j = i + 1; j < world.size(); ++j) {
        const int rule = OracleRule(world[i], world[j]);
        const auto it = pairs.find({i, j});
        ASSERT_EQ(it != pairs.end(), rule >= 0) << i << " " << j;
        if (rule < 0) continue;
        ASSERT_EQ(it->second.first, rule) << i << " " << j;
        ASSERT_EQ(it->second.second, score(i, j)) << i << " " << j;
        candidates[{i, j}] = score(i, j);
      }
    }
    EXPECT_EQ(r.compared, candidates.size());
    if (seed == 1) continue;  // the oracle of groups is slow
    EXPECT_EQ(PartitionOf(r), OracleClusters(world.size(), candidates, score,
                                             model.decision.threshold, model.decision.cap));
  }
}

// With a threshold nothing changes but what is kept: a pair that is left early is below it.
TEST(LinkTest, LeavingEarlyLosesNothing) {
  const World world = MakeWorld(300, 9);
  const Model model = ModelOf(std::string(kComparisons) + kRules);
  std::vector<Table> tables;
  tables.push_back(TableOf(world));
  auto all = PairsOf(Linked(model, tables, 1, kKeepAll));
  std::erase_if(all, [](const auto& p) { return p.second.second < 0; });
  EXPECT_EQ(PairsOf(Linked(model, tables, 1)), all);
}

TEST(LinkTest, OrderAndThreadsChangeNothing) {
  const std::string every =
      std::string(kComparisons) + "[[blocking]]\non = []\n[training]\nrandom_pairs = 2000\n";
  for (const std::string& text : {std::string(kComparisons) + kRules, every}) {
    const Model model = ModelOf(text);
    World world = MakeWorld(300, 4);
    std::vector<Table> tables;
    tables.push_back(TableOf(world));
    const LinkResult once = Linked(model, tables, 1);
    EXPECT_EQ(PartitionOf(Linked(model, tables, 3)), PartitionOf(once));

    std::vector<size_t> to(world.size());
    for (size_t i = 0; i < to.size(); ++i) to[i] = i;
    std::shuffle(to.begin(), to.end(), std::mt19937(8));
    World shuffled(world.size());
    for (size_t i = 0; i < to.size(); ++i) shuffled[to[i]] = world[i];
    tables.clear();
    tables.push_back(TableOf(shuffled));
    const LinkResult again = Linked(model, tables, 2);
    EXPECT_EQ(again.parameters.m, once.parameters.m);
    EXPECT_EQ(again.parameters.u, once.parameters.u);
    Partition wanted;
    for (const auto& group : PartitionOf(once)) {
      std::set<size_t> moved;
      for (size_t i : group) moved.insert(to[i]);
      wanted.insert(moved);
    }
    // Rows that say the same may stand for each other: what groups say is compared.
    auto says = [](const Partition& p, const World& w) {
      std::multiset<std::multiset<std::string>> out;
      for (const auto& group : p) {
        std::multiset<std::string> texts;
        for (size_t i : group) {
          texts.insert(w[i].first + "|" + w[i].last + "|" + w[i].born + "|" + w[i].town);
        }
        out.insert(texts);
      }
      return out;
    };
    EXPECT_EQ(says(PartitionOf(again), shuffled), says(wanted, shuffled));
  }
}

TEST(LinkTest, FilesInTurnedRolesGiveTheSamePairs) {
  const Model model =
      ModelOf("mode = \"link_only\"\none_per_file = true\n" + std::string(kComparisons) + kRules);
  const World world = MakeWorld(240, 5);
  const World left(world.begin(), world.begin() + 100);
  const World right(world.begin() + 100, world.end());
  std::vector<Table> tables;
  tables.push_back(TableOf(left));
  tables.push_back(TableOf(right));
  const LinkResult one = Linked(model, tables, 2, kKeepAll);
  std::swap(tables[0], tables[1]);
  const LinkResult other = Linked(model, tables, 2, kKeepAll);
  std::map<std::pair<size_t, size_t>, std::pair<int, Bits>> turned;
  for (const auto& [pair, what] : PairsOf(other)) {
    auto back = [](size_t i) { return i < 140 ? i + 100 : i - 140; };
    turned[std::minmax(back(pair.first), back(pair.second))] = what;
  }
  EXPECT_EQ(turned, PairsOf(one));
  for (const auto& [pair, what] : turned) EXPECT_TRUE(pair.first < 100 && pair.second >= 100);
  for (const auto& group : PartitionOf(one)) {
    EXPECT_LE(std::count_if(group.begin(), group.end(), [](size_t i) { return i < 100; }), 1);
    EXPECT_LE(std::count_if(group.begin(), group.end(), [](size_t i) { return i >= 100; }), 1);
  }
}

// A value that is not there says nothing: neither for nor against.
TEST(LinkTest, MissingValuesSayNothing) {
  const Model model = ModelOf(std::string(kComparisons) + kRules);
  World world = MakeWorld(200, 6);
  world.push_back({"anna", "abel", "1950-01-01", "north"});
  world.push_back({"anna", "abel", "1950-01-01", ""});
  world.push_back({"anna", "abel", "", ""});
  std::vector<Table> tables;
  tables.push_back(TableOf(world));
  const LinkResult r = Linked(model, tables, 2, kKeepAll);
  Comparer::Scratch scratch(*r.comparer);
  std::map<size_t, RowId> at;
  for (RowId row = 0; row < r.frame->rows; ++row) at[r.frame->origin[row]] = row;
  auto score = [&](size_t i, size_t j) {
    return r.comparer->Score(at[i], at[j], INT32_MIN, &scratch);
  };
  const auto weights = r.parameters.Weights(model);
  EXPECT_EQ(score(200, 201) - score(200, 202), weights[1][1]);
  EXPECT_EQ(score(200, 202), score(201, 202));
}

TEST(LinkTest, HotBlocksAreSplitAndNothingIsDropped) {
  World world;
  for (size_t i = 0; i < 300; ++i) {
    world.push_back({i % 3 == 0   ? "anna"
                     : i % 3 == 1 ? "boris"
                                  : "",
                     "abel", fmt::format("19{:02}-01-01", i % 50), "north"});
  }
  const std::string comparisons = kComparisons;
  const Model whole = ModelOf(comparisons + "[[blocking]]\non = \"last\"\n");
  const Model split = ModelOf(
      comparisons + "[[blocking]]\non = \"last\"\nsplit = [\"first\", \"born\"]\nhot = 50\n");
  const Model rest =
      ModelOf(comparisons +
              "[[blocking]]\non = \"last\"\nsplit = [\"first\", \"born\"]\nhot = 50\n"
              "[[blocking]]\non = \"last\"\n");
  std::vector<Table> tables;
  tables.push_back(TableOf(world));
  const uint64_t all = Linked(whole, tables).compared;
  EXPECT_EQ(all, 300u * 299 / 2);
  const LinkResult some = Linked(split, tables);
  // Three groups by first name (one of them without), each again by birth date: two rows of each.
  EXPECT_EQ(some.compared, 3u * 50);
  EXPECT_EQ(some.rules[0].hot, 4u);
  // A later rule takes the pairs that the split left, once each.
  const LinkResult both = Linked(rest, tables);
  EXPECT_EQ(both.compared, all);
  EXPECT_EQ(both.rules[1].pairs, all - 3 * 50);
}

TEST(LinkTest, ARuleOfTooManyPairsIsLeftOut) {
  const Model model = ModelOf(std::string(kComparisons) +
                              "[[blocking]]\non = \"born\"\n[[blocking]]\non = []\nup_to = 100\n");
  std::vector<Table> tables;
  tables.push_back(TableOf(MakeWorld(100, 2)));
  const LinkResult r = Linked(model, tables);
  EXPECT_TRUE(r.rules[1].left_out);
  EXPECT_EQ(r.rules[1].agree, 100u * 99 / 2);
  EXPECT_EQ(r.compared, r.rules[0].pairs);
}

TEST(LinkTest, EstimatesWhatTheWorldIsLike) {
  const Model model = ModelOf(std::string(kComparisons) + "[[blocking]]\non = []\n");
  const World world = MakeWorld(600, 3);
  std::vector<Table> tables;
  tables.push_back(TableOf(world));
  const LinkResult r = Linked(model, tables);
  // Every second or third row of a town's name is as it was; by chance one in four agrees.
  EXPECT_NEAR(r.parameters.u[2][1], 0.2, 0.06);
  EXPECT_GT(r.parameters.m[2][1], 0.6);
  EXPECT_LT(r.parameters.u[1][1], 0.002);
  // A person has 2.5 rows: about 1.25 pairs a row.
  EXPECT_NEAR(r.parameters.prior * static_cast<double>(r.all_pairs), 600, 350);
}

TEST(LinkTest, FilesMustHaveTheColumns) {
  const Model model = ModelOf(std::string(kComparisons) + kRules);
  std::vector<Table> tables;
  tables.push_back(std::move(*ParseTable("first,last,born\na,b,c\n", "x")));
  auto result = Link(model, tables, {"x.csv"}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, kErrTableColumn);
  EXPECT_EQ(result.error().file, "x.csv");
}

TEST(ClusterTest, EachWayOfJoining) {
  // A chain: 0-1 and 1-2 are sure, 0-2 speaks against.
  const Model average = ModelOf(std::string(kComparisons) + kRules);
  Model complete = average;
  complete.decision.clustering = Clustering::kComplete;
  Model components = average;
  components.decision.clustering = Clustering::kComponents;
  Frame frame;
  frame.rows = 4;
  frame.file = {0, 0, 1, 1};
  TaskPool pool(1);
  auto clusters = [&](const Model& model, Bits against) {
    auto score = [against](int, RowId a, RowId b) {
      return a + b == 2 && a != b ? against : a + b == 1 ? 600 : a + b == 3 && a != 0 ? 500 : -900;
    };
    auto out = MakeClusters(frame, model, {{0, 1, 600, 0}, {1, 2, 500, 0}}, score, &pool);
    return out ? out->of_row : std::vector<uint32_t>();
  };
  EXPECT_EQ(clusters(average, -400), (std::vector<uint32_t>{0, 0, 0, 1}));
  EXPECT_EQ(clusters(average, -600), (std::vector<uint32_t>{0, 0, 1, 2}));
  EXPECT_EQ(clusters(complete, -1), (std::vector<uint32_t>{0, 0, 1, 2}));
  EXPECT_EQ(clusters(components, -2000), (std::vector<uint32_t>{0, 0, 0, 1}));
  // One row of a file at most: 0 and 1 cannot be joined, however sure.
  Model one = average;
  one.one_per_file = true;
  EXPECT_EQ(clusters(one, -400), (std::vector<uint32_t>{0, 1, 1, 2}));
  one.decision.clustering = Clustering::kComponents;
  EXPECT_EQ(clusters(one, -400), (std::vector<uint32_t>{0, 1, 1, 2}));
}

TEST(ClusterTest, LargeComponentsFallApartFirst) {
  Model model = ModelOf(std::string(kComparisons) + kRules);
  model.decision.largest = 10;
  Frame frame;
  frame.rows = 40;
  frame.file.assign(40, 0);
  // Four persons of ten rows; weak pairs between them.
  std::vector<ScoredPair> pairs;
  auto score = [](int, RowId a, RowId b) { return a / 10 == b / 10 ? 900 : 50; };
  for (RowId a = 0; a < 40; ++a) {
    for (RowId b = a + 1; b < 40; ++b) pairs.push_back({a, b, score(0, a, b), 0});
  }
  TaskPool pool(2);
  auto out = MakeClusters(frame, model, pairs, score, &pool);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->count, 4u);
  EXPECT_EQ(out->largest_component, 40u);
  EXPECT_EQ(out->cut, 1u);
  // Where all are equally sure they stay together.
  model.decision.largest = 5;
  out = MakeClusters(frame, model, pairs, score, &pool);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->count, 4u);
}

TEST(GuessTest, FindsRolesByHeaderAndContent) {
  std::string text = "id,First Name,surname,dob,e-mail,phone,cluster,note\n";
  for (int i = 0; i < 40; ++i) {
    text += fmt::format("{},anna{},abel{},1950-01-{:02},a{}@b.org,+1 555 01{:02},{},\n", i, i % 7,
                        i % 9, 1 + i % 28, i, i, i / 2);
  }
  std::vector<Table> tables;
  tables.push_back(std::move(*ParseTable(text, "x")));
  auto guess = GuessModel(tables, {});
  ASSERT_TRUE(guess) << guess.error().ToString();
  const Model model = ModelOf(*guess);
  EXPECT_EQ(model.id, "id");
  EXPECT_EQ(model.Inputs(),
            (std::vector<std::string>{"First Name", "dob", "e-mail", "phone", "surname"}));
  std::set<std::string> names;
  for (const Comparison& c : model.comparisons) names.insert(c.name);
  EXPECT_EQ(names, (std::set<std::string>{"name", "dob", "e-mail", "phone"}));
  GuessOptions options;
  options.ignored = {"phone"};
  options.link_only = true;
  const Model other = ModelOf(*GuessModel(tables, options));
  EXPECT_EQ(other.comparisons.size(), 3u);
  EXPECT_TRUE(other.link_only && other.one_per_file);
  // The labels take no part: without them the model is the same.
  tables.clear();
  tables.push_back(std::move(*ParseTable("cluster,id\n1,2\n", "x")));
  auto nothing = GuessModel(tables, {});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, kErrNoRoles);
}

TEST(GuessTest, ChineseNamesAreComparedAsSuch) {
  std::string text = "姓名,出生日期,住址\n";
  for (const char* name : {"张晓明", "张晓鸣", "李芳", "欧阳震华", "王伟", "赵敏"}) {
    text += fmt::format("{},1970-01-01,幸福路一号\n{},1971-02-03,解放路二号\n", name, name);
  }
  std::vector<Table> tables;
  tables.push_back(std::move(*ParseTable(text, "x")));
  auto guess = GuessModel(tables, {});
  ASSERT_TRUE(guess) << guess.error().ToString();
  const Model model = ModelOf(*guess);
  bool seen = false;
  for (const Level& level : model.comparisons[0].levels)
    seen |= level.when.test == linkage::Test::kName;
  EXPECT_TRUE(seen);
  const LinkResult r = Linked(model, tables);
  Comparer::Scratch scratch(*r.comparer);
  // 张晓明 and 张晓鸣 sound the same.
  std::map<size_t, RowId> at;
  for (RowId row = 0; row < r.frame->rows; ++row) at[r.frame->origin[row]] = row;
  EXPECT_EQ(LevelOf(r.comparer->Levels(at[0], at[2], &scratch), 0), 2u);
  EXPECT_EQ(LevelOf(r.comparer->Levels(at[0], at[4], &scratch), 0), 3u);
}

}  // namespace
}  // namespace canbao::linkage
