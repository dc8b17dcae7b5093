#include "comparison/link/profile.h"

#include <algorithm>
#include <bit>
#include <string>

#include "identity/sound.h"

namespace canbao::comparison {
namespace {

using identity::NameCode;

uint64_t SurnameOf(uint64_t name) { return NameCode{name}.is_hash() ? name : name >> 48; }

// The characters of a name in any order.
uint64_t CharactersOf(uint64_t name) {
  if (NameCode{name}.is_hash()) return name;
  std::array<uint16_t, 4> c{};
  for (size_t i = 0; i < c.size(); ++i) c[i] = static_cast<uint16_t>(name >> (16 * i));
  std::sort(c.begin(), c.end());
  uint64_t out = 0;
  for (uint16_t v : c) out = out << 16 | v;
  return out;
}

}  // namespace

void AddNumber(uint64_t key, Profile* out) {
  identity::PersonNumber number{key};
  if (!number.is_citizen()) return;
  out->origin = identity::AddressCodeOf(number);
  out->tail = static_cast<uint16_t>(key % 1000 + 1);
}

void AddRow(const Packed& p, Profile* out) {
  out->phones.Add(p.phone);
  if (HasEnrolment(p.kind)) {
    EnrolmentFields f = DecodeEnrolment(p);
    if (f.region % 10000 != 0) out->places.Add(f.region);
    if (uint32_t county = Employer{f.employer, 0}.county(); county % 10000 != 0) {
      out->places.Add(county);
    }
    out->units.Add(p.unit);
  } else if (IsRegister(p.kind)) {
    out->places.Add(identity::Division{DecodeRegister(p).hukou}.county());
    out->household = p.unit;
  } else {
    EvidenceFields f = DecodeEvidence(p);
    if (f.evidence == scheme::EvidenceKind::kResidence ||
        f.evidence == scheme::EvidenceKind::kCard ||
        f.evidence == scheme::EvidenceKind::kRemoteMedical) {
      uint32_t place = identity::Division{f.code}.county();
      if (place % 10000 != 0) out->places.Add(place);
    }
    out->units.Add(p.unit);
  }
}

bool PersonOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out) {
  std::span<const Record> rows = groups.rows();
  const identity::PersonNumber number{groups.key()};
  *out = Profile{};
  out->first = rows[0].order();
  if (r.has_person) {
    if (!r.confirmed) return false;
    out->first = rows[static_cast<size_t>(r.reference)].order();
    out->name = rows[static_cast<size_t>(r.reference)].name;
    out->birth = r.birth;
    out->sex = r.sex;
  } else {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (outcomes[i] != Outcome::kUnlinked || rows[i].kind == kSuperseded ||
          rows[i].name != rows[0].name) {
        return false;
      }
    }
    out->nobody_yet = true;
    out->name = rows[0].name;
    out->birth = identity::BirthDateOf(number);
    out->sex = identity::SexOf(number);
  }
  out->key = groups.key();
  out->by_number = true;
  AddNumber(groups.key(), out);
  uint16_t first = 0;
  bool any = false;
  out->verified = r.in_register;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (outcomes[i] == Outcome::kConflict) continue;
    AddRow(*rows[i].packed, out);
    if (rows[i].name != out->name) continue;
    // In two files under one name: what one agency mistyped another would not.
    if (any && rows[i].extract != first) out->verified = true;
    first = any ? first : rows[i].extract;
    any = true;
  }
  return true;
}

const Packed* OnlyRegisterRow(std::span<const Packed* const> packed) {
  const Packed* reg = nullptr;
  for (const Packed* p : packed) {
    if (!IsRegister(p->kind)) continue;
    if (reg != nullptr) return nullptr;
    reg = p;
  }
  return reg;
}
void RegisteredPersonOf(const Groups& groups, const Packed& reg, Profile* out) {
  const identity::PersonNumber number{groups.key()};
  *out = Profile{};
  out->key = groups.key();
  out->first = groups.OrderOf(reg);
  out->name = reg.name;
  out->birth = reg.birth != 0 ? Date{reg.birth} : identity::BirthDateOf(number);
  out->sex = reg.sex() != identity::Sex::kUnknown ? reg.sex() : identity::SexOf(number);
  out->verified = out->by_number = true;
  AddNumber(groups.key(), out);
  for (const Packed* p : groups.packed()) {
    if (p->kind < kSuperseded && p->name == reg.name) AddRow(*p, out);
  }
}

