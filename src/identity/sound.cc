#include "identity/sound.h"

#include <array>
#include <map>
#include <memory>
#include <string>

#include "identity/internal/characters.h"

namespace canbao::identity {
namespace {

std::string Merged(std::string_view syllable) {
  std::string s(syllable);
  if (s.size() > 1 && s[1] == 'h') s.erase(1, 1);
  if (s.starts_with('n')) s[0] = 'l';
  if (s.ends_with("ang") || s.ends_with("eng") || s.ends_with("ing")) s.pop_back();
  return s;
}

struct Sounds {
  std::array<uint16_t, 65536> given{};
  std::array<uint16_t, 65536> surname{};  // of the first character of a name

  Sounds() {
    std::map<std::string, uint16_t> ids;
    auto id = [&ids](uint16_t syllable) {
      return ids.try_emplace(Merged(internal::Syllable(syllable)), ids.size() + 1).first->second;
    };
    for (uint32_t c = 0; c < given.size(); ++c) {
      const internal::CharacterRow* row = internal::FindCharacter(c);
      given[c] =
          row != nullptr && row->readings[0] != 0 ? id(row->readings[0]) : static_cast<uint16_t>(c);
      const uint16_t* reading = internal::SurnameReading(c, 0);
      surname[c] = reading != nullptr ? id(reading[0]) : given[c];
    }
  }
};

}  // namespace

uint64_t SoundOf(NameCode name) {
  static const std::unique_ptr<const Sounds> kSounds = std::make_unique<const Sounds>();
  if (!name.has_value() || name.is_hash()) return name.v;
  uint64_t out = kSounds->surname[name.v >> 48];
  for (int shift = 32; shift >= 0; shift -= 16) {
    const auto c = static_cast<uint16_t>(name.v >> shift);
    out = out << 16 | (c == 0 ? 0 : kSounds->given[c]);
  }
  return out;
}

}  // namespace canbao::identity
