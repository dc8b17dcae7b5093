#include "register/access/password.h"

#include <gtest/gtest.h>

#include "register/access/roles.h"

namespace canbao::reg {
namespace {

TEST(Password, MatchesItsHashOnly) {
  auto hash = HashPassword("一二三四五六七八九十");
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->rfind("$argon2id$", 0), 0u);
  EXPECT_TRUE(PasswordMatches(*hash, "一二三四五六七八九十"));
  EXPECT_FALSE(PasswordMatches(*hash, "一二三四五六七八九"));
  EXPECT_FALSE(PasswordMatches("", ""));
  auto again = HashPassword("一二三四五六七八九十");
  ASSERT_TRUE(again);
  EXPECT_NE(*hash, *again);  // salted
}

TEST(Password, RulesRefuseWhatIsGuessed) {
  auto code = [](const char* account, const char* password) {
    auto s = CheckPasswordRules(account, password);
    return s ? std::string("ok") : s.error().code;
  };
  EXPECT_EQ(code("zhang", "short12"), "CB-REGISTER-0920");
  EXPECT_EQ(code("zhang", "密码太短了吧"), "CB-REGISTER-0920");
  EXPECT_EQ(code("zhangsan", "ZhangSan12"), "CB-REGISTER-0921");
  EXPECT_EQ(code("zhang", "Password123"), "CB-REGISTER-0922");
  EXPECT_EQ(code("zhang", "1234567890"), "CB-REGISTER-0922");
  EXPECT_EQ(code("zhang", "zzzzzzzzzzzz"), "CB-REGISTER-0923");
  EXPECT_EQ(code("zhang", "correct horse battery"), "ok");
  EXPECT_EQ(code("zhang", "湖边的柳树今年发芽很早"), "ok");
}

TEST(Password, FirstOnesPassTheirOwnRules) {
  auto a = MakeFirstPassword(), b = MakeFirstPassword();
  ASSERT_TRUE(a && b);
  EXPECT_NE(*a, *b);
  EXPECT_EQ(a->size(), 19u);
  EXPECT_TRUE(CheckPasswordRules("zhang", *a));
}

// RFC 6238, appendix B: the secret is "12345678901234567890", eight digits there, six here.
TEST(Totp, GivesTheCodesOfTheRfc) {
  const std::string secret = "12345678901234567890";
  EXPECT_EQ(TotpCode(secret, 59 / 30), "287082");
  EXPECT_EQ(TotpCode(secret, 1111111109 / 30), "081804");
  EXPECT_EQ(TotpCode(secret, 1111111111 / 30), "050471");
  EXPECT_EQ(TotpCode(secret, 1234567890 / 30), "005924");
  EXPECT_EQ(TotpCode(secret, 2000000000 / 30), "279037");
  EXPECT_EQ(TotpCode(secret, 20000000000 / 30), "353130");
}

TEST(Totp, TakesTheStepAndItsNeighbours) {
  const std::string secret = "12345678901234567890";
  const int64_t now = 1111111111, step = now / 30;
  for (int64_t d : {-1, 0, 1}) {
    EXPECT_EQ(TotpStep(secret, TotpCode(secret, step + d), now), step + d) << d;
  }
  EXPECT_FALSE(TotpStep(secret, TotpCode(secret, step - 2), now));
  EXPECT_FALSE(TotpStep(secret, TotpCode(secret, step + 2), now));
  EXPECT_FALSE(TotpStep(secret, "", now));
  EXPECT_FALSE(TotpStep(secret, "0000000", now));
}

TEST(Totp, SecretsAreSpelledInBase32) {
  EXPECT_EQ(Base32("foobar"), "MZXW6YTBOI");  // RFC 4648, without padding
  EXPECT_EQ(Base32("f"), "MY");
  EXPECT_NE(TotpUri("wang", "foobar").find("secret=MZXW6YTBOI"), std::string::npos);
}

TEST(Roles, OfTheProgramAreSound) {
  auto policy = ParseRoles(CompiledRoles());
  ASSERT_TRUE(policy) << policy.error().ToString();
  EXPECT_EQ(policy->roles.size(), 9u);
  int administrators = 0;
  for (const Role& r : policy->roles) {
    administrators += r.administrator ? 1 : 0;
    EXPECT_FALSE(r.label.zh.empty()) << r.name;
    for (const std::string& p : r.may) {
      for (const Permission& x : policy->permissions) {
        EXPECT_FALSE(x.name == p && r.administrator && x.personal) << r.name << " " << p;
      }
    }
  }
  EXPECT_EQ(administrators, 3);
}

TEST(Roles, RefusesWhatIsNotDefined) {
  EXPECT_EQ(ParseRoles("valid_from = 2020-01-01\n[[role]]\nname = 'a'\nmay = ['x']\n").error().code,
            "CB-REGISTER-0902");
  EXPECT_EQ(ParseRoles("not toml at all [").error().code, "CB-REGISTER-0902");
  EXPECT_EQ(ParseRoles("[[role]]\nname = 'a'\n").error().code, "CB-REGISTER-0902");
}

}  // namespace
}  // namespace canbao::reg
