// canbao serve: the register as a service, until SIGTERM or SIGINT. Owns the private PostgreSQL for
// as long and starts it again when it dies.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <thread>

#include "app/context.h"
#include "app/database_words.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "register/database.h"
#include "register/migration.h"
#include "register/pool.h"
#include "service/context.h"
#include "service/gate.h"
#include "service/http/admin.h"
#include "service/http/contract.h"
#include "service/http/router.h"
#include "service/http/server.h"
#include "service/http/site.h"
#include "service/jobs/job_runner.h"

namespace canbao::app {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kGrace{20};

struct Options {
  std::string data;
  std::string listen = "127.0.0.1:8080";
  std::string admin;
  std::string tls_cert, tls_key;
  std::vector<std::string> deliveries;
  int workers = 8;
  int address_rate = 200;  // requests a second of one address
  int export_days = 30;
  std::vector<std::string> trusted_proxies;
  std::string web;
  std::string database = FromEnvironment(kDatabaseVariable);
  std::string app_database = FromEnvironment(kAppDatabaseVariable);
  std::string access_database = FromEnvironment(kAccessDatabaseVariable);
};

// "127.0.0.1:8080", "[::1]:8080".
Result<std::pair<std::string, uint16_t>> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  unsigned port = 70000;
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) port = 70000;
  }
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || port > 65535) {
    return Fail(ErrorClass::kUsage, "CB-APP-0024",
                Msg("不是“地址:端口”：{0}", "this is no ADDRESS:PORT: {0}", text),
                Text{"例如 127.0.0.1:8080、[::]:443。", "for example 127.0.0.1:8080, [::]:443."});
  }
  return std::pair(host, static_cast<uint16_t>(port));
}

std::string ComplaintOfAddress(const std::string& text) {
  return service::IsAddress(text) ? std::string()
                                  : Say("不是 IP 地址：", "this is no IP address: ") + text;
}

// --web, else share/canbao/web beside the executable, else web/console/dist of the source tree;
// empty without one: the service then answers /api only.
Result<std::string> WebDir(const std::string& asked, const std::string& executable) {
  std::error_code ec;
  if (!asked.empty()) {
    if (fs::is_regular_file(fs::path(asked) / "index.html", ec)) return Absolute(asked);
    return Fail(Error{ErrorClass::kUsage,
                      "CB-APP-0025",
                      Msg("这里没有控制台（index.html）", "there is no console (index.html) here"),
                      {},
                      asked,
                      0,
                      0});
  }
  for (fs::path p = fs::path(executable).parent_path(); !p.empty(); p = p.parent_path()) {
    for (const char* place : {"share/canbao/web", "web/console/dist"}) {
      if (fs::is_regular_file(p / place / "index.html", ec)) return (p / place).string();
    }
    if (p == p.root_path()) break;
  }
  return std::string();
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

Status CheckWords(const Options& o) {
  if (o.tls_cert.empty() != o.tls_key.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0026",
                Msg("--tls-cert 与 --tls-key 须一起给出", "--tls-cert and --tls-key go together"));
  }
  return {};
}

// Looks after the private PostgreSQL until the command is asked to stop.
void Supervise(reg::Database& db, reg::Pool& pool) {
  auto seen = std::chrono::steady_clock::now();
  while (!Interrupted()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (std::chrono::steady_clock::now() - seen < std::chrono::seconds(1)) continue;
    seen = std::chrono::steady_clock::now();
    FlushLog();
    if (db.instance() == nullptr) continue;
    if (reg::Instance::IsRunning(db.data_dir())) continue;
    Log(LogLevel::kWarning, "PostgreSQL does not answer: starting it again");
    pool.Clear();
    if (auto s = db.instance()->EnsureRunning(); !s) {
      Log(LogLevel::kError, "PostgreSQL: {}", s.error().ToString());
    } else {
      Log(LogLevel::kWarning, "PostgreSQL answers again");
    }
  }
}

