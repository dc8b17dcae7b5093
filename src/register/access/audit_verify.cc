// Reading the audit again: what VerifyAudit() finds, and the search over entries.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "base/file.h"
#include "register/access/audit.h"
#include "register/internal/audit_chain.h"
#include "register/internal/audit_key.h"

namespace canbao::reg {
namespace {

constexpr size_t kFindingsMost = 100;
constexpr int kEntriesAtOnce = 5000;
constexpr int kUnsealedSeconds = 600;  // roots are made each minute

class Verifier {
 public:
  Verifier(Connection& c, const std::string& data_dir) : c_(c), data_dir_(data_dir) {}

  Result<AuditReport> Run() {
    // The log first: what it names was committed before it was written, so the snapshot has it.
    CANBAO_TRY(ReadLog(&outside_));
    CANBAO_ASSIGN(Transaction t,
                  Transaction::Begin(c_, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    CANBAO_TRY(ReadRoots());
    CheckRoots();
    CANBAO_TRY(CheckChains());
    CANBAO_TRY(t.Commit());
    CANBAO_TRY(CompareRoots());
    return std::move(report_);
  }

 private:
  void Find(const char* code, Text text) {
    if (report_.findings.size() < kFindingsMost) {
      report_.findings.push_back({code, std::move(text)});
    }
  }

  Status ReadLog(std::vector<AuditRoot>* to) {
    const std::string path = AuditLogPath(data_dir_);
    if (!FileExists(path)) return {};
    CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
    std::string_view rest = text;
    int64_t line = 0;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      // The last line may be just being written.
      if (end == std::string_view::npos) break;
      ++line;
      auto root = ParseRootLine(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (root) {
        to->push_back(std::move(*root));
      } else if (to == &outside_) {
        Find("root_damaged",
             Msg("roots.log 第 {0} 行损坏。", "line {0} of roots.log is damaged.", line));
      }
    }
    return {};
  }

  Status ReadRoots() {
    CANBAO_ASSIGN(Rows r, c_.Exec("SELECT root_id, body, hash, signature FROM canbao.audit_root "
                                  "ORDER BY root_id"));
    for (int i = 0; i < r.size(); ++i) {
      auto root = ParseRootBody(r.Text(i, 1));
      if (!root || root->id != r.Int(i, 0) || root->hash != r.Bytes(i, 2)) {
        Find("root_changed", Msg("数据库中的第 {0} 个签名根被改动。",
                                 "root {0} in the database was changed.", r.Int(i, 0)));
        continue;
      }
      root->signature = r.Bytes(i, 3);
      inside_[root->id] = std::move(*root);
    }
    return {};
  }

  // Signatures, and that each root of the log holds the one before.
  void CheckRoots() {
    if (outside_.empty()) return;
    auto key = AuditKey::OpenToVerify(data_dir_);
    if (!key) {
      Find("key_missing", Msg("审计公钥无法读取：{0}", "the audit's public key cannot be read: {0}",
                              key.error().message.Get()));
      return;
    }
    std::string previous(32, '\0');
    int64_t expected = 1;
    for (const AuditRoot& root : outside_) {
      if (root.id != expected) {
        Find("root_missing",
             Msg("roots.log 中第 {0} 个签名根之前有缺失或顺序被改。",
                 "before root {0} of roots.log others are missing or moved.", root.id));
      } else if (root.previous != previous) {
        Find("root_chain", Msg("第 {0} 个签名根与前一个不衔接。",
                               "root {0} does not follow from the one before.", root.id));
      }
      if (root.key != key->id() || !key->Verify(root.body, root.signature)) {
        Find("root_forged",
             Msg("第 {0} 个签名根的签名不对。", "root {0} is not signed by the key.", root.id));
      }
      previous = root.hash;
      expected = root.id + 1;
      ++report_.roots;
      report_.last_root_at = root.at;
      for (const auto& [chain, head] : root.heads) wanted_[chain][head.seq] = {head.hash, root.id};
    }
  }

  // Every chain from its beginning: each hash, no gap, and what the roots say of it.
  Status CheckChains() {
    CANBAO_ASSIGN(Rows ids, c_.Exec("SELECT chain_id FROM canbao.audit_chain UNION "
                                    "SELECT DISTINCT chain_id FROM canbao.audit_entry ORDER BY 1"));
    for (int i = 0; i < ids.size(); ++i) {
      CANBAO_TRY(CheckChain(ids.Int(i, 0)));
      ++report_.chains;
    }
    for (const auto& [chain, heads] : wanted_) {
      Find("chain_missing", Msg("审计链 {0} 不见了（签名根 {1} 记有 {2} 条）。",
                                "chain {0} is gone; root {1} knows {2} entries.", chain,
                                heads.rbegin()->second.root, heads.rbegin()->first));
    }
    return {};
  }

  Status CheckChain(int64_t chain) {
    std::map<int64_t, Wanted> wanted;
    if (auto it = wanted_.find(chain); it != wanted_.end()) {
      wanted = std::move(it->second);
      wanted_.erase(it);
    }
    std::string previous = AuditGenesis(chain);
    int64_t seq = 0, last_sealed = wanted.empty() ? 0 : wanted.rbegin()->first;
    int64_t unsealed_since = 0;
    for (bool more = true; more;) {
      CANBAO_ASSIGN(
          Rows r, c_.Exec("SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, account_id, "
                          "account, action, person, purpose, detail, address, outcome, hash "
                          "FROM canbao.audit_entry WHERE chain_id = $1 AND seq > $2 "
                          "ORDER BY seq LIMIT $3",
                          {Param(chain), Param(seq), Param(static_cast<int32_t>(kEntriesAtOnce))}));
      more = r.size() == kEntriesAtOnce;
      for (int i = 0; i < r.size(); ++i) {
        const int64_t number = r.Int(i, 0);
        if (number != seq + 1) {
          Find("entry_missing",
               Msg("审计链 {0} 缺少第 {1} 至 {2} 条。", "chain {0} lacks its entries {1} to {2}.",
                   chain, seq + 1, number - 1));
        }
        seq = number;
        AuditRecord record;
        record.account_id = r.Int(i, 2);
        record.account = r.Text(i, 3);
        record.action = r.Text(i, 4);
        if (!r.IsNull(i, 5)) record.person = r.Int(i, 5);
        record.purpose = r.Text(i, 6);
        record.detail = r.Text(i, 7);
        record.address = r.Text(i, 8);
        record.outcome = r.Text(i, 9);
        std::string hash = AuditHash(previous, chain, seq, r.Int(i, 1), record);
        const std::string kept = r.Bytes(i, 10);
        if (hash != kept) {
          Find("entry_changed",
               Msg("审计链 {0} 的第 {1} 条被改动（或其前一条被删换）。",
                   "entry {1} of chain {0} was changed, or the one before it.", chain, seq));
        }
        if (auto it = wanted.find(seq); it != wanted.end()) {
          if (it->second.hash != kept) {
            Find("entry_rewritten",
                 Msg("审计链 {0} 的第 {1} 条与签名根 {2} 不符：链被重写。",
                     "entry {1} of chain {0} is not what root {2} says: the chain was rewritten.",
                     chain, seq, it->second.root));
          }
          wanted.erase(it);
        }
        if (seq > last_sealed && unsealed_since == 0) unsealed_since = r.Int(i, 1) / 1000000;
        // Goes on from what is kept: one change is one finding.
        previous = kept;
        ++report_.entries;
      }
    }
    for (const auto& [number, head] : wanted) {
      if (number > seq) {
        Find("entries_cut_off",
             Msg("审计链 {0} 被截断：签名根 {1} 记有 {2} 条，现有 {3} 条。",
                 "chain {0} was cut off: root {1} knows {2} entries, {3} are there.", chain,
                 head.root, number, seq));
        break;
      }
    }
    if (unsealed_since != 0 && std::time(nullptr) - unsealed_since > kUnsealedSeconds) {
      Find("entries_unsealed",
           Msg("审计链 {0} 第 {1} 条之后的记录超过 10 分钟没有签名根。",
               "the entries of chain {0} after {1} have had no root for more than ten minutes.",
               chain, last_sealed));
    }
    return {};
  }

  // The database's roots against those outside; read again, for roots made meanwhile.
  Status CompareRoots() {
    std::vector<AuditRoot> now;
    CANBAO_TRY(ReadLog(&now));
    std::map<int64_t, const AuditRoot*> outside;
    for (const AuditRoot& root : now) outside[root.id] = &root;
    for (const auto& [id, root] : inside_) {
      auto it = outside.find(id);
      if (it == outside.end()) {
        Find("root_cut_off",
             Msg("roots.log 缺少第 {0} 个签名根。", "roots.log lacks root {0}.", id));
      } else if (it->second->body != root.body) {
        Find("root_changed", Msg("第 {0} 个签名根在数据库内外不一致。",
                                 "root {0} differs between the database and roots.log.", id));
      }
    }
    for (size_t i = 0; i + 1 < outside_.size(); ++i) {  // the last may not have got in yet
      if (!inside_.contains(outside_[i].id)) {
        Find("root_removed",
             Msg("数据库缺少第 {0} 个签名根。", "the database lacks root {0}.", outside_[i].id));
      }
    }
    return {};
  }

  struct Wanted {
    std::string hash;
    int64_t root = 0;
  };
  Connection& c_;
  const std::string& data_dir_;
  AuditReport report_;
  std::vector<AuditRoot> outside_;
  std::map<int64_t, AuditRoot> inside_;
  std::map<int64_t, std::map<int64_t, Wanted>> wanted_;  // by chain and number
};

// "at_us.chain.seq" of the last row of a page.
struct PageKey {
  int64_t at = 0, chain = 0, seq = 0;
};
std::optional<PageKey> ParsePageKey(std::string_view text) {
  PageKey key;
  const char* p = text.data();
  const char* end = p + text.size();
  int64_t* parts[] = {&key.at, &key.chain, &key.seq};
  for (size_t i = 0; i < 3; ++i) {
    auto [next, ec] = std::from_chars(p, end, *parts[i]);
    if (ec != std::errc() || (i < 2 ? next == end || *next != '.' : next != end))
      return std::nullopt;
    p = next + 1;
  }
  return key;
}

}  // namespace

Result<AuditReport> VerifyAudit(Connection& c, const std::string& data_dir) {
  return Verifier(c, data_dir).Run();
}

Result<AuditPage> SearchAudit(Connection& app, const AuditQuery& q) {
  Param at(nullptr), chain(nullptr), seq(nullptr);
  if (!q.after.empty()) {
    auto key = ParsePageKey(q.after);
    if (!key) {
      return Fail(ErrorClass::kInput, "CB-REGISTER-1004",
                  Msg("翻页标记无效。", "`after` is not of a page."),
                  Text{"请从第一页重新开始。", "Begin again with the first page."});
    }
    at = Param(key->at);
    chain = Param(key->chain);
    seq = Param(key->seq);
  }
  auto text = [](const std::string& v) { return v.empty() ? Param(nullptr) : Param(v); };
  CANBAO_ASSIGN(
      Rows r,
      app.Exec(
          "SELECT e.chain_id, e.seq, (extract(epoch FROM e.at) * 1000000)::bigint, "
          "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), e.account, a.name, "
          "e.action, e.person, e.purpose, e.detail, e.address, e.outcome "
          "FROM canbao.audit_entry e LEFT JOIN canbao.account a USING (account_id) "
          "WHERE ($1::text IS NULL OR e.account = $1) AND ($2::text IS NULL OR e.action = $2) "
          "AND ($3::bigint IS NULL OR e.person = $3) "
          "AND ($4::text IS NULL OR e.at >= $4::text::date) "
          "AND ($5::text IS NULL OR e.at < $5::text::date + 1) "
          "AND ($6::bigint IS NULL OR (e.at, e.chain_id, e.seq) < "
          "('epoch'::timestamptz + $6::bigint * interval '1 microsecond', $7::bigint, $8::bigint)) "
          "ORDER BY e.at DESC, e.chain_id DESC, e.seq DESC LIMIT $9",
          {text(q.account), text(q.action), q.person ? Param(*q.person) : Param(nullptr),
           text(q.from), text(q.to), at, chain, seq, Param(static_cast<int32_t>(q.limit + 1))}));
  AuditPage page;
  for (int i = 0; i < r.size() && i < q.limit; ++i) {
    AuditRow row;
    row.id = fmt::format("{}-{}", r.Int(i, 0), r.Int(i, 1));
    row.at = r.Text(i, 3);
    row.account = r.Text(i, 4);
    row.name = r.Text(i, 5);
    row.action = r.Text(i, 6);
    if (!r.IsNull(i, 7)) row.person = r.Int(i, 7);
    row.purpose = r.Text(i, 8);
    row.detail = r.Text(i, 9);
    row.address = r.Text(i, 10);
    row.outcome = r.Text(i, 11);
    page.rows.push_back(std::move(row));
  }
  if (r.size() > q.limit) {
    const int last = q.limit - 1;
    page.next = fmt::format("{}.{}.{}", r.Int(last, 2), r.Int(last, 0), r.Int(last, 1));
  }
  return page;
}

}  // namespace canbao::reg
