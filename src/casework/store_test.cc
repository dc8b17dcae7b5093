// Cases against a real database, in a small world made by hand: two cities, three persons.
#include <gtest/gtest.h>

#include <thread>

#include "casework/store.h"
#include "casework/test_world.h"
#include "register/access/test_session.h"
#include "register/test_data_folder.h"

namespace canbao::casework {
namespace {

const Date kToday = Date::FromYmd(2017, 10, 20);
constexpr int64_t kProvince = 330000000000;
constexpr int64_t kHangzhou = 330100000000, kNingbo = 330200000000, kWenzhou = 330300000000;
constexpr int64_t kShangcheng = 330102000000, kHaishu = 330203000000;

// Person 1 of Shangcheng is insured in Hangzhou and Ningbo (110); person 2 draws both pensions; of
// person 3 a source of Ningbo has the name wrong.
class StoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access((reg::InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    folder_ = std::make_unique<reg::TestDataFolder>();
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    Own(kTestLeaves);
  }
  static void TearDownTestSuite() {
    db_.reset();
    folder_.reset();
  }
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    auto policy = Policy::Load(CANBAO_SOURCE_DIR "/data", kToday);
    ASSERT_TRUE(policy) << policy.error().ToString();
    policy_ = *policy;
    Own(kTestWorldEnds);
    Own(kTestWorld);
    Own("SELECT canbao.open_cases('2017-06-30')");
  }

  static void Own(const std::string& sql) {
    auto c = db_->Connect();
    ASSERT_TRUE(c);
    Status s = (*c)->Run("BEGIN; " + sql + "; COMMIT");
    ASSERT_TRUE(s) << s.error().ToString();
  }
  int64_t Count(const std::string& sql) {
    auto c = db_->Connect();
    auto rows = (*c)->Exec(sql);
    EXPECT_TRUE(rows) << rows.error().ToString();
    return rows ? rows->Int(0, 0) : -1;
  }
  // The second run of the world: without what `gone` deletes.
  void NextCutoff(const std::string& gone) {
    Own("INSERT INTO canbao.run (name, province, cutoff, made_at, rules, content_digest, "
        "result_digest, persons, highest_key, manifest) VALUES ('b', 330000, '2017-09-30', '', '', "
        "'b', 'b', 3, 3, '{}') ON CONFLICT DO NOTHING; " +
        gone + "; SELECT canbao.open_cases('2017-09-30')");
  }

  struct Clerk {
    std::unique_ptr<reg::Connection> c;
    Actor actor;
  };
  Clerk As(int64_t division, std::vector<std::string> roles = {"operator"}) {
    auto token = reg::TestSession(*db_, division, roles);
    EXPECT_TRUE(token) << token.error().ToString();
    auto c = reg::ConnectSession(*db_, *token);
    EXPECT_TRUE(c) << c.error().ToString();
    Clerk clerk{std::move(*c), {}};
    auto own = clerk.c->Exec("SELECT canbao.own_account(), canbao.permitted('cases.approve')");
    EXPECT_TRUE(own) << own.error().ToString();
    clerk.actor.account = own->Text(0, 0);
    clerk.actor.may_approve = own->Bool(0, 1);
    return clerk;
  }
  CasePage List(Clerk& clerk, CaseFilter filter = {}) {
    filter.today = kToday;
    auto page = ListCases(*clerk.c, db_->cipher(), filter);
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? *page : CasePage{};
  }
  CaseDetail Read(Clerk& clerk, int64_t id) {
    auto d = ReadCase(*clerk.c, db_->cipher(), *policy_, id);
    EXPECT_TRUE(d) << d.error().ToString();
    return d ? *d : CaseDetail{};
  }
  Status Step(Clerk& clerk, int64_t id, const std::string& action, const std::string& note = "",
              int version = 0) {
    Intent intent;
    intent.action = action;
    intent.note = note;
    intent.reason = action == "dismiss" ? note : "";
    EXPECT_TRUE(clerk.c->Run("BEGIN"));
    Status s =
        StepCase(*clerk.c, db_->cipher(), *policy_, id, version, clerk.actor, intent, kToday);
    EXPECT_TRUE(clerk.c->Run(s ? "COMMIT" : "ROLLBACK"));
    return s;
  }
  std::string Code(const Status& s) { return s ? "" : s.error().code; }
  int64_t CaseOf(int64_t person) {
    return Count("SELECT case_id FROM canbao.case WHERE person_key = " + std::to_string(person));
  }

