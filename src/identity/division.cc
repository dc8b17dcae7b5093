#include "identity/division.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <utility>

namespace canbao::identity {
namespace {

constexpr uint64_t kVillage = 1;
constexpr uint64_t kTown = 1000;
constexpr uint64_t kCounty = 1000000;

// The lowest level that `code` speaks of, as the value of one step at that level.
uint64_t LevelOf(Division code) {
  if (code.v % kTown != 0) return kVillage;
  if (code.v % kCounty != 0) return kTown;
  if (code.county() % 100 != 0) return kCounty;
  if (code.county() % 10000 != 0) return kCounty * 100;
  return kCounty * 10000;
}

// Names that GB/T 2260 gives to what is no place: the districts of a city taken together.
bool IsCollective(std::string_view name) {
  return name == "市辖区" || name == "县" || name.starts_with("省直辖县级") ||
         name.starts_with("自治区直辖县级");
}

// Missing = the newest.
int YearOf(Date on) { return on.has_value() ? on.year() : 9999; }

bool HoldsIn(const DivisionRecord& r, int year) {
  return r.valid_from <= year && (r.valid_until == 0 || year < r.valid_until);
}

std::string_view NextLine(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> out;
  for (size_t at = 0;;) {
    const size_t comma = line.find(',', at);
    out.push_back(line.substr(at, comma - at));
    if (comma == std::string_view::npos) return out;
    at = comma + 1;
  }
}

template <typename T>
bool ParseInteger(std::string_view text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

tl::unexpected<Error> Unreadable(const std::string& path) {
  return Fail(
      Error{ErrorClass::kEnvironment, "CB-IDENTITY-0001",
            Msg("无法读取区划表", "cannot read a table of divisions"),
            Msg("检查安装目录下的 data/divisions", "check data/divisions of the installation"),
            path, 0, 0});
}

tl::unexpected<Error> Malformed(const std::string& path, int64_t line) {
  return Fail(Error{
      ErrorClass::kEnvironment, "CB-IDENTITY-0002",
      Msg("区划表的这一行无法识别", "this line of a table of divisions is not understood"),
      Msg("恢复随程序发布的文件", "restore the file that came with the program"), path, line, 0});
}

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Unreadable(path);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad()) return Unreadable(path);
  return text;
}

// Calls `row(fields)` for every line of a CSV below its comments and its header; false = malformed.
template <typename F>
Status ForEachRow(const std::string& path, F row) {
  CANBAO_ASSIGN(std::string whole, ReadWhole(path));
  std::string_view text = whole;
  bool header = true;
  for (int64_t line = 1; !text.empty(); ++line) {
    const std::string_view l = NextLine(&text);
    if (l.empty() || l[0] == '#') continue;
    if (!header && !row(Fields(l))) return Malformed(path, line);
    header = false;
  }
  return {};
}

// The whole of a gzip file; empty when there is none or it is damaged.
std::string ReadGzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  gzbuffer(file, 1 << 18);
  std::string text;
  std::string block(1 << 20, '\0');
  int n = 0;
  while ((n = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    text.append(block.data(), static_cast<size_t>(n));
  }
  if (gzclose(file) != Z_OK || n < 0) text.clear();
  return text;
}

}  // namespace

struct DivisionTable::LazyVillages {
  std::string path;
  std::once_flag once;
  Places places;
};

Division ParseDivision(std::string_view digits) {
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  const size_t n = digits.size();
  if (n != 2 && n != 4 && n != 6 && n != 9 && n != 12) return {};
  uint64_t v = 0;
  for (size_t i = 0; i < 12; ++i) {
    const char c = i < n ? digits[i] : '0';
    if (c < '0' || c > '9') return {};
    v = v * 10 + static_cast<uint64_t>(c - '0');
  }
  return v / (kCounty * 10000) < 10 ? Division{} : Division{v};
}

std::string_view DivisionTable::Places::NameOf(uint64_t code) const {
  const auto found = std::lower_bound(codes.begin(), codes.end(), code);
  if (found == codes.end() || *found != code) return {};
  const size_t i = static_cast<size_t>(found - codes.begin());
  return std::string_view(text).substr(starts[i], starts[i + 1] - starts[i]);
}

bool DivisionTable::Places::Add(uint64_t code, std::string_view name) {
  if (!codes.empty() && code <= codes.back()) return false;
  codes.push_back(code);
  starts.push_back(static_cast<uint32_t>(text.size()));
  text += name;
  return true;
}

void DivisionTable::Places::Finish() { starts.push_back(static_cast<uint32_t>(text.size())); }

