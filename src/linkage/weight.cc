#include "linkage/weight.h"

#include <algorithm>
#include <array>
#include <bit>

namespace canbao::linkage {

Bits Log2(uint64_t num, uint64_t den) {
  // Both as 1.xxx · 2^e in 1.31 fixed point; the fraction of log2 by squaring, 12 bits of it.
  auto log = [](uint64_t v) {
    int e = 63 - std::countl_zero(v);
    uint64_t x = e >= 31 ? v >> (e - 31) : v << (31 - e);
    int64_t out = static_cast<int64_t>(e) << 12;
    for (int bit = 11; bit >= 0; --bit) {
      x = x * x >> 31;
      if (x >= uint64_t{1} << 32) {
        x >>= 1;
        out |= int64_t{1} << bit;
      }
    }
    return out;
  };
  int64_t d = (log(num) - log(den)) * 100;
  return static_cast<Bits>((d + (d >= 0 ? 2048 : -2048)) / 4096);
}

uint64_t Unlikely(Bits bits) {
  static const std::array<uint64_t, 100> kFractions = [] {
    std::array<uint64_t, 100> out{};
    out[0] = uint64_t{1} << 40;
    constexpr uint64_t kStep = 4265299790u;  // 2^32 · 2^(−1/100)
    for (size_t i = 1; i < out.size(); ++i) out[i] = (out[i - 1] >> 8) * kStep >> 24;
    return out;
  }();
  if (bits < 0) bits = 0;
  return bits >= 4000 ? 0 : kFractions[static_cast<size_t>(bits % 100)] >> (bits / 100);
}

Bits Prior(uint64_t share, uint64_t persons) {
  share = std::clamp<uint64_t>(share, 1, kOne - 1);
  return Log2(share, kOne - share) - Log2(std::max<uint64_t>(persons, 1), 1);
}

uint64_t EstimateShare(const std::vector<Bits>& best, uint64_t persons, uint64_t first) {
  constexpr int kRounds = 30;
  // As if so many seekers had been seen before, as supposed at first.
  constexpr uint64_t kSeen = 2;
  uint64_t share = first;
  for (int round = 0; round < kRounds; ++round) {
    const Bits prior = Prior(share, persons);
    uint64_t sum = 0;  // of probabilities, in 2^-20
    for (Bits score : best) {
      if (score == INT32_MIN) continue;
      const Bits odds = score + prior;
      const uint64_t u = Unlikely(odds < 0 ? -odds : odds);
      sum += odds < 0 ? (u << 20) / (kOne + u) : (kOne << 20) / (kOne + u);
    }
    share = ((sum << 20) / (best.size() + kSeen)) + first * kSeen / (best.size() + kSeen);
  }
  return share;
}

}  // namespace canbao::linkage
