#include "identity/division.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace canbao::identity {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const Date kCutoff = Date::FromYmd(2017, 9, 30);

const DivisionTable& Table() {
  static const DivisionTable table = [] {
    auto loaded = DivisionTable::Load(CANBAO_SOURCE_DIR "/data");
    if (!loaded) throw std::runtime_error(loaded.error().ToString());
    return std::move(*loaded);
  }();
  return table;
}

Division D(std::string_view digits) { return ParseDivision(digits); }

TEST(Division, Parsing) {
  EXPECT_EQ(D("33").v, 330000000000u);
  EXPECT_EQ(D("330102").v, 330102000000u);
  EXPECT_EQ(D("330102001").v, 330102001000u);
  EXPECT_EQ(D(" 330102001005 ").v, 330102001005u);
  EXPECT_EQ(D("330102").city(), 330100u);
  EXPECT_EQ(D("330102").province(), 330000u);
  for (const char* bad :
       {"", "3", "330", "33010", "3301021", "33010a", "浙江", "000000", "0330102"}) {
    EXPECT_FALSE(D(bad).has_value()) << bad;
  }
}

TEST(Division, NamesAtADate) {
  EXPECT_EQ(Table().NameOf(D("330000"), kCutoff), "浙江省");
  EXPECT_EQ(Table().NameOf(D("330102"), kCutoff), "上城区");
  EXPECT_EQ(Table().FullNameOf(D("330102"), kCutoff), "浙江省杭州市上城区");
  EXPECT_EQ(Table().FullNameOf(D("110101"), kCutoff), "北京市东城区");
  EXPECT_EQ(Table().FullNameOf(D("429004"), kCutoff), "湖北省仙桃市");
  EXPECT_EQ(Table().NameOf(D("130502"), kCutoff), "桥东区");
  EXPECT_EQ(Table().NameOf(D("130502"), Date::FromYmd(2021, 1, 1)), "襄都区");
  EXPECT_EQ(Table().NameOf(D("130502"), {}), "襄都区");
  EXPECT_EQ(Table().NameOf(D("110103"), kCutoff), "崇文区")
      << "the newest name of one that is gone";
  EXPECT_EQ(Table().NameOf(D("110221"), kCutoff), "昌平县") << "gone before the first revision";
  EXPECT_EQ(Table().NameOf(D("999999"), kCutoff), "");
}

TEST(Division, TownsAndVillages) {
  EXPECT_EQ(Table().NameOf(D("110101001"), kCutoff), "东华门街道");
  EXPECT_EQ(Table().NameOf(D("110101001001"), kCutoff), "多福巷社区居委会");
  EXPECT_EQ(Table().FullNameOf(D("110101001001"), kCutoff),
            "北京市东城区东华门街道多福巷社区居委会");
  EXPECT_TRUE(Table().IsValid(D("110101001001"), kCutoff));
  EXPECT_FALSE(Table().IsKnown(D("110101999")));
  EXPECT_THAT(Table().ChildrenOf(D("110101"), kCutoff), Contains(D("110101001")));
  EXPECT_THAT(Table().ChildrenOf(D("110101001"), kCutoff), Contains(D("110101001001")));
  EXPECT_THAT(Table().ChildrenOf(D("441900"), kCutoff), Contains(D("441900003")))
      << "a city without counties";
  EXPECT_THAT(Table().ChildrenOf(D("110101001001"), kCutoff), IsEmpty());
}

