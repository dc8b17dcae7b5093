// What is known of a person, or of the rows that look for theirs, and the blocking keys under which
// the two may meet. Pure functions over groups of rows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/date.h"
#include "comparison/groups.h"
#include "comparison/record.h"
#include "comparison/resolve.h"

namespace canbao::comparison {

// The smallest few of the distinct values that were added, ascending, in whatever order they came.
template <typename T, size_t kRoom>
struct Few {
  std::array<T, kRoom> v{};
  uint8_t n = 0;
  void Add(T value) {
    if (value == T{}) return;
    uint8_t at = 0;
    while (at < n && v[at] < value) ++at;
    if (at == kRoom || (at < n && v[at] == value)) return;
    for (uint8_t i = n < kRoom ? n++ : kRoom - 1; i > at; --i) v[i] = v[i - 1];
    v[at] = value;
  }
  std::span<const T> all() const { return {v.data(), n}; }
  bool Meets(const Few& other) const {
    for (T a : all()) {
      for (T b : other.all()) {
        if (a == b) return true;
      }
    }
    return false;
  }
};

struct Profile {
  uint64_t key = 0;   // PersonNumber or provisional
  uint64_t name = 0;  // identity::NameCode
  Date birth;
  identity::Sex sex = identity::Sex::kUnknown;
  bool verified = false;         // its number is (rules.md §3)
  bool by_number = false;        // the key is a usable number
  bool birth_of_number = false;  // no row says the birth date, only the number does
  bool nobody_yet = false;    // a number that only departments know: no person without a scheme row
  bool makes_person = false;  // one of its rows would make a person of its own
  uint16_t household = 0;     // hash
  uint16_t tail = 0;          // last four characters of the number, 0 = unknown
  uint32_t origin = 0;        // first six digits of the number, 0 = unknown
  uint32_t rows = 0;
  Few<uint32_t, 4> places;  // counties and cities, six digits
  Few<uint16_t, 3> phones;  // hashes
  Few<uint16_t, 4> units;   // hashes
  uint64_t first = 0;  // Record::order() of a row that shows who it is: the first, the register's
  uint64_t maker = 0;  // Record::order() of the row that made the person, 0 = no person

  uint16_t extract() const { return static_cast<uint16_t>(first >> 32); }
};

constexpr uint32_t CityOf(uint32_t place) { return place / 100 * 100; }

// What one row adds to what is known of its person: places, telephone, employer, household.
void AddRow(const Packed& p, Profile* out);
// What a citizen number says: where it was given, and its end.
void AddNumber(uint64_t key, Profile* out);

// A person of the partitions by number. False: nobody whom a row could be given to.
bool PersonOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out);
// The same for a number with one row in the register, which need not be resolved for it: the
// register prevails, and rows under its name are the person's. Null: no such group.
const Packed* OnlyRegisterRow(std::span<const Packed* const> packed);
void RegisteredPersonOf(const Groups& groups, const Packed& reg, Profile* out);

// People under a valid number that is in one file only and not in the register: the number may be
// an old one, or another's. False: no such group.
bool SeekerOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out);
// Could the group be such, as far as can be seen without resolving it?
bool MaySeek(std::span<const Packed* const> packed);
// Rows without a usable number under one provisional key.
Profile SeekerOf(std::span<const Record> rows);

// Another name, though alike, and nothing of a number in common: a brother or sister of the same
// day is that as well, and shares place, telephone and household too. Never linked by score alone.
bool MayBeTwins(const Profile& a, const Profile& b);

// Blocking rules: two profiles are compared when they share a key of one of the rules, and counted
// for the first of them. `seeks`: keys by which the profile looks for its person; else those by
// which it is found.
struct BlockingRule {
  const char* zh;
  const char* en;
};
inline constexpr size_t kBlockingRules = 12;
const std::array<BlockingRule, kBlockingRules>& BlockingRules();
struct BlockingKey {
  uint64_t key;
  uint8_t rule;  // place in BlockingRules()
};
void BlockingKeys(const Profile& p, bool seeks, std::vector<BlockingKey>* keys);

}  // namespace canbao::comparison
