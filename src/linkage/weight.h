// The arithmetic of scores. Fellegi–Sunter: each field gives log2(m / u) of the level at which it
// agrees; the sum, with what is known beforehand, is the logarithm of the odds. All in hundredths
// of a bit, in integers: the same on every machine. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

namespace canbao::linkage {

using Bits = int32_t;  // hundredths of a bit

// round(100 · log2(num / den)), by integers alone. Both above 0.
Bits Log2(uint64_t num, uint64_t den);
// 2^(−bits / 100), in 2^-40; by integers alone. `bits` below 0 is taken for 0.
uint64_t Unlikely(Bits bits);

inline constexpr uint64_t kOne = uint64_t{1} << 40;  // probabilities and shares

// log2 of the odds beforehand that one given person of `persons` is the right one.
Bits Prior(uint64_t share, uint64_t persons);
// Expectation and maximisation: the share under which as many seekers are expected to have their
// person as there are. `best`: the best score of each seeker, INT32_MIN = nobody to be scored with.
// Where nobody has a person the share, and with it every chance resemblance, comes to nothing.
uint64_t EstimateShare(const std::vector<Bits>& best, uint64_t persons, uint64_t first);

}  // namespace canbao::linkage
