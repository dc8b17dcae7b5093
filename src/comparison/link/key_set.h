// A few keys among very many: one load turns most questions away. Immutable after Close(). Keys
// that are hashes already (kHashed) are not hashed again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "comparison/record.h"

namespace canbao::comparison {

template <bool kHashed>
class BasicKeySet {
 public:
  void Add(uint64_t key) { keys_.push_back(key); }
  void Close() {
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    bits_.assign(std::bit_ceil(std::max<size_t>(keys_.size() / 4, 1)), 0);
    for (uint64_t k : keys_) {
      const uint64_t h = Hash(k);
      bits_[h >> 12 & (bits_.size() - 1)] |= BitsOf(h);
    }
  }
  bool Has(uint64_t key) const {
    const uint64_t h = Hash(key);
    const uint64_t both = BitsOf(h);
    return (bits_[h >> 12 & (bits_.size() - 1)] & both) == both &&
           std::binary_search(keys_.begin(), keys_.end(), key);
  }
  // Asks memory for what Has() will look at.
  void Fetch(uint64_t key) const {
    __builtin_prefetch(&bits_[Hash(key) >> 12 & (bits_.size() - 1)]);
  }
  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }

 private:
  static uint64_t Hash(uint64_t key) { return kHashed ? key : HashKey(key); }
  // Two bits of one word say that a key may be there: one load, and one in a hundred is wrong.
  static uint64_t BitsOf(uint64_t h) { return 1ull << (h & 63) | 1ull << (h >> 6 & 63); }
  std::vector<uint64_t> keys_;                             // sorted
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(1);  // a power of two of words
};
using KeySet = BasicKeySet<false>;
using HashSet = BasicKeySet<true>;

}  // namespace canbao::comparison
