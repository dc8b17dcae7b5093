#include "register/export_file.h"

namespace canbao::reg {

Status KeepExportFile(Connection& c, int64_t job, int days) {
  CANBAO_TRY(c.Exec(
      "UPDATE canbao.export SET expires_at = now() + $2 * interval '1 day' WHERE job_id = $1",
      {Param(job), Param(int64_t{days})}));
  return {};
}

Result<std::vector<int64_t>> ExpiredExportFiles(Connection& c) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT e.job_id FROM canbao.export e JOIN canbao.job j USING "
                                  "(job_id) WHERE e.expires_at <= now() AND NOT e.removed AND "
                                  "j.state = 'done' ORDER BY 1"));
  std::vector<int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(rows.Int(i, 0));
  return out;
}

Status SetExportFileRemoved(Connection& c, int64_t job) {
  CANBAO_TRY(c.Exec("UPDATE canbao.export SET removed = true WHERE job_id = $1", {Param(job)}));
  return {};
}

Result<bool> ExportFileIsGone(Connection& c, int64_t job) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT FROM canbao.export WHERE job_id = $1 AND (removed OR "
                                  "expires_at <= now())",
                                  {Param(job)}));
  return rows.size() != 0;
}

}  // namespace canbao::reg
