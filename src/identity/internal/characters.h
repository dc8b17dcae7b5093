// What is known of single characters: folding, readings, shape. Built once before main() from the
// embedded tables of data/names, read-only afterwards; thread-safe. Private to src/identity.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace canbao::identity::internal {

struct CharacterRow {
  char32_t cp;
  uint16_t readings[4];  // syllable ids, customary reading first, 0 = none
  uint32_t cangjie;      // five letters, five bits each, first letter lowest
  uint16_t corners;      // four-corner code, four bits each, plus one; 0 = unknown
  uint8_t strokes;       // 0 = unknown
};

// What becomes of a BMP character; anything else is the character that it folds to.
inline constexpr uint16_t kDrop = 0;
inline constexpr uint16_t kBreak = 1;  // a `·` variant: dropped, and a part of the name begins
inline constexpr uint16_t kWide = 2;   // folds to a character beyond the BMP: ask FoldWide

extern const std::array<uint16_t, 65536>& kFold;

// Folds a character that kFold does not hold: beyond the BMP, or marked kWide. 0 = drop.
char32_t FoldWide(char32_t c);

// Null when nothing is known.
const CharacterRow* FindCharacter(char32_t c);
std::string_view Syllable(uint16_t id);

// Readings of a surname of one character (`second` = 0) or two; null when it is not in the list.
const uint16_t* SurnameReading(char32_t first, char32_t second);

// A reading in common, tones aside.
bool AreHomophones(char32_t a, char32_t b);
// Easily taken for one another by eye, or called variants of one another by dictionaries.
bool AreShapeAlike(char32_t a, char32_t b);

}  // namespace canbao::identity::internal
