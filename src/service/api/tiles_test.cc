#include "service/api/tiles.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "identity/division.h"

namespace canbao::service {
namespace {

const Date kTileDay = Date::FromYmd(2017, 9, 30);

TEST(Tiles, EveryUnitOfTheCountryHasAPlaceOfItsOwn) {
  auto table = identity::DivisionTable::Load(CANBAO_SOURCE_DIR "/data");
  ASSERT_TRUE(table);
  std::vector<uint64_t> codes;
  for (identity::Division d : table->ChildrenOf({}, kTileDay)) codes.push_back(d.v);
  ASSERT_GE(codes.size(), 31u);
  auto tiles = TilesOf(CANBAO_SOURCE_DIR "/data", 0, codes, kTileDay);
  std::set<std::pair<int, int>> places;
  for (const auto& [code, tile] : tiles) places.emplace(tile.column, tile.row);
  EXPECT_EQ(places.size(), codes.size());
  // As laid out, not by the order of codes: Heilongjiang in the north east.
  EXPECT_EQ(tiles.at(230000000000), (Tile{8, 0}));
  EXPECT_LT(tiles.at(650000000000).column, tiles.at(330000000000).column);
}

TEST(Tiles, PartsOfOtherDivisionsLieInTheOrderOfTheirCodes) {
  std::vector<uint64_t> codes;
  for (uint64_t i = 11; i >= 1; --i) codes.push_back((330000 + i * 100) * 1000000);
  auto tiles = TilesOf(CANBAO_SOURCE_DIR "/data", 330000000000, codes, kTileDay);
  EXPECT_EQ(tiles.at(330100000000), (Tile{0, 0}));
  EXPECT_EQ(tiles.at(330500000000), (Tile{4, 0}));
  EXPECT_EQ(tiles.at(330600000000), (Tile{0, 1}));
  EXPECT_EQ(tiles.size(), 11u);
}

TEST(Tiles, WithoutALayoutThereAreTilesAllTheSame) {
  auto tiles = TilesOf("/nowhere", 0, {330000000000, 110000000000}, kTileDay);
  EXPECT_EQ(tiles.at(110000000000), (Tile{0, 0}));
  EXPECT_EQ(tiles.at(330000000000), (Tile{1, 0}));
}

}  // namespace
}  // namespace canbao::service
