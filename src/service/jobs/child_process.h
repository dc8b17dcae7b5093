// A command of this executable as a child process, as jobs run it: own process group, own memory
// limit, what it says to people appended to a log, what it prints in a file of its own, what it
// reports (base/report.h) as lines on a pipe. It is asked to stop when its parent dies (it asks the
// kernel for that itself).
//
// Belongs to the thread that started it, which must live as long as the child: the kernel tells the
// child of the end of that thread. The destructor ends and reaps a child that still runs. Errors:
// CB-SERVICE-0400 (it cannot be started), and what files say.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace canbao::service {

struct ChildOptions {
  std::string executable;
  std::vector<std::string> words;                             // behind the executable's name
  std::vector<std::pair<std::string, std::string>> settings;  // of its environment, besides ours
  std::string input;  // what it reads from stdin: secrets, which have no place among its words
  std::string output_path;
  std::string log_path;
  uint64_t memory = 0;  // of data, bytes; 0 = without limit
};

class ChildProcess {
 public:
  struct End {
    int code = 0;    // exit code
    int signal = 0;  // or the signal that ended it
  };

  static Result<ChildProcess> Start(const ChildOptions& options);
  ChildProcess(ChildProcess&& o) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  int report_fd() const { return report_.get(); }
  // Whole lines that it has reported since; never waits.
  std::vector<std::string> Lines();
  void Signal(int signal) const;  // its whole group
  // Reaps it once it has ended; never waits.
  std::optional<End> Ended();

 private:
  ChildProcess() = default;
  pid_t pid_ = -1;
  Fd report_;
  std::string begun_;  // a line whose end has not come yet
};

}  // namespace canbao::service
