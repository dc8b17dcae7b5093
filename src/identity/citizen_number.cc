#include "identity/citizen_number.h"

#include <emmintrin.h>
#include <tmmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "identity/internal/number_text.h"

namespace canbao::identity {
namespace {

using internal::CleanNumber;

// GB 11643 (ISO 7064 MOD 11-2).
constexpr int kWeights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
constexpr char kChecks[12] = "10X98765432";
constexpr int kMaxAge = 130;
constexpr uint64_t kPow10[18] = {1ull,
                                 10ull,
                                 100ull,
                                 1000ull,
                                 10000ull,
                                 100000ull,
                                 1000000ull,
                                 10000000ull,
                                 100000000ull,
                                 1000000000ull,
                                 10000000000ull,
                                 100000000000ull,
                                 1000000000000ull,
                                 10000000000000ull,
                                 100000000000000ull,
                                 1000000000000000ull,
                                 10000000000000000ull,
                                 100000000000000000ull};

// First two digits of GB/T 2260, of the residence permits of Hong Kong, Macao and Taiwan, and every
// number that begins with 9 (foreigners since 2023). Which county follows never makes a number
// invalid: codes change every year and a number keeps the code of its first registration.
constexpr std::array<bool, 100> MakeProvinces() {
  std::array<bool, 100> ok{};
  for (int p : {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43,
                44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83}) {
    ok[static_cast<size_t>(p)] = true;
  }
  for (size_t p = 90; p < 100; ++p) ok[p] = true;
  return ok;
}
constexpr std::array<bool, 100> kProvinces = MakeProvinces();

// The birth dates that are possible on a day, as YYYYMMDD. The calendar of `today` is asked for
// once per thread and day, not once per number.
struct BirthRange {
  uint32_t first = 0;
  uint32_t last = 99991231;
};

BirthRange RangeFor(Date today) {
  struct Cache {
    Date today;
    BirthRange range;
  };
  static thread_local Cache cache;
  if (cache.today != today) {
    cache.today = today;
    cache.range = {};
    if (today.has_value()) {
      cache.range.last = today.yyyymmdd();
      // Who was born on the day after (today − 131 years) is still 130.
      cache.range.first = cache.range.last - (kMaxAge + 1) * 10000u + 1;
    }
  }
  return cache.range;
}

bool IsBirth(uint32_t ymd, BirthRange range) {
  static constexpr uint8_t kDays[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  uint32_t year = ymd / 10000;
  uint32_t month = ymd / 100 % 100;
  uint32_t day = ymd % 100;
  if (month - 1 > 11 || day == 0 || day > kDays[month]) return false;
  if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))) {
    return false;
  }
  return year >= 1880 && ymd >= range.first && ymd <= range.last;
}

bool IsBody(uint64_t first17, BirthRange range) {
  return kProvinces[first17 / kPow10[15]] &&
         IsBirth(static_cast<uint32_t>(first17 / 1000 % 100000000), range);
}

int WeightedSum(uint64_t first17) {
  int sum = 0;
  for (int i = 16; i >= 0; --i) {
    sum += static_cast<int>(first17 % 10) * kWeights[i];
    first17 /= 10;
  }
  return sum;
}

