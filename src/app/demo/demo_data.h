// `canbao demo-data`: writes a delivery of invented people in the shape that agencies deliver,
// together with the truth about it (docs: the folder's truth/ files have the format of the
// samples). The bytes depend on the options only, never on the number of threads. Memory: some
// megabytes per thread; no table of persons is kept.
//
// Flow: Geography (who lives where) → World (one person from seed and index) → damage (errors of
// the rows) → answers (what the rules say) → sheets (files). Fails with kUsage for impossible
// options and kEnvironment when files cannot be written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/demo/damage.h"
#include "base/error.h"

namespace canbao::demo {

struct DemoOptions {
  uint64_t persons = 200000;
  std::string out;  // folder; made when missing
  uint32_t province = 330000;
  uint64_t seed = 1;
  ErrorProfile errors = ErrorProfile::kRealistic;
  bool slim = false;    // --columns slim: the columns that the figures need, plain CSV
  bool digests = true;  // SHA-256 of the files in the manifest, where it is optional
  bool extras = false;  // employment_filing, staffing, medical_settlement
  int threads = 2;
  std::string data_dir;  // holds divisions/; empty: the built-in divisions
  // persons.csv and rows.csv.gz of the truth are left out above this many persons.
  uint64_t truth_rows_limit = 5000000;
  std::function<void(uint64_t done, uint64_t total)> progress;  // persons; called now and then
};

// "clean", "realistic", "hard".
bool ParseErrorProfile(std::string_view name, ErrorProfile* profile);

Status GenerateDelivery(const DemoOptions& options);

}  // namespace canbao::demo