// towns.txt and villages.txt: a line of `digits` digits opens a parent; below it lines of three
// digits and a name.
Result<DivisionTable::Places> DivisionTable::ParsePlaces(std::string_view text,
                                                         const std::string& path, size_t digits) {
  Places out;
  out.text.reserve(text.size());
  uint64_t parent = 0;
  const uint64_t step = digits == 6 ? kTown : kVillage;
  for (int64_t line = 1; !text.empty(); ++line) {
    const std::string_view l = NextLine(&text);
    if (l.empty() || l[0] == '#') continue;
    uint64_t number = 0;
    if (l.size() == digits && ParseInteger(l, &number)) {
      parent = number;
      continue;
    }
    if (l.size() < 4 || parent == 0 || !ParseInteger(l.substr(0, 3), &number)) {
      return Malformed(path, line);
    }
    const uint64_t code = (parent * 1000 + number) * step;
    if (!out.Add(code, l.substr(3))) return Malformed(path, line);
  }
  out.Finish();
  return out;
}

Result<DivisionTable> DivisionTable::Load(const std::string& data_dir) {
  const std::string dir = data_dir + "/divisions/";
  DivisionTable table;
  CANBAO_TRY(ForEachRow(dir + "divisions.csv", [&](const std::vector<std::string_view>& f) {
    uint32_t code = 0;
    DivisionRecord r{};
    if (f.size() != 4 || f[0].size() != 6 || !ParseInteger(f[0], &code) || f[1].empty() ||
        !ParseInteger(f[2], &r.valid_from) || !ParseInteger(f[3], &r.valid_until)) {
      return false;
    }
    r.code = Division{code * kCounty};
    r.name = f[1];
    table.records_.push_back(std::move(r));
    return true;
  }));
  CANBAO_TRY(ForEachRow(dir + "succession.csv", [&](const std::vector<std::string_view>& f) {
    Succession s{};
    if (f.size() != 4 || !ParseInteger(f[0], &s.from) || !ParseInteger(f[1], &s.to) ||
        !ParseInteger(f[2], &s.year)) {
      return false;
    }
    s.how = f[3] == "name" ? How::kName : f[3] == "alias" ? How::kAlias : How::kRuling;
    table.successions_.push_back(std::move(s));
    return true;
  }));
  table.Sort();
  CANBAO_TRY(ForEachRow(dir + "statistical.csv", [&](const std::vector<std::string_view>& f) {
    uint32_t code = 0;
    if (f.size() != 2 || !ParseInteger(f[0], &code)) return false;
    return table.statistical_.Add(code * kCounty, f[1]);
  }));
  table.statistical_.Finish();
  CANBAO_ASSIGN(const std::string towns, ReadWhole(dir + "towns.txt"));
  CANBAO_ASSIGN(table.towns_, ParsePlaces(towns, dir + "towns.txt", 6));
  table.villages_ = std::make_shared<LazyVillages>();
  table.villages_->path = dir + "villages.txt.gz";
  return table;
}

void DivisionTable::Sort() {
  std::stable_sort(records_.begin(), records_.end(),
                   [](const DivisionRecord& a, const DivisionRecord& b) {
                     return std::pair(a.code, a.valid_from) < std::pair(b.code, b.valid_from);
                   });
  std::stable_sort(successions_.begin(), successions_.end(),
                   [](const Succession& a, const Succession& b) {
                     return std::pair(a.from, a.to) < std::pair(b.from, b.to);
                   });
}

const DivisionTable::Places& DivisionTable::villages() const {
  LazyVillages& lazy = *villages_;
  std::call_once(lazy.once, [&] {
    auto places = ParsePlaces(ReadGzip(lazy.path), lazy.path, 9);
    if (places) lazy.places = std::move(*places);
  });
  return lazy.places;
}

// The record in force at `on`; else the newest one.
const DivisionRecord* DivisionTable::RecordAt(Division code, Date on) const {
  const auto first =
      std::lower_bound(records_.begin(), records_.end(), code,
                       [](const DivisionRecord& r, Division c) { return r.code < c; });
  const DivisionRecord* found = nullptr;
  for (auto r = first; r != records_.end() && r->code == code; ++r) {
    if (found == nullptr || HoldsIn(*r, YearOf(on)) || !HoldsIn(*found, YearOf(on))) found = &*r;
  }
  return found;
}

std::string DivisionTable::NameOf(Division code, Date on) const {
  switch (LevelOf(code)) {
    case kVillage:
      return std::string(villages().NameOf(code.v));
    case kTown:
      return std::string(towns_.NameOf(code.v));
    default: {
      const DivisionRecord* r = RecordAt(code, on);
      return r == nullptr ? std::string(statistical_.NameOf(code.v)) : r->name;
    }
  }
}

