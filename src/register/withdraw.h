// Takes a loaded run back, as if it had never been loaded, in one transaction: what it said first
// is removed, what it ended goes on, its cut-off with classification, figures and counts is gone.
// What is known at every other cut-off stays as it was. The run's row stays, superseded by itself;
// person keys that it gave are not given again.
//
// Blocks; takes the lock of loads. A run that replaced another one of its cut-off is not taken back
// (0512): comparing that other one again does it, in the loader's one transaction. Errors:
// CB-REGISTER-0510 … 0512.
#pragma once

#include <string>

#include "base/error.h"
#include "register/database.h"

namespace canbao::reg {

struct WithdrawReport {
  int64_t removed = 0;   // facts that began with the run
  int64_t reopened = 0;  // facts that it had ended
};

Result<WithdrawReport> WithdrawRun(Database& db, const std::string& run);

// The run that `run` replaced at its cut-off, the last one; empty when it replaced none. Fails with
// 0510 when no such run is current.
Result<std::string> ReplacedBy(Database& db, const std::string& run);

}  // namespace canbao::reg
