// The recipe is measured: initdb 0.6–5 s, start 0.1 s, after SIGKILL of the postmaster a start
// fails for about a second (its children still hold the shared memory) and then recovers in 1–2 s.
#include "register/instance.h"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "register/connection.h"

namespace canbao::reg {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSocketPathMax = 107;  // sun_path of AF_UNIX
constexpr char kSocketName[] = "/.s.PGSQL.5432";

std::string RootOf(const std::string& data_dir) {
  std::error_code ec;
  fs::path p = fs::weakly_canonical(fs::absolute(data_dir, ec), ec);
  return (p / "postgres").string();
}

// Who runs the server: `postgres` when we are root, else ourselves.
struct ServerUser {
  bool drop = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name;
};

Result<ServerUser> FindServerUser() {
  ServerUser u;
  if (::geteuid() != 0) {
    u.uid = ::geteuid();
    u.gid = ::getegid();
    passwd* pw = ::getpwuid(u.uid);
    u.name = pw != nullptr ? pw->pw_name : std::to_string(u.uid);
    return u;
  }
  passwd* pw = ::getpwnam("postgres");
  if (pw == nullptr) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0202",
                Msg("没有系统用户 postgres。", "there is no system user postgres."),
                Msg("请安装 postgresql-15，或以普通用户运行。",
                    "Install postgresql-15, or run as an ordinary user."));
  }
  u.drop = true;
  u.uid = pw->pw_uid;
  u.gid = pw->pw_gid;
  u.name = "postgres";
  int n = 64;
  u.groups.resize(static_cast<size_t>(n));
  if (::getgrouplist("postgres", u.gid, u.groups.data(), &n) < 0) n = 0;
  u.groups.resize(static_cast<size_t>(n));
  return u;
}

// Only in a forked child: no allocation, since other threads may have held the allocator's lock.
bool BecomeServerUser(const ServerUser& u) {
  return !u.drop || (::setgroups(u.groups.size(), u.groups.data()) == 0 && ::setgid(u.gid) == 0 &&
                     ::setuid(u.uid) == 0);
}

struct Outcome {
  int status = -1;
  std::string output;
};

// Runs a program of the server as the server's user, in a clean environment; its words are kept.
// pg_ctl's server inherits no pipe: it writes to its own log file.
Outcome RunAs(const ServerUser& user, const std::vector<std::string>& argv,
              const std::string& output_file) {
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  static const char* const kEnv[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
                                     "TZ=UTC", nullptr};
  Outcome out;
  int fd = ::open(output_file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    out.output = output_file + ": " + std::strerror(errno);
    return out;
  }
  pid_t pid = ::fork();
  if (pid == 0) {
    // A session of its own: Ctrl-C on our terminal must not reach the server.
    ::setsid();
    int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    // The server outlives us: what we listen at must not stay open with it.
    ::close_range(3, ~0u, 0);
    if (!BecomeServerUser(user) || ::chdir("/") != 0) ::_exit(126);
    ::umask(077);
    ::execve(args[0], args.data(), const_cast<char**>(kEnv));
    ::_exit(127);
  }
  if (pid > 0) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    out.output = std::strerror(errno);
  }
  char buf[4096];
  ::lseek(fd, 0, SEEK_SET);
  ssize_t n;
  while (out.output.size() < 20000 && (n = ::read(fd, buf, sizeof(buf))) > 0) {
    out.output.append(buf, static_cast<size_t>(n));
  }
  ::close(fd);
  while (!out.output.empty() && out.output.back() == '\n') out.output.pop_back();
  return out;
}

