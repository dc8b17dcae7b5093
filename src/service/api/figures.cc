// Cut-offs, and what all pages about figures begin with.
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "service/api/figure_pages.h"

namespace canbao::service {
namespace json = boost::json;
using reporting::FiguresSource;
using reporting::Level;

tl::expected<reg::CutoffRun, Problem> AskedCutoff(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  Date cutoff;
  if (!c.request().Query("cutoff").empty()) cutoff = ParseIsoDate(c.request().Query("cutoff"));
  auto run = reg::RunOfCutoff(*db, cutoff);
  if (run) return std::move(*run);
  Error e = std::move(run.error());
  if (e.code != "CB-REGISTER-0601" && e.code != "CB-REGISTER-0602") {
    return tl::unexpected<Problem>(Problem(std::move(e)));
  }
  return Refuse(404, "CB-SERVICE-0202", e.message, e.remedy);
}

std::optional<FigurePlace> FigurePlaceOf(uint64_t division, uint32_t province) {
  if (division % 1000000 != 0) return std::nullopt;
  FigurePlace p;
  p.division = division == 0 ? province : static_cast<uint32_t>(division / 1000000);
  p.level = reporting::LevelOf(p.division);
  if (p.level == Level::kCity) {
    p.from = p.division;
    p.until = p.division + 99;
  } else if (p.level == Level::kCounty) {
    p.from = p.until = p.division;
  }
  return p;
}

namespace {

Result<FiguresSource> BesideFigures(reg::Connection& db, const reg::RunRow& run) {
  FiguresSource s;
  CANBAO_ASSIGN(std::string facts, reg::RunFacts(db, run.run_id));
  CANBAO_TRY(s.TakeManifest(facts));
  CANBAO_ASSIGN(auto errors, reg::ErrorsSeen(db, run.cutoff));
  if (errors) s.SetErrors(errors->found, errors->corrected);
  s.cutoff = run.cutoff;
  return s;
}

}  // namespace

Result<FiguresSource> FiguresFor(reg::Connection& db, const reg::RunRow& run,
                                 const FigurePlace& place) {
  CANBAO_ASSIGN(FiguresSource s, BesideFigures(db, run));
  CANBAO_ASSIGN(auto rows, reg::FiguresSeen(db, run.cutoff, place.from, place.until));
  for (const reg::FigureRow& r : rows) {
    s.cube.Add(r.county, r.city, r.hukou, static_cast<uint8_t>(r.form),
               static_cast<uint8_t>(r.column), r.count);
  }
  return s;
}

Result<FiguresSource> SumsFor(reg::Connection& db, const reg::RunRow& run,
                              const FigurePlace& place) {
  CANBAO_ASSIGN(FiguresSource s, BesideFigures(db, run));
  const bool cities = place.level == Level::kProvince;
  CANBAO_ASSIGN(auto parts,
                reg::FiguresByPart(db, run.cutoff, place.from, place.until,
                                   cities ? reg::PartUnit::kCity : reg::PartUnit::kCounty));
  for (const reg::PartFigure& p : parts) {
    const uint32_t city = cities                        ? p.part
                          : place.level == Level::kCity ? place.division
                                                        : p.part / 100 * 100;
    s.cube.Add(p.part, city, false, reporting::kForm21, static_cast<uint8_t>(p.column), p.count);
  }
  return s;
}

Result<reporting::FormPtr> FormOf(const Services& services, const std::string& code, Date cutoff) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::string, Date>, reporting::FormPtr> known;
  const std::tuple key(services.policy_dir, code, cutoff);
  std::lock_guard lock(mutex);
  if (auto found = known.find(key); found != known.end()) return found->second;
  CANBAO_ASSIGN(reporting::FormPtr form, reporting::LoadForm(services.policy_dir, code, cutoff));
  known.emplace(key, form);
  return form;
}

void AddFigureHandlers(Handlers& to) {
  to.On("listCutoffs", [](Context& c) -> Answer {
    CANBAO_ASSIGN(reg::Connection * db, c.Db());
    CANBAO_ASSIGN(auto runs, reg::RunsSeen(*db));
    std::map<std::string, bool> days;
    for (const reg::RunRow& r : runs) {
      if (r.current) days[r.cutoff.ToIso()] = true;
    }
    json::array items;
    for (const auto& [day, ignored] : days) items.emplace_back(day);
    return Json(json::object{{"items", std::move(items)}});
  });
  AddHomeHandlers(to);
  AddFormHandlers(to);
  AddRunHandlers(to);
}

}  // namespace canbao::service
