// Which command a job is: the words behind `canbao`, made from its kind and argument, the same for
// every try. Pure but for ParseSize-like checks; no state. Errors: CB-SERVICE-0402 (an argument
// that no handler wrote).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "register/job.h"
#include "service/context.h"

namespace canbao::service {

struct JobCommand {
  std::vector<std::string> words;
  uint64_t memory = 0;  // what the process may use, bytes
};

Result<JobCommand> CommandOf(const reg::Job& job, const Services& services);

// DATA/jobs/<id>: log, output and result of a job.
std::string JobFolder(const Services& services, int64_t id);

// Jobs of one class wait for each other; how many of them run at a time.
enum class JobClass { kComparison, kCheck, kExport };
JobClass ClassOf(const std::string& kind);
int LimitOf(JobClass cls);

}  // namespace canbao::service
