// Second stage: exact, repair, and the score. Every partition is resolved once to learn who exists;
// probes find the persons one repair away; the personal numbers of a system (AAC001, unique inside
// it) find the persons whose other rows there carry a usable number. Who is left, rows without a
// usable number and people under a number that nothing verifies, is few: they are held in memory,
// all persons are streamed past them once, and what shares a blocking key is scored. Rows without a
// number get their final key (that of the person they belong to, or a provisional one) and join the
// partitions, as do the rows of a number that was found to be somebody else's; every person's first
// row is marked, which gives person keys in internal order whatever the threads do.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comparison/link/decide.h"
#include "comparison/spill.h"
#include "comparison/table_digest.h"
#include "extract/delivery.h"

namespace canbao::comparison {

// Person keys in the order in which rows are first seen: one bit per row, then ranks.
class PersonNumbering {
 public:
  // `max_line` by canonical extract. Keys begin after `highest`, the last key ever given.
  PersonNumbering(const std::vector<uint32_t>& max_line, uint64_t highest);
  void Mark(uint16_t extract, uint32_t line) {
    bits_[extract][line >> 6].fetch_or(1ull << (line & 63), std::memory_order_relaxed);
  }
  void Close();  // after all marks: counts ranks
  uint64_t KeyOf(uint16_t extract, uint32_t line) const;
  uint64_t highest() const { return highest_; }

 private:
  std::vector<std::vector<std::atomic<uint64_t>>> bits_;
  std::vector<std::vector<uint64_t>>
      rank_;  // persons before each run of 8 words, over all extracts
  uint64_t highest_;
};

struct LinkInputs {
  const Spill* keyed;
  const Spill* unkeyed;
  Spill* joined;  // out: unkeyed rows under their final key
  const std::vector<uint16_t>* canonical;
  const std::vector<extract::ExtractSpec>* extracts;  // by canonical extract
  RunKey key;
  int threads;
  const std::atomic<bool>* cancel;
  // Whether person keys are wanted. Without them only groups that a row without a usable number may
  // belong to are looked at.
  bool number_persons = true;
  const LinkModel* model = nullptr;  // none: nothing is scored
  const Labels* labels = nullptr;    // what people decided
  std::string scores_path = {};      // the table `score`; empty = not written
};

struct LinkCounts {
  uint64_t probes = 0;
  uint64_t repaired = 0;
  uint64_t by_person_no = 0;
  uint64_t ambiguous = 0;  // damaged rows that two or more persons would fit
  uint64_t seekers = 0;    // rows or groups of rows that were scored with somebody
  uint64_t pairs = 0;      // scored
  uint64_t by_score = 0;   // seekers that found their person
  uint64_t review = 0;     // seekers that somebody has to look at
  // Numbers that were found to be somebody else's: their rows are in `joined`, under that person.
  KeySet moved;
  LinkStatistics statistics;
  TableDigest scores;  // of the table, where it was written
};

Result<LinkCounts> RunLinkStage(const LinkInputs& in, PersonNumbering* numbering);

}  // namespace canbao::comparison
