#include "base/report.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace canbao {
namespace {

std::atomic<int> report_fd{-1};
std::mutex report_mutex;

std::string JsonText(const Text& text) {
  return "{\"zh\":" + JsonQuoted(text.zh) + ",\"en\":" + JsonQuoted(text.en) + "}";
}

void WriteLine(std::string line) {
  line += '\n';
  std::lock_guard lock(report_mutex);
  std::string_view rest = line;
  while (!rest.empty()) {
    const int fd = report_fd.load();
    if (fd < 0) return;
    ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<size_t>(n));
    } else if (n < 0 && errno != EINTR) {
      report_fd.store(-1);
      if (errno == EPIPE) std::raise(SIGINT);
      return;
    }
  }
}

}  // namespace

void ReportTo(int fd) {
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  report_fd.store(fd);
  // It may have died before we asked to be told.
  if (::getppid() != parent) std::raise(SIGINT);
}

bool Reporting() { return report_fd.load(std::memory_order_relaxed) >= 0; }

void ReportProgress(const Text& phase, uint64_t done, uint64_t total, std::string_view unit) {
  if (!Reporting()) return;
  WriteLine(fmt::format(R"({{"phase":{},"done":{},"total":{},"unit":{}}})", JsonText(phase), done,
                        total, JsonQuoted(unit)));
}

void ReportProblem(const Error& error) {
  if (!Reporting()) return;
  WriteLine(fmt::format(
      R"({{"problem":{{"class":{},"code":{},"message":{},"remedy":{},"file":{},"line":{},"column":{}}}}})",
      static_cast<int>(error.cls), JsonQuoted(error.code), JsonText(error.message),
      JsonText(error.remedy), JsonQuoted(error.file), error.line, error.column));
}

void ReportResult(const std::vector<std::pair<std::string, std::string>>& values) {
  if (!Reporting()) return;
  std::string line;
  for (const auto& [name, value] : values) {
    line += (line.empty() ? "" : ",") + JsonQuoted(name) + ":" + JsonQuoted(value);
  }
  WriteLine("{\"result\":{" + line + "}}");
}

std::string JsonQuoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

}  // namespace canbao
