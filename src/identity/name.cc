#include "identity/name.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

#include "identity/internal/characters.h"
#include "identity/internal/utf8.h"

namespace canbao::identity {
namespace {

using internal::AreHomophones;
using internal::AreShapeAlike;
using internal::DecodeUtf8;
using internal::FoldWide;
using internal::kBreak;
using internal::kDrop;
using internal::kFold;
using internal::kWide;

uint64_t Mix(uint64_t h) {  // finaliser of MurmurHash3
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ull;
  return h ^ (h >> 33);
}

// A mark that stands for a character which the writer's system could not show.
bool IsUnknownMark(char32_t c) {
  switch (c) {
    case '?':
    case '*':
    case '#':
    case '_':
    case 0x25A0:  // ■ □ ▢ ▯ ◇ ◆ ○ ◯
    case 0x25A1:
    case 0x25A2:
    case 0x25AF:
    case 0x25C6:
    case 0x25C7:
    case 0x25CB:
    case 0x25EF:
    case 0x2B1C:
    case 0x3007:  // 〇
    case 0x3013:  // 〓
    case 0xFFFC:
    case 0xFFFD:
      return true;
    default:
      return c >= 0xE000 && c <= 0xF8FF;  // private use that no table explains
  }
}

bool IsLatin(char32_t c) { return c >= 'A' && c <= 'Z'; }

bool HasLatin(std::u32string_view s) { return std::any_of(s.begin(), s.end(), IsLatin); }

// Chinese names have two to four characters, five with two compound surnames; names that are
// longer are transliterated ones, where single characters carry less.
constexpr size_t kLongName = 6;

size_t EditDistance(std::u32string_view a, std::u32string_view b) {
  std::array<uint8_t, kMaxNameCodePoints + 1> row;
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<uint8_t>(j);
  for (size_t i = 0; i < a.size(); ++i) {
    uint8_t diagonal = row[0];
    row[0] = static_cast<uint8_t>(i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const bool same = a[i] == b[j] || IsUnknownMark(a[i]) || IsUnknownMark(b[j]);
      const int substituted = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = static_cast<uint8_t>(std::min({row[j + 1] + 1, row[j] + 1, substituted}));
    }
  }
  return row[b.size()];
}

// Same length: every position agrees, or nearly so.
bool AlikeByPosition(std::u32string_view a, std::u32string_view b) {
  size_t equal = 0;
  size_t unknown = 0;
  size_t soft = 0;  // sounds or looks alike
  size_t hard = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) {
      ++equal;
    } else if (IsUnknownMark(a[i]) || IsUnknownMark(b[i])) {
      ++unknown;
    } else if (AreHomophones(a[i], b[i]) || AreShapeAlike(a[i], b[i])) {
      ++soft;
    } else {
      ++hard;
    }
    if (hard > 1 || (hard == 1 && (a.size() < 3 || soft + unknown > 0))) return false;
  }
  if (hard == 0) return equal + soft > 0 && (unknown == 0 || equal > 0);
  return true;  // one of three or more, everything else the same
}

// Two neighbouring characters exchanged, the surname (first character) not among them.
bool AlikeBySwap(std::u32string_view a, std::u32string_view b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin());
  const size_t i = static_cast<size_t>(x - a.begin());
  return i >= 1 && i + 1 < a.size() && a[i] == b[i + 1] && a[i + 1] == b[i] &&
         a.substr(i + 2) == b.substr(i + 2);
}

// One given character is in `longer` only.
bool AlikeByMissing(std::u32string_view longer, std::u32string_view shorter) {
  if (longer.size() != shorter.size() + 1 || longer.size() < 3 || longer[0] != shorter[0]) {
    return false;
  }
  const auto [x, y] = std::mismatch(shorter.begin(), shorter.end(), longer.begin());
  return std::equal(x, shorter.end(), y + 1);
}

