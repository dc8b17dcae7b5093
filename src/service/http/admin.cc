#include "service/http/admin.h"

#include <unistd.h>

#include <fstream>

#include "register/migration.h"
#include "service/jobs/job_runner.h"

namespace canbao::service {
namespace {

Response PlainText(int status, std::string text) {
  Response r;
  r.status = status;
  r.body = std::move(text);
  r.With("Content-Type", "text/plain; charset=utf-8").With("Cache-Control", "no-store");
  return r;
}

double ResidentBytes() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  in >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double CpuSeconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void AddGauges(const Services& services, Metrics& metrics, const ServerCounts& c) {
  metrics.AddGauge("canbao_http_connections", "Open connections",
                   [&c] { return static_cast<double>(c.connections.load()); });
  metrics.AddGauge("canbao_http_waiting", "Requests that wait for a worker",
                   [&c] { return static_cast<double>(c.waiting.load()); });
  metrics.AddGauge("canbao_http_running", "Requests in a worker",
                   [&c] { return static_cast<double>(c.running.load()); });
  metrics.AddGauge("canbao_http_accepted", "Connections accepted since the start",
                   [&c] { return static_cast<double>(c.accepted.load()); });
  metrics.AddGauge("canbao_http_refused", "Refused by the server itself since the start",
                   [&c] { return static_cast<double>(c.refused.load()); });
  metrics.AddGauge("canbao_database_sessions", "Sessions with PostgreSQL", [&services] {
    return services.pool == nullptr ? 0.0 : static_cast<double>(services.pool->open());
  });
  metrics.AddGauge("canbao_database_sessions_in_use", "Of which threads have", [&services] {
    return services.pool == nullptr ? 0.0 : static_cast<double>(services.pool->in_use());
  });
  metrics.AddGauge("canbao_jobs_running", "Jobs that run as child processes", [&services] {
    return services.jobs == nullptr ? 0.0 : static_cast<double>(services.jobs->running());
  });
  metrics.AddGauge("process_resident_memory_bytes", "Resident memory", ResidentBytes);
  metrics.AddGauge("process_cpu_seconds", "Processor time since the start", CpuSeconds);
}

}  // namespace

Status CheckReady(const Services& services) {
  CANBAO_ASSIGN(auto c, services.db->Connect("canbao ready"));
  CANBAO_ASSIGN(int version, reg::SchemaVersion(*c));
  if (version != reg::NewestSchemaVersion()) {
    return Fail(ErrorClass::kEnvironment, "CB-SERVICE-0019",
                Msg("数据库的结构版本是 {0}，应为 {1}", "the schema has version {0}, not {1}",
                    version, reg::NewestSchemaVersion()));
  }
  return {};
}

Result<std::unique_ptr<Admin>> Admin::Start(const std::string& address, uint16_t port,
                                            const Services& services, Metrics& metrics,
                                            const ServerCounts& counts) {
  AddGauges(services, metrics, counts);
  ServerOptions o;
  o.address = address;
  o.port = port;
  o.workers = 1;
  o.connections = 64;
  o.body_bytes = 1024;
  std::unique_ptr<Admin> admin(new Admin());
  CANBAO_ASSIGN(
      admin->server_, Server::Start(o, [&services, &metrics](Request&, const RawRequest& raw) {
        if (raw.method != "GET" && raw.method != "HEAD")
          return PlainText(405, "GET\n").With("Allow", "GET, HEAD");
        if (raw.target == "/live") return PlainText(200, "live\n");
        if (raw.target == "/ready") {
          auto ready = CheckReady(services);
          return ready ? PlainText(200, "ready\n")
                       : PlainText(503, ready.error().code + "\n").With("Retry-After", "5");
        }
        if (raw.target == "/metrics") {
          Response r;
          r.body = metrics.Text();
          r.With("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
          return r;
        }
        return PlainText(404, "/live /ready /metrics\n");
      }));
  return admin;
}

}  // namespace canbao::service
