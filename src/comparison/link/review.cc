#include "comparison/link/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"

namespace canbao::comparison {

std::string ItemName(uint64_t seeker, uint64_t person) {
  return fmt::format("{:016x}", HashKey(seeker ^ HashKey(person)));
}

Result<std::vector<ReviewItem>> ReadQueue(const std::string& run_folder, const RunKey& key) {
  std::vector<ReviewItem> queue;
  // Where nobody looked for its person there is no table.
  if (!FileExists(ScoresPath(run_folder))) return queue;
  bool wanted = false;
  uint64_t seeker = 0;
  CANBAO_TRY(ReadScores(ScoresPath(run_folder), key, [&](const ScoreRow& row) {
    if (row.seeker != seeker) {
      seeker = row.seeker;
      // The best candidate comes first; where every one was denied there is nothing to ask.
      wanted = row.rank == 1 && row.verdict == Verdict::kReview;
      if (wanted) queue.emplace_back();
    }
    if (wanted && row.verdict != Verdict::kApart) queue.back().candidates.emplace_back(row);
    return true;
  }));
  std::sort(queue.begin(), queue.end(), [](const ReviewItem& a, const ReviewItem& b) {
    const Candidate& x = a.candidates.front();
    const Candidate& y = b.candidates.front();
    return std::tuple(!x.makes_person, ~x.rows, std::abs(x.odds), x.seeker_ref) <
           std::tuple(!y.makes_person, ~y.rows, std::abs(y.odds), y.seeker_ref);
  });
  return queue;
}

Result<std::vector<Candidate>> CandidatesOf(const std::string& run_folder, const RunKey& key,
                                            uint64_t seeker) {
  std::vector<Candidate> out;
  if (!FileExists(ScoresPath(run_folder))) return out;
  CANBAO_TRY(ReadScores(ScoresPath(run_folder), key, [&](const ScoreRow& row) {
    if (row.seeker == seeker) out.emplace_back(row);
    return row.seeker <= seeker;
  }));
  return out;
}

}  // namespace canbao::comparison
