#include "register/pool.h"

#include <poll.h>

namespace canbao::reg {
namespace {

// Whether the server is still there, without asking it: a socket that it has closed is readable.
bool StillOpen(Connection& c) {
  if (!c.alive()) return false;
  pollfd p{PQsocket(c.raw()), POLLIN, 0};
  if (::poll(&p, 1, 0) == 0) return true;
  return PQconsumeInput(c.raw()) != 0 && c.alive();
}

}  // namespace

Pool::Pool(Opener opener, PoolOptions options) : opener_(std::move(opener)), options_(options) {}

Pool::Pool(std::string conninfo, PoolOptions options)
    : Pool([conninfo = std::move(conninfo)] { return Connection::Open(conninfo); }, options) {}

Pool::~Pool() = default;

Result<Pool::Lease> Pool::Take() {
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, options_.wait, [&] { return in_use_ < options_.size; })) {
      return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0106",
                  Msg("数据库正忙：{0} 个会话都在使用",
                      "the database is busy: all {0} sessions are in use", options_.size),
                  Text{"请稍后再试。", "try again in a moment."});
    }
    ++in_use_;
    while (!idle_.empty()) {
      std::unique_ptr<Connection> c = std::move(idle_.back());
      idle_.pop_back();
      if (StillOpen(*c)) return Lease(this, std::move(c));
    }
  }
  auto opened = opener_();
  if (!opened) {
    Return(nullptr);
    return Fail(std::move(opened.error()));
  }
  return Lease(this, std::move(*opened));
}

Pool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->Return(std::move(connection_));
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  if (connection != nullptr) {
    PGTransactionStatusType status = PQtransactionStatus(connection->raw());
    if (status == PQTRANS_INTRANS || status == PQTRANS_INERROR) {
      if (!connection->Run("ROLLBACK")) connection.reset();
    } else if (status != PQTRANS_IDLE) {
      connection.reset();
    }
  }
  {
    std::lock_guard lock(mutex_);
    --in_use_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

int Pool::open() const {
  std::lock_guard lock(mutex_);
  return in_use_ + static_cast<int>(idle_.size());
}

int Pool::in_use() const {
  std::lock_guard lock(mutex_);
  return in_use_;
}

void Pool::Clear() {
  std::vector<std::unique_ptr<Connection>> gone;
  std::lock_guard lock(mutex_);
  gone.swap(idle_);
}

}  // namespace canbao::reg
