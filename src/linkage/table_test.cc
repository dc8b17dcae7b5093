#include "linkage/table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

std::vector<std::vector<std::string>> RowsOf(const Table& table) {
  std::vector<std::vector<std::string>> out;
  for (size_t row = 0; row < table.rows(); ++row) {
    out.emplace_back();
    for (const Column& column : table.columns) out.back().emplace_back(column.Text(row));
  }
  return out;
}

std::string CodeOf(const std::string& text) {
  auto table = ParseTable(text, "t.csv");
  return table ? "" : table.error().code;
}

TEST(ValuesTest, NumbersEachTextOnce) {
  Values values;
  std::vector<Code> codes;
  for (int i = 0; i < 5000; ++i) codes.push_back(values.Add("v" + std::to_string(i)));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(values.Add("v" + std::to_string(i)), codes[static_cast<size_t>(i)]);
    ASSERT_EQ(values[codes[static_cast<size_t>(i)]], "v" + std::to_string(i));
  }
  EXPECT_EQ(values.Add(""), kMissing);
  EXPECT_EQ(values.size(), 5001u);
}

TEST(TableTest, ReadsQuotesMarksAndEveryDelimiter) {
  const std::vector<std::vector<std::string>> wanted = {{"1", "a,\"b\""}, {"2", ""}, {"3", "x\ny"}};
  for (const char* delimiter : {",", ";", "\t", "|"}) {
    const std::string d = delimiter;
    const std::string text = "\xEF\xBB\xBFid" + d + "name\r\n1" + d + "\"a,\"\"b\"\"\"\r\n2" + d +
                             "\r\n3" + d + "\"x\ny\"";
    auto table = ParseTable(text, "t.csv");
    ASSERT_TRUE(table) << table.error().ToString();
    EXPECT_EQ(table->header, (std::vector<std::string>{"id", "name"}));
    EXPECT_EQ(RowsOf(*table), wanted);
    EXPECT_EQ(table->lines, (std::vector<uint32_t>{2, 3, 4}));
  }
}

TEST(TableTest, RefusesWhatIsNoTable) {
  EXPECT_EQ(CodeOf(""), kErrTableEmpty);
  EXPECT_EQ(CodeOf("\n\n"), kErrTableEmpty);
  EXPECT_EQ(CodeOf(std::string("a,b\n1\0,2\n", 9)), kErrTableEmpty);
  EXPECT_EQ(CodeOf("a,a\n1,2\n"), kErrTableHeader);
  EXPECT_EQ(CodeOf("a,\n1,2\n"), kErrTableHeader);
  EXPECT_EQ(CodeOf("a,b\n1,2\n3\n"), kErrTableFields);
  EXPECT_EQ(CodeOf("a,b\n1,\"2\n"), kErrTableRecord);
  EXPECT_EQ(CodeOf("a,b\n1," + std::string(2 << 20, 'x') + "\"\n"), "");
  auto table = ParseTable("a,b\n1,2\n\n3\n", "t.csv");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().line, 4);
}

// Larger than a block, so that records are cut.
TEST(TableTest, BlocksDoNotShow) {
  const std::string path = testing::TempDir() + "/canbao_table_test.csv";
  std::ofstream out(path);
  out << "a,b\n";
  constexpr int kRows = 400000;
  for (int i = 0; i < kRows; ++i) out << i << ",\"v\n" << i % 7 << "\"\n";
  out.close();
  uint64_t bytes = 0;
  auto table = ReadTable(path, [&](uint64_t n) { bytes += n; });
  ASSERT_TRUE(table) << table.error().ToString();
  EXPECT_EQ(bytes, std::filesystem::file_size(path));
  ASSERT_EQ(table->rows(), size_t{kRows});
  for (size_t row = 0; row < table->rows(); ++row) {
    ASSERT_EQ(table->lines[row], 2 + 2 * row);
    ASSERT_EQ(table->columns[0].Text(row), std::to_string(row));
  }
  EXPECT_EQ(table->columns[1].values.size(), 8u);
  std::filesystem::remove(path);
}

TEST(TableTest, FieldsAreQuotedWhereTheyHaveToBe) {
  std::string out;
  for (const char* field : {"plain", "a,b", "say \"x\"", "two\nlines"}) {
    AppendField(field, &out);
    out += ",";
  }
  EXPECT_EQ(out, "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",");
}

}  // namespace
}  // namespace canbao::linkage
