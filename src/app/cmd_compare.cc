// canbao compare: deliveries → comparison → register, lists and figures. The main job.
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>

#include "app/account.h"
#include "app/context.h"
#include "app/database_words.h"
#include "app/list_bounds.h"
#include "app/store.h"
#include "app/table_output.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/report.h"
#include "casework/decided.h"
#include "comparison/run.h"
#include "register/load.h"
#include "register/withdraw.h"

namespace canbao::app {
namespace {

struct Options {
  std::vector<std::string> deliveries;
  std::string data;
  int threads = 2;
  std::string memory = "2G";
  std::string links;
  bool no_register = false;
  std::string database = FromEnvironment(kDatabaseVariable);
  std::vector<std::string> accepted_lists;
  std::string again;  // a loaded run whose kept files are compared, instead of deliveries
};

// One line of progress a phase, the next one beginning when the phase changes.
class Phases {
 public:
  void Report(int phase, const Text& label, ProgressUnit unit, uint64_t done, uint64_t total) {
    std::lock_guard lock(mutex_);
    if (phase != phase_) {
      if (progress_) progress_->Finish();
      progress_ = std::make_unique<Progress>(label, total, unit);
      phase_ = phase;
    }
    progress_->SetTotal(total);
    progress_->Set(done);
  }
  void Finish() {
    std::lock_guard lock(mutex_);
    if (progress_) progress_->Finish();
    progress_.reset();
    phase_ = -1;
  }

