#include "linkage/engine/cluster.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "linkage/sets.h"

namespace canbao::linkage {
namespace {

struct Component {
  std::vector<RowId> rows;  // ascending
  std::vector<ScoredPair> pairs;
};

bool IsBetter(const ScoredPair& x, const ScoredPair& y) {
  if (x.weight != y.weight) return x.weight > y.weight;
  return x.a != y.a ? x.a < y.a : x.b < y.b;
}

// Numbers of rows within a component.
uint32_t Local(const std::vector<RowId>& rows, RowId row) {
  return static_cast<uint32_t>(std::lower_bound(rows.begin(), rows.end(), row) - rows.begin());
}

// Components of the pairs that reach `least`.
std::vector<Component> Split(const Component& whole, Bits least) {
  Sets sets(whole.rows.size());
  for (const ScoredPair& p : whole.pairs) {
    if (p.weight >= least) sets.Join(Local(whole.rows, p.a), Local(whole.rows, p.b));
  }
  std::vector<Component> out;
  std::unordered_map<uint32_t, size_t> number;
  for (uint32_t i = 0; i < whole.rows.size(); ++i) {
    const auto [it, added] = number.emplace(sets.Find(i), out.size());
    if (added) out.emplace_back();
    out[it->second].rows.push_back(whole.rows[i]);
  }
  for (const ScoredPair& p : whole.pairs) {
    if (p.weight >= least) {
      out[number.at(sets.Find(Local(whole.rows, p.a)))].pairs.push_back(p);
    }
  }
  return out;
}

// Joins groups of a component, best first. Groups are named by their smallest row.
class Agglomeration {
 public:
  Agglomeration(const Frame& frame, const Model& model, const Component& component)
      : frame_(frame), model_(model), rows_(component.rows), n_(rows_.size()) {}

  std::vector<uint32_t> Run(const std::function<Bits(RowId, RowId)>& score) {
    const Bits cap = model_.decision.cap;
    sums_.resize(n_ * n_);
    size_.assign(n_, 1);
    parent_.resize(n_);
    std::iota(parent_.begin(), parent_.end(), 0);
    for (size_t i = 0; i < n_; ++i) {
      for (size_t j = i + 1; j < n_; ++j) {
        int64_t weight = std::clamp(score(rows_[i], rows_[j]), -cap, cap);
        if (model_.one_per_file && frame_.file[rows_[i]] == frame_.file[rows_[j]]) weight = kNever;
        sums_[i * n_ + j] = sums_[j * n_ + i] = weight;
      }
    }
    best_.assign(n_, kNobody);
    for (uint32_t i = 0; i < n_; ++i) Look(i);
    for (;;) {
      uint32_t first = kNobody;
      for (uint32_t i = 0; i < n_; ++i) {
        if (parent_[i] != i || best_[i] == kNobody) continue;
        if (first == kNobody || Order(i, best_[i], first, best_[first]) > 0) first = i;
      }
      if (first == kNobody || !Reaches(first, best_[first])) break;
      Merge(std::min(first, best_[first]), std::max(first, best_[first]));
    }
    for (uint32_t i = 0; i < n_; ++i) {
      uint32_t root = i;
      while (parent_[root] != root) root = parent_[root];
      parent_[i] = root;
    }
    return std::move(parent_);
  }

 private:
  static constexpr int64_t kNever = INT64_MIN;
  static constexpr uint32_t kNobody = UINT32_MAX;

  bool complete() const { return model_.decision.clustering == Clustering::kComplete; }
  int64_t Pairs(uint32_t i, uint32_t j) const {
    return complete() ? 1 : int64_t{size_[i]} * size_[j];
  }
  int64_t Sum(uint32_t i, uint32_t j) const { return sums_[i * n_ + j]; }
  bool Reaches(uint32_t i, uint32_t j) const {
    return Sum(i, j) != kNever && Sum(i, j) >= model_.decision.threshold * Pairs(i, j);
  }
  // Above 0: i and j are joined before k and l. Ties by the smaller rows.
  int Order(uint32_t i, uint32_t j, uint32_t k, uint32_t l) const {
    const int64_t x = Sum(i, j);
    const int64_t y = Sum(k, l);
    if (x == kNever || y == kNever) {
      if (x != y) return x == kNever ? -1 : 1;
    } else {
      // |sum| ≤ 1000 · cap · pairs: the products stay far within 64 bits for 5,000 rows.
      const int64_t left = x * Pairs(k, l);
      const int64_t right = y * Pairs(i, j);
      if (left != right) return left > right ? 1 : -1;
    }
    const auto first = std::minmax(i, j);
    const auto second = std::minmax(k, l);
    return first < second ? 1 : first > second ? -1 : 0;
  }
  void Look(uint32_t i) {
    best_[i] = kNobody;
    for (uint32_t j = 0; j < n_; ++j) {
      if (j == i || parent_[j] != j) continue;
      if (best_[i] == kNobody || Order(i, j, i, best_[i]) > 0) best_[i] = j;
    }
  }
  void Merge(uint32_t keep, uint32_t gone) {
    parent_[gone] = keep;
    for (uint32_t k = 0; k < n_; ++k) {
      if (k == keep || parent_[k] != k) continue;
      const int64_t x = Sum(keep, k);
      const int64_t y = Sum(gone, k);
      const int64_t sum = x == kNever || y == kNever ? kNever : complete() ? std::min(x, y) : x + y;
      sums_[keep * n_ + k] = sums_[k * n_ + keep] = sum;
    }
    size_[keep] += size_[gone];
    Look(keep);
    for (uint32_t k = 0; k < n_; ++k) {
      if (k == keep || parent_[k] != k) continue;
      if (best_[k] == keep || best_[k] == gone) {
        Look(k);
      } else if (best_[k] == kNobody || Order(k, keep, k, best_[k]) > 0) {
        best_[k] = keep;
      }
    }
  }

