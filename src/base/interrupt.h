// Ctrl-C and SIGTERM as a flag: long jobs look at it between pieces of work and stop with a state
// that can be resumed. The second signal ends the process at once (which every job survives as
// well, see the checkpoints of comparison/). main() installs the handlers before any thread starts.
#pragma once

#include <atomic>

#include "base/error.h"

namespace canbao {

void InstallInterruptHandlers();
// The flag, in the form in which readers, pools and loops take it.
const std::atomic<bool>& InterruptFlag();
inline bool Interrupted() { return InterruptFlag().load(std::memory_order_relaxed); }

// What a job returns when it stopped because of the flag.
Error InterruptedError();

}  // namespace canbao