bool MaySeek(std::span<const Packed* const> packed) {
  return std::all_of(packed.begin(), packed.end(), [first = packed[0]](const Packed* p) {
    return !IsRegister(p->kind) &&
           (p->kind >= kSuperseded || (p->extract == first->extract && p->name == first->name) ||
            first->kind >= kSuperseded);
  });
}

bool SeekerOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out) {
  std::span<const Record> rows = groups.rows();
  if (r.in_register || rows.empty() || !identity::PersonNumber{groups.key()}.is_citizen() ||
      IsProvisionalKey(groups.key())) {
    return false;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (outcomes[i] == Outcome::kConflict || outcomes[i] == Outcome::kNone) return false;
    if (rows[i].kind == kSuperseded || rows[i].extract != rows[0].extract ||
        rows[i].name != rows[0].name) {
      return false;
    }
  }
  *out = Profile{};
  out->key = groups.key();
  out->name = rows[0].name;
  out->birth = rows[0].birth;
  if (!out->birth.has_value()) {
    out->birth = identity::BirthDateOf(identity::PersonNumber{out->key});
    out->birth_of_number = true;
  }
  out->sex = rows[0].sex != identity::Sex::kUnknown
                 ? rows[0].sex
                 : identity::SexOf(identity::PersonNumber{out->key});
  out->by_number = true;
  AddNumber(out->key, out);
  out->first = rows[0].order();
  out->rows = static_cast<uint32_t>(rows.size());
  out->makes_person = r.has_person;
  for (const Record& row : rows) AddRow(*row.packed, out);
  if (r.has_person && groups.master() == 0) {
    out->maker = rows[static_cast<size_t>(r.maker)].order();
  }
  return true;
}

Profile SeekerOf(std::span<const Record> rows) {
  Profile out;
  out.key = rows[0].key;
  out.name = rows[0].name;
  out.birth = rows[0].birth;
  out.sex = rows[0].sex;
  out.first = rows[0].order();
  out.rows = static_cast<uint32_t>(rows.size());
  for (const Record& row : rows) {
    AddRow(*row.packed, &out);
    out.makes_person |= extract::MakesPerson(static_cast<extract::Kind>(row.kind));
    // What is left of a damaged number.
    std::string_view text = row.Text(TextTag::kIdNumber);
    auto digits = [&text](size_t from, size_t n) {
      uint32_t v = 0;
      for (size_t i = from; i < from + n; ++i) {
        if (text[i] < '0' || text[i] > '9') return UINT32_MAX;
        v = v * 10 + static_cast<uint32_t>(text[i] - '0');
      }
      return v;
    };
    if (row.number_class != identity::NumberClass::kDamaged) continue;
    // 3.30127E+17 and longer: the first digits are still there.
    std::string mantissa;
    if (text.size() > 8 && text[1] == '.' && (text.ends_with("E+17") || text.ends_with("e+17"))) {
      mantissa = std::string(1, text[0]) + std::string(text.substr(2, text.size() - 6));
      text = mantissa;
      if (text.size() >= 6) {
        if (uint32_t origin = digits(0, 6); origin != UINT32_MAX) out.origin = origin;
      }
      if (text.size() >= 14 && !out.birth.has_value()) {
        uint32_t day = digits(6, 8);
        if (day != UINT32_MAX &&
            IsRealDay(static_cast<int>(day / 10000), static_cast<int>(day / 100 % 100),
                      static_cast<int>(day % 100))) {
          out.birth = Date::FromYmd(static_cast<int>(day / 10000),
                                    static_cast<int>(day / 100 % 100), static_cast<int>(day % 100));
          out.birth_of_number = true;
        }
      }
      continue;
    }
    if (text.size() != 18) continue;
    if (uint32_t origin = digits(0, 6); origin != UINT32_MAX) out.origin = origin;
    if (uint32_t tail = digits(14, 3); tail != UINT32_MAX && !text.ends_with("000")) {
      out.tail = static_cast<uint16_t>(tail + 1);
    }
  }
  return out;
}

