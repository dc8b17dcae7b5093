// canbao linkage: what a run says of its linkage, as text, json, or a page to look at. Manifests
// lie in the data folder; the register is asked only which run is its latest.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "base/file.h"
#include "comparison/link/level.h"
#include "comparison/link/model.h"
#include "extract/delivery.h"
#include "register/read.h"
#include "reporting/linkage_page.h"

namespace canbao::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Options {
  std::string data;
  std::string run;
  std::string against;
  std::string format = "text";
  std::string out;
  std::string database;
};

std::string ManifestPath(const Options& o, const std::string& run) {
  return Absolute(o.data) + "/runs/" + run + "/manifest.json";
}

// A finished run of the folder; `made` tells runs of one cut-off apart.
struct Made {
  std::string run;
  std::string cutoff;
  fs::file_time_type made;
};

Result<json::object> ReadManifest(const Options& o, const std::string& run) {
  const std::string path = ManifestPath(o, run);
  // A name, never a path that leaves the folder.
  if (run.empty() || run.find('/') != std::string::npos || run.front() == '.' ||
      !FileExists(path)) {
    return Fail(Error{ErrorClass::kInput, "CB-APP-0020",
                      Msg("数据目录中没有运行 {0}", "the data folder has no run {0}", run),
                      Text{"用 canbao runs --data 目录 查看已有的运行。",
                           "canbao runs --data DIR lists those that there are."},
                      o.data, 0, 0});
  }
  CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
  boost::system::error_code failed;
  json::value parsed = json::parse(text, failed);
  if (failed || !parsed.is_object()) {
    return Fail(
        Error{ErrorClass::kEnvironment, "CB-APP-0022",
              Msg("运行清单已损坏：{0}", "the manifest of a run is damaged: {0}", failed.message()),
              Text{"请从备份恢复该文件。", "restore the file from a backup."}, path, 0, 0});
  }
  return std::move(parsed.get_object());
}

Result<reporting::LinkageReport> ReadReport(const Options& o, const std::string& run,
                                            const json::object& manifest) {
  if (!manifest.contains("linkage")) {
    return Fail(
        Error{ErrorClass::kInput, "CB-APP-0021",
              Msg("运行 {0} 由旧版本完成，清单中没有关联情况",
                  "run {0} was made by an older version; its manifest says nothing of the "
                  "linkage",
                  run),
              Text{"用现在的版本比对同一批数据交付（--no-register，另一个 --data 目录）。",
                   "compare its deliveries with this version (--no-register, another --data "
                   "folder)."},
              ManifestPath(o, run), 0, 0});
  }
  return reporting::ReadLinkage(manifest, ManifestPath(o, run));
}

// The finished run of the province that came before: by cut-off, those of one cut-off in the order
// in which they were made. Runs that say nothing of their linkage are passed over.
Result<std::string> RunBefore(const Options& o, const std::string& run,
                              const reporting::LinkageReport& report) {
  std::error_code failed;
  const Made self{run, report.cutoff, fs::last_write_time(ManifestPath(o, run), failed)};
  auto earlier = [](const Made& a, const Made& b) {
    return std::tie(a.cutoff, a.made, a.run) < std::tie(b.cutoff, b.made, b.run);
  };
  Made before;
  for (const auto& entry : fs::directory_iterator(Absolute(o.data) + "/runs", failed)) {
    const std::string name = entry.path().filename().string();
    if (name == run || !FileExists(ManifestPath(o, name))) continue;
    CANBAO_ASSIGN(json::object manifest, ReadManifest(o, name));
    if (!manifest.contains("linkage")) continue;
    CANBAO_ASSIGN(reporting::LinkageReport other, ReadReport(o, name, manifest));
    Made made{name, other.cutoff, fs::last_write_time(ManifestPath(o, name), failed)};
    if (other.province == report.province && earlier(made, self) && earlier(before, made)) {
      before = std::move(made);
    }
  }
  return before.run;
}

// Thresholds stand in the model, not in the manifest: those of the model that the run names, if
// that is still the one that is there.
std::optional<reporting::LinkageThresholds> ThresholdsOf(const json::object& manifest,
                                                         const std::string& cutoff) {
  constexpr double kHundredths = 100;
  auto policy = PolicyDir();
  const json::value* rules = manifest.if_contains("rules");
  if (!policy || rules == nullptr || !rules->is_string()) return std::nullopt;
  auto model = comparison::LinkModel::Load(*policy, ParseIsoDate(cutoff));
  if (!model || rules->get_string().find((*model)->version) == json::string::npos) {
    return std::nullopt;
  }
  return reporting::LinkageThresholds{(*model)->accept / kHundredths,
                                      (*model)->review / kHundredths};
}

reporting::LinkageNames Names() {
  reporting::LinkageNames names;
  for (int k = 0; k < extract::kKinds; ++k) {
    const auto kind = static_cast<extract::Kind>(k);
    const std::string key(extract::KindName(kind));
    std::string words = key;
    std::replace(words.begin(), words.end(), '_', ' ');
    names.kinds[key] = {std::string(extract::KindNameZh(kind)), words};
  }
  for (const comparison::FieldName& field : comparison::FieldNames()) {
    names.fields[field.key] = {field.zh, field.en};
    for (const comparison::LevelName& level : field.levels) {
      names.order.push_back(std::string(field.key) + "." + level.key);
      names.levels[names.order.back()] = {level.zh, level.en};
    }
  }
  for (int i = 1; i < comparison::kOutcomes; ++i) {
    const std::string key(comparison::OutcomeName(static_cast<comparison::Outcome>(i)));
    names.outcomes[key] = reg::OutcomeLabel(i);
  }
  names.outcomes["reference"] = {"参考", "reference"};
  names.outcomes["rejected"] = {"拒收", "rejected"};
  return names;
}

Result<std::string> Make(const Options& o) {
  std::string run = o.run;
  if (run.empty()) {
    CANBAO_ASSIGN(run, CurrentRunName(o.data, o.database));
  }
  CANBAO_ASSIGN(json::object manifest, ReadManifest(o, run));
  reporting::LinkageAccount account;
  CANBAO_ASSIGN(account.now, ReadReport(o, run, manifest));
  std::string before = o.against;
  if (before.empty()) {
    CANBAO_ASSIGN(before, RunBefore(o, run, account.now));
  }
  if (!before.empty()) {
    CANBAO_ASSIGN(json::object other, ReadManifest(o, before));
    CANBAO_ASSIGN(account.before, ReadReport(o, before, other));
  }
  account.thresholds = ThresholdsOf(manifest, account.now.cutoff);
  account.names = Names();
  if (o.format == "json") return reporting::LinkageJson(account, manifest);
  if (o.format == "html") return reporting::LinkagePage(account, CurrentLang());
  return reporting::LinkageText(account, CurrentLang());
}

Status Execute(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(std::string text, Make(o));
  if (!o.out.empty()) return WriteFileAtomic(o.out, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

}  // namespace

void AddLinkage(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("linkage", Say("一次运行的关联情况：文字、json 或网页",
                                    "what a run says of its linkage: text, json, a page"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--run", &o->run, Say("运行，默认最近一次", "the run; the latest by default"));
  sub.Add(
      "--against", &o->against,
      Say("与之相比的运行，默认其前一次", "the run to compare it with; the one before by default"));
  sub.Add("--format", &o->format, Say("输出格式", "format"))
      .OneOf({"text", "json", "html"})
      .ShowDefault();
  sub.Add("--out", &o->out, Say("写入文件", "write to this file"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
