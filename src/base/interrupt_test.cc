// In child processes: the flag cannot be taken back.
#include "base/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace canbao {
namespace {

TEST(InterruptDeathTest, FirstSignalSetsTheFlag) {
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        if (Interrupted()) ::_exit(1);
        ::raise(SIGTERM);
        ::_exit(Interrupted() && InterruptFlag() ? 42 : 2);
      },
      testing::ExitedWithCode(42), "");
}

TEST(InterruptDeathTest, SecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        ::raise(SIGINT);
        ::raise(SIGINT);
        ::_exit(1);
      },
      testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(InterruptDeathTest, ClosedPipeIsAnErrorOfTheWrite) {
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        int ends[2];
        if (::pipe(ends) != 0) ::_exit(1);
        ::close(ends[0]);
        ::_exit(::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 42 : 2);
      },
      testing::ExitedWithCode(42), "");
}

TEST(InterruptTest, ErrorIsResumable) {
  EXPECT_EQ(InterruptedError().cls, ErrorClass::kInterrupted);
  EXPECT_EQ(InterruptedError().code, "CB-BASE-0010");
  EXPECT_FALSE(Interrupted());
}

}  // namespace
}  // namespace canbao
