#include "linkage/engine/similarity.h"

#include <algorithm>
#include <array>
#include <bit>

namespace canbao::linkage {
namespace {

// Where the characters of a text of up to 64 stand, as bits.
class Positions {
 public:
  explicit Positions(std::u32string_view text) {
    for (size_t i = 0; i < text.size(); ++i) *Find(text[i]) |= uint64_t{1} << i;
  }
  uint64_t of(char32_t c) const {
    for (size_t at = c & 127;; at = (at + 1) & 127) {
      if (bits_[at] == 0) return 0;
      if (keys_[at] == c) return bits_[at];
    }
  }

 private:
  uint64_t* Find(char32_t c) {
    for (size_t at = c & 127;; at = (at + 1) & 127) {
      if (bits_[at] == 0) keys_[at] = c;
      if (keys_[at] == c) return &bits_[at];
    }
  }

  std::array<uint64_t, 128> bits_{};
  std::array<char32_t, 128> keys_;  // of those whose bits are not 0
};

uint64_t Low(size_t n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; }

struct Matches {
  size_t common = 0;
  size_t swapped = 0;  // characters that match out of order
};

size_t WindowOf(size_t a, size_t b) {
  const size_t longer = std::max(a, b);
  return longer / 2 > 0 ? longer / 2 - 1 : 0;
}

Matches MatchShort(std::u32string_view a, std::u32string_view b) {
  const Positions positions(b);
  const size_t window = WindowOf(a.size(), b.size());
  uint64_t taken_a = 0;
  uint64_t taken_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t from = i > window ? i - window : 0;
    const uint64_t reach = Low(std::min(i + window + 1, b.size())) & ~Low(from);
    const uint64_t free = positions.of(a[i]) & reach & ~taken_b;
    if (free == 0) continue;
    taken_b |= free & -free;
    taken_a |= uint64_t{1} << i;
  }
  Matches out{static_cast<size_t>(std::popcount(taken_a)), 0};
  while (taken_a != 0) {
    out.swapped += a[static_cast<size_t>(std::countr_zero(taken_a))] !=
                   b[static_cast<size_t>(std::countr_zero(taken_b))];
    taken_a &= taken_a - 1;
    taken_b &= taken_b - 1;
  }
  return out;
}

Matches MatchLong(std::u32string_view a, std::u32string_view b) {
  const size_t window = WindowOf(a.size(), b.size());
  std::vector<bool> taken(b.size());
  std::u32string of_a;
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t end = std::min(i + window + 1, b.size());
    for (size_t j = i > window ? i - window : 0; j < end; ++j) {
      if (taken[j] || a[i] != b[j]) continue;
      taken[j] = true;
      of_a.push_back(a[i]);
      break;
    }
  }
  Matches out{of_a.size(), 0};
  size_t at = 0;
  for (size_t j = 0; j < b.size(); ++j) {
    if (taken[j]) out.swapped += of_a[at++] != b[j];
  }
  return out;
}

uint32_t EditTable(std::u32string_view a, std::u32string_view b, bool transpositions) {
  std::vector<uint32_t> before(b.size() + 1);
  std::vector<uint32_t> last(b.size() + 1);
  std::vector<uint32_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<uint32_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<uint32_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (transpositions && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// Myers 1999 in the form of Hyyrö 2003, with his extension for transpositions.
uint32_t EditBits(std::u32string_view a, std::u32string_view b, bool transpositions) {
  const Positions positions(a);
  const uint64_t top = uint64_t{1} << (a.size() - 1);
  uint64_t positive = Low(a.size());
  uint64_t negative = 0;
  uint64_t diagonal = 0;
  uint64_t equal_before = 0;
  auto distance = static_cast<uint32_t>(a.size());
  for (char32_t c : b) {
    const uint64_t equal = positions.of(c);
    const uint64_t swapped =
        transpositions ? ((~diagonal & equal) << 1) & equal_before : uint64_t{0};
    diagonal = (((equal & positive) + positive) ^ positive) | equal | negative | swapped;
    uint64_t up = negative | ~(diagonal | positive);
    uint64_t down = diagonal & positive;
    distance += (up & top) != 0;
    distance -= (down & top) != 0;
    up = (up << 1) | 1;
    down <<= 1;
    positive = down | ~(diagonal | up);
    negative = up & diagonal;
    equal_before = equal;
  }
  return distance;
}

uint32_t Edits(std::u32string_view a, std::u32string_view b, bool transpositions) {
  if (a.size() > b.size()) std::swap(a, b);
  if (a.empty()) return static_cast<uint32_t>(b.size());
  return a.size() <= 64 ? EditBits(a, b, transpositions) : EditTable(a, b, transpositions);
}

char UpperLetter(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  return c >= 'A' && c <= 'Z' ? c : '\0';
}

std::string Letters(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (char upper = UpperLetter(c); upper != '\0') out.push_back(upper);
  }
  return out;
}

bool IsVowel(char c) { return std::string_view("AEIOUY").find(c) != std::string_view::npos; }

}  // namespace

