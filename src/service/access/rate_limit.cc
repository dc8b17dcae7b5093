#include "service/access/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace canbao::service {

int RateLimit::Take(std::string_view key, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  auto level = [&](const Bucket& b) {
    return std::min(burst_,
                    b.tokens + per_second_ * std::chrono::duration<double>(now - b.at).count());
  };
  if (buckets_.size() > kForgetAbove) {
    std::erase_if(buckets_, [&](const auto& entry) { return level(entry.second) >= burst_; });
  }
  Bucket& b = buckets_.try_emplace(std::string(key), Bucket{burst_, now}).first->second;
  b.tokens = level(b);
  b.at = now;
  if (b.tokens >= 1) {
    b.tokens -= 1;
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((1 - b.tokens) / per_second_)));
}

}  // namespace canbao::service
