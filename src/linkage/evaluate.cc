#include "linkage/evaluate.h"

#include <unordered_map>

namespace canbao::linkage {
namespace {

uint64_t Pairs(uint64_t n) { return n * (n - 1) / 2; }
// Pairs of n rows with at least one of the s.
uint64_t PairsWith(uint64_t n, uint64_t s) { return Pairs(n) - Pairs(n - s); }

// Numbers for names; a row of nobody gets one of its own.
class Names {
 public:
  uint32_t Of(const std::string& name) {
    if (name.empty()) return next_++;
    auto [it, added] = known_.emplace(name, next_);
    if (added) ++next_;
    return it->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> known_;
  uint32_t next_ = 0;
};

// Rows of a cluster or cell: all, and of each stratum.
struct Count {
  uint64_t all = 0;
  std::map<uint32_t, uint64_t> of;
};

}  // namespace

Evaluation Evaluate(const std::vector<JudgedRow>& rows) {
  Names said_names;
  Names real_names;
  Names strata_names;
  std::unordered_map<uint32_t, Count> said;
  std::unordered_map<uint32_t, Count> real;
  std::map<std::pair<uint32_t, uint32_t>, Count> both;
  std::vector<std::pair<uint32_t, uint32_t>> cells;
  std::vector<uint32_t> stratum_of;
  std::map<uint32_t, std::string> strata;
  for (const JudgedRow& row : rows) {
    const uint32_t s = said_names.Of(row.said);
    const uint32_t r = real_names.Of(row.real);
    // An empty stratum is one too.
    const uint32_t t = strata_names.Of("=" + row.stratum);
    strata[t] = row.stratum;
    for (Count* c : {&said[s], &real[r], &both[{s, r}]}) {
      ++c->all;
      ++c->of[t];
    }
    cells.emplace_back(s, r);
    stratum_of.push_back(t);
  }

  Evaluation out;
  auto add = [&](const Count& c, uint64_t Quality::*pairs) {
    out.all.*pairs += Pairs(c.all);
    for (auto [t, n] : c.of) out.strata[strata[t]].*pairs += PairsWith(c.all, n);
  };
  for (const auto& [k, c] : said) add(c, &Quality::said_pairs);
  for (const auto& [k, c] : real) add(c, &Quality::real_pairs);
  std::unordered_map<uint32_t, uint64_t> cells_of_said;
  std::unordered_map<uint32_t, uint64_t> cells_of_real;
  for (const auto& [k, c] : both) {
    add(c, &Quality::right_pairs);
    ++cells_of_said[k.first];
    ++cells_of_real[k.second];
  }
  for (const auto& [k, n] : cells_of_said) out.merged += n > 1;
  for (const auto& [k, n] : cells_of_real) out.split += n > 1;

  struct Sum {
    double precision = 0;
    double recall = 0;
  };
  Sum all;
  std::map<uint32_t, Sum> by_stratum;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto together = static_cast<double>(both[cells[i]].all);
    const double p = together / static_cast<double>(said[cells[i].first].all);
    const double r = together / static_cast<double>(real[cells[i].second].all);
    Sum& sum = by_stratum[stratum_of[i]];
    for (Sum* s : {&all, &sum}) {
      s->precision += p;
      s->recall += r;
    }
    ++out.all.rows;
    ++out.strata[strata[stratum_of[i]]].rows;
  }
  auto mean = [](Quality* q, const Sum& s) {
    if (q->rows == 0) return;
    q->bcubed_precision = s.precision / static_cast<double>(q->rows);
    q->bcubed_recall = s.recall / static_cast<double>(q->rows);
  };
  mean(&out.all, all);
  for (const auto& [t, s] : by_stratum) mean(&out.strata[strata[t]], s);
  return out;
}

}  // namespace canbao::linkage
