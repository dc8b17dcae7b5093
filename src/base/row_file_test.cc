#include "base/row_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace canbao {
namespace {

class RowFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "row_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    for (size_t i = 0; i < key_.size(); ++i) key_[i] = static_cast<uint8_t>(i * 7 + 1);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Path(const char* name = "t.rows") const { return dir_ + "/" + name; }

  void Write(const std::string& path, uint64_t rows) {
    auto w = RowFileWriter::Create(path, schema_, key_);
    ASSERT_TRUE(w) << w.error().ToString();
    for (uint64_t i = 0; i < rows; ++i) {
      (*w)->U8(static_cast<uint8_t>(i));
      (*w)->U16(static_cast<uint16_t>(i * 3));
      (*w)->U32(static_cast<uint32_t>(i * 5));
      (*w)->U64(i * 0x9E3779B97F4A7C15ull);
      (*w)->Day(Date{static_cast<uint16_t>(i)});
      (*w)->Text(std::string(i % 50, 'a') + "张三");
      ASSERT_TRUE((*w)->EndRow());
    }
    EXPECT_EQ((*w)->rows(), rows);
    auto done = (*w)->Finish();
    ASSERT_TRUE(done) << done.error().ToString();
  }

  // Reads all; the code of the first error, or "" when every row was as written.
  std::string ReadAll(const std::string& path, uint64_t want_rows) {
    auto r = RowFileReader::Open(path, key_);
    if (!r) return r.error().code;
    uint64_t i = 0;
    for (;;) {
      uint32_t rows;
      auto block = (*r)->NextBlock(&rows);
      if (!block) return block.error().code;
      if (block->empty()) break;
      RowCursor c(block->data(), block->size());
      uint32_t n = 0;
      for (; !c.AtEnd(); ++i, ++n) {
        if (c.U8() != static_cast<uint8_t>(i) || c.U16() != static_cast<uint16_t>(i * 3) ||
            c.U32() != static_cast<uint32_t>(i * 5) || c.U64() != i * 0x9E3779B97F4A7C15ull ||
            c.Day().v != static_cast<uint16_t>(i) ||
            c.Text() != std::string(i % 50, 'a') + "张三") {
          return "wrong row";
        }
      }
      if (n != rows) return "wrong block rows";
    }
    return i == want_rows && (*r)->rows() == want_rows ? "" : "wrong count";
  }

  static std::string Slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
  }
  static void Spill(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::string dir_;
  RunKey key_{};
  RowSchema schema_{"mixed",
                    {{"a", ColumnType::kU8},
                     {"b", ColumnType::kU16},
                     {"c", ColumnType::kU32},
                     {"d", ColumnType::kU64},
                     {"e", ColumnType::kDate},
                     {"f", ColumnType::kText}}};
};

TEST_F(RowFileTest, RoundTrip) {
  for (uint64_t rows : {0, 1, 100, 30000}) {
    Write(Path(), rows);
    EXPECT_EQ(ReadAll(Path(), rows), "") << rows;
  }
  auto r = RowFileReader::Open(Path(), key_);
  ASSERT_TRUE(r);
  EXPECT_EQ((*r)->schema().table, "mixed");
  ASSERT_EQ((*r)->schema().columns.size(), 6u);
  EXPECT_EQ((*r)->schema().columns[4].name, "e");
  EXPECT_EQ((*r)->schema().columns[4].type, ColumnType::kDate);
}

TEST_F(RowFileTest, AnEmptyTextMayHaveNoData) {
  auto w = RowFileWriter::Create(Path(), RowSchema{"texts", {{"a", ColumnType::kText}}}, key_);
  ASSERT_TRUE(w) << w.error().ToString();
  (*w)->Text(std::string_view());  // the sanitizers would see a null pointer copied from
  ASSERT_TRUE((*w)->EndRow());
  ASSERT_TRUE((*w)->Finish());
  auto r = RowFileReader::Open(Path(), key_);
  ASSERT_TRUE(r) << r.error().ToString();
  uint32_t rows = 0;
  auto block = (*r)->NextBlock(&rows);
  ASSERT_TRUE(block) << block.error().ToString();
  RowCursor c(block->data(), block->size());
  EXPECT_EQ(c.Text(), "");
  EXPECT_TRUE(c.AtEnd());
}

TEST_F(RowFileTest, SaysNothingInTheClearAndNeverTheSameTwice) {
  Write(Path("1"), 2000);
  Write(Path("2"), 2000);
  std::string a = Slurp(Path("1")), b = Slurp(Path("2"));
  EXPECT_EQ(a.find("aaaaaaaa"), std::string::npos);
  EXPECT_EQ(a.find("张三"), std::string::npos);
  ASSERT_EQ(a.size(), b.size());
  size_t same = 0;
  for (size_t i = 200; i < a.size(); ++i) same += a[i] == b[i];
  EXPECT_LT(same, a.size() / 100);  // a repeated key stream would make all equal
}

