// How often somebody may ask: token buckets by a key (an account, an address). Thread-safe; nothing
// fails. Buckets that are full again are forgotten.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace canbao::service {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  // 0 when it may go on; else seconds to wait, at least 1.
  int Take(std::string_view key, Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  static constexpr size_t kForgetAbove = 10000;
  const double per_second_;
  const double burst_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace canbao::service