  static std::unique_ptr<reg::TestDataFolder> folder_;
  static std::unique_ptr<reg::Database> db_;
  std::shared_ptr<const Policy> policy_;
};

std::unique_ptr<reg::TestDataFolder> StoreTest::folder_;
std::unique_ptr<reg::Database> StoreTest::db_;

TEST_F(StoreTest, FindingsOpenCasesOnce) {
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case"), 3);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case WHERE pays_benefits"), 1);
  EXPECT_EQ(
      Count("SELECT count(*) FROM canbao.case_party WHERE case_id = " + std::to_string(CaseOf(1))),
      2);
  // Only what receives is a party of a duplicate benefit.
  EXPECT_EQ(Count("SELECT sum(region) FROM canbao.case_party WHERE case_id = " +
                  std::to_string(CaseOf(2))),
            330100 + 330102);
  EXPECT_EQ(Count("SELECT found FROM canbao.case_figure WHERE cutoff = '2017-06-30'"), 1);
  const int64_t before = Count("SELECT sum(case_id) FROM canbao.case");
  Own("SELECT canbao.open_cases('2017-06-30')");
  NextCutoff("");
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case"), 3);
  EXPECT_EQ(Count("SELECT sum(case_id) FROM canbao.case"), before);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case WHERE version <> 1"), 0);
}

