// From the figure table of a run to the figures of a division: rows (county, city, hukou, form,
// column, count) are added up and rolled up to province, city or county. A division's form and the
// people behind it come from the same cells (scheme/cells.h). One thread at a time; no errors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "reporting/figures.h"
#include "scheme/cells.h"
#include "scheme/person.h"

namespace canbao::reporting {

enum class Population { kAll, kHukou };

enum class Level { kProvince, kCity, kCounty };
// 330000 province, 330100 city, 330102 county. 市本级 has the code of its city: as a county it is
// asked for with the level said outright.
Level LevelOf(uint32_t division);

class Cube {
 public:
  void Add(uint32_t county, uint32_t city, bool hukou, uint8_t form, uint8_t column,
           int64_t count) {
    cells_[{city, county, hukou, form, column}] += count;
  }
  // Counts one person; −1 takes him out again.
  void AddPerson(const scheme::Classification& c, int64_t count = 1);

  // Every column of forms 2-1 and 2-2, 0 where nobody counts; the 已整合 columns as well.
  Figures RollUp(uint32_t division, Level level, Population population) const;
  Figures RollUp(uint32_t division, Population population) const {
    return RollUp(division, LevelOf(division), population);
  }

  // Cities of the province, or counties of one city, that have cells, ascending; 0 = place unknown.
  std::vector<uint32_t> Cities() const;
  std::vector<uint32_t> Counties(uint32_t city) const;
  bool empty() const { return cells_.empty(); }

 private:
  using Key = std::tuple<uint32_t, uint32_t, bool, uint8_t, uint8_t>;  // city first: ranges
  std::map<Key, int64_t> cells_;
};

}  // namespace canbao::reporting
