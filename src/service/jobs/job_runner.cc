#include "service/jobs/job_runner.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "register/access/session_token.h"
#include "register/delivery_record.h"
#include "register/export_file.h"
#include "service/jobs/child_process.h"
#include "service/jobs/job_command.h"
#include "service/jobs/job_outcome.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kRunnerLock = 0x63616e62616f31;  // advisory: one runner a register
constexpr int kAbandonedDays = 7;
constexpr seconds kStopGrace{20};    // from SIGINT to SIGKILL when the server stops
constexpr seconds kCancelGrace{60};  // the same for a cancel

struct Running {
  reg::Job job;
  std::optional<ChildProcess> child;
  JobEnd end;
  bool ended = false;  // its end is to be written
  bool changed = false;
  std::string phase_seen;
  int64_t phase_done = 0;
  Clock::time_point phase_from;
  std::optional<Clock::time_point> asked_at;  // SIGINT was sent
  bool killed = false;
  int64_t session = 0;  // of an export: what its child may see
};

// As base/report.h has it.
std::string ProblemOf(const Error& e) {
  return json::serialize(
      json::object{{"class", static_cast<int>(e.cls)},
                   {"code", e.code},
                   {"message", json::object{{"zh", e.message.zh}, {"en", e.message.en}}},
                   {"remedy", json::object{{"zh", e.remedy.zh}, {"en", e.remedy.en}}}});
}