// Whether the server's user can pass every folder down to `path`, as the kernel sees it.
bool CanTraverse(const ServerUser& user, const std::string& path) {
  if (!user.drop) return ::access(path.c_str(), X_OK) == 0;
  pid_t pid = ::fork();
  if (pid == 0) ::_exit(BecomeServerUser(user) && ::chdir(path.c_str()) == 0 ? 0 : 1);
  int status = 1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string ConnInfoFor(const std::string& root, const std::string& role, const std::string& db) {
  auto quote = [](const std::string& v) {
    std::string out = "'";
    for (char c : v) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    return out + "'";
  };
  return "host=" + quote(root + "/data") + " port=5432 user=" + quote(role) +
         " dbname=" + quote(db) + " connect_timeout=10 application_name=canbao";
}

PGPing Ping(const std::string& root) {
  return PQping(ConnInfoFor(root, "canbao_owner", "postgres").c_str());
}

class Lock {
 public:
  explicit Lock(int fd) : fd_(fd) {}
  Lock(Lock&& o) noexcept : fd_(o.fd_) { o.fd_ = -1; }
  Lock& operator=(Lock&&) = delete;
  ~Lock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_;
};

// Serialises start and stop in one data folder.
Result<Lock> LockOwner(const std::string& root) {
  std::string path = root + "/owner.lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                Msg("无法打开锁文件 {0}：{1}", "cannot open the lock file {0}: {1}", path,
                    std::strerror(errno)));
  }
  for (int i = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++i) {
    if (i >= 600) {
      ::close(fd);
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0207",
                  Msg("另一个进程正在启动或停止 {0} 中的数据库。",
                      "another process is starting or stopping the database in {0}.", root),
                  Msg("请等它结束后再试。", "Wait for it to end and try again."));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return Lock(fd);
}

uint64_t MemoryBytes() {
  struct sysinfo info {};
  return ::sysinfo(&info) == 0 ? static_cast<uint64_t>(info.totalram) * info.mem_unit : 2ull << 30;
}

// Written at every start, so that it follows the machine and the product; a site's own settings go
// into site.conf beside it, which wins.
std::string Settings(const std::string& root, bool durable) {
  const uint64_t mb = MemoryBytes() >> 20;
  const uint64_t buffers = std::clamp<uint64_t>(mb / 8, 64, 4096);
  const uint64_t maintenance = std::clamp<uint64_t>(mb / 32, 64, 1024);
  const uint64_t work = std::clamp<uint64_t>(mb / 256, 16, 256);
  std::string socket_dir;
  for (char c : root + "/data") {
    if (c == '\'') socket_dir += '\'';
    socket_dir += c;
  }
  std::ostringstream s;
  s << "# Written by canbao at every start. Own settings: site.conf in this folder.\n"
    << "listen_addresses = ''\n"
    << "unix_socket_directories = '" << socket_dir << "'\n"
    << "unix_socket_permissions = 0700\n"
    << "port = 5432\n"
    << "max_connections = 64\n"
    << "ssl = off\n"
    << "shared_buffers = " << buffers << "MB\n"
    << "maintenance_work_mem = " << maintenance << "MB\n"
    << "work_mem = " << work << "MB\n"
    << "effective_cache_size = " << mb / 2
    << "MB\n"
    // Tables filled in the transaction that makes them are synced instead of logged.
    << "wal_level = minimal\n"
    << "max_wal_senders = 0\n"
    << "max_wal_size = 8GB\n"
    << "min_wal_size = 256MB\n"
    << "wal_compression = lz4\n"
    << "checkpoint_timeout = 30min\n"
    << "random_page_cost = 1.1\n"
    << "jit = off\n"
    << "log_destination = 'stderr'\n"
    << "logging_collector = on\n"
    << "log_directory = 'log'\n"
    << "log_filename = 'postgresql-%a.log'\n"
    << "log_rotation_age = 1d\n"
    << "log_truncate_on_rotation = on\n"
    << "log_timezone = 'UTC'\n"
    << "timezone = 'UTC'\n"
    << (durable ? "" : "fsync = off\n") << "include_if_exists = 'site.conf'\n";
  return s.str();
}

