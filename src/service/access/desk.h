// What signing in, sessions and the audit have for as long as the service runs: connections as
// canbao_access, the chains that workers write to, limits, and the thread that seals the audit each
// minute and once more at the end. The gate owns one; handlers of access/ reach it by
// Services::desk.
//
// Thread-safe. Errors: of register/access/access.h and register/access/audit.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "register/access/access.h"
#include "register/access/audit.h"
#include "register/pool.h"
#include "service/context.h"
#include "service/http/rate_limit.h"

namespace canbao::service {

class Desk {
 public:
  explicit Desk(const Services& services);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  Result<reg::Pool::Lease> Access() { return access_.Take(); }
  reg::Authenticator& authenticator() { return authenticator_; }

  // A chain of the audit, the thread's until the lease ends.
  class Chain {
   public:
    Chain(Chain&& o) noexcept
        : desk_(std::exchange(o.desk_, nullptr)), writer_(std::move(o.writer_)) {}
    Chain& operator=(Chain&&) = delete;
    ~Chain();
    reg::AuditWriter* operator->() const { return writer_.get(); }

   private:
    friend class Desk;
    Chain(Desk* desk, std::unique_ptr<reg::AuditWriter> writer)
        : desk_(desk), writer_(std::move(writer)) {}
    Desk* desk_;
    std::unique_ptr<reg::AuditWriter> writer_;
  };
  Result<Chain> TakeChain();
  // Entries by themselves, in a transaction of canbao_access.
  Status Write(const std::vector<reg::AuditRecord>& records);

  RateLimit requests{100, 300};  // of an account
  RateLimit reveals{1, 60};      // of an account
  RateLimit sign_ins{10, 100};   // of an address

 private:
  void SealEachMinute(const std::stop_token& stop);
  void Seal();

  const reg::Database& db_;
  reg::Pool access_;
  reg::Authenticator authenticator_;
  reg::AuditRoots roots_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<reg::AuditWriter>> idle_;
  int chains_ = 0;
  std::jthread sealer_;
};

}  // namespace canbao::service
