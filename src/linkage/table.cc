#include "linkage/table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>

#include "extract/format/byte_source.h"
#include "extract/format/record_index.h"
#include "linkage/errors.h"
#include "linkage/parquet.h"

namespace canbao::linkage {
namespace {

tl::unexpected<Error> Refused(std::string_view code, const std::string& path, int64_t line,
                              Text message, Text remedy) {
  return Fail(Error{ErrorClass::kInput, std::string(code), std::move(message), std::move(remedy),
                    path, line, 0});
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

char DelimiterOf(std::string_view text) {
  constexpr std::array<char, 4> kDelimiters = {',', '\t', ';', '|'};
  std::array<size_t, 4> seen{};
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') break;
    for (size_t i = 0; i < kDelimiters.size(); ++i) seen[i] += c == kDelimiters[i];
  }
  return kDelimiters[static_cast<size_t>(std::max_element(seen.begin(), seen.end()) -
                                         seen.begin())];
}

// Rows are taken from blocks of text, each of complete records.
class Builder {
 public:
  explicit Builder(const std::string& path) : path_(path) {}

  bool started() const { return started_; }
  extract::Dialect dialect() const { return dialect_; }

  void Start(std::string_view text) {
    dialect_.delimiter = DelimiterOf(text);
    started_ = true;
  }

  // Behind `size` bytes there is padding.
  Status Add(const char* data, size_t size) {
    if (std::memchr(data, '\0', size) != nullptr) {
      return Refused(kErrTableEmpty, path_, 0, Msg("这不是文本文件", "this is no text file"),
                     Msg("请提供 UTF-8 的 CSV 或 Parquet", "give a CSV in UTF-8, or Parquet"));
    }
    index_.Start(data, size, dialect_);
    while (index_.Next(1024)) {
      for (const extract::RecordSpan& record : index_.records()) CANBAO_TRY(Take(data, record));
    }
    line_ += static_cast<uint64_t>(std::count(data, data + size, '\n'));
    return {};
  }

  Result<Table> Finish() {
    if (table_.header.empty()) {
      return Refused(kErrTableEmpty, path_, 0, Msg("文件没有表头", "the file has no header"),
                     Msg("第一行应为列名", "its first line should name the columns"));
    }
    return std::move(table_);
  }

 private:
  Status Take(const char* data, const extract::RecordSpan& record) {
    const auto line = static_cast<int64_t>(line_ + record.line + 1);
    fields_.resize(record.fields);
    size_t room = 0;
    for (uint32_t f = 0; f < record.fields; ++f) {
      const uint32_t* end = index_.ends() + record.first + f;
      room += *end - end[-1];
    }
    scratch_.resize(std::max(room, scratch_.size()));
    size_t used = 0;
    for (uint32_t f = 0; f < record.fields; ++f) {
      const uint32_t* end = index_.ends() + record.first + f;
      const uint32_t begin = end[-1] + 1;
      std::string_view raw(data + begin, *end - begin);
      if (f + 1 == record.fields && raw.ends_with('\r')) raw.remove_suffix(1);
      size_t written = 0;
      fields_[f] = Trim(extract::Unquote(raw, scratch_.data() + used, &written));
      used += written;
    }
    if (fields_.size() == 1 && fields_[0].empty()) return {};
    if (table_.header.empty()) return TakeHeader(line);
    if (fields_.size() != table_.header.size()) {
      return Refused(kErrTableFields, path_, line,
                     Msg("应有 {0} 个字段，实有 {1} 个", "{0} fields wanted, {1} found",
                         table_.header.size(), fields_.size()),
                     Msg("请检查该行", "check this line"));
    }
    if (table_.lines.size() >= UINT32_MAX / 2 || line > INT32_MAX) {
      return Refused(kErrTableRows, path_, line, Msg("行数过多", "too many rows"),
                     Msg("请分批处理", "link it in parts"));
    }
    table_.lines.push_back(static_cast<uint32_t>(line));
    for (size_t f = 0; f < fields_.size(); ++f) {
      Column& column = table_.columns[f];
      column.rows.push_back(column.values.Add(fields_[f]));
    }
    return {};
  }

