// Last stage: every partition once more, now complete: rows → outcome, person key, classification.
// Counts the figures of the forms and the account of each extract; writes the outcome files, one
// set of row files per shard (docs/formats/outcome-files.md), and the links.
//
// A shard is the top four bits of HashKey; one worker writes a shard from its first partition to
// its last, so the bytes do not depend on threads, memory or the number of partitions.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "comparison/case_verdict.h"
#include "comparison/employer_table.h"
#include "comparison/link/stage.h"
#include "comparison/resolve.h"
#include "comparison/spill.h"
#include "comparison/table_digest.h"
#include "scheme/person.h"

namespace canbao::comparison {

inline constexpr uint32_t kShards = 16;

// Cells of the forms: (county, city, persons of H?) → (form, column) → persons.
struct FigureKey {
  uint32_t county;
  uint32_t city;
  uint8_t hukou;
  uint8_t form;
  uint8_t column;
  friend auto operator<=>(const FigureKey&, const FigureKey&) = default;
};
using FigureMap = std::map<FigureKey, uint64_t>;

struct OutcomeCounts {
  FigureMap figures;
  std::vector<std::array<uint64_t, kOutcomes>> outcomes;  // by canonical extract
  uint64_t persons = 0;
  uint64_t new_persons = 0;                   // of these, without a key of an earlier run
  std::array<uint64_t, 32> discrepancies{};   // by kind, persons' and rows' together
  std::map<std::string, TableDigest> tables;  // empty without outcome files
};

struct OutcomeInputs {
  const Spill* keyed;
  const Spill* joined;
  Spill* links = nullptr;                            // none: no links wanted
  const std::vector<uint32_t>* link_base = nullptr;  // first link partition by canonical extract
  const std::vector<uint16_t>* canonical;
  const std::vector<extract::ExtractSpec>* extracts;  // by canonical extract
  const PersonNumbering* numbering;                   // none: person keys are not wanted
  const KeySet* moved = nullptr;        // groups whose rows are with another person (LinkCounts)
  const CaseVerdicts* cases = nullptr;  // none: nobody decided anything
  const scheme::Rules* rules;
  Date cutoff;
  std::string folder;  // of the outcome files; empty = figures and counts only
  RunKey key;
  int threads;
  const std::atomic<bool>* cancel;
  std::function<void(uint64_t done, uint64_t total)> progress;  // partitions
};

Result<OutcomeCounts> RunOutcomeStage(const OutcomeInputs& in);

}  // namespace canbao::comparison
