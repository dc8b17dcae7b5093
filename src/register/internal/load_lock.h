// The lock of whoever changes or copies the whole register: a load, a backup or a withdrawal at a
// time. The session has it until it ends.
#pragma once

#include <atomic>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

// Whether it was had. Waits up to 10 s, for a session that has just ended gives it back a moment
// later. `cancel` may be null; InterruptedError() when it becomes true.
Result<bool> TakeLoadLock(Connection& c, const std::atomic<bool>* cancel = nullptr);

}  // namespace canbao::reg
