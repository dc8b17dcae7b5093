// First stage: reads every byte once. Rows of all extracts become packed records in partitions by
// their number; damaged numbers also leave a probe in the partition of every number one repair
// away; rows without a usable number wait apart, partitioned by a provisional key.
//
//   rows ─▶ keyed    (number, probes, master)     ─▶ partition of HashKey(number)
//        ─▶ unkeyed  (no usable number, all texts) ─▶ partition of HashKey(provisional key)
//        ─▶ rejects  (with their text)             ─▶ partition of the extract
//
// The sink is called from all workers; each writes buffers of its own.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "comparison/delta_index.h"
#include "comparison/employer_table.h"
#include "comparison/record.h"
#include "comparison/spill.h"
#include "extract/delivery.h"

namespace canbao::comparison {

inline constexpr uint32_t kRejectPartitions = 64;

struct Population {
  uint64_t division = 0;  // 12 digits
  uint16_t year = 0;
  uint64_t people = 0;
};

struct PartitionOptions {
  int workers = 2;
  bool with_texts = false;  // the register will be loaded: carry what it stores
  Date today;
};

class PartitionStage : public extract::RowSink {
 public:
  PartitionStage(const std::vector<extract::ExtractSpec>& extracts, const EmployerTable& employers,
                 const DeltaIndex& deltas, Spill* keyed, Spill* unkeyed, Spill* rejects,
                 const PartitionOptions& options);

  Status OnBatch(int worker, const extract::RowBatch& batch) override;

  // After reading: highest line seen in each extract (workbooks: sheet << 24 | row).
  std::vector<uint32_t> MaxLines() const;
  std::vector<Population> TakePopulation();

 private:
  struct alignas(64) Worker {
    std::vector<uint8_t> record;
    std::vector<EmployerTable::Wanted> employers;  // of the batch, row by row
    std::vector<uint32_t> partitions;              // the same
    std::vector<uint32_t> max_line;
    std::vector<Population> population;
  };
  Status AddPersons(Worker* w, int worker, const extract::RowBatch& batch);
  Status AddRow(Worker* w, int worker, uint16_t extract, const extract::Row& row,
                Employer employer);
  Status AddReject(Worker* w, int worker, uint16_t extract, const extract::Reject& reject);

  const std::vector<extract::ExtractSpec>& extracts_;
  const EmployerTable& employers_;
  const DeltaIndex& deltas_;
  Spill* keyed_;
  Spill* unkeyed_;
  Spill* rejects_;
  PartitionOptions options_;
  uint32_t shift_;
  std::vector<Worker> workers_;
};

// The line as records carry it: workbooks put the sheet into the top byte.
inline uint32_t PackedLine(const extract::Row& row) {
  return static_cast<uint32_t>(row.sheet) << 24 | static_cast<uint32_t>(row.line);
}

// Partition of a key among `partitions` (a power of two, at least 2).
inline uint32_t PartitionOf(uint64_t key, uint32_t shift) {
  return static_cast<uint32_t>(HashKey(key) >> shift);
}
uint32_t ShiftFor(uint32_t partitions);

// Key of a row without a usable number: the same for rows of one source that carry the same
// personal number, name and birth date, so that they make one provisional person; else the row's
// own.
uint64_t ProvisionalKey(const extract::ExtractSpec& spec, const extract::Row& row, uint32_t line);

}  // namespace canbao::comparison
