// Where the command takes the figures of forms from: the register's figure table at a cut-off, or
// the manifest of the last run of a folder without a register. One shape for both.
#pragma once

#include <string>

#include "base/date.h"
#include "base/error.h"
#include "reporting/figures_source.h"

namespace canbao::app {

// `cutoff` missing: the latest. CB-APP-0009: nothing is known at that cut-off.
Result<reporting::FiguresSource> LoadFigures(const std::string& data_dir,
                                             const std::string& database_url, Date cutoff);

}  // namespace canbao::app
