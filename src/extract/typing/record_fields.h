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

inline std::string_view Trim(std::string_view text) {
  if (text.empty()) return text;
  auto a = static_cast<uint8_t>(text.front());
  auto z = static_cast<uint8_t>(text.back());
  // No blank begins with E4–E9, where nearly all Chinese characters begin, nor ends with ASCII
  // text.
  bool front = a > 0x20 && (a < 0x7F || a > 0xEF || (a >= 0xE4 && a < 0xEF));
  bool back = z > 0x20 && (z < 0x7F || (z > 0x80 && z < 0x8B) || (z > 0x8F && z < 0xA0) ||
                           (z > 0xA0 && z < 0xBF));
  return front && back ? text : TrimUtf8(text);
}

inline bool IsAscii(std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  uint64_t bits = 0;
  while (n >= 8) {
    uint64_t eight;
    std::memcpy(&eight, p, 8);
    bits |= eight;
    p += 8;
    n -= 8;
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
      : data_(data), ends_(ends), gb18030_(gb18030), checked_(checked), arena_(arena) {}
  void Set(const RecordSpan& span) { span_ = &span; }

  uint32_t count() const { return span_->fields; }
  std::string_view Raw(uint32_t column) const {
    const uint32_t* ends = ends_ + span_->first;
    uint32_t begin = column == 0 ? span_->begin : ends[column - 1] + 1;
    uint32_t end = ends[column];
    if (column + 1 == span_->fields && end > begin && data_[end - 1] == '\r') --end;
    return {data_ + begin, end - begin};
  }
  FieldText Get(uint32_t column) const {
    std::string_view raw = Raw(column);
    if (raw.empty()) return {raw, true};
    if (raw[0] == '"') {
      size_t written = 0;
      raw = Unquote(raw, arena_->top(), &written);
      if (written > 0) raw = arena_->Take(written);
    }
    if (gb18030_) {
      if (IsAscii(raw)) return {Trim(raw), true};
      bool valid = true;
      size_t size = DecodeGb18030(raw, arena_->top(), &valid);
      return {Trim(arena_->Take(size)), valid};
    }
    bool valid = checked_ || IsValidUtf8(raw);
    return {Trim(raw), valid};
  }
  // Nothing but blanks, in one field.
  bool IsBlankLine() const { return span_->fields == 1 && Trim(Raw(0)).empty(); }
  std::string_view WholeRaw() const {
    uint32_t end = ends_[span_->first + span_->fields - 1];
    if (end > span_->begin && data_[end - 1] == '\r') --end;
    return {data_ + span_->begin, end - span_->begin};
  }

 private:
  const char* data_;
  const uint32_t* ends_;
  bool gb18030_;
  bool checked_;  // the block was found valid as a whole
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
