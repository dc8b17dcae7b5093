// The engine against a brute-force reading of rules.md §3 on thousands of small random worlds:
// every row with every row, every damaged number with every person. Worlds are dense: few names,
// few birth dates, neighbouring numbers, so that conflicts, ties, repairs and ambiguous repairs are
// common. Partitions, buffers and threads vary from world to world; the answer may not.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "base/file.h"
#include "comparison/link/stage.h"
#include "comparison/outcome_stage.h"
#include "comparison/partition_stage.h"

namespace canbao::comparison {
namespace {

using extract::ExtractSpec;
using extract::Kind;
using identity::NameAgreement;
using identity::NumberClass;
using identity::PersonNumber;
using identity::Sex;

const Date kToday = Date::FromYmd(2017, 10, 8);

struct WorldRow {
  size_t extract;
  uint32_t line;
  std::string number;
  std::string name;
  Sex sex;
  Date birth;
  std::string person_no;  // of the schemes' common system
};

struct World {
  std::vector<ExtractSpec> extracts;  // in canonical order
  std::vector<WorldRow> rows;         // in internal order
};

struct Answer {
  Outcome outcome = Outcome::kNone;
  int person = -1;  // index of the row that made the person; -1 = nobody
};

std::string MakeNumber(const std::string& body17) {
  return body17 + identity::CheckDigitOf(std::stoull(body17));
}

World RandomWorld(std::mt19937* rng) {
  auto pick = [rng](int n) { return static_cast<int>((*rng)() % static_cast<unsigned>(n)); };
  static const char* kNames[] = {"张伟", "张玮", "李小明",   "李晓明",
                                 "李明", "王芳", "欧阳震华", "阿依古丽·买买提"};
  static const char* kBirths[] = {"19800101", "19800110", "19800102", "19900305"};
  static const Kind kKinds[] = {Kind::kHouseholdRegister, Kind::kEnrolment, Kind::kEnrolment,
                                Kind::kStudent, Kind::kWageTax};
  World w;
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    ExtractSpec e;
    e.file = "f" + std::to_string(i) + ".csv";
    e.kind = kKinds[i];
    e.source = kKinds[i] == Kind::kEnrolment ? "sb" : "s" + std::to_string(i);
    w.extracts.push_back(e);
  }
  // A few people with close numbers.
  struct P {
    std::string number, name;
    Sex sex;
    Date birth;
    std::string person_no;
  };
  std::vector<P> people;
  int n = 2 + pick(6);
  for (int i = 0; i < n; ++i) {
    std::string birth = kBirths[pick(4)];
    int seq = 11 + pick(4);
    P p;
    p.number = MakeNumber("330102" + birth + "0" + std::to_string(seq));
    p.name = kNames[pick(8)];
    p.sex = seq % 2 ? Sex::kMale : Sex::kFemale;
    p.birth = ParseIsoDate(birth);
    p.person_no = "00" + std::to_string(pick(n));  // some are given twice
    people.push_back(p);
  }
  for (size_t e = 0; e < w.extracts.size(); ++e) {
    uint32_t line = 2;
    int rows = pick(5);
    for (int i = 0; i < rows; ++i, line += 1 + static_cast<uint32_t>(pick(3))) {
      const P& p = people[static_cast<size_t>(pick(n))];
      WorldRow r{e, line, p.number, p.name, p.sex, p.birth, {}};
      if (w.extracts[e].kind == Kind::kEnrolment && pick(3) > 0) r.person_no = p.person_no;
      switch (pick(12)) {
        case 0:
          r.number[static_cast<size_t>(pick(18))] = static_cast<char>('0' + pick(10));
          break;
        case 1: {
          size_t at = static_cast<size_t>(pick(16));
          std::swap(r.number[at], r.number[at + 1]);
          break;
        }
        case 2:
          r.number.erase(static_cast<size_t>(pick(18)), 1);
          break;
        case 3:
          r.number.insert(static_cast<size_t>(pick(18)), 1, static_cast<char>('0' + pick(10)));
          break;
        case 4:
          r.number = r.number.substr(0, 6) + r.number.substr(8, 9);
          break;
        case 5:
          r.number = people[static_cast<size_t>(pick(n))].number;
          break;
        case 6:
        case 8:
          r.number.clear();
          break;
        case 7:
          r.name = kNames[pick(8)];
          break;
        default:
          break;
      }
      if (pick(4) == 0) r.sex = Sex::kUnknown;
      if (pick(4) == 0) r.birth = Date{};
      if (pick(10) == 0) r.birth = ParseIsoDate(kBirths[pick(4)]);
      if (w.extracts[e].kind == Kind::kStudent || w.extracts[e].kind == Kind::kWageTax) {
        r.sex = Sex::kUnknown;
        r.birth = Date{};
      }
      w.rows.push_back(r);
    }
  }
  return w;
}

// ---- The oracle. Nothing of the engine but names, numbers and their parsing is used here. ----

NameAgreement NamesAgree(const std::string& a, const std::string& b) {
  identity::FoldedName fa;
  identity::FoldedName fb;
  identity::FoldName(a, &fa);
  identity::FoldName(b, &fb);
  return identity::CompareNames(fa, fb);
}

bool SamePerson(const WorldRow& a, const WorldRow& b) {
  if (NamesAgree(a.name, b.name) != NameAgreement::kUnlike) return true;
  bool sex_denies = a.sex != Sex::kUnknown && b.sex != Sex::kUnknown && a.sex != b.sex;
  return a.birth.has_value() && a.birth == b.birth && !sex_denies;
}

bool OneRepairAway(const std::string& damaged, const std::string& number) {
  size_t n = damaged.size();
  if (n == 18) {
    int differ = 0;
    for (size_t i = 0; i < 18; ++i) differ += damaged[i] != number[i];
    if (differ == 1) return true;
    for (size_t i = 0; i + 1 < 18; ++i) {
      std::string swapped = damaged;
      std::swap(swapped[i], swapped[i + 1]);
      if (swapped == number) return true;
    }
    if (damaged.substr(15) == "000" && damaged.substr(0, 15) == number.substr(0, 15)) return true;
  }
  if (n == 17) {
    for (size_t i = 0; i < 18; ++i) {
      if (number.substr(0, i) + number.substr(i + 1) == damaged) return true;
    }
  }
  if (n == 19) {
    for (size_t i = 0; i < 19; ++i) {
      if (damaged.substr(0, i) + damaged.substr(i + 1) == number) return true;
    }
  }
  return n >= 15 && n < 18 && number.substr(0, n) == damaged;
}

bool Makes(const World& w, const WorldRow& r) {
  Kind k = w.extracts[r.extract].kind;
  return k == Kind::kEnrolment || k == Kind::kWageTax;
}

std::vector<Answer> Oracle(const World& w) {
  size_t n = w.rows.size();
  std::vector<Answer> answer(n);
  std::vector<identity::ParsedNumber> parsed(n);
  for (size_t i = 0; i < n; ++i) parsed[i] = identity::ParseNumber(w.rows[i].number, "", kToday);
  auto is_register = [&](size_t i) {
    return w.extracts[w.rows[i].extract].kind == Kind::kHouseholdRegister;
  };
  struct Person {
    size_t maker, reference;
    Date birth;
    Sex sex;
    PersonNumber number;
    std::vector<size_t> own;
  };
  std::vector<Person> confirmed;
  std::set<uint64_t> numbers;
  for (const auto& p : parsed) {
    if (p.number.has_value()) numbers.insert(p.number.v);
  }
  for (uint64_t number : numbers) {
    std::vector<size_t> g;
    for (size_t i = 0; i < n; ++i) {
      if (parsed[i].number.v == number) g.push_back(i);
    }
    std::vector<size_t> reg;
    for (size_t i : g) {
      if (is_register(i)) reg.push_back(i);
    }
    std::vector<size_t> own;
    size_t reference;
    size_t maker;
    bool is_confirmed = false;
    if (!reg.empty()) {
      bool two = false;
      for (size_t i : reg) two |= !SamePerson(w.rows[reg[0]], w.rows[i]);
      if (two) {
        for (size_t i : g) answer[i].outcome = Outcome::kConflict;
        continue;
      }
      reference = maker = reg[0];
      is_confirmed = true;
      for (size_t i : g) {
        if (is_register(i) || SamePerson(w.rows[reference], w.rows[i])) own.push_back(i);
      }
    } else {
      // Components of the agreement graph by flooding.
      std::vector<std::vector<size_t>> components;
      std::set<size_t> left(g.begin(), g.end());
      while (!left.empty()) {
        std::vector<size_t> c = {*left.begin()};
        left.erase(left.begin());
        for (size_t at = 0; at < c.size(); ++at) {
          for (auto it = left.begin(); it != left.end();) {
            if (SamePerson(w.rows[c[at]], w.rows[*it])) {
              c.push_back(*it);
              it = left.erase(it);
            } else {
              ++it;
            }
          }
        }
        std::sort(c.begin(), c.end());
        components.push_back(c);
      }
      size_t largest = 0;
      for (const auto& c : components) largest = std::max(largest, c.size());
      std::vector<std::vector<size_t>> winners;
      for (const auto& c : components) {
        if (c.size() == largest) winners.push_back(c);
      }
      if (winners.size() > 1) {
        for (size_t i : g) answer[i].outcome = Outcome::kConflict;
        continue;
      }
      own = winners[0];
      auto first =
          std::find_if(own.begin(), own.end(), [&](size_t i) { return Makes(w, w.rows[i]); });
      if (first == own.end()) {
        for (size_t i : g) answer[i].outcome = Outcome::kConflict;
        for (size_t i : own) answer[i].outcome = Outcome::kUnlinked;
        continue;
      }
      maker = *first;
      for (size_t i : own) {
        Date in_number = identity::BirthDateOf(PersonNumber{number});
        is_confirmed |=
            Makes(w, w.rows[i]) && (!w.rows[i].birth.has_value() || w.rows[i].birth == in_number);
      }
      std::map<uint64_t, std::set<size_t>> by_name;
      for (size_t i : own)
        by_name[identity::FoldToCode(w.rows[i].name).v].insert(w.rows[i].extract);
      reference = own[0];
      for (size_t i : own) {
        if (by_name[identity::FoldToCode(w.rows[i].name).v].size() >
            by_name[identity::FoldToCode(w.rows[reference].name).v].size()) {
          reference = i;
        }
      }
    }
    for (size_t i : g) answer[i].outcome = Outcome::kConflict;
    for (size_t i : own) {
      answer[i].person = static_cast<int>(maker);
      bool same = NamesAgree(w.rows[reference].name, w.rows[i].name) == NameAgreement::kExact;
      Outcome o = same ? Outcome::kExact : Outcome::kNameVariant;
      if (parsed[i].cls == NumberClass::kUpgraded15) o = Outcome::kRepaired;
      if (is_register(i)) o = Outcome::kBaseline;
      if (i == maker && reg.empty()) o = Outcome::kUnlinked;
      answer[i].outcome = o;
    }
    if (!is_confirmed) continue;
    Person p{maker, reference, w.rows[reference].birth, w.rows[reference].sex, PersonNumber{number},
             own};
    if (reg.empty()) {
      std::map<uint16_t, int> births;
      int males = 0;
      int females = 0;
      for (size_t i : own) {
        if (w.rows[i].birth.has_value()) ++births[w.rows[i].birth.v];
        males += w.rows[i].sex == Sex::kMale;
        females += w.rows[i].sex == Sex::kFemale;
      }
      p.birth = Date{};
      int best = 0;
      for (size_t i : own) {
        if (!w.rows[i].birth.has_value()) continue;
        int votes = births[w.rows[i].birth.v];
        if (votes > best || (votes == best && w.rows[i].birth == identity::BirthDateOf(p.number))) {
          best = votes;
          p.birth = w.rows[i].birth;
        }
      }
      p.sex = males == females ? identity::SexOf(p.number)
                               : (males > females ? Sex::kMale : Sex::kFemale);
    }
    if (!p.birth.has_value()) p.birth = identity::BirthDateOf(p.number);
    if (p.sex == Sex::kUnknown) p.sex = identity::SexOf(p.number);
    confirmed.push_back(p);
  }
  for (size_t i = 0; i < n; ++i) {
    if (parsed[i].number.has_value()) continue;
    const WorldRow& r = w.rows[i];
    if (is_register(i)) {
      answer[i] = {Outcome::kBaseline, static_cast<int>(i)};
      continue;
    }
    std::vector<const Person*> repaired;
    std::vector<const Person*> named;
    for (const Person& p : confirmed) {
      const WorldRow& reference = w.rows[p.reference];
      if (NamesAgree(r.name, reference.name) == NameAgreement::kUnlike) continue;
      if (r.birth.has_value() && p.birth.has_value() && r.birth != p.birth) continue;
      if (r.sex != Sex::kUnknown && p.sex != Sex::kUnknown && r.sex != p.sex) continue;
      if (parsed[i].cls == NumberClass::kDamaged &&
          OneRepairAway(parsed[i].text, identity::ToText(p.number))) {
        repaired.push_back(&p);
      }
      bool holds = std::any_of(p.own.begin(), p.own.end(), [&](size_t o) {
        return !r.person_no.empty() && w.rows[o].person_no == r.person_no;
      });
      if (holds) named.push_back(&p);
    }
    if (repaired.size() == 1) {
      answer[i] = {Outcome::kRepaired, static_cast<int>(repaired[0]->maker)};
      continue;
    }
    if (named.size() == 1) {
      answer[i] = {Outcome::kProbable, static_cast<int>(named[0]->maker)};
      continue;
    }
    answer[i].outcome = Outcome::kUnlinked;
    if (!Makes(w, r)) continue;
    // One provisional person for rows of one system with one personal number, name and birth date.
    answer[i].person = static_cast<int>(i);
    for (size_t o = 0; o < i && !r.person_no.empty(); ++o) {
      if (answer[o].outcome == Outcome::kUnlinked && !parsed[o].number.has_value() &&
          w.rows[o].person_no == r.person_no && w.rows[o].birth == r.birth &&
          identity::FoldToCode(w.rows[o].name).v == identity::FoldToCode(r.name).v) {
        answer[i].person = answer[o].person;
        break;
      }
    }
  }
  return answer;
}

// ---- The engine on the same world. ----

class Engine {
 public:
  explicit Engine(const std::string& folder) : folder_(folder) {
    auto rules = scheme::LoadRules(CANBAO_SOURCE_DIR "/data", 330000, Date::FromYmd(2017, 9, 30));
    if (!rules) ADD_FAILURE() << rules.error().ToString();
    rules_ = std::move(*rules);
  }

