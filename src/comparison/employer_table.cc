#include "comparison/employer_table.h"

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
    const Employer employer =
        Employer::Of(row.unit_type, row.division.county(),
                     ShortHash(row.uscc.empty() ? row.employer_no : row.uscc));
    auto add = [&](char space, std::string_view text) {
      if (text.empty()) return;
      if (used_ * 2 >= slots_.size()) Grow();
      uint64_t hash = HashIn(space, text);
      Slot* slot = SlotOf(hash);
      // Two rows of one employer: the one whose content orders first stays, in whatever order they
      // come.
      if (slot->hash == 0) {
        *slot = Slot{hash, employer};
        ++used_;
      } else if (HashKey(uint64_t{employer.id} << 32 | employer.v) <
                 HashKey(uint64_t{slot->employer.id} << 32 | slot->employer.v)) {
        slot->employer = employer;
      }
    };
    add('u', row.uscc);
    add('n', row.employer_no);
  }
  return {};
}

EmployerTable::Slot* EmployerTable::SlotOf(uint64_t hash) {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
  return &slots_[at];
}

Employer EmployerTable::Lookup(uint64_t hash) const {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].hash != 0) {
    if (slots_[at].hash == hash) return slots_[at].employer;
    at = (at + 1) & (slots_.size() - 1);
  }
  return {};
}

void EmployerTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& s : old) {
    if (s.hash != 0) *SlotOf(s.hash) = s;
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

Employer EmployerTable::Find(Wanted wanted) const {
  if ((wanted.uscc | wanted.employer_no) == 0) return {};
  Employer found = wanted.uscc == 0 ? Employer{} : Lookup(wanted.uscc);
  if (!found.given() && wanted.employer_no != 0) found = Lookup(wanted.employer_no);
  if (found.given()) return found;
  uint64_t hash = wanted.uscc != 0 ? wanted.uscc : wanted.employer_no;
  return Employer::Of(0, 0, static_cast<uint16_t>(hash >> 48 | 1u));
}

}  // namespace canbao::comparison
