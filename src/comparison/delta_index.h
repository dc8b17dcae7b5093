// Delta extracts (scope = "delta"): rows that replace or end rows of earlier lists of their source.
// A delta names its rows by source, scheme, region and personal number, else by the number of the
// person (docs of extracts.md); the newest row under a key is the one that holds, everything older
// under it is superseded.
//
// Filled by reading the delta extracts once before everything else (deltas are small: a few per
// cent of a list); read-only afterwards, shared by threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "extract/delivery.h"

namespace canbao::comparison {

class DeltaIndex : public extract::RowSink {
 public:
  // `extracts` in chronological order (Combine()); an extract's place there is its age.
  explicit DeltaIndex(const std::vector<extract::ExtractSpec>& extracts);

  Status OnBatch(int worker, const extract::RowBatch& batch) override;

  bool empty() const { return newest_.empty(); }
  // Does a newer row stand for this one, or does the row itself end an enrolment?
  bool IsSuperseded(size_t extract, uint32_t line, const extract::Row& row) const;

 private:
  struct Newest {
    uint64_t place;  // extract << 32 | line
    bool ends;       // D
  };
  uint64_t KeyOf(size_t extract, const extract::Row& row) const;

  const std::vector<extract::ExtractSpec>& extracts_;
  std::set<std::pair<std::string, extract::Kind>> sources_;
  std::vector<bool> touched_;  // by extract: its source has deltas
  std::mutex mutex_;
  std::unordered_map<uint64_t, Newest> newest_;
};

}  // namespace canbao::comparison
