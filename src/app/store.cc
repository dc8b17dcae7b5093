#include "app/store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "app/context.h"
#include "app/table_output.h"
#include "base/file.h"
#include "register/division_change.h"
#include "register/instance.h"
#include "register/read.h"

namespace canbao::app {
namespace fs = std::filesystem;
namespace {

std::string KeptPath(const std::string& dir, const comparison::ExtractResult& e) {
  return fmt::format("{}/deliveries/{}/{}", dir, e.account.sha256.substr(0, 32),
                     fs::path(e.spec.file).filename().string());
}

}  // namespace

Status CheckDataFolder(const std::string& dir) {
  std::error_code ec;
  if (fs::is_directory(dir + "/runs", ec) || fs::is_directory(dir + "/postgres", ec)) return {};
  return Fail(Error{ErrorClass::kInput, "CB-APP-0005",
                    Msg("这里没有登记数据", "there is no register here"),
                    Text{"先执行 canbao compare 数据交付 --data 目录，或改正 --data。",
                         "run canbao compare DELIVERY --data DIR first, or correct --data."},
                    dir, 0, 0});
}

Result<std::string> LatestLoadedRun(reg::Database& db) {
  CANBAO_ASSIGN(std::vector<reg::RunRow> runs, reg::Runs(db));
  // Neither one that was replaced nor one that was withdrawn.
  for (auto it = runs.rbegin(); it != runs.rend(); ++it) {
    if (it->current) return it->name;
  }
  return std::string();
}

std::string LatestRun(const std::string& dir) {
  auto text = ReadWholeFile(dir + "/latest");
  if (!text) return {};
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

Result<std::string> CurrentRunName(const std::string& data, const std::string& url) {
  CANBAO_TRY(CheckDataFolder(data));
  const std::string dir = Absolute(data);
  std::string name;
  if (!url.empty() || reg::Instance::Exists(dir)) {
    CANBAO_ASSIGN(auto db, OpenRegister(data, url));
    CANBAO_ASSIGN(name, LatestLoadedRun(*db));
  }
  if (name.empty()) name = LatestRun(dir);
  if (name.empty()) {
    return Fail(Error{ErrorClass::kInput, "CB-APP-0009",
                      Msg("还没有完成的比对", "no comparison is finished yet"),
                      Text{"先执行 canbao compare。", "run canbao compare first."}, data, 0, 0});
  }
  return name;
}

Result<comparison::CompareResult> CurrentRun(const std::string& data, const std::string& url) {
  CANBAO_ASSIGN(std::string name, CurrentRunName(data, url));
  return comparison::ReadRun(Absolute(data), name);
}

Status SetLatestRun(const std::string& dir, const std::string& run) {
  return WriteFileAtomic(dir + "/latest", run + "\n", 0600);
}

Status KeepDelivered(const std::string& dir, const comparison::CompareResult& run) {
  for (const comparison::ExtractResult& e : run.extracts) {
    std::string to = KeptPath(dir, e);
    if (FileExists(to)) continue;
    CANBAO_TRY(MakeFolders(fs::path(to).parent_path().string(), 0700));
    // A link costs nothing; the digest of the manifest tells if the agency's copy was changed
    // later.
    if (::link(e.spec.path.c_str(), to.c_str()) == 0) continue;
    std::error_code ec;
    std::string part = to + ".part";
    fs::copy_file(e.spec.path, part, fs::copy_options::overwrite_existing, ec);
    if (ec) return Fail(FileError(kCodeCannotWrite, to, ec.value()));
    CANBAO_TRY(RenameDurably(part, to));
  }
  return {};
}

Result<extract::Delivery> KeptDelivery(const std::string& dir,
                                       const comparison::CompareResult& run) {
  extract::Delivery d;
  d.folder = dir;
  d.own_mappings = dir + "/mappings";
  d.province = run.province;
  d.cutoff = run.cutoff;
  for (const comparison::ExtractResult& e : run.extracts) {
    extract::ExtractSpec spec = e.spec;
    std::string kept = KeptPath(dir, e);
    if (FileExists(kept)) spec.path = kept;
    spec.sha256 = e.account.sha256;
    spec.rows = static_cast<int64_t>(e.account.rows_in);
    spec.encoding = e.account.encoding == "utf-8" || e.account.encoding == "gb18030"
                        ? e.account.encoding
                        : std::string();
    d.extracts.push_back(std::move(spec));
  }
  return d;
}

Status KeepDivisionChanges(const std::string& dir, reg::Database& db) {
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(std::vector<reg::RecordedDivisionChange> recorded, reg::DivisionChanges(*c));
  const std::string path = dir + "/divisions/changes.csv";
  if (recorded.empty() && !FileExists(path)) return {};
  std::vector<identity::DivisionChange> changes;
  for (reg::RecordedDivisionChange& r : recorded) changes.push_back(std::move(r.change));
  CANBAO_TRY(MakeFolders(dir + "/divisions", 0755));
  return WriteFileAtomic(path, identity::WriteDivisionChanges(std::move(changes)), 0644);
}

Status DropLoadedTables(const comparison::CompareResult& run) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(run.folder, ec)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".rows") && !name.starts_with("master.") && !name.starts_with("score.")) {
      std::error_code ignored;
      fs::remove(entry.path(), ignored);
    }
  }
  return {};
}

}  // namespace canbao::app
