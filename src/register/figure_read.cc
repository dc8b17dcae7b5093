#include "register/figure_read.h"

#include <algorithm>
#include <utility>

#include "register/internal/run_rows.h"

namespace canbao::reg {
namespace {

std::string InDivision(uint32_t from, uint32_t until) {
  if (until == 0) return {};
  return fmt::format(" AND county BETWEEN {} AND {}", from, until);
}

}  // namespace

Result<std::vector<RunRow>> RunsSeen(Connection& c) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec(fmt::format("SELECT {} FROM canbao.run ORDER BY run_id DESC", kRunColumns)));
  std::vector<RunRow> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(RunOf(rows, i));
  return out;
}

Result<std::vector<AccountRow>> AccountsSeen(Connection& c, int run_id) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec(fmt::format("SELECT {} FROM canbao.extract_account a JOIN canbao.extract e "
                                   "USING (extract_id) WHERE a.run_id = $1 ORDER BY 1",
                                   kExtractAccountColumns),
                       {Param(run_id)}));
  std::vector<AccountRow> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(ExtractAccountOf(rows, i));
  return out;
}

Result<std::vector<SourceRow>> SourcesSeen(Connection& c) {
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec(
          "SELECT DISTINCT ON (e.source, e.kind, e.region) e.source, e.kind, e.region, e.stage, "
          "e.file, e.sha256, a.rows_in, a.linked, a.unlinked, a.rejected, a.reference, r.cutoff, "
          "r.loaded_at, count(*) OVER (PARTITION BY e.source, e.kind, e.region) "
          "FROM canbao.extract_account a JOIN canbao.extract e USING (extract_id) "
          "JOIN canbao.run r USING (run_id) ORDER BY 1, 2, 3, r.run_id DESC, a.ordinal"));
  std::vector<SourceRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    SourceRow s;
    s.last.source = rows.Text(i, 0);
    s.last.kind = rows.Text(i, 1);
    s.last.region = static_cast<uint32_t>(rows.Int(i, 2));
    s.last.stage = rows.Text(i, 3);
    s.last.file = rows.Text(i, 4);
    s.last.sha256 = rows.Text(i, 5);
    s.last.rows_in = rows.Int(i, 6);
    s.last.linked = rows.Int(i, 7);
    s.last.unlinked = rows.Int(i, 8);
    s.last.rejected = rows.Int(i, 9);
    s.last.reference = rows.Int(i, 10);
    s.cutoff = ParseIsoDate(rows.Text(i, 11));
    s.loaded_at = rows.Text(i, 12);
    s.runs = rows.Int(i, 13);
    out.push_back(std::move(s));
  }
  return out;
}

Result<std::string> RunFacts(Connection& c, int run_id) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT canbao.run_facts($1)", {Param(run_id)}));
  return std::string(rows.Text(0, 0));
}

Result<std::string> FigureScope(Connection& c) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT canbao.figure_scope()"));
  return std::string(rows.Text(0, 0));
}

Result<CutoffRun> RunOfCutoff(Connection& c, Date cutoff) {
  CANBAO_ASSIGN(std::vector<RunRow> runs, RunsSeen(c));
  std::erase_if(runs, [](const RunRow& r) { return !r.current; });
  std::sort(runs.begin(), runs.end(),
            [](const RunRow& a, const RunRow& b) { return a.cutoff < b.cutoff; });
  if (runs.empty()) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0602",
                Msg("登记库中还没有任何运行。", "the register holds no run yet."),
                Msg("请先进行比对。", "Compare a delivery first."));
  }
  auto at = cutoff.has_value() ? std::find_if(runs.begin(), runs.end(),
                                              [&](const RunRow& r) { return r.cutoff == cutoff; })
                               : runs.end() - 1;
  if (at == runs.end()) {
    return Fail(
        ErrorClass::kInput, "CB-REGISTER-0601",
        Msg("没有截止日期 {0} 的数据。", "nothing is known for the cut-off {0}.", cutoff.ToIso()));
  }
  CutoffRun out;
  for (auto before = at; before != runs.begin();) {
    --before;
    if (before->province != at->province) continue;
    out.previous = *before;
    break;
  }
  out.run = std::move(*at);
  return out;
}

Result<std::optional<ErrorFigures>> ErrorsSeen(Connection& c, Date cutoff) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("SELECT sum(found)::bigint, sum(corrected)::bigint FROM canbao.case_figure "
                       "WHERE cutoff = $1::date",
                       {Param(cutoff.ToIso())}));
  if (rows.IsNull(0, 0)) return std::optional<ErrorFigures>();
  return std::optional<ErrorFigures>(ErrorFigures{rows.Int(0, 0), rows.Int(0, 1)});
}

Result<std::vector<FigureRow>> FiguresSeen(Connection& c, Date cutoff, uint32_t from,
                                           uint32_t until) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT county, city, hukou, form, \"column\", count "
                                  "FROM canbao.figure WHERE count > 0 AND cutoff = $1::date" +
                                      InDivision(from, until),
                                  {Param(cutoff.ToIso())}));
  std::vector<FigureRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<uint32_t>(rows.Int(i, 0)), static_cast<uint32_t>(rows.Int(i, 1)),
                   rows.Bool(i, 2), static_cast<int>(rows.Int(i, 3)),
                   static_cast<int>(rows.Int(i, 4)), rows.Int(i, 5)});
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<PartFigure>> FiguresByPart(Connection& c, Date cutoff, uint32_t from,
                                              uint32_t until, PartUnit unit) {
  // A city is a column: it need not be the first four digits of its county.
  const std::string part = unit == PartUnit::kCity ? "city" : "county";
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT " + part +
                                      ", \"column\", sum(count)::bigint FROM canbao.figure "
                                      "WHERE cutoff = $1::date AND form = 21" +
                                      InDivision(from, until) + " GROUP BY 1, 2",
                                  {Param(cutoff.ToIso())}));
  std::vector<PartFigure> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back(
        {static_cast<uint32_t>(rows.Int(i, 0)), static_cast<int>(rows.Int(i, 1)), rows.Int(i, 2)});
  }
  return out;
}

}  // namespace canbao::reg
