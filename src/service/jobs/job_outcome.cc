#include "service/jobs/job_outcome.h"

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>

#include "base/file.h"
#include "register/delivery_record.h"
#include "service/jobs/job_command.h"

namespace canbao::service {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr uint64_t kMaxResult = uint64_t{256} << 20;

std::string ProblemText(const char* code, ErrorClass cls, const Text& message, const Text& remedy) {
  return json::serialize(
      json::object{{"class", static_cast<int>(cls)},
                   {"code", code},
                   {"message", json::object{{"zh", message.zh}, {"en", message.en}}},
                   {"remedy", json::object{{"zh", remedy.zh}, {"en", remedy.en}}}});
}

tl::unexpected<Error> BadResult(const std::string& path) {
  return Fail(Error{ErrorClass::kInternal,
                    "CB-SERVICE-0404",
                    Msg("任务结果无法读取", "the job's result cannot be read"),
                    {},
                    path,
                    0,
                    0});
}

Result<json::value> ReadJson(const std::string& path) {
  CANBAO_ASSIGN(std::string text, ReadWholeFile(path, kMaxResult));
  boost::system::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec) return BadResult(path);
  return value;
}

int64_t NumberAt(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr || !v->is_number() ? 0 : v->to_number<int64_t>();
}

std::string WordAt(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr || !v->is_string() ? std::string() : std::string(v->get_string());
}

std::vector<int64_t> DeliveriesOf(const reg::Job& job) {
  std::vector<int64_t> out;
  if (job.delivery) out.push_back(*job.delivery);
  boost::system::error_code ec;
  json::value a = json::parse(job.argument, ec);
  if (ec || !a.is_object()) return out;
  const json::value* list = a.get_object().if_contains("deliveries");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& id : list->get_array()) {
    if (!id.is_int64()) continue;
    if (std::find(out.begin(), out.end(), id.get_int64()) == out.end())
      out.push_back(id.get_int64());
  }
  return out;
}

void JudgeEnd(const JobEnd& end, reg::Job* job) {
  job->problem = end.problem;
  if (end.code == 0 && end.signal == 0) {
    job->state = "done";
    return;
  }
  const bool stopped = end.code == static_cast<int>(ErrorClass::kInterrupted) ||
                       end.signal == SIGINT || end.signal == SIGTERM;
  if (stopped || ((end.asked || end.stopping) && end.signal == SIGKILL)) {
    job->state = end.asked ? "cancelled" : "interrupted";
    job->problem.clear();
    return;
  }
  // Profiles of files that would be refused are results, too.
  if (job->kind == "profile" && end.code == static_cast<int>(ErrorClass::kInput) &&
      end.problem.empty()) {
    job->state = "done";
    return;
  }
  job->state = "failed";
  if (!job->problem.empty()) return;
  const Text remedy = {"可以继续执行；如再次发生，请查看任务日志，或减小内存预算和线程数。",
                       "it can be resumed; if it happens again, see the job's log, or lower its "
                       "memory and threads."};
  job->problem = end.signal != 0
                     ? ProblemText("CB-SERVICE-0401", ErrorClass::kEnvironment,
                                   Msg("任务进程被信号 {0} 终止",
                                       "the job's process was ended by signal {0}", end.signal),
                                   remedy)
                     : ProblemText("CB-SERVICE-0401", ErrorClass::kEnvironment,
                                   Msg("任务进程异常退出（{0}）",
                                       "the job's process ended with {0}", end.code),
                                   remedy);
}

// The file's problem as base/report.h has it, from what inspect says of a refused file.
std::string RefusalOf(const json::object& profile) {
  const json::value* refused = profile.if_contains("refused");
  if (refused == nullptr || !refused->is_object()) return {};
  const json::object& r = refused->get_object();
  return json::serialize(json::object{
      {"class", static_cast<int>(ErrorClass::kInput)},
      {"code", WordAt(r, "code")},
      {"message", json::object{{"zh", WordAt(r, "message_zh")}, {"en", WordAt(r, "message_en")}}},
      {"remedy", json::object{{"zh", "请改正文件或列映射后重新检查。"},
                              {"en",
                               "correct the file or the mapping of its columns, and check "
                               "again."}}},
      {"file", WordAt(profile, "file")},
      {"line", NumberAt(r, "line")},
      {"column", 0}});
}

Status TakeProfile(const std::string& output, const std::string& folder, reg::DeliveryRecord* d) {
  CANBAO_ASSIGN(json::value value, ReadJson(output));
  if (!value.is_array() || value.get_array().size() != d->files.size()) return BadResult(output);
  const json::array& profiles = value.get_array();
  d->problem.clear();
  for (size_t i = 0; i < profiles.size(); ++i) {
    if (!profiles[i].is_object()) return BadResult(output);
    const json::object& p = profiles[i].get_object();
    d->files[i].rows = NumberAt(p, "rows");
    d->files[i].rejected = NumberAt(p, "rejected");
    d->files[i].profiled = true;
    if (d->problem.empty()) d->problem = RefusalOf(p);
  }
  d->state = d->problem.empty() ? "profiled" : "refused_by_check";
  CANBAO_TRY(MakeFolders(folder, 0700));
  return WriteFileAtomic(folder + "/profile.json", json::serialize(value), 0600);
}

