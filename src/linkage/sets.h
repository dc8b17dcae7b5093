// Disjoint sets of the numbers below n. The representative of a set is its smallest member, so
// nothing depends on the order in which sets were joined. One thread.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace canbao::linkage {

class Sets {
 public:
  explicit Sets(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t Find(uint32_t i) {
    while (parent_[i] != i) {
      parent_[i] = parent_[parent_[i]];
      i = parent_[i];
    }
    return i;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Find(a);
    b = Find(b);
    if (a < b) std::swap(a, b);
    parent_[a] = b;
  }

 private:
  std::vector<uint32_t> parent_;
};

}  // namespace canbao::linkage
