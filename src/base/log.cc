// The only translation unit that sees spdlog.
#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/file.h"

namespace canbao {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

std::shared_ptr<spdlog::logger> MakeLogger(std::vector<spdlog::sink_ptr> sinks) {
  auto logger = std::make_shared<spdlog::logger>("canbao", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::trace);  // the sinks decide
  logger->flush_on(spdlog::level::warn);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %L %P %v");
  return logger;
}

spdlog::sink_ptr StderrSink(LogLevel level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_level(ToSpdlog(level));
  return sink;
}

struct State {
  std::shared_ptr<spdlog::logger> logger = MakeLogger({StderrSink(LogLevel::kWarning)});
  std::atomic<int> lowest{static_cast<int>(LogLevel::kWarning)};
};

State& Current() {
  static State state;
  return state;
}

}  // namespace

Status SetUpLog(const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks{StderrSink(options.stderr_level)};
  LogLevel lowest = options.stderr_level;
  if (!options.file.empty()) {
    std::string folder = std::filesystem::path(options.file).parent_path().string();
    if (!folder.empty()) CANBAO_TRY(MakeFolders(folder));
    try {
      auto sink =
          std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, size_t{16} << 20, 3);
      sink->set_level(ToSpdlog(options.file_level));
      sinks.push_back(std::move(sink));
    } catch (const spdlog::spdlog_ex&) {
      return Fail(FileError(kCodeCannotWrite, options.file, errno));
    }
    lowest = std::min(lowest, options.file_level);
  }
  Current().logger = MakeLogger(std::move(sinks));
  Current().lowest = static_cast<int>(lowest);
  return {};
}

bool LogEnabled(LogLevel level) {
  return static_cast<int>(level) >= Current().lowest.load(std::memory_order_relaxed) &&
         level != LogLevel::kOff;
}

void LogMessage(LogLevel level, std::string_view message) {
  Current().logger->log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

void FlushLog() { Current().logger->flush(); }

}  // namespace canbao
