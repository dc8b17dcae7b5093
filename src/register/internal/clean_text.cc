#include "register/internal/clean_text.h"

#include <cstdint>
#include <cstring>
#include <string>

namespace canbao::reg {
namespace {

// Length of the UTF-8 character at p that PostgreSQL accepts; 0 when it does not.
size_t CharLength(const uint8_t* p, size_t n) {
  if (p[0] == 0) return 0;
  if (p[0] < 0x80) return 1;
  auto more = [&](size_t i) { return i < n && (p[i] & 0xC0) == 0x80; };
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return more(1) ? 2 : 0;
  if (p[0] >= 0xE0 && p[0] <= 0xEF) {
    if (!more(1) || !more(2) || (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F)) {
      return 0;
    }
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!more(1) || !more(2) || !more(3) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F)) {
      return 0;
    }
    return 4;
  }
  return 0;
}

bool AsciiWithoutNul(uint64_t w) {
  return ((w | (w - 0x0101010101010101ull)) & 0x8080808080808080ull) == 0;
}

bool IsClean(std::string_view text) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(text.data());
  size_t n = text.size();
  uint64_t w;
  for (; n >= 8; p += 8, n -= 8) {
    std::memcpy(&w, p, 8);
    if (!AsciiWithoutNul(w)) break;
  }
  if (n < 8 && text.size() >= 8) {
    // The last eight bytes, some of them for the second time.
    std::memcpy(&w, p + n - 8, 8);
    if (AsciiWithoutNul(w)) return true;
  }
  while (n > 0) {
    size_t k = CharLength(p, n);
    if (k == 0) return false;
    p += k;
    n -= k;
  }
  return true;
}

// What a source smuggled in (a NUL, a lone surrogate) must not stop a load of millions: U+FFFD.
std::string Clean(std::string_view text) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(text.data());
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t k = CharLength(p + i, text.size() - i);
    if (k == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out.append(text.substr(i, k));
      i += k;
    }
  }
  return out;
}

}  // namespace

void PutText(CopyBuffer& b, std::string_view text) {
  if (IsClean(text)) {
    b.Bytes(text);
  } else {
    b.Bytes(Clean(text));
  }
}

void PutShortText(CopyBuffer& b, std::string_view text) {
  auto put = [&b](std::string_view t) {
    b.Put16(static_cast<uint16_t>(t.size()));
    b.PutRaw(t);
  };
  if (IsClean(text)) return put(text);
  std::string clean = Clean(text);
  size_t n = clean.size();
  if (n > 65535) {
    n = 65535;
    while (n > 0 && (static_cast<uint8_t>(clean[n]) & 0xC0) == 0x80) --n;
  }
  put(std::string_view(clean).substr(0, n));
}

size_t CodePoints(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return n;
}

}  // namespace canbao::reg
