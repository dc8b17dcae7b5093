#include "app/demo/world.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace canbao::demo {
namespace {

constexpr uint32_t kFirstYear = 1917;
constexpr uint32_t kLastYear = 2022;

// Purposes of random draws (Rng).
constexpr uint64_t kCorePurpose = 2;
constexpr uint64_t kFamilyPurpose = 3;
constexpr uint64_t kRegisterPurpose = 4;
constexpr uint64_t kEnrolmentPurpose = 5;
constexpr uint64_t kEvidencePurpose = 6;

bool IsLeap(uint32_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

// Living people by year of birth in 2017, in relative numbers: the bulges of 1962–1973 and
// 1982–1990, the famine of 1959–1961, the old thinned out by mortality.
uint32_t YearWeight(uint32_t year) {
  if (year < 1925) return 1;
  if (year < 1930) return 2;
  if (year < 1935) return 4;
  if (year < 1940) return 6;
  if (year < 1946) return 8;
  if (year < 1950) return 12;
  if (year < 1959) return 16;
  if (year < 1962) return 13;
  if (year < 1974) return 30;
  if (year < 1982) return 23;
  if (year < 1991) return 28;
  if (year < 1996) return 21;
  if (year < 2010) return 16;
  return 17;
}

void WriteDigits(char* out, uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

uint64_t CoprimeStride(uint64_t n) {
  if (n < 3) return 1;
  // A bit more than one half: a couple is some years apart, their children a generation away.
  uint64_t stride = n / 2 + n / 46 + 1;
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

}  // namespace

char CheckDigit(const char* digits17) {
  static constexpr int kWeight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (digits17[i] - '0') * kWeight[i];
  return "10X98765432"[sum % 11];
}

World::World(const Geography* geography, const WorldOptions& options)
    : geography_(geography), options_(options) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  uint64_t total = 0;
  for (uint32_t y = kFirstYear; y <= kLastYear; ++y) {
    year_start_.push_back(static_cast<uint32_t>(calendar_.size()));
    for (uint32_t m = 1; m <= 12; ++m) {
      const uint32_t days = kDays[m - 1] + (m == 2 && IsLeap(y) ? 1 : 0);
      for (uint32_t d = 1; d <= days; ++d) {
        const uint32_t ymd = y * 10000 + m * 100 + d;
        calendar_.push_back(ymd);
        if (ymd <= kCutoff) {
          births_.push_back(total);
          total += YearWeight(y);
        }
      }
    }
  }
  births_.push_back(total);
  for (const County& county : geography->counties) {
    strides_.push_back(CoprimeStride(county.persons));
  }
  guess_.resize(65536);
  uint32_t day = 0;
  for (uint32_t g = 0; g < guess_.size(); ++g) {
    while (static_cast<unsigned __int128>(births_[day + 1]) * 65536 <=
           static_cast<unsigned __int128>(total) * g) {
      ++day;
    }
    guess_[g] = day;
  }
}

// Number of people of a county born before `day`.
uint64_t World::RankStart(uint64_t county_persons, uint32_t day) const {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(county_persons) * births_[day] /
                               births_.back());
}

bool World::FitsSequenceNumbers() const {
  for (const County& county : geography_->counties) {
    if (county.persons * 30 / births_.back() >= 990) return false;
  }
  return true;
}

void World::MakeCore(uint64_t index, Person* p) const {
  p->index = index;
  const County& county = geography_->CountyOfPerson(index);
  p->county = static_cast<int>(&county - geography_->counties.data());
  const uint64_t place = index - county.first_person;
  const uint64_t n = county.persons;
  const auto rank =
      static_cast<uint64_t>(static_cast<unsigned __int128>(place) * strides_[p->county] % n);
  const auto share = static_cast<uint32_t>(static_cast<unsigned __int128>(rank) * 65536 / n);
  uint32_t day = guess_[share] == 0 ? 0 : guess_[share] - 1;
  while (RankStart(n, day + 1) <= rank) ++day;
  const auto within = static_cast<uint32_t>(rank - RankStart(n, day));
  p->birth_day = static_cast<uint16_t>(day);
  p->birth = calendar_[day];
  p->sequence =
      static_cast<uint16_t>((within * 7 + MixBits(day * 131 + county.code) % 1000) % 1000);
  p->sex = p->sequence % 2 == 1 ? 1 : 2;
  p->age = static_cast<int>((kCutoff - p->birth) / 10000);

  Rng rng(options_.seed, index, kCorePurpose);
  const uint32_t kind = rng.Below(1000);
  const uint64_t household = index / 4;
  // Whole households come from elsewhere, one in nine.
  Rng family_rng(options_.seed, household, kFamilyPurpose);
  const bool migrant = family_rng.Below(1000) < 114;
  const uint64_t family = family_rng.Next();
  p->hukou = !migrant;

  // The address code tells where the number was first given, not where the person lives.
  uint32_t address = county.code;
  const auto foreign = static_cast<uint32_t>(county.foreign_codes.size());
  if (migrant || kind < 80) {
    address = county.foreign_codes[1 + rng.Below(foreign - 1)];
  } else if (kind < 480 && !county.revoked_codes.empty() && p->birth < 20100101) {
    address = county.revoked_codes[rng.Below(static_cast<uint32_t>(county.revoked_codes.size()))];
  }
  p->id_type = 1;
  // Slim files have no birth date beside the number, so everybody has a citizen number there.
  const bool foreigner = migrant && rng.Below(1000) < 10 && !options_.slim;
  if (foreigner) {
    static constexpr uint8_t kTypes[] = {4, 4, 4, 5, 6, 8};
    p->id_type = kTypes[rng.Below(6)];
  }
  WriteDigits(p->id, address, 6);
  WriteDigits(p->id + 6, p->birth, 8);
  WriteDigits(p->id + 14, p->sequence, 3);
  p->id[17] = CheckDigit(p->id);
  p->id_length = 18;
  if (foreigner) {
    // Unique: multiplication by a number coprime to 10^8.
    const uint64_t digits = (index * 61803399ULL + options_.seed * 7919) % 100000000;
    p->id[0] = p->id_type == 4 ? 'H' : p->id_type == 5 ? 'M' : 'E';
    int at = p->id_type == 6 ? 0 : 1;
    WriteDigits(p->id + at, digits, 8);
    p->id_length = static_cast<uint8_t>(at + 8);
    if (p->id_type == 6 && p->id[0] == '0') p->id[0] = '9';
  }
  const bool own_surname = p->index % 4 == 1 || rng.Below(100) < 15;
  MakeName(own_surname ? rng.Next() : family, p->sex == 1, static_cast<int>(p->birth / 10000),
           foreigner && p->id_type == 8, &rng, &p->name);

  Rng reg(options_.seed, index, kRegisterPurpose);
  p->village =
      static_cast<uint32_t>(MixBits(household * 31 + options_.seed) % county.villages.size());
  p->house = static_cast<uint16_t>(1 + MixBits(household + 77) % 400);
  p->hukou_type = p->hukou ? (household % 3 == 0   ? 10
                              : household % 3 == 1 ? 20
                                                   : 51)
                           : (household % 2 == 0 ? 22 : 52);
  const uint32_t where = index % 4;
  p->relation = where == 0 ? 2 : where == 1 ? 10 : (p->sex == 1 ? 20 : 30);
  p->ethnicity = p->name.dotted ? (reg.Below(2) == 0 ? 5 : 4) : reg.Below(100) < 2 ? 11 : 1;
  p->phone = p->age >= 14 && reg.Below(100) < 70
                 ? 13000000000ULL + reg.Below(6) * 1000000000ULL + reg.Below(1000000000)
                 : 0;
  p->management = DemoManagement::kManaged;
  p->changed_on = 0;
  if (p->hukou) {
    // The old die more often: six in a thousand of all, one in twenty of those over 75.
    const uint32_t u = reg.Below(100000);
    const uint32_t dead = p->age >= 75 ? 6000 : p->age >= 50 ? 900 : 120;
    if (u < dead) {
      p->management = DemoManagement::kDead;
    } else if (u < dead + 800) {
      p->management = DemoManagement::kMovedOut;
    } else if (u < dead + 900) {
      p->management = DemoManagement::kCancelled;
    }
    if (p->management != DemoManagement::kManaged) {
      p->changed_on = DateBetween(std::max(p->birth, 20120101u), kCutoff - 1, &reg);
      // A change after the cut-off: still 管理中 on the day the figures speak of.
      if (reg.Below(100) < 3) p->changed_on = 20171000 + 1 + reg.Below(7);
    }
  }
}

uint32_t World::DateBetween(uint32_t first, uint32_t last, Rng* rng) const {
  auto ordinal = [&](uint32_t ymd) {
    const uint32_t year = std::clamp(ymd / 10000, kFirstYear, kLastYear);
    const uint32_t start = year_start_[year - kFirstYear];
    const auto at =
        std::lower_bound(calendar_.begin() + start,
                         calendar_.begin() + std::min<size_t>(start + 366, calendar_.size()), ymd);
    return static_cast<uint32_t>(at - calendar_.begin());
  };
  const uint32_t a = ordinal(first);
  const uint32_t b = ordinal(last);
  return calendar_[a >= b ? std::min<size_t>(a, calendar_.size() - 1) : a + rng->Below(b - a + 1)];
}

int World::TypeOfOrdinal(uint32_t ordinal) {
  switch (ordinal % 16) {
    case 0:
      return 30;
    case 1:
      return 21;
    case 2:
      return 22;
    case 3:
      return 91;
    default:
      return 10;
  }
}

EmployerRef World::PickEmployer(int county, int type, Rng* rng) const {
  const auto groups = static_cast<uint32_t>(geography_->counties[county].employers / 16);
  // Few employers are large: the square of a uniform draw.
  const uint32_t u = rng->Below(65536);
  const auto group = static_cast<uint32_t>(static_cast<uint64_t>(groups) * u / 65536 * u / 65536);
  uint32_t slot = 4 + rng->Below(12);
  if (type == 30) slot = 0;
  if (type == 21) slot = 1 + rng->Below(2);
  if (type == 91) slot = 3;
  return {county, group * 16 + slot};
}

void World::AppendEmployerNo(const EmployerRef& employer, std::string* out) const {
  const County& county = geography_->counties[employer.county];
  char text[9];
  WriteDigits(text, static_cast<uint64_t>(county.city) + 1, 2);
  WriteDigits(text + 2, county.first_employer + employer.ordinal, 7);
  out->append(text, 9);
}

void World::AppendCreditCode(const EmployerRef& employer, std::string* out) const {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  static constexpr int kOrgWeight[] = {3, 7, 9, 10, 5, 8, 4, 2};
  static constexpr int kWeight[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
  const County& county = geography_->counties[employer.county];
  const int type = EmployerType(employer);
  char text[18];
  std::memcpy(text, type == 30 ? "11" : type == 21 || type == 22 ? "12" : "91", 2);
  WriteDigits(text + 2, county.code, 6);
  text[8] = 'M';
  text[9] = 'A';
  // 31^6 codes; multiplication by a coprime number scatters neighbours and keeps them apart.
  uint64_t scattered = (county.first_employer + employer.ordinal + 1) * 618033989ULL % 887503681ULL;
  for (int i = 15; i >= 10; --i) {
    text[i] = kAlphabet[scattered % 31];
    scattered /= 31;
  }
  int sum = 0;
  for (int i = 0; i < 8; ++i) {
    const char c = text[8 + i];
    sum += (c <= '9' ? c - '0' : c - 'A' + 10) * kOrgWeight[i];
  }
  const int org = 11 - sum % 11;
  text[16] = org == 10 ? 'X' : org == 11 ? '0' : static_cast<char>('0' + org);
  sum = 0;
  for (int i = 0; i < 17; ++i) {
    sum += static_cast<int>(std::strchr(kAlphabet, text[i]) - kAlphabet) * kWeight[i];
  }
  text[17] = kAlphabet[(31 - sum % 31) % 31];
  out->append(text, 18);
}

std::string World::EmployerName(const EmployerRef& employer) const {
  static constexpr std::string_view kWords[] = {"嘉", "隆", "伟", "博", "达", "源", "泰", "磊",
                                                "宏", "盛", "帅", "鑫", "瑞", "丰", "凯", "恒"};
  static constexpr std::string_view kTrades[] = {"机械", "服饰", "食品", "软件", "建材",
                                                 "餐饮", "化工", "家具", "汽配", "物流"};
  static constexpr std::string_view kForms[] = {"有限公司", "股份有限公司", "有限责任公司", "厂"};
  const County& county = geography_->counties[employer.county];
  const int type = EmployerType(employer);
  const std::string serial = std::to_string(county.first_employer + employer.ordinal);
  if (type == 30) return county.name + "机关单位" + serial + "号";
  if (type == 21 || type == 22) return county.name + "事业单位" + serial + "号";
  if (type == 91) return county.name + "人才服务中心代理" + serial + "户";
  const uint64_t h = MixBits(county.first_employer + employer.ordinal + 5);
  std::string name = county.name.substr(0, county.name.size() - 3);
  for (int shift : {0, 8, 16}) name += kWords[(h >> shift) % std::size(kWords)];
  name += kTrades[(h >> 24) % std::size(kTrades)];
  name += kForms[(h >> 32) % std::size(kForms)];
  return name;
}

Enrolment* World::Add(Person* p, uint16_t scheme, DemoState state, int city, uint32_t on,
                      uint16_t category) const {
  if (p->enrolment_count == kMaxEnrolments) return &p->enrolments[kMaxEnrolments - 1];
  Enrolment& e = p->enrolments[p->enrolment_count++];
  e = Enrolment{};
  e.scheme = scheme;
  e.state = state;
  e.city = static_cast<int16_t>(city);
  e.enrolled_on = on;
  e.category = category;
  const bool resident = scheme == 170 || scheme >= 380;
  // Employee schemes are run by the city, resident schemes by the county.
  if (resident && scheme < 400 && geography_->counties[p->county].city == city) {
    e.region = geography_->counties[p->county].code;
  } else {
    e.region = geography_->cities[city].code;
  }
  return &e;
}

void World::AddElsewhere(Person* p, uint16_t scheme, DemoState state, uint32_t on, Rng* rng) const {
  Enrolment* e = Add(p, scheme, state, 0, on, 0);
  e->elsewhere = true;
  // One province per person: its regions differ only between persons.
  const auto n = static_cast<uint32_t>(geography_->foreign_cities.size());
  e->region = geography_->foreign_cities[MixBits(p->index + options_.seed) % n];
  e->variant = static_cast<uint8_t>(rng->Below(3));
}

uint16_t World::ResidentMedical(const Person& p, int city) const {
  // Every third city has not merged 城镇居民医保 and 新农合 yet.
  if (city % 3 != 1) return 390;
  return MixBits(p.index / 4 + 11) % 100 < 58 ? 380 : 391;
}

void World::AddEmployee(Person* p, uint16_t pension, uint16_t category, const EmployerRef& employer,
                        uint32_t on, Rng* rng) const {
  struct Cover {
    uint16_t scheme;
    uint32_t employee, institution, civil;  // per cent
  };
  static constexpr Cover kCovers[] = {
      {310, 96, 97, 97}, {410, 88, 85, 60}, {210, 80, 70, 15}, {510, 80, 75, 60}};
  const int city = geography_->counties[p->county].city;
  auto put = [&](uint16_t scheme) {
    Enrolment* e = Add(p, scheme, DemoState::kContributing, city, on, category);
    e->employer = employer;
    e->variant = 0;
  };
  // Some units enrol their people in a few schemes only.
  const uint32_t part = rng->Below(1000);
  static constexpr uint16_t kAlone[] = {410, 310, 210, 510, 110};
  if (part < 60 && category == 101) {
    put(kAlone[part / 4 % 5]);
    return;
  }
  if (part < 140 && category == 101) {
    put(pension);
    if (part < 100) put(410);
    if (part >= 90) put(310);
    return;
  }
  if (rng->Below(100) < 97) put(pension);
  for (const Cover& cover : kCovers) {
    const uint32_t share = category == 301   ? cover.civil
                           : category == 302 ? cover.institution
                                             : cover.employee;
    if (rng->Below(100) < share) put(cover.scheme);
  }
}

void World::MakeEnrolments(Person* p, Rng* rng) const {
  const int home = geography_->counties[p->county].city;
  const auto cities = static_cast<uint32_t>(geography_->cities.size());
  auto other_city = [&] {
    return cities < 2 ? home : static_cast<int>((home + 1 + rng->Below(cities - 1)) % cities);
  };
  const bool gone = p->hukou && p->management != DemoManagement::kManaged;
  const bool dead = p->management == DemoManagement::kDead || p->died_on != 0;
  if (dead) {
    // In clean files a dead person has no active enrolment; sources that lag behind keep one.
    if (options_.dead_enrolled && p->age >= 60 && rng->Below(100) < 12) {
      Add(p, rng->Below(2) == 0 ? 110 : 170, DemoState::kReceiving, home, 20050101, 200);
    } else if (rng->Below(100) < 20) {
      Enrolment* e = Add(p, 170, DemoState::kTerminated, home, 20120301, 200);
      e->ended_on = DateBetween(20150101, kCutoff, rng);
    }
    return;
  }
  if (gone && rng->Below(100) < 75) return;
  if (p->prison_from != 0 || p->military != 0 || p->abroad != 0) {
    if (rng->Below(100) < 85) return;
  }
  const uint32_t adult_on = DateBetween(
      std::clamp((p->birth / 10000 + 20) * 10000 + 701, 19980101u, 20170601u), 20170831, rng);
  const uint32_t resident_on = DateBetween(std::max(p->birth, 20090101u), 20170831, rng);
  auto medical = [&](uint32_t per_cent) {
    if (rng->Below(100) >= per_cent) return;
    Add(p, ResidentMedical(*p, home), DemoState::kContributing, home, resident_on, 200);
  };
  const int retirement = p->sex == 1 ? 60 : 55;
  const uint32_t u = rng->Below(1000);

  if (p->age < 16 || p->student == 1) {
    if (p->hukou && rng->Below(100) < 4) {
      AddElsewhere(p, 390, DemoState::kContributing, resident_on, rng);
    } else {
      medical(p->hukou ? 93 : 30);
    }
  } else if (p->age >= retirement) {
    if (u < (p->hukou ? 430u : 250u)) {
      const uint16_t pension = rng->Below(100) < 10 ? 120 : 110;
      Enrolment* e = Add(p, pension, DemoState::kReceiving, home, adult_on, 101);
      e->variant = static_cast<uint8_t>(rng->Below(6));
      // Slim files lack 待遇状态, which tells a suspended pension.
      if (rng->Below(1000) < 8 && !options_.slim) e->state = DemoState::kSuspended;
      if (rng->Below(100) < 95) {
        Add(p, 310, DemoState::kReceiving, home, adult_on, 101)->variant =
            static_cast<uint8_t>(rng->Below(6));
      } else {
        medical(80);
      }
      if (rng->Below(1000) < 12 && p->age >= 60) {
        Add(p, 170, DemoState::kReceiving, home, resident_on, 200);
      }
      if (rng->Below(1000) < 10) {
        Add(p, pension, DemoState::kReceiving, other_city(), adult_on, 101);
      } else if (rng->Below(1000) < 8) {
        AddElsewhere(p, pension, DemoState::kReceiving, adult_on, rng);
      }
    } else if (u < 890) {
      const bool receives = p->age >= 60 && rng->Below(100) < 94;
      if (rng->Below(100) < 92) {
        Enrolment* e = Add(p, 170, receives ? DemoState::kReceiving : DemoState::kContributing,
                           home, resident_on, 200);
        if (receives && rng->Below(1000) < 25) e->state = DemoState::kSuspended;
      }
      medical(94);
    } else if (u < 930) {
      AddElsewhere(p, 110, DemoState::kReceiving, adult_on, rng);
      AddElsewhere(p, 310, DemoState::kReceiving, adult_on, rng);
    }
  } else {
    const bool hukou = p->hukou;
    if (u < (hukou ? 70u : 10u)) {
      // Works in another province.
      if (hukou) {
        AddElsewhere(p, 110, DemoState::kContributing, adult_on, rng);
        for (uint16_t scheme : {310, 410, 210, 510}) {
          if (rng->Below(100) < 70) {
            AddElsewhere(p, scheme, DemoState::kContributing, adult_on, rng);
          }
        }
        if (rng->Below(100) < 15) medical(100);
      }
    } else if (u < (hukou ? 440u : 600u)) {
      const int type = rng->Below(100) < 4 ? 91 : 10;
      AddEmployee(p, 110, 101, PickEmployer(p->county, type, rng), adult_on, rng);
    } else if (u < (hukou ? 475u : 610u)) {
      AddEmployee(p, 120, 302, PickEmployer(p->county, 21, rng), adult_on, rng);
    } else if (u < (hukou ? 500u : 612u)) {
      AddEmployee(p, 120, 301, PickEmployer(p->county, 30, rng), adult_on, rng);
    } else if (u < (hukou ? 570u : 680u)) {
      Add(p, 110, DemoState::kContributing, home, adult_on, 102);
      if (rng->Below(100) < 60) {
        Add(p, 310, DemoState::kContributing, home, adult_on, 102);
      } else {
        medical(80);
      }
    } else if (u < (hukou ? 890u : 760u)) {
      if (rng->Below(100) < 86) {
        Add(p, 170, rng->Below(100) < 7 ? DemoState::kInterrupted : DemoState::kContributing, home,
            resident_on, 200);
      }
      medical(92);
    } else if (u < (hukou ? 930u : 790u)) {
      Add(p, 110, DemoState::kInterrupted, home, adult_on, 101);
      if (rng->Below(2) == 0) Add(p, 310, DemoState::kInterrupted, home, adult_on, 101);
    } else if (u < 960 && hukou) {
      medical(70);
    }
    // Cover twice over.
    const bool employee = p->enrolment_count > 1 && p->enrolments[0].scheme < 130 &&
                          p->enrolments[0].state == DemoState::kContributing;
    if (employee && !p->enrolments[0].elsewhere) {
      const uint32_t twice = rng->Below(1000);
      if (twice < 15) {
        Add(p, 170, DemoState::kContributing, home, resident_on, 200);
      } else if (twice < 28) {
        Add(p, p->enrolments[0].scheme, DemoState::kContributing, other_city(), adult_on, 101);
      } else if (twice < 38) {
        AddElsewhere(p, 110, DemoState::kContributing, adult_on, rng);
      } else if (twice < 78) {
        medical(100);
      } else if (twice < 98) {
        Add(p, 310, DemoState::kContributing, other_city(), adult_on, 101);
      }
      if (rng->Below(100) < 9) {
        // An earlier job in another city left an interrupted record.
        Add(p, 110, DemoState::kInterrupted, other_city(), 20060401, 101);
      }
      if (rng->Below(1000) < 15) {
        // 一人多号: a second number in the same scheme and city.
        Add(p, 110, DemoState::kInterrupted, home, 20070401, 101);
      }
    }
  }
  // Resident cover in two places.
  if (p->enrolment_count > 0) {
    const Enrolment last = p->enrolments[p->enrolment_count - 1];
    if ((last.scheme == 390 || last.scheme == 391 || last.scheme == 380) && !last.elsewhere) {
      const uint32_t twice = rng->Below(1000);
      if (twice < 25) {
        const int city = other_city();
        Add(p, ResidentMedical(*p, city), DemoState::kContributing, city, resident_on, 200);
      } else if (twice < 35) {
        AddElsewhere(p, 390, DemoState::kContributing, resident_on, rng);
      } else if (twice < 60 && home % 3 == 1) {
        Add(p, last.scheme == 380 ? 391 : 380, DemoState::kContributing, home, resident_on, 200);
      }
    }
  }
  // Ended enrolments, and those whose end or beginning lies after the cut-off.
  const uint32_t tail = rng->Below(1000);
  if (p->age >= 20) {
    if (tail < 60) {
      Enrolment* e = Add(p, tail < 30 ? 110 : 310, DemoState::kTerminated, home, 20030501, 101);
      e->ended_on = DateBetween(20040101, kCutoff, rng);
      e->variant = static_cast<uint8_t>(rng->Below(options_.slim ? 3 : 4));
    } else if (tail < 64) {
      Enrolment* e = Add(p, 170, DemoState::kTerminated, home, 20120501, 200);
      e->ended_on = 20171000 + 1 + rng->Below(8);  // still active at the cut-off
    } else if (tail < 67) {
      Add(p, 170, DemoState::kContributing, home, 20171000 + 1 + rng->Below(8), 200);
    }
  }
  if (options_.slim && p->age >= 16) {
    // The benchmark's world has a long history: about four and a half enrolment rows per person.
    static constexpr uint16_t kHistory[] = {110, 310, 210, 410, 510, 170, 390, 310};
    const uint32_t rows = rng->Below(100) < 88 ? 1 + rng->Below(4) + rng->Below(3) : 0;
    for (uint32_t i = 0; i < rows; ++i) {
      const int city = rng->Below(100) < 18 ? other_city() : home;
      uint16_t scheme = kHistory[rng->Below(8)];
      if (scheme == 390) scheme = ResidentMedical(*p, city);
      const uint32_t on = DateBetween(20000101, 20120101, rng);
      const bool interrupted = rng->Below(100) < 4;
      Enrolment* e = Add(p, scheme, interrupted ? DemoState::kInterrupted : DemoState::kTerminated,
                         city, on, scheme == 170 || scheme >= 380 ? 200 : 101);
      if (!interrupted) e->ended_on = DateBetween(20120102, kCutoff, rng);
    }
  }
}

void World::MakeEvidence(Person* p, Rng* rng) const {
  const bool managed = p->management == DemoManagement::kManaged;
  p->student = 0;
  p->full_time = true;
  p->school_until = 0;
  p->died_on = p->prison_from = p->prison_until = 0;
  p->military = p->abroad = p->subsidised = p->card = 0;
  p->military_until = p->returned_on = 0;
  p->permit_on = p->remote_region = 0;
  p->filing_from = p->filing_until = 0;
  p->staffing = false;
  p->settlements = 0;
  if (p->hukou) {
    if (p->management == DemoManagement::kDead) {
      if (rng->Below(100) < 80) p->died_on = p->changed_on;
    } else if (managed && p->age >= 40 && rng->Below(100000) < (p->age >= 70 ? 900u : 100u)) {
      // Died, and the register does not know: 户口待注销.
      p->died_on = DateBetween(20160101, kCutoff, rng);
    }
    if (managed && p->died_on == 0) {
      const uint32_t u = rng->Below(100000);
      if (p->age >= 18 && p->age < 66 && u < 160) {
        p->prison_from = DateBetween(20100101, 20170630, rng);
        const uint32_t v = rng->Below(100);
        p->prison_until = v < 20   ? 0
                          : v < 45 ? DateBetween(p->prison_from, kCutoff, rng)
                                   : DateBetween(20171001, 20221231, rng);
      } else if (p->sex == 1 && p->age >= 18 && p->age < 32 && u < 1900) {
        p->military = 1;
        p->military_from = DateBetween(20140101, 20170630, rng);
        if (rng->Below(100) < 20) p->military_until = DateBetween(20170701, 20171231, rng);
      } else if (p->sex == 2 && p->age >= 22 && p->age < 55 && u < 1800) {
        p->military = 2;
        p->military_from = DateBetween(20110101, 20170630, rng);
      } else if (p->age >= 16 && u >= 2000 && u < 3300) {
        p->abroad = static_cast<uint8_t>(1 + rng->Below(3));
        p->left_on = DateBetween(20110101, 20170630, rng);
        if (rng->Below(100) < 22) p->returned_on = DateBetween(p->left_on, 20171231, rng);
      } else if (p->age >= 6 && p->age <= 23) {
        static constexpr uint8_t kShare[] = {98, 98, 98, 98, 98, 98, 97, 97, 97,
                                             95, 88, 86, 60, 45, 42, 38, 20, 8};
        if (rng->Below(100) < kShare[p->age - 6]) {
          p->stage = p->age < 12   ? 0
                     : p->age < 15 ? 1
                     : p->age < 18 ? (rng->Below(3) == 0 ? 3 : 2)
                     : p->age < 23 ? static_cast<uint8_t>(4 + rng->Below(2))
                                   : 6;
          p->school_from = (2013 + rng->Below(5)) * 10000 + 901;
          const uint32_t v = rng->Below(1000);
          p->student = p->age >= 18 && v < 60 ? 2 : p->age >= 16 && v < 80 ? 3 : 1;
          p->full_time = !(p->age >= 18 && rng->Below(100) < 4);
          // Some lists say when the studies end; a date that has passed ends them.
          if (p->age >= 16 && rng->Below(100) < 30) {
            p->school_until = rng->Below(100) < 5 ? 20170630 : (2018 + rng->Below(3)) * 10000 + 630;
          }
        }
      }
      if (rng->Below(100) < 4) p->subsidised = static_cast<uint8_t>(1 + rng->Below(4));
    }
  } else if (rng->Below(100) < 70) {
    p->permit_on = DateBetween(20140101, 20170831, rng);
  }
  p->card_on = DateBetween(20120101, 20170831, rng);
}

void World::Make(uint64_t index, Person* p) const {
  MakeCore(index, p);
  p->enrolment_count = 0;
  p->wage_count = 0;
  Rng evidence(options_.seed, index, kEvidencePurpose);
  MakeEvidence(p, &evidence);
  Rng rng(options_.seed, index, kEnrolmentPurpose);
  MakeEnrolments(p, &rng);

  // What follows from work and insurance.
  const Enrolment* job = nullptr;
  const Enrolment* medical = nullptr;
  int local = 0;
  for (int i = 0; i < p->enrolment_count; ++i) {
    const Enrolment& e = p->enrolments[i];
    if (e.elsewhere || e.state == DemoState::kTerminated) continue;
    ++local;
    if (e.employer.given() && job == nullptr) job = &e;
    if (e.scheme == 310 || (e.scheme >= 380 && e.scheme < 400)) medical = &e;
  }
  static constexpr uint32_t kOldMonths[] = {201701, 201702, 201703, 201704};
  auto wage_month = [&] {
    const uint32_t v = evidence.Below(100);
    return v < 82 ? 201709u : v < 97 ? 201708u : kOldMonths[v % 4];
  };
  const bool dead = p->died_on != 0 || p->management == DemoManagement::kDead;
  // Wage tax alone tells no birth date: only a citizen number shows that the person is of age.
  const bool free_adult = !dead && p->prison_from == 0 && p->military == 0 && p->abroad == 0 &&
                          p->student == 0 && p->age >= 16 && p->age < 55 && p->id_type == 1;
  const uint32_t wage_share = options_.slim ? 4 : 80;
  if (job != nullptr && EmployerType(job->employer) != 91) {
    if (evidence.Below(100) < wage_share) {
      p->wages[p->wage_count++] = {wage_month(), job->employer};
      if (evidence.Below(1000) < 8) {
        p->wages[p->wage_count++] = {wage_month(), PickEmployer(p->county, 10, &evidence)};
      }
    }
  } else if (free_adult && local == 0 && p->enrolment_count == 0 && evidence.Below(100) < 14) {
    // Employed, but the unit never enrolled the person.
    p->wages[p->wage_count++] = {wage_month(), PickEmployer(p->county, 10, &evidence)};
  }
  const bool managed = p->management == DemoManagement::kManaged;
  if (!options_.slim) {
    if (local > 0 && evidence.Below(100) < 76 && !dead) {
      const uint32_t v = evidence.Below(100);
      p->card = v < 94 ? 1 : v < 97 ? 2 : 3;
    }
    if (medical != nullptr && evidence.Below(1000) < 13) {
      p->remote_on = DateBetween(20150101, 20170831, &evidence);
      const auto n = static_cast<uint32_t>(geography_->foreign_cities.size());
      p->remote_region = evidence.Below(5) == 0 ? geography_->cities[0].code
                                                : geography_->foreign_cities[evidence.Below(n)];
    }
    if (p->hukou && managed && p->permit_on == 0 && evidence.Below(1000) < 8) {
      p->permit_on = DateBetween(20140101, 20170831, &evidence);
    }
  }
  if (options_.extras) {
    if (job != nullptr && evidence.Below(100) < 50) {
      p->filing_from = job->enrolled_on;
      p->filing_employer = job->employer;
      p->filing_until = evidence.Below(100) < 10 ? DateBetween(20170102, 20171231, &evidence) : 0;
      if (p->filing_until == 20170701) p->filing_until = 20170702;
    }
    p->staffing = job != nullptr && job->scheme == 120 && evidence.Below(100) < 90;
    if (medical != nullptr && evidence.Below(100) < 6) {
      p->settlements = evidence.Below(100) < 4 ? 2 : 1;
    }
  }
}

bool World::SupersededNumber(const Person& person, char* id18) const {
  if (person.id_type != 1) return false;
  // The first foreign code of a county is given to nobody else.
  std::memcpy(id18, person.id, 18);
  WriteDigits(id18, geography_->counties[person.county].foreign_codes[0], 6);
  id18[17] = CheckDigit(id18);
  return true;
}

bool World::AlteredBirthNumber(const Person& person, Rng* rng, char* id18) const {
  if (person.id_type != 1) return false;
  const County& county = geography_->counties[person.county];
  for (int attempt = 0; attempt < 20; ++attempt) {
    const int64_t day = static_cast<int64_t>(person.birth_day) - 30 - rng->Below(900);
    if (day < 0) return false;
    const auto d = static_cast<uint32_t>(day);
    // Free when the place that this sequence number has on that day is behind the last person.
    const auto shift = static_cast<uint32_t>(MixBits(d * 131 + county.code) % 1000);
    const uint32_t within = (person.sequence + 1000 - shift) % 1000 * 143 % 1000;  // 7 * 143 = 1001
    if (within < RankStart(county.persons, d + 1) - RankStart(county.persons, d)) continue;
    std::memcpy(id18, person.id, 18);
    WriteDigits(id18 + 6, calendar_[d], 8);
    id18[17] = CheckDigit(id18);
    return true;
  }
  return false;
}

}  // namespace canbao::demo
