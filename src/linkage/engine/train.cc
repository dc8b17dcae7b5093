#include "linkage/engine/train.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace canbao::linkage {
namespace {

constexpr uint64_t kTaskPairs = 1 << 16;
constexpr double kLeast = 1e-9;

uint64_t Scramble(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

// Counts patterns without allocating for each: few of them are different.
class Counter {
 public:
  Counter() : keys_(1 << 10), counts_(1 << 10) {}
  void Add(Pattern pattern) {
    for (size_t at = Place(pattern);; at = (at + 1) & (keys_.size() - 1)) {
      if (counts_[at] == 0) {
        keys_[at] = pattern;
        counts_[at] = 1;
        if (++used_ * 2 > keys_.size()) Grow();
        return;
      }
      if (keys_[at] == pattern) {
        ++counts_[at];
        return;
      }
    }
  }
  template <typename See>
  void ForEach(See see) const {
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (counts_[i] > 0) see(keys_[i], counts_[i]);
    }
  }

 private:
  size_t Place(Pattern pattern) const {
    return (pattern * 0x9E3779B97F4A7C15u >> 32) & (keys_.size() - 1);
  }
  void Grow() {
    std::vector<Pattern> keys(keys_.size() * 2);
    std::vector<uint64_t> counts(keys.size());
    keys.swap(keys_);
    counts.swap(counts_);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (counts[i] == 0) continue;
      size_t at = Place(keys[i]);
      while (counts_[at] != 0) at = (at + 1) & (keys_.size() - 1);
      keys_[at] = keys[i];
      counts_[at] = counts[i];
    }
  }
  std::vector<Pattern> keys_;
  std::vector<uint64_t> counts_;
  size_t used_ = 0;
};

struct Tally {
  Pattern pattern;
  uint64_t n;
  size_t stratum;
};

// Pairs of no rule, by rows that stand a random distance apart in an order that is random itself.
class Outsiders {
 public:
  Outsiders(const Comparer& comparer, const Blocking& blocking)
      : comparer_(comparer), blocking_(blocking), rows_(comparer.frame().rows) {
    const uint64_t wanted = comparer.model().training.random_pairs;
    rounds_ = std::clamp<uint64_t>(wanted / std::max<uint64_t>(rows_, 1), 1, rows_ / 2);
    every_ = std::max<uint64_t>(rows_ / wanted, 1);
  }
  size_t tasks() const { return static_cast<size_t>(rounds_); }

  uint64_t Count(size_t round, Comparer::Scratch* scratch, Counter* counter) const {
    const uint64_t seed = comparer_.model().training.seed;
    // Distances below half of the rows, each in a stretch of its own: no pair is met twice.
    const uint64_t half = (rows_ - 1) / 2;
    const uint64_t begin = half * round / rounds_;
    const uint64_t room = std::max<uint64_t>(half * (round + 1) / rounds_ - begin, 1);
    const uint64_t distance = 1 + begin + Scramble(seed * 1'000'003 + round) % room;
    const auto& file = comparer_.frame().file;
    uint64_t seen = 0;
    for (uint64_t i = 0; i < rows_; i += every_) {
      const auto a = static_cast<RowId>(i);
      const auto b = static_cast<RowId>((i + distance) % rows_);
      if (a == b || (comparer_.model().link_only && file[a] == file[b])) continue;
      if (blocking_.IsEarlier(a, b, blocking_.rules().size())) continue;
      counter->Add(comparer_.Levels(a, b, scratch));
      ++seen;
    }
    return seen;
  }

 private:
  const Comparer& comparer_;
  const Blocking& blocking_;
  uint64_t rows_;
  uint64_t rounds_ = 1;
  uint64_t every_ = 1;
};

bool Counts(const Comparison& c, size_t level) {
  return level > 0 && !c.levels[level - 1].says_nothing;
}

double Rounded(double share) {
  const double billionths = std::floor(share * 1e9 + 0.5);
  return std::max(billionths, 1.0) / 1e9;
}

uint64_t Billionths(double share) {
  return static_cast<uint64_t>(std::max(std::floor(share * 1e9 + 0.5), 1.0));
}

}  // namespace

std::vector<std::vector<Bits>> Parameters::Weights(const Model& model) const {
  std::vector<std::vector<Bits>> out;
  for (size_t c = 0; c < m.size(); ++c) {
    out.emplace_back(m[c].size());
    for (size_t l = 0; l < m[c].size(); ++l) {
      if (Counts(model.comparisons[c], l)) {
        out[c][l] = Log2(Billionths(m[c][l]), Billionths(u[c][l]));
      }
    }
  }
  return out;
}

