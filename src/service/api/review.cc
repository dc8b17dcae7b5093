// The review queue: rows that somebody has to say who they are, as `canbao review` lists them, and
// decisions back. Shown and decided within the caller's scope: rows of a source of his region, or
// candidates whom he may see.
#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include "base/speak_lang.h"
#include "comparison/link/label.h"
#include "comparison/link/link_text.h"
#include "comparison/link/review.h"
#include "comparison/run.h"
#include "identity/citizen_number.h"
#include "identity/name.h"
#include "service/api/case_json.h"
#include "service/context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using comparison::Candidate;
using comparison::ReviewItem;

// The queue of the register's newest run; read once a run.
struct Queue {
  comparison::CompareResult run;
  std::vector<ReviewItem> items;
};
using QueuePtr = std::shared_ptr<const Queue>;

// Null: no run yet, or its folder is gone.
Result<QueuePtr> NewestQueue(const Services& services, reg::Connection& db) {
  CANBAO_ASSIGN(reg::Rows newest, db.Exec("SELECT name FROM canbao.run WHERE superseded_by IS NULL "
                                          "ORDER BY cutoff DESC LIMIT 1"));
  if (newest.size() == 0) return QueuePtr();
  const std::string name(newest.Text(0, 0));
  static std::mutex mutex;
  static std::map<std::string, QueuePtr> kept;  // of one run for each data folder
  std::lock_guard lock(mutex);
  QueuePtr& queue = kept[services.data_dir];
  if (queue && queue->run.run == name) return queue;
  auto fresh = std::make_shared<Queue>();
  CANBAO_ASSIGN(fresh->run, comparison::ReadRun(services.data_dir, name));
  CANBAO_ASSIGN(fresh->items, comparison::ReadQueue(fresh->run.folder, fresh->run.key));
  queue = std::move(fresh);
  return queue;
}

// Items that the caller may see and decide.
class Scope {
 public:
  static Result<Scope> Of(Context& c, reg::Connection& db, const Queue& queue) {
    Scope scope;
    const int64_t division = c.caller().division;
    scope.all_ = division % 10000000000 == 0;
    if (scope.all_) return scope;
    scope.division_ = division;
    for (const comparison::ExtractResult& e : queue.run.extracts) {
      if (e.spec.region != 0) scope.regions_[e.ordinal] = e.spec.region;
    }
    std::set<uint64_t> persons;
    for (const ReviewItem& item : queue.items) {
      for (const Candidate& candidate : item.candidates) persons.insert(candidate.person);
    }
    // By the database's own policies, some hundred numbers at a time.
    constexpr size_t kAtOnce = 500;
    std::vector<reg::Param> params;
    std::string places;
    std::map<std::string, uint64_t> sealed;
    auto ask = [&]() -> Status {
      if (params.empty()) return {};
      CANBAO_ASSIGN(reg::Rows rows,
                    db.Exec("SELECT DISTINCT number FROM canbao.person_row WHERE valid_to = "
                            "'infinity' AND number IN (" +
                                places + ")",
                            params));
      for (int i = 0; i < rows.size(); ++i) scope.persons_.insert(sealed[rows.Bytes(i, 0)]);
      params.clear();
      places.clear();
      sealed.clear();
      return {};
    };
    for (uint64_t person : persons) {
      std::string block = c.services().db->cipher().SealNumber(person);
      params.push_back(reg::Param::Bytes(block));
      places += fmt::format("{}${}", places.empty() ? "" : ", ", params.size());
      sealed[std::move(block)] = person;
      if (params.size() == kAtOnce) CANBAO_TRY(ask());
    }
    CANBAO_TRY(ask());
    return scope;
  }

  bool Sees(const ReviewItem& item) const {
    if (all_) return true;
    auto region = regions_.find(static_cast<uint16_t>(item.candidates.front().seeker_ref >> 48));
    if (region != regions_.end() && Within(region->second)) return true;
    return std::any_of(item.candidates.begin(), item.candidates.end(),
                       [this](const Candidate& c) { return persons_.contains(c.person); });
  }

