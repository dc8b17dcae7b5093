// Where the tiles of a cartogram lie. The provinces have a dated layout in
// data/divisions/tiles.toml; the parts of any other division are laid out by their codes, row by
// row, nearly square. It says who is whose neighbour, roughly, and is no map: no borders, no areas.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/date.h"

namespace canbao::service {

struct Tile {
  int column = 0;  // from 0
  int row = 0;
  friend bool operator==(const Tile&, const Tile&) = default;
};

// Every code has a tile of its own; the same codes give the same tiles. A layout that cannot be
// read, or lacks some of the codes, gives way to the order of codes.
std::map<uint64_t, Tile> TilesOf(const std::string& policy_dir, uint64_t parent,
                                 const std::vector<uint64_t>& codes, Date on);

}  // namespace canbao::service
