#include "service/http/rate_limit.h"

#include <gtest/gtest.h>

namespace canbao::service {
namespace {
using namespace std::chrono_literals;

TEST(RateLimit, HasABurstAndARate) {
  RateLimit limit(10, 3);
  const auto now = RateLimit::Clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Allow("10.0.0.1", now));
  EXPECT_FALSE(limit.Allow("10.0.0.1", now));
  EXPECT_TRUE(limit.Allow("10.0.0.2", now));
  EXPECT_FALSE(limit.Allow("10.0.0.1", now + 99ms));
  EXPECT_TRUE(limit.Allow("10.0.0.1", now + 200ms));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.Allow("10.0.0.1", now + 1h));
  EXPECT_FALSE(limit.Allow("10.0.0.1", now + 1h));
}

TEST(RateLimit, CountsIpv6ByItsNetwork) {
  RateLimit limit(1, 1);
  const auto now = RateLimit::Clock::now();
  EXPECT_TRUE(limit.Allow("2001:db8:1:2:aaaa::1", now));
  EXPECT_FALSE(limit.Allow("2001:db8:1:2:bbbb::2", now));
  EXPECT_TRUE(limit.Allow("2001:db8:1:3:aaaa::1", now));
}

TEST(RateLimit, ForgetsThoseWhoAreQuiet) {
  RateLimit limit(10, 2);
  const auto now = RateLimit::Clock::now();
  for (int i = 0; i < 20000; ++i) limit.Allow(std::to_string(i), now);
  EXPECT_EQ(limit.known(), 20000u);
  EXPECT_TRUE(limit.Allow("new", now + 1s));
  EXPECT_EQ(limit.known(), 1u);
}

TEST(RateLimit, MayBeOff) {
  RateLimit limit(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.Allow("a"));
}

}  // namespace
}  // namespace canbao::service
