// The audit: who did what, to whom, why; appended only, and any change shows.
//
// Each writer (a worker of the service, a command) has a chain: entry n holds SM3(hash of entry
// n-1, its own fields), entry 0 is the chain's number. Each minute, and when the service stops, the
// ends of all chains that grew are merged into a root, which holds the hash of the root before and
// is signed by SM2 with DATA/keys/audit.key. Roots lie in the database and, written and synced
// first, outside of it in DATA/audit/roots.log, a JSON line each. Whoever changes the database
// changes no root outside; whoever changes both cannot sign. What the chains got since the last
// root (a minute) could be cut off unseen; copies of roots.log on another machine protect against
// who has the key too (docs/access.md).
//
// Threads: an AuditWriter and an AuditRoots belong to one thread at a time. Errors:
// CB-REGISTER-1001 (the entry does not continue its chain) · 1002 (the key) · 1003 (the log).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

struct AuditRecord {
  int64_t account_id = 0;  // 0 = nobody was recognised
  std::string account;     // as it was named
  std::string action;      // "person.read", "session.open", …
  std::optional<int64_t> person;
  std::string purpose;
  std::string detail;   // JSON, without identity data
  std::string address;  // of the client; "console" for commands
  std::string outcome = "ok";
};

class AuditWriter {
 public:
  explicit AuditWriter(std::string worker) : worker_(std::move(worker)) {}

  // A chain must be open before Append(). In a session of its own, outside any transaction.
  bool open() const { return chain_ != 0; }
  Status Open(Connection& outside);
  // Writes entries in the transaction of `c`. Settle() says how that ended; until then no other
  // transaction may Append(). Without Settle(true) the chain goes on from where it was.
  Status Append(Connection& c, const AuditRecord& record);
  // Nothing: nobody knows (the connection broke at COMMIT). The chain is left and another begun.
  void Settle(std::optional<bool> committed);

 private:
  struct Head {
    int64_t seq = 0;
    std::string hash;
  };
  std::string worker_;
  int64_t chain_ = 0;
  Head head_;
  Head ahead_;  // with what is not settled yet
};

// Signing and keeping roots. One process at a time makes one: an advisory lock sees to it.
class AuditRoots {
 public:
  explicit AuditRoots(std::string data_dir) : data_dir_(std::move(data_dir)) {}
  // Makes a root when chains grew since the last one; false when there was nothing to do.
  Result<bool> Seal(Connection& access);

 private:
  std::string data_dir_;
};

struct AuditFinding {
  std::string code;  // "entry_changed", "entry_missing", "entries_cut_off", "root_forged", …
  Text text;
};

struct AuditReport {
  int64_t entries = 0;
  int64_t chains = 0;
  int64_t roots = 0;
  std::string last_root_at;
  std::vector<AuditFinding> findings;  // at most a hundred
  bool ok() const { return findings.empty(); }
};

// Reads everything again: chains by their hashes, roots by their signatures, one against the other.
// `c` is the owner's, or the service's in an auditor's session.
Result<AuditReport> VerifyAudit(Connection& c, const std::string& data_dir);

// ---- searching ----
struct AuditRow {
  std::string id;  // "chain-number"
  std::string at;  // RFC 3339, UTC
  std::string account, name, action, purpose, detail, address, outcome;
  std::optional<int64_t> person;
};
struct AuditQuery {
  std::string account, action;
  std::optional<int64_t> person;
  std::string from, to;  // days, both included
  std::string after;     // `next` of the page before
  int limit = 50;
};
struct AuditPage {
  std::vector<AuditRow> rows;
  std::string next;  // "" = the end
};
// Newest first. CB-REGISTER-1004 for an `after` that is none.
Result<AuditPage> SearchAudit(Connection& app, const AuditQuery& query);

}  // namespace canbao::reg
