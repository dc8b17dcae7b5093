#include "reporting/cube.h"

#include <set>

namespace canbao::reporting {

Level LevelOf(uint32_t division) {
  if (division % 10000 == 0) return Level::kProvince;
  return division % 100 == 0 ? Level::kCity : Level::kCounty;
}

void Cube::AddPerson(const scheme::Classification& c, int64_t count) {
  bool hukou = (c.flags & scheme::kH) != 0;
  scheme::ForEachCell(
      c, [&](uint8_t form, uint8_t column) { Add(c.county, c.city, hukou, form, column, count); });
}

Figures Cube::RollUp(uint32_t division, Level level, Population population) const {
  Figures figures;
  for (int column = 1; column <= 25; ++column) figures.Set(kForm21, column, 0);
  for (int column = 1; column <= kNotYetVerifiedColumn; ++column) figures.Set(kForm22, column, 0);
  for (const auto& [key, count] : cells_) {
    const auto& [city, county, hukou, form, column] = key;
    if (population == Population::kHukou && !hukou) continue;
    if (level == Level::kCity && city != division) continue;
    if (level == Level::kCounty && county != division) continue;
    figures.Add(form, column, count);
  }
  return figures;
}

std::vector<uint32_t> Cube::Cities() const {
  std::set<uint32_t> cities;
  for (const auto& [key, count] : cells_) cities.insert(std::get<0>(key));
  return {cities.begin(), cities.end()};
}

std::vector<uint32_t> Cube::Counties(uint32_t city) const {
  std::set<uint32_t> counties;
  for (auto it = cells_.lower_bound({city, 0, false, 0, 0}); it != cells_.end(); ++it) {
    if (std::get<0>(it->first) != city) break;
    counties.insert(std::get<1>(it->first));
  }
  return {counties.begin(), counties.end()};
}

}  // namespace canbao::reporting
