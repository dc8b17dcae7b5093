#include "register/access/audit.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "base/file.h"
#include "register/internal/audit_chain.h"
#include "register/internal/audit_key.h"

namespace canbao::reg {
namespace {

int64_t AuditNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string Rfc3339Now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

// The log's last whole line, and where it ends. A line without its newline was being written when
// the machine stopped: its root is in no database.
struct LogEnd {
  std::optional<AuditRoot> last;
  off_t size = 0;
  bool torn = false;
};

Result<LogEnd> ReadLogEnd(const std::string& path) {
  LogEnd end;
  if (!FileExists(path)) return end;
  CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
  const size_t newline = text.rfind('\n');
  end.torn = !text.empty() && newline != text.size() - 1;
  if (newline == std::string::npos) return end;
  end.size = static_cast<off_t>(newline + 1);
  const size_t before = newline == 0 ? std::string::npos : text.rfind('\n', newline - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  end.last = ParseRootLine(std::string_view(text).substr(begin, newline - begin));
  return end;
}

Status AppendLine(const std::string& path, const std::string& line, const LogEnd& end) {
  const bool fresh = !FileExists(path);
  Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return Fail(FileError(kCodeCannotWrite, path, errno));
  if (end.torn && ::ftruncate(fd.get(), end.size) != 0) {
    return Fail(FileError(kCodeCannotWrite, path, errno));
  }
  CANBAO_TRY(WriteAll(fd.get(), line + "\n", path));
  CANBAO_TRY(SyncFile(fd.get(), path));
  if (fresh) CANBAO_TRY(SyncFolder(path.substr(0, path.rfind('/'))));
  return {};
}

Status KeepRoot(Connection& access, const AuditRoot& root) {
  CANBAO_TRY(access.Exec(
      "SELECT canbao.append_audit_root($1, $2, $3, $4)",
      {Param(root.id), Param(root.body), Param::Bytes(root.hash), Param::Bytes(root.signature)}));
  return {};
}

}  // namespace

Status AuditWriter::Open(Connection& outside) {
  CANBAO_ASSIGN(Rows made,
                outside.Exec("SELECT chain_id FROM canbao.open_audit_chain($1)", {Param(worker_)}));
  chain_ = made.Int(0, 0);
  head_ = {0, AuditGenesis(chain_)};
  ahead_ = head_;
  return {};
}

Status AuditWriter::Append(Connection& c, const AuditRecord& r) {
  const int64_t at = AuditNow();
  Head next{ahead_.seq + 1, AuditHash(ahead_.hash, chain_, ahead_.seq + 1, at, r)};
  CANBAO_ASSIGN(
      Rows done,
      c.Exec("SELECT canbao.append_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
             {Param(chain_), Param(next.seq), Param(at),
              r.account_id == 0 ? Param(nullptr) : Param(r.account_id), Param(r.account),
              Param(r.action), r.person ? Param(*r.person) : Param(nullptr), Param(r.purpose),
              Param(r.detail), Param(r.address), Param(r.outcome), Param::Bytes(next.hash)}));
  if (!done.Bool(0, 0)) {
    return Fail(ErrorClass::kInternal, "CB-REGISTER-1001",
                Msg("审计记录与其链不衔接：{0}-{1}",
                    "the audit's entry does not fit its chain: {0}-{1}", chain_, next.seq));
  }
  ahead_ = std::move(next);
  return {};
}

void AuditWriter::Settle(std::optional<bool> committed) {
  if (!committed) {
    chain_ = 0;
  } else if (*committed) {
    head_ = ahead_;
  } else {
    ahead_ = head_;
  }
}

Result<bool> AuditRoots::Seal(Connection& access) {
  CANBAO_ASSIGN(AuditKey key, AuditKey::OpenToSign(data_dir_));
  CANBAO_TRY(MakeFolders(data_dir_ + "/audit", 0700));
  const std::string path = AuditLogPath(data_dir_);
  CANBAO_ASSIGN(Transaction t, Transaction::Begin(access));
  CANBAO_TRY(access.Exec("SELECT pg_advisory_xact_lock(1128420942, 10)"));
  CANBAO_ASSIGN(Rows known,
                access.Exec("SELECT root_id, body, hash FROM canbao.last_audit_root()"));
  std::optional<AuditRoot> last;
  if (!known.IsNull(0, 0)) last = ParseRootBody(known.Text(0, 1));
  CANBAO_ASSIGN(LogEnd end, ReadLogEnd(path));
  // Written outside, then the machine stopped: the database learns of it now.
  if (end.last && end.last->id == (last ? last->id : 0) + 1 &&
      key.Verify(end.last->body, end.last->signature)) {
    CANBAO_TRY(KeepRoot(access, *end.last));
    last = end.last;
  }
  AuditRoot root;
  root.id = (last ? last->id : 0) + 1;
  root.at = Rfc3339Now();
  root.previous = last ? last->hash : std::string(32, '\0');
  root.key = key.id();
  CANBAO_ASSIGN(Rows heads, access.Exec("SELECT chain_id, seq, hash FROM canbao.audit_heads()"));
  for (int i = 0; i < heads.size(); ++i) {
    root.heads[heads.Int(i, 0)] = {heads.Int(i, 1), heads.Bytes(i, 2)};
  }
  if (root.heads.empty()) {
    CANBAO_TRY(t.Commit());
    return false;
  }
  ComposeRoot(&root);
  CANBAO_ASSIGN(root.signature, key.Sign(root.body));
  CANBAO_TRY(AppendLine(path, RootLine(root), end));
  CANBAO_TRY(KeepRoot(access, root));
  CANBAO_TRY(t.Commit());
  return true;
}

}  // namespace canbao::reg
