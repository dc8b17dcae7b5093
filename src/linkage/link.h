// Linkage of tables: which rows are one person, by a model (model/model.h). Reads nothing and
// writes nothing: tables come in, persons, pairs and an account of the run go out. In the flow of
// `canbao link`: tables → frame → blocking → training → scores → clusters.
//
// The result is the same for any number of threads and any order of rows and files. Errors: those
// of the parts, kErrTooManyPairs; InterruptedError() when asked to stop.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "linkage/engine/blocking.h"
#include "linkage/engine/cluster.h"
#include "linkage/engine/comparer.h"
#include "linkage/engine/train.h"

namespace canbao::linkage {

enum class Step { kPrepare, kTrain, kScore, kCluster };

struct LinkOptions {
  int threads = 2;
  // Pairs at or above so many hundredths of a bit are kept; those of the threshold always are.
  Bits keep_above = INT32_MAX;
  bool blocking_only = false;
  // Hears of each step, how many pairs it will look at (0: unknown), and of those it has seen.
  std::function<void(Step, uint64_t)> begins;
  std::function<void(uint64_t)> seen;
};

struct RuleAccount {
  std::string label;
  uint64_t agree = 0;  // pairs that the rule holds for
  uint64_t pairs = 0;  // and no earlier one
  uint64_t blocks = 0;
  uint64_t largest = 0;  // rows
  uint64_t hot = 0;
  bool left_out = false;
};

struct LinkResult {
  std::unique_ptr<Frame> frame;
  std::unique_ptr<Comparer> comparer;
  std::vector<RuleAccount> rules;
  uint64_t all_pairs = 0;
  uint64_t compared = 0;
  Parameters parameters;
  std::vector<ScoredPair> pairs;  // kept, by rows
  Clusters clusters;
  // Pairs at or above the threshold by whole bits above it, the last and all behind it.
  std::array<uint64_t, 32> histogram{};
  double seconds_training = 0;
  double seconds_scoring = 0;
  double seconds_clustering = 0;
};

// `model` must outlive the result; `paths` name the tables in errors.
Result<LinkResult> Link(const Model& model, const std::vector<Table>& tables,
                        const std::vector<std::string>& paths, const LinkOptions& options);

// 2^(bits/100) / (1 + 2^(bits/100)), for people.
double ProbabilityOf(Bits bits);

}  // namespace canbao::linkage
