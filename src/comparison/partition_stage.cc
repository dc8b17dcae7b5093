#include "comparison/partition_stage.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/bytes.h"

namespace canbao::comparison {
namespace {

using extract::Kind;
using identity::NumberClass;

}  // namespace

uint32_t ShiftFor(uint32_t partitions) {
  return 64 - static_cast<uint32_t>(std::countr_zero(partitions));
}

uint64_t ProvisionalKey(const extract::ExtractSpec& spec, const extract::Row& row, uint32_t line) {
  uint64_t h = HashText(extract::KindName(spec.kind), HashText(spec.source));
  if (!row.person_no.empty() && row.name_code.has_value()) {
    h = HashKey(HashText(row.person_no, h) ^ row.name_code.v);
    h = HashKey(h ^ row.birth.v);
  } else {
    h = HashKey(HashText(spec.file, h) ^ line);
  }
  return h | kProvisionalBit;
}

PartitionStage::PartitionStage(const std::vector<extract::ExtractSpec>& extracts,
                               const EmployerTable& employers, const DeltaIndex& deltas,
                               Spill* keyed, Spill* unkeyed, Spill* rejects,
                               const PartitionOptions& options)
    : extracts_(extracts),
      employers_(employers),
      deltas_(deltas),
      keyed_(keyed),
      unkeyed_(unkeyed),
      rejects_(rejects),
      options_(options),
      shift_(ShiftFor(keyed->partitions())),
      workers_(static_cast<size_t>(options.workers)) {
  for (Worker& w : workers_) w.max_line.assign(extracts.size(), 0);
}

Status PartitionStage::OnBatch(int worker, const extract::RowBatch& batch) {
  Worker& w = workers_[static_cast<size_t>(worker)];
  auto extract = static_cast<uint16_t>(batch.extract);
  if (extract::IsReference(extracts_[extract].kind)) {
    for (const extract::Row& row : batch.rows) {
      CANBAO_TRY(AddRow(&w, worker, extract, row, {}));
    }
  } else {
    CANBAO_TRY(AddPersons(&w, worker, batch));
  }
  for (const extract::Reject& reject : batch.rejects) {
    CANBAO_TRY(AddReject(&w, worker, extract, reject));
  }
  return {};
}

// Employers lie anywhere in a table larger than the cache, and the places where records go anywhere
// in memory: what all rows of the batch will touch is fetched before the first of them is packed.
Status PartitionStage::AddPersons(Worker* w, int worker, const extract::RowBatch& batch) {
  auto extract = static_cast<uint16_t>(batch.extract);
  const Kind kind = extracts_[extract].kind;
  const size_t n = batch.rows.size();
  w->employers.resize(n);
  w->partitions.resize(n);
  for (size_t i = 0; i < n; ++i) {
    const extract::Row& row = batch.rows[i];
    w->employers[i] = employers_.Want(row.uscc, row.employer_no);
    w->partitions[i] = PartitionOf(row.number.number.v, shift_);
    keyed_->FetchBuffer(worker, w->partitions[i]);
  }
  for (size_t i = 0; i < n; ++i) keyed_->FetchPlace(worker, w->partitions[i]);
  const bool plain = deltas_.empty() && !options_.with_texts;
  uint32_t highest = 0;
  for (size_t i = 0; i < n; ++i) {
    const extract::Row& row = batch.rows[i];
    const Employer employer = employers_.Find(w->employers[i]);
    if (plain && row.number.number.has_value() && !NeedsTexts(row, false)) {
      uint8_t* to = keyed_->Claim(worker, w->partitions[i], sizeof(Packed));
      if (to != nullptr) {
        uint32_t line = PackedLine(row);
        highest = std::max(highest, line);
        Pack(row, kind, extract, line, row.number.number.v, employer,
             reinterpret_cast<Packed*>(to));
        continue;
      }
    }
    CANBAO_TRY(AddRow(w, worker, extract, row, employer));
  }
  w->max_line[extract] = std::max(w->max_line[extract], highest);
  return {};
}

Status PartitionStage::AddRow(Worker* w, int worker, uint16_t extract, const extract::Row& row,
                              Employer employer) {
  const extract::ExtractSpec& spec = extracts_[extract];
  uint32_t line = PackedLine(row);
  w->max_line[extract] = std::max(w->max_line[extract], line);
  if (extract::IsReference(spec.kind)) {
    if (spec.kind == Kind::kResidentPopulation) {
      w->population.push_back({row.division.v, row.year, row.population});
    }
    return {};
  }
  if (!deltas_.empty() && deltas_.IsSuperseded(extract, line, row)) {
    uint64_t key = HashKey(static_cast<uint64_t>(extract) << 32 | line) | kProvisionalBit;
    size_t size = EncodeSuperseded(extract, line, key, &w->record);
    return keyed_->Append(worker, PartitionOf(key, shift_), w->record.data(), size);
  }

  if (row.number.number.has_value()) {
    uint64_t key = row.number.number.v;
    uint32_t partition = PartitionOf(key, shift_);
    size_t size =
        Encode(row, spec.kind, extract, line, key, employer, options_.with_texts, &w->record);
    return keyed_->Append(worker, partition, w->record.data(), size);
  }
  uint64_t key = ProvisionalKey(spec, row, line);
  size_t size = Encode(row, spec.kind, extract, line, key, employer, true, &w->record);
  CANBAO_TRY(unkeyed_->Append(worker, PartitionOf(key, shift_), w->record.data(), size));
  // A register row is the baseline itself: it is never repaired onto another person.
  if (row.number.cls != NumberClass::kDamaged || IsRegister(static_cast<uint8_t>(spec.kind))) {
    return {};
  }
  std::string_view text(row.number.text, row.number.length);
  for (identity::PersonNumber candidate : identity::RepairCandidates(text, options_.today)) {
    size = EncodeProbe(row, extract, line, candidate.v, &w->record);
    CANBAO_TRY(keyed_->Append(worker, PartitionOf(candidate.v, shift_), w->record.data(), size));
  }
  return {};
}

// Layout: u16 extract · u32 line · u8 reason · u16 column · u16 field size · u32 text size · bytes.
Status PartitionStage::AddReject(Worker* w, int worker, uint16_t extract,
                                 const extract::Reject& reject) {
  uint32_t line = static_cast<uint32_t>(reject.sheet) << 24 | static_cast<uint32_t>(reject.line);
  w->max_line[extract] = std::max(w->max_line[extract], line);
  auto field = static_cast<uint16_t>(reject.field.size());
  auto text = static_cast<uint32_t>(reject.text.size());
  std::vector<uint8_t>& out = w->record;
  out.resize(std::max<size_t>(out.size(), 15 + reject.field.size() + reject.text.size()));
  uint8_t* p = out.data();
  auto put = [&p](const void* v, size_t n) {
    CopyBytes(p, v, n);
    p += n;
  };
  put(&extract, 2);
  put(&line, 4);
  put(&reject.reason, 1);
  put(&reject.column, 2);
  put(&field, 2);
  put(&text, 4);
  put(reject.field.data(), field);
  put(reject.text.data(), text);
  return rejects_->Append(worker, extract % kRejectPartitions, out.data(),
                          static_cast<size_t>(p - out.data()));
}

std::vector<uint32_t> PartitionStage::MaxLines() const {
  std::vector<uint32_t> max(extracts_.size(), 0);
  for (const Worker& w : workers_) {
    for (size_t i = 0; i < max.size(); ++i) max[i] = std::max(max[i], w.max_line[i]);
  }
  return max;
}

std::vector<Population> PartitionStage::TakePopulation() {
  std::vector<Population> all;
  for (Worker& w : workers_) all.insert(all.end(), w.population.begin(), w.population.end());
  std::sort(all.begin(), all.end(), [](const Population& a, const Population& b) {
    return std::tie(a.division, a.year, a.people) < std::tie(b.division, b.year, b.people);
  });
  return all;
}

}  // namespace canbao::comparison
