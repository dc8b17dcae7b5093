// How far a long job is: one line that is drawn over itself on a terminal (bar, rate, time left), a
// plain line every few seconds anywhere else, so that a log file stays readable. To stderr: stdout
// is for results.
//
// Set() and Add() may be called from any thread and are cheap (one atomic and, ten times a second,
// one thread that draws); Finish() or the destructor ends the line, once, on the thread that owns
// it. One Progress at a time draws on a terminal. A process that reports to another one
// (base/report.h) reports its progress as well, five times a second.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>

#include "base/text.h"

namespace canbao {

enum class ProgressUnit { kItems, kRows, kBytes };

// One line of progress as text, without bar: "读取  45%  1.2 GB / 2.6 GB  412 MB/s  剩余 3 秒". A
// total of 0 is unknown: no percentage, no time left.
std::string DescribeProgress(const std::string& label, uint64_t done, uint64_t total,
                             ProgressUnit unit, double seconds, Lang lang);
// "1.2 GB", "12,345"; for the account of a run as well.
std::string FormatAmount(uint64_t amount, ProgressUnit unit);
// "3 秒", "2 分 5 秒", "1 h 2 min".
std::string FormatSeconds(double seconds, Lang lang);

struct ProgressOptions {
  std::FILE* out = stderr;
  // -1 asks the stream; 0 and 1 force plain lines and a terminal.
  int terminal = -1;
  int columns = 0;  // width of the terminal, 0 asks it
  bool silent = false;
  // Seconds since any fixed moment; a test brings its own clock.
  std::function<double()> clock;
};

class Progress {
 public:
  Progress(const Text& label, uint64_t total, ProgressUnit unit, ProgressOptions options = {});
  ~Progress() { Finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Set(uint64_t done);
  void Add(uint64_t more);
  void SetTotal(uint64_t total) { total_.store(total, std::memory_order_relaxed); }
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  // Draws the last state; on a terminal the line stays, with the time it took.
  void Finish();

 private:
  void MaybeDraw();
  void Draw(double now, bool last);
  void Report() const;

  Text label_;
  ProgressUnit unit_;
  ProgressOptions options_;
  bool terminal_ = false;
  double interval_ = 0;  // seconds between two drawings
  bool reporting_ = false;
  double started_ = 0;
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_;
  std::atomic<double> next_;
  std::atomic<double> next_report_;
  std::mutex drawing_;
  bool finished_ = false;
};

}  // namespace canbao
