#include "app/list_bounds.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace canbao::app {
namespace {

// Rows of complete enrolment lists by source: a system may split its list into files as it likes.
std::map<std::string, int64_t> FullLists(const comparison::CompareResult& run) {
  std::map<std::string, int64_t> rows;
  for (const comparison::ExtractResult& e : run.extracts) {
    if (e.spec.kind != extract::Kind::kEnrolment || e.spec.delta) continue;
    rows[e.spec.source] += static_cast<int64_t>(e.account.rows_in);
  }
  return rows;
}

}  // namespace

Status CheckListBounds(const comparison::CompareResult& previous,
                       const comparison::CompareResult& run, const scheme::Rules& rules,
                       const std::vector<std::string>& accepted) {
  std::map<std::string, int64_t> before = FullLists(previous);
  for (const auto& [source, now] : FullLists(run)) {
    auto last = before.find(source);
    if (last == before.end() || std::ranges::find(accepted, source) != accepted.end()) continue;
    int64_t change = now - last->second;
    if (std::llabs(change) <= rules.tolerated_rows) continue;
    if (change * 1000 >= rules.min_change_permille * last->second &&
        change * 1000 <= rules.max_change_permille * last->second) {
      continue;
    }
    return Fail(Error{
        ErrorClass::kInput, "CB-APP-0014",
        Msg("全量清单行数变化过大：{0} 上次 {1} 行，本次 {2} 行",
            "a full list changed too much: {0} had {1} rows, now {2}", source, last->second, now),
        Text{"请与数据来源单位核对。确属实际变化时，用 --accept-list " + source + " 接受。",
             "ask the source. If the change is real, accept it by --accept-list " + source + "."},
        source, 0, 0});
  }
  return {};
}

}  // namespace canbao::app
