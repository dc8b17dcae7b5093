// The audit on a real server: what is appended verifies, and whatever a superuser does to it shows.
#include "register/access/audit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "register/access/test_session.h"
#include "register/backup.h"
#include "register/internal/audit_chain.h"
#include "register/internal/audit_key.h"
#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    auto db = folder_.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    auto owner = db_->Connect();
    auto access = db_->ConnectAccess();
    ASSERT_TRUE(owner && access);
    owner_ = std::move(*owner);
    access_ = std::move(*access);
  }

  static AuditRecord Look(int64_t person) {
    AuditRecord r;
    r.account = "li.na";
    r.action = "person.read";
    r.person = person;
    r.purpose = "核对参保";
    r.detail = R"({"tab":"identity"})";
    r.address = "10.1.2.3";
    return r;
  }
  void Append(AuditWriter& w, int from, int to) {
    if (!w.open()) CANBAO_OK(w.Open(*access_));
    for (int i = from; i <= to; ++i) CANBAO_OK(w.Append(*access_, Look(i)));
    w.Settle(true);
  }
  // Two chains, three roots: entries 1-6 and 1-4, the last root after all of them.
  void Fill() {
    Append(one_, 1, 3);
    Append(two_, 1, 2);
    ASSERT_TRUE(Sealed());
    Append(one_, 4, 5);
    ASSERT_TRUE(Sealed());
    Append(one_, 6, 6);
    Append(two_, 3, 4);
    ASSERT_TRUE(Sealed());
  }
  bool Sealed() {
    auto s = AuditRoots(folder_.path()).Seal(*access_);
    EXPECT_TRUE(s) << s.error().ToString();
    return s && *s;
  }
  AuditReport Verify() {
    auto r = VerifyAudit(*owner_, folder_.path());
    EXPECT_TRUE(r) << r.error().ToString();
    return r ? *r : AuditReport();
  }
  std::vector<std::string> Found() {
    std::vector<std::string> codes;
    for (const AuditFinding& f : Verify().findings) codes.push_back(f.code);
    return codes;
  }
  bool Finds(const std::string& code) {
    auto codes = Found();
    const bool found = std::find(codes.begin(), codes.end(), code) != codes.end();
    if (!found) {
      std::string all;
      for (const auto& c : codes) all += c + " ";
      ADD_FAILURE() << "not found: " << code << "; found: " << all;
    }
    return found;
  }
  // As a superuser who also switches the triggers off.
  void Tamper(const std::string& sql) {
    CANBAO_OK(owner_->Run("SET session_replication_role = replica; " + sql +
                          "; SET session_replication_role = origin"));
  }
  std::string Log() { return *ReadWholeFile(AuditLogPath(folder_.path())); }
  void WriteLog(const std::string& text) {
    CANBAO_OK(WriteFileAtomic(AuditLogPath(folder_.path()), text, 0600));
  }
  std::vector<std::string> LogLines() {
    std::vector<std::string> lines;
    std::string text = Log();
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      lines.push_back(text.substr(at, end - at));
    }
    return lines;
  }

  TestDataFolder folder_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Connection> owner_, access_;
  AuditWriter one_{"one"}, two_{"two"};
};

TEST_F(AuditTest, WhatNobodyTouchedVerifies) {
  EXPECT_TRUE(Verify().ok());
  EXPECT_FALSE(Sealed());  // nothing to seal
  Fill();
  EXPECT_FALSE(Sealed());
  AuditReport r = Verify();
  for (const auto& f : r.findings) ADD_FAILURE() << f.code << " " << f.text.Get();
  EXPECT_EQ(r.entries, 10);
  EXPECT_EQ(r.chains, 2);
  EXPECT_EQ(r.roots, 3);
  EXPECT_FALSE(r.last_root_at.empty());
  // What came since the last root is fine too.
  Append(one_, 7, 8);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(AuditTest, AChainGoesOnFromWhatWasCommitted) {
  Append(one_, 1, 1);
  {
    auto t = Transaction::Begin(*access_);
    ASSERT_TRUE(t);
    CANBAO_OK(one_.Append(*access_, Look(2)));
    CANBAO_OK(one_.Append(*access_, Look(3)));
    one_.Settle(false);
  }  // rolled back
  Append(one_, 4, 4);
  one_.Settle(std::nullopt);  // nobody knows: another chain
  EXPECT_FALSE(one_.open());
  Append(one_, 5, 5);
  AuditReport r = Verify();
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.entries, 3);
  EXPECT_EQ(r.chains, 2);
}

