// Scores for records without a number that decides: is this the same person? Fellegi–Sunter: each
// field gives log2(m / u) of the level at which it agrees; the sum, with what is known beforehand,
// is the logarithm of the odds. All in hundredths of a bit, in integers: the same on every machine.
//
// Frequencies of names, birth dates and places are counted among the persons of the run, so that
// 张伟 says less than 欧阳震华, and 1 January less than 17 May. Pure functions; a model is
// immutable after loading and shared by threads. Format of a model: docs/formats/linkage-model.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "comparison/record.h"
#include "linkage/weight.h"

namespace canbao::comparison {

using linkage::Bits;
using linkage::EstimateShare;
using linkage::kOne;
using linkage::Log2;
using linkage::Prior;
using linkage::Rates;
using linkage::Unlikely;

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

// What is known of a person, or of the rows that look for theirs.
struct Profile {
  uint64_t key = 0;   // PersonNumber or provisional
  uint64_t name = 0;  // identity::NameCode
  Date birth;
  identity::Sex sex = identity::Sex::kUnknown;
  bool verified = false;         // its number is (rules.md §3)
  bool by_number = false;        // the key is a usable number
  bool birth_of_number = false;  // no row says the birth date, only the number does
  bool nobody_yet = false;  // a number that only departments know: no person without a scheme row
  uint16_t household = 0;   // hash
  uint16_t tail = 0;        // last four characters of the number, 0 = unknown
  uint32_t origin = 0;      // first six digits of the number, 0 = unknown
  Few<uint32_t, 4> places;  // counties and cities, six digits
  Few<uint16_t, 3> phones;  // hashes
  Few<uint16_t, 4> units;   // hashes
  uint64_t maker = 0;       // Record::order() of the row that made the person, 0 = no person
};

// How many persons there are in the run, of a name, a birth date, a county or city. Names are
// counted when somebody looks for a person of that name.
struct Frequencies {
  uint64_t persons = 0;
  std::unordered_map<uint64_t, uint64_t> names;
  std::vector<uint32_t> births = std::vector<uint32_t>(65536);
  std::unordered_map<uint32_t, uint64_t> places;  // county; city = code / 100 * 100

  void Add(const Profile& person, bool with_name);
  void Merge(const Frequencies& other);
};

class LinkModel {
 public:
  // The newest model of data_dir/linkage that is in force at `cutoff`.
  static Result<std::shared_ptr<const LinkModel>> Load(const std::string& data_dir, Date cutoff);
  const std::string& version() const { return version_; }  // file name and digest

  // Of the two being one person, without the prior. INT32_MIN: they cannot be.
  Bits Score(const Profile& seeker, const Profile& person, const Frequencies& f) const;
  // What is supposed at first of the share, in 2^-40, of those who look for their person (with a
  // number that nothing verifies, or with none) that have one among those known. EstimateShare()
  // then finds it from the scores themselves.
  uint64_t FirstShare(bool by_number) const {
    return (by_number ? prior_unverified_ : prior_no_number_) * kOne / 1000000;
  }
  Bits accept() const { return accept_; }
  uint64_t false_per_million() const { return false_per_million_; }
  Bits review() const { return review_; }

 private:
  std::string version_;
  uint64_t name_exact_m_ = 0, name_alike_m_ = 0, name_alike_factor_ = 1;
  uint64_t birth_equal_m_ = 0, county_m_ = 0, city_m_ = 0;
  Rates birth_near_, birth_differ_, number_near_, number_differ_, sex_equal_, sex_differ_,
      place_other_, phone_equal_, phone_differ_, unit_equal_, unit_differ_, household_equal_,
      household_differ_, origin_equal_, origin_differ_, tail_equal_, tail_differ_;
  uint64_t prior_no_number_ = 0, prior_unverified_ = 0;
  Bits accept_ = 0, review_ = 0;
  uint64_t false_per_million_ = 0;
};

// Day and month exchanged, one part of three differs, 1 January of the year, or as far apart as a
// lunar date is from its solar one.
bool IsNear(Date a, Date b);

// Another name, though alike, and nothing of a number in common: a brother or sister of the same
// day is that as well, and shares place, telephone and household too. Never linked by score alone.
bool MayBeTwins(const Profile& a, const Profile& b);

// Blocking rules: two profiles are compared when they share a key of one of the rules.
//   1 name, birth date · 2 surname, birth date, city · 3 name, birth year, city · 4 phone, surname
//   5 name, employer · 6 first six digits of the number, birth date, surname · 7 name, household
//   8 name, first six digits of the number · 9 surname, first six digits and tail of the number
//   10 name, city: for those who look for their person and say no birth date, nobody else
// `seeks`: keys by which the profile looks for its person; else those by which it is found.
void BlockingKeys(const Profile& p, bool seeks, std::vector<uint64_t>* keys);

}  // namespace canbao::comparison
