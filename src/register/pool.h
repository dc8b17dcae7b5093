// Sessions with PostgreSQL for many threads: opened when needed, at most `size` of them, kept for
// the next. A session that has died (PostgreSQL was restarted) is replaced when it is taken; what a
// thread left open in one is rolled back when it comes back.
//
// Thread-safe. Take() fails with what Connection::Open says while the server is down, and with
// CB-REGISTER-0106 when all are in use for longer than `wait`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

struct PoolOptions {
  int size = 16;
  std::chrono::milliseconds wait{5000};
};

class Pool {
 public:
  // Opens a session; called by several threads at once.
  using Opener = std::function<Result<std::unique_ptr<Connection>>()>;

  explicit Pool(Opener opener, PoolOptions options = {});
  explicit Pool(std::string conninfo, PoolOptions options = {});
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A session, the thread's until the lease ends. The pool must outlive it.
  class Lease {
   public:
    Lease(Lease&& o) noexcept
        : pool_(std::exchange(o.pool_, nullptr)), connection_(std::move(o.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Connection* get() const { return connection_.get(); }
    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    friend class Pool;
    Lease(Pool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  Result<Lease> Take();
  int open() const;    // sessions there are
  int in_use() const;  // of which threads have
  // Drops idle sessions: the server has gone.
  void Clear();

 private:
  void Return(std::unique_ptr<Connection> connection);

  const Opener opener_;
  const PoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  int in_use_ = 0;
};

}  // namespace canbao::reg
