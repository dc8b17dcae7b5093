// Employers as rows refer to them: by credit code or by the number of their scheme's system. Filled
// from the employer extracts before any other file is read; read-only afterwards, shared by
// threads. Indices are stable for one run and stored in records.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "extract/delivery.h"

namespace canbao::comparison {

inline constexpr uint32_t kNoEmployer = 0;
inline constexpr uint32_t kUnknownEmployer =
    1;  // a number was given that no employer extract knows

struct Employer {
  uint64_t order = 0;  // content decides which of two rows of one employer stays, not timing
  uint8_t unit_type = 0;
  uint32_t county = 0;
};

class EmployerTable : public extract::RowSink {
 public:
  EmployerTable() : employers_(2) {}
  Status OnBatch(int worker, const extract::RowBatch& batch) override;

  // Finding in two steps, so that the memory behind many employers can be fetched at once: Want()
  // asks for it, Find() uses it.
  struct Wanted {
    uint64_t uscc = 0;         // hash, 0 = not given
    uint64_t employer_no = 0;  // the same
  };
  Wanted Want(std::string_view uscc, std::string_view employer_no) const;
  uint32_t Find(Wanted wanted) const;
  const Employer& At(uint32_t index) const { return employers_[index]; }
  size_t size() const { return employers_.size() - 2; }

  // For checkpoints: the employers by index; Find() needs no restoring.
  std::string Serialize() const;
  static std::unique_ptr<EmployerTable> Deserialize(std::string_view bytes);

 private:
  std::mutex mutex_;
  std::vector<Employer> employers_;
  // Open addressing over the hash of a code or number; every row of a scheme asks twice.
  struct Slot {
    uint64_t hash = 0;
    uint32_t index = 0;  // 0 = free
  };
  Slot* SlotOf(uint64_t hash);
  uint32_t Lookup(uint64_t hash) const;
  void Grow();
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  size_t used_ = 0;
};

}  // namespace canbao::comparison
