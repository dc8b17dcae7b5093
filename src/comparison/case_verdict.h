// What people had decided of duplicates before a run's cut-off (casework): dismissed ones leave the
// columns of form 2-1, consolidated ones stay and count in 已整合 too. An input of a run like its
// files: its digest is part of the rules, so of the run's name.
//
// Immutable after construction, shared by threads.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "scheme/person.h"

namespace canbao::comparison {

struct CaseVerdict {
  uint64_t person = 0;
  uint16_t dismissed = 0;     // bits of scheme::Duplicate
  uint16_t consolidated = 0;  // the same
};

class CaseVerdicts {
 public:
  CaseVerdicts() = default;
  // One for each person, in any order.
  explicit CaseVerdicts(std::vector<CaseVerdict> verdicts) : verdicts_(std::move(verdicts)) {
    std::sort(verdicts_.begin(), verdicts_.end(),
              [](const CaseVerdict& a, const CaseVerdict& b) { return a.person < b.person; });
    if (verdicts_.empty()) return;
    std::string text;
    for (const CaseVerdict& v : verdicts_) {
      text += fmt::format("{}|{}|{}\n", v.person, v.dismissed, v.consolidated);
    }
    digest_ = Sha256Hex(text).substr(0, 16);
  }

  bool empty() const { return verdicts_.empty(); }
  const std::string& digest() const { return digest_; }
  void Apply(uint64_t person, scheme::Classification* c) const {
    auto it = std::lower_bound(verdicts_.begin(), verdicts_.end(), person,
                               [](const CaseVerdict& v, uint64_t key) { return v.person < key; });
    if (it != verdicts_.end() && it->person == person) {
      scheme::ApplyCases(it->dismissed, it->consolidated, c);
    }
  }

 private:
  std::vector<CaseVerdict> verdicts_;  // by person
  std::string digest_;
};

}  // namespace canbao::comparison
