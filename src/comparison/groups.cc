#include "comparison/groups.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace canbao::comparison {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

void Groups::Clear() {
  used_ = 0;
  records_.clear();
  keys_.clear();
}

Status Groups::Add(const Spill& spill, uint32_t partition, StreamCipher* cipher) {
  if (used_ == buffers_.size()) buffers_.emplace_back();
  CANBAO_TRY(spill.ReadPartition(partition, cipher, &buffers_[used_++], &pieces_));
  for (std::span<const char> piece : pieces_) {
    const char* p = piece.data();
    const char* end = p + piece.size();
    while (p < end) {
      const auto* record = reinterpret_cast<const Packed*>(p);
      records_.push_back(record);
      const uint64_t key = record->key;  // a copy: members of packed records are not aligned
      keys_.push_back(key);
      p += record->size;
    }
  }
  return {};
}

void Groups::Build(bool ordered) {
  const size_t n = records_.size();
  // Persons are a fifth of the records or so; the table grows when they are more.
  size_t capacity = std::bit_ceil(std::max<size_t>(n / 3, 16));
  table_.assign(capacity, Slot{0, kNone});
  group_.resize(n);
  begin_.assign(2, 0);  // counts first: of group g at g + 2
  std::vector<uint64_t> distinct;
  for (size_t i = 0; i < n; ++i) {
    const uint64_t key = keys_[i];
    // The top bits chose the partition; the low ones are free.
    size_t s = HashKey(key) & (capacity - 1);
    while (table_[s].group != kNone && table_[s].key != key) s = (s + 1) & (capacity - 1);
    if (table_[s].group == kNone) {
      table_[s] = Slot{key, static_cast<uint32_t>(distinct.size())};
      group_[i] = static_cast<uint32_t>(distinct.size());
      distinct.push_back(key);
      begin_.push_back(1);
      if (distinct.size() * 8 > capacity * 7) [[unlikely]] {
        capacity *= 2;
        table_.assign(capacity, Slot{0, kNone});
        for (size_t g = 0; g < distinct.size(); ++g) {
          size_t t = HashKey(distinct[g]) & (capacity - 1);
          while (table_[t].group != kNone) t = (t + 1) & (capacity - 1);
          table_[t] = Slot{distinct[g], static_cast<uint32_t>(g)};
        }
      }
      continue;
    }
    group_[i] = table_[s].group;
    ++begin_[group_[i] + 2];
  }
  // Where each group begins; while they are filled, begin_[g + 1] is where the next record goes.
  for (size_t g = 2; g < begin_.size(); ++g) begin_[g] += begin_[g - 1];
  sorted_.resize(n);
  for (size_t i = 0; i < n; ++i) sorted_[begin_[group_[i] + 1]++] = records_[i];
  begin_.pop_back();
  order_.clear();
  if (!ordered) return;
  order_.resize(distinct.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(), [&distinct](uint32_t a, uint32_t b) {
    return HashKey(distinct[a]) < HashKey(distinct[b]);
  });
}

void Groups::Get(size_t i, const std::vector<uint16_t>& canonical) {
  const size_t g = order_.empty() ? i : order_[i];
  canonical_ = &canonical;
  const size_t begin = begin_[g];
  const size_t end = begin_[g + 1];
  packed_ = {sorted_.data() + begin, end - begin};
  key_ = packed_.front()->key;
  // Records lie anywhere in the partition; those of the next groups are fetched meanwhile.
  constexpr size_t kAhead = 24;
  for (size_t k = begin + kAhead; k < std::min(end + kAhead, sorted_.size()); ++k) {
    const char* p = reinterpret_cast<const char*>(sorted_[k]);
    __builtin_prefetch(p);
    __builtin_prefetch(p + sizeof(Packed) - 1);
  }
}

void Groups::Sort() {
  items_.clear();
  for (const Packed* p : packed_) items_.push_back({OrderOf(*p), p});
  // Few, as a rule, and partly in order.
  for (size_t k = 1; k < items_.size(); ++k) {
    Item item = items_[k];
    size_t to = k;
    for (; to > 0 && item.order < items_[to - 1].order; --to) items_[to] = items_[to - 1];
    items_[to] = item;
    if (k - to > 64) [[unlikely]] {  // a number that thousands of rows carry
      std::sort(items_.begin(), items_.end(),
                [](const Item& a, const Item& b) { return a.order < b.order; });
      break;
    }
  }
  for (size_t k = 0; k < items_.size(); ++k) packed_[k] = items_[k].record;
}

void Groups::Decode() {
  Sort();
  master_ = 0;
  rows_.clear();
  probes_.clear();
  for (const Packed* p : packed_) {
    if (p->kind == kMaster) {
      master_ = p->name;
      continue;
    }
    Record r = comparison::Decode(*p);
    r.extract = (*canonical_)[p->extract];
    (r.kind == kProbe ? probes_ : rows_).push_back(r);
  }
}

}  // namespace canbao::comparison
