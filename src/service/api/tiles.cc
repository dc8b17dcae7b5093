#include "service/api/tiles.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <utility>

namespace canbao::service {
namespace {

struct TileLayout {
  uint64_t parent = 0;
  Date from;
  std::map<uint64_t, Tile> tiles;
};

std::vector<TileLayout> ReadLayouts(const std::string& path) {
  std::vector<TileLayout> out;
  toml::table file;
  try {
    file = toml::parse_file(path);
  } catch (const toml::parse_error&) {
    return out;
  }
  const toml::array* layouts = file["layout"].as_array();
  if (layouts == nullptr) return out;
  for (const toml::node& node : *layouts) {
    const toml::table* t = node.as_table();
    if (t == nullptr) continue;
    TileLayout layout;
    layout.parent = static_cast<uint64_t>((*t)["parent"].value_or(int64_t{0})) * 1000000;
    if (auto day = (*t)["valid_from"].value<toml::date>()) {
      layout.from = Date::FromYmd(day->year, day->month, day->day);
    }
    const toml::array* rows = (*t)["rows"].as_array();
    if (rows == nullptr) continue;
    for (size_t row = 0; row < rows->size(); ++row) {
      const toml::array* cells = rows->get(row)->as_array();
      for (size_t column = 0; cells != nullptr && column < cells->size(); ++column) {
        const auto code = static_cast<uint64_t>(cells->get(column)->value_or(int64_t{0}));
        if (code != 0) {
          layout.tiles[code * 1000000] = {static_cast<int>(column), static_cast<int>(row)};
        }
      }
    }
    out.push_back(std::move(layout));
  }
  return out;
}

const std::vector<TileLayout>& LayoutsOf(const std::string& policy_dir) {
  static std::mutex mutex;
  static std::map<std::string, std::vector<TileLayout>> known;
  std::lock_guard lock(mutex);
  auto [at, added] = known.try_emplace(policy_dir);
  if (added) at->second = ReadLayouts(policy_dir + "/divisions/tiles.toml");
  return at->second;
}

}  // namespace

std::map<uint64_t, Tile> TilesOf(const std::string& policy_dir, uint64_t parent,
                                 const std::vector<uint64_t>& codes, Date on) {
  const TileLayout* best = nullptr;
  for (const TileLayout& layout : LayoutsOf(policy_dir)) {
    if (layout.parent != parent || on < layout.from) continue;
    const bool all = std::all_of(codes.begin(), codes.end(),
                                 [&](uint64_t code) { return layout.tiles.contains(code); });
    if (all && (best == nullptr || best->from < layout.from)) best = &layout;
  }
  std::map<uint64_t, Tile> out;
  if (best != nullptr) {
    for (uint64_t code : codes) out[code] = best->tiles.at(code);
    return out;
  }
  const std::set<uint64_t> ordered(codes.begin(), codes.end());
  // A little wider than high: screens are.
  const int columns = std::max(
      1, static_cast<int>(std::ceil(std::sqrt(static_cast<double>(ordered.size()) * 1.5))));
  int i = 0;
  for (uint64_t code : ordered) {
    out[code] = {i % columns, i / columns};
    ++i;
  }
  return out;
}

}  // namespace canbao::service
