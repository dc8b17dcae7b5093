// A finished comparison run into the register.
//
// First run: readers decode the outcome files' shards, seal identity fields and send binary COPY
// rows to one leaf per bucket, each leaf in a session of its own that created it in the same
// transaction (FREEZE; under wal_level = minimal no WAL); keys and indexes afterwards; the leaves
// commit outside the register and one last transaction attaches them and writes the run's row.
// Later runs (another cut-off, or other content for a known one): the leaves are staged in the same
// way, compared with what the register knows at the cut-off, and only differences are applied:
// equal rows stay untouched, vanished or changed ones end at the cut-off, new ones begin there.
// Knowledge of later cut-offs stays as it is. Classification and figures of the cut-off are
// replaced whole.
//
// The run's row is the commit point: before it the register is as it was, after it the run is
// loaded; what an interrupted load left outside is cleared by the next. Loading the same content
// for the same cut-off again does nothing. One load at a time (advisory lock). LoadRun blocks; it
// uses its own threads. Errors: CB-REGISTER-05xx and what connection and base say.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "base/row_file.h"
#include "register/database.h"

namespace canbao::reg {

enum class LoadPhase { kRows, kKeys, kCompare, kApply };

struct LoadOptions {
  int threads = 2;
  const std::atomic<bool>* cancel = nullptr;
  // done and total: rows in kRows, tables' leaves in the others. Called from one thread at a time.
  std::function<void(LoadPhase phase, uint64_t done, uint64_t total)> progress;
};

struct TableLoad {
  int64_t rows = 0;      // read from the outcome files
  int64_t inserted = 0;  // begin at this cut-off
  int64_t closed = 0;    // ended at this cut-off
};

struct LoadReport {
  bool unchanged = false;  // the register already says this
  bool first = false;      // leaves were attached whole
  bool replaced = false;   // another run of the same cut-off was replaced
  int32_t run_id = 0;
  std::map<std::string, TableLoad> tables;  // by the register's names
  int64_t rows = 0;                         // over all tables
  double seconds_rows = 0;                  // reading, sealing, COPY
  double seconds_keys = 0;                  // keys and indexes
  double seconds_sync = 0;                  // commits of the leaves: they are synced to disk here
  double seconds_compare = 0;
  double seconds_apply = 0;  // the last transaction, and statistics for the planner
  double rows_per_second() const { return seconds_rows > 0 ? rows / seconds_rows : 0; }
};

Result<LoadReport> LoadRun(Database& db, const std::string& run_dir, const RunKey& key,
                           const LoadOptions& options = {});

// Whether the register holds this run's content (LoadRun would do nothing).
Result<bool> IsLoaded(Database& db, const std::string& run_dir);

}  // namespace canbao::reg
