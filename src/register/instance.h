// The private PostgreSQL 15 in DATA/postgres: made, started, adopted, stopped. Unix socket only,
// peer authentication; as root it is made and run by the user `postgres`. The register needs a
// server before anything else, so this is where a missing package, a folder that `postgres` cannot
// reach or a socket path that is too long are told apart and named early.
//
// Several commands may use one data folder at a time: each Instance holds a shared lock on
// DATA/postgres/users.lock; start and stop are serialised by DATA/postgres/owner.lock. The last
// user stops a server that no `db start` asked to keep. A server is never killed with SIGKILL.
//
// An Instance belongs to one thread. Errors: CB-REGISTER-02xx, class environment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace canbao::reg {

struct InstanceOptions {
  std::string bin_dir = "/usr/lib/postgresql/15/bin";
  int start_seconds = 15;  // back-off while an earlier server is still dying
  bool keep = false;       // `db start`: stays when the last user leaves
  bool durable = true;     // false: nothing is synced to disk; for tests
};

class Instance {
 public:
  // Makes the instance if there is none, starts it if none answers, and joins its users.
  static Result<std::unique_ptr<Instance>> Open(const std::string& data_dir,
                                                const InstanceOptions& options = {});
  // Leaves; stops the server when this was the last user and nobody asked to keep it.
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Starts the server again if it does not answer (after a crash).
  Status EnsureRunning();
  // As the loader (`canbao_owner`) or the service (`canbao_app`, `canbao_access`).
  std::string ConnInfo(const std::string& role = "canbao_owner",
                       const std::string& database = "canbao") const;

  // Stops the server whoever uses it (fast: sessions are ended, nothing committed is lost).
  static Status Stop(const std::string& data_dir, const InstanceOptions& options = {});
  // Answers PQping.
  static bool IsRunning(const std::string& data_dir);
  // Whether there is an instance in the folder at all.
  static bool Exists(const std::string& data_dir);
  // Process id of the postmaster; 0 when none is written down.
  static int PostmasterPid(const std::string& data_dir);
  // Everything that would keep an instance from working here; ok when nothing does.
  static Status CheckEnvironment(const std::string& data_dir, const InstanceOptions& options = {});

  const std::string& root() const { return root_; }  // DATA/postgres

 private:
  Instance() = default;
  std::string root_;
  InstanceOptions options_;
  int users_fd_ = -1;
};

}  // namespace canbao::reg
