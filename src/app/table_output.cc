#include "app/table_output.h"

#include <xlsxwriter.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>

#include "app/context.h"
#include "base/file.h"

namespace canbao::app {
namespace {

// Text to a file that is renamed when whole, or to standard output.
class TextOut {
 public:
  Status Open(const std::string& path) {
    path_ = path;
    if (path.empty()) return {};
    CANBAO_ASSIGN(fd_, OpenForWrite(path + ".part", 0600));
    return {};
  }
  Status Put(std::string_view text) {
    buffer_ += text;
    return buffer_.size() < (1u << 16) ? Status{} : Flush();
  }
  Status Finish() {
    CANBAO_TRY(Flush());
    if (path_.empty()) return {};
    CANBAO_TRY(SyncFile(fd_.get(), path_));
    return RenameDurably(path_ + ".part", path_);
  }

 private:
  Status Flush() {
    Status s;
    if (path_.empty()) {
      if (std::fwrite(buffer_.data(), 1, buffer_.size(), stdout) != buffer_.size() ||
          std::fflush(stdout) != 0) {
        return Fail(FileError(kCodeCannotWrite, "stdout", errno));
      }
    } else {
      s = WriteAll(fd_.get(), buffer_, path_);
    }
    buffer_.clear();
    return s;
  }
  std::string path_;
  Fd fd_;
  std::string buffer_;
};

class CsvWriter : public TableWriter {
 public:
  Status Open(const std::string& path, const std::vector<std::string>& header,
              const TableMark& mark) {
    mark_ = mark.text;
    CANBAO_TRY(out_.Open(path));
    // Spreadsheet programs take UTF-8 only with its mark; a pipe does not want it.
    if (!path.empty()) CANBAO_TRY(out_.Put("\xEF\xBB\xBF"));
    return Write(header);
  }
  Status Write(const std::vector<std::string>& row) override {
    line_.clear();
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line_ += ',';
      const std::string& v = row[i];
      const bool formula = IsFormula(v);
      if (!formula && v.find_first_of(",\"\r\n") == std::string::npos) {
        line_ += v;
        continue;
      }
      line_ += formula ? "\"'" : "\"";
      for (char c : v) {
        if (c == '"') line_ += '"';
        line_ += c;
      }
      line_ += '"';
    }
    line_ += "\r\n";
    return out_.Put(line_);
  }
  Status Finish() override {
    if (!mark_.empty()) CANBAO_TRY(Write({mark_}));
    return out_.Finish();
  }

 private:
  // Whether a spreadsheet would calculate the value instead of showing it: an apostrophe in front
  // keeps it from that. A minus before digits is a number.
  static bool IsFormula(const std::string& v) {
    if (v.empty()) return false;
    if (v[0] == '-') return v.find_first_not_of("0123456789.", 1) != std::string::npos;
    return v[0] == '=' || v[0] == '+' || v[0] == '@' || v[0] == '\t' || v[0] == '\r';
  }

  TextOut out_;
  std::string mark_;
  std::string line_;
};

class JsonWriter : public TableWriter {
 public:
  Status Open(const std::string& path, const std::vector<std::string>& keys, const TableMark&) {
    keys_ = keys;
    CANBAO_TRY(out_.Open(path));
    return out_.Put("[");
  }
  Status Write(const std::vector<std::string>& row) override {
    boost::json::object o;
    for (size_t i = 0; i < row.size() && i < keys_.size(); ++i) o[keys_[i]] = row[i];
    CANBAO_TRY(out_.Put(first_ ? "\n" : ",\n"));
    first_ = false;
    return out_.Put(boost::json::serialize(o));
  }
  Status Finish() override {
    CANBAO_TRY(out_.Put(first_ ? "]\n" : "\n]\n"));
    return out_.Finish();
  }

 private:
  TextOut out_;
  std::vector<std::string> keys_;
  bool first_ = true;
};

class XlsxWriter : public TableWriter {
 public:
  // The file format ends at row 1,048,576; a list goes on in a further sheet.
  static constexpr uint32_t kRowsPerSheet = 1000000;

