// From scored pairs to persons. Pairs at or above the threshold make components; in each, groups of
// rows are joined as long as the mean of what all their pairs say (at most `cap` each) reaches the
// threshold, best first: a chain of resemblances makes no person. Or all their pairs must reach it
// (complete), or nothing is asked of them (components).
//
// Pure: the same pairs give the same groups in any order and for any number of threads.
#pragma once

#include <functional>
#include <vector>

#include "base/task_pool.h"
#include "linkage/engine/frame.h"
#include "linkage/model/model.h"

namespace canbao::linkage {

struct ScoredPair {
  RowId a = 0;
  RowId b = 0;
  Bits weight = 0;
  uint16_t rule = 0;
};

// The weight of any two rows, by whatever thread.
using PairScore = std::function<Bits(int worker, RowId, RowId)>;

struct Clusters {
  std::vector<uint32_t> of_row;  // from 0, in the order of their first rows
  uint32_t count = 0;
  uint64_t components = 0;         // of two rows or more
  uint64_t largest_component = 0;  // rows
  uint64_t cut = 0;  // components above `largest`, taken apart by a higher threshold first
};

Result<Clusters> MakeClusters(const Frame& frame, const Model& model,
                              const std::vector<ScoredPair>& pairs, const PairScore& score,
                              TaskPool* pool);

}  // namespace canbao::linkage