void Decode(std::string_view utf8, std::u32string* out) {
  out->clear();
  for (size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<uint8_t>(utf8[i]);
    size_t more = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    if (lead < 0x80 || lead >= 0xF5) more = 0;
    char32_t c = more == 0 ? lead : lead & (0x3F >> more);
    bool valid = i + more < utf8.size();
    for (size_t k = 1; valid && k <= more; ++k) {
      const auto next = static_cast<uint8_t>(utf8[i + k]);
      valid = (next & 0xC0) == 0x80;
      c = c << 6 | (next & 0x3F);
    }
    out->push_back(valid ? c : lead);
    i += valid ? more + 1 : 1;
  }
}

std::string Encode(std::u32string_view text) {
  std::string out;
  for (char32_t c : text) {
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      out.push_back(static_cast<char>(0xC0 | c >> 6));
      out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
      out.push_back(static_cast<char>(0xE0 | c >> 12));
      out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
      out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    } else {
      out.push_back(static_cast<char>(0xF0 | (c >> 18 & 7)));
      out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
      out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
      out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    }
  }
  return out;
}

double Jaro(std::u32string_view a, std::u32string_view b) {
  if (a.empty() || b.empty()) return a.empty() && b.empty() ? 1 : 0;
  const Matches m = a.size() <= 64 && b.size() <= 64 ? MatchShort(a, b) : MatchLong(a, b);
  if (m.common == 0) return 0;
  const auto common = static_cast<double>(m.common);
  const size_t transpositions = m.swapped / 2;
  const auto swapped = static_cast<double>(transpositions);
  return (common / static_cast<double>(a.size()) + common / static_cast<double>(b.size()) +
          (common - swapped) / common) /
         3;
}

double JaroWinkler(std::u32string_view a, std::u32string_view b) {
  const double jaro = Jaro(a, b);
  if (jaro <= 0.7) return jaro;
  const size_t most = std::min({a.size(), b.size(), size_t{4}});
  size_t prefix = 0;
  while (prefix < most && a[prefix] == b[prefix]) ++prefix;
  return jaro + static_cast<double>(prefix) * 0.1 * (1 - jaro);
}

uint32_t Levenshtein(std::u32string_view a, std::u32string_view b) { return Edits(a, b, false); }

uint32_t DamerauLevenshtein(std::u32string_view a, std::u32string_view b) {
  return Edits(a, b, true);
}

Characters CharactersOf(std::u32string_view text) {
  Characters out;
  for (char32_t c : text) {
    uint8_t& n = out.counts[std::min<size_t>(c & 31, 30)];
    if (n < 255) ++n;
  }
  out.counts[31] = static_cast<uint8_t>(std::min<size_t>(text.size(), 255));
  return out;
}

std::string Soundex(std::string_view text) {
  //                               ABCDEFGHIJKLMNOPQRSTUVWXYZ
  constexpr std::string_view kOf = "01230120022455012623010202";
  const std::string letters = Letters(text);
  if (letters.empty()) return {};
  std::string out(1, letters[0]);
  char last = kOf[static_cast<size_t>(letters[0] - 'A')];
  for (size_t i = 1; i < letters.size() && out.size() < 4; ++i) {
    const char c = letters[i];
    const char digit = kOf[static_cast<size_t>(c - 'A')];
    if (digit != '0' && digit != last) out.push_back(digit);
    // H and W do not separate letters of one class, vowels do.
    if (c != 'H' && c != 'W') last = digit;
  }
  out.resize(4, '0');
  return out;
}

