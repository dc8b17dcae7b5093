#include "comparison/delta_index.h"

#include "comparison/partition_stage.h"
#include "comparison/record.h"

namespace canbao::comparison {

DeltaIndex::DeltaIndex(const std::vector<extract::ExtractSpec>& extracts) : extracts_(extracts) {
  for (const auto& e : extracts) {
    if (e.delta) sources_.insert({e.source, e.kind});
  }
  for (const auto& e : extracts) touched_.push_back(sources_.contains({e.source, e.kind}));
}

uint64_t DeltaIndex::KeyOf(size_t extract, const extract::Row& row) const {
  const extract::ExtractSpec& spec = extracts_[extract];
  uint64_t h = HashText(extract::KindName(spec.kind), HashText(spec.source));
  h = HashKey(h ^ (static_cast<uint64_t>(row.scheme) << 32 | row.region));
  if (!row.person_no.empty()) return HashText(row.person_no, h);
  if (row.number.number.has_value()) return HashKey(h ^ row.number.number.v);
  return HashText(row.id_number, HashKey(h ^ row.name_code.v));
}

Status DeltaIndex::OnBatch(int, const extract::RowBatch& batch) {
  std::lock_guard lock(mutex_);
  for (const extract::Row& row : batch.rows) {
    Newest n{static_cast<uint64_t>(batch.extract) << 32 | PackedLine(row),
             row.change == extract::Change::kDelete};
    auto [it, fresh] = newest_.try_emplace(KeyOf(batch.extract, row), n);
    if (!fresh && it->second.place < n.place) it->second = n;
  }
  return {};
}

bool DeltaIndex::IsSuperseded(size_t extract, uint32_t line, const extract::Row& row) const {
  if (newest_.empty() || !touched_[extract]) return false;
  auto it = newest_.find(KeyOf(extract, row));
  if (it == newest_.end()) return false;
  uint64_t place = static_cast<uint64_t>(extract) << 32 | line;
  return place < it->second.place || (place == it->second.place && it->second.ends);
}

}  // namespace canbao::comparison
