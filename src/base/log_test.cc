#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"

namespace canbao {
namespace {

TEST(LogTest, LevelsDecideWhatIsWritten) {
  std::string folder =
      (std::filesystem::temp_directory_path() / ("canbao-log-" + std::to_string(::getpid())))
          .string();
  LogOptions options;
  options.stderr_level = LogLevel::kOff;
  options.file = folder + "/deep/canbao.log";
  ASSERT_TRUE(SetUpLog(options));
  EXPECT_TRUE(LogEnabled(LogLevel::kInfo));
  EXPECT_FALSE(LogEnabled(LogLevel::kDebug));
  Log(LogLevel::kInfo, "stage {} took {} ms", "partition", 12);
  Log(LogLevel::kDebug, "never seen");
  LogMessage(LogLevel::kWarning, "braces {} stay");
  FlushLog();
  std::string text = ReadWholeFile(options.file).value();
  EXPECT_NE(text.find(" I "), std::string::npos) << text;
  EXPECT_NE(text.find("stage partition took 12 ms"), std::string::npos);
  EXPECT_NE(text.find("braces {} stay"), std::string::npos);
  EXPECT_EQ(text.find("never seen"), std::string::npos);
  ASSERT_TRUE(SetUpLog({}));
  ASSERT_TRUE(RemoveTree(folder));
}

TEST(LogTest, UnwritableFolderIsAnError) {
  LogOptions options;
  options.file = "/proc/no/such/canbao.log";
  Status s = SetUpLog(options);
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().cls, ErrorClass::kEnvironment);
}

}  // namespace
}  // namespace canbao
