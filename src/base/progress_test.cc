#include "base/progress.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/report.h"

namespace canbao {
namespace {

// A stream in memory and a clock that the test turns.
class ProgressTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = CurrentLang();
    SetCurrentLang(Lang::kEn);
    out_ = ::open_memstream(&text_, &size_);
    ASSERT_NE(out_, nullptr);
  }
  void TearDown() override {
    std::fclose(out_);
    std::free(text_);
    SetCurrentLang(before_);
  }
  ProgressOptions Options(bool terminal) {
    ProgressOptions o;
    o.out = out_;
    o.terminal = terminal ? 1 : 0;
    o.columns = 80;
    o.clock = [this] { return now_.load(); };
    return o;
  }
  std::string Output() {
    std::fflush(out_);
    return {text_, size_};
  }
  static size_t Count(const std::string& text, const std::string& what) {
    size_t n = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }

  Lang before_ = Lang::kZh;
  std::FILE* out_ = nullptr;
  char* text_ = nullptr;
  size_t size_ = 0;
  std::atomic<double> now_{100};
};

TEST(DescribeProgressTest, RateAndTimeLeft) {
  EXPECT_EQ(DescribeProgress("Reading", 500000000, 2000000000, ProgressUnit::kBytes, 2, Lang::kEn),
            "Reading  25%  500 MB / 2.0 GB  250 MB/s  6 s left");
  EXPECT_EQ(DescribeProgress("读取", 500000000, 2000000000, ProgressUnit::kBytes, 2, Lang::kZh),
            "读取  25%  500 MB / 2.0 GB  250 MB/秒  剩余 6 秒");
  EXPECT_EQ(DescribeProgress("Loading", 1234567, 0, ProgressUnit::kRows, 2, Lang::kEn),
            "Loading  1,234,567 rows  617,283/s");
}

TEST(DescribeProgressTest, HundredPercentIsTheEnd) {
  EXPECT_EQ(DescribeProgress("x", 0, 1000, ProgressUnit::kItems, 0, Lang::kEn), "x  0%  0 / 1,000");
  EXPECT_EQ(DescribeProgress("x", 999, 1000, ProgressUnit::kItems, 0, Lang::kEn),
            "x  99%  999 / 1,000");
  EXPECT_EQ(DescribeProgress("x", 1000, 1000, ProgressUnit::kItems, 0, Lang::kEn),
            "x  100%  1,000 / 1,000");
  EXPECT_EQ(DescribeProgress("x", 1200, 1000, ProgressUnit::kItems, 1, Lang::kEn),
            "x  100%  1,200 / 1,000  1,200/s");
}

TEST(FormatTest, AmountsAndSeconds) {
  EXPECT_EQ(FormatAmount(0, ProgressUnit::kItems), "0");
  EXPECT_EQ(FormatAmount(999, ProgressUnit::kItems), "999");
  EXPECT_EQ(FormatAmount(1000, ProgressUnit::kRows), "1,000");
  EXPECT_EQ(FormatAmount(999, ProgressUnit::kBytes), "999 B");
  EXPECT_EQ(FormatAmount(1500, ProgressUnit::kBytes), "1.5 kB");
  EXPECT_EQ(FormatAmount(40000000000, ProgressUnit::kBytes), "40 GB");
  EXPECT_EQ(FormatSeconds(0.4, Lang::kEn), "0 s");
  EXPECT_EQ(FormatSeconds(125, Lang::kZh), "2 分 5 秒");
  EXPECT_EQ(FormatSeconds(3725, Lang::kEn), "1 h 2 min");
  EXPECT_EQ(FormatSeconds(-1, Lang::kEn), "0 s");
}

