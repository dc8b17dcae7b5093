// A finished comparison run as the register sees it: manifest.json of
// docs/formats/outcome-files.md. Immutable after reading. Errors: CB-REGISTER-05xx.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/row_file.h"

namespace canbao::reg {

inline constexpr int kShards = 16;

struct RunExtract {
  uint32_t ordinal = 0;
  std::string file;
  std::string kind;
  std::string source;
  std::string stage;
  uint32_t region = 0;
  std::string sha256;
  int64_t rows_in = 0, linked = 0, unlinked = 0, rejected = 0, reference = 0;
  std::string outcomes;  // JSON
};

struct RunTable {
  int64_t rows = 0;
  std::string sha256;
};

struct RunManifest {
  std::string run;
  uint32_t province = 0;
  Date cutoff;
  std::string made_at;
  std::string rules;
  std::string previous_run;
  std::string result_digest;
  std::vector<RunExtract> extracts;  // by ordinal
  std::map<std::string, RunTable> tables;
  int64_t persons = 0;
  uint64_t highest_key = 0;
  std::string text;  // the whole file

  // Equal for runs that say the same: province, cut-off, accounts and tables.
  std::string ContentDigest() const;
};

// Refuses a run without manifest (0501: not finished), an unreadable one (0502), and accounts that
// do not balance (0503).
Result<RunManifest> ReadManifest(const std::string& run_dir);

// Files of a table: its shards, or the one file of `figure`.
std::vector<std::string> ShardFiles(const std::string& run_dir, const std::string& table);

}  // namespace canbao::reg
