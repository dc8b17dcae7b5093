// Runs the register's jobs: takes queued ones in turn, a few of a class at a time, starts each as a
// child process (child_process.h), keeps its row up to date and writes how it ended together with
// what that means for its delivery. Jobs whose server died become `interrupted`; to resume one is
// to run its command again, which goes on where its own checkpoints allow it.
//
// One thread of its own, which talks to the database as owner in a session of its own and holds the
// register's runner lock: a second server over the same data runs none. Wake(), Cancel(), Resume()
// and Read() may be called from any thread. While the database does not answer, children run on and
// their ends are kept until they can be written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/error.h"
#include "register/job.h"
#include "service/context.h"

namespace canbao::service {

struct JobRunnerOptions {
  int export_days = 30;  // that files of exports are kept
};

class JobRunner {
 public:
  // `services` must outlive it; its `jobs` is not looked at.
  static Result<std::unique_ptr<JobRunner>> Start(const Services& services,
                                                  JobRunnerOptions options = {});
  // Asks the children to stop, waits for them, writes their state.
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // Whether the caller may see the job was decided before.
  Result<bool> Cancel(int64_t id);  // false: it has ended
  Result<bool> Resume(int64_t id);  // false: there is nothing to resume
  Result<std::optional<reg::Job>> Read(int64_t id);

  int running() const;
  void Stop();

 private:
  class Loop;
  explicit JobRunner(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace canbao::service