Status WriteFor(const ServerUser& user, const std::string& path, const std::string& text) {
  std::string temp = path + ".new";
  {
    std::ofstream out(temp, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                  Msg("无法写入 {0}：{1}", "cannot write {0}: {1}", temp, std::strerror(errno)));
    }
  }
  ::chmod(temp.c_str(), 0600);
  if (user.drop && ::chown(temp.c_str(), user.uid, user.gid) != 0) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                Msg("无法更改 {0} 的属主：{1}", "cannot change the owner of {0}: {1}", temp,
                    std::strerror(errno)));
  }
  std::error_code ec;
  fs::rename(temp, path, ec);
  if (ec) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                Msg("无法写入 {0}：{1}", "cannot write {0}: {1}", path, ec.message()));
  }
  return {};
}

// Who may be which role of the server: written at every start, so that an older instance learns new
// roles.
std::string Ident(const ServerUser& user) {
  std::string ident;
  std::vector<std::string> who = {user.name};
  if (user.drop) who.emplace_back("root");
  for (const std::string& w : who) {
    for (const char* role : {"canbao_owner", "canbao_app", "canbao_access"}) {
      ident += "app " + w + " " + role + "\n";
    }
  }
  return ident;
}

// Makes the cluster beside its place and renames it last: a crash leaves no half cluster.
Status Initialise(const std::string& root, const ServerUser& user, const InstanceOptions& options) {
  std::string fresh = root + "/data.init";
  std::error_code ec;
  fs::remove_all(fresh, ec);
  std::vector<std::string> initdb = {options.bin_dir + "/initdb",
                                     "-D",
                                     fresh,
                                     "-U",
                                     "canbao_owner",
                                     "--auth-local=peer",
                                     "--auth-host=reject",
                                     "--encoding=UTF8",
                                     "--locale=C.UTF-8",
                                     "--data-checksums",
                                     "--no-instructions"};
  if (!options.durable) initdb.push_back("--no-sync");
  Outcome made = RunAs(user, initdb, root + "/initdb.out");
  if (made.status != 0) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0205",
        Msg("无法建立数据库实例：{0}", "cannot make the database instance: {0}", made.output),
        Msg("请检查磁盘空间和权限。", "Check disk space and permissions."));
  }
  CANBAO_TRY(WriteFor(user, fresh + "/pg_hba.conf", "local all all peer map=app\n"));
  {
    std::ofstream conf(fresh + "/postgresql.conf", std::ios::app);
    conf << "include 'canbao.conf'\n";
    if (!conf.flush()) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                  Msg("无法写入 {0}", "cannot write {0}", fresh + "/postgresql.conf"));
    }
  }
  CANBAO_TRY(WriteFor(user, fresh + "/canbao.conf", Settings(root, options.durable)));
  fs::rename(fresh, root + "/data", ec);
  if (ec) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0206",
        Msg("无法启用数据库实例：{0}", "cannot put the instance in place: {0}", ec.message()));
  }
  return {};
}

Status Start(const std::string& root, const ServerUser& user, const InstanceOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(options.start_seconds);
  auto pause = std::chrono::milliseconds(100);
  std::string why;
  CANBAO_TRY(WriteFor(user, root + "/data/canbao.conf", Settings(root, options.durable)));
  CANBAO_TRY(WriteFor(user, root + "/data/pg_ident.conf", Ident(user)));
  for (;;) {
    PGPing ping = Ping(root);
    if (ping == PQPING_OK) return {};
    if (ping == PQPING_NO_RESPONSE) {
      Outcome started = RunAs(user,
                              {options.bin_dir + "/pg_ctl", "-D", root + "/data", "-w", "-t", "60",
                               "-s", "-l", root + "/data/startup.log", "start"},
                              root + "/start.out");
      // Even a failed start may have found a server that someone else's start brought up.
      if (Ping(root) == PQPING_OK) return {};
      if (!started.output.empty()) why = started.output;
    } else {
      why = "the server is starting or stopping";
    }
    if (Clock::now() >= deadline) break;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(1000));
  }
  std::ifstream log(root + "/data/startup.log");
  std::stringstream words;
  words << log.rdbuf();
  std::string tail = words.str();
  if (tail.size() > 600) tail = tail.substr(tail.size() - 600);
  return Fail(
      ErrorClass::kEnvironment, "CB-REGISTER-0208",
      Msg("数据库实例在 {0} 秒内没有启动：{1} {2}",
          "the database instance did not start within {0} s: {1} {2}", options.start_seconds, why,
          tail),
      Msg("请查看 {0}/data/log 和 startup.log。", "See {0}/data/log and startup.log.", root));
}

