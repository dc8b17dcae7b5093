// Where a page of a list begins: the keys of the row before it, sealed, so that they go through a
// browser and come back unchanged or not at all, and only to the list and filters they were made
// for. Pure but for the cipher; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "register/cipher.h"

namespace canbao::reg {

struct Cursor {
  int64_t ordinal = 0;            // of that row, 1-based; 0 = not known
  std::vector<std::string> keys;  // in the list's order
};

// `list` says which list with which filters.
std::string SealCursor(const FieldCipher& cipher, std::string_view list, const Cursor& cursor);
// CB-REGISTER-1101 for one that is damaged, made up, or of another list. `keys`: how many there
// must be.
Result<Cursor> OpenCursor(const FieldCipher& cipher, std::string_view list, std::string_view text,
                          size_t keys);

}  // namespace canbao::reg