// 18 bytes → first 17 digits, when shape and check digit are right. `x` must be upper case.
bool Parse18(const char* p, uint64_t* first17) {
  const __m128i digits =
      _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi8('0'));
  const uint32_t d17 = static_cast<uint8_t>(p[16]) - static_cast<uint32_t>('0');
  // Unsigned maximum with 9 leaves a byte unchanged exactly when it is no digit (or 9).
  const __m128i nine = _mm_set1_epi8(9);
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(digits, nine), nine)) != 0xFFFF || d17 > 9) {
    return false;
  }
  const __m128i weights = _mm_setr_epi8(7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4);
  __m128i sums = _mm_madd_epi16(_mm_maddubs_epi16(digits, weights), _mm_set1_epi16(1));
  sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(1, 0, 3, 2)));
  sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(2, 3, 0, 1)));
  const uint32_t sum = static_cast<uint32_t>(_mm_cvtsi128_si32(sums)) + d17 * 2;
  if (p[17] != kChecks[sum % 11]) return false;

  // 16 digits → 8 pairs → 4 groups of four → two numbers of eight digits.
  const __m128i pairs = _mm_maddubs_epi16(
      digits, _mm_setr_epi8(10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_setr_epi16(100, 1, 100, 1, 100, 1, 100, 1));
  const __m128i packed = _mm_packs_epi32(fours, fours);
  const __m128i eights =
      _mm_madd_epi16(packed, _mm_setr_epi16(10000, 1, 10000, 1, 10000, 1, 10000, 1));
  const uint64_t both = static_cast<uint64_t>(_mm_cvtsi128_si64(eights));
  *first17 = ((both & 0xFFFFFFFFu) * kPow10[8] + (both >> 32)) * 10 + d17;
  return true;
}

bool AllDigits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

uint64_t ToInteger(std::string_view digits) {
  uint64_t v = 0;
  for (char c : digits) v = v * 10 + static_cast<uint64_t>(c - '0');
  return v;
}

// 15 digits of GB 11643-1989 → the first 17 of today's number in the given century.
uint64_t WithCentury(std::string_view digits15, uint64_t century) {
  return (ToInteger(digits15.substr(0, 6)) * 100 + century) * kPow10[9] +
         ToInteger(digits15.substr(6));
}

// The sequence numbers 996–999 were kept for people born in the century before (1800–1899).
bool IsCentenarianSequence(std::string_view digits15) { return digits15.substr(12) >= "996"; }

bool Parse15(std::string_view text, BirthRange range, uint64_t* first17) {
  if (text.size() != 15 || !AllDigits(text)) return false;
  *first17 = WithCentury(text, IsCentenarianSequence(text) ? 18 : 19);
  return IsBody(*first17, range);
}

// "3.30102198001011E+17" → 330102198001011; empty when the text is no such number.
std::string MantissaOf18Digits(std::string_view text) {
  size_t e = text.find('E');
  if (e == std::string_view::npos || e < 3 || text[1] != '.') return {};
  std::string_view exponent = text.substr(e + 1);
  if (!exponent.empty() && exponent[0] == '+') exponent.remove_prefix(1);
  if (exponent != "17") return {};
  std::string digits(text.substr(0, 1));
  digits += text.substr(2, e - 2);
  return AllDigits(digits) ? digits : std::string{};
}

void PutText(std::string_view text, ParsedNumber* out) {
  size_t n = std::min(text.size(), sizeof(out->text) - 1);
  // Never cut inside a UTF-8 character.
  while (n < text.size() && n > 0 && (static_cast<uint8_t>(text[n]) & 0xC0) == 0x80) --n;
  CopyBytes(out->text, text.data(), n);
  out->text[n] = '\0';
  out->length = static_cast<uint8_t>(n);
}

// Collects the valid numbers among the texts and bodies that a repair may have come from.
class Candidates {
 public:
  explicit Candidates(BirthRange range) : range_(range) {}

