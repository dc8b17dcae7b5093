// Where the figures of forms come from: the register's figure table at a cut-off, or the manifest
// of the last run of a folder without a register. One shape for both.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "comparison/run.h"
#include "reporting/cube.h"

namespace canbao::app {

struct FiguresSource {
  uint32_t province = 0;
  Date cutoff;
  reporting::Cube cube;
  bool settlements = false;
  std::vector<comparison::ExtractResult> extracts;
  std::vector<comparison::Population> population;
  int64_t errors_found = 0;
  int64_t errors_corrected = 0;

  // Cells of the division, and what form 1 derives its percentages from.
  reporting::Figures FiguresOf(uint32_t division, reporting::Level level,
                               reporting::Population who) const;

 private:
  bool StageComplete(extract::Stage stage, uint32_t city) const;
};

// `cutoff` missing: the latest. CB-APP-0009: nothing is known at that cut-off.
Result<FiguresSource> LoadFigures(const std::string& data_dir, const std::string& database_url,
                                  Date cutoff);

}  // namespace canbao::app
