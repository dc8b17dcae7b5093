#include "app/figures_source.h"

#include "app/store.h"
#include "base/file.h"
#include "comparison/run.h"
#include "register/figure_read.h"
#include "register/read.h"

namespace canbao::app {
namespace {

using reporting::FiguresSource;

Result<FiguresSource> FromRegister(reg::Database& db, Date cutoff) {
  FiguresSource s;
  CANBAO_ASSIGN(Date at, reg::ResolveCutoff(db, cutoff));
  CANBAO_ASSIGN(auto run, reg::RunAt(db, at));
  if (run) CANBAO_TRY(s.TakeManifest(run->manifest));
  CANBAO_ASSIGN(std::vector<reg::FigureRow> rows, reg::FiguresAt(db, at));
  for (const reg::FigureRow& r : rows) {
    s.cube.Add(r.county, r.city, r.hukou, static_cast<uint8_t>(r.form),
               static_cast<uint8_t>(r.column), r.count);
  }
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(auto errors, reg::ErrorsSeen(*c, at));
  if (errors) s.SetErrors(errors->found, errors->corrected);
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
  CANBAO_ASSIGN(std::string manifest, ReadWholeFile(run.folder + "/manifest.json"));
  CANBAO_TRY(s.TakeManifest(manifest));
  for (const auto& [k, n] : run.figures) {
    s.cube.Add(k.county, k.city, k.hukou != 0, k.form, k.column, static_cast<int64_t>(n));
  }
  return s;
}

}  // namespace

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