  void Text18(const char* p) {
    uint64_t v = 0;
    if (Parse18(p, &v) && IsBody(v, range_)) found_.push_back(PersonNumber{v});
  }
  void Body(uint64_t first17) {
    if (IsBody(first17, range_)) found_.push_back(PersonNumber{first17});
  }
  // `prefix` has `known` digits; every completion to 17 is possible.
  void Completions(uint64_t prefix, int known) {
    uint64_t count = kPow10[17 - known];
    if (!kProvinces[prefix / kPow10[known - 2]]) return;
    for (uint64_t i = 0; i < count; ++i) Body(prefix * count + i);
  }
  std::vector<PersonNumber> Take() && {
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  BirthRange range_;
  std::vector<PersonNumber> found_;
};

void AddSubstitutions(std::string_view text, Candidates* out) {
  char p[18];
  std::memcpy(p, text.data(), 18);
  for (int i = 0; i < 18; ++i) {
    const char old = p[i];
    for (char c : std::string_view(i == 17 ? "0123456789X" : "0123456789")) {
      if (c == old) continue;
      p[i] = c;
      out->Text18(p);
    }
    p[i] = old;
  }
}

void AddTranspositions(std::string_view text, Candidates* out) {
  char p[18];
  std::memcpy(p, text.data(), 18);
  for (int i = 0; i < 17; ++i) {
    if (p[i] == p[i + 1]) continue;
    std::swap(p[i], p[i + 1]);
    out->Text18(p);
    std::swap(p[i], p[i + 1]);
  }
}

void AddInsertions(std::string_view text, Candidates* out) {
  char p[18];
  for (size_t i = 0; i < 18; ++i) {
    std::memcpy(p, text.data(), i);
    std::memcpy(p + i + 1, text.data() + i, 17 - i);
    for (char c : std::string_view(i == 17 ? "0123456789X" : "0123456789")) {
      p[i] = c;
      out->Text18(p);
    }
  }
}

void AddDeletions(std::string_view text, Candidates* out) {
  char p[18];
  for (size_t i = 0; i < 19; ++i) {
    std::memcpy(p, text.data(), i);
    std::memcpy(p + i, text.data() + i + 1, 18 - i);
    out->Text18(p);
  }
}

}  // namespace

PlainNumbers::PlainNumbers(Date today) {
  const BirthRange range = RangeFor(today);
  first_ = std::max(range.first, 18800101u);
  last_ = range.last;
}

