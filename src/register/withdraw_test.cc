#include "register/withdraw.h"

#include <gtest/gtest.h>

#include "register/internal/layout.h"
#include "register/load.h"
#include "register/read.h"
#include "register/synthetic_run.h"
#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {

class WithdrawTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    auto db = folder_.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
  }
  synthetic::Options At(int month, const char* run) {
    synthetic::Options o;
    o.cutoff = Date::FromYmd(2017, month, 28);
    o.run = run;
    o.persons = 300;
    if (month > 6) {
      o.renamed_every = 7;
      o.vanished_every = 31;
      o.ended_every = 11;
      o.persons = 320;
      o.file_digest = run;
    }
    return o;
  }
  void Load(const synthetic::Options& o) {
    auto report = LoadRun(*db_, synthetic::Make(folder_.path(), key_, o), key_);
    ASSERT_TRUE(report) << report.error().ToString();
  }
  // Everything that tables hold, with the cut-offs between which it is known.
  std::map<std::string, std::string> Contents() {
    std::map<std::string, std::string> out;
    auto c = db_->Connect();
    std::vector<std::string> tables = {"figure"};
    for (const TableLayout& t : Layouts()) tables.emplace_back(t.name);
    for (const std::string& table : tables) {
      auto rows = (*c)->Exec(
          "SELECT count(*), coalesce(sum(hash_record_extended(t, 0)::numeric), 0)"
          " FROM canbao." +
          table + " t");
      EXPECT_TRUE(rows) << rows.error().ToString();
      if (rows) out[table] = std::string(rows->Text(0, 0)) + " " + std::string(rows->Text(0, 1));
    }
    return out;
  }

  RunKey key_{};
  TestDataFolder folder_;
  std::unique_ptr<Database> db_;
};

TEST_F(WithdrawTest, TheNewestRunIsAsIfItHadNeverBeen) {
  Load(At(6, "june"));
  auto before = Contents();
  Load(At(9, "september"));
  ASSERT_NE(Contents(), before);
  auto report = WithdrawRun(*db_, "september");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_GT(report->removed, 0);
  EXPECT_GT(report->reopened, 0);
  EXPECT_EQ(Contents(), before);
  auto cutoffs = Cutoffs(*db_);
  ASSERT_TRUE(cutoffs);
  EXPECT_EQ(*cutoffs, std::vector<Date>{Date::FromYmd(2017, 6, 28)});
  auto again = WithdrawRun(*db_, "september");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "CB-REGISTER-0510");
  // It may come again, and says what it said.
  Load(At(9, "september"));
  cutoffs = Cutoffs(*db_);
  ASSERT_TRUE(cutoffs);
  EXPECT_EQ(cutoffs->size(), 2u);
}

TEST_F(WithdrawTest, OneBetweenOthersLeavesThemAsTheyWere) {
  Load(At(6, "june"));
  Load(At(12, "december"));
  auto before = Contents();
  synthetic::Options between = At(9, "september");
  between.renamed_every = 5;
  Load(between);
  auto report = WithdrawRun(*db_, "september");
  ASSERT_TRUE(report) << report.error().ToString();
  // Facts may lie in more pieces than before; what each cut-off knows is the same.
  auto figures = FiguresAt(*db_, Date::FromYmd(2017, 12, 28));
  auto recounted = RecountFigures(*db_, Date::FromYmd(2017, 12, 28));
  ASSERT_TRUE(figures && recounted);
  EXPECT_EQ(*figures, *recounted);
  auto c = db_->Connect();
  for (const char* day : {"2017-06-28", "2017-12-28"}) {
    auto rows = (*c)->Exec(fmt::format(
        "SELECT count(*) FROM canbao.person WHERE valid_from <= '{0}' AND valid_to > '{0}'", day));
    ASSERT_TRUE(rows);
    auto classified = (*c)->Exec(
        fmt::format("SELECT count(*) FROM canbao.classification WHERE cutoff = '{}'", day));
    ASSERT_TRUE(classified);
    EXPECT_EQ(rows->Int(0, 0), classified->Int(0, 0)) << day;
  }
  EXPECT_EQ(Contents()["classification_row"], before["classification_row"]);
  EXPECT_EQ(Contents()["figure"], before["figure"]);
}

TEST_F(WithdrawTest, OneThatReplacedAnotherIsNotTakenBack) {
  Load(At(6, "june"));
  Load(At(9, "september"));
  synthetic::Options other = At(9, "september2");
  other.renamed_every = 5;
  Load(other);
  auto replaced = ReplacedBy(*db_, "september2");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(*replaced, "september");
  auto before = Contents();
  auto report = WithdrawRun(*db_, "september2");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, "CB-REGISTER-0512");
  EXPECT_EQ(Contents(), before);
}

}  // namespace
}  // namespace canbao::reg
