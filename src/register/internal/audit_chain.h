// What the hashes of the audit are taken of, and the lines of DATA/audit/roots.log: shared by
// writing and verifying. Pure but for reading the log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/access/audit.h"

namespace canbao::reg {

inline std::string AuditLogPath(const std::string& data_dir) {
  return data_dir + "/audit/roots.log";
}

// Hash of "entry 0" of a chain.
std::string AuditGenesis(int64_t chain);
std::string AuditHash(std::string_view previous, int64_t chain, int64_t seq, int64_t at_us,
                      const AuditRecord& record);

// The end of a chain as a root names it.
struct AuditHead {
  int64_t seq = 0;
  std::string hash;  // 32 bytes
};
using AuditHeads = std::map<int64_t, AuditHead>;  // by chain

struct AuditRoot {
  int64_t id = 0;
  std::string at;        // RFC 3339
  std::string previous;  // hash of the root before, 32 bytes; zeros for the first
  std::string key;       // id of the signing key
  AuditHeads heads;      // chains that grew
  std::string body;      // what is hashed and signed
  std::string hash;
  std::string signature;
};

// Fills `body` and `hash`.
void ComposeRoot(AuditRoot* root);
std::optional<AuditRoot> ParseRootBody(std::string_view body);
// A line without its newline; nothing when it is none.
std::string RootLine(const AuditRoot& root);
std::optional<AuditRoot> ParseRootLine(std::string_view line);

std::string FromHex(std::string_view hex);

}  // namespace canbao::reg
