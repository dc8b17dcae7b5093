// What the levels of a comparison say, in hundredths of a bit. Fellegi–Sunter: log2(m / u), where u
// of names, birth dates and places is counted among the persons of the run, so that 张伟 says less
// than 欧阳震华 and 1 January less than 17 May, and m is counted, source by source, on rows that a
// verified number links to their person. Format of a model: docs/formats/linkage-model.md.
//
// A model is immutable after loading and shared by threads; so is Evidence after Close().
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "comparison/link/level.h"
#include "linkage/weight.h"

namespace canbao::comparison {

using linkage::Bits;
using linkage::EstimateShare;
using linkage::kOne;
using linkage::Log2;
using linkage::Prior;
using linkage::Unlikely;

inline constexpr Bits kNever = INT32_MIN;  // cannot be one person

class LinkModel {
 public:
  // The newest model of data_dir/linkage that is in force at `cutoff`.
  static Result<std::shared_ptr<const LinkModel>> Load(const std::string& data_dir, Date cutoff);

  std::string version;  // file name and digest
  // Millionths. u 0 = counted in the run.
  struct Rate {
    uint64_t m = 0;
    uint64_t u = 0;
  };
  std::array<std::array<Rate, kMaxLevels>, kFields> rates{};
  uint64_t alike_factor = 1;  // so many times a name's frequency is alike to it by accident
  // Shares supposed at first, in 2^-40, of those who look for their person (with a number that
  // nothing verifies, with none, among others that nobody knows) that have one. EstimateShare()
  // then finds them from the scores themselves.
  uint64_t first_unverified = 0, first_no_number = 0, first_unknown = 0;
  Bits accept = 0, review = 0;
  uint64_t false_per_million = 0;
  uint32_t training_sample = 1;  // one person in so many is counted for m
  uint64_t training_weight = 1;  // the model counts like so many rows
};

// How many rows of each source stood at each level with their own person. Added up by threads,
// merged in any order.
class TrainingCounts {
 public:
  explicit TrainingCounts(size_t sources = 0) : counts_(sources) {}
  void Add(uint16_t source, Levels levels, uint64_t times = 1) {
    for (size_t f = 0; f < kFields; ++f) {
      counts_[source][f][levels.Of(static_cast<Field>(f))] += times;
    }
  }
  void Merge(const TrainingCounts& other);
  size_t sources() const { return counts_.size(); }
  uint64_t Of(size_t source, Field f, uint8_t level) const {
    return counts_[source][static_cast<size_t>(f)][level];
  }
  // Millionths: of the rows of the source that say anything at the levels which are counted
  // together, smoothed by the model.
  uint64_t M(const LinkModel& model, size_t source, Field f, uint8_t level) const;

 private:
  std::vector<std::array<std::array<uint64_t, kMaxLevels>, kFields>> counts_;
};

// How many persons there are in the run, of a name, a birth date, a county or city. Names are
// counted when somebody looks for a person of that name.
struct Frequencies {
  uint64_t persons = 0;
  std::unordered_map<uint64_t, uint64_t> names;
  // All bearers of one name in eight, whoever looks for them.
  std::unordered_map<uint64_t, uint64_t> sampled_names;
  std::vector<uint32_t> births = std::vector<uint32_t>(65536);
  std::vector<uint32_t> places = std::vector<uint32_t>(1000000);  // county; city = code / 100 * 100

  void Add(const Profile& person, bool with_name);
  void Merge(const Frequencies& other);
  uint64_t OfName(uint64_t name) const;
  // A name that one person bears is rarer than one in `persons`: it is known only because somebody
  // bears it. Good and Turing: what is borne by n stands for (n + 1) · N(n+1) / N(n) bearers, where
  // N(n) names are borne by n. In thousandths of a person, for n = 1 and 2; where too few names
  // were sampled to tell, n itself.
  std::array<uint64_t, 3> RareNames() const;
  uint64_t OfBirth(Date birth) const { return std::max<uint64_t>(births[birth.v], 1); }
  uint64_t OfPlace(uint32_t place) const;
};

// What two profiles share whose rarity counts.
struct Shared {
  uint64_t name = 0;
  Date birth;
  uint32_t place = 0;
};

// The weights of a run: everything that depends on levels alone is worked out once.
class Weights {
 public:
  Weights(const LinkModel& model, const TrainingCounts& training, const Frequencies& frequencies);
  // Of one field; 0 where one of the two says nothing.
  Bits Of(Field f, uint16_t source, Levels levels, const Shared& shared) const;
  // Of all of them, without the prior. kNever: unlike names.
  Bits Sum(uint16_t source, Levels levels, const Shared& shared) const;
  const Frequencies& frequencies() const { return frequencies_; }

 private:
  const Frequencies& frequencies_;
  std::vector<std::array<std::array<Bits, kMaxLevels>, kFields>> fixed_;
  Bits alike_factor_;
  std::array<uint64_t, 3> rare_;  // Frequencies::RareNames()
};

}  // namespace canbao::comparison