Status TakeCheck(const std::string& made, const std::string& folder, reg::DeliveryRecord* d) {
  // Moved already by a try whose commit failed?
  const bool here = FileExists(made + "/summary.json");
  const std::string kept = folder + "/check";
  CANBAO_ASSIGN(json::value value, ReadJson((here ? made : kept) + "/summary.json"));
  const json::value* files = value.is_object() ? value.get_object().if_contains("files") : nullptr;
  if (files == nullptr || !files->is_array() || files->get_array().size() != d->files.size()) {
    return BadResult(made);
  }
  for (size_t i = 0; i < d->files.size(); ++i) {
    const json::value& file = files->get_array()[i];
    if (!file.is_object()) return BadResult(made);
    d->files[i].rows = NumberAt(file.get_object(), "rows");
    d->files[i].rejected = NumberAt(file.get_object(), "rejected");
  }
  // A decision that was made meanwhile stands.
  if (d->state == "profiled" || d->state == "checked" || d->state == "refused_by_check") {
    d->problem.clear();
    d->state = "checked";
  }
  if (!here) return {};
  CANBAO_TRY(MakeFolders(folder, 0700));
  CANBAO_TRY(RemoveTree(kept));
  return RenameDurably(made, kept);
}

Status TakeExport(reg::Connection& c, const JobEnd& end, reg::Job* job) {
  auto at = [&](const char* name) {
    auto it = end.results.find(name);
    return it == end.results.end() ? std::string() : it->second;
  };
  job->result_path = at("path");
  job->result_name = at("name");
  std::error_code ec;
  job->result_size = static_cast<int64_t>(fs::file_size(job->result_path, ec));
  if (ec) return BadResult(job->result_path);
  CANBAO_TRY(
      c.Exec("UPDATE canbao.export SET rows = $2::text::bigint, watermark = $3 "
             "WHERE job_id = $1",
             {reg::Param(job->id), reg::Param(at("rows")), reg::Param(at("watermark"))}));
  return {};
}

// One delivery that the job was about.
Status ApplyToDelivery(reg::Connection& c, const Services& services, const reg::Job& job,
                       int64_t id) {
  CANBAO_ASSIGN(std::optional<reg::DeliveryRecord> found, reg::FindDelivery(c, id, true));
  if (!found) return {};
  reg::DeliveryRecord& d = *found;
  const std::string folder = DeliveryFolder(services, id);
  const std::string own = JobFolder(services, job.id);
  std::string event;
  bool files = false;
  if (job.state == "failed") {
    d.problem = job.problem;
    boost::system::error_code ec;
    json::value problem = json::parse(job.problem, ec);
    const bool refused =
        !ec && problem.is_object() &&
        NumberAt(problem.get_object(), "class") == static_cast<int64_t>(ErrorClass::kInput);
    if (refused && (job.kind == "profile" || job.kind == "dry_run")) d.state = "refused_by_check";
    event = job.kind + "_failed";
  } else if (job.kind == "profile") {
    CANBAO_TRY(TakeProfile(own + "/output", folder, &d));
    event = d.state;
    files = true;
  } else if (job.kind == "dry_run") {
    CANBAO_TRY(TakeCheck(own + "/check", folder, &d));
    event = "checked";
    files = true;
  } else if (job.kind == "comparison") {
    d.state = "loaded";
    d.run = job.run;
    d.problem.clear();
    event = "loaded";
  } else if (job.kind == "undo") {
    d.state = "undone";
    event = "undone";
  }
  if (event.empty()) return {};
  CANBAO_TRY(reg::SaveDelivery(c, d));
  if (files) CANBAO_TRY(reg::SaveDeliveryFiles(c, id, d.files));
  return reg::AddDeliveryEvent(c, id, job.account, event);
}

}  // namespace

Status ApplyJobEnd(reg::Connection& c, const Services& services, const JobEnd& end, reg::Job* job) {
  JudgeEnd(end, job);
  if (job->state == "done") {
    if (auto run = end.results.find("run"); run != end.results.end()) job->run = run->second;
    if (job->kind == "export") CANBAO_TRY(TakeExport(c, end, job));
    // The last report of a phase may have come before its end.
    if (job->total > 0) job->done = job->total;
  }
  CANBAO_TRY(reg::EndJob(c, *job));
  if (job->resumable_stop()) return {};
  for (int64_t id : DeliveriesOf(*job)) CANBAO_TRY(ApplyToDelivery(c, services, *job, id));
  return {};
}

std::string DeliveryFolder(const Services& services, int64_t id) {
  return services.data_dir + "/deliveries-in/" + std::to_string(id);
}

}  // namespace canbao::service
