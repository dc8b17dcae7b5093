#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace canbao {
namespace {

// Sets the process language for one test.
class InLanguage {
 public:
  explicit InLanguage(Lang lang) : before_(CurrentLang()) { SetCurrentLang(lang); }
  ~InLanguage() { SetCurrentLang(before_); }

 private:
  Lang before_;
};

Error Sample() {
  return Error{ErrorClass::kInput,
               "CB-EXTRACT-0007",
               Msg("第 {1} 行：{0}", "line {1}: {0}", "x", 12),
               Msg("改正", "correct it"),
               {},
               0,
               0};
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(ErrorClass::kUsage, "CB-TEST-0001", Msg("奇数", "odd"));
  return n / 2;
}
Result<std::string> Quarter(int n) {
  CANBAO_ASSIGN(int half, Half(n));
  CANBAO_ASSIGN(auto quarter, Half(half));
  return std::to_string(quarter);
}
Status AllEven(std::initializer_list<int> numbers) {
  for (int n : numbers) CANBAO_TRY(Half(n));
  return {};
}
Result<std::unique_ptr<int>> Boxed(int n) {
  CANBAO_ASSIGN(int half, Half(n));
  return std::make_unique<int>(half);
}

TEST(ErrorTest, SaysWhatWhereAndWhatToDo) {
  {
    InLanguage zh(Lang::kZh);
    EXPECT_EQ(Sample().ToString(), "CB-EXTRACT-0007: 第 12 行：x 处理办法：改正");
    EXPECT_EQ(Sample().At("a.csv", 12, 3).ToString(),
              "CB-EXTRACT-0007 a.csv:12:3: 第 12 行：x 处理办法：改正");
  }
  InLanguage en(Lang::kEn);
  EXPECT_EQ(Sample().At("a.csv").ToString(),
            "CB-EXTRACT-0007 a.csv: line 12: x Remedy: correct it");
  EXPECT_EQ(Sample().At("a.csv", 12).ToString(),
            "CB-EXTRACT-0007 a.csv:12: line 12: x Remedy: correct it");
}

TEST(ErrorTest, RemedyMayBeEmpty) {
  InLanguage en(Lang::kEn);
  Status s = Fail(ErrorClass::kInternal, "CB-TEST-0002", Msg("坏", "broken"));
  EXPECT_EQ(s.error().ToString(), "CB-TEST-0002: broken");
}

TEST(ErrorTest, MacrosPassTheErrorOn) {
  EXPECT_EQ(Quarter(12).value(), "3");
  EXPECT_EQ(Quarter(6).error().code, "CB-TEST-0001");
  EXPECT_EQ(Quarter(3).error().cls, ErrorClass::kUsage);
  EXPECT_TRUE(AllEven({2, 4, 6}).has_value());
  EXPECT_EQ(AllEven({2, 5, 6}).error().code, "CB-TEST-0001");
  EXPECT_EQ(**Boxed(8), 4);
  EXPECT_FALSE(Boxed(7).has_value());
}

TEST(ErrorTest, ClassesAreTheExitCodes) {
  EXPECT_EQ(static_cast<int>(ErrorClass::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ErrorClass::kInput), 3);
  EXPECT_EQ(static_cast<int>(ErrorClass::kEnvironment), 4);
  EXPECT_EQ(static_cast<int>(ErrorClass::kInternal), 5);
}

}  // namespace
}  // namespace canbao
