// Which pairs are compared: those that agree on all columns of a blocking rule. Rules are ordered,
// and a pair belongs to the first that holds for it. Blocks with more rows than `hot` are split by
// further columns, one after the other; rows that lack such a value stay together, and what cannot
// be split any more is compared whole: nothing is dropped.
//
// Immutable once made; read by any number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "linkage/engine/frame.h"
#include "linkage/model/model.h"

namespace canbao::linkage {

struct RuleBlocks {
  std::vector<RowId> rows;     // those with all values, block by block
  std::vector<uint32_t> from;  // of each place in `rows`: its partners begin here …
  std::vector<uint32_t> end;   // … and end here
  uint64_t pairs = 0;          // with those of earlier rules
  uint64_t blocks = 0;         // of two rows or more
  uint64_t largest = 0;        // rows
  uint64_t hot = 0;            // blocks that were split
  bool left_out = false;       // more pairs than `up_to`
};

// A piece of a rule: the pairs whose first row stands at these places.
struct PairTask {
  uint16_t rule = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
};

// What a caller can do about rows that it will see soon, and very soon.
struct NoHints {
  void Far(RowId) const {}
  void Near(RowId) const {}
};

class Blocking {
 public:
  Blocking(const Model& model, const Frame& frame);

  const std::vector<RuleBlocks>& rules() const { return rules_; }
  // Whether an earlier rule than `rule` holds for the two.
  bool IsEarlier(RowId a, RowId b, size_t rule) const {
    const uint32_t* x = keys_.data() + size_t{a} * rules_.size();
    const uint32_t* y = keys_.data() + size_t{b} * rules_.size();
    for (size_t r = 0; r < rule; ++r) {
      if (x[r] == y[r] && x[r] != 0) return true;
    }
    return false;
  }
  // Pieces of about `pairs` pairs; of a rule all pieces follow each other.
  std::vector<PairTask> Tasks(uint64_t pairs) const;

  // see(a, b) for each pair of the piece that belongs to its rule; a < b but in link_only, where a
  // is of an earlier file. Of rows whose number `every` does not divide, nothing.
  template <typename See, typename Hints = NoHints>
  void ForPairs(const PairTask& task, uint32_t every, See see, Hints hints = {}) const {
    constexpr uint32_t kFar = 24;
    constexpr uint32_t kNear = 12;
    // Partners are taken a tile at a time by all rows of the piece: what is known of them stays in
    // the cache meanwhile.
    constexpr uint32_t kTile = 128;
    const RuleBlocks& blocks = rules_[task.rule];
    for (uint32_t first = task.begin; first < task.end;) {
      const uint32_t end = blocks.end[first];
      const uint32_t last = std::min(task.end, end);  // of the rows of this block
      for (uint32_t tile = blocks.from[first]; tile < end; tile += kTile) {
        const uint32_t tile_end = std::min(tile + kTile, end);
        for (uint32_t at = first; at < last; ++at) {
          const RowId a = blocks.rows[at];
          if (every > 1 && a % every != 0) continue;
          for (uint32_t other = std::max(blocks.from[at], tile); other < tile_end; ++other) {
            const RowId b = blocks.rows[other];
            if (!IsEarlier(a, b, task.rule)) see(a, b);
          }
        }
      }
      for (; first < last; ++first) {
        if (first + kFar >= blocks.rows.size()) continue;
        __builtin_prefetch(keys_.data() + size_t{blocks.rows[first + kFar]} * rules_.size());
        hints.Far(blocks.rows[first + kFar]);
        hints.Near(blocks.rows[first + kNear]);
      }
    }
  }

  // All pairs there are, of different files if the model says so.
  uint64_t all_pairs() const { return all_pairs_; }

 private:
  std::vector<RuleBlocks> rules_;
  std::vector<uint32_t> keys_;  // rows × rules; 0: the rule cannot hold
  uint64_t all_pairs_ = 0;
};

}  // namespace canbao::linkage
