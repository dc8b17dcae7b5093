// The review queue of a run: groups of rows that somebody has to look at, with the persons they may
// be, what a decision changes first. From the table `score`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comparison/link/label.h"
#include "comparison/link/score_table.h"

namespace canbao::comparison {

// Names a pair without telling a number.
std::string ItemName(uint64_t seeker, uint64_t person);

// Owns its texts.
struct Candidate : ScoreRow {
  explicit Candidate(const ScoreRow& row)
      : ScoreRow(row), seeker_text(row.seeker_name), person_text(row.person_name) {}
  std::string seeker_text;  // instead of seeker_name
  std::string person_text;  // instead of person_name
  std::string item() const { return ItemName(seeker, person); }
};

// `all` of one seeker, best first.
struct ReviewItem {
  std::vector<Candidate> candidates;
  // Whether a decision decides about a person: rows that would make one of their own.
  bool decides_person() const { return candidates.front().makes_person; }
};

// Persons first, then by rows, then by how open the question is.
Result<std::vector<ReviewItem>> ReadQueue(const std::string& run_folder, const RunKey& key);
// The candidates of one key, best first; empty when it shared no blocking key with anybody whose
// name is alike, or was never looked for.
Result<std::vector<Candidate>> CandidatesOf(const std::string& run_folder, const RunKey& key,
                                            uint64_t seeker);

// A decision as somebody wrote it down.
struct ReviewAnswer {
  std::string item;
  Judgement judgement = Judgement::kSame;
  std::string note;
  int64_t line = 0;  // where it stands
};
// "same", "同一人", "是" …; nothing for other words.
std::optional<Judgement> JudgementOf(std::string_view text);
// The answers as decisions of `by`, taken now: all of them or, when an item is not known or rows
// are said to be two people, none (CB-COMPARE-0031, CB-COMPARE-0032, with the line).
Result<std::vector<Decision>> DecisionsOf(const std::string& state_dir,
                                          const std::string& run_folder, const RunKey& key,
                                          const std::vector<ReviewAnswer>& answers,
                                          const std::string& by);

}  // namespace canbao::comparison
