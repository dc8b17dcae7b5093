#include "reporting/linkage_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "reporting/render.h"

namespace canbao::reporting {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json::object SampleManifest() {
  std::ifstream in(CANBAO_SOURCE_DIR "/src/reporting/testdata/linkage-manifest.json");
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).as_object();
}

LinkageReport Sample() {
  auto report = ReadLinkage(SampleManifest(), "manifest.json");
  EXPECT_TRUE(report);
  return report ? *report : LinkageReport{};
}

LinkageAccount AccountWithBefore() {
  LinkageAccount a;
  a.now = Sample();
  a.before = a.now;
  a.before->run = "0000000000000001";
  a.before->cutoff = "2017-08-31";
  a.before->verdicts[static_cast<size_t>(LinkVerdict::kLinked)] = 1075;
  a.before->expected_wrong = 0.25;
  return a;
}

TEST(LinkageReportTest, FiguresOfTheManifest) {
  const LinkageReport r = Sample();
  EXPECT_EQ(r.run, "1f2e3d4c5b6a7988");
  EXPECT_EQ(r.groups(), 100u);
  EXPECT_EQ(r.without_candidate(), 20u) << "100 less 70 + 1 + 4 + 5; pairs denied are no groups";
  EXPECT_EQ(r.in_clusters(), 4u);
  EXPECT_EQ(Of(r.odds.at(20), LinkVerdict::kLinked), 60u);
  EXPECT_EQ(Of(r.odds.at(20), LinkVerdict::kReview), 1u);
  EXPECT_EQ(r.rules.at(1).name.zh, "电话、姓");
}

TEST(LinkageReportTest, HeadlinesHaveSharesOfTheGroups) {
  std::map<std::string_view, Headline> by_key;
  for (Headline& h : Headlines(Sample())) by_key[h.key] = h;
  EXPECT_DOUBLE_EQ(by_key.at("groups").value, 100);
  EXPECT_FALSE(by_key.at("groups").share);
  EXPECT_DOUBLE_EQ(*by_key.at("linked").share, 0.7);
  EXPECT_DOUBLE_EQ(*by_key.at("without_candidate").share, 0.2);
  EXPECT_DOUBLE_EQ(by_key.at("expected_wrong_limit").value, 5);
  for (const Headline& h : Headlines(LinkageReport{})) {
    EXPECT_FALSE(h.share) << "nothing is divided by no groups";
  }
}

// qpois(c(0.025, 0.975), λ) of R.
TEST(LinkageReportTest, PoissonQuantiles) {
  EXPECT_EQ(PoissonInterval(0), (Interval{0, 0}));
  EXPECT_EQ(PoissonInterval(-1), (Interval{0, 0}));
  EXPECT_EQ(PoissonInterval(0.01), (Interval{0, 0}));
  EXPECT_EQ(PoissonInterval(0.5), (Interval{0, 2}));
  EXPECT_EQ(PoissonInterval(1), (Interval{0, 3}));
  EXPECT_EQ(PoissonInterval(10), (Interval{4, 17}));
  EXPECT_EQ(PoissonInterval(100), (Interval{81, 120}));
  EXPECT_EQ(PoissonInterval(2000), (Interval{1913, 2088})) << "exp(-2000) is 0";
}

TEST(LinkageReportTest, RatesByLevel) {
  const LinkageReport r = Sample();
  const std::vector<LevelRates> rates = RatesByLevel(r, {});
  ASSERT_EQ(rates.size(), 2u);
  EXPECT_EQ(rates[0].level, "exact");
  EXPECT_EQ(rates[0].files.size(), 2u);
  EXPECT_DOUBLE_EQ(rates[0].lowest, 0.93);
  EXPECT_DOUBLE_EQ(rates[0].median, 0.95);
  EXPECT_DOUBLE_EQ(rates[0].highest, 0.97);
  EXPECT_EQ(rates[1].level, "alike");
  EXPECT_EQ(RatesByLevel(r, {"name.alike", "name.exact"})[0].level, "alike");
}

TEST(LinkageReportTest, RowsAreAllAccountedFor) {
  const LinkageReport r = Sample();
  const std::vector<SourceRows> sources = RowsBySource(r);
  ASSERT_EQ(sources.size(), 3u);
  EXPECT_EQ(sources[1].source, "sb-330100");
  EXPECT_EQ(sources[1].files, 2u);
  EXPECT_EQ(sources[1].unlinked, 28u);
  EXPECT_EQ(sources[1].rejected, 2u);
  uint64_t by_source = 0;
  for (const SourceRows& s : sources) {
    by_source += s.linked + s.unlinked + s.reference + s.rejected;
  }
  uint64_t by_outcome = 0;
  for (const auto& [key, n] : RowsByOutcome(r)) by_outcome += n;
  EXPECT_EQ(by_source, 1551u);
  EXPECT_EQ(by_outcome, 1551u);
}

