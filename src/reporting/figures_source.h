// The figures of a run at its cut-off and what its manifest says beside them: everything that forms
// are evaluated from, and the one place where a form of a division with its parts is put together,
// for the command and the service alike. Reads no database: whoever has the figure rows adds them
// to `cube` (all of them, or those that a caller may see: then the form is the caller's).
//
// A value; one thread at a time, or many once nobody changes it. Errors: CB-REPORTING-0011, a
// manifest that cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "extract/delivery.h"
#include "identity/division.h"
#include "reporting/cube.h"
#include "reporting/render.h"

namespace canbao::reporting {

class FiguresSource {
 public:
  uint32_t province = 0;
  Date cutoff;
  Cube cube;

  // Extracts, resident population, settlements and errors found, of a run's manifest.
  Status TakeManifest(std::string_view json);

  // Column 27 of form 1 as the register's cases have it, cumulative; without them what the run
  // found counts, and nothing is corrected.
  void SetErrors(int64_t found, int64_t corrected) {
    errors_found_ = found;
    errors_corrected_ = corrected;
  }

  // Cells of the division, and what form 1 derives its percentages from.
  Figures FiguresOf(uint32_t division, Level level, Population who) const;
  // The division's row of the newest year up to the cut-off's; nothing without one.
  std::optional<int64_t> ResidentPopulation(uint32_t division) const;

 private:
  struct Extract {
    extract::Kind kind;
    extract::Stage stage;
    uint32_t region;  // 0 = the province
  };
  struct People {
    uint64_t division;  // 12 digits
    uint16_t year;
    int64_t people;
  };
  bool StageComplete(extract::Stage stage, uint32_t city) const;

  bool settlements_ = false;
  std::vector<Extract> extracts_;
  std::vector<People> population_;
  int64_t errors_found_ = 0;
  int64_t errors_corrected_ = 0;
};

// The form of a division, 合计, and a row for each part below it that has figures: the cities of a
// province, the counties of a city. 市本级 is asked for as (its city's code, kCounty).
FormTable MakeFormTable(const FiguresSource& source, const FormPtr& form, uint32_t division,
                        Level level, Population population,
                        const identity::DivisionTable& divisions);

}  // namespace canbao::reporting