Status CreateDatabase(const std::string& root) {
  CANBAO_ASSIGN(auto c, Connection::Open(ConnInfoFor(root, "canbao_owner", "postgres")));
  CANBAO_ASSIGN(Rows rows, c->Exec("SELECT 1 FROM pg_database WHERE datname = 'canbao'"));
  if (rows.size() != 0) return {};
  if (auto made = c->Run("CREATE DATABASE canbao"); !made) {
    // The session of a command that was killed here may have finished its statement meanwhile.
    CANBAO_ASSIGN(rows, c->Exec("SELECT 1 FROM pg_database WHERE datname = 'canbao'"));
    if (rows.size() == 0) return made;
  }
  return {};
}

Status StopServer(const std::string& root, const ServerUser& user, const InstanceOptions& options) {
  Outcome stopped = RunAs(user,
                          {options.bin_dir + "/pg_ctl", "-D", root + "/data", "-w", "-t", "120",
                           "-s", "-m", "fast", "stop"},
                          root + "/stop.out");
  if (stopped.status != 0 && Ping(root) != PQPING_NO_RESPONSE) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0209",
        Msg("无法停止数据库实例：{0}", "cannot stop the database instance: {0}", stopped.output));
  }
  return {};
}

}  // namespace

Status Instance::CheckEnvironment(const std::string& data_dir, const InstanceOptions& options) {
  for (const char* program : {"/initdb", "/pg_ctl", "/postgres"}) {
    if (::access((options.bin_dir + program).c_str(), X_OK) != 0) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0201",
                  Msg("没有 PostgreSQL 15 的程序 {0}。",
                      "the PostgreSQL 15 program {0} is missing.", options.bin_dir + program),
                  Msg("请安装 postgresql-15，或用 --database 指定已有的服务器。",
                      "Install postgresql-15, or name a server with --database."));
    }
  }
  std::string root = RootOf(data_dir);
  if (root.size() + std::strlen("/data") + std::strlen(kSocketName) > kSocketPathMax) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0203",
                Msg("数据目录的路径太长（{0} 字节）：{1}",
                    "the path of the data folder is too long ({0} bytes): {1}", root.size(), root),
                Msg("请换一个不超过 {0} 字节的路径，例如 /var/lib/canbao。",
                    "Choose a path of at most {0} bytes, /var/lib/canbao for example.",
                    kSocketPathMax - std::strlen("/postgres/data") - std::strlen(kSocketName)));
  }
  CANBAO_ASSIGN(ServerUser user, FindServerUser());
  // The nearest folder that exists must be passable; what we make below it will be.
  std::error_code ec;
  fs::path p = fs::path(root).parent_path();
  while (!fs::exists(p, ec) && p.has_relative_path()) p = p.parent_path();
  if (!CanTraverse(user, p.string())) {
    fs::path blocked = p;
    for (fs::path q = p; q.has_relative_path(); q = q.parent_path()) {
      if (!CanTraverse(user, q.string())) blocked = q;
    }
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0204",
                Msg("用户 {0} 不能进入目录 {1}，数据库实例无法放在 {2}。",
                    "the user {0} cannot enter {1}, so no database instance can live in {2}.",
                    user.name, blocked.string(), root),
                Msg("请把数据目录放到别处（如 /var/lib/canbao），或执行 chmod o+x {0}。",
                    "Put the data folder elsewhere (/var/lib/canbao, say), or chmod o+x {0}.",
                    blocked.string()));
  }
  return {};
}

