// How alike two texts are: Jaro, Jaro–Winkler, Levenshtein, Damerau–Levenshtein (optimal string
// alignment: a transposition counts one, no part is edited twice), in code points; what a text
// sounds like; days and numbers in it. Bit-parallel up to 64 code points, by tables beyond. Pure.
//
// Results are made of +, −, × and ÷ alone: the same bits on every machine.
#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canbao::linkage {

// UTF-8 as code points; what is no UTF-8 stands for itself, byte by byte.
void Decode(std::string_view utf8, std::u32string* out);
std::string Encode(std::u32string_view text);

double Jaro(std::u32string_view a, std::u32string_view b);
// Winkler's: a common beginning of up to four counts when Jaro is above 0.7.
double JaroWinkler(std::u32string_view a, std::u32string_view b);
uint32_t Levenshtein(std::u32string_view a, std::u32string_view b);
uint32_t DamerauLevenshtein(std::u32string_view a, std::u32string_view b);

// How many there are of each character, by its last five bits (the last two of the 32 are one), and
// behind them the length; all up to 255.
struct alignas(32) Characters {
  std::array<uint8_t, 32> counts{};
  uint32_t length() const { return counts[31]; }
};
Characters CharactersOf(std::u32string_view text);
// The sum of the smaller counts. Two texts of up to 255 characters have no more in common.
inline uint32_t InCommon(const Characters& a, const Characters& b) {
  const auto* x = reinterpret_cast<const __m128i*>(a.counts.data());
  const auto* y = reinterpret_cast<const __m128i*>(b.counts.data());
  const __m128i zero = _mm_setzero_si128();
  const __m128i sums =
      _mm_add_epi64(_mm_sad_epu8(_mm_min_epu8(_mm_load_si128(x), _mm_load_si128(y)), zero),
                    _mm_sad_epu8(_mm_min_epu8(_mm_load_si128(x + 1), _mm_load_si128(y + 1)), zero));
  const auto all = static_cast<uint32_t>(_mm_cvtsi128_si32(sums) +
                                         _mm_cvtsi128_si32(_mm_unpackhi_epi64(sums, sums)));
  return all - std::min(a.length(), b.length());
}

// American Soundex (`R163`) and a phonetic key that keeps more of the word (consonants by their
// class as English pronounces them, vowels at the beginning only). Nothing of a text without Latin
// letters.
std::string Soundex(std::string_view text);
std::string PhoneticKey(std::string_view text);

struct Day {
  int32_t year = 0;
  int32_t month = 0;
  int32_t day = 0;
  int32_t number = 0;  // since 1970-01-01
};
// 1971-06-24, 1971/6/24, 1971.06.24, 19710624, 24.06.1971, 24/06/1971 (day first, or month first if
// only that is a date), a time behind it is ignored. No date: nothing.
std::optional<Day> ParseDay(std::string_view text);
std::optional<Day> DayOf(int32_t year, int32_t month, int32_t day);

// A decimal number in millionths, 12,345.6 too; nothing beyond ±9·10^12.
std::optional<int64_t> ParseNumber(std::string_view text);

// The parts of a text between `separator`s (blanks, when it is 0), trimmed, sorted, once each.
std::vector<std::string_view> Parts(std::string_view text, char separator);

}  // namespace canbao::linkage
