#include "register/internal/run_rows.h"

namespace canbao::reg {

RunRow RunOf(const Rows& rows, int i) {
  RunRow r;
  r.run_id = static_cast<int>(rows.Int(i, 0));
  r.name = rows.Text(i, 1);
  r.province = static_cast<uint32_t>(rows.Int(i, 2));
  r.cutoff = ParseIsoDate(rows.Text(i, 3));
  r.made_at = rows.Text(i, 4);
  r.loaded_at = rows.Text(i, 5);
  r.rules = rows.Text(i, 6);
  r.result_digest = rows.Text(i, 7);
  r.persons = rows.Int(i, 8);
  r.current = rows.Bool(i, 9);
  return r;
}

AccountRow ExtractAccountOf(const Rows& rows, int i) {
  AccountRow a;
  a.ordinal = static_cast<int>(rows.Int(i, 0));
  a.extract_id = static_cast<int>(rows.Int(i, 1));
  a.file = rows.Text(i, 2);
  a.kind = rows.Text(i, 3);
  a.source = rows.Text(i, 4);
  a.stage = rows.Text(i, 5);
  a.sha256 = rows.Text(i, 6);
  a.region = static_cast<uint32_t>(rows.Int(i, 7));
  a.rows_in = rows.Int(i, 8);
  a.linked = rows.Int(i, 9);
  a.unlinked = rows.Int(i, 10);
  a.rejected = rows.Int(i, 11);
  a.reference = rows.Int(i, 12);
  a.outcomes = rows.Text(i, 13);
  return a;
}

}  // namespace canbao::reg