bool MayBeTwins(const Profile& a, const Profile& b) {
  return a.name != b.name && (a.tail == 0 || a.tail != b.tail);
}

const std::array<BlockingRule, kBlockingRules>& BlockingRules() {
  static constexpr std::array<BlockingRule, kBlockingRules> kRules = {
      {{"姓名用字、出生日期", "characters of the name, birth date"},
       {"姓、出生日期、市", "surname, birth date, city"},
       {"姓名、出生年、市", "name, birth year, city"},
       {"电话、姓", "telephone, surname"},
       {"姓名、用人单位", "name, employer"},
       {"号码前六位、出生日期、姓", "first six digits, birth date, surname"},
       {"姓名、户号", "name, household"},
       {"姓名、号码前六位", "name, first six digits"},
       {"姓、号码前六位、末四位", "surname, first six and last digits"},
       // For those who look for their person and say no birth date, nobody else.
       {"姓名、市", "name, city"},
       {"姓、出生日期、号码末四位", "surname, birth date, last digits"},
       {"同音、出生月、市", "name by its sound, birth month, city"}}};
  return kRules;
}

void BlockingKeys(const Profile& p, bool seeks, std::vector<BlockingKey>* keys) {
  keys->clear();
  if (p.name == 0) return;
  // Every person of a province passes here. Each value is hashed once; a key is made of hashes by
  // one multiplication.
  const uint64_t name = HashKey(p.name);
  const uint64_t surname = HashKey(SurnameOf(p.name) + 1);
  auto add = [keys](uint8_t rule, uint64_t a, uint64_t b, uint64_t c = 0) {
    uint64_t k = (a ^ std::rotl(b, 21) ^ std::rotl(c, 42)) * (0x9E3779B97F4A7C15ull + 2ull * rule);
    keys->push_back({k ^ k >> 32, rule});
  };
  const bool dated = p.birth.has_value();
  const uint64_t birth = HashKey(p.birth.v + 0x10000u);
  const uint64_t origin = HashKey(p.origin + 0x100000000ull);
  const uint64_t tail = HashKey(p.tail + 0x200000000ull);
  uint64_t sound = 0;
  uint64_t year = 0;
  uint64_t month = 0;
  if (dated) {
    add(0, HashKey(CharactersOf(p.name) + 2), birth);
    sound = HashKey(identity::SoundOf(NameCode{p.name}) + 3);
    const uint32_t ymd = p.birth.yyyymmdd();
    year = HashKey(ymd / 10000);
    month = HashKey(ymd / 100);
  }
  Few<uint32_t, 4> cities;
  for (uint32_t place : p.places.all()) cities.Add(CityOf(place));
  for (uint32_t code : cities.all()) {
    const uint64_t city = HashKey(code + 0x300000000ull);
    if (!seeks || !dated) add(9, name, city);
    if (!dated) continue;
    add(1, surname, birth, city);
    add(2, name, year, city);
    add(11, sound, month, city);
  }
  for (uint16_t phone : p.phones.all()) add(3, surname, HashKey(phone + 0x400000000ull));
  for (uint16_t unit : p.units.all()) add(4, name, HashKey(unit + 0x500000000ull));
  if (p.origin != 0 && dated) add(5, surname, origin, birth);
  if (p.household != 0) add(6, name, HashKey(p.household + 0x600000000ull));
  if (p.origin != 0) add(7, name, origin);
  if (p.origin != 0 && p.tail != 0) add(8, surname, origin, tail);
  if (dated && p.tail != 0) add(10, surname, birth, tail);
}

}  // namespace canbao::comparison
