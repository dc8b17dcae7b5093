// Reproducible random draws of the demo generator: a counter-based generator seeded by (seed,
// person index, purpose), so that any row can be made again without the ones before it. Not for
// security.
#pragma once

#include <cstdint>

namespace canbao::demo {

constexpr uint64_t MixBits(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Probabilities are given in millionths, so that no floating point takes part.
class Rng {
 public:
  Rng(uint64_t seed, uint64_t index, uint64_t purpose)
      : state_(MixBits(seed * 0x9e3779b97f4a7c15ULL ^ MixBits(index + (purpose << 40)))) {}
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return MixBits(state_);
  }
  uint32_t Below(uint32_t n) {
    return static_cast<uint32_t>((static_cast<uint64_t>(static_cast<uint32_t>(Next() >> 32)) * n) >>
                                 32);
  }
  bool Chance(uint32_t millionths) { return Below(1000000) < millionths; }

 private:
  uint64_t state_;
};

}  // namespace canbao::demo