 private:
  // A region of a city or county in the caller's division.
  bool Within(uint32_t region) const {
    for (int64_t width : {100000000L, 1000000L}) {
      if (division_ % width == 0) return int64_t{region} * 1000000 / width == division_ / width;
    }
    return false;
  }
  bool all_ = false;
  int64_t division_ = 0;
  std::map<uint16_t, uint32_t> regions_;  // by ordinal of the extract
  std::set<uint64_t> persons_;
};

struct ReviewColumn {
  const char* key;
  const char* zh;
  const char* en;
  const char* kind;
};
constexpr ReviewColumn kReviewColumns[] = {
    {"row", "待定行", "Row", "place"},
    {"rows", "行数", "Rows", "number"},
    {"effect", "影响", "Effect", "text"},
    {"name", "姓名", "Name", "masked"},
    {"birth_date", "出生日期", "Born", "day"},
    {"sex", "性别", "Sex", "text"},
    {"candidate", "复核编号", "Item", "text"},
    {"rank", "候选", "Candidate", "number"},
    {"person_number", "候选人证件号码", "Candidate’s number", "masked"},
    {"person_name", "候选人姓名", "Candidate’s name", "masked"},
    {"person_birth_date", "候选人出生日期", "Candidate born", "day"},
    {"person_sex", "候选人性别", "Candidate’s sex", "text"},
    {"person_row", "候选人见", "Candidate seen in", "place"},
    {"odds_bits", "得分", "Score", "text"},
    {"probability", "概率", "Probability", "text"},
    {"agreement", "比较结果", "Agreement", "text"},
    {"decision", "已作决定", "Decided", "text"}};

json::object CandidateJson(const Queue& queue, const ReviewItem& item, const Candidate& c,
                           const comparison::Labels& labels) {
  const Text effect = item.decides_person()
                          ? Text{"是否多出一个人", "whether there is one person more"}
                          : Text{"这些行归谁", "whose the rows are"};
  Text decided;
  switch (labels.Of(c.seeker, c.person)) {
    case comparison::Judgement::kSame:
      decided = {"同一人", "same"};
      break;
    case comparison::Judgement::kDifferent:
      decided = {"不同人", "different"};
      break;
    case comparison::Judgement::kWithdrawn:
      break;
  }
  return {
      {"row", comparison::RowPlaceText(queue.run, c.seeker_ref)},
      {"rows", c.rows},
      {"effect", effect.Get()},
      {"name", identity::MaskName(c.seeker_text)},
      {"birth_date", c.seeker_birth.ToIso()},
      {"sex", comparison::SexText(c.seeker_sex)},
      {"candidate", c.item()},
      {"rank", c.rank},
      {"person_number", identity::MaskNumber(identity::ToText(identity::PersonNumber{c.person}))},
      {"person_name", identity::MaskName(c.person_text)},
      {"person_birth_date", c.person_birth.ToIso()},
      {"person_sex", comparison::SexText(c.person_sex)},
      {"person_row", comparison::RowPlaceText(queue.run, c.person_ref)},
      {"odds_bits", fmt::format("{:.2f}", c.odds / 100.0)},
      {"probability", comparison::Probability(c.odds)},
      {"agreement", comparison::LevelsText(c.levels)},
      {"decision", decided.Get()}};
}

