// How often an address may ask: a bucket of tokens each, filled at a steady rate. Thread-safe;
// holds at most some ten thousand addresses and forgets those whose bucket is full again. IPv6
// addresses count by their /64, which is what one client has.
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
  // `per_second` = 0: no limit.
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}
  // Takes a token; false when there is none.
  bool Allow(std::string_view address, Clock::time_point now = Clock::now());
  size_t known() const;

 private:
  struct Bucket {
    double tokens;
    Clock::time_point filled;
  };
  const double per_second_;
  const double burst_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace canbao::service
