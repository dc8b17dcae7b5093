#include "comparison/employer_table.h"

#include <cstring>

#include "comparison/record.h"

namespace canbao::comparison {
namespace {

// Credit codes ('u') and system numbers ('n') are two spaces of names.
uint64_t HashIn(char space, std::string_view text) {
  return HashText(text, static_cast<uint8_t>(space));
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
      auto [it, fresh] = index_.try_emplace(HashIn(space, text), 0);
      if (fresh) {
        it->second = static_cast<uint32_t>(employers_.size());
        employers_.push_back(e);
      } else if (e.order < employers_[it->second].order) {
        employers_[it->second] = e;
      }
    };
    add('u', row.uscc);
    add('n', row.employer_no);
  }
  return {};
}

uint32_t EmployerTable::Find(std::string_view uscc, std::string_view employer_no) const {
  if (uscc.empty() && employer_no.empty()) return kNoEmployer;
  if (!uscc.empty()) {
    auto it = index_.find(HashIn('u', uscc));
    if (it != index_.end()) return it->second;
  }
  if (!employer_no.empty()) {
    auto it = index_.find(HashIn('n', employer_no));
    if (it != index_.end()) return it->second;
  }
  return kUnknownEmployer;
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
