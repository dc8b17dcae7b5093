// Everything known of one person as the caller may see it: in the caller's session, masked, at a
// cut-off. A person out of scope does not exist.
//
// Calls block and belong to the thread of the connection. Errors: what connection says, and
// CB-REGISTER-06xx for a cut-off that is not known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/read.h"
#include "register/scoped_list.h"
#include "scheme/scheme.h"

namespace canbao::reg {

struct PersonIdentity {
  // Empty: not known. Masked, or clear from Reveal().
  std::string name, number, document, phone, address;
  std::string birth;
  Text sex, management;
  int64_t county = 0, hukou = 0, residence = 0;
};

// What a person is at a cut-off.
struct PersonClass {
  std::string cutoff;
  std::vector<Text> flags;
  std::vector<scheme::Branch> uncovered;
  std::string form_2_2;  // "7", "not_yet_verified"; empty: in none
};

struct PersonEnrolment {
  scheme::SchemeCode scheme = 0;
  int64_t region = 0;
  scheme::State state = scheme::State::kUnmapped;  // at the cut-off
  std::string enrolled_on, ended_on, employer;
  Text outcome;
  bool confirmed = false;
  std::string place;  // source, file and line
};

struct PersonTable {
  std::string key;
  Text title;
  std::vector<PageColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

struct PersonPage {
  Date cutoff;
  PersonIdentity identity;
  PersonClass classification;
  std::vector<PersonEnrolment> enrolments;
  std::vector<PersonTable> sections;
  std::vector<PersonClass> history;
};

Result<std::optional<PersonPage>> ReadPerson(Connection& c, const FieldCipher& cipher, int64_t key,
                                             Date cutoff);

// Clear values. Whoever calls it records why.
Result<std::optional<PersonIdentity>> RevealPerson(Connection& c, const FieldCipher& cipher,
                                                   int64_t key);

// Whether any row of the person may be seen.
Result<bool> PersonIsVisible(Connection& c, int64_t key);

// A row that belongs to the person, and how it was linked.
struct LinkedRow {
  int outcome = 0;  // 0 = the row that made the person
  Text label;
  std::string kind, source;  // of its file
  std::string place;         // file and line
  uint64_t row_ref = 0;  // in the run's own files (docs/formats/outcome-files.md); 0 = not known
};

struct PersonLinks {
  Date cutoff;
  std::string run;  // folder under runs/
  std::vector<LinkedRow> rows;
};

Result<std::optional<PersonLinks>> LinksOf(Connection& c, int64_t key, Date cutoff);

}  // namespace canbao::reg