TEST_F(AuditTest, AChangedEntryIsFound) {
  Fill();
  const char* changes[] = {
      "UPDATE canbao.audit_entry SET person = 99 WHERE chain_id = 1 AND seq = 2",
      "UPDATE canbao.audit_entry SET account = 'other' WHERE chain_id = 1 AND seq = 2",
      "UPDATE canbao.audit_entry SET at = at - interval '1 us' WHERE chain_id = 1 AND seq = 2",
      "UPDATE canbao.audit_entry SET purpose = '' WHERE chain_id = 1 AND seq = 2",
      "UPDATE canbao.audit_entry SET outcome = 'CB-X' WHERE chain_id = 1 AND seq = 2",
      "UPDATE canbao.audit_entry SET account_id = 7 WHERE chain_id = 1 AND seq = 2",
  };
  for (const char* change : changes) {
    Tamper("CREATE TABLE public.kept AS SELECT * FROM canbao.audit_entry");
    Tamper(change);
    auto found = Found();
    EXPECT_EQ(found, std::vector<std::string>{"entry_changed"}) << change;
    Tamper(
        "DELETE FROM canbao.audit_entry; INSERT INTO canbao.audit_entry SELECT * FROM public.kept; "
        "DROP TABLE public.kept");
    EXPECT_TRUE(Verify().ok());
  }
}

TEST_F(AuditTest, ADeletedEntryIsFound) {
  Fill();
  Tamper("DELETE FROM canbao.audit_entry WHERE chain_id = 1 AND seq = 2");
  EXPECT_TRUE(Finds("entry_missing"));
}

TEST_F(AuditTest, MovedEntriesAreFound) {
  Fill();
  Tamper(
      "UPDATE canbao.audit_entry SET seq = 100 WHERE chain_id = 1 AND seq = 2; "
      "UPDATE canbao.audit_entry SET seq = 2 WHERE chain_id = 1 AND seq = 3; "
      "UPDATE canbao.audit_entry SET seq = 3 WHERE chain_id = 1 AND seq = 100");
  EXPECT_TRUE(Finds("entry_changed"));
}

TEST_F(AuditTest, AnInsertedEntryIsFound) {
  Fill();
  Tamper(
      "INSERT INTO canbao.audit_entry SELECT chain_id, 7, at, account_id, account, action, person, "
      "purpose, detail, address, outcome, hash FROM canbao.audit_entry WHERE chain_id = 1 AND seq "
      "= 6");
  EXPECT_TRUE(Finds("entry_changed"));
}

TEST_F(AuditTest, ATailThatWasCutOffIsFound) {
  Fill();
  Tamper("DELETE FROM canbao.audit_entry WHERE chain_id = 1 AND seq > 4");
  EXPECT_TRUE(Finds("entries_cut_off"));
  // Also when the database's roots go with it.
  Tamper("DELETE FROM canbao.audit_root WHERE root_id > 1");
  EXPECT_TRUE(Finds("entries_cut_off"));
  EXPECT_TRUE(Finds("root_removed"));
}

TEST_F(AuditTest, AChainThatIsGoneIsFound) {
  Fill();
  Tamper(
      "DELETE FROM canbao.audit_entry WHERE chain_id = 2; "
      "DELETE FROM canbao.audit_sealed WHERE chain_id = 2; "
      "DELETE FROM canbao.audit_chain WHERE chain_id = 2");
  EXPECT_TRUE(Finds("chain_missing"));
}

// Somebody who knows how hashes are made writes a chain anew from the entry he changed.
TEST_F(AuditTest, ARewrittenChainIsFoundByTheRoots) {
  Fill();
  auto rows = owner_->Exec(
      "SELECT seq, (extract(epoch FROM at) * 1000000)::bigint FROM canbao.audit_entry "
      "WHERE chain_id = 1 ORDER BY seq");
  ASSERT_TRUE(rows);
  std::string hash = AuditGenesis(1);
  for (int i = 0; i < rows->size(); ++i) {
    AuditRecord r = Look(i == 1 ? 99 : rows->Int(i, 0));
    hash = AuditHash(hash, 1, rows->Int(i, 0), rows->Int(i, 1), r);
    CANBAO_OK(owner_->Run("SET session_replication_role = replica"));
    CANBAO_OK(owner_->Exec(
        "UPDATE canbao.audit_entry SET person = $1, hash = $2 WHERE chain_id = 1 AND seq = $3",
        {Param(*r.person), Param::Bytes(hash), Param(rows->Int(i, 0))}));
  }
  CANBAO_OK(owner_->Run("SET session_replication_role = origin"));
  auto found = Found();
  EXPECT_EQ(found,
            (std::vector<std::string>{"entry_rewritten", "entry_rewritten", "entry_rewritten"}));
}