Status Execute(const Options& o) {
  CANBAO_TRY(CheckWords(o));
  CANBAO_ASSIGN(auto listen, ParseAddress(o.listen));
  std::error_code ec;
  service::Services services;
  services.executable = fs::read_symlink("/proc/self/exe", ec).string();
  services.data_dir = Absolute(o.data);
  services.started_at = Now();
  CANBAO_ASSIGN(services.policy_dir, PolicyDir());
  CANBAO_ASSIGN(services.web_dir, WebDir(o.web, services.executable));
  for (const std::string& folder : o.deliveries)
    services.delivery_roots.push_back(Absolute(folder));
  CANBAO_TRY(MakeFolders(services.data_dir));
  CANBAO_TRY(MakeFolders(services.data_dir + "/log", 0700));
  LogOptions log;
  log.file = services.data_dir + "/log/service.log";
  CANBAO_TRY(SetUpLog(log));

  reg::DatabaseOptions d;
  d.url = o.database;
  d.app_url = o.app_database;
  d.access_url = o.access_database;
  // For the children of jobs, which are started with our environment.
  if (!o.database.empty()) ::setenv(kDatabaseVariable, o.database.c_str(), 1);
  if (!o.app_database.empty()) ::setenv(kAppDatabaseVariable, o.app_database.c_str(), 1);
  CANBAO_ASSIGN(auto db, reg::Database::Open(services.data_dir, d));
  reg::PoolOptions size;
  size.size = o.workers;
  reg::Pool pool([&db] { return db->ConnectApp(); }, size);
  { CANBAO_ASSIGN(auto works, pool.Take()); }
  services.db = db.get();
  services.pool = &pool;

  service::JobRunnerOptions runs;
  runs.export_days = o.export_days;
  CANBAO_ASSIGN(auto jobs, service::JobRunner::Start(services, runs));
  services.jobs = jobs.get();

  const service::Contract& contract = service::Contract::Own();
  const service::Handlers handlers = service::AllHandlers();
  const std::unique_ptr<service::Gate> gate = service::MakeGate(services);
  const service::Router router(contract, handlers, *gate);
  service::Metrics metrics;
  service::SiteOptions site_options;
  site_options.web_dir = services.web_dir;
  site_options.requests_per_second = o.address_rate;
  site_options.burst = o.address_rate * 3.0;
  site_options.trusted_proxies = o.trusted_proxies;
  service::Site site(router, metrics, site_options);
  service::ServerOptions so;
  so.address = listen.first;
  so.port = listen.second;
  so.tls_cert = o.tls_cert;
  so.tls_key = o.tls_key;
  so.workers = o.workers;
  CANBAO_ASSIGN(auto server, service::Server::Start(
                                 so, [&site](service::Request& r, const service::RawRequest& raw) {
                                   return site.Answer(r, raw);
                                 }));
  std::unique_ptr<service::Admin> admin;
  if (!o.admin.empty()) {
    CANBAO_ASSIGN(auto address, ParseAddress(o.admin));
    CANBAO_ASSIGN(admin, service::Admin::Start(address.first, address.second, services, metrics,
                                               server->counts()));
    std::printf("%s http://%s:%u/\n", Say("管理端口", "admin").c_str(), address.first.c_str(),
                admin->port());
  }
  const bool ipv6 = listen.first.find(':') != std::string::npos;
  std::printf("%s %s://%s%s%s:%u/\n", Say("服务地址", "serving at").c_str(),
              o.tls_cert.empty() ? "http" : "https", ipv6 ? "[" : "", listen.first.c_str(),
              ipv6 ? "]" : "", server->port());
  if (services.web_dir.empty()) {
    std::printf("%s\n", Say("没有找到控制台页面，只提供 /api",
                            "no console was found: only /api is "
                            "served")
                            .c_str());
  }
  std::fflush(stdout);
  Log(LogLevel::kInfo, "serving at {}:{}", listen.first, server->port());
  Supervise(*db, pool);
  Log(LogLevel::kInfo, "stopping");
  server->Stop(kGrace);
  admin.reset();
  jobs->Stop();
  Log(LogLevel::kInfo, "stopped");
  FlushLog();
  return {};
}

}  // namespace

void AddServe(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("serve", Say("以网络服务提供登记：控制台与接口",
                                            "the register as a service: console and API"));
  sub.Add(
         "--data", &o->data,
         Say("登记数据目录（没有则新建）", "data folder of the register (made when there is none)"))
      .Required();
  sub.Add("--listen", &o->listen,
          Say("监听地址；端口 0 由系统选定", "address to listen at; port 0: the system chooses"))
      .ShowDefault();
  sub.Add("--admin", &o->admin,
          Say("管理地址：/live /ready /metrics（默认不开）",
              "address of /live, /ready, /metrics (off by default)"));
  sub.Add("--tls-cert", &o->tls_cert, Say("证书链（PEM）", "certificate chain (PEM)"));
  sub.Add("--tls-key", &o->tls_key, Say("私钥（PEM）", "private key (PEM)"));
  sub.Add("--deliveries", &o->deliveries,
          Say("可供选取的数据交付所在目录", "folders whose deliveries may be picked"));
  sub.Add("--workers", &o->workers, Say("处理线程数", "threads that answer requests"))
      .Between(1, 256)
      .ShowDefault();
  sub.Add(
         "--address-rate", &o->address_rate,
         Say("同一地址每秒的请求数上限，0 为不限", "requests a second of one address; 0: no limit"))
      .Between(0, 1000000)
      .ShowDefault();
  sub.Add("--trusted-proxy", &o->trusted_proxies,
          Say("可信反向代理的地址：采信其 X-Forwarded-For",
              "addresses of reverse proxies whose X-Forwarded-For is believed"))
      .Checked(ComplaintOfAddress);
  sub.Add("--export-days", &o->export_days,
          Say("导出文件保存的天数", "days that the files of exports are kept"))
      .Between(1, 3650)
      .ShowDefault();
  sub.Add("--web", &o->web, Say("控制台页面所在目录", "folder of the built console"));
  sub.Add("--database", &o->database,
          Say("已有的 PostgreSQL（属主的连接串）", "a PostgreSQL that is there: as its owner"));
  sub.Add("--app-database", &o->app_database,
          Say("同一数据库，canbao_app 的连接串", "the same as canbao_app"));
  sub.Add("--access-database", &o->access_database,
          Say("同一数据库，canbao_access 的连接串", "the same as canbao_access"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