size_t NumberOr(std::string_view text, size_t fallback) {
  size_t value = fallback;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Rows of the table are candidates; a page holds whole items, `limit` of them.
Answer ListReview(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(QueuePtr queue, NewestQueue(c.services(), *db));
  SpeakLang speak(LanguageOf(c.request()));
  json::array columns, rows;
  for (const ReviewColumn& k : kReviewColumns) {
    columns.push_back(json::object{
        {"key", k.key}, {"label", json::object{{"zh", k.zh}, {"en", k.en}}}, {"kind", k.kind}});
  }
  size_t count = 0;
  json::value next = nullptr;
  if (queue) {
    CANBAO_ASSIGN(std::vector<comparison::Decision> decisions,
                  comparison::ReadDecisions(c.services().data_dir));
    const comparison::Labels labels(decisions);
    CANBAO_ASSIGN(Scope scope, Scope::Of(c, *db, *queue));
    const size_t from = NumberOr(c.request().Query("after"), 0);
    const size_t limit = NumberOr(c.request().Query("limit"), 50);
    for (const ReviewItem& item : queue->items) {
      if (!scope.Sees(item)) continue;
      if (count >= from && count < from + limit) {
        for (const Candidate& candidate : item.candidates) {
          rows.push_back(CandidateJson(*queue, item, candidate, labels));
        }
      }
      ++count;
    }
    if (from + limit < count) next = std::to_string(from + limit);
  }
  c.Record({"review.list", std::nullopt, "",
            json::serialize(json::object{{"shown", rows.size()}, {"count", count}})});
  return Json(json::object{{"columns", std::move(columns)},
                           {"rows", std::move(rows)},
                           {"count", count},
                           {"next", std::move(next)},
                           {"previous", nullptr}});
}

Answer DecideReview(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(QueuePtr queue, NewestQueue(c.services(), *db));
  const json::array& asked = c.body().as_object().at("decisions").as_array();
  std::map<std::string, const Candidate*, std::less<>> seen;
  std::vector<comparison::Decision> before;
  if (queue) {
    CANBAO_ASSIGN(Scope scope, Scope::Of(c, *db, *queue));
    for (const ReviewItem& item : queue->items) {
      if (!scope.Sees(item)) continue;
      for (const Candidate& candidate : item.candidates) seen[candidate.item()] = &candidate;
    }
    CANBAO_ASSIGN(before, comparison::ReadDecisions(c.services().data_dir));
  }
  const comparison::Labels labels(before);
  std::vector<comparison::ReviewAnswer> answers;
  for (size_t i = 0; i < asked.size(); ++i) {
    const json::object& d = asked[i].as_object();
    const std::string candidate(d.at("candidate").as_string());
    auto it = seen.find(candidate);
    if (it == seen.end() || comparison::RowPlaceText(queue->run, it->second->seeker_ref) !=
                                std::string_view(d.at("row").as_string())) {
      return Refuse(
          422, "CB-SERVICE-0511",
          Msg("第 {0} 个决定不在待复核之列", "decision {0} is about nothing to review", i + 1),
          Text{"请重新打开复核列表；编号随数据变化。",
               "Open the list again; items change with the data."});
    }
    comparison::ReviewAnswer answer;
    answer.item = candidate;
    answer.line = static_cast<int64_t>(i + 1);
    const std::string_view decision = d.at("decision").as_string();
    if (decision == "later") {
      // Nothing to take back is nothing to write down.
      if (labels.Of(it->second->seeker, it->second->person) == comparison::Judgement::kWithdrawn) {
        continue;
      }
      answer.judgement = comparison::Judgement::kWithdrawn;
    } else {
      answer.judgement =
          decision == "same" ? comparison::Judgement::kSame : comparison::Judgement::kDifferent;
    }
    answers.push_back(std::move(answer));
  }
  if (!answers.empty()) {
    static std::mutex writing;  // the file is written anew for each batch
    std::lock_guard lock(writing);
    CANBAO_ASSIGN(auto taken, comparison::DecisionsOf(c.services().data_dir, queue->run.folder,
                                                      queue->run.key, answers, c.caller().account));
    CANBAO_TRY(comparison::AddDecisions(c.services().data_dir, taken));
  }
  json::array items;
  for (const comparison::ReviewAnswer& a : answers) {
    items.push_back(json::object{{"item", a.item}, {"judgement", static_cast<int>(a.judgement)}});
  }
  c.Record({"review.decide", std::nullopt, "",
            json::serialize(json::object{{"decisions", std::move(items)}})});
  return Json(json::object{{"taken", answers.size()}});
}

}  // namespace

void AddReviewHandlers(Handlers& to) {
  to.On("listReview", ListReview);
  to.On("decideReview", DecideReview);
}

}  // namespace canbao::service
