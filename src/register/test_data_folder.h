// A data folder for tests: short path, passable for the user postgres, removed at the end with its
// server stopped. Making a cluster and migrating it takes seconds; one made once a process is
// copied into the folders of its tests. Only tests include this.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "register/database.h"
#include "register/instance.h"

namespace canbao::reg {

class TestDataFolder {
 public:
  TestDataFolder() {
    // In memory where that is possible: hundreds of small files are synced.
    std::filesystem::path base = "/dev/shm";
    std::error_code ec;
    if (::access(base.c_str(), W_OK) != 0 ||
        std::filesystem::space(base, ec).available < (1ull << 30)) {
      base = std::filesystem::temp_directory_path();
    }
    std::string pattern = (base / "cb_XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
    ::chmod(path_.c_str(), 0755);
  }
  ~TestDataFolder() {
    InstanceOptions options;
    (void)Instance::Stop(path_, options);
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  TestDataFolder(const TestDataFolder&) = delete;
  TestDataFolder& operator=(const TestDataFolder&) = delete;

  const std::string& path() const { return path_; }
  // The database in this folder; a fresh one when the folder is empty.
  Result<std::unique_ptr<Database>> OpenDatabase() const {
    if (std::filesystem::is_empty(path_)) {
      static const Result<std::unique_ptr<TestDataFolder>> made = Migrated();
      if (!made) return tl::unexpected<Error>(made.error());
      // With its owners: `postgres` has the cluster.
      const std::string copy = "cp -a " + (*made)->path() + "/. " + path_;
      if (std::system(copy.c_str()) != 0) {
        return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0205",
                    Msg("无法复制：{0}", "failed: {0}", copy));
      }
    }
    return Database::Open(path_, DbOptions());
  }
  static InstanceOptions Options() {
    InstanceOptions o;
    o.durable = false;
    return o;
  }
  static DatabaseOptions DbOptions() {
    DatabaseOptions o;
    o.instance = Options();
    return o;
  }

 private:
  static Result<std::unique_ptr<TestDataFolder>> Migrated() {
    auto folder = std::make_unique<TestDataFolder>();
    CANBAO_ASSIGN(auto db, Database::Open(folder->path(), DbOptions()));
    db.reset();  // stopped: only then may it be copied
    return folder;
  }
  std::string path_;
};

// First line of a test that needs a server.
#define CANBAO_NEEDS_POSTGRES()                                                                  \
  do {                                                                                           \
    if (::access((::canbao::reg::InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) { \
      GTEST_SKIP() << "PostgreSQL 15 is not installed: no "                                      \
                   << ::canbao::reg::InstanceOptions().bin_dir;                                  \
    }                                                                                            \
  } while (false)

#define CANBAO_OK(expr)                                             \
  do {                                                              \
    auto canbao_result = (expr);                                    \
    ASSERT_TRUE(canbao_result) << canbao_result.error().ToString(); \
  } while (false)

}  // namespace canbao::reg
