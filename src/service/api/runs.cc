// Runs: what was loaded when, the account of each extract, and how outcomes and figures differ from
// the run before.
#include <boost/json.hpp>
#include <charconv>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "comparison/resolve.h"
#include "service/api/divisions_known.h"
#include "service/api/figure_pages.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using reporting::Figures;

json::object RunJson(const reg::RunRow& r) {
  return {{"id", std::to_string(r.run_id)},
          {"name", r.name},
          {"province", std::to_string(r.province)},
          {"cutoff", r.cutoff.ToIso()},
          {"made_at", r.made_at},
          {"loaded_at", r.loaded_at},
          {"rules", r.rules},
          {"result_digest", r.result_digest},
          {"persons", r.persons},
          {"current", r.current}};
}

json::object OutcomesOf(const reg::AccountRow& a) {
  boost::system::error_code ec;
  json::value v = json::parse(a.outcomes, ec);
  return v.is_object() ? v.as_object() : json::object{};
}

json::object AccountJson(const reg::AccountRow& a) {
  return {{"file", a.file},
          {"kind", a.kind},
          {"source", a.source},
          {"stage", a.stage},
          {"region", a.region == 0 ? json::value(nullptr) : json::value(std::to_string(a.region))},
          {"rows_in", a.rows_in},
          {"linked", a.linked},
          {"unlinked", a.unlinked},
          {"rejected", a.rejected},
          {"reference", a.reference},
          {"sha256", a.sha256},
          {"outcomes", OutcomesOf(a)}};
}

std::map<std::string, int64_t> SumOfOutcomes(const std::vector<reg::AccountRow>& accounts) {
  std::map<std::string, int64_t> sum;
  for (const reg::AccountRow& a : accounts) {
    for (const auto& [name, count] : OutcomesOf(a)) {
      sum[std::string(name)] += count.to_number<int64_t>();
    }
  }
  return sum;
}

// The run that this one came after: the newest of the same province that was loaded before it, at
// an earlier cut-off or at the same one, which it replaced.
const reg::RunRow* RunBefore(const std::vector<reg::RunRow>& runs, const reg::RunRow& run) {
  const reg::RunRow* before = nullptr;
  for (const reg::RunRow& r : runs) {
    if (r.run_id >= run.run_id || r.province != run.province) continue;
    if (before == nullptr || r.run_id > before->run_id) before = &r;
  }
  return before;
}

// Figures are kept for a cut-off's current run only.
Result<std::optional<Figures>> FiguresOfRun(reg::Connection& db, const reg::RunRow* run,
                                            const FigurePlace& place) {
  if (run == nullptr || !run->current) return std::optional<Figures>();
  CANBAO_ASSIGN(FiguresPtr source, FiguresFor(db, *run, place));
  return std::optional<Figures>(
      source->FiguresOf(place.division, place.level, reporting::Population::kAll));
}

Result<json::array> FiguresJson(Context& c, const reg::RunRow& run, const reg::RunRow* before) {
  json::array out;
  const auto place = FigurePlaceOf(static_cast<uint64_t>(c.caller().division), run.province);
  if (!place || place->division / 10000 * 10000 != run.province) return out;
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<Figures> now, FiguresOfRun(*db, &run, *place));
  if (!now) return out;
  CANBAO_ASSIGN(std::optional<Figures> last, FiguresOfRun(*db, before, *place));
  for (const char* code : {"2-1", "2-2"}) {
    CANBAO_ASSIGN(reporting::FormPtr form, FormOf(c.services(), code, run.cutoff));
    auto add = [&](const std::string& key, const Text& label, int column) {
      const auto value = now->Get(form->id, column);
      if (!value) return;
      const auto previous = last ? last->Get(form->id, column) : std::nullopt;
      out.push_back(
          json::object{{"form", code},
                       {"column", key},
                       {"label", TextJson(label)},
                       {"value", *value},
                       {"previous", previous ? json::value(*previous) : json::value(nullptr)}});
    };
    for (const reporting::FormColumn& column : form->columns) {
      if (!column.needs.empty() && !now->facts.contains(column.needs)) continue;
      Text label = column.heading;
      if (!column.group.zh.empty()) {
        label.zh = column.group.zh + " · " + label.zh;
        label.en = column.group.en + " · " + label.en;
      }
      add(std::to_string(column.number), label, column.number);
    }
    if (!form->not_yet_verified.zh.empty()) {
      add("not_yet_verified", form->not_yet_verified, reporting::kNotYetVerifiedColumn);
    }
  }
  return out;
}

Answer GetRun(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::vector<reg::RunRow> runs, reg::RunsSeen(*db));
  const std::string_view id = c.request().Param("id");
  const reg::RunRow* run = nullptr;
  for (const reg::RunRow& r : runs) {
    if (std::to_string(r.run_id) == id) run = &r;
  }
  if (run == nullptr) {
    return Refuse(404, "CB-SERVICE-0204", Text{"没有这次比对。", "there is no such comparison."});
  }
  const reg::RunRow* before = RunBefore(runs, *run);
  CANBAO_ASSIGN(auto accounts, reg::AccountsSeen(*db, run->run_id));
  std::map<std::string, int64_t> previous;
  if (before != nullptr) {
    CANBAO_ASSIGN(auto last, reg::AccountsSeen(*db, before->run_id));
    previous = SumOfOutcomes(last);
  }
  json::object o = RunJson(*run);
  json::array rows;
  for (const reg::AccountRow& a : accounts) rows.push_back(AccountJson(a));
  o["accounts"] = std::move(rows);
  const std::map<std::string, int64_t> sums = SumOfOutcomes(accounts);
  json::array outcomes;
  for (int i = 1; i < comparison::kOutcomes; ++i) {
    const std::string name(comparison::OutcomeName(static_cast<comparison::Outcome>(i)));
    auto at = sums.find(name);
    auto last = previous.find(name);
    if (at == sums.end() && last == previous.end()) continue;
    outcomes.push_back(json::object{
        {"outcome", name},
        {"label", TextJson(reg::OutcomeLabel(i))},
        {"count", at == sums.end() ? int64_t{0} : at->second},
        {"previous", before == nullptr ? json::value(nullptr)
                                       : json::value(last == previous.end() ? 0 : last->second)}});
  }
  o["outcomes"] = std::move(outcomes);
  CANBAO_ASSIGN(json::array figures, FiguresJson(c, *run, before));
  o["figures"] = std::move(figures);
  o["previous"] = before == nullptr ? json::value(nullptr) : json::value(RunJson(*before));
  return Json(o);
}

Answer ListRuns(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::vector<reg::RunRow> runs, reg::RunsSeen(*db));
  json::array items;
  for (const reg::RunRow& r : runs) items.push_back(RunJson(r));
  return Json(json::object{{"items", std::move(items)}});
}

}  // namespace

void AddRunHandlers(Handlers& to) {
  to.On("listRuns", ListRuns);
  to.On("getRun", GetRun);
}

}  // namespace canbao::service
