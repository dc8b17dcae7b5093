#include "identity/internal/number_text.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "identity/internal/utf8.h"

namespace canbao::identity::internal {
namespace {

enum class Family : uint8_t {
  kCitizen,
  kMilitary,
  kHongKongMacao,
  kTaiwan,
  kPermanentResidence,
  kPassport,
  kOther
};

struct DocumentType {
  std::string_view code;  // AAC058 or its name
  Family family;
};

#include "number_tables.inc"  // kPlaceholderTexts, kPlaceholderRepeats, kPlaceholderRuns, kDocumentTypes

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool AllDigits(std::string_view s) { return std::all_of(s.begin(), s.end(), IsDigit); }

bool IsQuote(char32_t c) {
  return c == '\'' || c == '"' || c == '`' || c == 0xB4 || (c >= 0x2018 && c <= 0x201F) ||
         c == 0x2032 || c == 0x2033;
}

// The character as it should have been typed.
char32_t Straighten(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
  if (c >= 'a' && c <= 'z') return c - 'a' + 'A';
  switch (c) {
    case 0x00D7:  // × and the letters that look like X
    case 0x03A7:
    case 0x03C7:
    case 0x0425:
    case 0x0445:
      return 'X';
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2212:
      return '-';
    default:
      return c;
  }
}

bool HasCitizenShape(std::string_view s) {
  if (s.size() != 15 && s.size() != 18) return false;
  return AllDigits(s.substr(0, s.size() - 1)) &&
         (IsDigit(s.back()) || (s.size() == 18 && s.back() == 'X'));
}

// Removes what people and spreadsheets put into a citizen number: hyphens between its parts, ".0"
// behind 15 digits. Only where a number of the right length remains; other documents keep theirs.
void RemoveDecoration(std::string* text) {
  if (text->size() > 24 || text->find_first_of("-_.") == std::string::npos) return;
  std::string bare;
  std::copy_if(text->begin(), text->end(), std::back_inserter(bare),
               [](char c) { return c != '-' && c != '_'; });
  if (size_t dot = bare.find('.');
      dot == 15 && bare.size() > 16 && bare.find_first_not_of('0', 16) == std::string::npos) {
    bare.resize(15);
  }
  if (bare.size() != text->size() && HasCitizenShape(bare)) *text = bare;
}

Family FamilyOf(std::string_view id_type) {
  if (id_type.empty()) return Family::kCitizen;
  for (const DocumentType& t : kDocumentTypes) {
    if (t.code == id_type) return t.family;
  }
  return Family::kOther;
}

// As delivered → trimmed, "1" → "01".
std::string TrimType(std::string_view id_type) {
  std::string type = CleanNumber(id_type).text;
  if (type.size() == 1 && IsDigit(type[0])) return {'0', type[0]};
  return type;
}

size_t LeadingLetters(std::string_view s) {
  return static_cast<size_t>(std::find_if_not(s.begin(), s.end(), IsUpper) - s.begin());
}

bool IsHongKongMacaoPass(std::string_view s) {
  return (s.size() == 9 || s.size() == 11) && (s[0] == 'H' || s[0] == 'M') &&
         AllDigits(s.substr(1));
}

// The permanent residence number of before 2023: three letters of the country and 12 digits.
bool IsOldPermanentResidence(std::string_view s) {
  return s.size() == 15 && LeadingLetters(s) == 3 && AllDigits(s.substr(3));
}

// A passport, or a foreigner's social security number (country, then the document number): one to
// three letters, then letters and digits.
bool IsPassportLike(std::string_view s) {
  const size_t letters = LeadingLetters(s);
  if (letters == 0 || s.size() < 6) return false;
  if (!std::all_of(s.begin(), s.end(), [](char c) { return IsUpper(c) || IsDigit(c); }))
    return false;
  const auto digits = std::count_if(s.begin(), s.end(), IsDigit);
  return letters < 3 ? s.size() <= 12 && digits >= 4
                     : s.size() <= 32 && letters <= 4 && digits >= 4;
}

// What a citizen number looks like after one or two accidents. Not taken for another document.
bool LooksLikeCitizenNumber(std::string_view s) {
  return s.size() >= 15 && s.size() <= 19 && AllDigits(s.substr(0, s.size() - 1)) &&
         (IsDigit(s.back()) || s.back() == 'X');
}

// 5–32 characters: letters, digits, brackets, hyphens, characters of a script (军字第…号); at least
// four digits.
bool IsPlausible(std::string_view s) {
  int digits = 0;
  int length = 0;
  for (char c : s) {
    const uint8_t b = static_cast<uint8_t>(c);
    if (IsDigit(c)) ++digits;
    if (b < 0x80 && !IsDigit(c) && !IsUpper(c) && c != '(' && c != ')' && c != '-' && c != '/') {
      return false;
    }
    if ((b & 0xC0) != 0x80) ++length;
  }
  return digits >= 4 && length >= 5 && length <= 32;
}

uint64_t Mix(uint64_t h) {  // finaliser of MurmurHash3
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ull;
  return h ^ (h >> 33);
}

uint64_t HashOf(Family family, std::string_view text) {
  uint64_t h = Mix(static_cast<uint64_t>(family) + 0x9E3779B97F4A7C15ull);
  for (char c : text) {
    if (c == '(' || c == ')' || c == '-' || c == '/') continue;
    h = Mix(h ^ (static_cast<uint8_t>(c) + 0x9E3779B97F4A7C15ull));
  }
  h &= (1ull << 62) - 1;
  return h == 0 ? 1 : h;
}

}  // namespace

CleanText CleanNumber(std::string_view raw) {
  CleanText out;
  if (std::all_of(raw.begin(), raw.end(), [](char c) { return IsDigit(c) || IsUpper(c); })) {
    out.text = raw;  // what most damaged numbers look like
    return out;
  }
  out.text.reserve(raw.size());
  const uint8_t* p = reinterpret_cast<const uint8_t*>(raw.data());
  const uint8_t* end = p + raw.size();
  size_t kept_to = 0;  // text up to here ends in no quotation mark
  while (p < end) {
    char32_t c = DecodeUtf8(p, end);
    if (IsBlank(c)) continue;
    c = Straighten(c);
    const bool quote = IsQuote(c);
    if ((quote || c == '=') && kept_to == 0) continue;  // before the number: '330…, ="330…"
    AppendUtf8(c, &out.text);
    if (!quote) kept_to = out.text.size();
  }
  out.text.resize(kept_to);
  RemoveDecoration(&out.text);
  out.changed = out.text != raw;
  return out;
}

bool IsPlaceholder(std::string_view text) {
  if (text.empty()) return true;
  if (text.find_first_not_of(text[0]) == std::string_view::npos &&
      std::find(std::begin(kPlaceholderRepeats), std::end(kPlaceholderRepeats), text[0]) !=
          std::end(kPlaceholderRepeats)) {
    return true;
  }
  for (const PlaceholderRun& run : kPlaceholderRuns) {
    if (text.size() >= run.at_least && run.text.substr(0, text.size()) == text) return true;
  }
  return std::find(std::begin(kPlaceholderTexts), std::end(kPlaceholderTexts), text) !=
         std::end(kPlaceholderTexts);
}

bool IsCitizenType(std::string_view id_type) {
  return id_type.empty() || id_type == "01" || FamilyOf(TrimType(id_type)) == Family::kCitizen;
}

uint64_t OtherDocumentHash(std::string_view text, std::string_view id_type) {
  const Family said = id_type == "01" ? Family::kCitizen : FamilyOf(TrimType(id_type));
  if (IsHongKongMacaoPass(text)) {
    return HashOf(Family::kHongKongMacao, text.substr(0, 9));  // the last two count renewals
  }
  if (IsOldPermanentResidence(text)) return HashOf(Family::kPermanentResidence, text);
  if (said != Family::kMilitary && IsPassportLike(text)) return HashOf(Family::kPassport, text);
  if (said == Family::kCitizen) return 0;
  if (said != Family::kMilitary && LooksLikeCitizenNumber(text)) return 0;
  return IsPlausible(text) ? HashOf(said, text) : 0;
}

}  // namespace canbao::identity::internal
