#include "identity/internal/characters.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "identity/internal/utf8.h"

namespace canbao::identity::internal {
namespace {

struct SurnameRow {
  char32_t surname[2];
  uint16_t readings[2];
};

#include "name_tables.inc"  // kFoldPairs, kFoldWide, kSyllables, kCharacters, kSurnames, kAlikePairs

// The `·` of minority and transliterated names in all the ways it is typed
// (民委发〔2016〕33号 asks for U+00B7).
constexpr char16_t kDots[] = {0x00B7, 0x2022, 0x2027, 0x30FB, 0xFF65, 0x22C5,
                              0x2219, 0x16EB, 0xFF0E, 0x002E, 0x3002, 0xFF61,
                              0x0387, 0x2024, 0x2E31, 0x2E33, 0xFE52, 0xA78F};

// Marks that say nothing about who it is.
bool IsIgnored(char32_t c) {
  return IsBlank(c) || c == '\'' || c == '"' || c == '`' || c == '-' || c == 0xB4 ||
         (c >= 0x2010 && c <= 0x2015) || (c >= 0x2018 && c <= 0x201F) || c == 0x2212 ||
         (c >= 0x300 && c <= 0x36F);
}

struct Tables {
  std::array<uint16_t, 65536> fold{};
  std::array<uint16_t, 65536> row{};  // index into kCharacters plus one

  Tables() {
    for (uint32_t c = 0; c < 65536; ++c) fold[c] = static_cast<uint16_t>(c);
    for (const auto& pair : kFoldPairs) fold[pair[0]] = pair[1];
    for (const auto& pair : kFoldWide) {
      if (pair[0] < 65536) fold[pair[0]] = kWide;
    }
    for (uint32_t c = 'a'; c <= 'z'; ++c) fold[c] = static_cast<uint16_t>(c - 'a' + 'A');
    for (uint32_t c = 0; c < 65536; ++c) {
      if (IsIgnored(c)) fold[c] = kDrop;
    }
    for (char16_t c : kDots) fold[c] = kBreak;
    for (uint32_t c = 0xFF01; c <= 0xFF5E; ++c) fold[c] = fold[c - 0xFEE0];
    for (size_t i = 0; i < std::size(kCharacters); ++i) {
      if (kCharacters[i].cp < 65536) row[kCharacters[i].cp] = static_cast<uint16_t>(i + 1);
    }
  }
};
const Tables kTables;

// Insertions, deletions and substitutions between two Cangjie codes of up to five letters.
int CangjieDistance(uint32_t a, uint32_t b) {
  int row[6];
  for (int j = 0; j <= 5; ++j) row[j] = j;
  int la = 0;
  int lb = 0;
  while (la < 5 && (a >> (5 * la) & 31) != 0) ++la;
  while (lb < 5 && (b >> (5 * lb) & 31) != 0) ++lb;
  for (int i = 1; i <= la; ++i) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= lb; ++j) {
      const int substituted =
          diagonal + ((a >> (5 * (i - 1)) & 31) == (b >> (5 * (j - 1)) & 31) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[lb];
}

int CornersThatDiffer(uint16_t a, uint16_t b) {
  const int x = (a - 1) ^ (b - 1);
  return ((x & 0xF) != 0) + ((x & 0xF0) != 0) + ((x & 0xF00) != 0) + ((x & 0xF000) != 0);
}

bool AreVariants(char32_t a, char32_t b) {
  if (a > b) std::swap(a, b);
  if (b > 0xFFFF) return false;
  const uint16_t key[2] = {static_cast<uint16_t>(a), static_cast<uint16_t>(b)};
  const auto* found = std::lower_bound(
      std::begin(kAlikePairs), std::end(kAlikePairs), key,
      [](const auto& x, const auto& y) { return x[0] != y[0] ? x[0] < y[0] : x[1] < y[1]; });
  return found != std::end(kAlikePairs) && (*found)[0] == key[0] && (*found)[1] == key[1];
}

}  // namespace

const std::array<uint16_t, 65536>& kFold = kTables.fold;

char32_t FoldWide(char32_t c) {
  if (IsBlank(c)) return 0;
  const auto* found = std::lower_bound(std::begin(kFoldWide), std::end(kFoldWide), c,
                                       [](const auto& row, char32_t v) { return row[0] < v; });
  return found != std::end(kFoldWide) && (*found)[0] == c ? (*found)[1] : c;
}

const CharacterRow* FindCharacter(char32_t c) {
  if (c < 65536) {
    const uint16_t row = kTables.row[c];
    return row == 0 ? nullptr : &kCharacters[row - 1];
  }
  const auto* found = std::lower_bound(std::begin(kCharacters), std::end(kCharacters), c,
                                       [](const CharacterRow& r, char32_t v) { return r.cp < v; });
  return found != std::end(kCharacters) && found->cp == c ? found : nullptr;
}

std::string_view Syllable(uint16_t id) { return kSyllables[id]; }

const uint16_t* SurnameReading(char32_t first, char32_t second) {
  const auto* found =
      std::lower_bound(std::begin(kSurnames), std::end(kSurnames), std::pair(first, second),
                       [](const SurnameRow& r, const auto& key) {
                         return std::pair(r.surname[0], r.surname[1]) < key;
                       });
  return found != std::end(kSurnames) && found->surname[0] == first && found->surname[1] == second
             ? found->readings
             : nullptr;
}

bool AreHomophones(char32_t a, char32_t b) {
  const CharacterRow* x = FindCharacter(a);
  const CharacterRow* y = FindCharacter(b);
  if (x == nullptr || y == nullptr) return false;
  for (uint16_t r : x->readings) {
    if (r != 0 &&
        std::find(std::begin(y->readings), std::end(y->readings), r) != std::end(y->readings)) {
      return true;
    }
  }
  return false;
}

bool AreShapeAlike(char32_t a, char32_t b) {
  if (AreVariants(a, b)) return true;
  const CharacterRow* x = FindCharacter(a);
  const CharacterRow* y = FindCharacter(b);
  if (x == nullptr || y == nullptr) return false;
  const int strokes = std::abs(x->strokes - y->strokes);
  // Cangjie spells a character by its visible parts: one part exchanged, added or left out.
  if (x->cangjie != 0 && y->cangjie != 0) {
    const int distance = CangjieDistance(x->cangjie, y->cangjie);
    const bool both_long = (x->cangjie >> 10) != 0 && (y->cangjie >> 10) != 0;
    if (distance == 1 && (both_long || strokes <= 4)) return true;
    if (distance == 2 && both_long && strokes <= 2 && x->corners != 0 && y->corners != 0 &&
        CornersThatDiffer(x->corners, y->corners) <= 2) {
      return true;
    }
  }
  // The four corners look the same.
  return x->corners != 0 && y->corners != 0 && strokes <= 3 &&
         CornersThatDiffer(x->corners, y->corners) <= (strokes <= 1 ? 1 : 0);
}

}  // namespace canbao::identity::internal
