#include "register/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "register/internal/audit_chain.h"
#include "register/internal/load_lock.h"
#include "register/migration.h"

namespace canbao::reg {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// Runs a program to its end; what it said when it failed.
Status RunProgram(const std::vector<std::string>& argv, const std::string& log, const char* code) {
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  int fd = ::open(log.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(FileError(kCodeCannotWrite, log, errno));
  Fd keep(fd);
  pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execv(args[0], args.data());
    ::_exit(127);
  }
  int status = -1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  CANBAO_ASSIGN(std::string words, ReadWholeFile(log));
  if (words.size() > 800) words = words.substr(words.size() - 800);
  return Fail(ErrorClass::kEnvironment, code,
              Msg("{0} 失败：{1}", "{0} failed: {1}", argv[0], words),
              Msg("请检查磁盘空间。", "Check the disk space."));
}

Status CopyKeys(const std::string& from, const std::string& to) {
  CANBAO_TRY(MakeFolders(to, 0700));
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(from, ec)) {
    if (!entry.is_regular_file()) continue;
    CANBAO_ASSIGN(std::string bytes, ReadWholeFile(entry.path().string()));
    CANBAO_TRY(WriteFileAtomic(to + "/" + entry.path().filename().string(), bytes, 0600));
  }
  if (ec) return Fail(FileError(kCodeCannotRead, from, ec.value()));
  return {};
}

// The roots that the restored database knows: what was made behind the dump is not part of it.
Status RestoreAuditLog(Connection& c, const std::string& from, const std::string& data_dir) {
  if (!FileExists(from)) return {};
  CANBAO_ASSIGN(std::string text, ReadWholeFile(from));
  CANBAO_ASSIGN(Rows last, c.Exec("SELECT max(root_id) FROM canbao.audit_root"));
  std::string kept;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = text.substr(at, end - at + 1);
    auto root = ParseRootLine(std::string_view(line).substr(0, line.size() - 1));
    if (!root || root->id <= last.Int(0, 0)) kept += line;
  }
  CANBAO_TRY(MakeFolders(data_dir + "/audit", 0700));
  return WriteFileAtomic(AuditLogPath(data_dir), kept, 0600);
}

}  // namespace

