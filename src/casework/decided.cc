#include "casework/decided.h"

#include "casework/policy.h"

namespace canbao::casework {

Result<std::vector<Decided>> DecidedBefore(reg::Database& db, Date cutoff) {
  CANBAO_ASSIGN(auto c, db.Connect("canbao cases"));
  CANBAO_ASSIGN(
      reg::Rows rows,
      c->Exec(
          fmt::format(
              "SELECT c.person_key, coalesce(bit_or(c.number) FILTER (WHERE d.state = {0}), 0), "
              "coalesce(bit_or(c.number) FILTER (WHERE d.state = {1}), 0) "
              "FROM canbao.case_decided($1::date) d JOIN canbao.case c USING (case_id) "
              "WHERE c.kind = 1 AND d.state IN ({0}, {1}) GROUP BY 1 ORDER BY 1",
              kDismissed, kConsolidated),
          {reg::Param(cutoff.ToIso())}));
  std::vector<Decided> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<uint64_t>(rows.Int(i, 0)), static_cast<uint16_t>(rows.Int(i, 1)),
                   static_cast<uint16_t>(rows.Int(i, 2))});
  }
  return out;
}

}  // namespace canbao::casework
