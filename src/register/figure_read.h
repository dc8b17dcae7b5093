// Runs, their accounts and figures as the session of a Connection may see them: as canbao_app, what
// the database's policies allow. Cheap: the figure table and what stands beside a run, never
// people. One thread. Errors: CB-REGISTER-06xx.
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
// Source systems by what they last delivered: of each source, kind and region the account of its
// newest run; `runs` is how many have had it.
struct SourceRow {
  AccountRow last;
  Date cutoff;  // of that run
  std::string loaded_at;
  int64_t runs = 0;
};
Result<std::vector<SourceRow>> SourcesSeen(Connection& c);
// What forms need of the run's manifest (reporting::FiguresSource::TakeManifest), as JSON.
Result<std::string> RunFacts(Connection& c, int run_id);
// The divisions whose figures the session sees, as PostgreSQL writes them.
Result<std::string> FigureScope(Connection& c);

// The current run of a cut-off, the newest when that is missing, and the one before it of the same
// province. CB-REGISTER-0601, 0602 as ResolveCutoff().
struct CutoffRun {
  RunRow run;
  std::optional<RunRow> previous;
};
Result<CutoffRun> RunOfCutoff(Connection& c, Date cutoff);

// Discrepancies found and corrected up to a cut-off, of the cases that are seen; nothing when the
// cut-off has none.
struct ErrorFigures {
  int64_t found = 0;
  int64_t corrected = 0;
};
Result<std::optional<ErrorFigures>> ErrorsSeen(Connection& c, Date cutoff);

// Figures whose county lies in [from, until]; all that are seen with 0, 0.
// Only counts above 0; sorted.
Result<std::vector<FigureRow>> FiguresSeen(Connection& c, Date cutoff, uint32_t from,
                                           uint32_t until);

// Columns of form 2-1 added up by part.
enum class PartUnit { kCounty, kCity };
struct PartFigure {
  uint32_t part = 0;  // 0 = unknown
  int column = 0;
  int64_t count = 0;
};
Result<std::vector<PartFigure>> FiguresByPart(Connection& c, Date cutoff, uint32_t from,
                                              uint32_t until, PartUnit unit);

}  // namespace canbao::reg
