// Administrative divisions (行政区划, GB/T 2260 and below) with validity dates and successors.
// Built from data/divisions into one read-only table; thread-safe. Villages (620,000) are read when
// one is asked for first; without their file the table works down to the township.
//
// Years, not days: the sources date a change to its year. In that year the old code and the new one
// are both valid (IsValid), while lists (CitiesOf, CountiesOf) hold the new one only.
#pragma once

#include <cstdint>
#include <memory>
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
  uint16_t valid_from;   // year, 0 = before the first revision known, or unknown
  uint16_t valid_until;  // year it was gone, 0 = still valid
  friend bool operator==(const DivisionRecord&, const DivisionRecord&) = default;
};

// Changes of county level and above beyond the tables of the program: recorded by an administrator.
enum class ChangeKind { kRename, kMerge, kSplit, kAbolish };
std::string_view ChangeKindName(ChangeKind kind);  // "rename"
std::optional<ChangeKind> ChangeKindFromName(std::string_view name);

struct DivisionChange {
  ChangeKind kind = ChangeKind::kRename;
  Division code;           // what is renamed, or gone from then on
  std::string name;        // the new name; of a merge or split: the successor's, where it is new
  Division successor;      // of a merge; of a split, one change for each
  Date date;               // of the ruling; its year counts
  std::string source;      // the ruling
  bool year_only = false;  // the source gives the year: date is its first day
  friend bool operator==(const DivisionChange&, const DivisionChange&) = default;
};

// A CSV with a header, sorted by date and code; the same changes give the same bytes.
std::string WriteDivisionChanges(std::vector<DivisionChange> changes);
// CB-IDENTITY-0002 as of the tables; `path` is said in the error. An empty text is no changes.
Result<std::vector<DivisionChange>> ParseDivisionChanges(std::string_view csv,
                                                         const std::string& path);

class DivisionTable {
 public:
  // Loads the tables under `data_dir`/divisions. CB-IDENTITY-0001 a table cannot be read,
  // CB-IDENTITY-0002 a line of it is not understood.
  static Result<DivisionTable> Load(const std::string& data_dir);

  // Takes changes in, the earliest first; those below county level are left out.
  void Apply(std::vector<DivisionChange> changes);

  // The name at `on` (the newest known when the code was never valid then); empty when unknown. A
  // missing `on` asks for the newest.
  std::string NameOf(Division code, Date on) const;
  // "浙江省杭州市上城区", as far as known; 市辖区 and the like are left out.
  std::string FullNameOf(Division code, Date on) const;
  bool IsKnown(Division code) const;
  // Towns and villages are known as of one year only: they are valid when their county is.
  bool IsValid(Division code, Date on) const;
  // The counties that stand for `county` at `on`, ascending: itself when valid, its successors
  // otherwise (several after a split; empty when none is known).
  std::vector<uint32_t> SuccessorsOf(uint32_t county, Date on) const;
  // Cities of a province / counties of a city at `on`, ascending. A city is any code of four
  // significant digits: also 110100 (the districts of Beijing) and 429000 (counties directly under
  // a province). Never 市本级, never the codes of development zones, which only statistics has.
  std::vector<uint32_t> CitiesOf(uint32_t province, Date on) const;
  std::vector<uint32_t> CountiesOf(uint32_t city, Date on) const;
  // The next level below, whichever it is: provinces below none, villages below a town.
  std::vector<Division> ChildrenOf(Division parent, Date on) const;
  bool HasChildren(Division parent, Date on) const;

  // Every name and time of a code, the oldest first; towns and villages have none.
  std::vector<DivisionRecord> RecordsOf(Division code) const;
  // What is known to have happened to it, by year: its renamings, what it went into, and what went
  // into it (there `successor` is the code itself).
  std::vector<DivisionChange> HistoryOf(Division code) const;
  // Codes that begin with `text`, or whose name has it: those named exactly so first, then by level
  // and code. Down to the township; villages by their codes only.
  std::vector<Division> Search(std::string_view text, size_t limit) const;

 private:
  enum class How : uint8_t { kRuling, kName, kAlias, kRecorded };
  struct Succession {
    uint32_t from;
    uint32_t to;
    uint16_t year;
    How how = How::kRuling;
    Date date = {};      // recorded ones
    std::string source;  // recorded ones
  };
  // Towns or villages: codes ascending; the name of codes[i] is text[starts[i], starts[i + 1]).
  struct Places {
    std::vector<uint64_t> codes;
    std::vector<uint32_t> starts;
    std::string text;
    std::string_view NameOf(uint64_t code) const;    // empty when unknown
    bool Add(uint64_t code, std::string_view name);  // false when out of order
    void Finish();                                   // after the last Add
  };
  struct LazyVillages;

  static Result<Places> ParsePlaces(std::string_view text, const std::string& path, size_t digits);
  void Sort();
  const DivisionRecord* RecordAt(Division code, Date on) const;
  std::vector<uint32_t> ListBetween(uint32_t first, uint32_t last, uint32_t step, Date on) const;
  const Places& villages() const;

  std::vector<DivisionRecord> records_;  // by code, then valid_from
  std::vector<Succession> successions_;  // by from, then to
  Places statistical_;                   // county level, known by name only
  Places towns_;
  std::shared_ptr<LazyVillages> villages_;
};

}  // namespace canbao::identity