TEST_F(StoreTest, ACountyOfNeitherPartySeesNothing) {
  Clerk wenzhou = As(kWenzhou);
  EXPECT_TRUE(List(wenzhou).rows.empty());
  EXPECT_EQ(List(wenzhou).count, 0);
  auto none = ReadCase(*wenzhou.c, db_->cipher(), *policy_, CaseOf(1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "CB-CASEWORK-0012");
  EXPECT_EQ(Code(Step(wenzhou, CaseOf(1), "comment", "x")), "CB-CASEWORK-0012");
  for (const char* sql :
       {"SELECT count(*) FROM canbao.case_party", "SELECT count(*) FROM canbao.case_event",
        "SELECT count(*) FROM canbao.case_count",
        "SELECT count(name) FROM canbao.case_persons(ARRAY[1])",
        "SELECT count(*) FROM canbao.case_enrolments(1)",
        "SELECT count(*) FROM canbao.case_discrepancy(3)"}) {
    auto rows = wenzhou.c->Exec(sql);
    ASSERT_TRUE(rows) << rows.error().ToString();
    EXPECT_EQ(rows->Int(0, 0), 0) << sql;
  }
}

TEST_F(StoreTest, PartiesSeeTheCaseAndActOnTheirSide) {
  Clerk shangcheng = As(kShangcheng), ningbo = As(kNingbo), haishu = As(kHaishu);
  EXPECT_EQ(List(shangcheng).count, 3);
  CaseFilter in_ningbo;
  in_ningbo.where = {kNingbo, kNingbo + 100000000};
  EXPECT_EQ(List(ningbo, in_ningbo).count, 2);  // a party, and the source of a wrong name
  EXPECT_EQ(List(ningbo, in_ningbo).rows.size(), 2u);
  EXPECT_EQ(List(haishu).rows.size(), 0u);  // a county of the city, not the person's
  const int64_t id = CaseOf(1);
  EXPECT_EQ(Read(ningbo, id).row.name, "王1");

  ASSERT_TRUE(Step(shangcheng, id, "notify"));
  ASSERT_TRUE(Step(ningbo, id, "agree"));
  CaseDetail d = Read(shangcheng, id);
  ASSERT_EQ(d.parties.size(), 2u);
  EXPECT_FALSE(d.parties[0].party.agreed);
  EXPECT_TRUE(d.parties[1].party.agreed);
  EXPECT_EQ(d.parties[1].by, ningbo.actor.account);
  EXPECT_EQ(d.row.shown, 2);
  // Not even past the machine: the database keeps each to his side.
  auto forged =
      ningbo.c->Exec("UPDATE canbao.case_party SET agreed_by = 'x' WHERE region = 330100");
  ASSERT_TRUE(forged) << forged.error().ToString();
  EXPECT_EQ(forged->affected(), 0);
  EXPECT_FALSE(ningbo.c->Run("UPDATE canbao.case SET county = 330203"));
  EXPECT_FALSE(ningbo.c->Run("DELETE FROM canbao.case"));
  EXPECT_FALSE(
      ningbo.c->Run("INSERT INTO canbao.case_event (case_id, by, action, cutoff) VALUES (" +
                    std::to_string(id) + ", 'somebody', 'comment', '2017-06-30')"));

  ASSERT_TRUE(Step(shangcheng, id, "agree"));  // a county of Hangzhou, the person's: acts for it
  ASSERT_TRUE(Step(shangcheng, id, "handle"));
  ASSERT_TRUE(Step(ningbo, id, "consolidate"));
  d = Read(shangcheng, id);
  EXPECT_EQ(d.row.shown, kConsolidated);
  EXPECT_EQ(d.events.size(), 5u);
  CaseFilter consolidated;
  consolidated.shown = kConsolidated;
  consolidated.where = {kShangcheng, kShangcheng + 1000000};
  EXPECT_EQ(List(shangcheng, consolidated).count, 1);
}

TEST_F(StoreTest, TwoPeopleCloseWhereBenefitsArePaid) {
  Clerk clerk = As(kHangzhou), second = As(kHangzhou, {"reviewer"});
  ASSERT_TRUE(second.actor.may_approve);
  const int64_t id = CaseOf(2);
  ASSERT_TRUE(Step(clerk, id, "dismiss", "已清退"));
  EXPECT_EQ(Read(clerk, id).facts.pending_by, clerk.actor.account);
  EXPECT_EQ(Code(Step(clerk, id, "approve")), "CB-CASEWORK-0008");
  // Nor by hand.
  EXPECT_FALSE(
      clerk.c->Run("UPDATE canbao.case SET version = version + 1, state = 6, closed_by = "
                   "pending_by, approved_by = pending_by WHERE case_id = " +
                   std::to_string(id)));
  EXPECT_FALSE(
      clerk.c->Run("UPDATE canbao.case SET version = version + 1, state = 6, closed_by = "
                   "pending_by, approved_by = 'somebody' WHERE case_id = " +
                   std::to_string(id)));
  ASSERT_TRUE(Step(second, id, "approve"));
  EXPECT_EQ(Read(clerk, id).row.shown, kDismissed);
}

TEST_F(StoreTest, OfTwoStepsAtOnceOneWins) {
  const int64_t id = CaseOf(1);
  Clerk one = As(kHangzhou), other = As(kNingbo);
  EXPECT_EQ(Code(Step(one, id, "notify", "", 7)), "CB-CASEWORK-0003");
  // Both have read version 1; the second waits for the first and finds another one.
  Intent notify;
  notify.action = "notify";
  ASSERT_TRUE(one.c->Run("BEGIN"));
  ASSERT_TRUE(StepCase(*one.c, db_->cipher(), *policy_, id, 1, one.actor, notify, kToday));
  std::string code;
  std::thread waiting([&] { code = Code(Step(other, id, "notify", "", 1)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ASSERT_TRUE(one.c->Run("COMMIT"));
  waiting.join();
  EXPECT_EQ(code, "CB-CASEWORK-0003");
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case_event"), 1);
}

TEST_F(StoreTest, BulkStepsStandEachForItself) {
  Clerk clerk = As(kProvince);
  Intent notify;
  notify.action = "notify";
  ASSERT_TRUE(clerk.c->Run("BEGIN"));
  auto result = StepCases(*clerk.c, db_->cipher(), *policy_, {CaseOf(1), CaseOf(3), 999, CaseOf(2)},
                          clerk.actor, notify, kToday);
  ASSERT_TRUE(result) << result.error().ToString();
  ASSERT_TRUE(clerk.c->Run("COMMIT"));
  EXPECT_EQ(result->done, (std::vector<int64_t>{CaseOf(1), CaseOf(2)}));
  ASSERT_EQ(result->refused.size(), 2u);
  EXPECT_EQ(result->refused[0].error.code, "CB-CASEWORK-0004");
  EXPECT_EQ(result->refused[1].error.code, "CB-CASEWORK-0012");
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case WHERE state = 2"), 2);
}

TEST_F(StoreTest, PagesGoBothWaysAndCountsFollowSteps) {
  Clerk clerk = As(kProvince);
  CaseFilter filter;
  filter.limit = 1;
  filter.where = {kProvince, kProvince + 10000000000};
  std::vector<int64_t> seen;
  CasePage page = List(clerk, filter);
  EXPECT_TRUE(page.previous.empty());
  for (;;) {
    EXPECT_EQ(page.count, 3);
    ASSERT_EQ(page.rows.size(), 1u);
    seen.push_back(page.rows[0].id);
    if (page.next.empty()) break;
    filter.after = page.next;
    page = List(clerk, filter);
  }
  EXPECT_EQ(seen.size(), 3u);
  filter.after.clear();
  filter.before = page.previous;
  page = List(clerk, filter);
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].id, seen[1]);
  EXPECT_FALSE(page.next.empty());

  ASSERT_TRUE(Step(clerk, CaseOf(3), "send"));
  auto counts = CountCases(*clerk.c, filter.where, Date::FromYmd(2018, 10, 20));
  ASSERT_TRUE(counts) << counts.error().ToString();
  ASSERT_EQ(counts->size(), 3u);
  EXPECT_EQ((*counts)[2].kind, CaseKind::kDiscrepancy);
  EXPECT_EQ((*counts)[2].shown, 7);
  EXPECT_EQ((*counts)[2].count, 1);
  EXPECT_EQ((*counts)[2].overdue, 1);  // sent a year ago
}

TEST_F(StoreTest, WhatIsGoneIsPutRightAndComesBack) {
  Clerk clerk = As(kProvince);
  ASSERT_TRUE(Step(clerk, CaseOf(1), "notify"));
  NextCutoff(
      "UPDATE canbao.duplicate_case SET valid_to = '2017-09-30'; "
      "UPDATE canbao.discrepancy_row SET valid_to = '2017-09-30'");
  EXPECT_EQ(Read(clerk, CaseOf(1)).row.shown, kGone);
  EXPECT_EQ(Read(clerk, CaseOf(3)).row.shown, 8);  // the next extract is right
  EXPECT_EQ(Count("SELECT corrected FROM canbao.case_figure WHERE cutoff = '2017-09-30'"), 1);
  EXPECT_EQ(Count("SELECT corrected FROM canbao.case_figure WHERE cutoff = '2017-06-30'"), 0);
  EXPECT_EQ(Code(Step(clerk, CaseOf(1), "agree")), "CB-CASEWORK-0004");
  // The same cut-off again, corrected: what was found stands where it stood.
  NextCutoff("UPDATE canbao.duplicate_case SET valid_to = 'infinity'");
  EXPECT_EQ(Read(clerk, CaseOf(1)).row.shown, 2);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case_event WHERE action = 'found_again'"), 0);
}

TEST_F(StoreTest, DecisionsCountAfterTheCutoffTheyWereTakenAt) {
  Clerk clerk = As(kProvince);
  ASSERT_TRUE(Step(clerk, CaseOf(3), "correct"));
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.case_decided('2017-06-30')"), 0);
  EXPECT_EQ(Count("SELECT state FROM canbao.case_decided('2017-09-30')"), 8);
  Own("SELECT canbao.open_cases('2017-06-30')");
  EXPECT_EQ(Count("SELECT corrected FROM canbao.case_figure WHERE cutoff = '2017-06-30'"), 0);
  NextCutoff("");
  EXPECT_EQ(Count("SELECT corrected FROM canbao.case_figure WHERE cutoff = '2017-09-30'"), 1);
}

}  // namespace
}  // namespace canbao::casework
