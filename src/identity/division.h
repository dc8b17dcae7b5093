// Administrative divisions (行政区划, GB/T 2260 and below) with validity dates and successors.
// Built from data/divisions (generated at build time) into one read-only table; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/error.h"

namespace canbao::identity {

// A division as an integer of 2, 4, 6, 9 or 12 significant digits, always stored with 12:
// 330102 → 330102000000. 0 = none.
struct Division {
  uint64_t v = 0;
  constexpr bool has_value() const { return v != 0; }
  constexpr uint32_t county() const { return static_cast<uint32_t>(v / 1000000); }  // six digits
  constexpr uint32_t city() const { return county() / 100 * 100; }                  // 330100
  constexpr uint32_t province() const { return county() / 10000 * 10000; }          // 330000
  friend constexpr auto operator<=>(Division, Division) = default;
};

// Accepts 2, 4, 6, 9 or 12 digits; none on anything else.
Division ParseDivision(std::string_view digits);

struct DivisionRecord {
  Division code;
  std::string name;      // 上城区
  uint16_t valid_from;   // year, 0 = before the first revision known
  uint16_t valid_until;  // year it was gone, 0 = still valid
};

class DivisionTable {
 public:
  // Loads the tables under `data_dir`/divisions.
  static Result<DivisionTable> Load(const std::string& data_dir);

  // The name at `on` (the newest known when the code was never valid then); empty when unknown.
  std::string NameOf(Division code, Date on) const;
  // "浙江省杭州市上城区", as far as known.
  std::string FullNameOf(Division code, Date on) const;
  bool IsKnown(Division code) const;
  bool IsValid(Division code, Date on) const;
  // The county that stands for `county` at `on`: itself when valid, its successors otherwise
  // (several after a split; empty when unknown).
  std::vector<uint32_t> SuccessorsOf(uint32_t county, Date on) const;
  // Cities of a province / counties of a city at `on`, ascending; includes 市本级 never.
  std::vector<uint32_t> CitiesOf(uint32_t province, Date on) const;
  std::vector<uint32_t> CountiesOf(uint32_t city, Date on) const;
  std::vector<Division> ChildrenOf(Division parent, Date on) const;

 private:
  std::vector<DivisionRecord> records_;                     // by code, then valid_from
  std::vector<std::pair<uint32_t, uint32_t>> successions_;  // old county → new county
};

}  // namespace canbao::identity
