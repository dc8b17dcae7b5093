// Row files: the self-describing files in which one stage hands rows to the next (outcome files of
// the comparison → bulk load of the register, exports). A header names the columns; rows follow in
// blocks, each encrypted under the run key (AES-256-CTR) and checked by a digest. Format:
// docs/formats/row-files.md.
//
// A writer belongs to one thread; several writers write several files. Readers stream block by
// block. A file without its closing footer is incomplete and refused: a crash never leaves half a
// table.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/error.h"

namespace canbao {

// Key of one run; kept in the data folder (0600), never in a row file.
using RunKey = std::array<uint8_t, 32>;

enum class ColumnType : uint8_t {
  kU8 = 1,
  kU16 = 2,
  kU32 = 3,
  kU64 = 4,
  kDate = 5,  // uint16_t of base/date.h
  kText = 6   // uint16_t length and UTF-8 bytes
};

struct Column {
  std::string name;
  ColumnType type;
};

struct RowSchema {
  std::string table;
  std::vector<Column> columns;
};

class RowFileWriter {
 public:
  static Result<std::unique_ptr<RowFileWriter>> Create(const std::string& path,
                                                       const RowSchema& schema, const RunKey& key);
  ~RowFileWriter();  // without Finish() the file stays incomplete
  RowFileWriter(const RowFileWriter&) = delete;
  RowFileWriter& operator=(const RowFileWriter&) = delete;

  // One call per column, in the order of the schema, then EndRow().
  void U8(uint8_t v) { Put(&v, 1); }
  void U16(uint16_t v) { Put(&v, 2); }
  void U32(uint32_t v) { Put(&v, 4); }
  void U64(uint64_t v) { Put(&v, 8); }
  void Day(Date v) { Put(&v.v, 2); }
  void Text(std::string_view v);  // longer than 65535 bytes: cut at a character
  Status EndRow();

  Status Finish();  // writes the footer, syncs, closes
  uint64_t rows() const { return rows_; }
  // SHA-256 over the plain rows, lower-case hex; after Finish(). The same rows give the same digest
  // whatever the key.
  const std::string& plain_sha256() const { return plain_sha256_; }

 private:
  RowFileWriter() = default;
  void Put(const void* data, size_t n) {
    if (size_ + n > buffer_.size()) buffer_.resize(buffer_.size() * 2 + n);
    CopyBytes(buffer_.data() + size_, data, n);
    size_ += n;
  }
  Status Flush();

  int fd_ = -1;
  std::string path_;
  RunKey key_{};              // of this file, derived from the run key
  uint64_t seed_ = 0;         // of its checksums
  std::vector<char> buffer_;  // room for the block's header, then its rows
  size_t size_ = 0;
  uint32_t block_rows_ = 0;
  uint64_t blocks_ = 0;
  uint64_t rows_ = 0;
  uint64_t offset_ = 0;
  Sha256 plain_;
  std::string plain_sha256_;
};

// Rows of one block, column by column in the schema's order.
class RowCursor {
 public:
  RowCursor(const char* data, size_t size) : p_(data), end_(data + size) {}
  bool AtEnd() const { return p_ >= end_; }
  uint8_t U8() { return Get<uint8_t>(); }
  uint16_t U16() { return Get<uint16_t>(); }
  uint32_t U32() { return Get<uint32_t>(); }
  uint64_t U64() { return Get<uint64_t>(); }
  Date Day() { return Date{Get<uint16_t>()}; }
  std::string_view Text() {
    uint16_t n = Get<uint16_t>();
    if (end_ - p_ < n) return {};
    std::string_view v(p_, n);
    p_ += n;
    return v;
  }

 private:
  template <typename T>
  T Get() {
    T v{};
    if (end_ - p_ >= static_cast<ptrdiff_t>(sizeof(T))) std::memcpy(&v, p_, sizeof(T));
    p_ += sizeof(T);
    return v;
  }
  const char* p_;
  const char* end_;
};

class RowFileReader {
 public:
  static Result<std::unique_ptr<RowFileReader>> Open(const std::string& path, const RunKey& key);
  ~RowFileReader();
  const RowSchema& schema() const { return schema_; }
  uint64_t rows() const { return rows_; }

  // The next block decrypted and checked; empty at the end. The data lives until the next call.
  // `rows` gets the number of rows in it.
  Result<std::string_view> NextBlock(uint32_t* rows);
  // Calls `use(RowCursor&)` for every row that is left, until it gives an error or says false; it
  // has to take every column.
  template <typename Use>
  Status EachRow(Use use) {
    for (;;) {
      uint32_t rows = 0;
      CANBAO_ASSIGN(std::string_view block, NextBlock(&rows));
      if (block.empty()) return {};
      RowCursor c(block.data(), block.size());
      while (!c.AtEnd()) {
        CANBAO_ASSIGN(bool more, use(c));
        if (!more) return {};
      }
    }
  }

 private:
  RowFileReader() = default;
  int fd_ = -1;
  std::string path_;
  RunKey key_{};       // of this file, derived from the run key
  uint64_t seed_ = 0;  // of its checksums
  RowSchema schema_;
  uint64_t rows_ = 0;
  uint64_t rows_read_ = 0;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  uint64_t block_ = 0;
  std::vector<char> buffer_;
};

}  // namespace canbao
