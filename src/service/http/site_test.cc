#include "service/http/site.h"

#include <gtest/gtest.h>

namespace canbao::service {
namespace {

std::string ClientAs(const std::string& peer, const std::string& forwarded,
                     const std::vector<std::string>& trusted) {
  Request r;
  r.peer = peer;
  if (!forwarded.empty()) r.headers["x-forwarded-for"] = forwarded;
  return ClientOf(r, trusted);
}

TEST(ClientOfTest, OnlyATrustedProxyIsBelieved) {
  EXPECT_EQ(ClientAs("10.0.0.9", "1.2.3.4", {}), "10.0.0.9");
  EXPECT_EQ(ClientAs("10.0.0.9", "1.2.3.4", {"127.0.0.1"}), "10.0.0.9");
  EXPECT_EQ(ClientAs("127.0.0.1", "1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("::ffff:127.0.0.1", "1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "", {"127.0.0.1"}), "127.0.0.1");
}

TEST(ClientOfTest, WhatTheClientItselfWroteIsNotBelieved) {
  // A proxy adds at the end; what stands before that came from outside.
  EXPECT_EQ(ClientAs("127.0.0.1", "6.6.6.6, 1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.1", {"127.0.0.1", "10.0.0.1"}),
            "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "1.2.3.4, <script>", {"127.0.0.1"}), "127.0.0.1");
  EXPECT_EQ(ClientAs("127.0.0.1", "2001:db8::7", {"127.0.0.1"}), "2001:db8::7");
}

}  // namespace
}  // namespace canbao::service