bool PlainNumbers::Parse(const char* p, PersonNumber* out) const {
  if (!Parse18(p, &out->v)) return false;
  // The digits are known to be digits: eight of them become four numbers of two.
  uint64_t v;
  std::memcpy(&v, p + 6, 8);
  v = (v & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8 & 0x00FF00FF00FF00FFu;
  const uint32_t year = static_cast<uint32_t>((v & 0xFF) * 100 + (v >> 16 & 0xFF));
  const uint32_t month = static_cast<uint32_t>(v >> 32 & 0xFF);
  const uint32_t day = static_cast<uint32_t>(v >> 48);
  // The 29th of February is left to the calendar, which is asked for it alone.
  static constexpr uint8_t kDays[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const uint32_t ymd = year * 10000 + month * 100 + day;
  const bool real = month < 16 && day - 1 < kDays[month & 15];
  const size_t province = static_cast<size_t>(p[0] - '0') * 10 + static_cast<size_t>(p[1] - '0');
  if (!kProvinces[province] || ymd < first_ || ymd > last_) return false;
  return real || IsRealDay(static_cast<int>(year), static_cast<int>(month), static_cast<int>(day));
}

ParsedNumber ParseNumber(std::string_view raw, std::string_view id_type, Date today) {
  ParsedNumber out;
  const BirthRange range = RangeFor(today);
  uint64_t v = 0;
  if (raw.size() == 18 && Parse18(raw.data(), &v) && IsBody(v, range)) [[likely]] {
    out.cls = NumberClass::kValid;
    out.number.v = v;
    std::memcpy(out.text, raw.data(), 18);
    out.length = 18;
    return out;
  }

  internal::CleanText clean = CleanNumber(raw);
  out.cleaned = clean.changed;
  const std::string_view text = clean.text;
  PutText(text, &out);
  if (internal::IsPlaceholder(text)) {
    out.cls = NumberClass::kMissing;
    return out;
  }
  if (text.size() == 18 && Parse18(text.data(), &v) && IsBody(v, range)) {
    out.cls = NumberClass::kValid;
    out.number.v = v;
    return out;
  }
  if (internal::IsCitizenType(id_type) && Parse15(text, range, &v)) {
    out.cls = NumberClass::kUpgraded15;
    out.number.v = v;
    return out;
  }
  if (uint64_t hash = internal::OtherDocumentHash(text, id_type); hash != 0) {
    out.cls = NumberClass::kOther;
    out.number.v = hash | (1ull << 63);
    return out;
  }
  if (Parse15(text, range, &v)) {
    out.cls = NumberClass::kUpgraded15;
    out.number.v = v;
    return out;
  }
  out.cls = NumberClass::kDamaged;
  return out;
}

Date BirthDateOf(PersonNumber number) {
  if (!number.is_citizen()) return {};
  return Date::FromYyyymmdd(static_cast<uint32_t>(number.v / 1000 % 100000000));
}

Sex SexOf(PersonNumber number) {
  if (!number.is_citizen()) return Sex::kUnknown;
  return number.v % 2 == 1 ? Sex::kMale : Sex::kFemale;
}

uint32_t AddressCodeOf(PersonNumber number) {
  return number.is_citizen() ? static_cast<uint32_t>(number.v / kPow10[11]) : 0;
}

char CheckDigitOf(uint64_t first17) { return kChecks[WeightedSum(first17) % 11]; }

std::string ToText(PersonNumber number) {
  if (!number.is_citizen()) return {};
  std::string text(18, '0');
  uint64_t v = number.v;
  for (int i = 16; i >= 0; --i, v /= 10) {
    text[static_cast<size_t>(i)] = static_cast<char>('0' + v % 10);
  }
  text[17] = CheckDigitOf(number.v);
  return text;
}

PersonNumber FromText18(std::string_view text18) {
  uint64_t v = 0;
  if (text18.size() != 18 || !Parse18(text18.data(), &v) || !IsBody(v, BirthRange{})) return {};
  return PersonNumber{v};
}

std::vector<PersonNumber> RepairCandidates(std::string_view text, Date today) {
  const BirthRange range = RangeFor(today);
  Candidates found(range);
  uint64_t v = 0;
  if (const std::string digits = MantissaOf18Digits(text); !digits.empty()) {
    if (digits.size() >= 15) found.Completions(ToInteger(digits.substr(0, 15)), 15);
  } else if (text.size() == 18) {
    // One repair of a valid number is never valid, but its tail may have been lost.
    if (!Parse18(text.data(), &v) || !IsBody(v, range)) {
      AddSubstitutions(text, &found);
      AddTranspositions(text, &found);
    }
    if (text.substr(15) == "000" && AllDigits(text)) {
      found.Completions(ToInteger(text.substr(0, 15)), 15);
    }
  } else if (text.size() == 17) {
    AddInsertions(text, &found);  // the check digit lost from the end is one of them
  } else if (text.size() == 19) {
    AddDeletions(text, &found);
  } else if (text.size() == 16 && AllDigits(text)) {
    found.Completions(ToInteger(text), 16);
  } else if (text.size() == 15 && AllDigits(text) && !Parse15(text, range, &v)) {
    found.Completions(ToInteger(text), 15);
    // A sequence kept for centenarians whose bearer would be too old: the number was given against
    // the rule, the ordinary century is the only one left.
    if (IsCentenarianSequence(text)) found.Body(WithCentury(text, 19));
  }
  return std::move(found).Take();
}

std::string MaskNumber(std::string_view text) {
  std::string out(text);
  if (text.size() >= 15) {
    std::fill(out.begin() + 6, out.end() - 4, '*');
  } else if (text.size() > 4) {
    std::fill(out.begin() + 1, out.end() - 2, '*');
  } else {
    std::fill(out.begin(), out.end(), '*');
  }
  // A cut through a character of several bytes would not be UTF-8.
  for (char& c : out) {
    if (static_cast<uint8_t>(c) >= 0x80) c = '*';
  }
  return out;
}

}  // namespace canbao::identity
