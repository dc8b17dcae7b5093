#include "extract/reject_workbook.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "extract/errors.h"
#include "extract/format/utf8.h"

namespace canbao::extract {
namespace {

constexpr size_t kMaxRowsOfSheet = 1000000;
constexpr size_t kMaxCell = 32767;  // characters; bytes are never fewer
constexpr size_t kMaxComments = 65000;
constexpr lxw_color_t kBad = 0xFFC7CE;
constexpr lxw_col_t kFront = 2;  // columns before the file's own

tl::unexpected<Error> CannotWrite(const std::string& path, const char* why) {
  return Fail(Error{
      ErrorClass::kEnvironment, kErrWrite,
      Msg("写文件失败：{0}", "writing failed: {0}", std::string(why)),
      Msg("请检查磁盘空间和写入权限", "check the space on the disk and the permission to write"),
      path, 0, 0});
}

// Sheets have at most 31 characters, some of which they may not have.
std::string SheetName(const std::string& file, std::set<std::string>* used) {
  std::string name;
  int characters = 0;
  for (char c : std::filesystem::path(file).filename().string()) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++characters > 26) break;
    name += std::string_view("[]:*?/\\'").find(c) == std::string_view::npos ? c : '_';
  }
  std::string unique = name.empty() ? "file" : name;
  for (int n = 2; !used->insert(unique).second; ++n) unique = fmt::format("{}~{}", name, n);
  return unique;
}

class Workbook : public RejectWorkbook {
 public:
  Workbook(std::string path, lxw_workbook* book) : path_(std::move(path)), book_(book) {
    head_ = workbook_add_format(book_);
    format_set_bold(head_);
    bad_ = workbook_add_format(book_);
    format_set_bg_color(bad_, kBad);
  }
  ~Workbook() override {
    if (book_ != nullptr) workbook_close(book_);
    std::remove((path_ + ".part").c_str());
  }

  Status AddFile(const std::string& file, std::string_view header, char delimiter,
                 const std::vector<WorkbookReject>& rejects) override {
    lxw_worksheet* sheet = workbook_add_worksheet(book_, SheetName(file, &names_).c_str());
    if (sheet == nullptr) return CannotWrite(path_, "sheet");
    Put(sheet, 0, 0, "reject_reason", head_);
    Put(sheet, 0, 1, "reject_line", head_);
    lxw_col_t column = kFront;
    for (const std::string& name : FieldsOfRecord(header, delimiter))
      Put(sheet, 0, column++, name, head_);
    const lxw_col_t columns = column;
    worksheet_freeze_panes(sheet, 1, 0);
    lxw_row_t row = 1;
    size_t comments = 0;
    for (const WorkbookReject& r : rejects) {
      if (row > kMaxRowsOfSheet) break;
      const std::vector<std::string> fields = FieldsOfRecord(r.text, delimiter);
      const bool whole = r.column == 0;
      Put(sheet, row, 0, r.why, whole ? bad_ : nullptr);
      Put(sheet, row, 1, r.line, nullptr);
      column = kFront;
      for (const std::string& field : fields) {
        const bool bad = whole || column == kFront + r.column - 1;
        if (column < LXW_COL_MAX) Put(sheet, row, column, field, bad ? bad_ : nullptr);
        ++column;
      }
      const auto at = static_cast<lxw_col_t>(whole ? 0 : kFront + r.column - 1);
      // A missing value has no cell yet.
      if (!whole && at >= column && at < LXW_COL_MAX) Put(sheet, row, at, "", bad_);
      if (++comments <= kMaxComments && at < std::max(columns, column))
        worksheet_write_comment(sheet, row, at, r.why.c_str());
      ++row;
    }
    return {};
  }

  Status Finish() override {
    if (names_.empty()) workbook_add_worksheet(book_, nullptr);
    const lxw_error error = workbook_close(book_);
    book_ = nullptr;
    if (error != LXW_NO_ERROR) return CannotWrite(path_, lxw_strerror(error));
    if (std::rename((path_ + ".part").c_str(), path_.c_str()) != 0)
      return CannotWrite(path_, "rename");
    return {};
  }

 private:
  // Always as text: nothing of it is calculated, and no number loses its tail.
  static void Put(lxw_worksheet* sheet, lxw_row_t row, lxw_col_t column, const std::string& text,
                  lxw_format* format) {
    if (text.empty()) {
      if (format != nullptr) worksheet_write_blank(sheet, row, column, format);
      return;
    }
    // Cut at a character; what was no text becomes a mark.
    size_t size = std::min(text.size(), kMaxCell);
    while (size > 0 && size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
      --size;
    const std::string cell = RepairUtf8(std::string_view(text).substr(0, size));
    worksheet_write_string(sheet, row, column, cell.c_str(), format);
  }

  std::string path_;
  lxw_workbook* book_;
  lxw_format* head_;
  lxw_format* bad_;
  std::set<std::string> names_;
};

}  // namespace

Result<std::unique_ptr<RejectWorkbook>> RejectWorkbook::Create(const std::string& path) {
  lxw_workbook_options options{};
  options.constant_memory = LXW_TRUE;
  const std::string part = path + ".part";
  lxw_workbook* book = workbook_new_opt(part.c_str(), &options);
  if (book == nullptr) return CannotWrite(path, "workbook");
  return std::unique_ptr<RejectWorkbook>(std::make_unique<Workbook>(path, book));
}

std::vector<std::string> FieldsOfRecord(std::string_view record, char delimiter) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    std::string& field = fields.back();
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < record.size() && record[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == delimiter) {
      fields.emplace_back();
    } else if (c != '\r' && c != '\n') {
      field += c;
    }
  }
  return fields;
}

}  // namespace canbao::extract
