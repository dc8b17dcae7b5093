// Employers as rows refer to them: by credit code or by the number of their scheme's system. Filled
// from the employer extracts before any other file is read; read-only afterwards, shared by
// threads. What the stages want to know of an employer fits in a word, which records carry.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "extract/delivery.h"

namespace canbao::comparison {

// From below: county 20 bits (six digits, 0 = unknown), unit type 8, nothing 3, given 1.
struct Employer {
  uint32_t v = 0;
  static constexpr Employer Of(uint8_t unit_type, uint32_t county) {
    return {1u << 31 | static_cast<uint32_t>(unit_type) << 20 | (county & 0xFFFFF)};
  }
  // A number was given, even if no employer extract knows it.
  bool given() const { return v != 0; }
  uint8_t unit_type() const { return static_cast<uint8_t>(v >> 20); }
  uint32_t county() const { return v & 0xFFFFF; }
};
inline constexpr Employer kUnknownEmployer = Employer::Of(0, 0);

class EmployerTable : public extract::RowSink {
 public:
  Status OnBatch(int worker, const extract::RowBatch& batch) override;

  // Finding in two steps, so that the memory behind many employers can be fetched at once: Want()
  // asks for it, Find() uses it.
  struct Wanted {
    uint64_t uscc = 0;         // hash, 0 = not given
    uint64_t employer_no = 0;  // the same
  };
  Wanted Want(std::string_view uscc, std::string_view employer_no) const;
  Employer Find(Wanted wanted) const;

 private:
  std::mutex mutex_;
  // Open addressing over the hash of a code or number; every row of a scheme asks twice.
  struct Slot {
    uint64_t hash = 0;  // 0 = free
    Employer employer;
  };
  Slot* SlotOf(uint64_t hash);
  Employer Lookup(uint64_t hash) const;  // not given = not there
  void Grow();
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  size_t used_ = 0;
};

}  // namespace canbao::comparison