TEST(LinkageReportTest, Figures) {
  EXPECT_EQ(AmountText(12345, true), "12,345");
  EXPECT_EQ(AmountText(0.0103, false), "0.010");
  EXPECT_EQ(AmountText(0.0001, false), "< 0.001");
  EXPECT_EQ(AmountText(1.255, false), "1.25");
  EXPECT_EQ(AmountText(512.4, false), "512");
  EXPECT_EQ(AmountText(0, false), "0");
  EXPECT_EQ(ChangeText(12, true), "+12");
  EXPECT_EQ(ChangeText(-1005, true), "−1,005");
  EXPECT_EQ(ChangeText(0, true), "0");
  EXPECT_EQ(ChangeText(-0.0001, false), "0");
  EXPECT_EQ(ShareText(0.041), "4.1 %");
  EXPECT_EQ(ShareText(0), "0.0 %");
  EXPECT_EQ(ShareText(1), "100.0 %");
  EXPECT_EQ(ShareText(0.0004), "< 0.1 %");
  EXPECT_EQ(ShareText(0.9999), "> 99.9 %");
}

TEST(LinkageReportTest, DamagedManifests) {
  json::object manifest = SampleManifest();
  manifest["linkage"].as_object().erase("odds");
  auto report = ReadLinkage(manifest, "m.json");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, "CB-REPORTING-0011");
  EXPECT_EQ(report.error().file, "m.json");

  manifest = SampleManifest();
  manifest["linkage"].as_object()["verdicts"].as_object()["linked"] = -1;
  EXPECT_FALSE(ReadLinkage(manifest, "m.json"));
  manifest = SampleManifest();
  manifest["linkage"] = "text";
  EXPECT_FALSE(ReadLinkage(manifest, "m.json"));
}

TEST(LinkageReportTest, JsonIsTheObjectAndWhatChanged) {
  const json::object manifest = SampleManifest();
  const std::string text = LinkageJson(AccountWithBefore(), manifest);
  json::object o = json::parse(text).as_object();
  std::vector<std::string> keys;
  for (const auto& member : o) keys.emplace_back(member.key());
  keys.resize(4);
  EXPECT_THAT(keys, ElementsAre("run", "cutoff", "previous", "differences"));
  EXPECT_EQ(o["previous"].as_string(), "0000000000000001");
  EXPECT_EQ(o["differences"].at("linked").at("before").as_int64(), 1075);
  EXPECT_EQ(o["differences"].at("linked").at("change").as_int64(), -1005);
  EXPECT_DOUBLE_EQ(o["differences"].at("expected_wrong").at("change").as_double(), 0.75);
  for (const auto& member : manifest.at("linkage").as_object()) {
    EXPECT_EQ(o[member.key()], member.value()) << member.key();
  }

  LinkageAccount alone;
  alone.now = Sample();
  o = json::parse(LinkageJson(alone, manifest)).as_object();
  EXPECT_TRUE(o["previous"].is_null());
  EXPECT_TRUE(o["differences"].as_object().empty());
}

// Every line of a table is as wide as the others: figures stand below one another.
TEST(LinkageReportTest, TextIsAligned) {
  for (Lang lang : {Lang::kZh, Lang::kEn}) {
    std::istringstream lines(LinkageText(AccountWithBefore(), lang));
    std::string line;
    while (std::getline(lines, line) && !line.empty()) {
    }
    std::getline(lines, line);
    const int width = DisplayWidth(line);
    int rows = 0;
    while (std::getline(lines, line) && rows < 9) {
      EXPECT_EQ(DisplayWidth(line), width) << line;
      ++rows;
    }
    EXPECT_EQ(rows, 9);
  }
}

TEST(LinkageReportTest, TextOfARunWithoutSeekers) {
  LinkageAccount a;
  a.now = Sample();
  a.now.no_number = {};
  a.now.unverified = {};
  EXPECT_THAT(LinkageText(a, Lang::kEn), HasSubstr("No rows looked for their person"));
  EXPECT_THAT(LinkageText(a, Lang::kZh), HasSubstr("没有需要寻找本人的行"));
  EXPECT_THAT(LinkageText(a, Lang::kEn), Not(HasSubstr("wrong")));
}

}  // namespace
}  // namespace canbao::reporting