TEST_F(AuditTest, AForgedRootIsFound) {
  Fill();
  auto lines = LogLines();
  ASSERT_EQ(lines.size(), 3u);
  auto root = ParseRootLine(lines[2]);
  ASSERT_TRUE(root);
  root->heads[1].hash = std::string(32, 'x');
  ComposeRoot(&*root);
  WriteLog(lines[0] + "\n" + lines[1] + "\n" + RootLine(*root) + "\n");
  EXPECT_TRUE(Finds("root_forged"));
  EXPECT_TRUE(Finds("root_changed"));
  // Signed by a key of one's own.
  TestDataFolder other;
  CANBAO_OK(MakeFolders(other.path() + "/keys"));
  auto key = AuditKey::OpenToSign(other.path());
  ASSERT_TRUE(key);
  root->signature = *key->Sign(root->body);
  WriteLog(lines[0] + "\n" + lines[1] + "\n" + RootLine(*root) + "\n");
  EXPECT_TRUE(Finds("root_forged"));
}

TEST_F(AuditTest, RootsThatWereRemovedOrMovedAreFound) {
  Fill();
  auto lines = LogLines();
  WriteLog(lines[0] + "\n" + lines[2] + "\n");
  EXPECT_TRUE(Finds("root_missing"));
  WriteLog(lines[0] + "\n" + lines[1] + "\n");
  EXPECT_TRUE(Finds("root_cut_off"));
  WriteLog(lines[1] + "\n" + lines[0] + "\n" + lines[2] + "\n");
  EXPECT_TRUE(Finds("root_missing"));
  // A root of the right number that follows from another, and signed by the key itself.
  auto second = ParseRootLine(lines[1]);
  second->previous = std::string(32, 'x');
  ComposeRoot(&*second);
  second->signature = *AuditKey::OpenToSign(folder_.path())->Sign(second->body);
  WriteLog(lines[0] + "\n" + RootLine(*second) + "\n" + lines[2] + "\n");
  EXPECT_TRUE(Finds("root_chain"));
  WriteLog("");
  EXPECT_TRUE(Finds("root_cut_off"));
  WriteLog(lines[0] + "\n" + "{damaged}\n" + lines[2] + "\n");
  EXPECT_TRUE(Finds("root_damaged"));
  WriteLog(lines[0] + "\n" + lines[1] + "\n" + lines[2] + "\n");
  EXPECT_TRUE(Verify().ok());
  CANBAO_OK(RemoveTree(folder_.path() + "/keys/audit.pub"));
  EXPECT_TRUE(Finds("key_missing"));
}

TEST_F(AuditTest, ARootInTheDatabaseThatWasChangedIsFound) {
  Fill();
  Tamper(
      "UPDATE canbao.audit_root SET body = replace(body, '\"root\":2', '\"root\":5') WHERE root_id "
      "= 2");
  EXPECT_TRUE(Finds("root_changed"));
}

// The machine stopped between the log and the database, or in the middle of a line.
TEST_F(AuditTest, AStopInBetweenIsNoFinding) {
  Fill();
  Tamper("DELETE FROM canbao.audit_root WHERE root_id = 3; UPDATE canbao.audit_sealed SET seq = 2");
  EXPECT_TRUE(Verify().ok());
  Append(one_, 7, 7);
  ASSERT_TRUE(Sealed());  // learns of root 3, makes root 4
  EXPECT_TRUE(Verify().ok());
  EXPECT_EQ(LogLines().size(), 4u);
  WriteLog(Log() + R"({"body":"{\"root\":5,)");
  EXPECT_TRUE(Verify().ok());
  Append(one_, 8, 8);
  ASSERT_TRUE(Sealed());
  AuditReport r = Verify();
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.roots, 5);
}

TEST_F(AuditTest, ABackupBringsTheAuditAlong) {
  Fill();
  Append(one_, 7, 7);
  std::string backup = folder_.path() + "/backup";
  CANBAO_OK(Backup(*db_, backup));
  // A root that was made behind the dump.
  ASSERT_TRUE(Sealed());
  CANBAO_OK(WriteFileAtomic(backup + "/roots.log", Log(), 0600));
  TestDataFolder other;
  CANBAO_OK(Restore(backup, other.path(), TestDataFolder::Options()));
  auto restored = other.OpenDatabase();
  ASSERT_TRUE(restored) << restored.error().ToString();
  auto report = VerifyAudit(**(*restored)->Connect(), other.path());
  ASSERT_TRUE(report) << report.error().ToString();
  for (const auto& f : report->findings) ADD_FAILURE() << f.code << " " << f.text.Get();
  EXPECT_EQ(report->entries, 11);
  EXPECT_EQ(report->roots, 3);
}

