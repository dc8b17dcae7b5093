#include "extract/typing/clean_text.h"

namespace canbao::extract {

std::string_view HalfWidth(std::string_view utf8, char* room, Blanks blanks) {
  size_t n = 0;
  for (size_t i = 0; i < utf8.size();) {
    auto a = static_cast<uint8_t>(utf8[i]);
    if (a == 0xEF && i + 2 < utf8.size()) {  // U+FF01 … U+FF5E
      auto b = static_cast<uint8_t>(utf8[i + 1]);
      auto c = static_cast<uint8_t>(utf8[i + 2]);
      unsigned code = 0xF000u | (b & 63u) << 6 | (c & 63u);
      if (code >= 0xFF01 && code <= 0xFF5E) {
        char half = static_cast<char>(code - 0xFEE0);
        if (half != '\'' || n > 0) room[n++] = half;
        i += 3;
        continue;
      }
    }
    // U+2018, U+2019: the apostrophe as an input method writes it.
    if (n == 0 && (utf8.substr(i).starts_with("\xE2\x80\x98") ||
                   utf8.substr(i).starts_with("\xE2\x80\x99"))) {
      i += 3;
      continue;
    }
    if (utf8.substr(i).starts_with("\xE3\x80\x80")) {
      if (blanks == Blanks::kKeep) room[n++] = ' ';
      i += 3;
      continue;
    }
    if (utf8.substr(i).starts_with("\xC2\xA0")) {
      if (blanks == Blanks::kKeep) room[n++] = ' ';
      i += 2;
      continue;
    }
    bool drop = (a == '\'' && n == 0) || (a <= 0x20 && blanks == Blanks::kDrop);
    if (!drop) room[n++] = utf8[i];
    ++i;
  }
  return {room, n};
}

bool ParseWhole(std::string_view utf8, uint64_t* out) {
  // Nearly always digits alone.
  uint64_t n = 0;
  size_t plain = 0;
  while (plain < utf8.size() && plain < 18 && utf8[plain] >= '0' && utf8[plain] <= '9') {
    n = n * 10 + static_cast<uint64_t>(utf8[plain++] - '0');
  }
  if (plain == utf8.size() && plain > 0) {
    *out = n;
    return true;
  }
  char room[64];
  if (utf8.empty() || utf8.size() > sizeof room) return false;
  std::string_view text = HalfWidth(utf8, room, Blanks::kDrop);
  n = 0;
  size_t digits = 0;
  size_t i = 0;
  for (; i < text.size() && text[i] != '.'; ++i) {
    if (text[i] == ',' && digits > 0) continue;
    if (text[i] < '0' || text[i] > '9' || ++digits > 18) return false;
    n = n * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i < text.size()) {
    for (++i; i < text.size(); ++i) {
      if (text[i] != '0') return false;
    }
  }
  *out = n;
  return digits > 0;
}

bool ParseAmount(std::string_view utf8, int64_t* out) {
  char room[64];
  if (utf8.empty() || utf8.size() > sizeof room) return false;
  std::string_view text = HalfWidth(utf8, room, Blanks::kDrop);
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  size_t point = text.find('.');
  uint64_t whole = 0;
  if (!ParseWhole(text.substr(0, point), &whole) || whole > 1'000'000'000'000'000u) return false;
  uint64_t cents = 0;
  if (point != std::string_view::npos) {
    std::string_view fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.size() > 6) return false;
    for (size_t i = 0; i < fraction.size(); ++i) {
      if (fraction[i] < '0' || fraction[i] > '9' || (i >= 2 && fraction[i] != '0')) return false;
      if (i < 2) cents = cents * 10 + static_cast<uint64_t>(fraction[i] - '0');
    }
    if (fraction.size() == 1) cents *= 10;
  }
  auto value = static_cast<int64_t>(whole * 100 + cents);
  *out = negative ? -value : value;
  return true;
}

}  // namespace canbao::extract
