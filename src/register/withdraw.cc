#include "register/withdraw.h"

#include "register/internal/layout.h"
#include "register/internal/load_lock.h"

namespace canbao::reg {
namespace {

struct CurrentRun {
  int32_t id = 0;
  std::string cutoff;    // ISO
  std::string replaced;  // run of the same cut-off before it
};

Result<CurrentRun> FindCurrent(Connection& c, const std::string& run, bool lock) {
  CANBAO_ASSIGN(Rows rows, c.Exec(std::string("SELECT run_id, cutoff FROM canbao.run WHERE "
                                              "name = $1 AND superseded_by IS NULL") +
                                      (lock ? " FOR UPDATE" : ""),
                                  {Param(run)}));
  if (rows.size() == 0) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0510",
                Msg("运行 {0} 不是当前运行", "run {0} is not current", run),
                Msg("它可能已被撤销，或被同一截止日期的另一次运行取代。",
                    "it was withdrawn already, or another run of its cut-off replaced it."));
  }
  CurrentRun out;
  out.id = static_cast<int32_t>(rows.Int(0, 0));
  out.cutoff = rows.Text(0, 1);
  CANBAO_ASSIGN(Rows replaced, c.Exec("SELECT name FROM canbao.run WHERE superseded_by = $1 AND "
                                      "run_id <> $1 ORDER BY run_id DESC LIMIT 1",
                                      {Param(out.id)}));
  if (replaced.size() > 0) out.replaced = replaced.Text(0, 0);
  return out;
}

// Tables of other parts that count by cut-off; not every schema has them.
Status RemoveCounts(Connection& c, const std::string& day) {
  for (const char* table :
       {"listed_person", "listed_row", "list_mark", "case_figure", "person_merge"}) {
    CANBAO_ASSIGN(Rows there,
                  c.Exec(fmt::format("SELECT to_regclass('canbao.{}') IS NOT NULL AS x", table)));
    if (there.Bool(0, 0)) {
      CANBAO_TRY(c.Run(fmt::format("DELETE FROM canbao.{} WHERE cutoff = {}", table, day)));
    }
  }
  return {};
}

// Merges that it undid stand again.
Status WithdrawMerges(Connection& c, const std::string& day) {
  return c.Run("UPDATE canbao.person_merge SET undone_cutoff = NULL WHERE undone_cutoff = " + day);
}

// Cases that only this run had found and nobody touched go; of the others the newest cut-off that
// is left says again what is found.
Status WithdrawCases(Connection& c, const std::string& day) {
  CANBAO_ASSIGN(Rows there,
                c.Exec("SELECT to_regprocedure('canbao.open_cases(date)') IS NOT NULL"));
  if (!there.Bool(0, 0)) return {};
  CANBAO_TRY(c.Run("DELETE FROM canbao.case WHERE version = 1 AND found_cutoff = " + day));
  CANBAO_TRY(
      c.Exec("SELECT canbao.open_cases(cutoff) FROM (SELECT max(cutoff) AS cutoff FROM canbao.run "
             "WHERE superseded_by IS NULL) newest WHERE cutoff IS NOT NULL"));
  // Without any run nobody has counted them anew.
  return c.Run(
      "DELETE FROM canbao.case_count; INSERT INTO canbao.case_count "
      "SELECT county, kind, number, shown, count(*) FROM canbao.case GROUP BY 1, 2, 3, 4");
}

Status WithdrawFacts(Connection& c, const TableLayout& t, const std::string& day,
                     const std::string& next, WithdrawReport* report) {
  // Known at the next cut-off as well: known from there.
  CANBAO_TRY(
      c.Run(fmt::format("UPDATE canbao.{} SET valid_from = {} WHERE valid_from = {} AND "
                        "valid_to > {} AND {} < 'infinity'",
                        t.name, next, day, next, next)));
  CANBAO_ASSIGN(Rows removed,
                c.Exec(fmt::format("DELETE FROM canbao.{} WHERE valid_from = {}", t.name, day)));
  CANBAO_ASSIGN(Rows reopened, c.Exec(fmt::format("UPDATE canbao.{} SET valid_to = {} WHERE "
                                                  "valid_to = {}",
                                                  t.name, next, day)));
  report->removed += removed.affected();
  report->reopened += reopened.affected();
  return {};
}

}  // namespace

Result<WithdrawReport> WithdrawRun(Database& db, const std::string& run) {
  WithdrawReport report;
  CANBAO_ASSIGN(auto c, db.Connect("canbao withdraw"));
  CANBAO_ASSIGN(Transaction t, Transaction::Begin(*c));
  CANBAO_ASSIGN(bool locked, TakeLoadLock(*c));
  if (!locked) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0511",
        Msg("另一个进程正在向这个数据库装载。", "another process is loading into this database."),
        Msg("请等它结束后再试。", "Wait for it to end and try again."));
  }
  CANBAO_ASSIGN(CurrentRun current, FindCurrent(*c, run, true));
  if (!current.replaced.empty()) {
    return Fail(
        ErrorClass::kInput, "CB-REGISTER-0512",
        Msg("运行 {0} 取代了 {1}", "run {0} replaced {1}", run, current.replaced),
        Msg("请再次比对 {0} 的数据。", "compare what {0} was made of again.", current.replaced));
  }
  const std::string day = QuoteLiteral(current.cutoff) + "::date";
  CANBAO_ASSIGN(Rows later, c->Exec("SELECT coalesce(min(cutoff), 'infinity') FROM canbao.run "
                                    "WHERE superseded_by IS NULL AND cutoff > " +
                                    day));
  const std::string next = QuoteLiteral(later.Text(0, 0)) + "::date";
  for (const TableLayout& table : Layouts()) {
    if (!table.per_cutoff) {
      CANBAO_TRY(WithdrawFacts(*c, table, day, next, &report));
      continue;
    }
    CANBAO_ASSIGN(Rows leaf, c->Exec("SELECT to_char(" + day + ", 'YYYYMMDD')"));
    CANBAO_TRY(
        c->Run(fmt::format("DROP TABLE IF EXISTS canbao.{}_{}", table.name, leaf.Text(0, 0))));
  }
  CANBAO_TRY(c->Run("DELETE FROM canbao.figure WHERE cutoff = " + day));
  CANBAO_TRY(RemoveCounts(*c, day));
  CANBAO_TRY(c->Exec("UPDATE canbao.run SET superseded_by = run_id WHERE run_id = $1",
                     {Param(current.id)}));
  CANBAO_TRY(WithdrawMerges(*c, day));
  CANBAO_TRY(WithdrawCases(*c, day));
  CANBAO_TRY(t.Commit());
  return report;
}

Result<std::string> ReplacedBy(Database& db, const std::string& run) {
  CANBAO_ASSIGN(auto c, db.Connect("canbao withdraw"));
  CANBAO_ASSIGN(CurrentRun current, FindCurrent(*c, run, false));
  return current.replaced;
}

}  // namespace canbao::reg
