// Pinyin of names. Works on the characters as written, not on the folded ones: 乾 (qian) folds to
// 干.
#include <algorithm>
#include <vector>

#include "identity/internal/characters.h"
#include "identity/internal/utf8.h"
#include "identity/name.h"

namespace canbao::identity {
namespace {

using internal::CharacterRow;
using internal::FindCharacter;
using internal::kFold;

// What a character folds to; 0 when it is dropped.
char32_t Folded(char32_t c) {
  if (c > 0xFFFF || kFold[c] == internal::kWide) return internal::FoldWide(c);
  return kFold[c] <= internal::kWide ? 0 : kFold[c];
}

const uint16_t* SurnameOf(char32_t first, char32_t second) {
  const uint16_t* reading = internal::SurnameReading(first, second);
  if (reading != nullptr) return reading;
  return internal::SurnameReading(Folded(first), second == 0 ? 0 : Folded(second));
}

// The customary reading; a character without one may have it in its folded form.
uint16_t ReadingOf(char32_t c) {
  const CharacterRow* row = FindCharacter(c);
  if (row == nullptr || row->readings[0] == 0) row = FindCharacter(Folded(c));
  return row == nullptr ? 0 : row->readings[0];
}

bool IsLatinOrDigit(char32_t c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::vector<std::string> Syllables(std::string_view utf8) {
  std::vector<char32_t> cs;
  std::vector<bool> apart;  // something was dropped before this character
  const auto* p = reinterpret_cast<const uint8_t*>(utf8.data());
  const uint8_t* end = p + utf8.size();
  bool gap = false;
  while (p < end && cs.size() < static_cast<size_t>(kMaxNameCodePoints)) {
    const char32_t c = internal::DecodeUtf8(p, end);
    const char32_t folded = Folded(c);
    if (folded == 0) {
      gap = true;
      continue;
    }
    cs.push_back(IsLatinOrDigit(folded) ? folded : c);
    apart.push_back(gap);
    gap = false;
  }
  std::vector<std::string> out;
  size_t i = 0;
  if (cs.size() >= 2) {
    if (const uint16_t* two = SurnameOf(cs[0], cs[1]); two != nullptr) {
      out.emplace_back(internal::Syllable(two[0]));
      out.emplace_back(internal::Syllable(two[1]));
      i = 2;
    } else if (const uint16_t* one = SurnameOf(cs[0], 0); one != nullptr) {
      out.emplace_back(internal::Syllable(one[0]));
      i = 1;
    }
  }
  bool in_word = false;
  for (; i < cs.size(); ++i) {
    if (IsLatinOrDigit(cs[i])) {
      if (!in_word || apart[i]) out.emplace_back();
      out.back().push_back(static_cast<char>(cs[i] >= 'A' ? cs[i] - 'A' + 'a' : cs[i]));
      in_word = true;
      continue;
    }
    in_word = false;
    out.emplace_back(internal::Syllable(ReadingOf(cs[i])));
    if (out.back().empty()) internal::AppendUtf8(cs[i], &out.back());
  }
  return out;
}

}  // namespace

std::string Pinyin(std::string_view utf8) {
  std::string out;
  for (const std::string& s : Syllables(utf8)) {
    if (!out.empty()) out += ' ';
    out += s;
  }
  return out;
}

std::string PinyinInitials(std::string_view utf8) {
  std::string out;
  for (const std::string& s : Syllables(utf8)) {
    const auto* p = reinterpret_cast<const uint8_t*>(s.data());
    internal::AppendUtf8(internal::DecodeUtf8(p, p + s.size()), &out);
  }
  return out;
}

}  // namespace canbao::identity
