#include "comparison/employer_table.h"

#include <cstring>

#include "comparison/record.h"

namespace canbao::comparison {
namespace {

// Credit codes ('u') and system numbers ('n') are two spaces of names.
uint64_t HashIn(char space, std::string_view text) {
  return HashText(text, static_cast<uint8_t>(space)) | 1u << 31;  // never 0
}

}  // namespace

Status EmployerTable::OnBatch(int, const extract::RowBatch& batch) {
  std::lock_guard lock(mutex_);
  for (const extract::Row& row : batch.rows) {
    // Two rows of one employer: the one whose content orders first stays, in whatever order they
    // come.
    Employer e;
    e.unit_type = row.unit_type;
    e.county = row.division.county();
    e.order = HashKey(static_cast<uint64_t>(e.unit_type) << 32 | e.county);
    auto add = [&](char space, std::string_view text) {
      if (text.empty()) return;
      if (used_ * 2 >= slots_.size()) Grow();
      uint64_t hash = HashIn(space, text);
      Slot* slot = SlotOf(hash);
      if (slot->index == 0) {
        *slot = Slot{hash, static_cast<uint32_t>(employers_.size())};
        ++used_;
        employers_.push_back(e);
      } else if (e.order < employers_[slot->index].order) {
        employers_[slot->index] = e;
      }
    };
    add('u', row.uscc);
    add('n', row.employer_no);
  }
  return {};
}

EmployerTable::Slot* EmployerTable::SlotOf(uint64_t hash) {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].index != 0 && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
  return &slots_[at];
}

uint32_t EmployerTable::Lookup(uint64_t hash) const {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].index != 0) {
    if (slots_[at].hash == hash) return slots_[at].index;
    at = (at + 1) & (slots_.size() - 1);
  }
  return 0;
}

void EmployerTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& s : old) {
    if (s.index != 0) *SlotOf(s.hash) = s;
  }
}

EmployerTable::Wanted EmployerTable::Want(std::string_view uscc,
                                          std::string_view employer_no) const {
  Wanted w;
  auto fetch = [this](uint64_t hash) {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
    return hash;
  };
  if (!uscc.empty()) w.uscc = fetch(HashIn('u', uscc));
  if (!employer_no.empty()) w.employer_no = fetch(HashIn('n', employer_no));
  return w;
}

uint32_t EmployerTable::Find(Wanted wanted) const {
  if ((wanted.uscc | wanted.employer_no) == 0) return kNoEmployer;
  uint32_t found = wanted.uscc == 0 ? 0 : Lookup(wanted.uscc);
  if (found == 0 && wanted.employer_no != 0) found = Lookup(wanted.employer_no);
  return found == 0 ? kUnknownEmployer : found;
}

std::string EmployerTable::Serialize() const {
  std::string out;
  for (const Employer& e : employers_) {
    char bytes[5];
    std::memcpy(bytes, &e.county, 4);
    bytes[4] = static_cast<char>(e.unit_type);
    out.append(bytes, 5);
  }
  return out;
}

std::unique_ptr<EmployerTable> EmployerTable::Deserialize(std::string_view bytes) {
  auto t = std::make_unique<EmployerTable>();
  t->employers_.clear();
  for (size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    Employer e;
    std::memcpy(&e.county, bytes.data() + i, 4);
    e.unit_type = static_cast<uint8_t>(bytes[i + 4]);
    t->employers_.push_back(e);
  }
  return t;
}

}  // namespace canbao::comparison
