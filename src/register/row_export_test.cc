#include "register/row_export.h"

#include <gtest/gtest.h>

#include "register/access/test_session.h"
#include "register/load.h"
#include "register/synthetic_run.h"
#include "register/test_data_folder.h"
#include "scheme/person.h"

namespace canbao::reg {
namespace {

TEST(FilterWordsTest, ReadsWhatAPageReads) {
  auto f = FilterOf("uncovered", "",
                    {{"division", "330106"},
                     {"branch", "medical"},
                     {"age_from", "16"},
                     {"age_to", "60"},
                     {"group", "not_yet_verified"},
                     {"cutoff", "2017-09-30"},
                     {"page", "7"},
                     {"scheme", ""}});
  ASSERT_TRUE(f) << f.error().ToString();
  EXPECT_EQ(f->list, ListKind::kUncovered);
  EXPECT_EQ(f->division, "330106");
  EXPECT_EQ(f->branch, static_cast<int>(scheme::Branch::kMedical));
  EXPECT_EQ(f->age_from, 16);
  EXPECT_EQ(f->age_to, 60);
  EXPECT_EQ(f->group, static_cast<int>(scheme::kNotYetVerified));
  EXPECT_EQ(f->cutoff, Date::FromYmd(2017, 9, 30));
  f = FilterOf("form-2-1", "25", {{"population", "hukou"}});
  ASSERT_TRUE(f) << f.error().ToString();
  EXPECT_EQ(f->form, 21);
  EXPECT_EQ(f->column, 25);
  EXPECT_TRUE(f->hukou);
}

TEST(FilterWordsTest, RefusesWhatNoListHas) {
  struct Case {
    const char* list;
    const char* column;
    std::map<std::string, std::string> query;
  };
  for (const Case& k : {Case{"everything", "", {}},
                        {"form-2-1", "26", {}},
                        {"form-2-2", "", {}},
                        {"form-2-1", "not_yet_verified", {}},
                        {"uncovered", "", {{"branch", "dental"}}},
                        {"uncovered", "", {{"age_from", "1e3"}}},
                        {"uncovered", "", {{"age_from", "-1"}}},
                        {"uncovered", "", {{"division", "33' OR 1=1"}}},
                        {"uncovered", "", {{"cutoff", "2017-02-30"}}},
                        {"uncovered", "", {{"name", "王"}}}}) {
    auto f = FilterOf(k.list, k.column, k.query);
    ASSERT_FALSE(f) << k.list;
    EXPECT_EQ(f.error().code, "CB-REGISTER-1301");
    EXPECT_EQ(f.error().cls, ErrorClass::kUsage);
  }
}

class RowStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    auto db = folder_.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    synthetic::Options o;
    o.persons = 6000;  // more than one fetch
    auto report = LoadRun(*db_, synthetic::Make(folder_.path(), key_, o), key_);
    ASSERT_TRUE(report) << report.error().ToString();
  }
  std::vector<std::vector<std::string>> All(int64_t division, const RowFilter& filter,
                                            const ExportOptions& options = {}) {
    std::vector<std::vector<std::string>> out;
    auto token = TestSession(*db_, division, {"operator"});
    EXPECT_TRUE(token) << token.error().ToString();
    auto c = ConnectSession(*db_, *token);
    EXPECT_TRUE(c) << c.error().ToString();
    auto t = Transaction::Begin(**c);
    auto counted = CountRows(**c, filter);
    EXPECT_TRUE(counted) << counted.error().ToString();
    auto reader = StreamRows(**c, db_->cipher(), filter, options);
    EXPECT_TRUE(reader) << reader.error().ToString();
    if (!reader) return out;
    for (size_t i = 0; i < (*reader)->columns().size(); ++i) {
      if ((*reader)->columns()[i].en == "number") number_ = i;
      if ((*reader)->columns()[i].en == "person_key") person_ = i;
    }
    std::vector<std::string> row;
    for (;;) {
      auto more = (*reader)->Next(&row);
      EXPECT_TRUE(more) << more.error().ToString();
      if (!more || !*more) break;
      out.push_back(row);
    }
    if (options.persons.empty()) {
      EXPECT_EQ(static_cast<int64_t>(out.size()), *counted);
    }
    return out;
  }

  RunKey key_{};
  TestDataFolder folder_;
  std::unique_ptr<Database> db_;
  size_t number_ = 0, person_ = 0;
};

TEST_F(RowStreamTest, GivesWhatTheCallerSeesAndMasksIt) {
  RowFilter filter;
  filter.form = 22;
  filter.column = 1;
  for (int column = 1; column <= 26; ++column) {
    filter.column = column;
    if (All(330000000000, filter).size() > 100) break;
  }
  auto all = All(330000000000, filter);
  ASSERT_GT(all.size(), 100u);
  auto county = All(330102000000, filter);
  EXPECT_LT(county.size(), all.size());
  EXPECT_TRUE(All(340000000000, filter).empty());
  EXPECT_NE(all[0][number_].find('*'), std::string::npos) << all[0][number_];
  ExportOptions clear;
  clear.clear = true;
  clear.persons = {std::stoll(all[3][person_]), std::stoll(all[7][person_])};
  auto two = All(330000000000, filter, clear);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0][number_].find('*'), std::string::npos) << two[0][number_];
  EXPECT_EQ(two[0][person_], all[3][person_]);
}

}  // namespace
}  // namespace canbao::reg
