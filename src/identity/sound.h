// How a name sounds, roughly: toneless, and with the pairs that speakers of the south do not tell
// apart made one (zh z, ch c, sh s, n l, ang an, eng en, ing in). To bring names together that are
// then compared as they are written; never a decision. Thread-safe.
#pragma once

#include <cstdint>

#include "identity/name.h"

namespace canbao::identity {

// One sound for names written with homophones. A character without a reading stands for itself, a
// name that has no code but a hash for its hash. 0 = no name.
uint64_t SoundOf(NameCode name);

}  // namespace canbao::identity
