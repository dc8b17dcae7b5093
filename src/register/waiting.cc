#include "register/waiting.h"

namespace canbao::reg {

Result<int64_t> DeliveriesToDecide(Connection& c) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT count(*) FROM canbao.delivery WHERE state = 'checked'"));
  return rows.Int(0, 0);
}

Result<CasesWaiting> CasesWaitingFor(Connection& c, const std::string& account) {
  // Open: neither ended by a step nor gone from the sources (db/migrations/0006_cases.sql).
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec("SELECT (SELECT count(*) FROM canbao.case WHERE assignee = $1 "
             "AND shown NOT IN (5, 6, 8, 9, 10)), "
             "(SELECT count(*) FROM canbao.case WHERE due < current_date "
             "AND shown NOT IN (5, 6, 8, 9, 10)), "
             "(SELECT coalesce(sum(count), 0)::bigint FROM canbao.case_count WHERE shown = 1), "
             "(SELECT count(*) FROM canbao.case WHERE pending_action IS NOT NULL "
             "AND pending_by <> $1)",
             {Param(account)}));
  return CasesWaiting{rows.Int(0, 0), rows.Int(0, 1), rows.Int(0, 2), rows.Int(0, 3)};
}

}  // namespace canbao::reg