Bits Parameters::PriorBits() const {
  const auto share = static_cast<uint64_t>(std::max(std::floor(prior * 1e17 + 0.5), 1.0));
  return Log2(share, 100'000'000'000'000'000u - share);
}

Result<std::vector<PatternCount>> CountPatterns(const Comparer& comparer, const Blocking& blocking,
                                                TaskPool* pool, uint64_t* pairs_seen) {
  const Training& training = comparer.model().training;
  const auto& rules = blocking.rules();
  std::vector<PairTask> tasks = blocking.Tasks(kTaskPairs);
  const Outsiders outsiders(comparer, blocking);
  std::vector<uint32_t> every(rules.size());
  uint64_t some_of_all = UINT64_MAX;
  for (size_t r = 0; r < rules.size(); ++r) {
    every[r] = static_cast<uint32_t>(1 + rules[r].pairs / training.candidate_pairs);
    if (comparer.model().rules[r].on.empty() && !rules[r].left_out) some_of_all = 0;
  }
  // Where a rule takes every pair there are none outside.
  const size_t outside = some_of_all == 0 || comparer.frame().rows < 2 ? 0 : outsiders.tasks();
  std::vector<std::vector<Tally>> found(tasks.size() + outside);
  std::vector<uint64_t> exact(tasks.size());
  std::vector<uint64_t> seen(outside);
  std::vector<Comparer::Scratch> scratch;
  for (int t = 0; t < pool->threads(); ++t) scratch.emplace_back(comparer);
  CANBAO_TRY(pool->ForEach(found.size(), [&](int worker, size_t i) -> Status {
    Counter counter;
    size_t stratum = rules.size();
    if (i < tasks.size()) {
      stratum = tasks[i].rule;
      blocking.ForPairs(
          tasks[i], every[stratum],
          [&](RowId a, RowId b) {
            counter.Add(comparer.Levels(a, b, &scratch[static_cast<size_t>(worker)]));
          },
          Comparer::Hints(&comparer));
      // How many there are, though not all are looked at.
      blocking.ForPairs(tasks[i], 1, [&](RowId, RowId) { ++exact[i]; });
    } else {
      seen[i - tasks.size()] =
          outsiders.Count(i - tasks.size(), &scratch[static_cast<size_t>(worker)], &counter);
    }
    counter.ForEach([&](Pattern p, uint64_t n) { found[i].push_back({p, n, stratum}); });
    return {};
  }));
  std::vector<double> pairs(rules.size() + 1);
  std::vector<double> sampled(rules.size() + 1);
  double candidates = 0;
  for (size_t i = 0; i < tasks.size(); ++i) {
    pairs[tasks[i].rule] += static_cast<double>(exact[i]);
    candidates += static_cast<double>(exact[i]);
  }
  pairs.back() = std::max(static_cast<double>(blocking.all_pairs()) - candidates, 0.0);
  *pairs_seen = 0;
  std::unordered_map<Pattern, std::vector<uint64_t>> sums;
  for (const auto& counts : found) {
    for (const Tally& c : counts) {
      auto& of = sums[c.pattern];
      of.resize(rules.size() + 1);
      of[c.stratum] += c.n;
      sampled[c.stratum] += static_cast<double>(c.n);
      *pairs_seen += c.n;
    }
  }
  std::vector<PatternCount> out;
  for (const auto& [pattern, of] : sums) {
    PatternCount count{pattern, 0};
    for (size_t s = 0; s < of.size(); ++s) {
      if (of[s] > 0) count.pairs += static_cast<double>(of[s]) * (pairs[s] / sampled[s]);
    }
    out.push_back(count);
  }
  std::sort(out.begin(), out.end(),
            [](const PatternCount& a, const PatternCount& b) { return a.pattern < b.pattern; });
  return out;
}

Parameters Estimate(const Model& model, const std::vector<PatternCount>& counts) {
  const size_t n = model.comparisons.size();
  Parameters p;
  p.patterns = counts.size();
  double all = 0;
  for (const PatternCount& c : counts) all += c.pairs;
  // Beginning: as many pairs as rows, m falls from the first level to the last, u as if no pair
  // were one person.
  for (const Comparison& c : model.comparisons) {
    std::vector<double> m(c.levels.size() + 1);
    std::vector<double> u(c.levels.size() + 1);
    double sum = 0;
    double share = 1;
    for (size_t l = 1; l < m.size(); ++l) {
      if (!Counts(c, l)) continue;
      m[l] = share;
      sum += share;
      share *= l + 2 == m.size() ? 0.25 : 0.4;
    }
    for (size_t l = 1; l < m.size(); ++l) {
      m[l] = Counts(c, l) ? c.levels[l - 1].m.value_or(m[l] / sum) : 0;
      u[l] = Counts(c, l) ? c.levels[l - 1].u.value_or(0) : 0;
    }
    p.m.push_back(std::move(m));
    p.u.push_back(std::move(u));
  }
  p.prior = model.training.prior.value_or(std::min(0.1, std::sqrt(2 / std::max(all, 1.0))));
  if (model.trained() || all <= 0) return p;

  std::vector<double> match(counts.size());  // probabilities
  auto maximise = [&](bool only_u) {
    double matches = 0;
    for (size_t i = 0; i < counts.size(); ++i) matches += match[i] * counts[i].pairs;
    for (size_t c = 0; c < n; ++c) {
      const Comparison& comparison = model.comparisons[c];
      const size_t levels = p.m[c].size();
      // Half a pair of each level beforehand: what was not seen is rare, not impossible.
      std::vector<double> m(levels, 0.5);
      std::vector<double> u(levels, 0.5);
      double sum_m = 0;
      double sum_u = 0;
      for (size_t i = 0; i < counts.size(); ++i) {
        const size_t level = LevelOf(counts[i].pattern, c);
        m[level] += match[i] * counts[i].pairs;
        u[level] += (1 - match[i]) * counts[i].pairs;
      }
      for (size_t l = 1; l < levels; ++l) {
        if (!Counts(comparison, l)) continue;
        sum_m += m[l];
        sum_u += u[l];
      }
      for (size_t l = 1; l < levels; ++l) {
        if (!Counts(comparison, l)) continue;
        if (!only_u && !comparison.levels[l - 1].m) p.m[c][l] = std::max(m[l] / sum_m, kLeast);
        if (!comparison.levels[l - 1].u) p.u[c][l] = std::max(u[l] / sum_u, kLeast);
      }
    }
    if (!only_u && !model.training.prior) {
      p.prior = std::clamp(matches / all, 0.01 / all, 0.5);
    }
  };
  maximise(true);
  for (p.rounds = 0; p.rounds < model.training.rounds; ++p.rounds) {
    double change = 0;
    std::vector<std::vector<double>> ratio(n);
    for (size_t c = 0; c < n; ++c) {
      for (size_t l = 0; l < p.m[c].size(); ++l) {
        ratio[c].push_back(Counts(model.comparisons[c], l) ? p.m[c][l] / p.u[c][l] : 1);
      }
    }
    for (size_t i = 0; i < counts.size(); ++i) {
      double odds = p.prior / (1 - p.prior);
      for (size_t c = 0; c < n; ++c) odds *= ratio[c][LevelOf(counts[i].pattern, c)];
      const double now = odds / (1 + odds);
      change += std::abs(now - match[i]) * counts[i].pairs;
      match[i] = now;
    }
    maximise(false);
    if (change < 1e-4 * p.prior * all) break;
  }
  for (size_t c = 0; c < n; ++c) {
    for (size_t l = 1; l < p.m[c].size(); ++l) {
      if (!Counts(model.comparisons[c], l)) continue;
      p.m[c][l] = Rounded(p.m[c][l]);
      p.u[c][l] = Rounded(p.u[c][l]);
    }
  }
  return p;
}

std::vector<Bits> FrequencyAdjustment(const std::vector<uint32_t>& count_of_value, uint64_t all) {
  // A value seen n times among `all` has the frequency n / (all + 1 / u), u that of an average one:
  // of a value seen once not more can be known than that it is no common one.
  uint64_t pairs = 1;
  for (size_t code = 1; code < count_of_value.size(); ++code) {
    const uint64_t n = count_of_value[code];
    if (n > 0) pairs += n * (n - 1);
  }
  const uint64_t expected = all < 2 ? 0 : (pairs << 8) / (all - 1);  // all · u, in 2^-8
  std::vector<Bits> out(count_of_value.size());
  for (size_t code = 1; code < out.size(); ++code) {
    out[code] = Log2(expected + 256, std::max<uint64_t>(count_of_value[code], 1) << 8);
  }
  return out;
}

}  // namespace canbao::linkage
