#include "comparison/score.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"

namespace canbao::comparison {
namespace {

using identity::NameAgreement;
using identity::NameCode;
using identity::Sex;

constexpr Bits kNever = INT32_MIN;

uint64_t SurnameOf(uint64_t name) { return NameCode{name}.is_hash() ? name : name >> 48; }

NameAgreement CompareCodes(uint64_t a, uint64_t b) {
  if (a == b) return NameAgreement::kExact;
  // Names too long for a code are known by their hash alone.
  if (a == 0 || b == 0 || NameCode{a}.is_hash() || NameCode{b}.is_hash()) {
    return NameAgreement::kUnlike;
  }
  identity::FoldedName fa;
  identity::FoldedName fb;
  identity::Unpack(NameCode{a}, &fa);
  identity::Unpack(NameCode{b}, &fb);
  return identity::CompareNames(fa, fb);
}

uint32_t CityOf(uint32_t place) { return place / 100 * 100; }

bool ShareCity(const Profile& a, const Profile& b, uint32_t* city) {
  for (uint32_t x : a.places.all()) {
    for (uint32_t y : b.places.all()) {
      if (CityOf(x) == CityOf(y)) {
        *city = CityOf(x);
        return true;
      }
    }
  }
  return false;
}

// The rarest county that both have; 0 = none. A code of a city is none.
uint32_t SharedCounty(const Profile& a, const Profile& b, const Frequencies& f) {
  uint32_t best = 0;
  uint64_t fewest = UINT64_MAX;
  for (uint32_t x : a.places.all()) {
    if (x % 100 == 0) continue;
    for (uint32_t y : b.places.all()) {
      if (x != y) continue;
      auto it = f.places.find(x);
      uint64_t n = it == f.places.end() ? 1 : it->second;
      if (n < fewest || (n == fewest && x < best)) {
        fewest = n;
        best = x;
      }
    }
  }
  return best;
}

uint64_t CountOf(const std::unordered_map<uint32_t, uint64_t>& map, uint32_t key) {
  auto it = map.find(key);
  return it == map.end() ? 1 : std::max<uint64_t>(it->second, 1);
}

Error BadModel(const std::string& path, std::string_view key) {
  return Error{ErrorClass::kEnvironment,
               "CB-COMPARISON-0011",
               Msg("关联模型有误：{0}", "a linkage model is wrong: {0}", std::string(key)),
               Text{"请恢复发布时的文件。", "restore the file as it was shipped."},
               path,
               0,
               0};
}

}  // namespace

void Frequencies::Add(const Profile& person, bool with_name) {
  ++persons;
  if (with_name) ++names[person.name];
  ++births[person.birth.v];
  // A city is counted once however many of its counties a person has.
  Few<uint32_t, 8> all;
  for (uint32_t place : person.places.all()) {
    all.Add(place);
    all.Add(CityOf(place));
  }
  for (uint32_t place : all.all()) ++places[place];
}

void Frequencies::Merge(const Frequencies& other) {
  persons += other.persons;
  for (auto [k, n] : other.names) names[k] += n;
  for (size_t i = 0; i < births.size(); ++i) births[i] += other.births[i];
  for (auto [k, n] : other.places) places[k] += n;
}

bool IsNear(Date a, Date b) {
  if (!a.has_value() || !b.has_value() || a == b) return false;
  uint32_t x = a.yyyymmdd();
  uint32_t y = b.yyyymmdd();
  bool year = x / 10000 == y / 10000;
  bool month = x / 100 % 100 == y / 100 % 100;
  bool day = x % 100 == y % 100;
  if (year + month + day == 2) return true;
  if (year && x / 100 % 100 == y % 100 && x % 100 == y / 100 % 100) return true;
  if (year && (x % 10000 == 101 || y % 10000 == 101)) return true;
  // A lunar date is 17 to 52 days behind its solar one.
  int apart = static_cast<int>(a.v) - static_cast<int>(b.v);
  apart = apart < 0 ? -apart : apart;
  return apart >= 17 && apart <= 52;
}

bool MayBeTwins(const Profile& a, const Profile& b) {
  return a.name != b.name && (a.tail == 0 || a.tail != b.tail);
}

Bits LinkModel::Score(const Profile& s, const Profile& p, const Frequencies& f) const {
  const uint64_t n = std::max<uint64_t>(f.persons, 1);
  Bits sum = 0;
  auto name = f.names.find(p.name);
  const uint64_t namesakes = name == f.names.end() ? 1 : std::max<uint64_t>(name->second, 1);
  switch (CompareCodes(s.name, p.name)) {
    case NameAgreement::kExact:
      sum += Log2(name_exact_m_ * n, namesakes * 1000000);
      break;
    case NameAgreement::kAlike:
      sum += Log2(name_alike_m_ * n, std::min(namesakes * name_alike_factor_, n) * 1000000);
      break;
    case NameAgreement::kUnlike:
      return kNever;
  }
  if (s.birth.has_value() && p.birth.has_value()) {
    if (s.birth == p.birth) {
      sum += Log2(birth_equal_m_ * n, std::max<uint64_t>(f.births[p.birth.v], 1) * 1000000);
    } else if (IsNear(s.birth, p.birth)) {
      sum += (s.birth_of_number ? number_near_ : birth_near_).bits();
    } else {
      sum += (s.birth_of_number ? number_differ_ : birth_differ_).bits();
    }
  }
  if (s.sex != Sex::kUnknown && p.sex != Sex::kUnknown) {
    sum += s.sex == p.sex ? sex_equal_.bits() : sex_differ_.bits();
  }
  if (s.places.n > 0 && p.places.n > 0) {
    uint32_t city = 0;
    if (uint32_t county = SharedCounty(s, p, f); county != 0) {
      sum += Log2(county_m_ * n, CountOf(f.places, county) * 1000000);
    } else if (ShareCity(s, p, &city)) {
      sum += Log2(city_m_ * n, CountOf(f.places, city) * 1000000);
    } else {
      sum += place_other_.bits();
    }
  }
  auto field = [&sum](bool both, bool equal, const Rates& yes, const Rates& no) {
    if (both) sum += equal ? yes.bits() : no.bits();
  };
  field(s.phones.n > 0 && p.phones.n > 0, s.phones.Meets(p.phones), phone_equal_, phone_differ_);
  field(s.units.n > 0 && p.units.n > 0, s.units.Meets(p.units), unit_equal_, unit_differ_);
  field(s.household != 0 && p.household != 0, s.household == p.household, household_equal_,
        household_differ_);
  field(s.origin != 0 && p.origin != 0, s.origin == p.origin, origin_equal_, origin_differ_);
  field(s.tail != 0 && p.tail != 0, s.tail == p.tail, tail_equal_, tail_differ_);
  return sum;
}

Result<std::shared_ptr<const LinkModel>> LinkModel::Load(const std::string& data_dir, Date cutoff) {
  const std::string folder = data_dir + "/linkage";
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::shared_ptr<LinkModel> newest;
  Date newest_from;
  for (const std::string& path : files) {
    CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
    toml::parse_result parsed;
    try {
      parsed = toml::parse(text);
    } catch (const toml::parse_error& e) {
      return Fail(BadModel(path, e.description()));
    }
    auto from = parsed["from"].value<toml::date>();
    if (!from) return Fail(BadModel(path, "from"));
    Date begins = Date::FromYmd(from->year, from->month, from->day);
    if (begins > cutoff || (newest != nullptr && begins <= newest_from)) continue;
    auto model = std::make_shared<LinkModel>();
    std::string missing;
    auto number = [&](const char* table, const std::string& key, int64_t low, int64_t high) {
      auto v = parsed[table][key].value<int64_t>();
      if (!v || *v < low || *v > high) {
        if (missing.empty()) missing = std::string(table) + "." + key;
        return int64_t{1};
      }
      return *v;
    };
    auto share = [&](const char* table, const std::string& key) {
      return static_cast<uint64_t>(number(table, key, 1, 999999));
    };
    auto rates = [&](const char* table, const std::string& level) {
      return Rates{share(table, level + "_m"), share(table, level + "_u")};
    };
    auto bits = [&](const char* key) {
      return static_cast<Bits>(number("decision", key, -100000, 100000));
    };
    model->name_exact_m_ = share("name", "exact_m");
    model->name_alike_m_ = share("name", "alike_m");
    model->name_alike_factor_ = share("name", "alike_u_factor");
    model->birth_equal_m_ = share("birth", "equal_m");
    model->birth_near_ = rates("birth", "near");
    model->birth_differ_ = rates("birth", "differ");
    model->number_near_ = rates("birth", "number_near");
    model->number_differ_ = rates("birth", "number_differ");
    model->sex_equal_ = rates("sex", "equal");
    model->sex_differ_ = rates("sex", "differ");
    model->county_m_ = share("place", "county_m");
    model->city_m_ = share("place", "city_m");
    model->place_other_ = rates("place", "other");
    model->phone_equal_ = rates("phone", "equal");
    model->phone_differ_ = rates("phone", "differ");
    model->unit_equal_ = rates("unit", "equal");
    model->unit_differ_ = rates("unit", "differ");
    model->household_equal_ = rates("household", "equal");
    model->household_differ_ = rates("household", "differ");
    model->origin_equal_ = rates("origin", "equal");
    model->origin_differ_ = rates("origin", "differ");
    model->tail_equal_ = rates("tail", "equal");
    model->tail_differ_ = rates("tail", "differ");
    model->prior_no_number_ = share("prior", "no_number");
    model->prior_unverified_ = share("prior", "unverified");
    model->accept_ = bits("accept");
    model->false_per_million_ =
        static_cast<uint64_t>(number("decision", "false_per_million", 1, 1000));
    model->review_ = bits("review");
    if (!missing.empty()) return Fail(BadModel(path, missing));
    model->version_ = std::filesystem::path(path).filename().string() +
                      " sha256:" + Sha256Hex(text).substr(0, 16);
    newest = std::move(model);
    newest_from = begins;
  }
  if (newest == nullptr) return Fail(BadModel(folder, "*.toml"));
  return std::shared_ptr<const LinkModel>(newest);
}

void BlockingKeys(const Profile& p, bool seeks, std::vector<uint64_t>* keys) {
  keys->clear();
  if (p.name == 0) return;
  const uint64_t surname = SurnameOf(p.name);
  auto add = [keys](uint64_t rule, uint64_t a, uint64_t b, uint64_t c = 0) {
    keys->push_back(HashKey(HashKey(HashKey(rule * 0x9E3779B97F4A7C15ull ^ a) ^ b) ^ c));
  };
  if (p.birth.has_value()) add(1, p.name, p.birth.v);
  Few<uint32_t, 4> cities;
  for (uint32_t place : p.places.all()) cities.Add(CityOf(place));
  for (uint32_t city : cities.all()) {
    if (!seeks || !p.birth.has_value()) add(10, p.name, city);
    if (!p.birth.has_value()) continue;
    add(2, surname, p.birth.v, city);
    add(3, p.name, static_cast<uint64_t>(p.birth.year()), city);
  }
  for (uint16_t phone : p.phones.all()) add(4, surname, phone);
  for (uint16_t unit : p.units.all()) add(5, p.name, unit);
  if (p.origin != 0 && p.birth.has_value()) add(6, surname, p.origin, p.birth.v);
  if (p.household != 0) add(7, p.name, p.household);
  if (p.origin != 0) add(8, p.name, p.origin);
  if (p.origin != 0 && p.tail != 0) add(9, surname, p.origin, p.tail);
}

}  // namespace canbao::comparison
