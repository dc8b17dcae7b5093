#include "linkage/values.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace canbao::linkage {
namespace {

constexpr size_t kBlock = size_t{1} << 18;
constexpr Code kFree = UINT32_MAX;

}  // namespace

uint64_t HashOf(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Values::Values() : slots_(64, kFree) { Add({}); }

std::string_view Values::Keep(std::string_view text) {
  if (text.empty()) return "";
  if (text.size() > room_ - used_) {
    room_ = std::max(kBlock, text.size());
    blocks_.push_back(std::make_unique<char[]>(room_));
    used_ = 0;
  }
  char* to = blocks_.back().get() + used_;
  std::memcpy(to, text.data(), text.size());
  used_ += text.size();
  return {to, text.size()};
}

void Values::Grow() {
  slots_.assign(slots_.size() * 2, kFree);
  const size_t mask = slots_.size() - 1;
  for (Code code = 0; code < texts_.size(); ++code) {
    size_t at = hashes_[code] & mask;
    while (slots_[at] != kFree) at = (at + 1) & mask;
    slots_[at] = code;
  }
}

Code Values::Add(std::string_view text) {
  const uint64_t hash = HashOf(text);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at] != kFree; at = (at + 1) & mask) {
    const Code code = slots_[at];
    if (hashes_[code] == hash && texts_[code] == text) return code;
  }
  const auto code = static_cast<Code>(texts_.size());
  slots_[at] = code;
  texts_.push_back(Keep(text));
  hashes_.push_back(hash);
  if (texts_.size() * 2 > slots_.size()) Grow();
  return code;
}

}  // namespace canbao::linkage
