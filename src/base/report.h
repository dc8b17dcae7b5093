// What a command tells the process that started it, beside what it tells people: lines of JSON on a
// descriptor that was handed down (`--progress-fd N`). Phases and progress, the error it ends with,
// results by name. Off unless ReportTo() was called.
//
//   {"phase":{"zh":"读取","en":"reading"},"done":12,"total":100,"unit":"bytes"}
//   {"problem":{"class":3,"code":"CB-EXTRACT-0007","message":{…},"remedy":{…},"file":"","line":0,"column":0}}
//   {"result":{"run":"0123456789abcdef"}}
//
// Thread-safe after ReportTo(), which main() calls once. Lines are whole. Nothing fails: when the
// reader is gone, its child is asked to stop as by Ctrl-C, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace canbao {

// Takes the descriptor over; the process then also stops when its parent dies.
void ReportTo(int fd);
bool Reporting();

void ReportProgress(const Text& phase, uint64_t done, uint64_t total, std::string_view unit);
void ReportProblem(const Error& error);
void ReportResult(const std::vector<std::pair<std::string, std::string>>& values);

// A JSON string with its quotes.
std::string JsonQuoted(std::string_view text);

}  // namespace canbao