TEST_F(ProgressTest, PlainLinesEveryFewSeconds) {
  {
    Progress p(Msg("读取", "Reading"), 100, ProgressUnit::kItems, Options(false));
    for (int i = 1; i <= 100; ++i) {
      now_ = 100 + i * 0.12;  // twelve seconds in all
      p.Set(static_cast<uint64_t>(i));
    }
  }
  std::string text = Output();
  EXPECT_EQ(Count(text, "\n"), 3u) << text;  // after 5 and 10 seconds, and the last
  EXPECT_EQ(text.find('\r'), std::string::npos) << "no terminal codes in a log file";
  EXPECT_NE(text.find("Reading  100%"), std::string::npos);
  EXPECT_NE(text.find("  12 s\n"), std::string::npos);
}

TEST_F(ProgressTest, TerminalDrawsOneLineOver) {
  {
    Progress p(Msg("读取", "Reading"), 100, ProgressUnit::kItems, Options(true));
    for (int i = 1; i <= 100; ++i) {
      now_ = 100 + i * 0.01;  // one second: no more than ten drawings and the last
      p.Add(1);
    }
  }
  std::string text = Output();
  EXPECT_EQ(Count(text, "\n"), 1u);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_GE(Count(text, "\r"), 5u);
  EXPECT_LE(Count(text, "\r"), 11u);
  EXPECT_NE(text.find("[####################] Reading  100%"), std::string::npos) << text;
}

TEST_F(ProgressTest, NarrowTerminalDropsTheBar) {
  ProgressOptions o = Options(true);
  o.columns = 30;
  { Progress p(Msg("读取", "Reading"), 100, ProgressUnit::kItems, o); }
  EXPECT_EQ(Output().find('['), Output().find("\033[K") + 1);
  EXPECT_EQ(Count(Output(), "["), 1u);
}

TEST_F(ProgressTest, SilentSaysNothingAndFinishIsOnce) {
  ProgressOptions o = Options(false);
  o.silent = true;
  {
    Progress p(Msg("读取", "Reading"), 1, ProgressUnit::kItems, o);
    now_ = 200;
    p.Set(1);
  }
  EXPECT_EQ(Output(), "");
  {
    Progress p(Msg("读取", "Reading"), 1, ProgressUnit::kItems, Options(false));
    p.Finish();
    p.Finish();
    now_ = 300;
    p.Set(1);
  }
  EXPECT_EQ(Count(Output(), "\n"), 1u);
}

TEST_F(ProgressTest, AddFromManyThreads) {
  Progress p(Msg("读取", "Reading"), 40000, ProgressUnit::kItems, Options(true));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) {
        now_ = now_ + 0.001;
        p.Add(1);
      }
    });
  }
  for (auto& t : threads) t.join();
  p.Finish();
  EXPECT_EQ(p.done(), 40000u);
  EXPECT_EQ(Count(Output(), "\n"), 1u);
}

// A process that reports does so in both languages, whatever is drawn for people.
TEST_F(ProgressTest, ReportsLinesOfJsonToTheProcessThatAsked) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ReportTo(ends[1]);
    ProgressOptions o = Options(false);
    o.silent = true;
    Progress progress(Msg("读取", "reading"), 100, ProgressUnit::kBytes, o);
    progress.Set(10);  // too soon after the first line
    now_ = now_ + 1;
    progress.Set(50);
    progress.Set(100);
    progress.Finish();
    ReportProblem(
        Error{ErrorClass::kInput, "CB-X-0001", Msg("\"坏\"", "bad\n"), {}, "a.csv", 3, 4});
    ReportResult({{"run", "r1"}});
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  auto phase = [](int done) {
    return "{\"phase\":{\"zh\":\"读取\",\"en\":\"reading\"},\"done\":" + std::to_string(done) +
           ",\"total\":100,\"unit\":\"bytes\"}\n";
  };
  EXPECT_EQ(text,
            phase(0) + phase(50) + phase(100) +
                "{\"problem\":{\"class\":3,\"code\":\"CB-X-0001\",\"message\":{\"zh\":"
                "\"\\\"坏\\\"\",\"en\":\"bad\\n\"},\"remedy\":{\"zh\":\"\",\"en\":\"\"},"
                "\"file\":\"a.csv\",\"line\":3,\"column\":4}}\n{\"result\":{\"run\":\"r1\"}}\n");
}

}  // namespace
}  // namespace canbao
