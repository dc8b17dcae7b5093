// The dated policy that classification runs on, in the shape that the hot path reads: masks, day
// limits and small tables made from data/rules/*.toml and data/pooling/*.toml (format:
// docs/formats/rules.md). Loaded once per cut-off by LoadRules() (scheme/person.h), then immutable
// and shared by all threads. Loading fails with CB-SCHEME-00xx when a rule is missing, contradicts
// another one or cannot be read; nothing falls back to a value in code.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/date.h"
#include "scheme/person.h"
#include "scheme/scheme.h"

namespace canbao::scheme {

// Who must be in one branch. `within` lists alternatives, each a mask of Flag that must hold whole.
struct Obligation {
  std::array<uint32_t, 4> within{};
  int alternatives = 0;
  uint32_t exempt = 0;  // any of these Flags excuses
  Date born_until;      // latest birth date that is old enough
};

// A group of divisions by leading digits, limited to some schemes or for all.
struct DivisionGroup {
  uint32_t prefix = 0;
  uint32_t divisor = 1;  // code / divisor == prefix
  uint32_t target = 0;   // units: the reporting unit
  std::vector<SchemeCode> schemes;
  bool Has(uint32_t code) const { return code / divisor == prefix; }
  bool HasScheme(SchemeCode scheme) const;
};

struct Reason {
  uint8_t column = 0;
  uint32_t flag = 0;  // Flag that shows it
};

// What one pass over the enrolments needs of a scheme, in one load.
struct SchemeInfo {
  uint8_t standing = static_cast<uint8_t>(SchemeStanding::kUnknown);
  uint8_t branch_bit = 0;    // 1 << Branch; medical for medical cover
  uint8_t employee_bit = 0;  // the same for employee schemes and medical cover
  uint8_t resident_bit = 0;  // 1 RP, 2 RM, 4 NC
  bool employee = false;     // an employee scheme proper
  int8_t type = -1;          // duplicate type
};

class Rules {
 public:
  uint32_t province = 0;  // 330000
  Date cutoff;
  std::string version;  // "duplicates-2017.toml sha256:…;…", sorted by name

  // obligations
  std::array<Obligation, kBranches> obligations{};

  // retirement: latest birth date that has reached the age, by identity::Sex
  std::array<Date, 3> retired_born_until{};

  // employment
  Date first_tax_month;  // first day of the earliest month of wage tax that counts
  Date first_filing_day;
  enum Mark : uint8_t { kNoRealEmployer = 1, kOfCivilServants = 2 };
  std::array<uint8_t, 1024> category_marks{};  // by AAC066; flexible workers, civil servants
  std::array<uint8_t, 256> unit_marks{};       // by AAB019; virtual units, units of civil servants
  uint8_t MarksOf(uint16_t category, uint8_t unit_type) const {
    return (category < category_marks.size() ? category_marks[category] : uint8_t{0}) |
           unit_marks[unit_type];
  }
  bool unknown_birth_is_of_age = true;
  Date student25_born_until;

  // duplicates
  static constexpr int kTypes = 8;
  int min_overlap_months = 0;
  std::array<std::string, kTypes> type_names{};
  std::array<Branch, kTypes> type_branches{};
  int types = 0;
  uint8_t pension_types = 0;  // bit = index of the type
  uint8_t medical_types = 0;

  const SchemeInfo& InfoOf(SchemeCode scheme) const {
    return schemes[scheme < schemes.size() ? scheme : 0];
  }
  // Index of the scheme's duplicate type, −1 = none.
  int TypeOf(SchemeCode scheme) const { return InfoOf(scheme).type; }
  std::array<SchemeInfo, 512> schemes{};

  // insured_sets: column of form 2-2 by set of schemes. Employee bits: Branch; resident bits: 1 RP,
  // 2 RM, 4 NC.
  std::array<uint8_t, 32> employee_column{};
  std::array<uint8_t, 8> resident_column{};
  std::vector<Reason> reasons;   // first that holds
  uint32_t survey_verified = 0;  // bit = column
  uint32_t survey_not_verified = 0;
  uint32_t confirmable = 0;

  // full_list: the bound of a complete list's row count against the last one, in tenths of a
  // percent
  int min_change_permille = 0;
  int max_change_permille = 0;
  int tolerated_rows = 0;  // a change of so few rows is taken whatever its percentage

  // survivorship: names of extract kinds, first prevails
  std::vector<std::string> source_order;

  // pooling and units
  std::vector<DivisionGroup> whole;  // of the province and elsewhere alike
  std::vector<DivisionGroup> alone;
  std::vector<DivisionGroup> units;
  // By the first two digits: which of the three lists speak of them at all.
  enum Special : uint8_t { kWhole = 1, kAlone = 2, kUnits = 4 };
  std::array<uint8_t, 100> special{};

  // Reporting unit (31 provinces and the Corps) of a six-digit division; 0 → 0.
  uint32_t UnitOf(uint32_t code) const {
    uint32_t prefix = code / 10000;
    if (prefix < special.size() && (special[prefix] & kUnits) == 0) return prefix * 10000;
    return SpecialUnitOf(code);
  }
  bool IsHere(uint32_t code) const { return UnitOf(code) == province; }
  // 统筹区 of a region as delivered: another province counts as one region.
  uint32_t PoolingRegion(uint32_t region, SchemeCode scheme) const {
    uint32_t unit = UnitOf(region);
    if (unit != province) return unit;
    if (region / 10000 < special.size() && special[region / 10000] == 0) return region / 100 * 100;
    return SpecialPoolingRegion(region, scheme);
  }
  // The city under which the forms count a county.
  uint32_t CityOf(uint32_t county) const {
    if (county / 10000 < special.size() && (special[county / 10000] & kAlone) == 0) {
      return county / 100 * 100;
    }
    return SpecialCityOf(county);
  }

 private:
  uint32_t SpecialUnitOf(uint32_t code) const;
  uint32_t SpecialPoolingRegion(uint32_t region, SchemeCode scheme) const;
  uint32_t SpecialCityOf(uint32_t county) const;
};

}  // namespace canbao::scheme
