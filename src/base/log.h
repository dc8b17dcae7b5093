// The technical log, for operators: what the process did and when. Results and errors for the user
// go to stdout and stderr by the command itself, never here. Personal data never enters it: log
// keys, counts and file names, mask numbers (identity/citizen_number.h).
//
// Messages below the level cost one load. Thread-safe after SetUpLog(), which main() calls once;
// without it (tests) only warnings and errors go to stderr.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

struct LogOptions {
  LogLevel stderr_level = LogLevel::kWarning;
  LogLevel file_level = LogLevel::kInfo;
  std::string file;  // appended to, rotated at 16 MB, three old ones kept; empty = none
};

Status SetUpLog(const LogOptions& options);
bool LogEnabled(LogLevel level);
void LogMessage(LogLevel level, std::string_view message);
void FlushLog();

template <typename... Args>
void Log(LogLevel level, fmt::format_string<const Args&...> format, const Args&... args) {
  if (LogEnabled(level)) LogMessage(level, fmt::format(format, args...));
}

}  // namespace canbao