  Status Open(const std::string& path, const std::vector<std::string>& header,
              const TableMark& mark) {
    path_ = path;
    header_ = header;
    mark_ = mark.text;
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt((path + ".part").c_str(), &options);
    if (book_ == nullptr) return Fail(FileError(kCodeCannotWrite, path, errno));
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    if (!mark_.empty()) {
      std::string title = mark.title;
      std::string author = mark.author;
      lxw_doc_properties properties{};
      properties.title = title.data();
      properties.author = author.data();
      properties.comments = mark_.data();
      workbook_set_properties(book_, &properties);
    }
    NextSheet();
    return {};
  }
  ~XlsxWriter() override {
    if (book_ != nullptr) workbook_close(book_);
  }
  Status Write(const std::vector<std::string>& row) override {
    if (row_ > kRowsPerSheet) NextSheet();
    for (size_t i = 0; i < row.size(); ++i) {
      worksheet_write_string(sheet_, row_, static_cast<lxw_col_t>(i), row[i].c_str(), nullptr);
    }
    ++row_;
    return {};
  }
  Status Finish() override {
    if (!mark_.empty()) CANBAO_TRY(Write({mark_}));
    lxw_workbook* book = book_;
    book_ = nullptr;
    if (lxw_error e = workbook_close(book); e != LXW_NO_ERROR) {
      return Fail(
          FileError(kCodeCannotWrite, path_, e == LXW_ERROR_CREATING_XLSX_FILE ? EACCES : EIO));
    }
    return RenameDurably(path_ + ".part", path_);
  }

 private:
  void NextSheet() {
    sheet_ = workbook_add_worksheet(book_, nullptr);
    for (size_t i = 0; i < header_.size(); ++i) {
      worksheet_write_string(sheet_, 0, static_cast<lxw_col_t>(i), header_[i].c_str(), bold_);
    }
    if (!mark_.empty()) {
      // & is a code there; a header has at most 255 characters.
      std::string printed = "&L";
      int characters = 0;
      for (char c : mark_) {
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++characters > 100) break;
        printed += c == '&' ? "&&" : std::string(1, c);
      }
      worksheet_set_header(sheet_, printed.c_str());
      worksheet_set_footer(sheet_, printed.c_str());
    }
    worksheet_freeze_panes(sheet_, 1, 0);
    worksheet_set_column(sheet_, 0, static_cast<lxw_col_t>(header_.size()), 18, nullptr);
    row_ = 1;
  }
  std::string path_;
  std::vector<std::string> header_;
  std::string mark_;
  lxw_workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format* bold_ = nullptr;
  uint32_t row_ = 0;
};

template <typename W>
Result<std::unique_ptr<TableWriter>> Make(const std::string& path,
                                          const std::vector<std::string>& names,
                                          const TableMark& mark) {
  auto w = std::make_unique<W>();
  CANBAO_TRY(w->Open(path, names, mark));
  return w;
}

}  // namespace

Result<std::unique_ptr<TableWriter>> TableWriter::Create(const std::string& format,
                                                         const std::string& path,
                                                         const std::vector<std::string>& header,
                                                         const std::vector<std::string>& keys,
                                                         const TableMark& mark) {
  if (format == "json") return Make<JsonWriter>(path, keys, mark);
  if (format == "xlsx") return Make<XlsxWriter>(path, header, mark);
  return Make<CsvWriter>(path, header, mark);
}

Result<std::unique_ptr<reg::Database>> OpenRegister(const std::string& data,
                                                    const std::string& url) {
  std::string dir = Absolute(data);
  if (url.empty() && !reg::Instance::Exists(dir)) {
    return Fail(Error{ErrorClass::kInput, "CB-APP-0011",
                      Msg("这里没有登记库", "there is no register database here"),
                      Text{"先执行不带 --no-register 的 canbao compare，或用 --database 指明。",
                           "run canbao compare without --no-register first, or say --database."},
                      data, 0, 0});
  }
  reg::DatabaseOptions o;
  o.url = url;
  return reg::Database::Open(dir, o);
}

}  // namespace canbao::app
