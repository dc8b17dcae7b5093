#include "app/figures_source.h"

#include <algorithm>

#include "app/store.h"
#include "base/file.h"
#include "comparison/manifest.h"
#include "register/read.h"

namespace canbao::app {
namespace {

using extract::Stage;

void TakeManifest(const comparison::CompareResult& run, FiguresSource* s) {
  s->province = run.province;
  s->cutoff = run.cutoff;
  s->settlements = run.settlements;
  s->extracts = run.extracts;
  s->population = run.population;
  s->errors_found = 0;
  for (uint64_t n : run.discrepancies) s->errors_found += static_cast<int64_t>(n);
}

Result<FiguresSource> FromRegister(reg::Database& db, Date cutoff) {
  FiguresSource s;
  CANBAO_ASSIGN(Date at, reg::ResolveCutoff(db, cutoff));
  CANBAO_ASSIGN(auto run, reg::RunAt(db, at));
  if (run) {
    CANBAO_ASSIGN(comparison::CompareResult manifest,
                  comparison::ParseManifest(run->manifest, run->name));
    TakeManifest(manifest, &s);
  }
  CANBAO_ASSIGN(std::vector<reg::FigureRow> rows, reg::FiguresAt(db, at));
  for (const reg::FigureRow& r : rows) {
    s.cube.Add(r.county, r.city, r.hukou, static_cast<uint8_t>(r.form),
               static_cast<uint8_t>(r.column), r.count);
  }
  s.cutoff = at;
  return s;
}

Result<FiguresSource> FromManifest(const std::string& data_dir, Date cutoff) {
  std::string latest = LatestRun(data_dir);
  auto missing = [&](const Text& what) {
    return Fail(Error{ErrorClass::kInput, "CB-APP-0009", what,
                      Text{"先执行 canbao compare。", "run canbao compare first."}, data_dir, 0,
                      0});
  };
  if (latest.empty()) return missing(Msg("还没有完成的比对", "no comparison is finished yet"));
  CANBAO_ASSIGN(comparison::CompareResult run, comparison::ReadRun(data_dir, latest));
  if (cutoff.has_value() && run.cutoff != cutoff) {
    return missing(Msg("没有 {0} 的数据，现有 {1}", "nothing is known at {0}; there is {1}",
                       cutoff.ToIso(), run.cutoff.ToIso()));
  }
  FiguresSource s;
  TakeManifest(run, &s);
  for (const auto& [k, n] : run.figures) {
    s.cube.Add(k.county, k.city, k.hukou != 0, k.form, k.column, static_cast<int64_t>(n));
  }
  return s;
}

}  // namespace

// Complete = every source that the stage requires for the city was compared at this cut-off: for
// the internal stage a scheme's list of the city (or of the whole province), for the
// cross-department stage the household register and a department, for the cross-province stage the
// ministry's reply.
bool FiguresSource::StageComplete(Stage stage, uint32_t city) const {
  bool baseline = false;
  bool scheme = false;
  bool department = false;
  bool reply = false;
  for (const comparison::ExtractResult& e : extracts) {
    switch (e.spec.kind) {
      case extract::Kind::kHouseholdRegister:
        baseline = true;
        break;
      case extract::Kind::kEnrolment:
        scheme |=
            e.spec.region == 0 || e.spec.region == province || e.spec.region / 100 * 100 == city;
        break;
      case extract::Kind::kNationalReply:
        reply = true;
        break;
      default:
        department |= e.spec.stage == Stage::kCrossDepartment;
        break;
    }
  }
  switch (stage) {
    case Stage::kInternal:
    case Stage::kCrossCity:
      return scheme;
    case Stage::kCrossDepartment:
      return baseline && department;
    case Stage::kCrossProvince:
      return reply;
  }
  return false;
}

reporting::Figures FiguresSource::FiguresOf(uint32_t division, reporting::Level level,
                                            reporting::Population who) const {
  reporting::Figures f = cube.RollUp(division, level, who);
  if (settlements) f.facts.insert("medical_settlement");

  // Resident population: the division's own row of the newest year up to the cut-off's.
  uint16_t year = 0;
  for (const comparison::Population& p : population) {
    if (p.division != uint64_t{division} * 1000000 || p.year > cutoff.year() || p.year < year)
      continue;
    year = p.year;
    f.SetNamed("resident_population", static_cast<int64_t>(p.people));
  }

  static constexpr std::pair<Stage, const char*> kStages[] = {
      {Stage::kInternal, "compared_internal"},
      {Stage::kCrossDepartment, "compared_cross_department"},
      {Stage::kCrossCity, "compared_cross_city"},
      {Stage::kCrossProvince, "compared_cross_province"}};
  std::vector<uint32_t> cities;
  if (level == reporting::Level::kProvince) {
    cities = cube.Cities();
  } else {
    cities.push_back(division / 100 * 100);
  }
  for (const auto& [stage, name] : kStages) {
    int64_t compared = 0;
    bool every_city = std::all_of(cities.begin(), cities.end(), [&](uint32_t c) {
      return c == 0 || StageComplete(Stage::kInternal, c);
    });
    for (uint32_t city : cities) {
      // Across cities a person is compared once the lists of all of them are there.
      bool complete = stage == Stage::kCrossCity ? every_city : StageComplete(stage, city);
      if (!complete) continue;
      reporting::Figures c = level == reporting::Level::kProvince
                                 ? cube.RollUp(city, reporting::Level::kCity, who)
                                 : f;
      compared +=
          c.Get(reporting::kForm21, 1).value_or(0) + c.Get(reporting::kForm21, 3).value_or(0);
    }
    f.SetNamed(name, compared);
  }
  // Corrections are known for the province as a whole.
  if (level == reporting::Level::kProvince) {
    f.SetNamed("errors_found", errors_found);
    f.SetNamed("errors_corrected", errors_corrected);
  }
  return f;
}

Result<FiguresSource> LoadFigures(const std::string& data_dir, const std::string& database_url,
                                  Date cutoff) {
  if (database_url.empty() && !reg::Instance::Exists(data_dir))
    return FromManifest(data_dir, cutoff);
  reg::DatabaseOptions o;
  o.url = database_url;
  CANBAO_ASSIGN(auto db, reg::Database::Open(data_dir, o));
  return FromRegister(*db, cutoff);
}

}  // namespace canbao::app
