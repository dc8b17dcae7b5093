#include "app/context.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/report.h"

namespace canbao::app {
namespace fs = std::filesystem;

Result<std::string> PolicyDir() {
  if (const char* env = std::getenv("CANBAO_POLICY"); env != nullptr && *env != '\0')
    return std::string(env);
  std::error_code ec;
  fs::path exe = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) {
    for (fs::path p = exe.parent_path(); !p.empty(); p = p.parent_path()) {
      if (fs::is_directory(p / "share" / "canbao" / "rules", ec))
        return (p / "share" / "canbao").string();
      if (fs::is_directory(p / "data" / "rules", ec)) return (p / "data").string();
      if (p == p.root_path()) break;
    }
  }
  return Fail(ErrorClass::kEnvironment, "CB-APP-0001",
              Msg("找不到政策数据目录（rules、forms、mappings、divisions）",
                  "the policy data (rules, forms, mappings, divisions) is not to be found"),
              Text{"用环境变量 CANBAO_POLICY 指明其位置。",
                   "say where it is in the environment variable CANBAO_POLICY."});
}

int Report(const Error& error) {
  ReportProblem(error);
  std::fprintf(stderr, "%s %s\n", Say("错误", "error").c_str(), error.ToString().c_str());
  return static_cast<int>(error.cls);
}

Result<uint64_t> ParseSize(const std::string& text) {
  char* end = nullptr;
  double n = std::strtod(text.c_str(), &end);
  uint64_t unit = 1;
  std::string suffix = end == nullptr ? "" : end;
  if (suffix.ends_with('B') || suffix.ends_with('b')) suffix.pop_back();
  if (suffix.ends_with('i')) suffix.pop_back();
  if (suffix == "K" || suffix == "k") unit = 1ull << 10;
  if (suffix == "M" || suffix == "m") unit = 1ull << 20;
  if (suffix == "G" || suffix == "g") unit = 1ull << 30;
  if (suffix == "T" || suffix == "t") unit = 1ull << 40;
  if (end == text.c_str() || n <= 0 || (unit == 1 && !suffix.empty())) {
    return Fail(ErrorClass::kUsage, "CB-APP-0002",
                Msg("无法识别的大小：{0}", "this is no size: {0}", text),
                Text{"例如 2G、512M。", "for example 2G, 512M."});
  }
  return static_cast<uint64_t>(n * static_cast<double>(unit));
}

std::string Say(const char* zh, const char* en) { return CurrentLang() == Lang::kZh ? zh : en; }

std::string Absolute(const std::string& path) {
  std::error_code ec;
  fs::path p = fs::weakly_canonical(fs::absolute(path, ec), ec);
  return ec ? path : p.string();
}

}  // namespace canbao::app