std::string DivisionTable::FullNameOf(Division code, Date on) const {
  std::string out;
  uint64_t last = 0;
  for (uint64_t step : {kCounty * 10000, kCounty * 100, kCounty, kTown, kVillage}) {
    const uint64_t ancestor = code.v / step * step;
    if (ancestor == last || ancestor == 0) continue;
    last = ancestor;
    const std::string name = NameOf(Division{ancestor}, on);
    if (!IsCollective(name)) out += name;
  }
  return out;
}

bool DivisionTable::IsKnown(Division code) const { return !NameOf(code, {}).empty(); }

bool DivisionTable::IsValid(Division code, Date on) const {
  const uint64_t level = LevelOf(code);
  if (level < kCounty) {
    return IsKnown(code) && IsValid(Division{code.v / kCounty * kCounty}, on);
  }
  const int year = YearOf(on);
  const auto first =
      std::lower_bound(records_.begin(), records_.end(), code,
                       [](const DivisionRecord& r, Division c) { return r.code < c; });
  for (auto r = first; r != records_.end() && r->code == code; ++r) {
    // In the year of the change the old code is still in use.
    if (HoldsIn(*r, year) || r->valid_until == year) return true;
  }
  return !statistical_.NameOf(code.v).empty();
}

std::vector<uint32_t> DivisionTable::SuccessorsOf(uint32_t county, Date on) const {
  std::set<uint32_t> out;
  std::set<uint32_t> seen;
  std::vector<uint32_t> open = {county};
  while (!open.empty()) {
    const uint32_t code = open.back();
    open.pop_back();
    if (!seen.insert(code).second) continue;
    const Division division{code * kCounty};
    const DivisionRecord* r = RecordAt(division, on);
    if (r != nullptr && HoldsIn(*r, YearOf(on))) {
      out.insert(code);
      continue;
    }
    auto s = std::lower_bound(successions_.begin(), successions_.end(), code,
                              [](const Succession& x, uint32_t c) { return x.from < c; });
    for (; s != successions_.end() && s->from == code; ++s) {
      if (s->year <= YearOf(on)) open.push_back(s->to);
    }
  }
  return {out.begin(), out.end()};
}

// Codes in [first, last] that are multiples of `step` and in force at `on`.
std::vector<uint32_t> DivisionTable::ListBetween(uint32_t first, uint32_t last, uint32_t step,
                                                 Date on) const {
  std::vector<uint32_t> out;
  auto r = std::lower_bound(records_.begin(), records_.end(), Division{first * kCounty},
                            [](const DivisionRecord& x, Division c) { return x.code < c; });
  for (; r != records_.end() && r->code.county() <= last; ++r) {
    const uint32_t code = r->code.county();
    if (code % step != 0 || !HoldsIn(*r, YearOf(on))) continue;
    if (step == 1 && (code % 100 == 0 || IsCollective(r->name))) continue;
    if (out.empty() || out.back() != code) out.push_back(code);
  }
  return out;
}

std::vector<uint32_t> DivisionTable::CitiesOf(uint32_t province, Date on) const {
  return ListBetween(province / 10000 * 10000 + 100, province / 10000 * 10000 + 9999, 100, on);
}

std::vector<uint32_t> DivisionTable::CountiesOf(uint32_t city, Date on) const {
  return ListBetween(city / 100 * 100 + 1, city / 100 * 100 + 99, 1, on);
}

std::vector<Division> DivisionTable::ChildrenOf(Division parent, Date on) const {
  std::vector<Division> out;
  const uint64_t level = parent.has_value() ? LevelOf(parent) : 0;
  if (level > kCounty || level == 0) {
    const uint32_t code = parent.county();
    for (uint32_t child : level == 0               ? ListBetween(100000, 999999, 10000, on)
                          : level == kCounty * 100 ? CountiesOf(code, on)
                                                   : CitiesOf(code, on)) {
      out.push_back(Division{child * kCounty});
    }
    // A few cities (东莞, 中山, 儋州, 嘉峪关) have towns and no counties.
    if (!out.empty() || level != kCounty * 100) return out;
  }
  if (level == kVillage) return out;
  const Places& places = level == kTown ? villages() : towns_;
  const uint64_t end = parent.v + std::min(level, kCounty);
  auto code = std::upper_bound(places.codes.begin(), places.codes.end(), parent.v);
  for (; code != places.codes.end() && *code < end; ++code) out.push_back(Division{*code});
  return out;
}

}  // namespace canbao::identity
