#include "extract/format/gb18030.h"

#include <unicode/ucnv.h>

#include <cstring>
#include <stdexcept>
#include <vector>

namespace canbao::extract {
namespace {

constexpr int kTrails = 190;                 // 40–7E, 80–FE
constexpr int kTwoByte = 126 * kTrails;      // leads 81–FE
constexpr uint32_t kFourByteBmp = 39420;     // 81308130 … 8431A439
constexpr uint32_t kSupplementary = 189000;  // 90308130 = U+10000
constexpr uint32_t kSupplementaryEnd = kSupplementary + 0x100000;

// A character as UTF-8 in the low three bytes, its length in the top byte; 0 = no character.
uint32_t Packed(char32_t c) {
  if (c == 0xFFFD) return 0;
  if (c < 0x80) return 1u << 24 | c;
  if (c < 0x800) return 2u << 24 | (0xC0 | c >> 6) | (0x80 | (c & 63)) << 8;
  return 3u << 24 | (0xE0 | c >> 12) | (0x80 | (c >> 6 & 63)) << 8 | (0x80 | (c & 63)) << 16;
}

struct Tables {
  std::vector<uint32_t> two = std::vector<uint32_t>(kTwoByte);
  std::vector<uint32_t> four = std::vector<uint32_t>(kFourByteBmp);

  Tables() {
    UErrorCode code = U_ZERO_ERROR;
    UConverter* converter = ucnv_open("gb18030", &code);
    if (U_FAILURE(code)) throw std::runtime_error("ICU has no GB18030 converter");
    auto decode = [&](const char* bytes, int n) -> uint32_t {
      UChar out[4];
      UErrorCode e = U_ZERO_ERROR;
      int32_t size = ucnv_toUChars(converter, out, 4, bytes, n, &e);
      // One BMP unit is all a two-byte code or a four-byte code of this range may give.
      return U_SUCCESS(e) && size == 1 ? Packed(out[0]) : 0;
    };
    for (int lead = 0; lead < 126; ++lead) {
      for (int t = 0; t < kTrails; ++t) {
        char bytes[2] = {static_cast<char>(0x81 + lead),
                         static_cast<char>(t < 63 ? 0x40 + t : 0x41 + t)};
        two[static_cast<size_t>(lead * kTrails + t)] = decode(bytes, 2);
      }
    }
    for (uint32_t i = 0; i < kFourByteBmp; ++i) {
      char bytes[4] = {static_cast<char>(0x81 + i / 12600), static_cast<char>(0x30 + i / 1260 % 10),
                       static_cast<char>(0x81 + i / 10 % 126), static_cast<char>(0x30 + i % 10)};
      four[i] = decode(bytes, 4);
    }
    // U+FFFD itself has a code.
    four[kFourByteBmp - 3] = 3u << 24 | 0xBDBFEF;
    ucnv_close(converter);
  }
};

const Tables& TheTables() {
  static const Tables tables;
  return tables;
}

}  // namespace

void PrepareGb18030() { TheTables(); }

size_t DecodeGb18030(std::string_view text, char* out, bool* valid) {
  const Tables& tables = TheTables();
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = p + text.size();
  char* begin = out;
  auto bad = [&] {
    std::memcpy(out, "\xEF\xBF\xBD", 3);
    out += 3;
    *valid = false;
    ++p;
  };
  while (p < end) {
    while (end - p >= 8) {
      uint64_t eight;
      std::memcpy(&eight, p, 8);
      if (eight & 0x8080808080808080u) break;
      std::memcpy(out, &eight, 8);
      p += 8;
      out += 8;
    }
    while (p < end && *p < 0x80) *out++ = static_cast<char>(*p++);
    while (p < end && *p >= 0x80) {
      if (*p == 0x80 || *p == 0xFF || end - p < 2) {
        bad();
        continue;
      }
      uint8_t b = p[1];
      if (b >= 0x40 && b != 0x7F && b != 0xFF) {
        uint32_t c =
            tables.two[static_cast<size_t>((p[0] - 0x81) * kTrails + b - (b < 0x7F ? 0x40 : 0x41))];
        if (c == 0) {
          bad();
          continue;
        }
        std::memcpy(out, &c, 4);
        out += c >> 24;
        p += 2;
        continue;
      }
      if (b < 0x30 || b > 0x39 || end - p < 4 || p[2] < 0x81 || p[2] == 0xFF || p[3] < 0x30 ||
          p[3] > 0x39) {
        bad();
        continue;
      }
      uint32_t n = static_cast<uint32_t>(p[0] - 0x81) * 12600 +
                   static_cast<uint32_t>(b - 0x30) * 1260 +
                   static_cast<uint32_t>(p[2] - 0x81) * 10 + static_cast<uint32_t>(p[3] - 0x30);
      if (n < kFourByteBmp && tables.four[n] != 0) {
        uint32_t c = tables.four[n];
        std::memcpy(out, &c, 4);
        out += c >> 24;
      } else if (n >= kSupplementary && n < kSupplementaryEnd) {
        uint32_t c = n - kSupplementary + 0x10000;
        out[0] = static_cast<char>(0xF0 | c >> 18);
        out[1] = static_cast<char>(0x80 | (c >> 12 & 63));
        out[2] = static_cast<char>(0x80 | (c >> 6 & 63));
        out[3] = static_cast<char>(0x80 | (c & 63));
        out += 4;
      } else {
        bad();
        continue;
      }
      p += 4;
    }
  }
  return static_cast<size_t>(out - begin);
}

std::string DecodeGb18030(std::string_view text, bool* valid) {
  std::string out(Gb18030Room(text.size()), '\0');
  bool good = true;
  out.resize(DecodeGb18030(text, out.data(), &good));
  if (valid != nullptr) *valid = good;
  return out;
}

}  // namespace canbao::extract
