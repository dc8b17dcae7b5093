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
  Status Open(const std::string& path, const std::vector<std::string>& header) {
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
      // A value that a spreadsheet would run as a formula is kept from it.
      bool formula = !v.empty() && (v[0] == '=' || v[0] == '+' || v[0] == '@');
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
  Status Finish() override { return out_.Finish(); }

 private:
  TextOut out_;
  std::string line_;
};

class JsonWriter : public TableWriter {
 public:
  Status Open(const std::string& path, const std::vector<std::string>& keys) {
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

  Status Open(const std::string& path, const std::vector<std::string>& header) {
    path_ = path;
    header_ = header;
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt((path + ".part").c_str(), &options);
    if (book_ == nullptr) return Fail(FileError(kCodeCannotWrite, path, errno));
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
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
    worksheet_freeze_panes(sheet_, 1, 0);
    worksheet_set_column(sheet_, 0, static_cast<lxw_col_t>(header_.size()), 18, nullptr);
    row_ = 1;
  }
  std::string path_;
  std::vector<std::string> header_;
  lxw_workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format* bold_ = nullptr;
  uint32_t row_ = 0;
};

template <typename W>
Result<std::unique_ptr<TableWriter>> Make(const std::string& path,
                                          const std::vector<std::string>& names) {
  auto w = std::make_unique<W>();
  CANBAO_TRY(w->Open(path, names));
  return w;
}

}  // namespace

Result<std::unique_ptr<TableWriter>> TableWriter::Create(const std::string& format,
                                                         const std::string& path,
                                                         const std::vector<std::string>& header,
                                                         const std::vector<std::string>& keys) {
  if (format == "json") return Make<JsonWriter>(path, keys);
  if (format == "xlsx") return Make<XlsxWriter>(path, header);
  return Make<CsvWriter>(path, header);
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
