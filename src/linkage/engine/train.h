// How much a level says: u from pairs taken at random, m by expectation and maximisation, the prior
// with them. All pairs there are take part: candidates as they are (a sample of them, where there
// are many), the others by a sample that stands for all of them, so that blocking makes no
// parameter better than it is. A random pair counts for u as far as it is none of one person.
//
// Sums of doubles in a fixed order, by +, −, × and ÷ alone, then rounded to 10^-9: the same on
// every machine and for any number of threads.
#pragma once

#include <functional>
#include <vector>

#include "base/task_pool.h"
#include "linkage/engine/blocking.h"
#include "linkage/engine/comparer.h"

namespace canbao::linkage {

// Patterns of pairs and how many pairs each stands for, ascending.
struct PatternCount {
  Pattern pattern = 0;
  double pairs = 0;
};

struct Parameters {
  // Of each comparison and level; level 0 is a missing value, which says nothing. Shares.
  std::vector<std::vector<double>> m;
  std::vector<std::vector<double>> u;
  double prior = 0;
  int32_t rounds = 0;
  uint64_t pairs_seen = 0;
  uint64_t patterns = 0;

  std::vector<std::vector<Bits>> Weights(const Model& model) const;
  Bits PriorBits() const;
};

Result<std::vector<PatternCount>> CountPatterns(const Comparer& comparer, const Blocking& blocking,
                                                TaskPool* pool, uint64_t* pairs_seen);
// `all_pairs`: how many the counts stand for.
Parameters Estimate(const Model& model, const std::vector<PatternCount>& counts);

// What each value of a column says more or less than an average one, given how many rows or persons
// have it and how many there are.
std::vector<Bits> FrequencyAdjustment(const std::vector<uint32_t>& count_of_value, uint64_t all);

}  // namespace canbao::linkage
