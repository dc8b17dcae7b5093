// Backup and restore of the register. The private instance runs with wal_level = minimal, so that a
// load costs no WAL; pg_basebackup and WAL archives therefore do not apply. A backup is a
// consistent dump (pg_dump, directory format, two jobs) of a running instance, beside it the keys
// and a backup.json with rows and digest of each table, taken in the same quiet moment: the
// loader's lock is held, so that nothing changes meanwhile; readers go on.
//
// A backup folder opens the sealed fields, because it has the keys: keep it as the data folder is
// kept, or move its keys/ to another medium. Blocks; errors: CB-REGISTER-07xx.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "register/database.h"

namespace canbao::reg {

struct TableDigest {
  int64_t rows = 0;
  std::string digest;  // sum of the rows' hashes: the order of rows does not matter
  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

// Of every table of the register, by name.
Result<std::map<std::string, TableDigest>> TableDigests(Connection& c);

struct BackupOptions {
  std::string bin_dir = "/usr/lib/postgresql/15/bin";
  int jobs = 2;
};

// `dir` must not exist or be empty. It is complete when it has backup.json, which is written last.
Status Backup(Database& db, const std::string& dir, const BackupOptions& options = {});

// Makes a new private instance in `data_dir`, which must not have one, from a backup; the keys are
// put back, too. Verified against backup.json before it counts as done (0705).
Status Restore(const std::string& dir, const std::string& data_dir,
               const InstanceOptions& instance = {}, const BackupOptions& options = {});

}  // namespace canbao::reg
