// What the pages about figures share: the figures of a division at a cut-off as the caller may see
// them. Used by home, forms and runs; on the request's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/date.h"
#include "identity/division.h"
#include "register/figure_read.h"
#include "reporting/figures_source.h"
#include "service/context.h"

namespace canbao::service {

// ?cutoff=, the newest without; CB-SERVICE-0202 where nothing is known of it (404).
tl::expected<reg::CutoffRun, Problem> AskedCutoff(Context& c);

// A division of six digits at the level that figures are kept by. Figures go down to the county:
// for towns and villages there are none.
struct FigurePlace {
  uint32_t division = 0;
  reporting::Level level = reporting::Level::kProvince;
  uint32_t from = 0;  // of the counties; 0, 0 = all that are seen
  uint32_t until = 0;
};
// The country is the run's province: a register holds one.
std::optional<FigurePlace> FigurePlaceOf(uint64_t division, uint32_t province);

// Kept for those who see the same figures: the database says with each call whose they are.
using FiguresPtr = std::shared_ptr<const reporting::FiguresSource>;
// All figures of the place, for forms.
Result<FiguresPtr> FiguresFor(reg::Connection& db, const reg::RunRow& run,
                              const FigurePlace& place);
// Those of form 2-1 by the parts of the place: enough for sums and for form 1's compared persons.
Result<FiguresPtr> SumsFor(reg::Connection& db, const reg::RunRow& run, const FigurePlace& place);

// A file of forms is read once.
Result<reporting::FormPtr> FormOf(const Services& services, const std::string& code, Date cutoff);

void AddHomeHandlers(Handlers& to);
void AddFormHandlers(Handlers& to);
void AddRunHandlers(Handlers& to);

}  // namespace canbao::service
