// The dated policy of casework (data/casework/*.toml, docs/formats/cases.md): which steps lead from
// which state to which, who takes them and by when, what counts as evidence, which relation of a
// duplicate is proposed to be kept and in which words.
//
// Immutable after Load(); shared by threads. Nothing falls back to a value in code: a missing or
// contradictory file is an Error CB-CASEWORK-0001 (environment), none in force CB-CASEWORK-0002.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/error.h"

namespace canbao::casework {

enum class CaseKind : uint8_t { kDuplicate = 1, kDiscrepancy = 2 };
std::string_view KindName(CaseKind kind);  // "duplicate"

// Numbers as canbao.case keeps them; names and words stand in the policy.
using State = int16_t;
inline constexpr State kFound = 1;
inline constexpr State kConsolidated = 5;
inline constexpr State kDismissed = 6;
inline constexpr State kGone = 10;

struct StateInfo {
  State number = 0;
  std::string name;
  Text label;
  bool closed = false;
};

enum class Who : uint8_t { kAnyone, kParty, kSource };

struct StepInfo {
  bool duplicate = false;  // of which kinds of cases
  bool discrepancy = false;
  std::string action;
  Text label;
  std::vector<State> from;  // empty = any, and the state stays
  State to = 0;             // 0 = stays
  Who who = Who::kAnyone;
  std::vector<std::string> needs;  // note, reason, due
  bool all_parties = false;
  bool four_eyes = false;
  int due_days = 0;  // for the state that it leads to; 0 = none
  bool Of(CaseKind kind) const { return kind == CaseKind::kDuplicate ? duplicate : discrepancy; }
  bool Needs(std::string_view what) const;
};

enum class Criterion : uint8_t {
  kEmployee,
  kEmployeeYear,
  kEmployed,
  kResidence,
  kLongest,
  kLatest
};

struct KeepRule {
  std::vector<Criterion> criteria;
  Text wording;
};

class Policy {
 public:
  // What is in force on `day`, from `policy_dir`/casework.
  static Result<std::shared_ptr<const Policy>> Load(const std::string& policy_dir, Date day);

  const std::vector<StateInfo>& states() const { return states_; }
  const std::vector<StepInfo>& steps() const { return steps_; }
  const StateInfo* FindState(State number) const;
  const StateInfo* FindState(std::string_view name) const;
  const StepInfo* FindStep(CaseKind kind, std::string_view action) const;
  // Null where no rule speaks of the duplicate (one bit of scheme::Duplicate).
  const KeepRule* KeepRuleOf(int duplicate) const;
  int64_t largest_evidence() const { return largest_evidence_; }
  bool TakesType(std::string_view type) const;  // "pdf"

 private:
  friend class PolicyReader;
  std::vector<StateInfo> states_;
  std::vector<StepInfo> steps_;
  std::map<int, KeepRule> keep_;
  int64_t largest_evidence_ = 0;
  std::vector<std::string> types_;
};

}  // namespace canbao::casework
