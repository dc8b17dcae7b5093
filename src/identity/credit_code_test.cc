#include "identity/credit_code.h"

#include <gtest/gtest.h>

#include <string>

namespace canbao::identity {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

// An invented unit: the registering authority, category, division and body given.
std::string Make(const std::string& first8, const std::string& body8) {
  std::string code = first8 + body8;
  code += OrganisationCodeCheck(body8);
  return code + CreditCodeCheck(code);
}

TEST(CreditCode, CheckOfGb32100And11714) {
  // Worked by hand from the weights: Σ value·3^(i−1) mod 31.
  EXPECT_EQ(CreditCodeCheck("00000000000000000"), '0');
  EXPECT_EQ(CreditCodeCheck("10000000000000000"), 'Y');  // 31 − 1 = 30
  EXPECT_EQ(CreditCodeCheck("00000000000000001"), '3');  // 31 − 28
  EXPECT_EQ(OrganisationCodeCheck("00000000"), '0');     // 11 → 0
  EXPECT_EQ(OrganisationCodeCheck("D2143569"), 'X');     // the specimen of GB 11714
  EXPECT_EQ(OrganisationCodeCheck("10000000"), '8');     // 11 − 3
  EXPECT_EQ(CreditCodeCheck("0000000000000000I"), 0);
  EXPECT_EQ(CreditCodeCheck(""), 0);
  EXPECT_EQ(OrganisationCodeCheck("0000000a"), 0);
}

TEST(CreditCode, Classes) {
  const std::string code = Make("91330100", "MA27XY12");
  EXPECT_EQ(ParseCreditCode(code).cls, CreditCodeClass::kValid) << code;
  EXPECT_EQ(ParseCreditCode("").cls, CreditCodeClass::kMissing);
  EXPECT_EQ(ParseCreditCode("无").cls, CreditCodeClass::kMissing);
  EXPECT_EQ(ParseCreditCode("000000000000000000").cls, CreditCodeClass::kMissing);
  EXPECT_EQ(ParseCreditCode("91330100").cls, CreditCodeClass::kInvalid);
  EXPECT_EQ(ParseCreditCode("I1330100MA27XY1234").cls, CreditCodeClass::kInvalid);
  EXPECT_EQ(ParseCreditCode("913301A0MA27XY1234").cls, CreditCodeClass::kInvalid);
  std::string early = "91350100M000123450";  // pilot code of Fujian: right shape, wrong checks
  EXPECT_EQ(ParseCreditCode(early).cls, CreditCodeClass::kSoftInvalid);
}

TEST(CreditCode, Cleaning) {
  const std::string code = Make("91330100", "MA27XY12");
  std::string lower = code;
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const std::string& raw :
       {" " + code + " ", "'" + code, lower, code.substr(0, 8) + "-" + code.substr(8),
        std::string("\xEF\xBC\x99") + code.substr(1)}) {
    const ParsedCreditCode parsed = ParseCreditCode(raw);
    EXPECT_EQ(parsed.cls, CreditCodeClass::kValid) << raw;
    EXPECT_EQ(parsed.text, code);
  }
}

TEST(CreditCode, FullWidthQuotesAndHyphensAreDroppedLikeTheOthers) {
  EXPECT_EQ(ParseCreditCode("＂9133－0102＇").text, "91330102");
}

TEST(CreditCode, EverySingleSubstitutionIsNoticed) {
  const std::string code = Make("51110000", "50000123");
  ASSERT_EQ(ParseCreditCode(code).cls, CreditCodeClass::kValid);
  for (size_t at = 0; at < code.size(); ++at) {
    for (char c : kAlphabet) {
      if (c == code[at]) continue;
      std::string wrong = code;
      wrong[at] = c;
      EXPECT_NE(ParseCreditCode(wrong).cls, CreditCodeClass::kValid) << wrong;
    }
  }
}

}  // namespace
}  // namespace canbao::identity
