// Runs, their accounts and figures as the session of a Connection may see them: as canbao_app, what
// the database's policies allow. Cheap: the figure table and what stands beside a run, never people.
// One thread. Errors: CB-REGISTER-06xx.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "register/connection.h"
#include "register/read.h"

namespace canbao::reg {

// A run without its manifest and accounts.
Result<std::vector<RunRow>> RunsSeen(Connection& c);  // newest first
Result<std::vector<AccountRow>> AccountsSeen(Connection& c, int run_id);
// What forms need of the run's manifest (reporting::FiguresSource::TakeManifest), as JSON.
Result<std::string> RunFacts(Connection& c, int run_id);

// The current run of a cut-off, the newest when that is missing, and the one before it of the same
// province. CB-REGISTER-0601, 0602 as ResolveCutoff().
struct CutoffRun {
  RunRow run;
  std::optional<RunRow> previous;
};
Result<CutoffRun> RunOfCutoff(Connection& c, Date cutoff);

// Figures whose county lies in [from, until] or whose city is `from`; all that are seen with 0, 0.
// Only counts above 0; sorted.
Result<std::vector<FigureRow>> FiguresSeen(Connection& c, Date cutoff, uint32_t from,
                                           uint32_t until);

// Columns of form 2-1 added up by part: a city, a county or a province, by `unit` = 100, 1, 10000.
struct PartFigure {
  uint32_t part = 0;  // 0 = unknown
  int column = 0;
  int64_t count = 0;
};
Result<std::vector<PartFigure>> FiguresByPart(Connection& c, Date cutoff, uint32_t from,
                                              uint32_t until, int unit);

}  // namespace canbao::reg
