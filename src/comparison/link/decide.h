// Who of those that look for their person is whom. Pairs come from streaming every person past the
// seekers; what is decided depends on nothing but them: not on threads, memory or order.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "comparison/link/key_set.h"
#include "comparison/link/label.h"
#include "comparison/link/model.h"

namespace canbao::comparison {

// The profiles that look for their person, findable by blocking key. Immutable.
class Seekers {
 public:
  explicit Seekers(std::vector<Profile> all);
  const std::vector<Profile>& all() const { return all_; }
  size_t size() const { return all_.size(); }
  bool HasName(uint64_t name) const { return names_.Has(name); }

  // Those that share a key with the person, each once, ascending, and by which rules (a bit each).
  struct Found {
    uint32_t seeker;
    uint16_t rules;
  };
  void Find(const Profile& person, std::vector<BlockingKey>* keys, std::vector<Found>* found) const;
  // Pairs of seekers that share a key and for whom `open` is set, each once: a < b.
  struct Two {
    uint32_t a;
    uint32_t b;
    friend auto operator<=>(const Two&, const Two&) = default;
  };
  std::vector<Two> PairsAmong(const std::vector<bool>& open) const;

 private:
  struct Block {
    uint64_t key;
    uint32_t seeker;
    uint8_t rule;
    friend auto operator<=>(const Block&, const Block&) = default;
  };
  void Look(uint64_t key, std::vector<Found>* found) const;

  std::vector<Profile> all_;   // by key
  std::vector<Block> blocks_;  // sorted
  KeySet names_;
  HashSet known_;
  // Keys that too many share (an employer's telephone for all its staff): split by the name, and by
  // the birth date.
  HashSet hot_;
};

// A seeker and a person it may be.
struct Pair {
  uint64_t person = 0;  // key
  uint64_t name = 0;    // the person's, as are birth, sex and first
  uint64_t first = 0;   // Profile::first
  uint32_t seeker = 0;  // place in Seekers::all()
  uint32_t place = 0;   // shared
  Levels levels;
  Date birth;
  uint16_t rules = 0;
  identity::Sex sex = identity::Sex::kUnknown;
  bool nobody_yet = false;  // Profile
  bool may_be_twins = false;

  Shared shared() const { return {name, birth, place}; }
};
Pair MakePair(uint32_t seeker, const Profile& s, const Profile& person, uint16_t rules);

// By key of the seeker, sorted: the person that it was found to be.
struct Match {
  uint64_t seeker;
  uint64_t person;
  bool nobody_yet;  // Profile
  friend auto operator<=>(const Match&, const Match&) = default;
};
const Match* MatchOf(const std::vector<Match>& matches, uint64_t seeker);

// What became of a pair.
enum class Verdict : uint8_t {
  kLinked = 1,  // by its score
  kConfirmed,   // somebody decided that they are one
  kReview,      // somebody has to look at it
  kApart,       // somebody decided that they are not
  kUnlikely,    // below what is worth a look
  kSecond       // another candidate is better
};
inline constexpr size_t kVerdicts = 7;

// A candidate that is kept to be explained: the best few of each seeker.
inline constexpr int kKeptCandidates = 3;
struct Judged {
  uint32_t pair;  // place in the pairs
  Bits odds;
  uint8_t rank;  // 1 = best
  Verdict verdict;
};

// What the run can say of itself: docs/formats/linkage-report.md.
struct LinkStatistics {
  uint64_t persons = 0;
  std::array<uint64_t, 2> seekers{};          // with no number; under one that nothing verifies
  std::array<uint64_t, 2> with_candidates{};  // the same that shared a key with somebody
  std::array<uint64_t, 2> share{};            // estimated, in 2^-40
  uint64_t pairs = 0;
  std::array<uint64_t, kBlockingRules> pairs_by_rule{};  // counted for the first that holds
  // Seekers by the number of their candidates: 0, 1, 2, 3–4, 5–8, … (index = bits of n − 1, plus
  // 1).
  std::array<uint64_t, 20> candidates{};
  // Best odds of a seeker in whole bits: how many, by verdict.
  std::map<int, std::array<uint64_t, kVerdicts>> odds;
  std::array<uint64_t, kVerdicts> verdicts{};
  uint64_t expected_wrong = 0;  // of the links by score, in millionths of a link
  uint64_t limit = 0;           // of them, the same
  uint64_t labels = 0;          // decisions of people that applied
  // Clusters of rows without anybody known, by size in groups of rows, and connected components.
  std::map<uint64_t, uint64_t> clusters;
  std::map<uint64_t, uint64_t> components;
  struct Learned {
    uint16_t source;
    Field field;
    uint8_t level;
    uint64_t seen;
    uint64_t m;
  };
  std::vector<Learned> learned;

  void Learn(const LinkModel& model, const TrainingCounts& training);
};

struct Decided {
  std::vector<Match> matches;
  std::vector<Judged> judged;  // by seeker and rank
  uint64_t by_score = 0;
  uint64_t review = 0;
  // Rows that nobody known matches, though one another: key of each seeker of a cluster but its
  // first, to that first one's key. Sorted.
  std::vector<Match> clusters;
};
// Sorts the pairs.
Decided Decide(const Seekers& seekers, std::vector<Pair>* pairs, const Weights& weights,
               const LinkModel& model, const Labels& labels, LinkStatistics* statistics);

}  // namespace canbao::comparison