TEST_F(RowFileTest, EveryFlippedByteIsFound) {
  Write(Path(), 40);
  std::string good = Slurp(Path());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    Spill(Path("bad"), bad);
    EXPECT_EQ(ReadAll(Path("bad"), 40).substr(0, 7), "CB-BASE") << "byte " << i;
  }
}

TEST_F(RowFileTest, EveryTruncationIsFound) {
  Write(Path(), 40);
  std::string good = Slurp(Path());
  for (size_t n = 0; n < good.size(); ++n) {
    Spill(Path("bad"), good.substr(0, n));
    std::string code = ReadAll(Path("bad"), 40);
    EXPECT_TRUE(code == "CB-BASE-0105") << n << " " << code;
  }
}

TEST_F(RowFileTest, BlocksThatChangedPlacesAreFound) {
  Write(Path(), 30000);
  std::string bytes = Slurp(Path());
  // The second block begins where the first one's length says.
  size_t first = 48 + (2 + 5 + 2 + 6 * (1 + 2 + 1));
  uint32_t n;
  std::memcpy(&n, bytes.data() + first, 4);
  size_t second = first + 32 + n;
  uint32_t m;
  std::memcpy(&m, bytes.data() + second, 4);
  ASSERT_LT(second + 32 + m, bytes.size());
  std::string swapped = bytes.substr(0, first) + bytes.substr(second, 32 + m) +
                        bytes.substr(first, 32 + n) + bytes.substr(second + 32 + m);
  Spill(Path("bad"), swapped);
  EXPECT_EQ(ReadAll(Path("bad"), 30000), "CB-BASE-0108");
  std::string without = bytes.substr(0, second) + bytes.substr(second + 32 + m);
  Spill(Path("bad"), without);
  EXPECT_EQ(ReadAll(Path("bad"), 30000), "CB-BASE-0105");
}

TEST_F(RowFileTest, AnUnfinishedFileIsRefused) {
  {
    auto w = RowFileWriter::Create(Path(), RowSchema{"t", {{"a", ColumnType::kU64}}}, key_);
    ASSERT_TRUE(w);
    for (uint64_t i = 0; i < 100000; ++i) {
      (*w)->U64(i);
      ASSERT_TRUE((*w)->EndRow());
    }
  }
  auto r = RowFileReader::Open(Path(), key_);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "CB-BASE-0105");
}

TEST_F(RowFileTest, TheWrongKeyIsSaidToBeWrong) {
  Write(Path(), 10);
  RunKey other = key_;
  other[31] ^= 1;
  auto r = RowFileReader::Open(Path(), other);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, "CB-BASE-0106");
  EXPECT_EQ(r.error().file, Path());
}

TEST_F(RowFileTest, MissingAndForeignFiles) {
  auto missing = RowFileReader::Open(Path("none"), key_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "CB-BASE-0103");
  Spill(Path("foreign"), std::string(500, 'x'));
  auto foreign = RowFileReader::Open(Path("foreign"), key_);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, "CB-BASE-0104");
  auto nowhere = RowFileWriter::Create(dir_ + "/no/such/folder", schema_, key_);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, "CB-BASE-0101");
}

TEST_F(RowFileTest, LongTextIsCutAtACharacterAndLongRowsFit) {
  std::string text;
  while (text.size() < 70000) text += "汉";
  auto w = RowFileWriter::Create(
      Path(), RowSchema{"t", {{"a", ColumnType::kText}, {"b", ColumnType::kText}}}, key_);
  ASSERT_TRUE(w);
  for (int i = 0; i < 20; ++i) {
    (*w)->Text(text);
    (*w)->Text("x");
    ASSERT_TRUE((*w)->EndRow());
  }
  ASSERT_TRUE((*w)->Finish());
  auto r = RowFileReader::Open(Path(), key_);
  ASSERT_TRUE(r);
  uint32_t rows, total = 0;
  for (;;) {
    auto block = (*r)->NextBlock(&rows);
    ASSERT_TRUE(block);
    if (block->empty()) break;
    RowCursor c(block->data(), block->size());
    while (!c.AtEnd()) {
      auto t = c.Text();
      EXPECT_EQ(t.size(), 65535u);  // a whole number of three-byte characters
      EXPECT_EQ(t, text.substr(0, t.size()));
      EXPECT_EQ(c.Text(), "x");
      ++total;
    }
  }
  EXPECT_EQ(total, 20u);
}

TEST_F(RowFileTest, AFullDiskIsAnEnvironmentError) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  auto w = RowFileWriter::Create("/dev/full", schema_, key_);
  ASSERT_FALSE(w);
  EXPECT_EQ(w.error().cls, ErrorClass::kEnvironment);
  EXPECT_EQ(w.error().code, "CB-BASE-0102");
}

}  // namespace
}  // namespace canbao
