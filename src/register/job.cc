#include "register/job.h"

#include <cstdlib>

namespace canbao::reg {
namespace {

constexpr const char* kJobColumns =
    "SELECT job_id, kind, state, phase_zh, phase_en, done, total, unit, rate, delivery_id, run, "
    "result_name, result_path, result_size, problem, argument, account_id, account, division, pid, "
    "canbao.moment(created_at), canbao.moment(started_at), canbao.moment(ended_at) FROM "
    "canbao.job ";

Job JobOf(const Rows& rows, int i) {
  Job j;
  j.id = rows.Int(i, 0);
  j.kind = rows.Text(i, 1);
  j.state = rows.Text(i, 2);
  j.phase = Text{std::string(rows.Text(i, 3)), std::string(rows.Text(i, 4))};
  j.done = rows.Int(i, 5);
  j.total = rows.Int(i, 6);
  j.unit = rows.Text(i, 7);
  j.rate = std::strtod(std::string(rows.Text(i, 8)).c_str(), nullptr);
  if (!rows.IsNull(i, 9)) j.delivery = rows.Int(i, 9);
  j.run = rows.Text(i, 10);
  j.result_name = rows.Text(i, 11);
  j.result_path = rows.Text(i, 12);
  j.result_size = rows.Int(i, 13);
  j.problem = rows.Text(i, 14);
  j.argument = rows.Text(i, 15);
  j.account_id = rows.Int(i, 16);
  j.account = rows.Text(i, 17);
  j.division = rows.Int(i, 18);
  j.pid = static_cast<int>(rows.Int(i, 19));
  j.created_at = rows.Text(i, 20);
  j.started_at = rows.Text(i, 21);
  j.ended_at = rows.Text(i, 22);
  return j;
}

Result<std::vector<Job>> JobsOf(Connection& c, const std::string& where,
                                const std::vector<Param>& params = {}) {
  CANBAO_ASSIGN(Rows rows, c.Exec(kJobColumns + where, params));
  std::vector<Job> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(JobOf(rows, i));
  return out;
}

Param OrNull(std::string_view text) { return text.empty() ? Param(nullptr) : Param(text); }

}  // namespace

Result<int64_t> AddJob(Connection& c, const NewJob& job) {
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec("INSERT INTO canbao.job (kind, argument, delivery_id, account_id, account, division) "
             "VALUES ($1, $2::text::jsonb, $3, $4, $5, $6) RETURNING job_id",
             {Param(job.kind), Param(job.argument),
              job.delivery ? Param(*job.delivery) : Param(nullptr), Param(job.account_id),
              Param(job.account), Param(job.division)}));
  return rows.Int(0, 0);
}

Result<std::optional<Job>> FindJob(Connection& c, int64_t id) {
  CANBAO_ASSIGN(std::vector<Job> jobs, JobsOf(c, "WHERE job_id = $1", {Param(id)}));
  if (jobs.empty()) return std::optional<Job>();
  return std::optional<Job>(std::move(jobs.front()));
}

Result<std::vector<Job>> ListJobs(Connection& c, std::string_view state, int limit) {
  return JobsOf(c, "WHERE $1 = '' OR state = $1 ORDER BY job_id DESC LIMIT $2",
                {Param(state), Param(limit)});
}

Result<std::vector<Job>> QueuedJobs(Connection& c) {
  return JobsOf(c, "WHERE state = 'queued' ORDER BY job_id LIMIT 100");
}

Result<std::vector<Job>> UnfinishedJobs(Connection& c) {
  return JobsOf(c, "WHERE state IN ('running', 'cancelling') ORDER BY job_id");
}

Result<std::vector<int64_t>> CancellingJobs(Connection& c) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT job_id FROM canbao.job WHERE state = 'cancelling'"));
  std::vector<int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(rows.Int(i, 0));
  return out;
}

Result<bool> ClaimJob(Connection& c, int64_t id) {
  CANBAO_ASSIGN(
      Rows rows,
      c.Exec("UPDATE canbao.job SET state = 'running', started_at = now(), "
             "ended_at = NULL, problem = NULL, pid = NULL, done = 0, total = 0, rate = NULL, "
             "phase_zh = '', phase_en = '' WHERE job_id = $1 AND state = 'queued'",
             {Param(id)}));
  return rows.affected() == 1;
}

Status SetJobProcess(Connection& c, int64_t id, int pid) {
  CANBAO_TRY(c.Exec("UPDATE canbao.job SET pid = $2 WHERE job_id = $1", {Param(id), Param(pid)}));
  return {};
}

Status SetJobProgress(Connection& c, const Job& j) {
  CANBAO_TRY(c.Exec(
      "UPDATE canbao.job SET phase_zh = $2, phase_en = $3, done = $4, total = $5, unit = $6, "
      "rate = nullif($7::text::float8, 0) WHERE job_id = $1",
      {Param(j.id), Param(j.phase.zh), Param(j.phase.en), Param(j.done), Param(j.total),
       Param(j.unit), Param(fmt::format("{}", j.rate))}));
  return {};
}

Status EndJob(Connection& c, const Job& j) {
  CANBAO_TRY(
      c.Exec("UPDATE canbao.job SET state = $2, ended_at = now(), pid = NULL, rate = NULL, "
             "problem = $3::text::jsonb, run = coalesce($4, run), result_name = coalesce($5, "
             "result_name), "
             "result_path = coalesce($6, result_path), result_size = $7, done = $8, total = $9 "
             "WHERE job_id = $1",
             {Param(j.id), Param(j.state), OrNull(j.problem), OrNull(j.run), OrNull(j.result_name),
              OrNull(j.result_path), Param(j.result_size), Param(j.done), Param(j.total)}));
  return {};
}

Result<bool> CancelJob(Connection& c, int64_t id) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("UPDATE canbao.job SET "
                       "ended_at = CASE WHEN state = 'queued' THEN now() END, "
                       "state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE 'cancelling' END "
                       "WHERE job_id = $1 AND state IN ('queued', 'running')",
                       {Param(id)}));
  return rows.affected() == 1;
}

Result<bool> ResumeJob(Connection& c, int64_t id) {
  CANBAO_ASSIGN(Rows rows,
                c.Exec("UPDATE canbao.job SET state = 'queued', ended_at = NULL, problem = NULL "
                       "WHERE job_id = $1 AND state IN ('cancelled', 'interrupted', 'failed')",
                       {Param(id)}));
  return rows.affected() == 1;
}

}  // namespace canbao::reg
