// Goldens of what people and programs get. After an intended change run the test with
// CANBAO_UPDATE_GOLDENS=1 and read the difference.
#include "reporting/render.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reporting/cube.h"
#include "reporting/workbook.h"

namespace canbao::reporting {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void ExpectGolden(const std::string& name, const std::string& actual) {
  fs::path path = fs::path(CANBAO_SOURCE_DIR) / "src/reporting/testdata" / name;
  if (std::getenv("CANBAO_UPDATE_GOLDENS") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
  }
  EXPECT_EQ(actual, Slurp(path)) << name;
}

// A small province in two cities; every cell differs, the printed checks hold.
Cube SampleProvince() {
  Cube cube;
  auto add = [&](uint32_t county, uint32_t city, int64_t factor) {
    const int64_t form21[] = {30, 25, 4, 3, 6, 1, 7, 2, 1, 3, 0, 1, 0,
                              2,  0,  5, 4, 2, 3, 1, 0, 0, 8, 9, 10};
    for (int i = 0; i < 25; ++i) {
      cube.Add(county, city, i != 2, 21, static_cast<uint8_t>(i + 1), form21[i] * factor);
    }
    const int64_t form22[] = {5, 1, 4, 1, 2, 1, 1, 0, 0, 3, 4, 1, 3, 2,
                              0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1};
    for (int i = 0; i < 27; ++i) {
      cube.Add(county, city, true, 22, static_cast<uint8_t>(i + 1), form22[i] * factor);
    }
    cube.Add(county, city, true, 23, 11, factor);  // (3) × (11)
  };
  add(330102, 330100, 1000);
  add(330281, 330200, 1);
  return cube;
}

FormTable Table(const std::string& code) {
  Date cutoff = Date::FromYmd(2017, 9, 30);
  FormPtr form = *LoadForm(std::string(CANBAO_SOURCE_DIR) + "/data", code, cutoff);
  Cube cube = SampleProvince();
  Figures figures = cube.RollUp(330000, Population::kAll);
  figures.SetNamed("resident_population", 27000);
  figures.SetNamed("compared_internal", 26999);
  figures.SetNamed("cities", 2);
  figures.Set(kForm1, 1, 1);
  figures.Set(kForm1, 2, 0);
  FormTable table;
  table.total = Evaluate(form, figures, {330000, {"浙江省", "Zhejiang"}, cutoff, "all"});
  if (code != "1") {
    const Text names[] = {{"杭州市", "Hangzhou"}, {"宁波市", "Ningbo"}};
    size_t i = 0;
    for (uint32_t city : cube.Cities()) {
      table.parts.push_back(
          Evaluate(form, cube.RollUp(city, Population::kAll), {city, names[i++], cutoff, "all"}));
    }
  }
  return table;
}

TEST(RenderTest, Text) {
  ExpectGolden("form-2-1.zh.txt", RenderText(Table("2-1"), Lang::kZh));
  ExpectGolden("form-2-1.en.txt", RenderText(Table("2-1"), Lang::kEn));
  ExpectGolden("form-2-2.zh.txt", RenderText(Table("2-2"), Lang::kZh));
  ExpectGolden("form-1.zh.txt", RenderText(Table("1"), Lang::kZh));
}

TEST(RenderTest, Csv) {
  ExpectGolden("form-2-1.zh.csv", RenderCsv(Table("2-1"), Lang::kZh));
  ExpectGolden("form-2-2.en.csv", RenderCsv(Table("2-2"), Lang::kEn));
}

TEST(RenderTest, JsonHasTheAgreedShape) {
  for (const char* code : {"2-1", "2-2", "1"}) {
    std::string text = RenderJson(Table(code));
    ExpectGolden(std::string("form-") + code + ".json", text);
    boost::json::object o = boost::json::parse(text).as_object();
    auto key = o.begin();
    for (const char* expected : {"form", "division", "cutoff", "columns", "checks"}) {
      ASSERT_EQ(key->key(), expected);
      ++key;
    }
    const boost::json::object& columns = o["columns"].as_object();
    EXPECT_EQ(columns.contains("not_yet_verified"), std::string(code) == "2-2");
    for (size_t i = 0; i < Table(code).total.columns.size(); ++i) {
      EXPECT_EQ((columns.begin() + i)->key(), std::to_string(i + 1));
    }
    for (const boost::json::value& check : o["checks"].as_array()) {
      EXPECT_TRUE(check.as_object().at("rule").is_string());
      EXPECT_TRUE(check.as_object().at("holds").is_bool());
    }
  }
  EXPECT_NE(RenderJson(Table("2-1")).find("\"21\":null,\"22\":null"), std::string::npos);
}

TEST(RenderTest, WidthOfWhatATerminalShows) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("浙江"), 4);
  EXPECT_EQ(DisplayWidth("（一）"), 6);
  EXPECT_EQ(DisplayWidth("\xF0\xA0\xAE\xB7"), 2);  // 𠮷, beyond the BMP
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1);
  EXPECT_EQ(DisplayWidth("·"), 1);
  EXPECT_EQ(DisplayWidth("\xE6\xB5"), DisplayWidth("\xE6\xB5"));  // a cut character ends
}

