// Names of persons: folding (for matching only; the name as delivered is what is stored) and the
// comparison of two folded names. Tables are embedded at build time from data/names
// (name_tables.inc). Pure functions over read-only tables, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canbao::identity {

// A folded name in 64 bits, for equality by one compare and for records of fixed size:
// up to four BMP code units packed high to low; anything longer or beyond the BMP is
// 0xD8 in the top byte (no such name starts with a surrogate) and a 56-bit hash of the folded text.
// 0 = no name.
struct NameCode {
  uint64_t v = 0;
  constexpr bool has_value() const { return v != 0; }
  constexpr bool is_hash() const { return (v >> 56) == 0xD8; }
  friend constexpr auto operator<=>(NameCode, NameCode) = default;
};

// Longest folded name that is looked at, in code points.
inline constexpr int kMaxNameCodePoints = 64;

struct FoldedName {
  char32_t cp[kMaxNameCodePoints];
  uint8_t length = 0;
  // Bit i: one of the `·` variants stood before cp[i]. Not part of the folded text; it only tells
  // CompareNames where the parts of a long name begin. Lost when a name is packed.
  uint64_t breaks = 0;
  std::u32string_view view() const { return {cp, length}; }
};

// Folds UTF-8 text: drops blanks, zero-width characters, quotation marks and hyphens, full width →
// half width, traditional / variant / PUA (U+E81A 㑳, U+E82A 㧐 …) characters → one form, Latin
// letters → upper case without marks. Every `·` variant is dropped too, because agencies write a
// blank in its place (库尔班 热合曼) and a blank within 张 三 means nothing: all spellings of one
// name fold to one text. Invalid UTF-8 becomes U+FFFD. Never fails.
void FoldName(std::string_view utf8, FoldedName* out);
NameCode CodeOf(const FoldedName& name);
inline NameCode FoldToCode(std::string_view utf8) {
  FoldedName folded;
  FoldName(utf8, &folded);
  return CodeOf(folded);
}
// The same for a name of one to four characters of three bytes each, none of which folding drops or
// has to look up; no code for any other. Sixteen bytes behind `utf8` must be readable.
NameCode FoldPlainToCode(const char* utf8, size_t size);
// Inverse of CodeOf for packed codes; a hash gives a name of length 0.
void Unpack(NameCode code, FoldedName* out);
std::string ToUtf8(const FoldedName& name);

enum class NameAgreement : uint8_t {
  kExact,  // the same after folding
  kAlike,  // rules.md §3 name_variant: one character of several, homophone, shape, swapped or
           // missing given character, `?` `□` for a character
  kUnlike
};
NameAgreement CompareNames(const FoldedName& a, const FoldedName& b);

// Toneless pinyin, syllables joined by blanks, the surname by its surname reading (单 shan, 曾 zeng
// …), ü as v. Runs of Latin letters and digits are a syllable of their own, in lower case;
// characters without a known reading stand for themselves.
std::string Pinyin(std::string_view utf8);
// First letters of the syllables, "zxf".
std::string PinyinInitials(std::string_view utf8);

// "张*丰", "张*": for screens and lists that show no name. What lies between the first and the last
// character is one star for each, at most four.
std::string MaskName(std::string_view utf8);

}  // namespace canbao::identity
