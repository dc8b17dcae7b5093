// What every subcommand of `canbao` shares: where the policy data lies, how errors end the process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/command_line.h"
#include "base/error.h"

namespace canbao::app {

// The folder with rules/, forms/, mappings/, divisions/: $CANBAO_POLICY, else share/canbao beside
// the executable, else data/ of the source tree that the executable was built in.
Result<std::string> PolicyDir();

// Prints the error and returns its exit code: 2 usage, 3 input refused, 4 environment, 5 internal.
int Report(const Error& error);

// "2G", "512M", "64K", plain bytes.
Result<uint64_t> ParseSize(const std::string& text);

// Both languages in one help line is noise: the process language decides when the parser is built.
std::string Say(const char* zh, const char* en);

// The directory must be absolute for PostgreSQL and for checkpoints.
std::string Absolute(const std::string& path);

// A subcommand adds itself to the parser and leaves behind what to run; the value is the exit code.
using Action = std::function<int()>;
// What a subcommand is for: `execute` on its options, its error reported.
template <typename Options>
void RunOnUse(Command sub, Action* action, std::shared_ptr<Options> o,
              Status (*execute)(const Options&)) {
  sub.OnUse([o, action, execute] {
    *action = [o, execute] {
      auto s = execute(*o);
      return s ? 0 : Report(s.error());
    };
  });
}
void AddDemoData(Command app, Action* action);
void AddInspect(Command app, Action* action);
void AddCompare(Command app, Action* action);
void AddExport(Command app, Action* action);
void AddWithdraw(Command app, Action* action);
void AddCheck(Command app, Action* action);
void AddForms(Command app, Action* action);
void AddList(Command app, Action* action);
void AddPerson(Command app, Action* action);
void AddRuns(Command app, Action* action);
void AddLinkage(Command app, Action* action);
void AddEvaluate(Command app, Action* action);
void AddExplain(Command app, Action* action);
void AddReview(Command app, Action* action);
void AddLink(Command app, Action* action);
void AddDoctor(Command app, Action* action);
void AddDb(Command app, Action* action);
void AddUser(Command app, Action* action);
void AddAudit(Command app, Action* action);
void AddServe(Command app, Action* action);

}  // namespace canbao::app