// One line per row of the table: every line that has a figure ends in the same column.
TEST(RenderTest, TextIsAligned) {
  std::istringstream lines(RenderText(Table("2-1"), Lang::kZh));
  std::string line;
  int width = -1;
  int rows = 0;
  while (std::getline(lines, line) && line != "审核关系") {
    if (line.size() < 2 || !isdigit(static_cast<unsigned char>(line[1]))) continue;
    if (line.ends_with("未采集")) continue;  // as wide, but counted apart
    ++rows;
    if (width < 0) width = DisplayWidth(line);
    EXPECT_EQ(DisplayWidth(line), width) << line;
  }
  EXPECT_EQ(rows, 23);
}

std::string EntryOf(const fs::path& path, const char* name) {
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, nullptr);
  EXPECT_NE(archive, nullptr);
  if (archive == nullptr) return {};
  zip_stat_t stat;
  std::string out;
  if (zip_stat(archive, name, 0, &stat) == 0) {
    out.resize(stat.size);
    zip_file_t* file = zip_fopen(archive, name, 0);
    EXPECT_EQ(zip_fread(file, out.data(), out.size()), static_cast<zip_int64_t>(out.size()));
    zip_fclose(file);
  }
  zip_close(archive);
  return out;
}

class WorkbookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(::testing::TempDir()) / "canbao_form.xlsx";
    fs::remove(path_);
  }
  void TearDown() override { fs::remove(path_); }
  void Write(const std::string& code) {
    Status status = WriteXlsx(Table(code), path_.string(), Lang::kZh);
    ASSERT_TRUE(status) << status.error().ToString();
    sheet_ = EntryOf(path_, "xl/worksheets/sheet1.xml");
    ASSERT_FALSE(sheet_.empty());
    std::string shared = EntryOf(path_, "xl/sharedStrings.xml");
    for (size_t at = shared.find("<t"); at != std::string::npos; at = shared.find("<t", at + 1)) {
      if (shared[at + 2] != '>' && shared[at + 2] != ' ') continue;
      size_t begin = shared.find('>', at) + 1;
      strings_.push_back(shared.substr(begin, shared.find("</t>", begin) - begin));
    }
  }
  // The shown value of a cell: a number as written, or the string it points at.
  std::string Cell(const std::string& ref) {
    size_t at = sheet_.find("<c r=\"" + ref + "\"");
    if (at == std::string::npos) return "(absent)";
    std::string tag = sheet_.substr(at, sheet_.find('>', at) - at);
    if (tag.ends_with('/')) return "";
    size_t begin = sheet_.find("<v>", at) + 3;
    std::string value = sheet_.substr(begin, sheet_.find("</v>", begin) - begin);
    if (tag.find("t=\"s\"") == std::string::npos) return value;
    return strings_.at(std::stoul(value));
  }
  bool Merged(const std::string& range) {
    return sheet_.find("<mergeCell ref=\"" + range + "\"/>") != std::string::npos;
  }
  fs::path path_;
  std::string sheet_;
  std::vector<std::string> strings_;
};