 private:
  std::mutex mutex_;
  int phase_ = -1;
  std::unique_ptr<Progress> progress_;
};

// What people decided about cases counts from the next cut-off on.
Status TakeCases(reg::Database& db, comparison::CompareOptions* c) {
  Date cutoff;
  for (const extract::Delivery& d : c->deliveries) cutoff = std::max(cutoff, d.cutoff);
  CANBAO_ASSIGN(auto decided, casework::DecidedBefore(db, cutoff));
  std::vector<comparison::CaseVerdict> verdicts;
  verdicts.reserve(decided.size());
  for (const casework::Decided& d : decided) {
    verdicts.push_back({d.person, d.dismissed, d.consolidated});
  }
  c->cases = comparison::CaseVerdicts(std::move(verdicts));
  return {};
}

Result<comparison::CompareResult> Compare(const Options& o, reg::Database* db, Phases* phases) {
  comparison::CompareOptions c;
  CANBAO_ASSIGN(c.memory, ParseSize(o.memory));
  CANBAO_ASSIGN(c.data_dir, PolicyDir());
  c.state_dir = Absolute(o.data);
  c.threads = o.threads;
  c.outcomes = db != nullptr;
  c.links_path = o.links;
  c.cancel = &InterruptFlag();
  for (const std::string& folder : o.deliveries) {
    CANBAO_ASSIGN(extract::Delivery d, extract::LoadDelivery(folder));
    c.deliveries.push_back(std::move(d));
  }
  if (!o.again.empty()) {
    CANBAO_ASSIGN(comparison::CompareResult run, comparison::ReadRun(c.state_dir, o.again));
    CANBAO_ASSIGN(extract::Delivery kept, KeptDelivery(c.state_dir, run));
    c.deliveries.push_back(std::move(kept));
  }
  if (db != nullptr) {
    CANBAO_TRY(KeepDivisionChanges(c.state_dir, *db));
    CANBAO_ASSIGN(std::string latest, LatestLoadedRun(*db));
    CANBAO_TRY(TakeCases(*db, &c));
    if (!latest.empty()) {
      CANBAO_ASSIGN(comparison::CompareResult previous, comparison::ReadRun(c.state_dir, latest));
      c.previous_run = previous.folder;
      // Sources that this delivery does not list stay as they were. An older or equal cut-off is
      // compared by itself: what was known then is in its own delivery.
      bool later = true;
      for (const extract::Delivery& d : c.deliveries) later &= previous.cutoff < d.cutoff;
      if (later && previous.province == c.deliveries.front().province) {
        CANBAO_ASSIGN(extract::Delivery kept, KeptDelivery(c.state_dir, previous));
        c.deliveries.push_back(std::move(kept));
      }
    }
    c.is_known = [&](const std::string& run) {
      std::string folder = c.state_dir + "/runs/" + run;
      if (!FileExists(folder + "/manifest.json")) return false;
      auto loaded = reg::IsLoaded(*db, folder);
      return loaded.has_value() && *loaded;
    };
  }
  c.progress = [phases](comparison::Phase phase, uint64_t done, uint64_t total) {
    switch (phase) {
      case comparison::Phase::kRead:
        phases->Report(0, Msg("读取", "reading"), ProgressUnit::kBytes, done, total);
        break;
      case comparison::Phase::kLink:
        phases->Report(1, Msg("关联", "linking"), ProgressUnit::kItems, done, total);
        break;
      case comparison::Phase::kOutcome:
        phases->Report(2, Msg("归类", "classifying"), ProgressUnit::kItems, done, total);
        break;
    }
  };
  return comparison::RunComparison(c);
}

Result<reg::LoadReport> Load(const Options& o, reg::Database* db,
                             const comparison::CompareResult& run, Phases* phases) {
  reg::LoadOptions l;
  l.threads = std::max(1, std::min(o.threads, 4));
  l.cancel = &InterruptFlag();
  l.progress = [phases](reg::LoadPhase phase, uint64_t done, uint64_t total) {
    switch (phase) {
      case reg::LoadPhase::kRows:
        phases->Report(10, Msg("入库", "loading"), ProgressUnit::kRows, done, total);
        break;
      case reg::LoadPhase::kKeys:
        phases->Report(11, Msg("建立索引", "indexing"), ProgressUnit::kItems, done, total);
        break;
      case reg::LoadPhase::kCompare:
        phases->Report(12, Msg("查找变化", "finding changes"), ProgressUnit::kItems, done, total);
        break;
      case reg::LoadPhase::kApply:
        phases->Report(13, Msg("写入变化", "applying changes"), ProgressUnit::kItems, done, total);
        break;
    }
  };
  return reg::LoadRun(*db, run.folder, run.key, l);
}

// A full list that shrank or grew beyond belief would end enrolments that nobody ended.
Status CheckAgainstLast(const Options& o, reg::Database* db, const comparison::CompareResult& run) {
  CANBAO_ASSIGN(std::string latest, LatestLoadedRun(*db));
  if (latest.empty() || latest == run.run) return {};
  CANBAO_ASSIGN(comparison::CompareResult previous, comparison::ReadRun(Absolute(o.data), latest));
  if (previous.cutoff >= run.cutoff || previous.province != run.province) return {};
  CANBAO_ASSIGN(std::string policy, PolicyDir());
  CANBAO_ASSIGN(scheme::RulesPtr rules, scheme::LoadRules(policy, run.province, run.cutoff));
  return CheckListBounds(previous, run, *rules, o.accepted_lists);
}

Status Execute(const Options& o) {
  std::string data = Absolute(o.data);
  std::unique_ptr<reg::Database> db;
  Phases phases;
  // What the delivery is refused for is said before anything is made.
  for (const std::string& folder : o.deliveries) {
    CANBAO_ASSIGN(extract::Delivery ignored, extract::LoadDelivery(folder));
    (void)ignored;
  }
  CANBAO_TRY(MakeFolders(data, 0755));
  if (!o.no_register) {
    reg::DatabaseOptions d;
    d.url = o.database;
    CANBAO_ASSIGN(db, reg::Database::Open(data, d));
  }
  CANBAO_ASSIGN(comparison::CompareResult run, Compare(o, db.get(), &phases));
  phases.Finish();
  if (run.unchanged) {
    ReportResult({{"run", run.run}, {"unchanged", "true"}});
    std::printf("%s\n",
                Msg("运行 {0}：这批数据已经入库，没有变化。",
                    "run {0}: this delivery is in the register already, nothing changed.", run.run)
                    .Get()
                    .c_str());
    return {};
  }
  PrintAccount(run);
  if (db == nullptr) {
    Status s = SetLatestRun(data, run.run);
    // Without its name in `latest` nobody would find the run: better none than half of one.
    if (!s) CANBAO_TRY(RemoveTree(run.folder));
    return s;
  }
  if (Status s = CheckAgainstLast(o, db.get(), run); !s) {
    // Only what was refused goes. After any other failure nobody knows whether an earlier try,
    // killed behind its commit, has loaded this very run: then the register needs its folder.
    if (s.error().cls == ErrorClass::kInput) CANBAO_TRY(RemoveTree(run.folder));
    return s;
  }
  CANBAO_ASSIGN(reg::LoadReport report, Load(o, db.get(), run, &phases));
  phases.Finish();
  PrintLoad(report);
  ReportResult({{"run", run.run}});
  CANBAO_TRY(KeepDelivered(data, run));
  return DropLoadedTables(run);
}

// Takes a run back; one that replaced another of its cut-off by comparing that other's files again,
// which the loader then puts in its place.
Status Withdraw(const Options& o) {
  const std::string run = o.deliveries.front();
  CANBAO_TRY(CheckDataFolder(o.data));
  std::string replaced;
  {
    CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
    CANBAO_ASSIGN(replaced, reg::ReplacedBy(*db, run));
    if (replaced.empty()) {
      Progress progress(Msg("撤销入库", "withdrawing"), 0, ProgressUnit::kItems);
      CANBAO_ASSIGN(reg::WithdrawReport report, reg::WithdrawRun(*db, run));
      progress.Finish();
      std::printf("%s\n", Msg("已撤销运行 {0}：删除 {1} 条，恢复 {2} 条。",
                              "run {0} is withdrawn: {1} facts removed, {2} go on.", run,
                              report.removed, report.reopened)
                              .Get()
                              .c_str());
      ReportResult({{"withdrawn", run}});
      return {};
    }
  }
  Options again = o;
  again.deliveries.clear();
  again.again = replaced;
  return Execute(again);
}

}  // namespace

void AddWithdraw(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand(
      "withdraw", Say("撤销一次已入库的运行", "take a loaded run back, as if it had not been"));
  sub.Add("run", &o->deliveries, Say("运行名（见 canbao runs）", "the run (see canbao runs)"))
      .Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--threads", &o->threads, Say("线程数", "threads")).Between(1, 64).ShowDefault();
  sub.Add("--memory", &o->memory, Say("内存预算，例如 2G", "memory budget, for example 2G"))
      .ShowDefault();
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Withdraw);
}

void AddCompare(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("compare", Say("比对一批或多批数据交付，登记入库",
                                              "compare deliveries and load the register"));
  sub.Add("deliveries", &o->deliveries,
          Say("数据交付目录（内有 manifest.toml）", "delivery folders (with manifest.toml)"))
      .Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--threads", &o->threads, Say("线程数", "threads")).Between(1, 64).ShowDefault();
  sub.Add("--memory", &o->memory, Say("内存预算，例如 2G", "memory budget, for example 2G"))
      .Checked([](const std::string& text) {
        auto size = ParseSize(text);
        return size ? std::string() : size.error().ToString();
      })
      .ShowDefault();
  sub.Add("--links", &o->links,
          Say("把每行的关联结果写入此 CSV", "write what became of each row to this CSV"));
  sub.AddFlag("--no-register", &o->no_register,
              Say("只比对和汇总，不入库", "comparison and figures only, no database"));
  sub.Add("--database", &o->database,
          Say("使用已有的 PostgreSQL（连接串），而不是内置实例",
              "use this PostgreSQL instead of the private one"))
      .Excludes("--no-register");
  sub.Add("--accept-list", &o->accepted_lists,
          Say("接受该数据源全量清单行数的大幅变化",
              "take the full list of this source however much its row count changed"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
