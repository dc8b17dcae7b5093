#include "reporting/linkage_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace canbao::reporting {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

LinkageAccount SampleAccount() {
  std::ifstream in(CANBAO_SOURCE_DIR "/src/reporting/testdata/linkage-manifest.json");
  std::stringstream text;
  text << in.rdbuf();
  auto report = ReadLinkage(json::parse(text.str()).as_object(), "manifest.json");
  EXPECT_TRUE(report);
  LinkageAccount a;
  if (report) a.now = *report;
  a.thresholds = LinkageThresholds{8, 0};
  a.names.kinds["enrolment"] = {"参保", "enrolment"};
  a.names.fields["name"] = {"姓名", "name"};
  a.names.levels["name.exact"] = {"相同", "the same"};
  return a;
}

size_t Times(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

// The first tag that does not fit; empty when all of them nest.
std::string FirstUnbalanced(const std::string& page) {
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const size_t end = page.find('>', at);
    if (end == std::string::npos) return page.substr(at, 40);
    const std::string tag = page.substr(at + 1, end - at - 1);
    if (tag[0] == '!' || tag.back() == '/') continue;
    if (tag[0] != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return tag;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

// Every chart says what it shows, and its figures stand in a table.
void ExpectSelfContained(const std::string& page) {
  EXPECT_EQ(FirstUnbalanced(page), "");
  const size_t charts = Times(page, "role=\"img\"");
  EXPECT_EQ(Times(page, "<desc id="), charts);
  EXPECT_EQ(Times(page, "-title\">"), charts);
  for (const char* elsewhere :
       {"<script", "<link", "<img", "@import", "src=", "javascript:", "<iframe", "url(h"}) {
    EXPECT_THAT(page, Not(HasSubstr(elsewhere)));
  }
  EXPECT_EQ(Times(page, "http"), Times(page, "xmlns=\"http://www.w3.org/"));
}

TEST(LinkagePageTest, BothLanguages) {
  const std::string zh = LinkagePage(SampleAccount(), Lang::kZh);
  const std::string en = LinkagePage(SampleAccount(), Lang::kEn);
  ExpectSelfContained(zh);
  ExpectSelfContained(en);
  EXPECT_THAT(zh, HasSubstr("lang=\"zh-CN\""));
  EXPECT_THAT(en, HasSubstr("lang=\"en\""));
  EXPECT_TRUE(zh.starts_with("<!DOCTYPE html>\n<html"));
  const std::string body = en.substr(en.find("<body>"));
  EXPECT_THAT(body.substr(0, body.find("<section><h2>Pairs")), Not(HasSubstr("关联")));
  EXPECT_EQ(zh, LinkagePage(SampleAccount(), Lang::kZh));
}

TEST(LinkagePageTest, SaysWhatTheFiguresAre) {
  const std::string page = LinkagePage(SampleAccount(), Lang::kEn);
  EXPECT_THAT(page, HasSubstr("<dd class=\"figure\">100</dd>"));
  EXPECT_THAT(page, HasSubstr("<dd class=\"note\">70.0 %</dd>"));
  EXPECT_THAT(page, HasSubstr("95 % interval 0–3 · limit 5.00"));
  EXPECT_THAT(page, HasSubstr("what the model expects"));
  EXPECT_THAT(page, HasSubstr("groups confirmed 1, pairs denied 2"));
  EXPECT_THAT(page, HasSubstr("name · the same"));
  EXPECT_THAT(page, HasSubstr("sb-330100 · enrolment"));
  EXPECT_THAT(page, HasSubstr("6.0 % · 30 / 500"));
  EXPECT_THAT(page, HasSubstr(">ga · household_register<")) << "a key without a name";
}

TEST(LinkagePageTest, ColumnsOfTheHistogram) {
  const std::string page = LinkagePage(SampleAccount(), Lang::kEn);
  const std::string all = page.substr(page.find("<title id=\"odds-title\""));
  const std::string chart = all.substr(0, all.find("</svg>"));
  EXPECT_EQ(Times(chart, "class=\"v-linked\""), 2u);
  EXPECT_EQ(Times(chart, "class=\"v-review\""), 2u);
  EXPECT_EQ(Times(chart, "class=\"v-unlikely\""), 1u);
  EXPECT_EQ(Times(chart, "class=\"mark\""), 2u);
  EXPECT_THAT(page, HasSubstr("id=\"odds-left-title\"")) << "what is dwarfed is shown closer";

  LinkageAccount unknown = SampleAccount();
  unknown.thresholds.reset();
  EXPECT_THAT(LinkagePage(unknown, Lang::kEn), Not(HasSubstr("class=\"mark\"")));
}

TEST(LinkagePageTest, SizesInBothChartsHaveTheSameLines) {
  const std::string page = LinkagePage(SampleAccount(), Lang::kEn);
  for (const char* id : {"\"clusters-title\"", "\"components-title\""}) {
    const std::string rest = page.substr(page.find(id));
    const std::string chart = rest.substr(0, rest.find("</svg>"));
    for (const char* size : {">1<", ">2<", ">5–8<"}) {
      EXPECT_THAT(chart, HasSubstr(size)) << id;
    }
  }
}

TEST(LinkagePageTest, DifferencesFromTheRunBefore) {
  LinkageAccount a = SampleAccount();
  EXPECT_THAT(LinkagePage(a, Lang::kEn), Not(HasSubstr("Since the run before")));
  a.before = a.now;
  a.before->run = "0000000000000001";
  a.before->verdicts[static_cast<size_t>(LinkVerdict::kReview)] = 14;
  const std::string page = LinkagePage(a, Lang::kEn);
  ExpectSelfContained(page);
  EXPECT_THAT(page, HasSubstr("Since the run before"));
  EXPECT_THAT(page, HasSubstr("−10 since last run"));
  EXPECT_THAT(page, HasSubstr("as in last run"));
  const std::string table = page.substr(page.find("Since the run before"));
  for (const Headline& h : Headlines(a.now)) EXPECT_THAT(table, HasSubstr(">" + h.label.en + "<"));
}

TEST(LinkagePageTest, EveryTextIsEscaped) {
  const std::string hostile = "</title><script>alert('1')</script>\"&\x01";
  LinkageAccount a = SampleAccount();
  a.now.run = hostile;
  a.now.cutoff = hostile;
  for (auto& rule : a.now.rules) rule.name = {hostile, hostile};
  for (auto& e : a.now.extracts) e.file = e.source = e.kind = hostile;
  for (auto& e : a.now.extracts) e.outcomes.emplace_back(hostile, 1);
  for (auto& l : a.now.learned) l.file = l.source = l.kind = l.field = l.level = hostile;
  a.names = {};
  a.before = a.now;
  const std::string page = LinkagePage(a, Lang::kZh);
  ExpectSelfContained(page);
  EXPECT_THAT(page, HasSubstr("&lt;/title&gt;&lt;script&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
}

TEST(LinkagePageTest, ARunWithoutSeekers) {
  LinkageAccount a = SampleAccount();
  LinkageReport nothing;
  nothing.run = a.now.run;
  nothing.cutoff = a.now.cutoff;
  nothing.extracts = a.now.extracts;
  a.now = nothing;
  const std::string page = LinkagePage(a, Lang::kEn);
  ExpectSelfContained(page);
  EXPECT_THAT(page, HasSubstr("No rows looked for their person"));
  EXPECT_THAT(page, HasSubstr("An account of 1,551 rows"))
      << "the rows have their account all the same";
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  a.now.extracts.clear();
  ExpectSelfContained(LinkagePage(a, Lang::kEn));
}

// Seekers, but nobody to compare them with.
TEST(LinkagePageTest, NothingScored) {
  LinkageAccount a = SampleAccount();
  a.now.odds.clear();
  a.now.verdicts = {};
  a.now.clusters.clear();
  a.now.components.clear();
  a.now.candidates.clear();
  a.now.learned.clear();
  const std::string page = LinkagePage(a, Lang::kEn);
  ExpectSelfContained(page);
  EXPECT_THAT(page, HasSubstr("No group was scored."));
  EXPECT_THAT(page, HasSubstr("There are none."));
}

TEST(LinkagePageTest, ManySourcesAreCutInTheChartAlone) {
  LinkageAccount a = SampleAccount();
  for (int i = 0; i < 40; ++i) {
    LinkageReport::Extract e;
    e.source = fmt::format("source-{:02}", i);
    e.kind = "enrolment";
    e.rows_in = 100;
    e.unlinked = static_cast<uint64_t>(i) + 10;
    e.linked = 90 - static_cast<uint64_t>(i);
    a.now.extracts.push_back(e);
  }
  const std::string page = LinkagePage(a, Lang::kEn);
  EXPECT_THAT(page, HasSubstr("more sources have smaller shares"));
  EXPECT_EQ(Times(page, "source-39"), 2u) << "chart and table";
  EXPECT_EQ(Times(page, "source-00"), 1u) << "table alone";
}

}  // namespace
}  // namespace canbao::reporting
