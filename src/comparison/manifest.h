// JSON of a run: the manifest of a finished one and the checkpoint between reading and linking. The
// same run gives the same bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "comparison/run.h"

namespace canbao::comparison {

std::string ManifestOf(const CompareResult& result, const std::string& fingerprint);
Result<CompareResult> ParseManifest(std::string_view text, const std::string& path);

struct PreviousRun {
  std::string fingerprint;  // names its key file
  uint64_t highest_key = 0;
};
Result<PreviousRun> ParsePrevious(std::string_view manifest);

std::string CheckpointOf(const std::vector<extract::ExtractAccount>& accounts,
                         const std::vector<uint32_t>& max_lines,
                         const std::vector<Population>& population, uint64_t highest);
bool ParseCheckpoint(std::string_view text, std::vector<extract::ExtractAccount>* accounts,
                     std::vector<uint32_t>* max_lines, std::vector<Population>* population,
                     uint64_t* highest);

}  // namespace canbao::comparison