TEST(Division, ValidityAndSuccession) {
  const Date before = Date::FromYmd(2010, 6, 1);
  EXPECT_TRUE(Table().IsValid(D("330183"), before));
  EXPECT_FALSE(Table().IsValid(D("330183"), kCutoff));
  EXPECT_TRUE(Table().IsKnown(D("330183")));
  EXPECT_TRUE(Table().IsValid(D("330185"), kCutoff)) << "in the year of the change both are";
  EXPECT_TRUE(Table().IsValid(D("330112"), kCutoff));
  EXPECT_FALSE(Table().IsValid(D("330185"), Date::FromYmd(2018, 1, 1)));

  EXPECT_THAT(Table().SuccessorsOf(330102, kCutoff), ElementsAre(330102u));
  EXPECT_THAT(Table().SuccessorsOf(330183, kCutoff), ElementsAre(330111u));
  EXPECT_THAT(Table().SuccessorsOf(330183, before), ElementsAre(330183u));
  EXPECT_THAT(Table().SuccessorsOf(330204, kCutoff), ElementsAre(330212u));
  EXPECT_THAT(Table().SuccessorsOf(330185, kCutoff), ElementsAre(330112u));
  EXPECT_THAT(Table().SuccessorsOf(110103, kCutoff), ElementsAre(110101u));
  EXPECT_THAT(Table().SuccessorsOf(110104, kCutoff), ElementsAre(110102u));
  EXPECT_THAT(Table().SuccessorsOf(130103, kCutoff), ElementsAre(130102u, 130104u)) << "a split";
  EXPECT_THAT(Table().SuccessorsOf(371202, Date::FromYmd(2020, 1, 1)), ElementsAre(370116u));
  EXPECT_THAT(Table().SuccessorsOf(371202, kCutoff), ElementsAre(371202u)) << "not yet";
  EXPECT_THAT(Table().SuccessorsOf(350403, Date::FromYmd(2022, 1, 1)), ElementsAre(350404u));
  EXPECT_THAT(Table().SuccessorsOf(999999, kCutoff), IsEmpty());
  // Through several changes: 武清县 → 武清区; 永年县 split in 2016.
  EXPECT_THAT(Table().SuccessorsOf(120222, kCutoff), ElementsAre(120114u));
  EXPECT_THAT(Table().SuccessorsOf(130429, kCutoff), ElementsAre(130403u, 130408u));
}

TEST(Division, EverySuccessionLeadsToSomethingKnown) {
  // A chain that ends nowhere would make people fall out of every county.
  const Date now = Date::FromYmd(2023, 12, 31);
  int gone = 0;
  int lost = 0;
  for (uint32_t province = 110000; province <= 650000; province += 10000) {
    for (uint32_t code = province + 101; code < province + 9999; ++code) {
      const Division d{code * 1000000ull};
      if (!Table().IsKnown(d) || code % 100 == 0) continue;
      const std::string name = Table().NameOf(d, now);
      if (name == "市辖区" || name == "县" || Table().IsValid(d, now)) continue;
      ++gone;
      for (uint32_t to : Table().SuccessorsOf(code, now)) {
        EXPECT_TRUE(Table().IsValid(Division{to * 1000000ull}, now)) << code << " → " << to;
      }
      lost += Table().SuccessorsOf(code, now).empty();
    }
  }
  EXPECT_GT(gone, 800);
  EXPECT_LT(lost, 60);
}

TEST(Division, Lists) {
  EXPECT_THAT(Table().CitiesOf(330000, kCutoff),
              ElementsAre(330100u, 330200u, 330300u, 330400u, 330500u, 330600u, 330700u, 330800u,
                          330900u, 331000u, 331100u));
  EXPECT_THAT(Table().CountiesOf(330200, kCutoff),
              ElementsAre(330203u, 330205u, 330206u, 330211u, 330212u, 330213u, 330225u, 330226u,
                          330281u, 330282u));
  EXPECT_THAT(Table().CountiesOf(330100, kCutoff),
              ElementsAre(330102u, 330103u, 330104u, 330105u, 330106u, 330108u, 330109u, 330110u,
                          330111u, 330112u, 330122u, 330127u, 330182u));
  EXPECT_THAT(Table().CountiesOf(330100, Date::FromYmd(2022, 1, 1)),
              ElementsAre(330102u, 330105u, 330106u, 330108u, 330109u, 330110u, 330111u, 330112u,
                          330113u, 330114u, 330122u, 330127u, 330182u));
  EXPECT_THAT(Table().CitiesOf(110000, kCutoff), Contains(110100u));
  EXPECT_THAT(Table().CountiesOf(110100, kCutoff), Not(Contains(110100u)));
  EXPECT_EQ(Table().CountiesOf(110100, kCutoff).size(), 16u);
  EXPECT_THAT(Table().CountiesOf(429000, kCutoff), ElementsAre(429004u, 429005u, 429006u, 429021u));
  EXPECT_THAT(Table().CountiesOf(130100, kCutoff), Not(Contains(130171u))) << "development zone";
  EXPECT_THAT(Table().CitiesOf(371200 / 10000 * 10000, Date::FromYmd(2019, 1, 1)),
              Not(Contains(371200u)));
  EXPECT_EQ(Table().ChildrenOf(Division{}, kCutoff).size(), 34u) << "provinces, 港澳台 too";
}