  Status TakeHeader(int64_t line) {
    std::set<std::string_view> seen;
    for (std::string_view name : fields_) {
      if (name.empty() || !seen.insert(name).second) {
        return Refused(kErrTableHeader, path_, line,
                       name.empty()
                           ? Msg("有一列没有列名", "a column has no name")
                           : Msg("列名 {0} 出现两次", "the column {0} is there twice", name),
                       Msg("请更正表头", "correct the header"));
      }
      table_.header.emplace_back(name);
    }
    table_.columns.resize(table_.header.size());
    return {};
  }

  std::string path_;
  extract::Dialect dialect_;
  bool started_ = false;
  extract::RecordIndex index_;
  Table table_;
  uint64_t line_ = 0;  // line feeds before the block
  std::vector<std::string_view> fields_;
  std::vector<char> scratch_;
};

// Cuts what comes into blocks of complete records.
class Cutter {
 public:
  explicit Cutter(const std::string& path) : path_(path), builder_(path) {}

  Status Add(std::string_view more, bool last) {
    text_.append(more);
    if (!first_seen_ && (text_.size() >= 3 || last)) {
      if (text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
      first_seen_ = true;
    }
    if (!builder_.started() && (last || text_.find('\n') != std::string::npos)) {
      builder_.Start(text_);
    }
    if (!builder_.started()) return TooLong(text_.size());
    const size_t size = text_.size();
    text_.append(extract::kBlockPadding, '\0');
    const extract::BlockScan scan = extract::ScanBlock(text_.data(), size, builder_.dialect());
    size_t whole = scan.end;
    if (last) {
      if (scan.in_quotes) return TooLong(SIZE_MAX);
      whole = size;
    }
    // A line feed in the middle of padding would be read as a record: the rest is put by first.
    std::string rest(text_, whole, size - whole);
    text_.resize(whole);
    text_.append(extract::kBlockPadding, '\0');
    if (whole > 0) CANBAO_TRY(builder_.Add(text_.data(), whole));
    text_ = std::move(rest);
    return TooLong(text_.size());
  }

  Result<Table> Finish() { return builder_.Finish(); }

 private:
  Status TooLong(size_t open) {
    if (open <= extract::kMaxRecordBytes) return {};
    return Refused(kErrTableRecord, path_, 0,
                   Msg("有一行超过 1 MB，或引号没有结束",
                       "a record is longer than 1 MB, or a quote is never closed"),
                   Msg("请检查引号", "check the quotes"));
  }

  std::string path_;
  Builder builder_;
  std::string text_;
  bool first_seen_ = false;
};

}  // namespace

size_t Table::Find(std::string_view name) const {
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return i;
  }
  return SIZE_MAX;
}

Result<size_t> NeedColumn(const Table& table, const std::string& path, std::string_view name,
                          const Text& remedy) {
  const size_t found = table.Find(name);
  if (found != SIZE_MAX) return found;
  return Refused(kErrTableColumn, path, 1,
                 Msg("缺少列 {0}", "there is no column {0}", std::string(name)), remedy);
}

Result<Table> ParseTable(std::string_view text, const std::string& path) {
  Cutter cutter(path);
  CANBAO_TRY(cutter.Add(text, true));
  return cutter.Finish();
}

Result<Table> ReadTable(const std::string& path, const BytesRead& read) {
  if (IsParquet(path)) return ReadParquet(path);
  CANBAO_ASSIGN(auto source, extract::OpenByteSource(path, false));
  extract::BlockBuffer block(size_t{4} << 20);
  Cutter cutter(path);
  uint64_t before = 0;
  for (;;) {
    CANBAO_ASSIGN(size_t n, source->Read(block.data(), block.capacity()));
    CANBAO_TRY(cutter.Add({block.data(), n}, n == 0));
    if (read) read(source->stored_read() - before);
    before = source->stored_read();
    if (n == 0) return cutter.Finish();
  }
}

void AppendField(std::string_view field, std::string* out) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out->append(field);
    return;
  }
  out->push_back('"');
  for (char c : field) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

}  // namespace canbao::linkage
