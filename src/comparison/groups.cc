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
      p += record->size;
    }
  }
  return {};
}

void Groups::Build(bool ordered) {
  size_t n = records_.size();
  // Persons are a fifth of the records or so; the table grows when they are more.
  size_t capacity = std::bit_ceil(std::max<size_t>(n, 16));
  table_.assign(capacity, Slot{0, kNone});
  next_.resize(n);
  first_.clear();
  // Records of one key lie far apart in the table's order: fetch slots ahead of their use.
  constexpr size_t kAhead = 12;
  for (size_t i = 0; i < n; ++i) {
    // The top bits chose the partition; the low ones are free.
    if (i + kAhead < n) {
      __builtin_prefetch(&table_[HashKey(records_[i + kAhead]->key) & (capacity - 1)]);
    }
    uint64_t key = records_[i]->key;
    size_t s = HashKey(key) & (capacity - 1);
    while (table_[s].group != kNone && table_[s].key != key) s = (s + 1) & (capacity - 1);
    if (table_[s].group == kNone) {
      table_[s] = Slot{key, static_cast<uint32_t>(first_.size())};
      next_[i] = kNone;
      first_.push_back(static_cast<uint32_t>(i));
      if (first_.size() * 8 > capacity * 7) [[unlikely]] {
        capacity *= 2;
        table_.assign(capacity, Slot{0, kNone});
        for (size_t g = 0; g < first_.size(); ++g) {
          uint64_t known = records_[first_[g]]->key;
          size_t t = HashKey(known) & (capacity - 1);
          while (table_[t].group != kNone) t = (t + 1) & (capacity - 1);
          table_[t] = Slot{known, static_cast<uint32_t>(g)};
        }
      }
      continue;
    }
    uint32_t& first = first_[table_[s].group];
    next_[i] = first;
    first = static_cast<uint32_t>(i);
  }
  order_.clear();
  if (!ordered) return;
  order_.resize(first_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(), [this](uint32_t a, uint32_t b) {
    return HashKey(records_[first_[a]]->key) < HashKey(records_[first_[b]]->key);
  });
}

void Groups::Get(size_t i, const std::vector<uint16_t>& canonical) {
  size_t g = order_.empty() ? i : order_[i];
  canonical_ = &canonical;
  // The lists run through records that lie anywhere in the partition.
  if (g + 2 < first_.size()) {
    uint32_t ahead = first_[g + 2];
    __builtin_prefetch(records_[ahead]);
  }
  items_.clear();
  for (uint32_t at = first_[g]; at != kNone; at = next_[at]) {
    const Packed* p = records_[at];
    items_.push_back({static_cast<uint64_t>(canonical[p->extract]) << 32 | p->line, p});
  }
  key_ = items_.front().record->key;
  // Lists come backwards and nearly in order: turn around, then insert.
  packed_.resize(items_.size());
  std::reverse(items_.begin(), items_.end());
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
