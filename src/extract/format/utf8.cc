#include "extract/format/utf8.h"

#include <immintrin.h>

#include <cstring>

#include "base/bytes.h"

namespace canbao::extract {
namespace {

// Length of the character at `at` (1 for ASCII), 0 when the bytes are none, -1 when it is cut off.
int CharacterAt(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t a = byte(at);
  if (a < 0x80) return 1;
  int size = a >= 0xC2 && a <= 0xDF   ? 2
             : a >= 0xE0 && a <= 0xEF ? 3
             : a >= 0xF0 && a <= 0xF4 ? 4
                                      : 0;
  if (size == 0) return 0;
  for (int i = 1; i < size; ++i) {
    if (at + static_cast<size_t>(i) >= text.size()) return -1;
    uint8_t b = byte(at + static_cast<size_t>(i));
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    if (i == 1) {
      if (a == 0xE0) low = 0xA0;
      if (a == 0xED) high = 0x9F;
      if (a == 0xF0) low = 0x90;
      if (a == 0xF4) high = 0x8F;
    }
    if (b < low || b > high) return 0;
  }
  return size;
}

// The error classes of the paper; a pair of bytes is wrong when all three tables share a bit.
constexpr char kTooShort = 1 << 0, kTooLong = 1 << 1, kOverlong3 = 1 << 2, kTooLarge = 1 << 3,
               kSurrogate = 1 << 4, kOverlong2 = 1 << 5, kTooLarge1000 = 1 << 6,
               kOverlong4 = 1 << 6, kTwoContinuations = static_cast<char>(1 << 7);
constexpr char kCarry = static_cast<char>(kTooShort | kTooLong | kTwoContinuations);

__m128i Shifted(__m128i now, __m128i before, int by) {
  switch (by) {
    case 1:
      return _mm_alignr_epi8(now, before, 15);
    case 2:
      return _mm_alignr_epi8(now, before, 14);
    default:
      return _mm_alignr_epi8(now, before, 13);
  }
}

__m128i Errors(__m128i now, __m128i before) {
  const __m128i kByte1High =
      _mm_setr_epi8(kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
                    kTwoContinuations, kTwoContinuations, kTwoContinuations, kTwoContinuations,
                    kTooShort | kOverlong2, kTooShort, kTooShort | kOverlong3 | kSurrogate,
                    kTooShort | kTooLarge | kTooLarge1000 | kOverlong4);
  const __m128i kByte1Low = _mm_setr_epi8(
      static_cast<char>(kCarry | kOverlong3 | kOverlong2 | kOverlong4),
      static_cast<char>(kCarry | kOverlong2), kCarry, kCarry, static_cast<char>(kCarry | kTooLarge),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000 | kSurrogate),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000),
      static_cast<char>(kCarry | kTooLarge | kTooLarge1000));
  const __m128i kByte2High = _mm_setr_epi8(
      kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
      static_cast<char>(kTooLong | kOverlong2 | kTwoContinuations | kOverlong3 | kTooLarge1000 |
                        kOverlong4),
      static_cast<char>(kTooLong | kOverlong2 | kTwoContinuations | kOverlong3 | kTooLarge),
      static_cast<char>(kTooLong | kOverlong2 | kTwoContinuations | kSurrogate | kTooLarge),
      static_cast<char>(kTooLong | kOverlong2 | kTwoContinuations | kSurrogate | kTooLarge),
      kTooShort, kTooShort, kTooShort, kTooShort);
  const __m128i kNibble = _mm_set1_epi8(0x0F);
  __m128i prev1 = Shifted(now, before, 1);
  __m128i special = _mm_and_si128(
      _mm_and_si128(_mm_shuffle_epi8(kByte1High, _mm_and_si128(_mm_srli_epi16(prev1, 4), kNibble)),
                    _mm_shuffle_epi8(kByte1Low, _mm_and_si128(prev1, kNibble))),
      _mm_shuffle_epi8(kByte2High, _mm_and_si128(_mm_srli_epi16(now, 4), kNibble)));
  // The third and fourth byte of a character must be continuations.
  __m128i third =
      _mm_subs_epu8(Shifted(now, before, 2), _mm_set1_epi8(static_cast<char>(0xE0 - 0x80)));
  __m128i fourth =
      _mm_subs_epu8(Shifted(now, before, 3), _mm_set1_epi8(static_cast<char>(0xF0 - 0x80)));
  __m128i must = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8(static_cast<char>(0x80)));
  return _mm_xor_si128(must, special);
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  __m128i error = _mm_setzero_si128();
  __m128i before = _mm_setzero_si128();
  while (end - p >= 16) {
    __m128i now = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Sixteen ASCII bytes after sixteen ASCII bytes cannot be wrong.
    if (_mm_movemask_epi8(_mm_or_si128(now, before)) != 0) {
      error = _mm_or_si128(error, Errors(now, before));
    }
    before = now;
    p += 16;
  }
  // The tail is followed by zeros, which makes a character that is cut off too short.
  char tail[32] = {};
  CopyBytes(tail, p, static_cast<size_t>(end - p));
  for (int i = 0; i < 2; ++i) {
    __m128i now = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tail + 16 * i));
    error = _mm_or_si128(error, Errors(now, before));
    before = now;
  }
  return _mm_testz_si128(error, error) != 0;
}

Utf8Census CountUtf8(std::string_view text) {
  Utf8Census census;
  for (size_t at = 0; at < text.size();) {
    if (text.size() - at >= 8) {
      uint64_t eight;
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080u) == 0) {
        at += 8;
        continue;
      }
    }
    int size = CharacterAt(text, at);
    if (size < 0) break;
    if (size == 0) {
      ++census.invalid;
      ++at;
    } else {
      if (size > 1) ++census.characters;
      at += static_cast<size_t>(size);
    }
  }
  return census;
}

std::string RepairUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    int size = CharacterAt(text, at);
    if (size <= 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else {
      out += text.substr(at, static_cast<size_t>(size));
      at += static_cast<size_t>(size);
    }
  }
  return out;
}

}  // namespace canbao::extract
