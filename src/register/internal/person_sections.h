// What the command and the service share of a person: the sections of everything known, and the
// sealed forms that a typed number may be stored under.
#pragma once

#include <string>
#include <vector>

#include "register/internal/table_text.h"
#include "register/read.h"

namespace canbao::reg {

// In the session of `c`: what it may see. Without a section when that is nothing.
Result<PersonView> ViewOf(Connection& c, const TextContext& context, int64_t key);

std::vector<std::string> SealedNumbers(const FieldCipher& cipher, const std::string& number);

}  // namespace canbao::reg
