// canbao db: the private PostgreSQL of a data folder — start, stop, shell, backup, restore.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "base/file.h"
#include "register/backup.h"
#include "register/instance.h"

namespace canbao::app {
namespace {

struct Options {
  std::string data;
  std::string folder;
};

Status Start(const Options& o) {
  CANBAO_TRY(MakeFolders(Absolute(o.data)));
  reg::DatabaseOptions d;
  d.instance.keep = true;
  CANBAO_ASSIGN(auto db, reg::Database::Open(Absolute(o.data), d));
  std::printf("%s\n", db->conn_info().c_str());
  return {};
}

Status Stop(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  return reg::Instance::Stop(Absolute(o.data));
}

// psql takes this process over; the instance stays up as long as the shell holds its lock.
Status Shell(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, ""));
  std::string info = db->conn_info();
  std::string psql = reg::InstanceOptions{}.bin_dir + "/psql";
  pid_t child = ::fork();
  if (child == 0) {
    ::execl(psql.c_str(), "psql", info.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
    return Fail(ErrorClass::kEnvironment, "CB-APP-0013",
                Msg("无法执行 {0}", "cannot run {0}", psql),
                Text{"请安装 postgresql-client-15。", "install postgresql-client-15."});
  }
  return {};
}

Status DoBackup(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, ""));
  CANBAO_TRY(reg::Backup(*db, Absolute(o.folder)));
  std::printf("%s\n", Absolute(o.folder).c_str());
  return {};
}

Status DoRestore(const Options& o) {
  CANBAO_TRY(MakeFolders(Absolute(o.data)));
  CANBAO_TRY(reg::Restore(Absolute(o.folder), Absolute(o.data)));
  std::printf("%s\n", Absolute(o.data).c_str());
  return {};
}

}  // namespace

void AddDb(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command db = app.AddCommand("db", Say("内置 PostgreSQL 的管理", "the private PostgreSQL"));
  db.NeedsCommand();
  auto add = [&](const char* name, const std::string& help, Status (*run)(const Options&),
                 const std::string& folder) {
    Command sub = db.AddCommand(name, help);
    sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
    if (!folder.empty()) sub.Add("folder", &o->folder, folder).Required();
    sub.OnUse([o, action, run] {
      *action = [o, run] {
        auto s = run(*o);
        return s ? 0 : Report(s.error());
      };
    });
  };
  add("start", Say("启动并保持运行", "starts it and keeps it running"), Start, "");
  add("stop", Say("停止", "stops it"), Stop, "");
  add("shell", Say("打开 psql", "opens psql"), Shell, "");
  add("backup", Say("备份到一个空目录", "backs up into an empty folder"), DoBackup,
      Say("备份目录", "folder of the backup"));
  add("restore", Say("从备份恢复到新的数据目录", "restores a backup into a new data folder"),
      DoRestore, Say("备份目录", "folder of the backup"));
}

}  // namespace canbao::app
