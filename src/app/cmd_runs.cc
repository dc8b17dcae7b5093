// canbao runs: the runs of a data folder with their control totals.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/account.h"
#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "comparison/manifest.h"
#include "register/read.h"

namespace canbao::app {
namespace {

struct Options {
  std::string data;
  std::string format = "text";
  std::string database;
};

// Runs as both kinds of folder know them.
struct Shown {
  comparison::CompareResult run;
  std::string loaded_at;  // empty without a register
  bool current = true;
};

Result<std::vector<Shown>> Collect(const Options& o) {
  std::vector<Shown> shown;
  std::string dir = Absolute(o.data);
  if (o.database.empty() && !reg::Instance::Exists(dir)) {
    std::string latest = LatestRun(dir);
    if (latest.empty()) return shown;
    CANBAO_ASSIGN(comparison::CompareResult run, comparison::ReadRun(dir, latest));
    shown.push_back({std::move(run), "", true});
    return shown;
  }
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(std::vector<reg::RunRow> rows, reg::Runs(*db));
  for (const reg::RunRow& row : rows) {
    CANBAO_ASSIGN(comparison::CompareResult run, comparison::ParseManifest(row.manifest, row.name));
    shown.push_back({std::move(run), row.loaded_at, row.current});
  }
  return shown;
}

boost::json::object Json(const Shown& s) {
  namespace json = boost::json;
  json::object o;
  o["run"] = s.run.run;
  o["province"] = std::to_string(s.run.province);
  o["cutoff"] = s.run.cutoff.ToIso();
  o["rules"] = s.run.rules;
  o["persons"] = s.run.persons;
  o["result_digest"] = s.run.result_digest;
  o["loaded_at"] = s.loaded_at;
  o["current"] = s.current;
  json::array extracts;
  for (const comparison::ExtractResult& e : s.run.extracts) {
    json::object x;
    x["file"] = e.spec.file;
    x["kind"] = extract::KindName(e.spec.kind);
    x["source"] = e.spec.source;
    x["stage"] = extract::StageName(e.spec.stage);
    x["digest"] = e.account.digest;
    x["sha256"] = e.account.sha256;
    x["rows_in"] = e.account.rows_in;
    x["linked"] = e.linked;
    x["unlinked"] = e.unlinked;
    x["reference"] = e.reference;
    x["rejected"] = e.account.rejected;
    json::object outcomes;
    for (int i = 1; i < comparison::kOutcomes; ++i) {
      outcomes[comparison::OutcomeName(static_cast<comparison::Outcome>(i))] =
          e.outcomes[static_cast<size_t>(i)];
    }
    x["outcomes"] = std::move(outcomes);
    extracts.push_back(std::move(x));
  }
  o["extracts"] = std::move(extracts);
  return o;
}

Status Execute(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(std::vector<Shown> shown, Collect(o));
  if (o.format == "json") {
    boost::json::array all;
    for (const Shown& s : shown) all.push_back(Json(s));
    std::printf("%s\n", boost::json::serialize(all).c_str());
    return {};
  }
  if (shown.empty()) std::printf("%s\n", Say("还没有运行。", "no runs yet.").c_str());
  for (const Shown& s : shown) {
    PrintAccount(s.run);
    if (!s.loaded_at.empty()) {
      std::printf("%s\n",
                  Msg("入库时间 {0}{1}", "loaded at {0}{1}", s.loaded_at,
                      s.current ? "" : Say("（已被取代或撤销）", " (replaced, or taken back)"))
                      .Get()
                      .c_str());
    }
    std::printf("\n");
  }
  return {};
}

}  // namespace

void AddRuns(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("runs", Say("历次运行及其行数平衡", "runs and their control totals"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
