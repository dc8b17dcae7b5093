#include "casework/corrections.h"

namespace canbao::casework {

Result<std::optional<Corrections>> CorrectionsAt(reg::Connection& c, Date cutoff, uint32_t from,
                                                 uint32_t until) {
  CANBAO_ASSIGN(
      reg::Rows rows,
      c.Exec("SELECT count(*), coalesce(sum(found), 0), coalesce(sum(corrected), 0) "
             "FROM canbao.case_figure WHERE cutoff = $1::date AND county BETWEEN $2 AND $3",
             {reg::Param(cutoff.ToIso()), reg::Param(static_cast<int32_t>(from)),
              reg::Param(static_cast<int32_t>(until))}));
  if (rows.Int(0, 0) == 0) return std::optional<Corrections>();
  return std::optional<Corrections>(Corrections{rows.Int(0, 1), rows.Int(0, 2)});
}

}  // namespace canbao::casework
