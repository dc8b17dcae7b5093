// The fields of one record, however the file is stored, as trimmed UTF-8. Belongs to one thread.
//
// Text that is not in the block as it is needed (unquoted, decoded) goes to an arena that lives as
// long as the batch: room for the worst case is reserved beforehand, so that views never move.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "extract/format/gb18030.h"
#include "extract/format/record_index.h"
#include "extract/format/text_format.h"
#include "extract/format/utf8.h"

namespace canbao::extract {

class Arena {
 public:
  // Everything handed out before is gone.
  void Reset(size_t room) {
    if (room > capacity_) {
      capacity_ = room + room / 2;
      room_ = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    used_ = 0;
  }
  char* top() { return room_.get() + used_; }
  std::string_view Take(size_t size) {
    std::string_view out(top(), size);
    used_ += size;
    return out;
  }

 private:
  std::unique_ptr<char[]> room_;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

struct FieldText {
  std::string_view text;  // trimmed
  bool valid = true;      // the bytes are text in the file's encoding
};

// Bytes that a blank may begin or end with. The last two bytes together rule out nearly all Chinese
// text, so that the branch behind them is foreseeable.
struct BlankBytes {
  bool front[256] = {};
  uint8_t last[256] = {};    // 1 = a blank by itself, 2 = the end of one of several bytes
  uint8_t before[256] = {};  // 2 = may stand in front of that end
  constexpr BlankBytes() {
    for (int c = 0; c <= 0x20; ++c) {
      front[c] = true;
      last[c] = 1;
    }
    front[0x7F] = true;
    last[0x7F] = 1;
    for (int c : {0xC2, 0xE2, 0xE3, 0xEF}) front[c] = true;
    for (int c : {0x80, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0xA0, 0xBF}) last[c] = 2;
    for (int c : {0x80, 0xBB, 0xC2}) before[c] = 2;
    for (uint8_t& b : before) b |= 1;
  }
};
inline constexpr BlankBytes kBlankBytes;

inline std::string_view Trim(std::string_view text) {
  if (text.empty()) return text;
  size_t n = text.size();
  bool front = kBlankBytes.front[static_cast<uint8_t>(text[0])];
  bool back = (kBlankBytes.last[static_cast<uint8_t>(text[n - 1])] &
               kBlankBytes.before[static_cast<uint8_t>(text[n >= 2 ? n - 2 : 0])]) != 0;
  return (front | back) ? TrimUtf8(text) : text;
}

inline bool IsAscii(std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  uint64_t bits = 0;
  if (n >= 8) {  // the last eight at once, the others before them
    std::memcpy(&bits, p + n - 8, 8);
    n -= 8;
    while (n >= 8) {
      uint64_t eight;
      std::memcpy(&eight, p, 8);
      bits |= eight;
      p += 8;
      n -= 8;
    }
    if (n > 0) {
      uint64_t eight;
      std::memcpy(&eight, p, 8);
      bits |= eight;
    }
    return (bits & 0x8080808080808080u) == 0;
  }
  while (n > 0) {
    bits |= static_cast<uint64_t>(static_cast<uint8_t>(*p++)) << 56;
    --n;
  }
  return (bits & 0x8080808080808080u) == 0;
}

// A record of a text file.
class TextRecord {
 public:
  TextRecord(const char* data, const uint32_t* ends, bool gb18030, bool checked, Arena* arena)
      : data_(data), ends_(ends), gb18030_(gb18030), plain_(!gb18030 && checked), arena_(arena) {}
  void Set(const RecordSpan& span) { span_ = &span; }

  uint32_t count() const { return span_->fields; }
  // What Raw() is made of, for a reader that wants many columns of one record.
  const char* data() const { return data_; }
  const uint32_t* ends() const { return ends_ + span_->first; }
  std::string_view Raw(uint32_t column) const {
    uint32_t begin = ends()[static_cast<ptrdiff_t>(column) - 1] + 1;
    uint32_t end = ends()[column];
    if (column + 1 == span_->fields && end > begin && data_[end - 1] == '\r') --end;
    return {data_ + begin, end - begin};
  }
  FieldText Get(uint32_t column) const {
    std::string_view raw = Raw(column);
    if (raw.empty()) return {};
    if (plain_ && raw[0] != '"') return {Trim(raw), true};
    return Convert(raw);
  }
  // Nothing but blanks, in one field.
  bool IsBlankLine() const { return span_->fields == 1 && Trim(Raw(0)).empty(); }
  std::string_view WholeRaw() const {
    uint32_t end = ends_[span_->first + span_->fields - 1];
    if (end > span_->begin && data_[end - 1] == '\r') --end;
    return {data_ + span_->begin, end - span_->begin};
  }

 private:
  __attribute__((noinline)) FieldText Convert(std::string_view raw) const {
    if (raw[0] == '"') {
      size_t written = 0;
      raw = Unquote(raw, arena_->top(), &written);
      if (written > 0) raw = arena_->Take(written);
    }
    if (!gb18030_) return {Trim(raw), plain_ || IsValidUtf8(raw)};
    if (IsAscii(raw)) return {Trim(raw), true};
    bool valid = true;
    size_t size = DecodeGb18030(raw, arena_->top(), &valid);
    return {Trim(arena_->Take(size)), valid};
  }

  const char* data_;
  const uint32_t* ends_;
  bool gb18030_;
  bool plain_;  // UTF-8, and the block was found valid as a whole
  Arena* arena_;
  const RecordSpan* span_ = nullptr;
};

// A row of a sheet: cells are UTF-8 already. Cells behind the last one are empty.
class CellRecord {
 public:
  CellRecord(std::span<const std::string_view> cells, uint32_t columns)
      : cells_(cells), columns_(columns) {}
  uint32_t count() const { return columns_; }
  FieldText Get(uint32_t column) const {
    if (column >= cells_.size()) return {};
    return {Trim(cells_[column]), true};
  }

 private:
  std::span<const std::string_view> cells_;
  uint32_t columns_;
};

}  // namespace canbao::extract
