// Home: how far the division is, part by part, and what waits for the caller. Figures only, never
// people: it is the page that everybody opens first.
#include <boost/json.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/api/divisions_known.h"
#include "service/api/figure_pages.h"
#include "service/api/tiles.h"
#include "service/api/waiting.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using reporting::Figures;
using reporting::FiguresSource;
using reporting::kForm21;
using reporting::Level;

struct HomeBranch {
  const char* key;
  Text label;
  int uncovered;     // column of form 2-1
  int cross_scheme;  // 0 = none
  int cross_region;
};

const std::vector<HomeBranch>& HomeBranches() {
  static const std::vector<HomeBranch> branches = {
      {"pension", {"养老保险", "Pension"}, 7, 8, 10},
      {"medical", {"医疗保险", "Medical"}, 16, 17, 19},
      {"work_injury", {"工伤保险", "Work injury"}, 23, 0, 0},
      {"unemployment", {"失业保险", "Unemployment"}, 24, 0, 0},
      {"maternity", {"生育保险", "Maternity"}, 25, 0, 0}};
  return branches;
}

json::value CountOrNull(std::optional<int64_t> value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// A step of the funnel, of the figures of one cut-off; nothing where that is not known.
using Measure = std::optional<int64_t> (*)(const Figures&);

std::optional<int64_t> Cell(const Figures& f, int column) { return f.Get(kForm21, column); }

std::optional<int64_t> Registered(const Figures& f) {
  if (!Cell(f, 2)) return std::nullopt;
  return Cell(f, 2).value_or(0) + Cell(f, 4).value_or(0) + Cell(f, 6).value_or(0);
}

struct FunnelStep {
  const char* key;
  Text label;
  Measure measure;
  const char* column;  // of form 2-1, where a click leads; null = none
};

const std::vector<FunnelStep>& FunnelSteps() {
  static const std::vector<FunnelStep> steps = {
      {"resident_population",
       {"常住人口", "Resident population"},
       [](const Figures& f) { return f.Named("resident_population"); },
       nullptr},
      {"compared",
       {"已比对", "Compared"},
       [](const Figures& f) { return f.Named("compared_internal"); },
       nullptr},
      {"registered", {"已登记入库", "Registered"}, Registered, nullptr},
      {"to_verify", {"需调查核实", "To verify"}, [](const Figures& f) { return Cell(f, 5); }, "5"},
      {"uncovered_pension",
       {"养老应参未参", "Uncovered by pension"},
       [](const Figures& f) { return Cell(f, 7); },
       "7"},
      {"uncovered_medical",
       {"医疗应参未参", "Uncovered by medical"},
       [](const Figures& f) { return Cell(f, 16); },
       "16"}};
  return steps;
}

json::array FunnelJson(const std::optional<Figures>& now, const std::optional<Figures>& before) {
  json::array out;
  for (const FunnelStep& s : FunnelSteps()) {
    out.push_back(json::object{
        {"key", s.key},
        {"label", TextJson(s.label)},
        {"value", CountOrNull(now ? s.measure(*now) : std::nullopt)},
        {"previous", CountOrNull(before ? s.measure(*before) : std::nullopt)},
        {"form", s.column == nullptr ? json::value(nullptr) : json::value("2-1")},
        {"column", s.column == nullptr ? json::value(nullptr) : json::value(s.column)}});
  }
  return out;
}

json::array BranchesJson(const std::optional<Figures>& now, const std::optional<Figures>& before) {
  json::array out;
  if (!now) return out;
  for (const HomeBranch& b : HomeBranches()) {
    out.push_back(json::object{
        {"branch", b.key},
        {"label", TextJson(b.label)},
        {"uncovered", Cell(*now, b.uncovered).value_or(0)},
        {"uncovered_previous", CountOrNull(before ? Cell(*before, b.uncovered) : std::nullopt)},
        {"column", std::to_string(b.uncovered)},
        {"cross_scheme", CountOrNull(b.cross_scheme ? Cell(*now, b.cross_scheme) : std::nullopt)},
        {"cross_region", CountOrNull(b.cross_region ? Cell(*now, b.cross_region) : std::nullopt)}});
  }
  return out;
}

// Of a tile; all null where nothing is known of the division. Rates are hundredths of a percent.
json::object TileValues(const std::optional<Figures>& f) {
  json::object values;
  const auto people = f ? f->Named("resident_population") : std::nullopt;
  auto rate = [&](std::optional<int64_t> n) {
    return CountOrNull(reporting::PercentHundredths(n, people));
  };
  auto cell = [&](int column) { return f ? Cell(*f, column) : std::nullopt; };
  const auto registered = f ? Registered(*f) : std::nullopt;
  values["resident_population"] = CountOrNull(people);
  values["compared"] = CountOrNull(f ? f->Named("compared_internal") : std::nullopt);
  values["compared_rate"] = rate(f ? f->Named("compared_internal") : std::nullopt);
  values["registered"] = CountOrNull(registered);
  values["registered_rate"] = rate(registered);
  values["to_verify"] = CountOrNull(cell(5));
  values["to_verify_rate"] = CountOrNull(reporting::PercentHundredths(cell(5), cell(1)));
  for (const HomeBranch& b : HomeBranches()) {
    values[std::string("uncovered_") + b.key] = CountOrNull(cell(b.uncovered));
  }
  return values;
}

// The level below, by code: the divisions that there are, and those that only figures know
// (市本级).
std::map<uint64_t, std::string> PartsOf(uint64_t division, const FigurePlace& place,
                                        const FiguresSource& source,
                                        const identity::DivisionTable& table) {
  std::map<uint64_t, std::string> parts;
  const Date on = source.cutoff;
  auto add = [&](uint32_t code, const std::string& behind) {
    const uint64_t twelve = uint64_t{code} * 1000000;
    parts.emplace(twelve, DivisionName(table, twelve, on) + behind);
  };
  if (division == 0) {
    for (const identity::Division& d : table.ChildrenOf({}, on)) add(d.county(), "");
  } else if (place.level == Level::kProvince) {
    for (uint32_t city : source.cube.Cities()) {
      if (city != 0) add(city, city == place.division ? "本级" : "");
    }
    for (uint32_t city : table.CitiesOf(place.division, on)) {
      // 省直辖县级: its counties are parts of their own where figures know them.
      const bool collective = city % 10000 >= 9000;
      if (!collective) add(city, "");
    }
  } else if (place.level == Level::kCity) {
    for (uint32_t county : table.CountiesOf(place.division, on)) add(county, "");
    for (uint32_t county : source.cube.Counties(place.division)) {
      if (county != 0) add(county, county == place.division ? "本级" : "");
    }
  }
  return parts;
}

json::array TilesJson(Context& c, uint64_t division, const FigurePlace& place,
                      const FiguresSource& source, const identity::DivisionTable& table) {
  const std::map<uint64_t, std::string> parts = PartsOf(division, place, source, table);
  std::vector<uint64_t> codes;
  for (const auto& [code, name] : parts) codes.push_back(code);
  const std::map<uint64_t, Tile> layout =
      TilesOf(c.services().policy_dir, division, codes, source.cutoff);
  json::array out;
  for (const auto& [code, name] : parts) {
    const auto six = static_cast<uint32_t>(code / 1000000);
    std::optional<Figures> figures;
    if (division == 0) {
      if (six == source.province) {
        figures = source.FiguresOf(six, Level::kProvince, reporting::Population::kAll);
      }
    } else {
      figures =
          source.FiguresOf(six, place.level == Level::kProvince ? Level::kCity : Level::kCounty,
                           reporting::Population::kAll);
    }
    const Tile tile = layout.at(code);
    out.push_back(json::object{{"code", DivisionCode(code)},
                               {"name", name},
                               {"column", tile.column},
                               {"row", tile.row},
                               {"values", TileValues(figures)}});
  }
  return out;
}

Answer GetHome(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  auto division = AskedDivision(c, *divisions);
  if (!division) return tl::unexpected(std::move(division.error()));
  auto cutoff = AskedCutoff(c);
  if (!cutoff) return tl::unexpected(std::move(cutoff.error()));

  const auto place = FigurePlaceOf(*division, cutoff->run.province);
  const bool known = place && place->division / 10000 * 10000 == cutoff->run.province;
  std::optional<Figures> now;
  std::optional<Figures> before;
  json::array tiles;
  if (known) {
    CANBAO_ASSIGN(FiguresPtr source, SumsFor(*db, cutoff->run, *place));
    now = source->FiguresOf(place->division, place->level, reporting::Population::kAll);
    tiles = TilesJson(c, *division, *place, *source, *divisions);
    if (cutoff->previous) {
      CANBAO_ASSIGN(FiguresPtr last, SumsFor(*db, *cutoff->previous, *place));
      before = last->FiguresOf(place->division, place->level, reporting::Population::kAll);
    }
  }
  CANBAO_ASSIGN(json::array waiting, WaitingJson(c, cutoff->run));
  return Json(json::object{
      {"division", DivisionJson(*divisions, *division, cutoff->run.cutoff)},
      {"cutoff", cutoff->run.cutoff.ToIso()},
      {"previous_cutoff",
       cutoff->previous ? json::value(cutoff->previous->cutoff.ToIso()) : json::value(nullptr)},
      {"funnel", FunnelJson(now, before)},
      {"branches", BranchesJson(now, before)},
      {"divisions", std::move(tiles)},
      {"waiting", std::move(waiting)}});
}

}  // namespace

void AddHomeHandlers(Handlers& to) { to.On("getHome", GetHome); }

}  // namespace canbao::service