// A character of two or four bytes that was lost byte by byte: `??` for one character.
bool AlikeByLostBytes(std::u32string_view longer, std::u32string_view shorter) {
  const size_t surplus = longer.size() - shorter.size();
  for (size_t i = 0; i < longer.size(); ++i) {
    if (longer[i] != '?') continue;
    size_t run = 1;
    while (i + run < longer.size() && longer[i + run] == '?') ++run;
    if (run <= surplus || shorter.size() < 2) return false;
    const size_t stands_for = run - surplus;
    return longer.substr(0, i) == shorter.substr(0, i) &&
           longer.substr(i + run) == shorter.substr(i + stands_for) && stands_for < shorter.size();
  }
  return false;
}

// `shorter` is the first parts of `longer`: 买买提 for 买买提·乌斯曼.
bool IsLeadingPart(const FoldedName& longer, const FoldedName& shorter) {
  return shorter.length >= 2 && shorter.length < longer.length &&
         (longer.breaks >> shorter.length & 1) != 0 && longer.view().starts_with(shorter.view());
}

}  // namespace

void FoldName(std::string_view utf8, FoldedName* out) {
  const auto* p = reinterpret_cast<const uint8_t*>(utf8.data());
  const uint8_t* const end = p + utf8.size();
  const uint16_t* const fold = kFold.data();
  int n = 0;
  out->breaks = 0;
  while (p < end && n < kMaxNameCodePoints) {
    char32_t c;
    // Nearly every character of a name is in the BMP and has three bytes.
    if (end - p >= 3 && p[0] > 0xE0 && p[0] < 0xED && (p[1] & 0xC0) == 0x80 &&
        (p[2] & 0xC0) == 0x80) [[likely]] {
      c = static_cast<char32_t>((p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
      p += 3;
    } else {
      c = DecodeUtf8(p, end);
    }
    char32_t folded = c < 0x10000 ? fold[c] : kWide;
    if (folded <= kWide) [[unlikely]] {
      if (folded == kBreak && n > 0) out->breaks |= 1ull << n;
      if (folded != kWide || (folded = FoldWide(c)) == 0) continue;
    }
    out->cp[n++] = folded;
  }
  out->length = static_cast<uint8_t>(n);
}

NameCode FoldPlainToCode(const char* p, size_t size) {
  // By the size in bytes: which bytes must lead, which must continue, and which characters there
  // are. Sizes that no whole number of characters has ask for what cannot be.
  struct Shape {
    uint16_t lead;
    uint16_t rest;
    uint64_t absent;  // ones where no character stands
  };
  static constexpr std::array<Shape, 13> kShapes = [] {
    std::array<Shape, 13> shapes;
    shapes.fill({0xFFFF, 0xFFFF, 0});
    for (unsigned n = 1; n <= 4; ++n) {
      const auto all = static_cast<uint16_t>((1u << (3 * n)) - 1);
      shapes[3 * n] = {static_cast<uint16_t>(0x249 & all), static_cast<uint16_t>(0xDB6 & all),
                       n == 4 ? 0 : ~uint64_t{0} >> (16 * n)};
    }
    return shapes;
  }();
  if (size > 12) return {};
  const Shape& shape = kShapes[size];
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  // E1..EC: no overlong forms, no surrogates.
  const __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xE1)));
  const __m128i leads = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(0xEC - 0xE1)), above);
  const __m128i rests = _mm_cmplt_epi8(bytes, _mm_set1_epi8(static_cast<char>(0xC0)));
  const auto lead = static_cast<unsigned>(_mm_movemask_epi8(leads));
  const auto rest = static_cast<unsigned>(_mm_movemask_epi8(rests));
  if (((~lead & shape.lead) | (~rest & shape.rest)) != 0) return {};
  const __m128i lanes =
      _mm_shuffle_epi8(bytes, _mm_setr_epi8(2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1));
  const __m128i points =
      _mm_or_si128(_mm_or_si128(_mm_and_si128(lanes, _mm_set1_epi32(0x3F)),
                                _mm_and_si128(_mm_srli_epi32(lanes, 2), _mm_set1_epi32(0xFC0))),
                   _mm_and_si128(_mm_srli_epi32(lanes, 4), _mm_set1_epi32(0xF000)));
  const auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(points));
  const auto high = static_cast<uint64_t>(_mm_extract_epi64(points, 1));
  const uint16_t* const fold = kFold.data();
  const uint64_t code = static_cast<uint64_t>(fold[low & 0xFFFF]) << 48 |
                        static_cast<uint64_t>(fold[low >> 32]) << 32 |
                        static_cast<uint64_t>(fold[high & 0xFFFF]) << 16 | fold[high >> 32];
  // Characters that fold to a mark of kFold want a second look.
  static_assert(kWide == 2 && kBreak < kWide && kDrop < kWide);
  const uint64_t all = code | shape.absent;
  const bool marks = (all >> 48) <= kWide || (all >> 32 & 0xFFFF) <= kWide ||
                     (all >> 16 & 0xFFFF) <= kWide || (all & 0xFFFF) <= kWide;
  // A name that starts with 0xD8 in its top byte would be taken for a hash; none of these does.
  return marks ? NameCode{} : NameCode{code & ~shape.absent};
}