TEST_F(WorkbookTest, Form21HasTheLayoutOfTheAttachment) {
  Write("2-1");
  EXPECT_EQ(Cell("A1"), "附件2");
  EXPECT_EQ(Cell("A2"), "全民参保登记基础数据情况表（一）");
  EXPECT_TRUE(Merged("A2:Z2"));
  EXPECT_EQ(Cell("A3"), "填报单位：浙江省 (330000)");
  EXPECT_NE(Cell("N3").find("单位：人"), std::string::npos) << Cell("N3");
  EXPECT_EQ(Cell("B4"), "户籍情况");
  EXPECT_EQ(Cell("C4"), "登记入库情况");
  EXPECT_TRUE(Merged("C4:E4"));
  EXPECT_EQ(Cell("H4"), "养老保险");
  EXPECT_TRUE(Merged("H4:P4"));
  EXPECT_EQ(Cell("Q4"), "医疗保险");
  EXPECT_TRUE(Merged("Q4:W4"));
  EXPECT_EQ(Cell("D5"), "#非本省户籍参保人数");
  EXPECT_EQ(Cell("A6"), "栏次");
  EXPECT_EQ(Cell("B6"), "1");
  EXPECT_EQ(Cell("Z6"), "25");
  EXPECT_EQ(Cell("A7"), "合计");
  EXPECT_EQ(Cell("B7"), "30030");
  EXPECT_EQ(Cell("Z7"), "10010");
  EXPECT_EQ(Cell("V7"), "未采集");
  EXPECT_EQ(Cell("W7"), "未采集");
  EXPECT_EQ(Cell("A8"), "杭州市 (330100)");
  EXPECT_EQ(Cell("B9"), "30");
  EXPECT_EQ(Cell("A10"), "单位负责人：");
  bool definitions = false;
  for (const std::string& s : strings_) definitions |= s.starts_with("1 本省户籍人口数：");
  EXPECT_TRUE(definitions);
  EXPECT_NE(sheet_.find("orientation=\"landscape\""), std::string::npos);
  EXPECT_NE(sheet_.find("paperSize=\"8\""), std::string::npos);
  EXPECT_NE(sheet_.find("fitToHeight=\"0\""), std::string::npos);
}

TEST_F(WorkbookTest, Form22HasThreeLevelsAndTheUnverifiedBeside) {
  Write("2-2");
  EXPECT_EQ(Cell("B4"), "五项社会保险参保情况");
  EXPECT_TRUE(Merged("B4:P4"));
  EXPECT_EQ(Cell("B5"), "职工");
  EXPECT_TRUE(Merged("B5:K5"));
  EXPECT_EQ(Cell("L5"), "居民");
  EXPECT_TRUE(Merged("L5:P5"));
  EXPECT_TRUE(Merged("Q4:AA5"));
  EXPECT_EQ(Cell("AB4"), "尚未核实");
  EXPECT_EQ(Cell("AA7"), "26");
  EXPECT_EQ(Cell("B8"), "5005");
  EXPECT_EQ(Cell("AB8"), "1001");
}

TEST_F(WorkbookTest, Form1ShowsPercentagesAndLeavesDeclaredColumnsBlank) {
  Write("1");
  EXPECT_EQ(Cell("AG6"), "32");
  EXPECT_EQ(Cell("B7"), "是");
  EXPECT_EQ(Cell("C7"), "否");
  EXPECT_EQ(Cell("D7"), "");
  EXPECT_EQ(Cell("N7").substr(0, 5), "100");  // 26,999 / 27,000 = 99.996 % → 100.00
  EXPECT_EQ(Cell("O7"), "");
}

TEST_F(WorkbookTest, SameFiguresGiveTheSameBytes) {
  Write("2-1");
  std::string first = Slurp(path_);
  Write("2-1");
  EXPECT_TRUE(first == Slurp(path_));
}

TEST_F(WorkbookTest, FolderThatIsNotThere) {
  Status status =
      WriteXlsx(Table("2-1"), (path_.parent_path() / "no-such/x.xlsx").string(), Lang::kZh);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "CB-REPORTING-0010");
}

}  // namespace
}  // namespace canbao::reporting