  const Frame& frame_;
  const Model& model_;
  const std::vector<RowId>& rows_;
  size_t n_;
  std::vector<int64_t> sums_;
  std::vector<uint32_t> size_;
  std::vector<uint32_t> parent_;
  std::vector<uint32_t> best_;
};

// The surest pairs first; with one_per_file no group gets a second row of a file.
std::vector<uint32_t> JoinAll(const Frame& frame, const Model& model, Component* component) {
  const size_t n = component->rows.size();
  Sets sets(n);
  std::vector<std::vector<uint16_t>> files(n);
  for (size_t i = 0; i < n; ++i) files[i] = {frame.file[component->rows[i]]};
  std::sort(component->pairs.begin(), component->pairs.end(), IsBetter);
  for (const ScoredPair& p : component->pairs) {
    const uint32_t a = sets.Find(Local(component->rows, p.a));
    const uint32_t b = sets.Find(Local(component->rows, p.b));
    if (a == b) continue;
    if (model.one_per_file) {
      std::vector<uint16_t> both;
      std::merge(files[a].begin(), files[a].end(), files[b].begin(), files[b].end(),
                 std::back_inserter(both));
      if (std::adjacent_find(both.begin(), both.end()) != both.end()) continue;
      files[std::min(a, b)] = std::move(both);
    }
    sets.Join(a, b);
  }
  std::vector<uint32_t> out(n);
  for (uint32_t i = 0; i < n; ++i) out[i] = sets.Find(i);
  return out;
}

}  // namespace

Result<Clusters> MakeClusters(const Frame& frame, const Model& model,
                              const std::vector<ScoredPair>& pairs, const PairScore& score,
                              TaskPool* pool) {
  Clusters out;
  Sets sets(frame.rows);
  for (const ScoredPair& p : pairs) {
    if (p.weight >= model.decision.threshold) sets.Join(p.a, p.b);
  }
  std::vector<uint32_t> size(frame.rows);
  for (uint32_t row = 0; row < frame.rows; ++row) ++size[sets.Find(row)];
  std::vector<uint32_t> number(frame.rows, UINT32_MAX);
  std::vector<Component> components;
  for (uint32_t row = 0; row < frame.rows; ++row) {
    const uint32_t root = sets.Find(row);
    if (size[root] < 2) continue;
    if (number[root] == UINT32_MAX) {
      number[root] = static_cast<uint32_t>(components.size());
      components.emplace_back();
    }
    components[number[root]].rows.push_back(row);
  }
  for (const ScoredPair& p : pairs) {
    if (p.weight < model.decision.threshold) continue;
    components[number[sets.Find(p.a)]].pairs.push_back(p);
  }
  out.components = components.size();
  for (const Component& c : components) {
    out.largest_component = std::max<uint64_t>(out.largest_component, c.rows.size());
  }

  // A component that is too large to be looked at as a whole falls apart by a threshold that rises
  // bit by bit. Where no pair is surer than the others the parts are persons as they are.
  const bool whole = model.decision.clustering == Clustering::kComponents;
  std::vector<Component> work;
  std::vector<std::pair<Component, Bits>> open;
  for (Component& c : components) open.emplace_back(std::move(c), model.decision.threshold);
  while (!open.empty()) {
    auto [component, least] = std::move(open.back());
    open.pop_back();
    if (whole || component.rows.size() <= model.decision.largest) {
      work.push_back(std::move(component));
      continue;
    }
    ++out.cut;
    Bits most = INT32_MIN;
    for (const ScoredPair& p : component.pairs) most = std::max(most, p.weight);
    std::vector<Component> parts;
    do {
      least += 100;
      if (least > most) break;
      parts = Split(component, least);
    } while (parts.size() == 1);
    if (parts.size() < 2) {
      work.push_back(std::move(component));
      continue;
    }
    for (Component& part : parts) {
      if (part.rows.size() > 1) open.emplace_back(std::move(part), least);
    }
  }

  std::vector<uint32_t> person(frame.rows);  // its smallest row
  std::iota(person.begin(), person.end(), 0);
  CANBAO_TRY(pool->ForEach(work.size(), [&](int worker, size_t i) -> Status {
    Component& c = work[i];
    const bool too_large = c.rows.size() > model.decision.largest;
    const std::vector<uint32_t> root =
        whole || too_large ? JoinAll(frame, model, &c)
                           : Agglomeration(frame, model, c).Run([&](RowId a, RowId b) {
                               return score(worker, a, b);
                             });
    for (size_t k = 0; k < root.size(); ++k) person[c.rows[k]] = c.rows[root[k]];
    return {};
  }));
  out.of_row.resize(frame.rows);
  for (uint32_t row = 0; row < frame.rows; ++row) {
    out.of_row[row] = person[row] == row ? out.count++ : out.of_row[person[row]];
  }
  return out;
}

}  // namespace canbao::linkage