NameCode CodeOf(const FoldedName& name) {
  const uint32_t n = name.length;
  if (n <= 4) [[likely]] {
    uint64_t code = 0;
    uint32_t all = 0;
    for (uint32_t i = 0; i < n; ++i) {
      all |= name.cp[i];
      code |= static_cast<uint64_t>(name.cp[i]) << (48 - 16 * i);
    }
    if (all <= 0xFFFF) return NameCode{code};
  }
  uint64_t h = n;
  for (uint32_t i = 0; i < n; ++i) h = Mix(h ^ (name.cp[i] + 0x9E3779B97F4A7C15ull));
  return NameCode{0xD8ull << 56 | (h & 0x00FFFFFFFFFFFFFFull)};
}

void Unpack(NameCode code, FoldedName* out) {
  out->length = 0;
  out->breaks = 0;
  if (code.is_hash()) return;
  for (int shift = 48; shift >= 0; shift -= 16) {
    const char32_t c = static_cast<char32_t>(code.v >> shift & 0xFFFF);
    if (c == 0) break;
    out->cp[out->length++] = c;
  }
}

std::string ToUtf8(const FoldedName& name) {
  std::string out;
  for (char32_t c : name.view()) internal::AppendUtf8(c, &out);
  return out;
}

NameAgreement CompareNames(const FoldedName& a, const FoldedName& b) {
  const std::u32string_view x = a.view();
  const std::u32string_view y = b.view();
  if (x.empty() || y.empty()) return NameAgreement::kUnlike;
  if (x == y) return NameAgreement::kExact;
  const bool a_longer = x.size() >= y.size();
  const std::u32string_view longer = a_longer ? x : y;
  const std::u32string_view shorter = a_longer ? y : x;
  bool alike = false;
  if (longer.size() >= kLongName || HasLatin(x) || HasLatin(y)) {
    const size_t allowed = std::max<size_t>(1, longer.size() / 6);
    alike = (shorter.size() >= 3 && longer.size() - shorter.size() <= allowed &&
             EditDistance(x, y) <= allowed) ||
            IsLeadingPart(a_longer ? a : b, a_longer ? b : a);
  } else if (x.size() == y.size()) {
    alike = AlikeByPosition(x, y) || AlikeBySwap(x, y);
  } else {
    alike = AlikeByMissing(longer, shorter) || IsLeadingPart(a_longer ? a : b, a_longer ? b : a);
  }
  if (!alike && longer.size() > shorter.size()) alike = AlikeByLostBytes(longer, shorter);
  return alike ? NameAgreement::kAlike : NameAgreement::kUnlike;
}

std::string MaskName(std::string_view utf8) {
  constexpr size_t kStars = 4;
  std::u32string name;
  const auto* p = reinterpret_cast<const uint8_t*>(utf8.data());
  const uint8_t* end = p + utf8.size();
  while (p < end) name.push_back(DecodeUtf8(p, end));
  std::string out;
  if (name.empty()) return out;
  internal::AppendUtf8(name.front(), &out);
  if (name.size() == 1) return "*";
  out.append(name.size() == 2 ? 1 : std::min(kStars, name.size() - 2), '*');
  if (name.size() > 2) internal::AppendUtf8(name.back(), &out);
  return out;
}

}  // namespace canbao::identity
