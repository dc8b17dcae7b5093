// Employers as rows refer to them: by credit code or by the number of their scheme's system. Filled
// from the employer extracts before any other file is read; read-only afterwards, shared by
// threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "comparison/employer.h"
#include "extract/delivery.h"

namespace canbao::comparison {

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
