// The figures that a form is evaluated from: cells of forms by number, and named figures such as
// the resident population. A cell that was never set is not known (printed blank or 未采集), which
// is something else than 0. A value type; one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace canbao::reporting {

// Forms in cells, as in the figure table of the outcome files.
inline constexpr int kForm1 = 1;
inline constexpr int kForm21 = 21;
inline constexpr int kForm22 = 22;
inline constexpr int kCrossTable = 23;  // beside form 2-2, see scheme/cells.h
inline constexpr int kNotYetVerifiedColumn = 27;

class Figures {
 public:
  void Set(int form, int column, std::optional<int64_t> value) { cells_[{form, column}] = value; }
  void Add(int form, int column, int64_t count) {
    std::optional<int64_t>& cell = cells_[{form, column}];
    cell = cell.value_or(0) + count;
  }
  std::optional<int64_t> Get(int form, int column) const {
    auto found = cells_.find({form, column});
    return found != cells_.end() ? found->second : std::nullopt;
  }

  // Named figures: resident_population, cities, compared_internal, …
  void SetNamed(const std::string& name, std::optional<int64_t> value) { named_[name] = value; }
  std::optional<int64_t> Named(const std::string& name) const {
    auto found = named_.find(name);
    return found != named_.end() ? found->second : std::nullopt;
  }

  // Kinds of extracts at hand that some columns need ("medical_settlement"), and declared facts
  // ("provincially_central").
  std::set<std::string> facts;

  // Cells of the round before, for checks of cumulative figures.
  std::map<std::pair<int, int>, int64_t> previous;

 private:
  std::map<std::pair<int, int>, std::optional<int64_t>> cells_;
  std::map<std::string, std::optional<int64_t>> named_;
};

}  // namespace canbao::reporting
