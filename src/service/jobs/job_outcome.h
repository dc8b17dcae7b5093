// What the end of a job means beyond its own row: a profiled delivery, a checked one, a run loaded.
// Written in the transaction that ends the job, as owner. Reads what the child left in the job's
// folder. Errors: what connection and files say; a result that is not as documented is
// CB-SERVICE-0404.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "register/connection.h"
#include "register/job.h"
#include "service/context.h"

namespace canbao::service {

struct JobEnd {
  int code = 0;
  int signal = 0;
  bool asked = false;                          // somebody cancelled it
  bool stopping = false;                       // the server stops
  std::string problem;                         // JSON, as the child reported it
  std::map<std::string, std::string> results;  // as the child reported them
};

// Fills the job's state, problem, run and result and applies them to what it was about.
Status ApplyJobEnd(reg::Connection& c, const Services& services, const JobEnd& end, reg::Job* job);

// DATA/deliveries-in/<id>: files of uploads, profiles, results of the check.
std::string DeliveryFolder(const Services& services, int64_t id);

}  // namespace canbao::service
