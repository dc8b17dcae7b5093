// What somebody maps in the console, kept as a file of the register's own mappings
// (DATA/mappings/sources/<source>.toml, docs/formats/mappings.md), one for each source. Adding to
// it keeps what was mapped before; a header or code that is mapped anew changes its meaning.
//
// Stateless; two writers of one source at a time must not be. Errors: kErrMapping of class input
// (a field, code or meaning that does not exist: nothing is written), and what files say.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "extract/row.h"

namespace canbao::extract {

struct OwnMapping {
  std::string source;
  Kind kind = Kind::kEnrolment;
  std::map<std::string, std::string> columns;  // header → field, by its English name
  // Field → code of the source → meaning: of enrolment_state "AAC008/AAC031/AAE116" → state.
  std::map<std::string, std::map<std::string, std::string>> codes;
};

Status AddOwnMapping(const std::string& policy_dir, const std::string& own_dir,
                     const OwnMapping& mapping);

}  // namespace canbao::extract
