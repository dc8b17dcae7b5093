// Jobs as their callers see them: state, progress, log, result, cancel, resume; comparisons.
#include <boost/json.hpp>
#include <memory>

#include "base/file.h"
#include "register/export_file.h"
#include "service/api/work.h"
#include "service/jobs/job_command.h"
#include "service/jobs/job_runner.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

constexpr uint64_t kLogTail = 1 << 20;

// The job of the path, as far as the caller may see it.
tl::expected<reg::Job, Problem> JobOfPath(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::Job> job, reg::FindJob(*db, IdOf(c.request().Param("id"))));
  if (!job) return NotFound();
  return *std::move(job);
}

// One's own; of others an operator's work on deliveries, never an export.
bool MayStop(const Context& c, const reg::Job& job) {
  return job.account_id == c.caller().account_id ||
         (job.kind != "export" && c.caller().Can("comparisons.write"));
}

tl::unexpected<Problem> NotYours() {
  return Refuse(403, "CB-SERVICE-0412", Msg("这不是您的任务", "this is not your job"));
}

Answer ListTheJobs(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t limit = IdOf(c.request().Query("limit"));
  CANBAO_ASSIGN(
      std::vector<reg::Job> jobs,
      reg::ListJobs(*db, c.request().Query("state"), limit == 0 ? 50 : static_cast<int>(limit)));
  json::array items;
  for (const reg::Job& job : jobs) items.push_back(JobJson(job, LanguageOf(c.request())));
  return Json(json::object{{"items", std::move(items)}});
}

Answer GetTheJob(Context& c) {
  auto job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  return Json(JobJson(*job, LanguageOf(c.request())));
}

// The job as the session of `token` sees it now: a session that has ended sees nothing.
Result<std::optional<reg::Job>> ReadAs(reg::Pool& pool, const std::string& token, int64_t id) {
  CANBAO_ASSIGN(reg::Pool::Lease db, pool.Take());
  CANBAO_ASSIGN(reg::Transaction tx, reg::Transaction::Begin(*db));
  CANBAO_TRY(db->Exec("SELECT set_config('canbao.session', $1, true)", {reg::Param(token)}));
  return reg::FindJob(*db, id);
}

Answer WatchTheJob(Context& c) {
  auto job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  struct Watch {
    std::string sent;
    bool over = false;
  };
  Response r;
  r.events = [watch = std::make_shared<Watch>(), pool = c.services().pool, token = c.caller().token,
              id = job->id, lang = LanguageOf(c.request())]() -> std::optional<std::string> {
    if (watch->over) return std::nullopt;
    auto now = ReadAs(*pool, token, id);
    if (!now) return std::string();  // the database is away for a moment
    if (!*now) return std::nullopt;
    watch->over = (*now)->ended();
    std::string text = json::serialize(JobJson(**now, lang));
    if (text == watch->sent) return std::string();
    watch->sent = text;
    return text;
  };
  return r;
}

Answer GetTheLog(Context& c) {
  auto job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  Response r;
  r.With("Content-Type", "text/plain; charset=utf-8");
  const std::string path = JobFolder(c.services(), job->id) + "/log";
  if (auto fd = OpenForRead(path)) {
    const off_t size = ::lseek(fd->get(), 0, SEEK_END);
    const uint64_t from =
        static_cast<uint64_t>(size) > kLogTail ? static_cast<uint64_t>(size) - kLogTail : 0;
    r.body.resize(static_cast<uint64_t>(size) - from);
    CANBAO_ASSIGN(size_t n, ReadAt(fd->get(), r.body.data(), r.body.size(), from, path));
    r.body.resize(n);
  }
  return r;
}

