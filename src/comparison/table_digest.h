// What the manifest says of a table of outcome files.
#pragma once

#include <cstdint>
#include <string>

namespace canbao::comparison {

struct TableDigest {
  uint64_t rows = 0;
  std::string sha256;  // over the plain rows of all shards in order
};

}  // namespace canbao::comparison
