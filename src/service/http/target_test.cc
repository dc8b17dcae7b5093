#include "service/http/target.h"

#include <gtest/gtest.h>

namespace canbao::service {
namespace {

TEST(Target, TakesPathAndQueryApart) {
  auto t = ParseTarget("/api/v1/policy/rules%2F2017.toml?q=a+b%20%E6%9D%AD&empty=&flag");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->segments, (std::vector<std::string>{"api", "v1", "policy", "rules/2017.toml"}));
  EXPECT_EQ(t->path, "/api/v1/policy/rules/2017.toml");
  EXPECT_EQ(t->query.at("q"), "a b 杭");
  EXPECT_EQ(t->query.at("empty"), "");
  EXPECT_EQ(t->query.at("flag"), "");
  EXPECT_TRUE(t->repeated.empty());
}

TEST(Target, KeepsEmptySegmentsAndPlusInPaths) {
  auto t = ParseTarget("/a+b//");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->segments, (std::vector<std::string>{"a+b", "", ""}));
}

TEST(Target, TellsWhatIsGivenTwice) {
  auto t = ParseTarget("/a?x=1&y=2&x=3");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->query.at("x"), "1");
  EXPECT_EQ(t->repeated, std::vector<std::string>{"x"});
}

TEST(Target, TakesTheAbsoluteForm) {
  auto t = ParseTarget("http://register.example:8080/a?b=c");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/a");
  EXPECT_EQ(ParseTarget("https://register.example")->path, "/");
}

TEST(Target, RefusesWhatIsBroken) {
  for (const char* text :
       {"", "*", "a", "/%", "/%4", "/%zz", "/a?b=%", "/%00", "/a%0d%0a", "/a?b=%00", "/a?b=%0A",
        "/%ff", "/a?b=%c0%af", "/a?b=%ed%a0%80", "/a?%f5%80%80%80=1", "/a?b=%7f"}) {
    EXPECT_FALSE(ParseTarget(text)) << text;
  }
}

TEST(Target, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("参保 é 𠮷"));
  EXPECT_FALSE(IsUtf8("\xE5\x8F"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));
  EXPECT_EQ(CountCharacters("参保a𠮷"), 4u);
}

}  // namespace
}  // namespace canbao::service
