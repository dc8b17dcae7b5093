// One partition in memory, its records grouped by key. Groups come in the order of HashKey (the
// order of persons in outcome files, whatever the number of partitions) when that is asked for;
// rows of a group in internal order once they are sorted. One object per thread, reused for many
// partitions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comparison/record.h"
#include "comparison/spill.h"

namespace canbao::comparison {

class Groups {
 public:
  // Starts an empty partition; Add() reads a spill's partition into it. Build() may be called once
  // for it.
  void Clear();
  Status Add(const Spill& spill, uint32_t partition, StreamCipher* cipher);
  void Build(bool ordered);

  size_t size() const { return begin_.empty() ? 0 : begin_.size() - 1; }
  // Takes up group `i`. Everything below is about it, and valid until the next Get(). `canonical`
  // must live as long.
  void Get(size_t i, const std::vector<uint16_t>& canonical);
  uint64_t key() const { return key_; }
  // All records of the group where they lie, rows, probes and masters, with the extract ordinals of
  // the delivery: in any order, in internal order after Sort().
  std::span<const Packed* const> packed() const { return packed_; }
  void Sort();
  // The place of a record in the internal order.
  uint64_t OrderOf(const Packed& p) const {
    return static_cast<uint64_t>((*canonical_)[p.extract]) << 32 | p.line;
  }
  // The same decoded, with canonical ordinals: rows ascending by order(); probes come apart; so
  // does the person key of a master record (0 = none). Sorts.
  void Decode();
  std::span<const Record> rows() const { return rows_; }
  std::span<const Record> probes() const { return probes_; }
  uint64_t master() const { return master_; }

 private:
  // Open addressing over the key.
  struct Slot {
    uint64_t key;
    uint32_t group;
  };
  struct Item {
    uint64_t order;
    const Packed* record;
  };
  std::vector<std::vector<char>> buffers_;  // one per Add(), reused
  size_t used_ = 0;
  std::vector<std::span<const char>> pieces_;
  std::vector<const Packed*> records_;  // all records of the partition, as they came …
  std::vector<uint64_t> keys_;          // … their keys …
  std::vector<uint32_t> group_;         // … and groups
  std::vector<Slot> table_;
  std::vector<const Packed*> sorted_;  // by group
  std::vector<uint32_t> begin_;        // where groups begin in sorted_; one over
  std::vector<uint32_t> order_;        // only when ordered

  uint64_t key_ = 0;
  const std::vector<uint16_t>* canonical_ = nullptr;
  std::span<const Packed*> packed_;  // in sorted_
  std::vector<Item> items_;
  uint64_t master_ = 0;
  std::vector<Record> rows_;
  std::vector<Record> probes_;
};

}  // namespace canbao::comparison