TEST(Division, CountsOfTheStatisticalYearbook) {
  // End of 2017: 334 prefectures, 2,851 counties (reference: Ministry of Civil Affairs). Cities
  // that GB/T 2260 lists for the districts of municipalities and the counties under provinces come
  // on top.
  const Date end = Date::FromYmd(2017, 12, 31);
  int counties = 0;
  int prefectures = 0;
  for (Division p : Table().ChildrenOf(Division{}, end)) {
    for (uint32_t city : Table().CitiesOf(p.county(), end)) {
      const std::string name = Table().NameOf(Division{city * 1000000ull}, end);
      prefectures += name.find("直辖县级") == std::string::npos && name != "市辖区" && name != "县";
      counties += static_cast<int>(Table().CountiesOf(city, end).size());
    }
  }
  EXPECT_NEAR(prefectures, 334, 1);
  EXPECT_NEAR(counties, 2851, 6);
}

TEST(Division, DamagedTablesAreRefused) {
  namespace fs = std::filesystem;
  const fs::path dir = fs::path(testing::TempDir()) / "canbao_division_test";
  fs::remove_all(dir);
  fs::create_directories(dir / "divisions");
  auto loaded = DivisionTable::Load(dir.string());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "CB-IDENTITY-0001");
  for (const char* file : {"divisions.csv", "succession.csv", "statistical.csv", "towns.txt"}) {
    fs::copy_file(fs::path(CANBAO_SOURCE_DIR "/data/divisions") / file, dir / "divisions" / file);
  }
  loaded = DivisionTable::Load(dir.string());
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->NameOf(D("330102001001"), kCutoff), "") << "works without villages";
  EXPECT_EQ(loaded->NameOf(D("110101001"), kCutoff), "东华门街道");
  std::ofstream(dir / "divisions" / "divisions.csv", std::ios::app) << "33010x,某县,0,0\n";
  loaded = DivisionTable::Load(dir.string());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "CB-IDENTITY-0002");
  EXPECT_GT(loaded.error().line, 1000);
  fs::remove_all(dir);
}

TEST(Division, SearchFindsByNameAndByTheBeginningOfACode) {
  auto codes = [](std::string_view text, size_t limit) {
    std::vector<uint64_t> out;
    for (Division d : Table().Search(text, limit)) out.push_back(d.v);
    return out;
  };
  EXPECT_THAT(codes("杭州", 10), Contains(330100000000u));
  EXPECT_EQ(codes("上城区", 10).front(), 330102000000u) << "named exactly so comes first";
  EXPECT_THAT(codes("东华门街道", 5), ElementsAre(110101001000u));
  EXPECT_EQ(codes("3301", 3), (std::vector<uint64_t>{330100000000, 330101000000, 330102000000}));
  EXPECT_THAT(codes("330102001", 5), Contains(330102001000u));
  EXPECT_THAT(codes("", 5), IsEmpty());
  EXPECT_THAT(codes("没有这个地方", 5), IsEmpty());
  EXPECT_EQ(codes("县", 7).size(), 7u);
}