Result<std::unique_ptr<Instance>> Instance::Open(const std::string& data_dir,
                                                 const InstanceOptions& options) {
  CANBAO_TRY(CheckEnvironment(data_dir, options));
  CANBAO_ASSIGN(ServerUser user, FindServerUser());
  std::unique_ptr<Instance> instance(new Instance());
  instance->root_ = RootOf(data_dir);
  instance->options_ = options;
  const std::string& root = instance->root_;
  std::error_code ec;
  fs::create_directories(fs::path(root).parent_path(), ec);
  bool made = fs::create_directory(root, ec);
  if (ec) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0206",
        Msg("无法建立目录 {0}：{1}", "cannot make the folder {0}: {1}", root, ec.message()));
  }
  if (made) {
    ::chmod(root.c_str(), 0700);
    if (user.drop && ::chown(root.c_str(), user.uid, user.gid) != 0) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                  Msg("无法更改 {0} 的属主：{1}", "cannot change the owner of {0}: {1}", root,
                      std::strerror(errno)));
    }
  }
  if (!CanTraverse(user, root)) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REGISTER-0204",
        Msg("用户 {0} 不能进入目录 {1}。", "the user {0} cannot enter {1}.", user.name, root),
        Msg("请把数据目录放到别处，或更正其权限。",
            "Put the data folder elsewhere, or correct its permissions."));
  }
  CANBAO_ASSIGN(Lock lock, LockOwner(root));
  instance->users_fd_ = ::open((root + "/users.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (instance->users_fd_ < 0 || ::flock(instance->users_fd_, LOCK_SH | LOCK_NB) != 0) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0206",
                Msg("无法锁定 {0}：{1}", "cannot lock {0}: {1}", root + "/users.lock",
                    std::strerror(errno)));
  }
  if (options.keep) std::ofstream(root + "/keep") << "canbao db start\n";
  if (!fs::exists(root + "/data/PG_VERSION", ec)) {
    CANBAO_TRY(Initialise(root, user, options));
  }
  if (Ping(root) != PQPING_OK) CANBAO_TRY(Start(root, user, options));
  CANBAO_TRY(CreateDatabase(root));
  return instance;
}

Status Instance::EnsureRunning() {
  if (Ping(root_) == PQPING_OK) return {};
  CANBAO_ASSIGN(Lock lock, LockOwner(root_));
  CANBAO_ASSIGN(ServerUser user, FindServerUser());
  return Start(root_, user, options_);
}

Instance::~Instance() {
  if (users_fd_ < 0) return;
  auto lock = LockOwner(root_);
  std::error_code ec;
  // Ours is one of the shared locks: the upgrade succeeds only for the last user.
  bool last = lock && ::flock(users_fd_, LOCK_EX | LOCK_NB) == 0;
  if (last && !fs::exists(root_ + "/keep", ec)) {
    auto user = FindServerUser();
    if (user) (void)StopServer(root_, *user, options_);
  }
  ::close(users_fd_);
}

std::string Instance::ConnInfo(const std::string& role, const std::string& database) const {
  return ConnInfoFor(root_, role, database);
}

Status Instance::Stop(const std::string& data_dir, const InstanceOptions& options) {
  std::string root = RootOf(data_dir);
  std::error_code ec;
  if (!fs::exists(root + "/data/PG_VERSION", ec)) return {};
  CANBAO_ASSIGN(ServerUser user, FindServerUser());
  CANBAO_ASSIGN(Lock lock, LockOwner(root));
  fs::remove(root + "/keep", ec);
  if (Ping(root) == PQPING_NO_RESPONSE) return {};
  return StopServer(root, user, options);
}

bool Instance::IsRunning(const std::string& data_dir) {
  return Exists(data_dir) && Ping(RootOf(data_dir)) == PQPING_OK;
}

bool Instance::Exists(const std::string& data_dir) {
  std::error_code ec;
  return fs::exists(RootOf(data_dir) + "/data/PG_VERSION", ec);
}

int Instance::PostmasterPid(const std::string& data_dir) {
  std::ifstream in(RootOf(data_dir) + "/data/postmaster.pid");
  int pid = 0;
  in >> pid;
  return pid;
}

}  // namespace canbao::reg
