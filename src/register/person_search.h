// Finding a person in the caller's session: by number or phone (equality of what is sealed), by
// name (folded: as given, then as a beginning), by pinyin (whole, initials, then a beginning).
// Everything that is compared is equality or order of bytes, which an index serves under row-level
// policies.
//
// Masked. Calls block and belong to the thread of the connection. Errors: CB-REGISTER-11xx.
#pragma once

#include <string>

#include "base/date.h"
#include "base/error.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/scoped_list.h"

namespace canbao::reg {

enum class SearchBy { kNumber, kName, kPinyin, kPhone };

struct PersonQuery {
  SearchBy by = SearchBy::kNumber;
  std::string value;
  std::string division;  // where the person counts; empty = anywhere
  // Of the caller: what matches many (beginnings, initials) is looked for there when no division is
  // said.
  std::string home;
  Date birth;  // missing = any
  std::string after;
  int limit = 20;
};

// `count` only where this page is all of it. CB-REGISTER-1103 for a value that says too little.
Result<TablePage> SearchPersons(Connection& c, const FieldCipher& cipher, const PersonQuery& query);

}  // namespace canbao::reg
