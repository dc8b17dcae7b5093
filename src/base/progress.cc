#include "base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/report.h"

namespace canbao {
namespace {

constexpr double kTerminalInterval = 0.1;
constexpr double kPlainInterval = 5.0;
constexpr double kReportInterval = 0.2;
// The rate of the first moments is noise.
constexpr double kRateAfterSeconds = 0.3;
constexpr int kBarCells = 20;

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string Grouped(uint64_t n) {
  std::string digits = std::to_string(n);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), 1, ',');
  }
  return digits;
}

// Cells that UTF-8 text takes on a terminal: East Asian characters take two.
int CellsOf(std::string_view text) {
  int cells = 0;
  for (unsigned char c : text) {
    if ((c & 0xC0) == 0x80) continue;
    cells += c >= 0xE3 ? 2 : 1;
  }
  return cells;
}

std::string Bar(uint64_t done, uint64_t total) {
  uint64_t filled = total == 0 ? 0 : std::min<uint64_t>(kBarCells, done * kBarCells / total);
  std::string bar = "[";
  for (uint64_t i = 0; i < kBarCells; ++i) bar += i < filled ? '#' : '.';
  return bar + "]";
}

}  // namespace

std::string FormatAmount(uint64_t amount, ProgressUnit unit) {
  if (unit != ProgressUnit::kBytes) return Grouped(amount);
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(amount);
  size_t at = 0;
  while (value >= 1000 && at + 1 < std::size(kUnits)) {
    value /= 1000;
    ++at;
  }
  if (at == 0) return fmt::format("{} B", amount);
  return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, kUnits[at]);
}

std::string FormatSeconds(double seconds, Lang lang) {
  uint64_t s = static_cast<uint64_t>(std::llround(std::max(0.0, seconds)));
  bool zh = lang == Lang::kZh;
  if (s < 60) return fmt::format("{} {}", s, zh ? "秒" : "s");
  if (s < 3600)
    return fmt::format("{} {} {} {}", s / 60, zh ? "分" : "min", s % 60, zh ? "秒" : "s");
  return fmt::format("{} {} {} {}", s / 3600, zh ? "小时" : "h", s / 60 % 60, zh ? "分" : "min");
}

std::string DescribeProgress(const std::string& label, uint64_t done, uint64_t total,
                             ProgressUnit unit, double seconds, Lang lang) {
  bool zh = lang == Lang::kZh;
  std::string line = label;
  if (total > 0) {
    // 100 % is for the end: 99.6 % must not look like it.
    uint64_t percent = done >= total ? 100 : std::min<uint64_t>(99, done * 100 / total);
    line +=
        fmt::format("  {}%  {} / {}", percent, FormatAmount(done, unit), FormatAmount(total, unit));
  } else {
    line += "  " + FormatAmount(done, unit);
  }
  if (unit == ProgressUnit::kRows) line += zh ? " 行" : " rows";
  if (seconds >= kRateAfterSeconds && done > 0) {
    double rate = static_cast<double>(done) / seconds;
    line +=
        fmt::format("  {}/{}", FormatAmount(static_cast<uint64_t>(rate), unit), zh ? "秒" : "s");
    if (done < total) {
      std::string left = FormatSeconds(static_cast<double>(total - done) / rate, lang);
      line += zh ? "  剩余 " + left : "  " + left + " left";
    }
  }
  return line;
}

Progress::Progress(const Text& label, uint64_t total, ProgressUnit unit, ProgressOptions options)
    : label_(label),
      unit_(unit),
      options_(std::move(options)),
      reporting_(Reporting()),
      total_(total),
      next_(0),
      next_report_(0) {
  if (!options_.clock) options_.clock = SteadySeconds;
  terminal_ =
      options_.terminal >= 0 ? options_.terminal == 1 : ::isatty(::fileno(options_.out)) == 1;
  if (terminal_ && options_.columns == 0) {
    winsize size{};
    bool known = ::ioctl(::fileno(options_.out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    options_.columns = known ? size.ws_col : 80;
  }
  interval_ = terminal_ ? kTerminalInterval : kPlainInterval;
  started_ = options_.clock();
  next_.store(started_ + interval_);
  if (reporting_) {
    next_report_.store(started_ + kReportInterval);
    Report();
  }
}

void Progress::Set(uint64_t done) {
  done_.store(done, std::memory_order_relaxed);
  MaybeDraw();
}

void Progress::Add(uint64_t more) {
  done_.fetch_add(more, std::memory_order_relaxed);
  MaybeDraw();
}

void Progress::MaybeDraw() {
  if (options_.silent && !reporting_) return;
  double now = options_.clock();
  if (reporting_ && now >= next_report_.load(std::memory_order_relaxed)) {
    std::unique_lock lock(drawing_, std::try_to_lock);
    if (lock.owns_lock() && !finished_ && now >= next_report_.load()) {
      next_report_.store(now + kReportInterval);
      Report();
    }
  }
  if (options_.silent || now < next_.load(std::memory_order_relaxed)) return;
  std::unique_lock lock(drawing_, std::try_to_lock);
  if (!lock.owns_lock() || finished_ || now < next_.load()) return;
  next_.store(now + interval_);
  Draw(now, false);
}

void Progress::Draw(double now, bool last) {
  uint64_t done = done_.load(std::memory_order_relaxed);
  uint64_t total = total_.load(std::memory_order_relaxed);
  double seconds = now - started_;
  std::string line = DescribeProgress(label_.Get(), done, total, unit_, seconds, CurrentLang());
  if (last) line += "  " + FormatSeconds(seconds, CurrentLang());
  if (!terminal_) {
    std::fprintf(options_.out, "%s\n", line.c_str());
  } else {
    std::string bar = total > 0 ? Bar(done, total) + " " : "";
    if (CellsOf(bar) + CellsOf(line) >= options_.columns) bar.clear();
    std::fprintf(options_.out, "\r\033[K%s%s%s", bar.c_str(), line.c_str(), last ? "\n" : "");
  }
  std::fflush(options_.out);
}

void Progress::Report() const {
  static constexpr const char* kUnits[] = {"items", "rows", "bytes"};
  ReportProgress(label_, done_.load(std::memory_order_relaxed),
                 total_.load(std::memory_order_relaxed), kUnits[static_cast<size_t>(unit_)]);
}

void Progress::Finish() {
  std::lock_guard lock(drawing_);
  if (finished_) return;
  finished_ = true;
  if (reporting_) Report();
  if (!options_.silent) Draw(options_.clock(), true);
}

}  // namespace canbao
