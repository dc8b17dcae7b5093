// Checks of a data folder's register, for `canbao doctor`: each is asked, and the answers come
// together, good ones too. Nothing is changed but that the instance is started when it does not
// run. Blocks; one thread.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "register/database.h"

namespace canbao::reg {

enum class Health { kGood, kWarning, kBad };

struct DoctorFinding {
  Health health = Health::kGood;
  std::string code;  // of the problem, CB-REGISTER-08xx or what the failing part says; "" when good
  Text subject;      // what was looked at
  Text message;      // what was found
  Text remedy;
};

struct DoctorOptions {
  DatabaseOptions database;
  uint64_t free_bytes_wanted = 10ull << 30;
  bool recount = true;  // figures against the classification of every cut-off: reads all of it
};

// Instance and environment, schema, keys and their modes, accounts of all runs, figures against
// their people, classification against persons, leftovers of an interrupted load, disk space.
std::vector<DoctorFinding> Examine(const std::string& data_dir, const DoctorOptions& options = {});

}  // namespace canbao::reg