Answer GetTheResult(Context& c) {
  auto job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  // Whoever took it out answers for it: nobody else gets the file.
  if (job->account_id != c.caller().account_id) return NotYours();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(bool gone, reg::ExportFileIsGone(*db, job->id));
  if (job->state != "done" || job->result_path.empty() || gone || !FileExists(job->result_path)) {
    return Refuse(404, "CB-SERVICE-0413", Msg("没有结果文件", "there is no file"),
                  Msg("任务可能尚未完成，或文件已过保存期。",
                      "the job may not have ended, or the file was kept for long enough."));
  }
  if (job->kind == "export") {
    CANBAO_TRY(db->Exec("UPDATE canbao.export SET downloads = downloads + 1 WHERE job_id = $1",
                        {reg::Param(job->id)}));
    c.Record({"export.download", {}, {}, json::serialize(json::object{{"job", job->id}})});
  }
  return Download(job->result_path, job->result_name,
                  job->result_name.ends_with(".csv")
                      ? "text/csv; charset=utf-8"
                      : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
}

Answer ChangeTheJob(Context& c, bool cancel) {
  auto job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  if (!MayStop(c, *job)) return NotYours();
  JobRunner& runner = *c.services().jobs;
  CANBAO_ASSIGN(bool done, cancel ? runner.Cancel(job->id) : runner.Resume(job->id));
  if (!done) {
    return cancel
               ? Refuse(409, "CB-SERVICE-0414",
                        Msg("任务已经结束或正在停止", "the job has ended, or is stopping already"))
               : Refuse(409, "CB-SERVICE-0415",
                        Msg("任务没有停下，不能继续", "the job did not stop: nothing to resume"));
  }
  c.Record({cancel ? "job.cancel" : "job.resume",
            {},
            {},
            json::serialize(json::object{{"job", job->id}, {"kind", job->kind}})});
  job = JobOfPath(c);
  if (!job) return tl::unexpected<Problem>(job.error());
  return Json(JobJson(*job, LanguageOf(c.request())), 202);
}

// The whole register is compared anew: only who holds the delivery's province may.
bool HoldsProvince(const Caller& caller, int province) {
  return caller.division == 0 || caller.division == int64_t{province} * 1000000;
}

Answer StartComparison(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const json::object& body = c.body().as_object();
  json::array folders;
  json::array ids;
  std::vector<reg::DeliveryRecord> deliveries;
  for (const json::value& id : body.at("deliveries").as_array()) {
    CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> d,
                  reg::FindDelivery(*db, IdOf(id.as_string()), true));
    if (!d) return NotFound();
    if (d->state != "accepted" && d->state != "loaded") {
      return Refuse(409, "CB-SERVICE-0420",
                    Msg("数据交付“{0}”还没有接收", "delivery \"{0}\" is not accepted yet", d->name),
                    Msg("先检查并接收，再发起比对。", "check and accept it first."));
    }
    if (!HoldsProvince(c.caller(), d->province)) {
      return Refuse(403, "CB-SERVICE-0421",
                    Msg("比对更新整个登记库，须由主管该省级单位的账号发起",
                        "a comparison renews the whole register: an account of its province "
                        "starts it"));
    }
    folders.push_back(json::value(d->folder));
    ids.push_back(d->id);
    deliveries.push_back(*std::move(d));
  }
  json::object argument{{"folders", std::move(folders)}, {"deliveries", std::move(ids)}};
  for (const char* key : {"memory", "accept_list"}) {
    if (const json::value* v = body.if_contains(key)) argument[key] = *v;
  }
  if (const json::value* v = body.if_contains("threads"))
    argument["threads"] = std::to_string(v->to_number<int64_t>());
  CANBAO_ASSIGN(reg::Job job,
                StartJob(c, *db, "comparison", argument,
                         deliveries.size() == 1 ? std::optional(deliveries[0].id) : std::nullopt));
  for (reg::DeliveryRecord& d : deliveries) {
    d.job = job.id;
    CANBAO_TRY(reg::SaveDelivery(*db, d));
    CANBAO_TRY(reg::AddDeliveryEvent(*db, d.id, c.caller().account, "comparison_started"));
  }
  c.Record({"comparison.start", {}, {}, json::serialize(json::object{{"job", job.id}})});
  return Json(JobJson(job, LanguageOf(c.request())), 202);
}

}  // namespace

void AddJobHandlers(Handlers& to) {
  to.On("listJobs", ListTheJobs);
  to.On("getJob", GetTheJob);
  to.On("watchJob", WatchTheJob);
  to.On("getJobLog", GetTheLog);
  to.On("getJobResult", GetTheResult);
  to.On("cancelJob", [](Context& c) { return ChangeTheJob(c, true); });
  to.On("resumeJob", [](Context& c) { return ChangeTheJob(c, false); });
  to.On("startComparison", StartComparison);
  AddExportHandlers(to);
}

}  // namespace canbao::service
