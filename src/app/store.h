// The data folder (--data DIR): which runs it holds, which delivered files are kept for the next
// run.
//
//   DATA/runs/<run>/          manifest.json and what the run left
//   DATA/latest               name of the last finished run that was not loaded into a register
//   DATA/deliveries/<digest>/ delivered files of the loaded run, linked or copied: a later delivery
//                             that lists only some sources is compared together with the others
//   DATA/divisions/changes.csv changes of divisions as the register has them
//   DATA/decisions.rows       what people decided about the review queue (comparison/link/label.h)
//   DATA/keys, DATA/work, DATA/postgres: see comparison/run.h and register/
#pragma once

#include <string>
#include <vector>

#include "comparison/run.h"
#include "register/database.h"

namespace canbao::app {

// CB-APP-0005 unless `dir` is a data folder: reading commands make none.
Status CheckDataFolder(const std::string& dir);

// The run that the register holds as its latest; empty when it holds none.
Result<std::string> LatestLoadedRun(reg::Database& db);
// The last finished run of the folder without a register; empty when there is none.
std::string LatestRun(const std::string& dir);
// The run that commands are about by default: the register's latest, else the folder's. CB-APP-0009
// when none is finished.
Result<std::string> CurrentRunName(const std::string& data, const std::string& url);
Result<comparison::CompareResult> CurrentRun(const std::string& data, const std::string& url);
Status SetLatestRun(const std::string& dir, const std::string& run);

// Keeps the files of a run for later comparisons and drops those that no loaded run needs.
Status KeepDelivered(const std::string& dir, const comparison::CompareResult& run);
// The extracts of a loaded run as a delivery of its cut-off, from the kept files.
Result<extract::Delivery> KeptDelivery(const std::string& dir,
                                       const comparison::CompareResult& run);

// What the register knows of changed divisions, to DATA/divisions/changes.csv, where the comparison
// reads it; no file without changes.
Status KeepDivisionChanges(const std::string& dir, reg::Database& db);

// Frees what the register has taken over: the tables of a loaded run, but for its master and its
// scores.
Status DropLoadedTables(const comparison::CompareResult& run);

}  // namespace canbao::app
