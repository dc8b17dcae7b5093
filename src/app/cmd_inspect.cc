// canbao inspect: what a file or a delivery is like, before anything is loaded.
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/context.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "extract/inspect.h"

namespace canbao::app {
namespace {

struct Options {
  std::string path;
  std::string format = "text";
  int bad_rows = 10;
  std::string data;
};

uint64_t FileSize(const std::string& path) {
  std::error_code ec;
  auto size = std::filesystem::file_size(path, ec);
  return ec ? 0 : size;
}

// 0, or 3 when something would be refused.
Result<int> Execute(const Options& o) {
  CANBAO_ASSIGN(std::string policy, PolicyDir());
  extract::InspectOptions options;
  options.today = Date::Today();
  options.bad_rows = o.bad_rows;
  if (!o.data.empty()) options.own_mappings = Absolute(o.data) + "/mappings";
  options.cancel = &InterruptFlag();
  std::vector<extract::FileProfile> profiles;
  if (std::filesystem::is_directory(o.path)) {
    CANBAO_ASSIGN(extract::Delivery delivery, extract::LoadDelivery(o.path));
    uint64_t total = 0;
    for (const extract::ExtractSpec& spec : delivery.extracts) total += FileSize(spec.path);
    ProgressOptions quiet;
    quiet.silent = ::isatty(::fileno(quiet.out)) == 0;
    Progress progress(Msg("剖析", "profiling"), total, ProgressUnit::kBytes, quiet);
    for (const extract::ExtractSpec& spec : delivery.extracts) {
      CANBAO_ASSIGN(extract::FileProfile p, extract::InspectExtract(spec, policy, options));
      profiles.push_back(std::move(p));
      progress.Add(FileSize(spec.path));
    }
  } else {
    CANBAO_ASSIGN(extract::FileProfile p, extract::InspectFile(o.path, policy, options));
    profiles.push_back(std::move(p));
  }
  bool refused = false;
  std::string json = "[";
  for (size_t i = 0; i < profiles.size(); ++i) {
    refused |= profiles[i].refused.has_value();
    if (o.format == "json") {
      json += (i == 0 ? "\n" : ",\n") + extract::ProfileJson(profiles[i]);
    } else {
      std::printf("%s\n", extract::ProfileText(profiles[i], CurrentLang()).c_str());
    }
  }
  if (o.format == "json") std::printf("%s\n]\n", json.c_str());
  return refused ? static_cast<int>(ErrorClass::kInput) : 0;
}

}  // namespace

void AddInspect(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand(
      "inspect", Say("入库前查看一个文件或一批交付：编码、列、错误",
                     "profiles a file or a delivery before loading: encoding, columns, errors"));
  sub.Add("path", &o->path, Say("文件或数据交付目录", "file or delivery folder")).Required();
  sub.Add("--bad-rows", &o->bad_rows, Say("列出多少错误行", "how many bad rows to show"))
      .Between(0, 100000)
      .ShowDefault();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.Add("--data", &o->data,
          Say("登记数据目录：使用其中保存的映射", "data folder of the register: use its mappings"));
  sub.OnUse([o, action] {
    *action = [o] {
      auto r = Execute(*o);
      return r ? *r : Report(r.error());
    };
  });
}

}  // namespace canbao::app
