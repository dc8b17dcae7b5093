// Cases in the database, as a session sees them: lists by key, one with its history, steps, counts.
//
// Every function works in the caller's transaction, on its connection; policies of migration 0006
// decide what is seen and changed. A step compares the version it was made for: of two at once one
// is refused with CB-CASEWORK-0003. CB-CASEWORK-0012: no such case, or not in this scope.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "casework/keep.h"
#include "casework/machine.h"
#include "casework/policy.h"
#include "register/cipher.h"
#include "register/connection.h"

namespace canbao::casework {

// 12 digits, half open.
struct Divisions {
  int64_t low = 0;
  int64_t high = 1000000000000;
};

struct CaseFilter {
  std::optional<CaseKind> kind;
  std::optional<int> number;
  std::optional<State> shown;
  std::string assignee;
  bool overdue = false;
  std::optional<uint64_t> person;
  Divisions where;
  std::string after, before;  // opaque, from CasePage
  int limit = 50;
  Date today;
};

struct CaseRow {
  int64_t id = 0;
  CaseKind kind = CaseKind::kDuplicate;
  int number = 0;
  State shown = kFound;
  uint64_t person_key = 0;
  std::string name;            // clear; the service masks
  std::string citizen_number;  // or another document; clear
  uint32_t county = 0;
  Date found_cutoff;
  std::string assignee;
  Date due;
  bool overdue = false;
  bool pays_benefits = false;
  int version = 1;
};

struct CasePage {
  std::vector<CaseRow> rows;
  int64_t count = 0;
  std::string next, previous;  // "" = none
};

Result<CasePage> ListCases(reg::Connection& c, const reg::FieldCipher& cipher,
                           const CaseFilter& filter);

struct CaseCount {
  CaseKind kind = CaseKind::kDuplicate;
  int number = 0;
  State shown = kFound;
  int64_t count = 0;
  int64_t overdue = 0;
};
Result<std::vector<CaseCount>> CountCases(reg::Connection& c, const Divisions& where, Date today);

struct CaseEvent {
  std::string at, by, action, note;
  State from = 0, to = 0;  // 0 = no change of state
};
struct EvidenceRow {
  int64_t id = 0;
  std::string name, content_type, sha256, by, at;
  int64_t size = 0;
};
struct PartyRow {
  Party party;
  std::string by, at;
};

struct CaseDetail {
  CaseRow row;
  CaseFacts facts;
  std::vector<Relation> relations;
  int keep = -1;        // of relations: what is kept, by a person's choice or the rule
  bool chosen = false;  // by a person
  uint64_t residence = 0;
  std::string field, delivered, prevailing;  // of a discrepancy; clear
  bool identity_field = false;               // delivered and prevailing are a number or a phone
  std::string source, place;
  std::vector<PartyRow> parties;
  std::string pending_at;
  std::vector<CaseEvent> events;
  std::vector<EvidenceRow> evidence;
};

Result<CaseDetail> ReadCase(reg::Connection& c, const reg::FieldCipher& cipher,
                            const Policy& policy, int64_t id);

// Takes the step when the case still has `version` (0 = whatever it has). `today` is the day in the
// time of the server.
Status StepCase(reg::Connection& c, const reg::FieldCipher& cipher, const Policy& policy,
                int64_t id, int version, const Actor& actor, const Intent& intent, Date today);

struct BulkRefusal {
  int64_t id = 0;
  Error error;
};
struct BulkResult {
  std::vector<int64_t> done;
  std::vector<BulkRefusal> refused;
};
// Each in a savepoint of its own: what is refused leaves no trace, the others stand.
Result<BulkResult> StepCases(reg::Connection& c, const reg::FieldCipher& cipher,
                             const Policy& policy, const std::vector<int64_t>& ids,
                             const Actor& actor, const Intent& intent, Date today);

// Writes down a file that lies in DATA/evidence (casework/evidence.h).
Status AddEvidenceRow(reg::Connection& c, int64_t id, const EvidenceRow& evidence);
Result<EvidenceRow> FindEvidence(reg::Connection& c, int64_t id, int64_t evidence);

}  // namespace canbao::casework
