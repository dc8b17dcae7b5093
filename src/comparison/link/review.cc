#include "comparison/link/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>
#include <tuple>

#include "base/file.h"

namespace canbao::comparison {
namespace {

std::string NowIso() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

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

std::optional<Judgement> JudgementOf(std::string_view text) {
  if (text == "same" || text == "同一人" || text == "是") return Judgement::kSame;
  if (text == "different" || text == "不同人" || text == "否") return Judgement::kDifferent;
  if (text == "withdraw" || text == "撤销") return Judgement::kWithdrawn;
  return std::nullopt;
}

Result<std::vector<Decision>> DecisionsOf(const std::string& state_dir,
                                          const std::string& run_folder, const RunKey& key,
                                          const std::vector<ReviewAnswer>& answers,
                                          const std::string& by) {
  // Pairs that the run knows, and those decided before.
  struct Known {
    uint64_t seeker;
    uint64_t person;
  };
  std::map<std::string, Known, std::less<>> known;
  if (FileExists(ScoresPath(run_folder))) {
    CANBAO_TRY(ReadScores(ScoresPath(run_folder), key, [&known](const ScoreRow& row) {
      known[ItemName(row.seeker, row.person)] = {row.seeker, row.person};
      return true;
    }));
  }
  CANBAO_ASSIGN(std::vector<Decision> before, ReadDecisions(state_dir));
  for (const Decision& d : before) known[ItemName(d.seeker, d.person)] = {d.seeker, d.person};
  auto refused = [](const char* code, int64_t line, Text message, Text remedy) {
    return Fail(
        Error{ErrorClass::kInput, code, std::move(message), std::move(remedy), {}, line, 0});
  };
  std::vector<Decision> taken;
  std::map<uint64_t, int64_t> same;  // seeker to the line that says who it is
  const std::string at = NowIso();
  for (const ReviewAnswer& a : answers) {
    auto it = known.find(a.item);
    if (it == known.end()) {
      return refused("CB-COMPARE-0031", a.line,
                     Msg("没有这个复核编号：{0}", "no such item: {0}", a.item),
                     Text{"请重新导出；编号随数据变化。",
                          "export the list again; items change with the data."});
    }
    if (a.judgement == Judgement::kSame) {
      auto [first, added] = same.try_emplace(it->second.seeker, a.line);
      if (!added) {
        return refused("CB-COMPARE-0032", a.line,
                       Msg("第 {0} 行已经说它是另一个人", "line {0} says that it is another person",
                           first->second),
                       Text{"一组行只能是一个人。", "the rows can be one person only."});
      }
    }
    taken.push_back({it->second.seeker, it->second.person, a.judgement, at, by, a.note});
  }
  return taken;
}

}  // namespace canbao::comparison