  std::map<std::pair<size_t, uint32_t>, std::pair<uint64_t, Outcome>> Run(
      const World& w, uint32_t partitions, int threads, uint64_t memory, std::mt19937* rng) {
    RunKey key{};
    key[3] = 7;
    auto make = [&](const char* name, uint32_t parts) {
      auto s = Spill::Create(folder_ + "/" + name, parts, threads, memory, key);
      EXPECT_TRUE(s.has_value());
      return std::move(*s);
    };
    auto keyed = make("keyed", partitions);
    auto unkeyed = make("unkeyed", partitions);
    auto rejects = make("rejects", kRejectPartitions);
    auto joined = make("joined", partitions);
    EmployerTable employers;
    DeltaIndex deltas(w.extracts);
    PartitionStage stage(w.extracts, employers, deltas, keyed.get(), unkeyed.get(), rejects.get(),
                         {threads, false, kToday});
    // Blocks in any order, by any worker.
    std::vector<size_t> order(w.rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), *rng);
    for (size_t i : order) {
      const WorldRow& r = w.rows[i];
      extract::Row row;
      row.line = r.line;
      row.id_number = r.number;
      row.number = identity::ParseNumber(r.number, "", kToday);
      row.name = r.name;
      row.name_code = identity::FoldToCode(r.name);
      row.sex = r.sex;
      row.birth = r.birth;
      row.person_no = r.person_no;
      row.scheme = 310;
      row.state = scheme::State::kContributing;
      row.region = 330100;
      extract::RowBatch batch;
      batch.extract = static_cast<uint32_t>(r.extract);
      batch.rows = {&row, 1};
      EXPECT_TRUE(
          stage.OnBatch(static_cast<int>((*rng)() % static_cast<unsigned>(threads)), batch));
    }
    bool persist = (*rng)() % 2 == 0;
    EXPECT_TRUE(keyed->Seal(persist));
    EXPECT_TRUE(unkeyed->Seal(persist));
    EXPECT_TRUE(rejects->Seal(persist));
    std::vector<uint16_t> canonical;
    std::vector<uint32_t> base;
    for (size_t e = 0; e < w.extracts.size(); ++e) {
      canonical.push_back(static_cast<uint16_t>(e));
      base.push_back(static_cast<uint32_t>(e));
    }
    PersonNumbering numbering(stage.MaxLines(), 0);
    auto counts = RunLinkStage(
        {keyed.get(), unkeyed.get(), joined.get(), &canonical, &w.extracts, key, threads, nullptr},
        &numbering);
    EXPECT_TRUE(counts.has_value());
    auto links = make("links", static_cast<uint32_t>(w.extracts.size()));
    OutcomeInputs in;
    in.keyed = keyed.get();
    in.joined = joined.get();
    in.links = links.get();
    in.link_base = &base;
    in.canonical = &canonical;
    in.extracts = &w.extracts;
    in.numbering = &numbering;
    in.rules = rules_.get();
    in.cutoff = Date::FromYmd(2017, 9, 30);
    in.key = key;
    in.threads = threads;
    in.cancel = nullptr;
    auto outcome = RunOutcomeStage(in);
    EXPECT_TRUE(outcome.has_value());
    // Figures alone take shorter ways (no person keys, plain groups); they must say the same.
    auto again = make("again", partitions);
    LinkInputs figures_only{keyed.get(), unkeyed.get(), again.get(), &canonical,
                            &w.extracts, key,           threads,     nullptr};
    figures_only.number_persons = false;
    EXPECT_TRUE(RunLinkStage(figures_only, &numbering).has_value());
    OutcomeInputs short_way = in;
    short_way.joined = again.get();
    short_way.links = nullptr;
    short_way.numbering = nullptr;
    auto figures = RunOutcomeStage(short_way);
    EXPECT_TRUE(figures.has_value());
    EXPECT_EQ(figures->figures, outcome->figures);
    EXPECT_EQ(figures->outcomes, outcome->outcomes);
    EXPECT_EQ(figures->persons, outcome->persons);
    EXPECT_EQ(figures->new_persons, outcome->new_persons);
    EXPECT_TRUE(links->Seal(false));
    std::map<std::pair<size_t, uint32_t>, std::pair<uint64_t, Outcome>> found;
    StreamCipher cipher(key);
    std::vector<char> buffer;
    for (uint32_t p = 0; p < links->partitions(); ++p) {
      EXPECT_TRUE(links->ReadPartition(p, &cipher, &buffer));
      for (size_t at = 0; at + 15 <= buffer.size(); at += 15) {
        uint16_t extract;
        uint32_t line;
        uint64_t person;
        std::memcpy(&extract, buffer.data() + at, 2);
        std::memcpy(&line, buffer.data() + at + 2, 4);
        std::memcpy(&person, buffer.data() + at + 6, 8);
        found[{extract, line}] = {person, static_cast<Outcome>(buffer[at + 14])};
      }
    }
    return found;
  }

