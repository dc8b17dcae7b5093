#include "service/jobs/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace canbao::service {
namespace {

constexpr int kReportFd = 3;  // in the child

tl::unexpected<Error> CannotStart(const std::string& executable, int error) {
  return Fail(Error{ErrorClass::kEnvironment, "CB-SERVICE-0400",
                    Msg("无法启动任务进程：{0}", "the job's process cannot be started: {0}",
                        std::string(std::strerror(error))),
                    Msg("请检查服务器的内存和进程数限制。",
                        "check the server's memory and its limit of processes."),
                    executable, 0, 0});
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> MakePipe(const std::string& executable) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return CannotStart(executable, errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<ChildProcess> ChildProcess::Start(const ChildOptions& o) {
  CANBAO_ASSIGN(Pipe report, MakePipe(o.executable));
  CANBAO_ASSIGN(Pipe input, MakePipe(o.executable));
  // What it reads fits into the pipe: written before anybody reads.
  if (!o.input.empty()) CANBAO_TRY(WriteAll(input.write.get(), o.input, "stdin"));
  input.write.Reset();

  std::vector<std::string> words = {o.executable};
  words.insert(words.end(), o.words.begin(), o.words.end());
  std::vector<std::string> environment;
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
  for (const auto& [name, value] : o.settings) {
    std::erase_if(environment, [&](const std::string& e) { return e.starts_with(name + "="); });
    environment.push_back(name + "=" + value);
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, report.write.get(), kReportFd);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, o.output_path.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, o.log_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addclosefrom_np(&actions, kReportFd + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t usual;
  sigemptyset(&usual);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&usual, signal);
  posix_spawnattr_setsigdefault(&attributes, &usual);

  pid_t pid = -1;
  int error = ::posix_spawn(&pid, o.executable.c_str(), &actions, &attributes,
                            Pointers(words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return CannotStart(o.executable, error);
  if (o.memory > 0) {
    // Of what it writes to: mapped files and reserved addresses cost nothing.
    rlimit limit{o.memory, o.memory};
    ::prlimit(pid, RLIMIT_DATA, &limit, nullptr);
  }
  ChildProcess child;
  child.pid_ = pid;
  child.report_ = std::move(report.read);
  ::fcntl(child.report_.get(), F_SETFL, O_NONBLOCK);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& o) noexcept
    : pid_(std::exchange(o.pid_, -1)), report_(std::move(o.report_)), begun_(std::move(o.begun_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::vector<std::string> ChildProcess::Lines() {
  std::vector<std::string> lines;
  char buffer[8192];
  for (;;) {
    const ssize_t n = ::read(report_.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    begun_.append(buffer, static_cast<size_t>(n));
    for (size_t end; (end = begun_.find('\n')) != std::string::npos;) {
      lines.push_back(begun_.substr(0, end));
      begun_.erase(0, end + 1);
    }
    // Nothing that a command says has such lines.
    if (begun_.size() > (size_t{1} << 20)) begun_.clear();
  }
  return lines;
}

void ChildProcess::Signal(int signal) const {
  if (pid_ > 0) ::kill(-pid_, signal);
}

std::optional<ChildProcess::End> ChildProcess::Ended() {
  if (pid_ <= 0) return End{};
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return WIFSIGNALED(status) ? End{-1, WTERMSIG(status)} : End{WEXITSTATUS(status), 0};
}

}  // namespace canbao::service