Result<std::map<std::string, TableDigest>> TableDigests(Connection& c) {
  CANBAO_ASSIGN(Rows tables, c.Exec("SELECT c.relname FROM pg_class c "
                                    "WHERE c.relnamespace = 'canbao'::regnamespace "
                                    "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                                    "ORDER BY 1"));
  std::map<std::string, TableDigest> out;
  for (int i = 0; i < tables.size(); ++i) {
    std::string name(tables.Text(i, 0));
    // jsonb has no record hash of its own; its text is as good. Everything else is hashed as it is.
    CANBAO_ASSIGN(
        Rows columns,
        c.Exec("SELECT string_agg(CASE WHEN format_type(atttypid, NULL) = 'jsonb' "
               "THEN quote_ident(attname) || '::text' ELSE quote_ident(attname) END, ', ' "
               "ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::text::regclass "
               "AND attnum > 0 AND NOT attisdropped",
               {Param("canbao." + QuoteIdentifier(name))}));
    CANBAO_ASSIGN(Rows digest,
                  c.Exec(fmt::format("SELECT count(*), coalesce(sum(hash_record_extended(ROW({}), "
                                     "0)::numeric), 0) FROM canbao.{}",
                                     columns.Text(0, 0), QuoteIdentifier(name))));
    out[name] = {digest.Int(0, 0), std::string(digest.Text(0, 1))};
  }
  return out;
}

Status Backup(Database& db, const std::string& dir, const BackupOptions& options) {
  std::error_code ec;
  if (fs::exists(dir, ec) && !fs::is_empty(dir, ec)) {
    return Fail(Error{ErrorClass::kUsage, "CB-REGISTER-0701",
                      Msg("备份目录不是空的。", "the backup folder is not empty."),
                      Msg("请换一个目录。", "Choose another folder."), dir, 0, 0});
  }
  CANBAO_TRY(MakeFolders(dir, 0700));
  CANBAO_ASSIGN(auto c, db.Connect("canbao backup"));
  CANBAO_ASSIGN(bool locked, TakeLoadLock(*c));
  if (!locked) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0702",
                Msg("正在装载数据，现在不能备份。", "a load is running: no backup now."),
                Msg("请在装载结束后再备份。", "Back up when the load has ended."));
  }
  // What the service writes meanwhile (sessions, the audit) is in neither the digests nor the dump.
  CANBAO_ASSIGN(Transaction snapshot,
                Transaction::Begin(*c, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  CANBAO_ASSIGN(Rows exported, c->Exec("SELECT pg_export_snapshot()"));
  CANBAO_ASSIGN(auto digests, TableDigests(*c));
  CANBAO_ASSIGN(int version, SchemaVersion(*c));
  CANBAO_TRY(
      RunProgram({options.bin_dir + "/pg_dump", "--dbname=" + db.conn_info(), "--format=directory",
                  fmt::format("--jobs={}", options.jobs), "--compress=1", "--schema=canbao",
                  "--enable-row-security", "--no-owner",
                  "--snapshot=" + std::string(exported.Text(0, 0)), "--file=" + dir + "/dump"},
                 dir + "/pg_dump.log", "CB-REGISTER-0703"));
  CANBAO_TRY(snapshot.Commit());
  CANBAO_TRY(CopyKeys(db.keys_dir(), dir + "/keys"));
  // Behind the dump: every root that the dump has is in it.
  if (FileExists(AuditLogPath(db.data_dir()))) {
    CANBAO_ASSIGN(std::string roots, ReadWholeFile(AuditLogPath(db.data_dir())));
    CANBAO_TRY(WriteFileAtomic(dir + "/roots.log", roots, 0600));
  }
  json::object tables;
  for (const auto& [name, d] : digests) {
    tables[name] = json::object{{"rows", d.rows}, {"digest", d.digest}};
  }
  json::object note{{"format", 1}, {"schema_version", version}, {"tables", std::move(tables)}};
  return WriteFileAtomic(dir + "/backup.json", json::serialize(note) + "\n", 0600);
}

Status Restore(const std::string& dir, const std::string& data_dir,
               const InstanceOptions& instance_options, const BackupOptions& options) {
  auto broken = [&](Text why) {
    return Fail(Error{ErrorClass::kInput, "CB-REGISTER-0704", std::move(why),
                      Msg("请选用另一份备份。", "Choose another backup."), dir, 0, 0});
  };
  if (!FileExists(dir + "/backup.json")) {
    return broken(
        Msg("备份不完整：缺少 backup.json。", "the backup is incomplete: it has no backup.json."));
  }
  CANBAO_ASSIGN(std::string text, ReadWholeFile(dir + "/backup.json"));
  boost::system::error_code ec;
  json::value note = json::parse(text, ec);
  if (ec || !note.is_object() || note.get_object().if_contains("tables") == nullptr ||
      !note.get_object()["tables"].is_object()) {
    return broken(Msg("backup.json 无法读取。", "backup.json cannot be read."));
  }
  if (Instance::Exists(data_dir) || FileExists(data_dir + "/keys/field.key")) {
    return Fail(Error{ErrorClass::kUsage, "CB-REGISTER-0701",
                      Msg("数据目录中已有登记库。", "the data folder has a register already."),
                      Msg("请恢复到一个新的数据目录。", "Restore into a new data folder."),
                      data_dir, 0, 0});
  }
  CANBAO_ASSIGN(auto instance, Instance::Open(data_dir, instance_options));
  CANBAO_TRY(CopyKeys(dir + "/keys", data_dir + "/keys"));
  CANBAO_ASSIGN(auto c, Connection::Open(instance->ConnInfo()));
  // Roles belong to the cluster, not to the dump.
  for (const char* role : {"canbao_app", "canbao_access"}) {
    CANBAO_TRY(c->Run(
        fmt::format("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = "
                    "'{0}') THEN CREATE ROLE {0} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB "
                    "NOCREATEROLE NOINHERIT; END IF; END $$",
                    role)));
  }
  CANBAO_TRY(RunProgram(
      {options.bin_dir + "/pg_restore", "--dbname=" + instance->ConnInfo(), "--format=directory",
       fmt::format("--jobs={}", options.jobs), "--exit-on-error", "--no-owner", dir + "/dump"},
      data_dir + "/pg_restore.log", "CB-REGISTER-0703"));
  CANBAO_TRY(c->Run("ANALYZE"));
  CANBAO_ASSIGN(auto digests, TableDigests(*c));
  for (const auto& [name, d] : note.get_object()["tables"].get_object()) {
    const json::object& o = d.as_object();
    TableDigest expected{o.at("rows").to_number<int64_t>(),
                         std::string(o.at("digest").as_string())};
    if (!(digests[std::string(name)] == expected)) {
      return Fail(
          Error{ErrorClass::kEnvironment, "CB-REGISTER-0705",
                Msg("恢复后的表 {0} 与备份不符。",
                    "table {0} differs from the backup after the restore.", std::string(name)),
                Msg("请选用另一份备份。", "Choose another backup."), dir, 0, 0});
    }
  }
  CANBAO_TRY(RestoreAuditLog(*c, dir + "/roots.log", data_dir));
  std::error_code ignored;
  fs::remove(data_dir + "/pg_restore.log", ignored);
  return {};
}

}  // namespace canbao::reg
