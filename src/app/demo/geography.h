// Where the invented people of a demo province live: its cities and counties with shares of the
// population, villages for addresses, and the address codes that their citizen numbers carry.
// Built once before the threads start, read-only afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace canbao::demo {

struct Village {
  uint64_t code = 0;    // 12 digits
  std::string address;  // "上城区城东街道和平社区"
};

struct County {
  uint32_t code = 0;  // six digits
  std::string name;
  int city = 0;  // index into Geography::cities
  std::vector<Village> villages;
  // Address codes of numbers. No code is listed for two counties: (code, birth date, sequence) of a
  // number is unique in the province because it is unique in the county.
  std::vector<uint32_t> revoked_codes;  // earlier codes of the county
  std::vector<uint32_t> foreign_codes;  // counties of other provinces; [0] only for old numbers
  uint64_t first_person = 0;            // persons first_person .. first_person + persons - 1
  uint64_t persons = 0;
  uint64_t first_employer = 0;
  uint64_t employers = 0;
};

struct City {
  uint32_t code = 0;
  std::string name;
};

struct Geography {
  uint32_t province = 0;
  std::vector<City> cities;
  std::vector<County> counties;
  std::vector<uint32_t> foreign_cities;  // pooling regions of other provinces

  const County& CountyOfPerson(uint64_t index) const;
};

// `data_dir` holds divisions/; empty: a built-in list of some counties of 330000 (CB-APP-0101 for
// another province). Shares `persons` out over the counties by a power law, on at most
// `max_cities` cities.
Result<Geography> MakeGeography(const std::string& data_dir, uint32_t province, uint64_t persons,
                                uint64_t seed, int max_cities);

}  // namespace canbao::demo
