// The invented people: everything true about one person, made from (seed, index) alone. No table of
// persons exists; any person can be made at any time by any thread (World is read-only).
//
// A county's people are ranked by birth date; a person's place in the county gives the rank (by a
// stride of about one half, so neighbours are couples and their children), the rank gives birth
// date and sequence number. Hence every citizen number is unique without looking at another person.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/demo/geography.h"
#include "app/demo/names.h"

namespace canbao::demo {

inline constexpr uint32_t kCutoff = 20170930;

enum class DemoState : uint8_t { kContributing, kInterrupted, kTerminated, kReceiving, kSuspended };
enum class DemoManagement : uint8_t { kManaged, kDead, kCancelled, kMovedOut };

struct EmployerRef {
  int32_t county = -1;  // index into Geography::counties, -1 = none
  uint32_t ordinal = 0;
  bool given() const { return county >= 0; }
};

struct Enrolment {
  uint16_t scheme = 0;
  DemoState state = DemoState::kContributing;
  uint8_t variant = 0;       // which of the codes that mean the state is written
  bool elsewhere = false;    // in another province: a row of the ministry's reply
  int16_t city = 0;          // index of the city, when not elsewhere
  uint32_t region = 0;       // six digits as delivered
  uint32_t enrolled_on = 0;  // yyyymmdd
  uint32_t ended_on = 0;
  EmployerRef employer;
  uint16_t category = 0;  // AAC066
};

struct WageTax {
  uint32_t month = 0;  // yyyymm
  EmployerRef employer;
};

inline constexpr int kMaxEnrolments = 24;

struct Person {
  uint64_t index = 0;
  int county = 0;  // of hukou, or of residence for people without hukou here
  char id[24] = {};
  uint8_t id_length = 0;
  uint8_t id_type = 1;  // AAC058: 1 citizen, 4 5 6 8 others
  uint8_t sex = 1;
  uint32_t birth = 0;
  uint16_t birth_day = 0;  // ordinal in the calendar of the world
  uint16_t sequence = 0;   // last three digits before the check digit
  int age = 0;             // at the cut-off
  PersonName name;

  bool hukou = false;  // in the household register
  DemoManagement management = DemoManagement::kManaged;
  uint32_t changed_on = 0;
  uint32_t village = 0;  // index into the county's villages
  uint8_t relation = 2;
  uint8_t hukou_type = 10;
  uint8_t ethnicity = 1;
  uint64_t phone = 0;  // 0 = none
  uint16_t house = 1;

  Enrolment enrolments[kMaxEnrolments];
  int enrolment_count = 0;
  WageTax wages[2];
  int wage_count = 0;

  uint8_t student = 0;  // 1 在读, 2 毕业, 3 退学
  bool full_time = true;
  uint8_t stage = 0;
  uint32_t school_from = 0, school_until = 0;
  uint32_t died_on = 0;  // of the death paper
  uint32_t prison_from = 0, prison_until = 0;
  uint8_t military = 0;  // 1 现役, 2 随军家属建账
  uint32_t military_from = 0, military_until = 0;
  uint8_t abroad = 0;  // 1 留学, 2 定居, 3 就业
  uint32_t left_on = 0, returned_on = 0;
  uint8_t subsidised = 0;  // 1..4
  uint8_t card = 0;        // 1 正常, 2 挂失, 3 注销
  uint32_t card_on = 0;
  uint32_t permit_on = 0;  // residence permit
  uint32_t remote_region = 0, remote_on = 0;
  uint32_t filing_from = 0, filing_until = 0;  // employment filing
  EmployerRef filing_employer;
  bool staffing = false;
  uint8_t settlements = 0;  // settled admissions; 2 = one admission paid by two schemes

  std::string_view number() const { return {id, id_length}; }
};

struct WorldOptions {
  uint64_t seed = 1;
  bool slim = false;
  bool extras = false;  // employment filing, staffing, settlements
  bool dead_enrolled =
      false;  // some dead people keep an active enrolment (an error of the sources)
};

class World {
 public:
  World(const Geography* geography, const WorldOptions& options);

  // Fails nowhere; `index` < persons. Core: number, name, birth, register entry. All: everything.
  void MakeCore(uint64_t index, Person* out) const;
  void Make(uint64_t index, Person* out) const;

  const Geography& geography() const { return *geography_; }
  // The largest number of people of one county who may be born on one day is 1,000.
  bool FitsSequenceNumbers() const;

  // Unit type (AAB019), 9-digit-and-city number, credit code, name of an employer.
  static int EmployerType(const EmployerRef& employer) { return TypeOfOrdinal(employer.ordinal); }
  static int TypeOfOrdinal(uint32_t ordinal);
  void AppendEmployerNo(const EmployerRef& employer, std::string* out) const;
  void AppendCreditCode(const EmployerRef& employer, std::string* out) const;
  std::string EmployerName(const EmployerRef& employer) const;

  // A valid number of nobody: an old one of the person, or one with an altered birth date.
  // False when none was found.
  bool SupersededNumber(const Person& person, char* id18) const;
  bool AlteredBirthNumber(const Person& person, Rng* rng, char* id18) const;

 private:
  uint64_t RankStart(uint64_t county_persons, uint32_t day) const;
  EmployerRef PickEmployer(int county, int type, Rng* rng) const;
  void AddEmployee(Person* p, uint16_t pension, uint16_t category, const EmployerRef& employer,
                   uint32_t on, Rng* rng) const;
  void MakeEnrolments(Person* p, Rng* rng) const;
  void MakeEvidence(Person* p, Rng* rng) const;
  Enrolment* Add(Person* p, uint16_t scheme, DemoState state, int city, uint32_t on,
                 uint16_t category) const;
  void AddElsewhere(Person* p, uint16_t scheme, DemoState state, uint32_t on, Rng* rng) const;
  uint16_t ResidentMedical(const Person& p, int city) const;
  uint32_t DateBetween(uint32_t first, uint32_t last, Rng* rng) const;

  const Geography* geography_;
  WorldOptions options_;
  std::vector<uint32_t> calendar_;    // ordinal → yyyymmdd, from 1917-01-01 to 2022-12-31
  std::vector<uint32_t> year_start_;  // 1917.. → ordinal of 1 January
  std::vector<uint64_t> births_;      // cumulative weight before the day; up to the cut-off
  std::vector<uint64_t> strides_;     // by county: place → rank
  std::vector<uint32_t> guess_;       // top 16 bits of the rank's share → first day to try
};

// GB 11643 check digit of 17 digits.
char CheckDigit(const char* digits17);

}  // namespace canbao::demo
