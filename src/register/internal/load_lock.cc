#include "register/internal/load_lock.h"

#include <chrono>
#include <thread>

#include "base/interrupt.h"

namespace canbao::reg {

Result<bool> TakeLoadLock(Connection& c, const std::atomic<bool>* cancel) {
  for (int i = 0;; ++i) {
    CANBAO_ASSIGN(Rows got, c.Exec("SELECT pg_try_advisory_lock(1128420942, 1)"));
    if (got.Bool(0, 0)) return true;
    if (i >= 100) return false;
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed))
      return Fail(InterruptedError());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace canbao::reg