TEST_F(AuditTest, TheServiceCanOnlyAppend) {
  Fill();
  auto token = TestSession(*db_, 0, {"audit_administrator"});
  ASSERT_TRUE(token);
  auto app = ConnectSession(*db_, *token);
  ASSERT_TRUE(app);
  for (const char* sql :
       {"UPDATE canbao.audit_entry SET account = 'x'", "DELETE FROM canbao.audit_entry",
        "TRUNCATE canbao.audit_entry", "DELETE FROM canbao.audit_root",
        "INSERT INTO canbao.audit_root VALUES (9, '', '', '')", "DELETE FROM canbao.audit_chain",
        "INSERT INTO canbao.audit_entry SELECT chain_id, 99, at, account_id, account, action, "
        "person, "
        "purpose, detail, address, outcome, hash FROM canbao.audit_entry LIMIT 1",
        "SET session_replication_role = replica"}) {
    EXPECT_FALSE((*app)->Exec(sql)) << sql;
    EXPECT_FALSE(access_->Exec(sql)) << sql;
  }
  // The owner is held by the triggers.
  for (const char* sql :
       {"UPDATE canbao.audit_entry SET account = 'x'", "DELETE FROM canbao.audit_entry",
        "TRUNCATE canbao.audit_entry", "UPDATE canbao.audit_root SET body = ''",
        "DELETE FROM canbao.audit_root"}) {
    EXPECT_FALSE(owner_->Exec(sql)) << sql;
  }
  // A handler speaks for its session's account only, and continues a chain or nothing.
  AuditWriter w("app");
  CANBAO_OK(w.Open(**app));
  AuditRecord forged = Look(1);
  forged.account_id = 424242;
  EXPECT_EQ(w.Append(**app, forged).error().code, "CB-REGISTER-1001");
  EXPECT_EQ(
      (*app)
          ->Exec("SELECT canbao.append_audit(1, 3, 0, canbao.account_id(), '', '', NULL, '', '', "
                 "'', '', decode(repeat('00', 32), 'hex'))")
          ->Bool(0, 0),
      false);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(AuditTest, IsSearchedNewestFirstByWhoMaySee) {
  Fill();
  auto auditor = ConnectSession(*db_, *TestSession(*db_, 0, {"audit_administrator"}));
  auto operator_ = ConnectSession(*db_, *TestSession(*db_, 0, {"operator"}));
  ASSERT_TRUE(auditor && operator_);
  AuditQuery q;
  q.limit = 4;
  std::vector<std::string> seen;
  for (;;) {
    auto page = SearchAudit(**auditor, q);
    ASSERT_TRUE(page) << page.error().ToString();
    for (const AuditRow& r : page->rows) {
      seen.push_back(r.id);
      EXPECT_EQ(r.account, "li.na");
      EXPECT_EQ(r.purpose, "核对参保");
    }
    if (page->next.empty()) break;
    q.after = page->next;
  }
  EXPECT_EQ(seen.size(), 10u);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  AuditQuery person;
  person.person = 3;
  EXPECT_EQ(SearchAudit(**auditor, person)->rows.size(), 2u);
  person.account = "other";
  EXPECT_TRUE(SearchAudit(**auditor, person)->rows.empty());
  AuditQuery past;
  past.to = "2001-01-01";
  EXPECT_TRUE(SearchAudit(**auditor, past)->rows.empty());
  AuditQuery wrong;
  wrong.after = "1.2";
  EXPECT_EQ(SearchAudit(**auditor, wrong).error().code, "CB-REGISTER-1004");
  EXPECT_TRUE(SearchAudit(**operator_, AuditQuery())->rows.empty());
  // The auditor verifies without the owner's help.
  auto report = VerifyAudit(**auditor, folder_.path());
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->ok());
  EXPECT_EQ(report->entries, 10);
}

TEST(AuditKey, SignsWithSm2) {
  TestDataFolder folder;
  CANBAO_OK(MakeFolders(folder.path() + "/keys"));
  auto key = AuditKey::OpenToSign(folder.path());
  ASSERT_TRUE(key) << key.error().ToString();
  auto signature = key->Sign("what is signed");
  ASSERT_TRUE(signature);
  auto open = AuditKey::OpenToVerify(folder.path());
  ASSERT_TRUE(open);
  EXPECT_EQ(open->id(), key->id());
  EXPECT_TRUE(open->Verify("what is signed", *signature));
  EXPECT_FALSE(open->Verify("what is singed", *signature));
  EXPECT_FALSE(open->Verify("what is signed", "no signature"));
  // The same key the next time.
  EXPECT_EQ(AuditKey::OpenToSign(folder.path())->id(), key->id());
}

TEST(Sm3, GivesTheHashOfTheStandard) {
  // GB/T 32905-2016, A.1
  EXPECT_EQ(ToHex(Sm3("abc")), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

}  // namespace
}  // namespace canbao::reg
