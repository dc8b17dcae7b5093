// Cut-offs, and what all pages about figures begin with.
#include <fmt/format.h>

#include <algorithm>
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

constexpr size_t kFiguresKept = 256;

// Figures by what they depend on: the run (a load makes another), the place, and the divisions
// whose figures the caller's session sees, as the database says.
struct FigureShelf {
  struct Kept {
    FiguresPtr figures;
    uint64_t used = 0;
  };
  std::mutex mutex;
  uint64_t uses = 0;
  std::map<std::string, Kept> kept;
};

FigureShelf& ShelfOfFigures() {
  static FigureShelf shelf;
  return shelf;
}

using FillFigures = Status (*)(reg::Connection&, const reg::RunRow&, const FigurePlace&,
                               FiguresSource*);

Result<FiguresPtr> KeptFigures(reg::Connection& db, const reg::RunRow& run,
                               const FigurePlace& place, const char* what, FillFigures fill) {
  CANBAO_ASSIGN(std::string scope, reg::FigureScope(db));
  CANBAO_ASSIGN(auto errors, reg::ErrorsSeen(db, run.cutoff));
  const std::string key =
      fmt::format("{} {} {} {} {} {} {}-{} {} {}", what, run.run_id, run.name, run.loaded_at,
                  run.result_digest, scope, place.from, place.until, static_cast<int>(place.level),
                  errors ? fmt::format("{}/{}", errors->found, errors->corrected) : std::string());
  FigureShelf& shelf = ShelfOfFigures();
  {
    std::lock_guard lock(shelf.mutex);
    if (auto found = shelf.kept.find(key); found != shelf.kept.end()) {
      found->second.used = ++shelf.uses;
      return found->second.figures;
    }
  }
  auto made = std::make_shared<FiguresSource>();
  CANBAO_ASSIGN(std::string facts, reg::RunFacts(db, run.run_id));
  CANBAO_TRY(made->TakeManifest(facts));
  if (errors) made->SetErrors(errors->found, errors->corrected);
  made->cutoff = run.cutoff;
  CANBAO_TRY(fill(db, run, place, made.get()));
  std::lock_guard lock(shelf.mutex);
  if (shelf.kept.size() >= kFiguresKept) {
    shelf.kept.erase(std::min_element(
        shelf.kept.begin(), shelf.kept.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  shelf.kept[key] = {made, ++shelf.uses};
  return FiguresPtr(made);
}

}  // namespace

Result<FiguresPtr> FiguresFor(reg::Connection& db, const reg::RunRow& run,
                              const FigurePlace& place) {
  return KeptFigures(db, run, place, "figures",
                     [](reg::Connection& c, const reg::RunRow& r, const FigurePlace& p,
                        FiguresSource* to) -> Status {
                       CANBAO_ASSIGN(auto rows, reg::FiguresSeen(c, r.cutoff, p.from, p.until));
                       for (const reg::FigureRow& row : rows) {
                         to->cube.Add(row.county, row.city, row.hukou,
                                      static_cast<uint8_t>(row.form),
                                      static_cast<uint8_t>(row.column), row.count);
                       }
                       return {};
                     });
}

Result<FiguresPtr> SumsFor(reg::Connection& db, const reg::RunRow& run, const FigurePlace& place) {
  return KeptFigures(
      db, run, place, "sums",
      [](reg::Connection& c, const reg::RunRow& r, const FigurePlace& p,
         FiguresSource* to) -> Status {
        const bool cities = p.level == Level::kProvince;
        CANBAO_ASSIGN(auto parts,
                      reg::FiguresByPart(c, r.cutoff, p.from, p.until,
                                         cities ? reg::PartUnit::kCity : reg::PartUnit::kCounty));
        for (const reg::PartFigure& part : parts) {
          const uint32_t city = cities                    ? part.part
                                : p.level == Level::kCity ? p.division
                                                          : part.part / 100 * 100;
          to->cube.Add(part.part, city, false, reporting::kForm21,
                       static_cast<uint8_t>(part.column), part.count);
        }
        return {};
      });
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
