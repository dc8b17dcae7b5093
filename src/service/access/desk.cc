#include "service/access/desk.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>

#include "base/log.h"

namespace canbao::service {
namespace {

constexpr std::chrono::seconds kSealEvery{60};
constexpr int kAccessSessions = 8;

reg::PoolOptions AccessPoolOptions() {
  reg::PoolOptions o;
  o.size = kAccessSessions;
  return o;
}

}  // namespace

Desk::Desk(const Services& services)
    : db_(*services.db),
      access_([db = services.db] { return db->ConnectAccess(); }, AccessPoolOptions()),
      authenticator_(services.db->cipher()),
      roots_(services.data_dir.empty() ? services.db->data_dir() : services.data_dir),
      sealer_([this](const std::stop_token& stop) { SealEachMinute(stop); }) {}

Desk::~Desk() {
  sealer_.request_stop();
  sealer_.join();
  Seal();
}

void Desk::Seal() {
  auto lease = access_.Take();
  Result<bool> sealed = lease ? roots_.Seal(**lease) : Result<bool>(Fail(std::move(lease.error())));
  if (!sealed) Log(LogLevel::kError, "audit: no root was made: {}", sealed.error().ToString());
}

void Desk::SealEachMinute(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  // What a service that was killed left unsealed comes first.
  while (!stop.stop_requested()) {
    Seal();
    wake.wait_for(lock, stop, kSealEvery, [] { return false; });
  }
}

Desk::Chain::~Chain() {
  if (desk_ == nullptr || writer_ == nullptr) return;
  std::lock_guard lock(desk_->mutex_);
  desk_->idle_.push_back(std::move(writer_));
}

Result<Desk::Chain> Desk::TakeChain() {
  std::unique_ptr<reg::AuditWriter> writer;
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      writer = std::move(idle_.back());
      idle_.pop_back();
    } else {
      writer = std::make_unique<reg::AuditWriter>(fmt::format("service {}", ++chains_));
    }
  }
  Chain chain(this, std::move(writer));
  if (!chain->open()) {
    CANBAO_ASSIGN(auto access, access_.Take());
    CANBAO_TRY(chain->Open(*access));
  }
  return chain;
}

Status Desk::Write(const std::vector<reg::AuditRecord>& records) {
  if (records.empty()) return {};
  CANBAO_ASSIGN(Chain chain, TakeChain());
  CANBAO_ASSIGN(auto access, access_.Take());
  CANBAO_ASSIGN(reg::Transaction t, reg::Transaction::Begin(*access));
  for (const reg::AuditRecord& r : records) {
    if (auto s = chain->Append(*access, r); !s) {
      chain->Settle(false);
      return s;
    }
  }
  if (auto s = t.Commit(); !s) {
    chain->Settle(std::nullopt);
    return s;
  }
  chain->Settle(true);
  return {};
}

}  // namespace canbao::service
