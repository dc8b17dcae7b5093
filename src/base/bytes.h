// Copying the bytes of what may be empty. An empty view may have no data at all, and std::memcpy
// must not be given a null pointer, even for no bytes: whoever copies a text or a vector of any
// size copies it with this. Stateless; the caller sees to the room.
#pragma once

#include <cstddef>
#include <cstring>

namespace canbao {

inline void CopyBytes(void* to, const void* from, size_t n) {
  if (n != 0) std::memcpy(to, from, n);
}

}  // namespace canbao