std::string PhoneticKey(std::string_view text) {
  const std::string s = Letters(text);
  std::string out;
  auto at = [&s](size_t i) { return i < s.size() ? s[i] : '\0'; };
  auto add = [&out](char c) {
    if (out.empty() || out.back() != c) out.push_back(c);
  };
  size_t i = 0;
  if ((s.starts_with("KN") || s.starts_with("GN") || s.starts_with("PN") || s.starts_with("WR"))) {
    i = 1;
  }
  for (; i < s.size(); ++i) {
    const char c = s[i];
    const char next = at(i + 1);
    const bool soft = next == 'E' || next == 'I' || next == 'Y';
    if (IsVowel(c)) {
      if (i == 0) add('A');
      continue;
    }
    switch (c) {
      case 'C':
        if (next == 'H') {
          add('X');
          ++i;
        } else {
          add(soft ? 'S' : 'K');
        }
        break;
      case 'G':
        if (next == 'H') {
          ++i;
        } else {
          add(soft ? 'J' : 'K');
        }
        break;
      case 'P':
        if (next == 'H') ++i;
        add(next == 'H' ? 'F' : 'P');
        break;
      case 'S':
      case 'T':
        if (next == 'H') {
          add(c == 'S' ? 'X' : '0');
          ++i;
        } else {
          add(c == 'S' ? 'S' : 'T');
        }
        break;
      case 'Q':
      case 'K':
        add('K');
        break;
      case 'X':
        add('K');
        add('S');
        break;
      case 'Z':
        add('S');
        break;
      case 'D':
        add('T');
        break;
      case 'V':
        add('F');
        break;
      case 'H':
      case 'W':
        if (i == 0) add(c);
        break;
      default:
        add(c);
    }
  }
  return out;
}

std::optional<Day> DayOf(int32_t year, int32_t month, int32_t day) {
  constexpr std::array<int32_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return std::nullopt;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int32_t most = kDays[static_cast<size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
  if (day > most) return std::nullopt;
  // Howard Hinnant's days from civil.
  const int32_t y = month <= 2 ? year - 1 : year;
  const int32_t era = y / 400;
  const int32_t of_era = y - era * 400;
  const int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int32_t of_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return Day{year, month, day, era * 146097 + of_days - 719468};
}

std::optional<Day> ParseDay(std::string_view text) {
  std::array<int32_t, 3> part{};
  std::array<size_t, 3> digits{};
  size_t n = 0;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      if (++digits[n] > 8) return std::nullopt;
      part[n] = part[n] * 10 + (c - '0');
    } else if ((c == '-' || c == '/' || c == '.') && digits[n] > 0 && n < 2) {
      ++n;
    } else {
      break;
    }
  }
  if (i < text.size() && text[i] != ' ' && text[i] != 'T') return std::nullopt;
  if (n == 0 && digits[0] == 8) return DayOf(part[0] / 10000, part[0] / 100 % 100, part[0] % 100);
  if (n != 2) return std::nullopt;
  if (digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2) return DayOf(part[0], part[1], part[2]);
  if (digits[2] != 4 || digits[0] > 2 || digits[1] > 2) return std::nullopt;
  if (auto day = DayOf(part[2], part[1], part[0])) return day;
  return DayOf(part[2], part[0], part[1]);
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  constexpr int64_t kMost = int64_t{9'000'000'000'000} * 1'000'000;
  bool negative = false;
  size_t i = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    i = 1;
  }
  int64_t value = 0;
  int64_t unit = 0;  // 0: before the point
  bool any = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      any = true;
      if (unit == 0) {
        if (value > kMost / 10) return std::nullopt;
        value = value * 10 + int64_t{c - '0'} * 1'000'000;
      } else if (unit > 1) {
        unit /= 10;
        value += unit * (c - '0');
      }
    } else if (c == '.' && unit == 0) {
      unit = 1'000'000;
    } else if (c != ',' || unit != 0) {
      return std::nullopt;
    }
  }
  if (!any) return std::nullopt;
  return negative ? -value : value;
}

std::vector<std::string_view> Parts(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  auto is_end = [separator](char c) {
    return separator == '\0' ? c == ' ' || c == '\t' : c == separator;
  };
  for (size_t i = 0; i <= text.size();) {
    size_t end = i;
    while (end < text.size() && !is_end(text[end])) ++end;
    std::string_view part = text.substr(i, end - i);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) out.push_back(part);
    i = end + 1;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace canbao::linkage
