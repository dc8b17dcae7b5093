#include "app/demo/geography.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "app/demo/random.h"
#include "identity/division.h"

namespace canbao::demo {
namespace {

struct KnownCounty {
  uint32_t code;
  const char* name;
  std::array<uint32_t, 3> revoked;
};

// GB/T 2260, Zhejiang 2017, three cities; the revoked codes are their counties' earlier ones.
constexpr KnownCounty kKnownCounties[] = {
    {330102, "上城区", {330103, 0, 0}},      {330105, "拱墅区", {330104, 0, 0}},
    {330106, "西湖区", {330101, 0, 0}},      {330108, "滨江区", {0, 0, 0}},
    {330109, "萧山区", {330121, 330181, 0}}, {330110, "余杭区", {330125, 330184, 0}},
    {330111, "富阳区", {330123, 330183, 0}}, {330122, "桐庐县", {0, 0, 0}},
    {330127, "淳安县", {0, 0, 0}},           {330182, "建德市", {330126, 0, 0}},
    {330203, "海曙区", {330202, 0, 0}},      {330205, "江北区", {0, 0, 0}},
    {330206, "北仑区", {330207, 0, 0}},      {330211, "镇海区", {0, 0, 0}},
    {330212, "鄞州区", {330204, 330227, 0}}, {330225, "象山县", {0, 0, 0}},
    {330226, "宁海县", {0, 0, 0}},           {330281, "余姚市", {330219, 0, 0}},
    {330282, "慈溪市", {330222, 0, 0}},      {330302, "鹿城区", {330301, 0, 0}},
    {330303, "龙湾区", {0, 0, 0}},           {330304, "瓯海区", {330321, 0, 0}},
    {330305, "洞头区", {330322, 0, 0}},      {330324, "永嘉县", {0, 0, 0}},
    {330326, "平阳县", {0, 0, 0}},           {330327, "苍南县", {0, 0, 0}},
    {330328, "文成县", {0, 0, 0}},           {330329, "泰顺县", {0, 0, 0}},
    {330381, "瑞安市", {330325, 0, 0}},      {330382, "乐清市", {330323, 0, 0}},
};
constexpr std::pair<uint32_t, const char*> kKnownCities[] = {
    {330100, "杭州市"}, {330200, "宁波市"}, {330300, "温州市"}};

constexpr uint32_t kForeignCounties[] = {
    130102, 130104, 130105, 130202, 130203, 130302, 130402, 130502, 130602, 130702, 130802, 130902,
    140105, 140106, 140107, 140202, 140302, 140402, 140502, 140602, 150102, 150103, 150104, 150202,
    210102, 210103, 210104, 210202, 210203, 210302, 210402, 210502, 220102, 220103, 220104, 220202,
    230102, 230103, 230104, 230202, 230302, 230402, 320102, 320104, 320105, 320205, 320302, 320303,
    320402, 320505, 320506, 320602, 320703, 320803, 340102, 340103, 340104, 340202, 340203, 340302,
    340402, 340503, 340602, 340705, 341126, 341221, 341225, 341226, 341322, 341502, 341503, 341522,
    350102, 350103, 350104, 350203, 350302, 350402, 350502, 350602, 360102, 360103, 360104, 360202,
    360302, 360402, 360502, 360602, 361102, 361121, 361127, 361128, 370102, 370103, 370104, 370202,
    370203, 370302, 370402, 370502, 410102, 410103, 410104, 410202, 410302, 410402, 411302, 411322,
    411503, 411522, 411524, 411602, 411626, 411722, 420102, 420103, 420104, 420202, 420302, 420502,
    420602, 420702, 420802, 420902, 430102, 430103, 430104, 430202, 430302, 430402, 430502, 430602,
    440103, 440104, 440105, 440203, 440303, 440402, 440507, 440604, 450102, 450103, 450105, 450202,
    450302, 450403, 460105, 460106, 460107, 460108, 500101, 500102, 500103, 500104, 510104, 510105,
    510106, 510302, 510402, 510502, 511302, 511321, 520102, 520103, 520111, 520203, 520302, 520402,
    522401, 522422, 530102, 530103, 530111, 530302, 530402, 530502, 610102, 610103, 610104, 610202,
    610302, 610402, 620102, 620103, 620104, 620202, 630102, 630103, 640104, 640105, 650102, 650103};
constexpr uint32_t kForeignCities[] = {320100, 320500, 340100, 340300, 350100, 350200, 360100,
                                       370200, 410100, 420100, 430100, 440100, 440300, 450100,
                                       460100, 510100, 520100, 530100, 610100, 620100, 650100};

constexpr const char* kTowns[] = {"城东街道", "城西街道", "新安镇", "清溪镇",
                                  "石桥镇",   "南湖街道", "云岭乡", "白沙镇"};
constexpr const char* kVillages[] = {"和平社区", "新塘村",   "东湖社区", "李家村", "上坞村",
                                     "桥头村",   "振兴社区", "下洋村",   "沙岸村", "文昌社区"};

void AddVillages(County* county) {
  for (size_t t = 0; t < std::size(kTowns); ++t) {
    for (size_t v = 0; v < std::size(kVillages); ++v) {
      county->villages.push_back({county->code * 1000000ULL + (t + 1) * 1000 + v + 1,
                                  county->name + kTowns[t] + kVillages[v]});
    }
  }
}

Result<Geography> BuiltIn(uint32_t province) {
  if (province != 330000) {
    return Fail(ErrorClass::kEnvironment, "CB-APP-0101",
                Msg("没有 {0} 的行政区划数据", "no division data for {0}", province),
                Msg("请安装 data/divisions，或使用 --province 330000",
                    "install data/divisions or use --province 330000"));
  }
  Geography geo;
  geo.province = province;
  for (const auto& [code, name] : kKnownCities) geo.cities.push_back({code, name});
  for (const KnownCounty& known : kKnownCounties) {
    County county;
    county.code = known.code;
    county.name = known.name;
    county.city = static_cast<int>(known.code / 100 % 100) - 1;
    for (uint32_t code : known.revoked) {
      if (code != 0) county.revoked_codes.push_back(code);
    }
    AddVillages(&county);
    geo.counties.push_back(std::move(county));
  }
  for (size_t i = 0; i < std::size(kForeignCounties); ++i) {
    geo.counties[i % geo.counties.size()].foreign_codes.push_back(kForeignCounties[i]);
  }
  geo.foreign_cities.assign(std::begin(kForeignCities), std::end(kForeignCities));
  return geo;
}

// The division data at the cut-off. Towns and villages are younger than the counties of 2017: a
// county that has none gets invented ones.
Result<Geography> FromTable(const std::string& data_dir, uint32_t province) {
  CANBAO_ASSIGN(const identity::DivisionTable table, identity::DivisionTable::Load(data_dir));
  const Date on = Date::FromYmd(2017, 9, 30);
  Geography geo;
  geo.province = province;
  const uint32_t two_digits = province / 10000;
  // A municipality is one pooling region, whichever "city" its districts are filed under.
  const bool municipality =
      two_digits == 11 || two_digits == 12 || two_digits == 31 || two_digits == 50;
  std::vector<uint32_t> foreign;
  for (uint32_t p = 11; p <= 65; ++p) {
    for (uint32_t city : table.CitiesOf(p * 10000, on)) {
      if (city / 100 % 100 >= 90) continue;  // counties directly under a province: pooled apart
      const std::vector<uint32_t> counties = table.CountiesOf(city, on);
      if (p != two_digits) {
        foreign.insert(foreign.end(), counties.begin(), counties.end());
        const bool plain = p != 11 && p != 12 && p != 31 && p != 50;
        if (plain && city / 100 % 100 <= 6) geo.foreign_cities.push_back(city);
        continue;
      }
      if (geo.cities.empty() || !municipality) {
        geo.cities.push_back({city, table.NameOf(identity::Division{city * 1000000ULL}, on)});
        if (municipality) {
          geo.cities[0].name = table.NameOf(identity::Division{province * 1000000ULL}, on);
        }
      }
      for (uint32_t code : counties) {
        County county;
        county.code = code;
        county.city = static_cast<int>(geo.cities.size()) - 1;
        const identity::Division division{code * 1000000ULL};
        county.name = table.NameOf(division, on);
        for (identity::Division town : table.ChildrenOf(division, on)) {
          int taken = 0;
          for (identity::Division village : table.ChildrenOf(town, on)) {
            if (++taken > 12 || county.villages.size() >= 120) break;
            county.villages.push_back(
                {village.v, county.name + table.NameOf(town, on) + table.NameOf(village, on)});
          }
        }
        if (county.villages.empty()) AddVillages(&county);
        geo.counties.push_back(std::move(county));
      }
    }
  }
  if (geo.counties.empty() || foreign.size() < 2 * geo.counties.size()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0101",
                Msg("没有 {0} 的行政区划数据", "no division data for {0}", province));
  }
  // Codes that were valid once, for the people whose numbers are older.
  for (uint32_t code = province + 101; code < province + 10000; ++code) {
    const identity::Division division{code * 1000000ULL};
    if (code % 100 == 0 || !table.IsKnown(division) || table.IsValid(division, on)) continue;
    const std::vector<uint32_t> successors = table.SuccessorsOf(code, on);
    if (successors.empty()) continue;
    for (County& county : geo.counties) {
      if (county.code == successors[0]) county.revoked_codes.push_back(code);
    }
  }
  for (size_t i = 0; i < foreign.size(); ++i) {
    std::vector<uint32_t>& codes = geo.counties[i % geo.counties.size()].foreign_codes;
    if (codes.size() < 40) codes.push_back(foreign[i]);
  }
  return geo;
}

// Population falls with rank^-0.7: the largest county of ninety has about 7 %, the smallest 0.3 %.
void SharePopulation(uint64_t persons, uint64_t seed, Geography* geo) {
  const size_t n = geo->counties.size();
  std::vector<uint32_t> rank(n);
  std::iota(rank.begin(), rank.end(), 0);
  for (size_t i = n; i > 1; --i) std::swap(rank[i - 1], rank[Rng(seed, i, 1).Below(i)]);
  // Integer table of 2^20 * rank^-0.7, by the recurrence (r/(r+1))^0.7 ~ 1 - 0.7/(r+0.85).
  std::vector<uint64_t> weight(n);
  uint64_t w = 1u << 24;
  uint64_t total = 0;
  for (size_t r = 0; r < n; ++r) {
    weight[r] = w;
    total += w;
    w = w * (100 * (r + 1) + 15) / (100 * (r + 1) + 85);
  }
  uint64_t cumulative = 0;
  uint64_t first = 0;
  uint64_t first_employer = 0;
  for (size_t c = 0; c < n; ++c) {
    County& county = geo->counties[c];
    cumulative += weight[rank[c]];
    const uint64_t end =
        static_cast<uint64_t>(static_cast<unsigned __int128>(persons) * cumulative / total);
    county.first_person = first;
    county.persons = end - first;
    first = end;
    county.first_employer = first_employer;
    county.employers = std::max<uint64_t>(16, county.persons / 40 / 16 * 16);
    first_employer += county.employers;
  }
}

}  // namespace

const County& Geography::CountyOfPerson(uint64_t index) const {
  auto after = std::upper_bound(counties.begin(), counties.end(), index,
                                [](uint64_t i, const County& c) { return i < c.first_person; });
  while (true) {
    --after;
    if (after->persons != 0) return *after;
  }
}

Result<Geography> MakeGeography(const std::string& data_dir, uint32_t province, uint64_t persons,
                                uint64_t seed, int max_cities) {
  CANBAO_ASSIGN(Geography geo,
                data_dir.empty() ? BuiltIn(province) : FromTable(data_dir, province));
  if (static_cast<int>(geo.cities.size()) > max_cities) {
    std::erase_if(geo.counties, [&](const County& c) { return c.city >= max_cities; });
    geo.cities.resize(max_cities);
  }
  SharePopulation(persons, seed, &geo);
  return geo;
}

}  // namespace canbao::demo
