// UTF-8 decoding and encoding, one code point at a time. Invalid bytes become U+FFFD, one for each
// byte that begins no valid character. Private to src/identity; pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace canbao::identity::internal {

inline constexpr char32_t kReplacement = 0xFFFD;

// Decodes the code point at `p` (p < end) and advances it by at least one byte.
inline char32_t DecodeUtf8(const uint8_t*& p, const uint8_t* end) {
  const uint8_t b0 = *p++;
  if (b0 < 0x80) return b0;
  auto continues = [&](ptrdiff_t i) { return end - p > i && (p[i] & 0xC0) == 0x80; };
  if (b0 >= 0xC2 && b0 <= 0xDF && continues(0)) {
    return static_cast<char32_t>((b0 & 0x1F) << 6 | (*p++ & 0x3F));
  }
  if (b0 >= 0xE0 && b0 <= 0xEF && continues(0) && continues(1)) {
    const char32_t c =
        static_cast<char32_t>((b0 & 0x0F) << 12 | (p[0] & 0x3F) << 6 | (p[1] & 0x3F));
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) {
      p += 2;
      return c;
    }
  } else if (b0 >= 0xF0 && b0 <= 0xF4 && continues(0) && continues(1) && continues(2)) {
    const char32_t c = static_cast<char32_t>((b0 & 0x07) << 18 | (p[0] & 0x3F) << 12 |
                                             (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
    if (c >= 0x10000 && c <= 0x10FFFF) {
      p += 3;
      return c;
    }
  }
  return kReplacement;
}

inline void AppendUtf8(char32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

// Blanks and characters without width, of any script.
inline bool IsBlank(char32_t c) {
  return c <= 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || c == 0x1680 || c == 0x180E ||
         (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
         (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0xFEFF || c == 0x3164 ||
         (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

}  // namespace canbao::identity::internal
