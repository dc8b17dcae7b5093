#include "extract/format/dbf.h"

#include <algorithm>
#include <fstream>

#include "extract/errors.h"
#include "extract/format/gb18030.h"
#include "extract/format/text_format.h"
#include "extract/format/utf8.h"

namespace canbao::extract {
namespace {

uint32_t Little(const std::string& bytes, size_t at, size_t size) {
  uint32_t n = 0;
  for (size_t i = 0; i < size; ++i)
    n |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return n;
}

class DbfSource : public TableSource {
 public:
  DbfSource(std::string path, const std::string& encoding)
      : path_(std::move(path)), encoding_(encoding) {}

  Status Init() {
    in_.open(path_, std::ios::binary);
    if (!in_) {
      return Fail(
          Error{ErrorClass::kEnvironment, kErrOpen, Msg("无法打开文件", "cannot open the file"),
                Msg("请检查文件是否存在、是否有读取权限", "check that it exists and may be read"),
                path_, 0, 0});
    }
    std::string head(32, '\0');
    if (!in_.read(head.data(), 32)) return Damaged(Msg("文件头不完整", "its head is incomplete"));
    auto version = static_cast<uint8_t>(head[0]);
    if ((version & 7) != 3 && version != 0x30 && version != 0x31 && version != 0x32 &&
        version != 0xF5) {
      return Damaged(Msg("不认识的版本 {0}", "unknown version {0}", static_cast<int>(version)));
    }
    records_ = Little(head, 4, 4);
    uint32_t head_size = Little(head, 8, 2);
    record_size_ = Little(head, 10, 2);
    language_ = static_cast<uint8_t>(head[29]);
    if (head_size < 33 || record_size_ < 2) return Damaged(Msg("文件头有误", "its head is wrong"));
    std::string fields(head_size - 32, '\0');
    if (!in_.read(fields.data(), static_cast<std::streamsize>(fields.size()))) {
      return Damaged(Msg("文件头不完整", "its head is incomplete"));
    }
    uint32_t offset = 1;  // behind the deletion mark
    for (size_t at = 0; at + 32 <= fields.size() && fields[at] != 0x0D; at += 32) {
      Column column;
      column.name = fields.substr(at, 11);
      column.name.resize(std::min(column.name.find('\0'), column.name.size()));
      column.type = fields[at + 11];
      column.size = static_cast<uint8_t>(fields[at + 16]);
      // Long character fields keep the high byte of their length where numbers keep decimals.
      if (column.type == 'C')
        column.size |= static_cast<uint32_t>(static_cast<uint8_t>(fields[at + 17])) << 8;
      column.offset = offset;
      offset += column.size;
      columns_.push_back(std::move(column));
    }
    if (columns_.empty() || offset > record_size_)
      return Damaged(Msg("字段定义有误", "its fields are wrong"));
    return {};
  }

  Result<bool> Next(size_t want, TableChunk* chunk) override {
    chunk->Clear();
    chunk->sheet = 0;
    if (skipped_) return false;
    std::string record(record_size_, '\0');
    if (!header_given_) {
      header_given_ = true;
      std::vector<std::string> names;
      for (const Column& column : columns_) names.push_back(column.name);
      AddRow(1, names, chunk);
    }
    while (chunk->rows.size() < want && next_ < records_) {
      if (!in_.read(record.data(), static_cast<std::streamsize>(record.size()))) {
        return Damaged(Msg("应有 {0} 条记录，只有 {1} 条",
                           "{0} records are announced, {1} are there", records_, next_));
      }
      ++next_;
      if (record[0] == '*') continue;
      std::vector<std::string> values;
      for (const Column& column : columns_) values.push_back(Value(column, record));
      AddRow(next_ + 1, values, chunk);
    }
    return !chunk->rows.empty();
  }

  void SkipSheet() override { skipped_ = true; }

 private:
  struct Column {
    std::string name;
    char type = 'C';
    uint32_t size = 0;
    uint32_t offset = 0;
  };

  tl::unexpected<Error> Damaged(const Text& why) const {
    return Fail(Error{ErrorClass::kInput, kErrDbf,
                      Msg("dBASE 文件不完整或已损坏：{0}",
                          "the dBASE file is incomplete or damaged: {0}", why.Get()),
                      Msg("请重新导出，或导出为 CSV", "export it again, or as CSV"), path_, 0, 0});
  }

  std::string Value(const Column& column, const std::string& record) const {
    std::string_view raw(record.data() + column.offset, column.size);
    size_t end = raw.find('\0');
    if (end != std::string_view::npos) raw = raw.substr(0, end);
    std::string value(TrimUtf8(raw));
    if (column.type == 'L') {
      if (value == "T" || value == "t" || value == "Y" || value == "y") return "1";
      return value == "F" || value == "f" || value == "N" || value == "n" ? "0" : "";
    }
    if (column.type == 'M' || column.type == 'G' || column.type == 'P' || column.type == 'B')
      return {};
    // Overflown numbers are shown as stars.
    if (!value.empty() && value.find_first_not_of('*') == std::string::npos) return {};
    return value;
  }

  // Code pages as the language byte names them: 0x4D, 0x7A = Chinese (936).
  std::string Decode(const std::string& text) const {
    bool utf8 = encoding_ == "utf-8" ||
                (encoding_.empty() && language_ != 0x4D && language_ != 0x7A && IsValidUtf8(text));
    return utf8 ? RepairUtf8(text) : DecodeGb18030(text);
  }

  void AddRow(uint64_t line, const std::vector<std::string>& values, TableChunk* chunk) {
    bool any = std::any_of(values.begin(), values.end(), [](const auto& v) { return !v.empty(); });
    if (!any) return;
    chunk->rows.push_back(
        {line, static_cast<uint32_t>(chunk->cells.size()), static_cast<uint32_t>(values.size())});
    for (const std::string& value : values) {
      chunk->storage.push_back(Decode(value));
      chunk->cells.push_back(chunk->storage.back());
    }
  }

  std::string path_;
  std::string encoding_;
  std::ifstream in_;
  uint32_t records_ = 0;
  uint32_t record_size_ = 0;
  uint8_t language_ = 0;
  std::vector<Column> columns_;
  uint32_t next_ = 0;
  bool header_given_ = false;
  bool skipped_ = false;
};

}  // namespace

Result<std::unique_ptr<TableSource>> OpenDbf(const std::string& path, const std::string& encoding) {
  auto source = std::make_unique<DbfSource>(path, encoding);
  CANBAO_TRY(source->Init());
  return source;
}

}  // namespace canbao::extract
