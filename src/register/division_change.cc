#include "register/division_change.h"

#include <utility>

namespace canbao::reg {

Result<std::vector<RecordedDivisionChange>> DivisionChanges(Connection& c) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("SELECT change_id, kind, code, name, successor, day, source, "
                       "recorded_by FROM canbao.division_change ORDER BY day, change_id"));
  std::vector<RecordedDivisionChange> out;
  for (int i = 0; i < rows.size(); ++i) {
    RecordedDivisionChange r;
    r.id = rows.Int(i, 0);
    r.change.kind =
        identity::ChangeKindFromName(rows.Text(i, 1)).value_or(identity::ChangeKind::kRename);
    r.change.code.v = static_cast<uint64_t>(rows.Int(i, 2));
    r.change.name = rows.Text(i, 3);
    r.change.successor.v = static_cast<uint64_t>(rows.Int(i, 4));
    r.change.date = ParseIsoDate(rows.Text(i, 5));
    r.change.source = rows.Text(i, 6);
    r.recorded_by = rows.Text(i, 7);
    out.push_back(std::move(r));
  }
  return out;
}

Result<int64_t> LastDivisionChange(Connection& c) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("SELECT coalesce(max(change_id), 0) FROM canbao.division_change"));
  return rows.Int(0, 0);
}

Result<int64_t> AddDivisionChange(Connection& c, const identity::DivisionChange& change,
                                  const std::string& account) {
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec(
          "INSERT INTO canbao.division_change (kind, code, name, successor, day, source, "
          "recorded_by) VALUES ($1, $2, $3, nullif($4, 0), $5::date, $6, $7) "
          "ON CONFLICT DO NOTHING RETURNING change_id",
          {Param(identity::ChangeKindName(change.kind)), Param(static_cast<int64_t>(change.code.v)),
           Param(change.name), Param(static_cast<int64_t>(change.successor.v)),
           Param(change.date.ToIso()), Param(change.source), Param(account)}));
  if (rows.size() == 0) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-1201",
                Msg("{0} 的这一变更已经登记过", "this change of {0} is recorded already",
                    change.code.county()),
                Text{"请在变更列表中查看。", "look at the list of changes."});
  }
  return rows.Int(0, 0);
}

}  // namespace canbao::reg
