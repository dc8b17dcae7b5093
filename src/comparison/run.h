// One run of the comparison, from deliveries to outcome files: read → link → outcome, with a
// checkpoint after reading, so that an interrupted run goes on without reading 40 GB again.
//
//   DATA/work/<fingerprint>/   keyed.spill, unkeyed.spill, rejects.spill, read.json   while it runs
//   DATA/divisions/changes.csv changes of divisions that were recorded here (identity/division.h)
//   DATA/runs/<run>/           *.rows, manifest.json (written last)                   when it is
//   done DATA/keys/<fingerprint>.key  key of the run's files, 0600
//
// The run's name is made from what went in (extracts by digest, rules, cut-off): the same input is
// the same run, whatever the threads, the memory or the order of the manifest.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/row_file.h"
#include "comparison/case_verdict.h"
#include "comparison/outcome_stage.h"
#include "comparison/partition_stage.h"
#include "extract/delivery.h"

namespace canbao::comparison {

enum class Phase { kRead, kLink, kOutcome };

struct CompareOptions {
  std::vector<extract::Delivery> deliveries;
  std::string data_dir;   // rules, mappings, divisions
  std::string state_dir;  // DATA
  int threads = 2;
  uint64_t memory = 2ull << 30;
  uint32_t partitions = 0;   // 0 = by the size of the input; a power of two, at least 16
  bool outcomes = true;      // write outcome files (the register will be loaded)
  std::string links_path;    // CSV of the links; empty = none
  CaseVerdicts cases;        // decided before the cut-off; with `outcomes` only
  std::string previous_run;  // folder of the last loaded run: its person keys are kept
  // Asked once the run's name is known: true ends the run there (it has been loaded before).
  std::function<bool(const std::string& run)> is_known;
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(Phase phase, uint64_t done, uint64_t total)> progress;
};

struct ExtractResult {
  extract::ExtractSpec spec;
  extract::ExtractAccount account;
  uint16_t ordinal = 0;  // canonical
  std::array<uint64_t, kOutcomes> outcomes{};
  uint64_t linked = 0;
  uint64_t unlinked = 0;
  uint64_t reference = 0;
};

struct CompareResult {
  std::string run;
  std::string folder;  // DATA/runs/<run>
  RunKey key{};
  bool unchanged = false;  // is_known said so; nothing below is filled but `extracts`
  uint32_t province = 0;
  Date cutoff;
  std::string rules;
  std::vector<ExtractResult> extracts;  // in the order of the manifests
  FigureMap figures;
  std::vector<Population> population;
  std::map<std::string, TableDigest> tables;
  std::array<uint64_t, 32> discrepancies{};
  uint64_t persons = 0;
  uint64_t highest_key = 0;
  LinkCounts repair;
  bool settlements = false;  // a medical_settlement extract was read
  std::string result_digest;
  uint64_t spilled_bytes = 0;
  double seconds[3] = {};  // by Phase
};

Result<CompareResult> RunComparison(const CompareOptions& options);

// A finished run again, from its manifest.
Result<CompareResult> ReadRun(const std::string& state_dir, const std::string& run);

// The extracts that a run of these deliveries reads: all of those with the latest cut-off, and of
// older ones those whose source and kind no later delivery lists in full.
Result<extract::Delivery> Combine(const std::vector<extract::Delivery>& deliveries);

}  // namespace canbao::comparison
