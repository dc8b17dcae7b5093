// One partition in memory, its records grouped by key. Groups come in the order of HashKey (the
// order of persons in outcome files, whatever the number of partitions); rows of a group in
// internal order. One object per thread, reused for many partitions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comparison/record.h"
#include "comparison/spill.h"

namespace canbao::comparison {

class Groups {
 public:
  // Starts an empty partition; Add() reads a spill's partition into it.
  void Clear();
  Status Add(const Spill& spill, uint32_t partition, StreamCipher* cipher);
  void Build(bool ordered);

  size_t size() const { return count_; }
  // Rows of group `i`, decoded, with canonical extract ordinals, ascending by order(). Probes come
  // apart; so does the person key of a master record (0 = none). Valid until the next Get().
  void Get(size_t i, const std::vector<uint16_t>& canonical);
  uint64_t key() const { return key_; }
  std::span<const Record> rows() const { return rows_; }
  std::span<const Record> probes() const { return probes_; }
  uint64_t master() const { return master_; }

 private:
  struct Slot {
    uint64_t key;
    uint32_t group;
  };
  std::vector<std::vector<char>> buffers_;  // one per Add(), reused
  size_t used_ = 0;
  std::vector<const uint8_t*> records_;  // all records of the partition
  std::vector<uint32_t> group_of_;
  std::vector<Slot> table_;
  std::vector<uint64_t> keys_;   // by group
  std::vector<uint32_t> first_;  // by group, into sorted_
  std::vector<const uint8_t*> sorted_;
  std::vector<uint32_t> order_;
  size_t count_ = 0;

  uint64_t key_ = 0;
  uint64_t master_ = 0;
  std::vector<Record> rows_;
  std::vector<Record> probes_;
};

}  // namespace canbao::comparison
