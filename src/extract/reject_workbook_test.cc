#include "extract/reject_workbook.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>
#include <filesystem>

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

std::string Entry(const std::string& path, const char* name) {
  int error = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_RDONLY, &error);
  if (zip == nullptr) return {};
  std::string out;
  zip_stat_t stat;
  if (zip_stat(zip, name, 0, &stat) == 0) {
    out.resize(stat.size);
    zip_file_t* file = zip_fopen(zip, name, 0);
    zip_fread(file, out.data(), out.size());
    zip_fclose(file);
  }
  zip_close(zip);
  return out;
}

TEST(RejectWorkbookTest, FieldsOfARecord) {
  EXPECT_EQ(FieldsOfRecord("a,\"b,\"\"c\"\"\",,d\"e", ','),
            (std::vector<std::string>{"a", "b,\"c\"", "", "d\"e"}));
  EXPECT_EQ(FieldsOfRecord("a\tb", '\t'), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(FieldsOfRecord("", ','), std::vector<std::string>{""});
}

TEST(RejectWorkbookTest, TheCellAtFaultIsColouredAndCommented) {
  std::string folder = (fs::temp_directory_path() / "rejects_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/r.xlsx";
  {
    auto book = RejectWorkbook::Create(path);
    ASSERT_TRUE(book) << book.error().ToString();
    ASSERT_TRUE((*book)->AddFile("sub/甲[1].csv", "号码,姓名,日期", ',',
                                 {{"7", "日期不存在", 3, "012345678901234567,\"王,甲\",2017-02-30"},
                                  {"9", "列数不足", 0, "=1+1"}}));
    ASSERT_TRUE((*book)->AddFile("other/甲[1].csv", "a", ',', {}));
    EXPECT_FALSE(fs::exists(path)) << "half a file must not be seen";
    ASSERT_TRUE((*book)->Finish());
  }
  const std::string sheet = Entry(path, "xl/worksheets/sheet1.xml");
  EXPECT_NE(sheet.find("<c r=\"A1\" s=\"1\" t=\"inlineStr\"><is><t>reject_reason</t>"),
            std::string::npos)
      << sheet;
  EXPECT_NE(sheet.find("<c r=\"C2\" t=\"inlineStr\"><is><t>012345678901234567</t>"),
            std::string::npos);
  EXPECT_NE(sheet.find("<c r=\"D2\" t=\"inlineStr\"><is><t>王,甲</t>"), std::string::npos);
  EXPECT_NE(sheet.find("<c r=\"E2\" s=\"2\" t=\"inlineStr\"><is><t>2017-02-30</t>"),
            std::string::npos);
  EXPECT_NE(sheet.find("<c r=\"C3\" s=\"2\" t=\"inlineStr\"><is><t>=1+1</t>"), std::string::npos);
  const std::string comments = Entry(path, "xl/comments1.xml");
  EXPECT_NE(comments.find("ref=\"E2\""), std::string::npos);
  EXPECT_NE(comments.find("日期不存在"), std::string::npos);
  EXPECT_NE(comments.find("ref=\"A3\""), std::string::npos);
  const std::string names = Entry(path, "xl/workbook.xml");
  EXPECT_NE(names.find("甲_1_.csv"), std::string::npos) << names;
  EXPECT_NE(names.find("甲_1_.csv~2"), std::string::npos) << names;
  fs::remove_all(folder);
}

}  // namespace
}  // namespace canbao::extract
