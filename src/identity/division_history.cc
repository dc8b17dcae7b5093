// What happened to divisions: changes recorded beyond the program's tables, the history of a code,
// and the search for one.
#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

#include "identity/division.h"

namespace canbao::identity {
namespace {

constexpr uint64_t kCountyStep = 1000000;
constexpr std::string_view kChangesHeader = "date,kind,code,name,successor,source";

bool CountyOrAbove(Division code) { return code.v % kCountyStep == 0; }

// A CSV field in double quotes where it has to be (RFC 4180).
std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    // One change, one line.
    out += c == '\n' || c == '\r' ? ' ' : c;
    if (c == '"') out += '"';
  }
  return out + '"';
}

// False at a quote that never ends.
bool SplitQuoted(std::string_view line, std::vector<std::string>* fields) {
  fields->assign(1, {});
  bool inside = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (inside) {
      if (c != '"') {
        fields->back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields->back() += '"';
        ++i;
      } else {
        inside = false;
      }
    } else if (c == '"') {
      inside = true;
    } else if (c == ',') {
      fields->emplace_back();
    } else {
      fields->back() += c;
    }
  }
  return !inside;
}

std::string SixDigits(Division code) {
  return code.has_value() ? std::to_string(code.county()) : std::string();
}

auto ChangeOrder(const DivisionChange& c) {
  return std::tuple(c.date, c.code, c.successor, c.kind, c.name, c.source);
}

}  // namespace

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kRename:
      return "rename";
    case ChangeKind::kMerge:
      return "merge";
    case ChangeKind::kSplit:
      return "split";
    case ChangeKind::kAbolish:
      return "abolish";
  }
  return "";
}

std::optional<ChangeKind> ChangeKindFromName(std::string_view name) {
  for (ChangeKind k :
       {ChangeKind::kRename, ChangeKind::kMerge, ChangeKind::kSplit, ChangeKind::kAbolish}) {
    if (ChangeKindName(k) == name) return k;
  }
  return std::nullopt;
}

std::string WriteDivisionChanges(std::vector<DivisionChange> changes) {
  std::sort(changes.begin(), changes.end(), [](const DivisionChange& a, const DivisionChange& b) {
    return ChangeOrder(a) < ChangeOrder(b);
  });
  std::string out(kChangesHeader);
  out += '\n';
  for (const DivisionChange& c : changes) {
    out += c.date.ToIso() + ',' + std::string(ChangeKindName(c.kind)) + ',' + SixDigits(c.code) +
           ',' + Quoted(c.name) + ',' + SixDigits(c.successor) + ',' + Quoted(c.source) + '\n';
  }
  return out;
}

Result<std::vector<DivisionChange>> ParseDivisionChanges(std::string_view csv,
                                                         const std::string& path) {
  std::vector<DivisionChange> out;
  std::vector<std::string> f;
  for (int64_t line = 1; !csv.empty(); ++line) {
    const size_t end = std::min(csv.find('\n'), csv.size());
    const std::string_view text = csv.substr(0, end);
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (text.empty() || text == kChangesHeader) continue;
    DivisionChange c;
    bool good = SplitQuoted(text, &f) && f.size() == 6;
    if (good) {
      const auto kind = ChangeKindFromName(f[1]);
      c.date = ParseIsoDate(f[0]);
      c.kind = kind.value_or(ChangeKind::kRename);
      c.code = ParseDivision(f[2]);
      c.name = f[3];
      c.successor = ParseDivision(f[4]);
      c.source = f[5];
      good = kind && c.date.has_value() && c.code.has_value() &&
             (f[4].empty() || c.successor.has_value());
    }
    if (!good) {
      return Fail(Error{ErrorClass::kEnvironment, "CB-IDENTITY-0002",
                        Msg("区划变更的这一行无法识别",
                            "this line of the changes of divisions is not understood"),
                        Msg("恢复该文件，或重新登记变更", "restore the file, or record them again"),
                        path, line, 0});
    }
    out.push_back(std::move(c));
  }
  return out;
}

void DivisionTable::Apply(std::vector<DivisionChange> changes) {
  std::sort(changes.begin(), changes.end(), [](const DivisionChange& a, const DivisionChange& b) {
    return ChangeOrder(a) < ChangeOrder(b);
  });
  for (const DivisionChange& c : changes) {
    if (!CountyOrAbove(c.code) || !CountyOrAbove(c.successor)) continue;
    const auto year = static_cast<uint16_t>(c.date.year());
    auto end = [&](Division code) {
      for (DivisionRecord& r : records_) {
        if (r.code == code && r.valid_until == 0) r.valid_until = year;
      }
    };
    if (c.kind == ChangeKind::kRename) {
      end(c.code);
      records_.push_back({c.code, c.name, year, 0});
    } else {
      // What keeps its code in a split lives on.
      const bool keeps = std::any_of(changes.begin(), changes.end(), [&](const DivisionChange& o) {
        return o.kind == c.kind && o.code == c.code && o.date == c.date && o.successor == c.code;
      });
      if (!keeps) end(c.code);
      if (c.successor.has_value()) {
        const bool lives = std::any_of(records_.begin(), records_.end(), [&](const auto& r) {
          return r.code == c.successor && r.valid_until == 0;
        });
        if (!lives && !c.name.empty()) records_.push_back({c.successor, c.name, year, 0});
      }
    }
    // A renaming and an abolition stand here for their source; they lead nowhere.
    successions_.push_back({c.code.county(),
                            c.kind == ChangeKind::kRename ? c.code.county() : c.successor.county(),
                            year, How::kRecorded, c.date, c.source});
    Sort();
  }
}

