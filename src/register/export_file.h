// Files of exports stay until a day that was set when they were made; then they go, their line in
// the list of exports does not (db/migrations, 0010_whose_it_is.sql). The runner of jobs does it,
// as owner.
//
// Functions over a Connection, whose transaction they join; they belong to its thread. Errors: what
// connection says.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

// The file that the job has made stays for so many days.
Status KeepExportFile(Connection& c, int64_t job, int days);
// Jobs whose files' day has come.
Result<std::vector<int64_t>> ExpiredExportFiles(Connection& c);
Status SetExportFileRemoved(Connection& c, int64_t job);
// Whether there is no file of that job any more, or its day has come; in the caller's scope.
Result<bool> ExportFileIsGone(Connection& c, int64_t job);

}  // namespace canbao::reg
