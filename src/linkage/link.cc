#include "linkage/link.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "base/interrupt.h"
#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

constexpr uint64_t kPairsOfATask = 1 << 18;
constexpr uint64_t kMostKept = 500'000'000;
// Up to so many rows frequencies are counted once a person, which takes a second round.
constexpr size_t kRowsOfTwoRounds = 200'000;

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Run {
 public:
  Run(const Model& model, const LinkOptions& options)
      : model_(model), options_(options), pool_(options.threads, &InterruptFlag()) {}

  Result<LinkResult> Do(const std::vector<Table>& tables, const std::vector<std::string>& paths) {
    Begins(Step::kPrepare, 0);
    CANBAO_ASSIGN(Frame frame, BuildFrame(model_, tables, paths));
    out_.frame = std::make_unique<Frame>(std::move(frame));
    CANBAO_ASSIGN(Comparer comparer, Comparer::Make(model_, *out_.frame));
    out_.comparer = std::make_unique<Comparer>(std::move(comparer));
    const Blocking blocking(model_, *out_.frame);
    out_.all_pairs = blocking.all_pairs();
    for (size_t r = 0; r < blocking.rules().size(); ++r) {
      const RuleBlocks& b = blocking.rules()[r];
      out_.rules.push_back(
          {model_.rules[r].label, b.pairs, 0, b.blocks, b.largest, b.hot, b.left_out});
    }
    if (options_.blocking_only) {
      CANBAO_TRY(CountOnly(blocking));
      return std::move(out_);
    }
    Clock training;
    Begins(Step::kTrain, 0);
    std::vector<PatternCount> counts;
    if (!model_.trained()) {
      CANBAO_ASSIGN(counts,
                    CountPatterns(*out_.comparer, blocking, &pool_, &out_.parameters.pairs_seen));
    }
    const uint64_t pairs_seen = out_.parameters.pairs_seen;
    out_.parameters = Estimate(model_, counts);
    out_.parameters.pairs_seen = pairs_seen;
    out_.seconds_training = training.seconds();

    const auto how = model_.training.frequencies;
    const bool by_person =
        how == Training::Frequencies::kPersons ||
        (how == Training::Frequencies::kAuto && out_.frame->rows <= kRowsOfTwoRounds);
    SetFrequencies(false);
    CANBAO_TRY(ScoreAndCluster(blocking));
    if (by_person && !out_.comparer->FrequencyColumns().empty()) {
      SetFrequencies(true);
      CANBAO_TRY(ScoreAndCluster(blocking));
    }
    return std::move(out_);
  }

 private:
  void Begins(Step step, uint64_t pairs) const {
    if (options_.begins) options_.begins(step, pairs);
  }
  uint64_t Candidates() const {
    uint64_t out = 0;
    for (const RuleAccount& r : out_.rules) out += r.left_out ? 0 : r.agree;
    return out;
  }

  Status CountOnly(const Blocking& blocking) {
    Begins(Step::kScore, Candidates());
    const std::vector<PairTask> tasks = blocking.Tasks(kPairsOfATask);
    std::vector<uint64_t> pairs(tasks.size());
    CANBAO_TRY(pool_.ForEach(tasks.size(), [&](int, size_t i) -> Status {
      blocking.ForPairs(tasks[i], 1, [&](RowId, RowId) { ++pairs[i]; });
      if (options_.seen) options_.seen(kPairsOfATask);
      return {};
    }));
    Account(tasks, pairs);
    return {};
  }

  void Account(const std::vector<PairTask>& tasks, const std::vector<uint64_t>& pairs) {
    out_.compared = 0;
    for (RuleAccount& r : out_.rules) r.pairs = 0;
    for (size_t i = 0; i < tasks.size(); ++i) {
      out_.rules[tasks[i].rule].pairs += pairs[i];
      out_.compared += pairs[i];
    }
  }

  // Counted among rows, or once for each person that the first round found.
  void SetFrequencies(bool by_person) {
    const Frame& frame = *out_.frame;
    std::vector<std::pair<uint32_t, Code>> seen;
    for (uint32_t column : out_.comparer->FrequencyColumns()) {
      std::vector<uint32_t> counts(frame.values[column].size());
      if (by_person) {
        seen.clear();
        for (RowId row = 0; row < frame.rows; ++row) {
          seen.emplace_back(out_.clusters.of_row[row], frame.Row(row)[column]);
        }
        std::sort(seen.begin(), seen.end());
        seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
        for (const auto& [person, code] : seen) ++counts[code];
      } else {
        for (RowId row = 0; row < frame.rows; ++row) ++counts[frame.Row(row)[column]];
      }
      uint64_t all = 0;
      for (Code code = 1; code < counts.size(); ++code) all += counts[code];
      out_.comparer->SetFrequencies(column, FrequencyAdjustment(counts, all));
    }
    out_.comparer->SetWeights(out_.parameters.Weights(model_), out_.parameters.PriorBits());
  }

  Status ScoreAndCluster(const Blocking& blocking) {
    Clock scoring;
    Begins(Step::kScore, Candidates());
    const std::vector<PairTask> tasks = blocking.Tasks(kPairsOfATask);
    std::vector<uint64_t> compared(tasks.size());
    std::vector<std::vector<ScoredPair>> kept(tasks.size());
    std::vector<Comparer::Scratch> scratch;
    for (int t = 0; t < pool_.threads(); ++t) scratch.emplace_back(*out_.comparer);
    const Bits least = std::min(options_.keep_above, model_.decision.threshold);
    std::atomic<uint64_t> all_kept{0};
    CANBAO_TRY(pool_.ForEach(tasks.size(), [&](int worker, size_t i) -> Status {
      Comparer::Scratch* own = &scratch[static_cast<size_t>(worker)];
      uint64_t n = 0;
      blocking.ForPairs(
          tasks[i], 1,
          [&](RowId a, RowId b) {
            ++n;
            const Bits weight = out_.comparer->Score(a, b, least, own);
            if (weight >= least)
              kept[i].push_back({std::min(a, b), std::max(a, b), weight, tasks[i].rule});
          },
          Comparer::Hints(out_.comparer.get()));
      compared[i] = n;
      if (options_.seen) options_.seen(n);
      if (all_kept.fetch_add(kept[i].size()) + kept[i].size() > kMostKept) {
        return Fail(
            ErrorClass::kInput, std::string(kErrTooManyPairs),
            Msg("超过 {0} 对达到阈值", "more than {0} pairs reach the threshold", kMostKept),
            Msg("请提高阈值或收紧分块规则", "raise the threshold or narrow the rules"));
      }
      return {};
    }));
    Account(tasks, compared);
    out_.pairs.clear();
    out_.pairs.reserve(all_kept);
    for (auto& some : kept) {
      out_.pairs.insert(out_.pairs.end(), some.begin(), some.end());
      some = {};
    }
    std::sort(out_.pairs.begin(), out_.pairs.end(), [](const ScoredPair& x, const ScoredPair& y) {
      return x.a != y.a ? x.a < y.a : x.b < y.b;
    });
    out_.histogram = {};
    for (const ScoredPair& p : out_.pairs) {
      if (p.weight < model_.decision.threshold) continue;
      const auto above = static_cast<size_t>((p.weight - model_.decision.threshold) / 100);
      ++out_.histogram[std::min(above, out_.histogram.size() - 1)];
    }
    out_.seconds_scoring = scoring.seconds();

    Clock clustering;
    Begins(Step::kCluster, 0);
    CANBAO_ASSIGN(out_.clusters, MakeClusters(
                                     *out_.frame, model_, out_.pairs,
                                     [&](int worker, RowId a, RowId b) {
                                       return out_.comparer->Score(
                                           a, b, INT32_MIN, &scratch[static_cast<size_t>(worker)]);
                                     },
                                     &pool_));
    out_.seconds_clustering = clustering.seconds();
    return {};
  }

  const Model& model_;
  const LinkOptions& options_;
  TaskPool pool_;
  LinkResult out_;
};

}  // namespace

Result<LinkResult> Link(const Model& model, const std::vector<Table>& tables,
                        const std::vector<std::string>& paths, const LinkOptions& options) {
  return Run(model, options).Do(tables, paths);
}

double ProbabilityOf(Bits bits) {
  const double odds = std::exp2(bits / 100.0);
  return std::isinf(odds) ? 1 : odds / (1 + odds);
}

}  // namespace canbao::linkage