std::vector<DivisionRecord> DivisionTable::RecordsOf(Division code) const {
  std::vector<DivisionRecord> out;
  auto r = std::lower_bound(records_.begin(), records_.end(), code,
                            [](const DivisionRecord& x, Division c) { return x.code < c; });
  for (; r != records_.end() && r->code == code; ++r) out.push_back(*r);
  return out;
}

bool DivisionTable::HasChildren(Division parent, Date on) const {
  return !ChildrenOf(parent, on).empty();
}

std::vector<DivisionChange> DivisionTable::HistoryOf(Division code) const {
  std::vector<DivisionChange> out;
  if (!CountyOrAbove(code)) return out;
  auto first_of = [](uint16_t year) { return Date::FromYmd(year, 1, 1); };
  const uint32_t county = code.county();
  const std::vector<DivisionRecord> records = RecordsOf(code);
  auto recorded = [&](uint32_t from, uint32_t to, uint16_t year) -> const Succession* {
    for (const Succession& s : successions_) {
      if (s.how == How::kRecorded && s.from == from && s.to == to && s.year == year) return &s;
    }
    return nullptr;
  };
  auto add = [&](ChangeKind kind, Division of, std::string name, Division successor, uint16_t year,
                 const Succession* s) {
    DivisionChange c{kind, of, std::move(name), successor, first_of(year), {}, true};
    if (s != nullptr && s->how == How::kRecorded) {
      c.date = s->date;
      c.source = s->source;
      c.year_only = false;
    } else if (s == nullptr) {
      c.source = "GB/T 2260";
    } else if (s->how == How::kRuling) {
      c.source = "data/divisions/rulings.csv";
    } else if (s->how == How::kName) {
      c.source = "GB/T 2260 (同名区划)";
    } else {
      c.source = "统计用区划代码";
    }
    out.push_back(std::move(c));
  };
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].name == records[i - 1].name) continue;
    add(ChangeKind::kRename, code, records[i].name, {}, records[i].valid_from,
        recorded(county, county, records[i].valid_from));
  }
  std::vector<const Succession*> into;
  for (const Succession& s : successions_) {
    if (s.from == s.to) continue;
    if (s.from == county && s.to != 0) into.push_back(&s);
    if (s.to == county) {
      const Division from{s.from * kCountyStep};
      add(ChangeKind::kMerge, from, NameOf(from, {}), code, s.year, &s);
    }
  }
  for (const Succession* s : into) {
    const Division to{s->to * kCountyStep};
    add(into.size() > 1 ? ChangeKind::kSplit : ChangeKind::kMerge, code, NameOf(to, {}), to,
        s->year, s);
  }
  if (!records.empty() && records.back().valid_until != 0 && into.empty()) {
    add(ChangeKind::kAbolish, code, {}, {}, records.back().valid_until,
        recorded(county, 0, records.back().valid_until));
  }
  std::stable_sort(out.begin(), out.end(), [](const DivisionChange& a, const DivisionChange& b) {
    return a.date < b.date;
  });
  return out;
}

std::vector<Division> DivisionTable::Search(std::string_view text, size_t limit) const {
  struct Hit {
    int rank;  // 0 = named exactly so; then by level
    Division code;
    auto operator<=>(const Hit&) const = default;
  };
  std::set<Hit> hits;
  if (text.empty() || limit == 0) return {};
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  auto level = [](uint64_t v) {
    return v % (kCountyStep * 10000) == 0 ? 1
           : v % (kCountyStep * 100) == 0 ? 2
           : v % kCountyStep == 0         ? 3
           : v % 1000 == 0                ? 4
                                          : 5;
  };
  if (digits) {
    if (text.size() > 12) return {};
    uint64_t low = 0;
    std::from_chars(text.data(), text.data() + text.size(), low);
    uint64_t high = low + 1;
    for (size_t i = text.size(); i < 12; ++i) {
      low *= 10;
      high *= 10;
    }
    for (const DivisionRecord& r : records_) {
      if (r.code.v >= low && r.code.v < high) hits.insert({level(r.code.v), r.code});
    }
    for (const Places* places : {&statistical_, &towns_}) {
      auto at = std::lower_bound(places->codes.begin(), places->codes.end(), low);
      for (; at != places->codes.end() && *at < high; ++at) {
        hits.insert({level(*at), Division{*at}});
      }
    }
    if (text.size() > 9) {
      const Places& places = villages();
      auto at = std::lower_bound(places.codes.begin(), places.codes.end(), low);
      for (; at != places.codes.end() && *at < high; ++at) hits.insert({5, Division{*at}});
    }
  } else {
    for (const DivisionRecord& r : records_) {
      if (r.name.find(text) == std::string::npos) continue;
      hits.insert({r.name == text ? 0 : level(r.code.v), r.code});
    }
    for (const Places* places : {&statistical_, &towns_}) {
      const std::string_view all = places->text;
      for (size_t at = all.find(text); at != std::string_view::npos;) {
        const auto next =
            std::upper_bound(places->starts.begin(), places->starts.end(), at);  // behind the name
        const auto i = static_cast<size_t>(next - places->starts.begin()) - 1;
        // Not across the end of a name.
        if (at + text.size() <= places->starts[i + 1]) {
          const uint64_t code = places->codes[i];
          const bool whole = at == places->starts[i] && at + text.size() == places->starts[i + 1];
          hits.insert({whole ? 0 : level(code), Division{code}});
        }
        at = all.find(text, at + 1);
      }
    }
  }
  std::vector<Division> out;
  std::set<Division> seen;
  for (const Hit& hit : hits) {
    if (out.size() == limit) break;
    if (seen.insert(hit.code).second) out.push_back(hit.code);
  }
  return out;
}

}  // namespace canbao::identity
