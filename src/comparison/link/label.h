// What people decided about pairs of the review queue: one person, or two. Kept in the data folder
// and applied by every later run; each is also a label that the scores learn from.
//
//   DATA/decisions.rows    one row a decision, in the order in which they were taken (encrypted)
//   DATA/keys/decisions.key
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace canbao::comparison {

enum class Judgement : uint8_t { kSame = 1, kDifferent = 2, kWithdrawn = 3 };

struct Decision {
  uint64_t seeker = 0;  // key of the rows: a provisional one, or the number they stand under
  uint64_t person = 0;  // key of the person: a number
  Judgement judgement = Judgement::kSame;
  std::string at;  // ISO time
  std::string by;
  std::string note;
};

// The decisions in force: of each pair the last one that was not withdrawn. Immutable.
class Labels {
 public:
  Labels() = default;
  explicit Labels(const std::vector<Decision>& decisions);
  // kWithdrawn: nobody decided.
  Judgement Of(uint64_t seeker, uint64_t person) const;
  bool empty() const { return labels_.empty(); }
  // Of what is in force; empty when nothing is. Part of the name of a run.
  const std::string& digest() const { return digest_; }

 private:
  struct Label {
    uint64_t seeker;
    uint64_t person;
    Judgement judgement;
  };
  std::vector<Label> labels_;  // sorted
  std::string digest_;
};

// All decisions of a data folder; none where nobody took any.
Result<std::vector<Decision>> ReadDecisions(const std::string& state_dir);
// Appends: the file is written anew beside the old one and takes its place.
Status AddDecisions(const std::string& state_dir, const std::vector<Decision>& more);

}  // namespace canbao::comparison
