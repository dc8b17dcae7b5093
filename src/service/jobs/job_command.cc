#include "service/jobs/job_command.h"

#include <boost/json.hpp>

namespace canbao::service {
namespace {

namespace json = boost::json;

constexpr uint64_t kGiB = uint64_t{1} << 30;

std::string TextAt(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::vector<std::string> TextsAt(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  const json::value* v = o.if_contains(key);
  if (v == nullptr || !v->is_array()) return out;
  for (const json::value& item : v->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

// "2G", "512M", as the contract has it.
uint64_t BytesOf(const std::string& size) {
  uint64_t n = 0;
  for (char c : size) {
    if (c < '0' || c > '9') break;
    n = n * 10 + static_cast<uint64_t>(c - '0');
  }
  return n << (size.ends_with('G') ? 30 : 20);
}

}  // namespace

Result<JobCommand> CommandOf(const reg::Job& job, const Services& services) {
  boost::system::error_code ec;
  json::value parsed = json::parse(job.argument, ec);
  if (ec || !parsed.is_object()) {
    return Fail(ErrorClass::kInternal, "CB-SERVICE-0402",
                Msg("任务参数无法读取", "the job's argument cannot be read"));
  }
  const json::object& a = parsed.get_object();
  const std::string folder = JobFolder(services, job.id);
  JobCommand out;
  std::vector<std::string>& w = out.words;
  w = {"--progress-fd", "3"};
  auto add = [&w](std::initializer_list<std::string> more) { w.insert(w.end(), more); };
  if (job.kind == "profile") {
    add({"inspect", TextAt(a, "folder"), "--format", "json", "--bad-rows", "1000", "--data",
         services.data_dir});
    out.memory = 3 * kGiB;
  } else if (job.kind == "dry_run") {
    add({"check", TextAt(a, "folder"), "--data", services.data_dir, "--out", folder + "/check"});
    out.memory = 3 * kGiB;
  } else if (job.kind == "comparison") {
    add({"compare"});
    for (const std::string& f : TextsAt(a, "folders")) w.push_back(f);
    std::string memory = TextAt(a, "memory");
    if (memory.empty()) memory = "2G";
    std::string threads = TextAt(a, "threads");
    if (threads.empty()) threads = "2";
    add({"--data", services.data_dir, "--memory", memory, "--threads", threads});
    for (const std::string& source : TextsAt(a, "accept_list")) add({"--accept-list", source});
    // The budget is of tables and partitions; buffers, texts and the loader come on top.
    out.memory = BytesOf(memory) / 2 * 3 + 2 * kGiB;
  } else if (job.kind == "undo") {
    add({"withdraw", TextAt(a, "run"), "--data", services.data_dir});
    out.memory = 5 * kGiB;  // it may have to compare
  } else if (job.kind == "export") {
    add({"export", "--job", std::to_string(job.id), "--data", services.data_dir, "--out", folder});
    out.memory = kGiB;
  } else {
    return Fail(ErrorClass::kInternal, "CB-SERVICE-0402",
                Msg("未知的任务种类 {0}", "a job of unknown kind {0}", job.kind));
  }
  return out;
}

std::string JobFolder(const Services& services, int64_t id) {
  return services.data_dir + "/jobs/" + std::to_string(id);
}

JobClass ClassOf(const std::string& kind) {
  if (kind == "export") return JobClass::kExport;
  return kind == "comparison" || kind == "undo" ? JobClass::kComparison : JobClass::kCheck;
}

int LimitOf(JobClass cls) { return cls == JobClass::kExport ? 2 : 1; }

}  // namespace canbao::service
