#include "base/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace canbao {
namespace {

std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only use such a flag");

void OnSignal(int signal) {
  if (g_interrupted.exchange(true)) ::_exit(128 + signal);
}

}  // namespace

void InstallInterruptHandlers() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigemptyset(&action.sa_mask);
  // System calls go on: the job decides where it stops.
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // A pipe that is closed (`canbao list … | head`) is an error of the write, not the end of the
  // process.
  ::signal(SIGPIPE, SIG_IGN);
}

const std::atomic<bool>& InterruptFlag() { return g_interrupted; }

Error InterruptedError() {
  Error e;
  e.cls = ErrorClass::kInterrupted;
  e.code = "CB-BASE-0010";
  e.message = Msg("已按要求停止。", "stopped as asked.");
  e.remedy = Msg("再次执行同一命令即可从中断处继续。",
                 "Give the same command again to go on where it stopped.");
  return e;
}

}  // namespace canbao
