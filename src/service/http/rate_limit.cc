#include "service/http/rate_limit.h"

#include <algorithm>

namespace canbao::service {
namespace {

constexpr size_t kMostAddresses = 20000;

// Of a compressed IPv6 address too: everything behind the fourth group is dropped, and one that has
// "::" before that is short enough to stand as it is.
std::string_view Prefix(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return address;
  size_t at = 0;
  for (int group = 0; group < 4; ++group) {
    const size_t colon = address.find(':', at);
    if (colon == std::string_view::npos) return address;
    at = colon + 1;
  }
  return address.substr(0, at);
}

}  // namespace

bool RateLimit::Allow(std::string_view address, Clock::time_point now) {
  if (per_second_ <= 0) return true;
  std::lock_guard lock(mutex_);
  auto filled = [&](const Bucket& b) {
    const std::chrono::duration<double> passed = now - b.filled;
    return std::min(burst_, b.tokens + passed.count() * per_second_);
  };
  if (buckets_.size() >= kMostAddresses) {
    std::erase_if(buckets_, [&](const auto& b) { return filled(b.second) >= burst_; });
    if (buckets_.size() >= kMostAddresses) buckets_.clear();  // a flood: begin anew
  }
  auto [it, fresh] = buckets_.try_emplace(std::string(Prefix(address)), Bucket{burst_, now});
  Bucket& b = it->second;
  b.tokens = filled(b);
  b.filled = now;
  if (b.tokens < 1) return false;
  b.tokens -= 1;
  return true;
}

size_t RateLimit::known() const {
  std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace canbao::service
