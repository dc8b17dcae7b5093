#include "service/api/health.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "register/migration.h"

namespace canbao::service {
namespace {

constexpr uint64_t kDiskWanted = 10ull << 30;
constexpr uint64_t kMemoryWanted = 256ull << 20;
// Roots are made each minute; a few may be late while the machine is busy.
constexpr int64_t kRootLateSeconds = 300;

// "MemAvailable:   123 kB" of /proc/meminfo, in bytes; 0 = not known.
uint64_t ProcBytes(const char* path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) << 10;
  }
  return 0;
}

class HealthChecker {
 public:
  explicit HealthChecker(const Services& services) : services_(services) {}

  std::vector<HealthCheck> Run() {
    Disk();
    Memory();
    Database();
    return std::move(checks_);
  }

 private:
  void Add(Text name, bool ok, Text detail) {
    checks_.push_back({std::move(name), ok, std::move(detail)});
  }

  void Disk() {
    std::error_code ec;
    const auto space = std::filesystem::space(services_.data_dir, ec);
    Add({"磁盘空间", "Disk space"}, !ec && space.available >= kDiskWanted,
        ec ? Text{"无法读取", "cannot be read"}
           : Msg("可用 {0} GB，共 {1} GB", "{0} GB free of {1} GB", space.available >> 30,
                 space.capacity >> 30));
  }

  void Memory() {
    const uint64_t available = ProcBytes("/proc/meminfo", "MemAvailable:");
    const uint64_t own = ProcBytes("/proc/self/status", "VmRSS:");
    Add({"内存", "Memory"}, available >= kMemoryWanted,
        Msg("可用 {0} MB，本服务占用 {1} MB", "{0} MB available, this server uses {1} MB",
            available >> 20, own >> 20));
  }

  // Asked by the owner: what is looked at is nobody's data.
  void Database() {
    const Text name{"数据库", "Database"};
    if (services_.db == nullptr) return Add(name, false, {"没有打开", "not open"});
    auto connection = services_.db->Connect("canbao health");
    if (!connection) return Add(name, false, connection.error().message);
    reg::Connection& db = **connection;
    auto version = db.Exec(
        "SELECT current_setting('server_version'), "
        "pg_size_pretty(pg_database_size(current_database()))");
    if (!version) return Add(name, false, version.error().message);
    Add(name, true,
        Msg("PostgreSQL {0}，数据 {1}", "PostgreSQL {0}, {1} of data", version->Text(0, 0),
            version->Text(0, 1)));
    Schema(db);
    Keys();
    LastRun(db);
    Loads(db);
    Accounts(db);
    Audit(db);
    Jobs(db);
  }

  void Schema(reg::Connection& db) {
    auto version = reg::SchemaVersion(db);
    Add({"数据库结构", "Schema"}, version && *version == reg::NewestSchemaVersion(),
        version ? Msg("版本 {0}，本程序为 {1}", "version {0}, this program's is {1}", *version,
                      reg::NewestSchemaVersion())
                : version.error().message);
  }

  void Keys() {
    auto cipher = reg::FieldCipher::Open(services_.db->keys_dir(), false);
    Add({"密钥", "Keys"}, cipher.has_value(),
        cipher ? Text{"齐全，权限正确", "complete, with the right modes"} : cipher.error().message);
  }

  void LastRun(reg::Connection& db) {
    auto rows = db.Exec(
        "SELECT name, cutoff, loaded_at::timestamp(0), persons FROM canbao.run "
        "WHERE superseded_by IS NULL ORDER BY run_id DESC LIMIT 1");
    const Text name{"最近一次入库", "Last load"};
    if (!rows) return Add(name, false, rows.error().message);
    if (rows->size() == 0) return Add(name, true, {"还没有", "none yet"});
    Add(name, true,
        Msg("截止 {0}，{1} 人，{2} 入库", "cut-off {0}, {1} persons, loaded {2}", rows->Text(0, 1),
            rows->Int(0, 3), rows->Text(0, 2)));
  }

  void Loads(reg::Connection& db) {
    // The tables of a load that runs; an interrupted one leaves them without its lock.
    auto rows = db.Exec("SELECT to_regnamespace('canbao_load') IS NOT NULL");
    const bool some = rows && rows->Bool(0, 0);
    Add({"装载", "Loading"}, rows.has_value(),
        !rows  ? rows.error().message
        : some ? Text{"正在装载，或上次装载被中断（可重新比对继续）",
                      "a load is running, or was interrupted (compare again to go on)"}
               : Text{"没有未完成的装载", "no load is unfinished"});
  }

  void Accounts(reg::Connection& db) {
    auto rows = db.Exec(
        "SELECT count(*), count(*) FILTER (WHERE rows_in <> linked + unlinked + "
        "rejected + reference) FROM canbao.extract_account");
    Add({"行数账", "Accounts of rows"}, rows && rows->Int(0, 1) == 0,
        rows ? Msg("{0} 个文件，{1} 个不平衡", "{0} extracts, {1} out of balance", rows->Int(0, 0),
                   rows->Int(0, 1))
             : rows.error().message);
  }

  void Audit(reg::Connection& db) {
    // Late = something was written down, and no root has covered it since.
    auto rows = db.Exec(
        "SELECT count(*), max(made_at)::timestamp(0), coalesce(extract(epoch FROM (SELECT max(at) "
        "FROM canbao.audit_entry) - max(made_at))::bigint, 0), "
        "EXISTS (SELECT FROM canbao.audit_entry WHERE at < now() - interval '5 minutes') "
        "FROM canbao.audit_root");
    const Text name{"审计签名", "Signatures of the audit"};
    if (!rows) return Add(name, false, rows.error().message);
    if (rows->Int(0, 0) == 0) {
      return Add(name, !rows->Bool(0, 3), {"还没有签名根", "no signed root yet"});
    }
    Add(name, rows->Int(0, 2) < kRootLateSeconds,
        Msg("{0} 个签名根，最近 {1}", "{0} signed roots, the last of {1}", rows->Int(0, 0),
            rows->Text(0, 1)));
  }

  void Jobs(reg::Connection& db) {
    auto rows = db.Exec(
        "SELECT count(*) FILTER (WHERE state IN ('running', 'cancelling')), "
        "count(*) FILTER (WHERE state = 'queued'), "
        "count(*) FILTER (WHERE state = 'interrupted') FROM canbao.job");
    Add({"任务", "Jobs"}, rows.has_value(),
        rows ? Msg("运行 {0}，排队 {1}，中断 {2}", "{0} running, {1} queued, {2} interrupted",
                   rows->Int(0, 0), rows->Int(0, 1), rows->Int(0, 2))
             : rows.error().message);
  }

  const Services& services_;
  std::vector<HealthCheck> checks_;
};

}  // namespace

std::vector<HealthCheck> CheckHealth(const Services& services) {
  return HealthChecker(services).Run();
}

}  // namespace canbao::service