std::string TextIn(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

int64_t IntIn(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr || !v->is_number() ? 0 : v->to_number<int64_t>();
}

// One line of base/report.h.
void TakeLine(const std::string& line, Running* r) {
  boost::system::error_code ec;
  json::value parsed = json::parse(line, ec);
  if (ec || !parsed.is_object()) return;
  const json::object& o = parsed.get_object();
  if (const json::value* problem = o.if_contains("problem")) {
    r->end.problem = json::serialize(*problem);
  } else if (const json::value* result = o.if_contains("result")) {
    if (!result->is_object()) return;
    for (const auto& [name, value] : result->get_object()) {
      if (value.is_string()) r->end.results[name] = value.get_string();
    }
  } else if (const json::value* phase = o.if_contains("phase")) {
    if (!phase->is_object()) return;
    reg::Job& job = r->job;
    job.phase = Text{TextIn(phase->get_object(), "zh"), TextIn(phase->get_object(), "en")};
    job.done = IntIn(o, "done");
    job.total = IntIn(o, "total");
    job.unit = TextIn(o, "unit");
    const Clock::time_point now = Clock::now();
    if (r->phase_seen != job.phase.en || job.done < r->phase_done) {
      r->phase_seen = job.phase.en;
      r->phase_done = job.done;
      r->phase_from = now;
    }
    const double passed = std::chrono::duration<double>(now - r->phase_from).count();
    job.rate = passed > 0.3 ? static_cast<double>(job.done - r->phase_done) / passed : 0;
    r->changed = true;
  }
}

// Whether `pid` is still the child that was started for the job: numbers are used again.
bool IsChildOf(int pid, int64_t job) {
  auto environment = ReadWholeFile(fmt::format("/proc/{}/environ", pid));
  if (!environment) return false;
  const std::string mark = fmt::format("CANBAO_JOB={}", job);
  std::string_view rest = *environment;
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    if (rest.substr(0, end) == mark) return true;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

class JobRunner::Loop {
 public:
  Loop(const Services& services, JobRunnerOptions options)
      : services_(services), options_(options), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Loop() { Stop(); }

  void Begin() {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    Wake();
    if (thread_.joinable()) thread_.join();
  }
  void Wake() const {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t n = ::write(wake_.get(), &one, sizeof one);
  }
  int running() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

  // Other threads' questions share a session of their own.
  template <typename Ask>
  auto With(Ask ask) -> decltype(ask(std::declval<reg::Connection&>())) {
    std::lock_guard lock(asking_);
    if (!asked_ || !asked_->alive()) {
      asked_.reset();
      CANBAO_ASSIGN(asked_, services_.db->Connect("canbao jobs"));
    }
    return ask(*asked_);
  }

 private:
  void Run();
  bool stopping() const {
    std::lock_guard lock(mutex_);
    return stopping_;
  }
  Status Attend();  // to the database
  Status Recover();
  Status StartQueued();
  Status StartJob(reg::Job job);
  Status OpenSession(Running* r, std::string* token);
  Status WriteEnds();
  Status WriteProgress();
  Status TakeCancels();
  Status KeepHouse();
  void LookAfterChildren();
  void AskToStop(Running* r, bool kill_later);
  void Wait(milliseconds at_most);

  const Services& services_;
  const JobRunnerOptions options_;
  Fd wake_;
  std::thread thread_;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  int count_ = 0;

  std::mutex asking_;
  std::unique_ptr<reg::Connection> asked_;

  // Of the thread alone.
  std::unique_ptr<reg::Connection> c_;
  bool locked_ = false;
  bool recovered_ = false;
  std::map<int64_t, Running> running_;
  Clock::time_point progress_written_{};
  std::optional<Clock::time_point> house_kept_;
  Clock::time_point try_again_{};
};

void JobRunner::Loop::Run() {
  std::optional<Clock::time_point> stop_since;
  for (;;) {
    LookAfterChildren();
    const bool stop = stopping();
    if (stop && !stop_since) {
      stop_since = Clock::now();
      for (auto& [id, r] : running_) {
        r.end.stopping = true;
        AskToStop(&r, true);
      }
    }
    if (Clock::now() >= try_again_) {
      if (Status s = Attend(); !s) {
        Log(LogLevel::kWarning, "jobs: {}", s.error().ToString());
        c_.reset();
        locked_ = false;
        try_again_ = Clock::now() + seconds(1);
      }
    }
    if (stop && (running_.empty() || Clock::now() - *stop_since > kStopGrace + seconds(5))) break;
    {
      std::lock_guard lock(mutex_);
      count_ = static_cast<int>(running_.size());
    }
    Wait(running_.empty() ? milliseconds(1000) : milliseconds(200));
  }
  running_.clear();
}

Status JobRunner::Loop::Attend() {
  if (!c_ || !c_->alive()) {
    locked_ = false;
    CANBAO_ASSIGN(c_, services_.db->Connect("canbao job runner"));
    CANBAO_TRY(c_->Run("LISTEN canbao_job"));
  }
  PQconsumeInput(c_->raw());
  while (PGnotify* n = PQnotifies(c_->raw())) PQfreemem(n);
  if (!locked_) {
    CANBAO_ASSIGN(reg::Rows rows,
                  c_->Exec("SELECT pg_try_advisory_lock($1)", {reg::Param(kRunnerLock)}));
    locked_ = rows.Bool(0, 0);
    if (!locked_) return {};
  }
  if (!recovered_) CANBAO_TRY(Recover());
  CANBAO_TRY(WriteEnds());
  CANBAO_TRY(WriteProgress());
  CANBAO_TRY(TakeCancels());
  if (!stopping()) {
    CANBAO_TRY(StartQueued());
    CANBAO_TRY(KeepHouse());
  }
  return {};
}

// What the server before this one left running: its children have been told by the kernel to stop.
Status JobRunner::Loop::Recover() {
  CANBAO_ASSIGN(std::vector<reg::Job> left, reg::UnfinishedJobs(*c_));
  for (reg::Job& job : left) {
    if (running_.contains(job.id)) continue;
    for (int waited = 0; job.pid > 0 && IsChildOf(job.pid, job.id); ++waited) {
      if (waited == 0) ::kill(-job.pid, SIGINT);
      if (waited == 300) ::kill(-job.pid, SIGKILL);  // half a minute
      std::this_thread::sleep_for(milliseconds(100));
      if (stopping()) return {};
    }
    JobEnd end;
    end.code = static_cast<int>(ErrorClass::kInterrupted);
    end.asked = job.state == "cancelling";
    CANBAO_ASSIGN(reg::Transaction tx, reg::Transaction::Begin(*c_));
    CANBAO_TRY(ApplyJobEnd(*c_, services_, end, &job));
    CANBAO_TRY(tx.Commit());
    Log(LogLevel::kInfo, "job {} ({}) was left unfinished: {}", job.id, job.kind, job.state);
  }
  recovered_ = true;
  return {};
}

Status JobRunner::Loop::StartQueued() {
  CANBAO_ASSIGN(std::vector<reg::Job> queued, reg::QueuedJobs(*c_));
  for (reg::Job& job : queued) {
    const JobClass cls = ClassOf(job.kind);
    int of_class = 0;
    for (const auto& [id, r] : running_) of_class += ClassOf(r.job.kind) == cls ? 1 : 0;
    if (of_class < LimitOf(cls) && !running_.contains(job.id)) CANBAO_TRY(StartJob(std::move(job)));
  }
  return {};
}

Status JobRunner::Loop::StartJob(reg::Job job) {
  CANBAO_ASSIGN(bool mine, reg::ClaimJob(*c_, job.id));
  if (!mine) return {};
  Running r;
  r.job = std::move(job);
  r.job.state = "running";
  r.job.done = 0;
  r.job.total = 0;
  r.phase_from = Clock::now();
  const int64_t id = r.job.id;
  Status started = [&]() -> Status {
    CANBAO_ASSIGN(JobCommand command, CommandOf(r.job, services_));
    const std::string folder = JobFolder(services_, id);
    CANBAO_TRY(MakeFolders(folder, 0700));
    ChildOptions o;
    o.executable = services_.executable;
    o.words = std::move(command.words);
    o.settings = {{"CANBAO_JOB", std::to_string(id)}};
    if (!services_.policy_dir.empty())
      o.settings.emplace_back("CANBAO_POLICY", services_.policy_dir);
    o.output_path = folder + "/output";
    o.log_path = folder + "/log";
    o.memory = command.memory;
    if (r.job.kind == "export") CANBAO_TRY(OpenSession(&r, &o.input));
    CANBAO_ASSIGN(ChildProcess child, ChildProcess::Start(o));
    r.child.emplace(std::move(child));
    return {};
  }();
  if (!started) {
    r.ended = true;
    r.end.code = static_cast<int>(started.error().cls);
    r.end.problem = ProblemOf(started.error());
  }
  const int pid = r.child ? r.child->pid() : 0;
  Log(LogLevel::kInfo, "job {} ({}) started, process {}", id, r.job.kind, pid);
  running_.emplace(id, std::move(r));
  if (pid > 0) CANBAO_TRY(reg::SetJobProcess(*c_, id, pid));
  return {};
}

// The child of an export acts as whoever asked for it, by a session that this account could have
// opened itself; it ends with the job.
Status JobRunner::Loop::OpenSession(Running* r, std::string* token) {
  CANBAO_ASSIGN(reg::SessionToken made, reg::NewSessionToken());
  *token = made.token;
  CANBAO_ASSIGN(reg::Rows rows,
                c_->Exec("INSERT INTO canbao.session (account_id, token_hash, csrf, kind, "
                         "idle_until, expires_at) VALUES ($1, $2, '', "
                         "'job', now() + interval '12 hours', now() + interval '12 hours') "
                         "RETURNING session_id",
                         {reg::Param(r->job.account_id), reg::Param::Bytes(made.hash)}));
  r->session = rows.Int(0, 0);
  return {};
}

Status JobRunner::Loop::WriteEnds() {
  for (auto it = running_.begin(); it != running_.end();) {
    Running& r = it->second;
    if (!r.ended) {
      ++it;
      continue;
    }
    CANBAO_ASSIGN(reg::Transaction tx, reg::Transaction::Begin(*c_));
    reg::Job job = r.job;
    if (Status s = ApplyJobEnd(*c_, services_, r.end, &job); !s) {
      // The database's trouble passes; a result that cannot be read is the job's own end.
      if (s.error().code.starts_with("CB-REGISTER")) return s;
      r.end = JobEnd{};
      r.end.code = static_cast<int>(s.error().cls);
      r.end.problem = ProblemOf(s.error());
      continue;
    }
    if (r.session != 0) {
      CANBAO_TRY(
          c_->Exec("DELETE FROM canbao.session WHERE session_id = $1", {reg::Param(r.session)}));
    }
    if (job.kind == "export" && job.state == "done") {
      CANBAO_TRY(reg::KeepExportFile(*c_, job.id, options_.export_days));
    }
    CANBAO_TRY(tx.Commit());
    Log(LogLevel::kInfo, "job {} ({}) ended: {}", job.id, job.kind, job.state);
    it = running_.erase(it);
  }
  return {};
}

Status JobRunner::Loop::WriteProgress() {
  const Clock::time_point now = Clock::now();
  if (now - progress_written_ < milliseconds(500)) return {};
  progress_written_ = now;
  for (auto& [id, r] : running_) {
    if (!r.changed) continue;
    r.changed = false;
    CANBAO_TRY(reg::SetJobProgress(*c_, r.job));
  }
  return {};
}

Status JobRunner::Loop::TakeCancels() {
  if (running_.empty()) return {};
  CANBAO_ASSIGN(std::vector<int64_t> ids, reg::CancellingJobs(*c_));
  for (int64_t id : ids) {
    auto at = running_.find(id);
    if (at == running_.end() || at->second.end.asked) continue;
    at->second.end.asked = true;
    AskToStop(&at->second, true);
  }
  return {};
}

// Once an hour: what nobody came back for.
Status JobRunner::Loop::KeepHouse() {
  const Clock::time_point now = Clock::now();
  if (house_kept_ && now - *house_kept_ < std::chrono::hours(1)) return {};
  house_kept_ = now;
  CANBAO_ASSIGN(std::vector<int64_t> uploads, reg::AbandonedUploads(*c_, kAbandonedDays));
  for (int64_t id : uploads) {
    CANBAO_TRY(RemoveTree(fmt::format("{}/uploads/{}", services_.data_dir, id)));
    CANBAO_TRY(reg::RemoveUpload(*c_, id));
  }
  CANBAO_ASSIGN(std::vector<int64_t> exports, reg::ExpiredExportFiles(*c_));
  for (int64_t id : exports) {
    CANBAO_TRY(RemoveTree(JobFolder(services_, id)));
    CANBAO_TRY(reg::SetExportFileRemoved(*c_, id));
    Log(LogLevel::kInfo, "the file of export job {} was kept for long enough", id);
  }
  return {};
}

void JobRunner::Loop::LookAfterChildren() {
  const Clock::time_point now = Clock::now();
  for (auto& [id, r] : running_) {
    if (!r.child) continue;
    std::optional<ChildProcess::End> end = r.child->Ended();
    for (const std::string& line : r.child->Lines()) TakeLine(line, &r);
    if (end) {
      r.end.code = end->code;
      r.end.signal = end->signal;
      r.ended = true;
      r.child.reset();
      continue;
    }
    const seconds grace = r.end.stopping ? kStopGrace : kCancelGrace;
    if (r.asked_at && !r.killed && now - *r.asked_at > grace) {
      r.child->Signal(SIGKILL);
      r.killed = true;
    }
  }
}

void JobRunner::Loop::AskToStop(Running* r, bool kill_later) {
  if (!r->child || r->asked_at) return;
  r->child->Signal(SIGINT);
  if (kill_later) r->asked_at = Clock::now();
}

void JobRunner::Loop::Wait(milliseconds at_most) {
  std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
  if (c_ && c_->alive()) fds.push_back({PQsocket(c_->raw()), POLLIN, 0});
  ::poll(fds.data(), fds.size(), static_cast<int>(at_most.count()));
  uint64_t taken = 0;
  [[maybe_unused]] ssize_t n = ::read(wake_.get(), &taken, sizeof taken);
}

JobRunner::JobRunner(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
JobRunner::~JobRunner() { Stop(); }

Result<std::unique_ptr<JobRunner>> JobRunner::Start(const Services& services,
                                                    JobRunnerOptions options) {
  CANBAO_TRY(MakeFolders(services.data_dir + "/jobs", 0700));
  CANBAO_TRY(MakeFolders(services.data_dir + "/uploads", 0700));
  auto loop = std::make_unique<Loop>(services, options);
  loop->Begin();
  return std::unique_ptr<JobRunner>(new JobRunner(std::move(loop)));
}

Result<bool> JobRunner::Cancel(int64_t id) {
  auto done = loop_->With([&](reg::Connection& c) { return reg::CancelJob(c, id); });
  loop_->Wake();
  return done;
}
Result<bool> JobRunner::Resume(int64_t id) {
  auto done = loop_->With([&](reg::Connection& c) { return reg::ResumeJob(c, id); });
  loop_->Wake();
  return done;
}
Result<std::optional<reg::Job>> JobRunner::Read(int64_t id) {
  return loop_->With([&](reg::Connection& c) { return reg::FindJob(c, id); });
}
int JobRunner::running() const { return loop_->running(); }
void JobRunner::Stop() { loop_->Stop(); }

}  // namespace canbao::service
