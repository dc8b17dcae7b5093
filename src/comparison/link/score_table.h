// The table `score` of a run: for every group of rows that looked for its person the best few
// candidates, at which level each field agreed, what that says, and what became of it. Written by
// the link stage, read to explain links and to fill the review queue. Columns:
// docs/formats/outcome-files.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/row_file.h"
#include "comparison/link/decide.h"
#include "comparison/table_digest.h"
#include "extract/delivery.h"

namespace canbao::comparison {

struct ScoreRow {
  uint64_t seeker = 0;      // key
  uint64_t seeker_ref = 0;  // of its first row
  uint32_t rows = 0;        // under the key
  bool by_number = false;   // a usable number that nothing verifies; else rows without one
  bool makes_person = false;
  std::string_view seeker_name;  // folded; empty when it is too long for a code
  Date seeker_birth;
  identity::Sex seeker_sex = identity::Sex::kUnknown;
  uint8_t rank = 0;  // 1 = best; 0 = somebody decided that it is not
  Verdict verdict = Verdict::kUnlikely;
  Bits odds = 0;  // with the prior
  uint16_t rules = 0;
  uint64_t person = 0;  // key
  uint64_t person_ref = 0;
  std::string_view person_name;
  Date person_birth;
  identity::Sex person_sex = identity::Sex::kUnknown;
  uint32_t place = 0;  // that both have
  Levels levels;
  std::array<Bits, kFields> weights{};
  bool may_be_twins = false;
};

Result<TableDigest> WriteScores(const std::string& path, const RunKey& key, const Seekers& seekers,
                                const std::vector<Pair>& pairs, const std::vector<Judged>& judged,
                                const Weights& weights,
                                const std::vector<extract::ExtractSpec>& extracts);

// Calls `use` with every row in the order of the table, until it says false. Views live for the
// call.
Status ReadScores(const std::string& path, const RunKey& key,
                  const std::function<bool(const ScoreRow&)>& use);
inline std::string ScoresPath(const std::string& run_folder) {
  return run_folder + "/score.00.rows";
}

}  // namespace canbao::comparison