TEST(Division, HistoryNamesWhatWentWhere) {
  // 北京: 崇文 into 东城, 2010.
  const auto gone = Table().HistoryOf(D("110103"));
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].kind, ChangeKind::kMerge);
  EXPECT_EQ(gone[0].successor, D("110101"));
  EXPECT_EQ(gone[0].date, Date::FromYmd(2010, 1, 1));
  EXPECT_TRUE(gone[0].year_only);
  bool taken_in = false;
  for (const DivisionChange& c : Table().HistoryOf(D("110101"))) {
    taken_in |= c.kind == ChangeKind::kMerge && c.code == D("110103");
  }
  EXPECT_TRUE(taken_in);
  bool renamed = false;
  for (const DivisionChange& c : Table().HistoryOf(D("130502"))) {
    renamed |= c.kind == ChangeKind::kRename && c.name == "襄都区";
  }
  EXPECT_TRUE(renamed);
}

TEST(Division, RecordedChangesAreTakenIn) {
  auto loaded = DivisionTable::Load(CANBAO_SOURCE_DIR "/data");
  ASSERT_TRUE(loaded);
  DivisionTable& t = *loaded;
  std::vector<DivisionChange> changes = {
      {ChangeKind::kRename, D("330122"), "桐庐区", {}, Date::FromYmd(2031, 3, 1), "a, \"b\""},
      {ChangeKind::kMerge, D("330127"), "", D("330122"), Date::FromYmd(2032, 3, 1), "c"},
      {ChangeKind::kSplit, D("330182"), "新一区", D("330198"), Date::FromYmd(2033, 3, 1), "d"},
      {ChangeKind::kSplit, D("330182"), "", D("330182"), Date::FromYmd(2033, 3, 1), "d"},
      {ChangeKind::kAbolish, D("330681"), "", {}, Date::FromYmd(2034, 3, 1), "e"}};
  // Through the file, as a comparison reads them.
  const std::string csv = WriteDivisionChanges(changes);
  auto parsed = ParseDivisionChanges(csv, "changes.csv");
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(WriteDivisionChanges(*parsed), csv);
  EXPECT_EQ((*parsed)[0].source, "a, \"b\"");
  t.Apply(*parsed);

  const Date before = Date::FromYmd(2030, 6, 30);
  const Date after = Date::FromYmd(2035, 6, 30);
  EXPECT_EQ(t.NameOf(D("330122"), before), "桐庐县");
  EXPECT_EQ(t.NameOf(D("330122"), after), "桐庐区");
  EXPECT_THAT(t.SuccessorsOf(330127, before), ElementsAre(330127u));
  EXPECT_THAT(t.SuccessorsOf(330127, after), ElementsAre(330122u));
  EXPECT_EQ(t.NameOf(D("330198"), after), "新一区");
  EXPECT_THAT(t.SuccessorsOf(330182, after), ElementsAre(330182u)) << "it lives on, smaller";
  EXPECT_THAT(t.SuccessorsOf(330681, after), IsEmpty());
  EXPECT_FALSE(t.IsValid(D("330681"), after));
  EXPECT_TRUE(t.IsValid(D("330681"), before));
  EXPECT_EQ(t.HistoryOf(D("330122")).back().source, "c");
  EXPECT_EQ(t.HistoryOf(D("330681")).back().kind, ChangeKind::kAbolish);
  EXPECT_EQ(t.HistoryOf(D("330681")).back().source, "e");

  for (const char* bad : {"2031-03-01,rename,330122,x", "x,rename,330122,x,,y",
                          "2031-03-01,eat,330122,x,,y", "2031-03-01,rename,\"330122,x,,y"}) {
    auto refused = ParseDivisionChanges(bad, "changes.csv");
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, "CB-IDENTITY-0002");
  }
}

}  // namespace
}  // namespace canbao::identity
