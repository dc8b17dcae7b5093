#include "comparison/groups.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace canbao::comparison {

void Groups::Clear() {
  used_ = 0;
  records_.clear();
}

Status Groups::Add(const Spill& spill, uint32_t partition, StreamCipher* cipher) {
  if (used_ == buffers_.size()) buffers_.emplace_back();
  std::vector<char>& buffer = buffers_[used_++];
  CANBAO_TRY(spill.ReadPartition(partition, cipher, &buffer));
  const auto* p = reinterpret_cast<const uint8_t*>(buffer.data());
  const uint8_t* end = p + buffer.size();
  while (p < end) {
    records_.push_back(p);
    p += SizeAt(p);
  }
  return {};
}

void Groups::Build(bool ordered) {
  size_t n = records_.size();
  size_t capacity = std::bit_ceil(std::max<size_t>(n * 2, 16));
  table_.assign(capacity, Slot{0, UINT32_MAX});
  group_of_.resize(n);
  keys_.clear();
  first_.clear();
  // Records of one key lie far apart in the table's order: fetch slots ahead of their use.
  constexpr size_t kAhead = 12;
  auto slot_of = [&](const uint8_t* r) {
    // The top bits chose the partition; the low ones are free.
    return HashKey(KeyAt(r)) & (capacity - 1);
  };
  for (size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) __builtin_prefetch(&table_[slot_of(records_[i + kAhead])]);
    uint64_t key = KeyAt(records_[i]);
    size_t s = HashKey(key) & (capacity - 1);
    while (table_[s].group != UINT32_MAX && table_[s].key != key) s = (s + 1) & (capacity - 1);
    if (table_[s].group == UINT32_MAX) {
      table_[s] = Slot{key, static_cast<uint32_t>(keys_.size())};
      keys_.push_back(key);
      first_.push_back(0);
    }
    group_of_[i] = table_[s].group;
    ++first_[table_[s].group];
  }
  count_ = keys_.size();
  uint32_t sum = 0;
  for (uint32_t& f : first_) {
    uint32_t size = f;
    f = sum;
    sum += size;
  }
  sorted_.resize(n);
  for (size_t i = 0; i < n; ++i) sorted_[first_[group_of_[i]]++] = records_[i];
  // first_[g] is now the end of g; the begin is the end of the group before.
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0u);
  if (ordered) {
    std::sort(order_.begin(), order_.end(),
              [this](uint32_t a, uint32_t b) { return HashKey(keys_[a]) < HashKey(keys_[b]); });
  }
}

void Groups::Get(size_t i, const std::vector<uint16_t>& canonical) {
  uint32_t g = order_[i];
  uint32_t begin = g == 0 ? 0 : first_[g - 1];
  key_ = keys_[g];
  master_ = 0;
  rows_.clear();
  probes_.clear();
  for (uint32_t at = begin; at < first_[g]; ++at) {
    Record r;
    Decode(sorted_[at], &r);
    if (r.kind == kMaster) {
      master_ = r.name;
      continue;
    }
    r.extract = canonical[r.extract];
    (r.kind == kProbe ? probes_ : rows_).push_back(r);
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const Record& a, const Record& b) { return a.order() < b.order(); });
}

}  // namespace canbao::comparison