 private:
  std::string folder_;
  scheme::RulesPtr rules_;
};

TEST(Oracle, RandomWorlds) {
  // In memory where the machine has it: a world makes six files and syncs each.
  std::string root = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : ::testing::TempDir();
  std::string folder = root + "/canbao-oracle-" + std::to_string(::getpid());
  ASSERT_TRUE(MakeFolders(folder));
  Engine engine(folder);
  const char* env = std::getenv("CANBAO_ORACLE_WORLDS");
  int worlds = env != nullptr ? std::atoi(env) : 1500;
  std::map<Outcome, int> seen;
  for (int seed = 1; seed <= worlds; ++seed) {
    std::mt19937 rng(static_cast<unsigned>(seed));
    World w = RandomWorld(&rng);
    std::vector<Answer> expected = Oracle(w);
    uint32_t partitions = seed % 3 == 0 ? 256 : 16;
    int threads = 1 + seed % 3;
    uint64_t memory = seed % 2 ? 1 : 1 << 20;  // one byte: every buffer spills at its minimum
    auto got = engine.Run(w, partitions, threads, memory, &rng);
    // Keys are given in the order in which makers are seen.
    std::map<int, uint64_t> key_of;
    uint64_t last = 0;
    std::set<int> makers;
    for (const Answer& a : expected) {
      if (a.person >= 0) makers.insert(a.person);
    }
    for (int m : makers) key_of[m] = ++last;
    for (size_t i = 0; i < w.rows.size(); ++i) {
      const WorldRow& r = w.rows[i];
      auto it = got.find({r.extract, r.line});
      ASSERT_NE(it, got.end()) << "seed " << seed << ": a row was lost";
      ++seen[expected[i].outcome];
      ASSERT_EQ(OutcomeName(it->second.second), OutcomeName(expected[i].outcome))
          << "seed " << seed << " row " << r.extract << ":" << r.line << " " << r.number << " "
          << r.name << " " << r.birth.ToIso();
      uint64_t person = expected[i].person < 0 ? 0 : key_of[expected[i].person];
      ASSERT_EQ(it->second.first, person)
          << "seed " << seed << " row " << r.extract << ":" << r.line << " " << r.number;
    }
    ASSERT_EQ(got.size(), w.rows.size());
  }
  // A test that never meets an outcome proves nothing about it.
  for (Outcome o : {Outcome::kBaseline, Outcome::kExact, Outcome::kNameVariant, Outcome::kRepaired,
                    Outcome::kProbable, Outcome::kConflict, Outcome::kUnlinked}) {
    EXPECT_GT(seen[o], worlds / 50) << OutcomeName(o);
  }
  EXPECT_TRUE(RemoveTree(folder));
}

}  // namespace
}  // namespace canbao::comparison
