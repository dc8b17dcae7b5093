// Text into a COPY field: what PostgreSQL would refuse (a NUL, bytes that are no UTF-8) becomes
// U+FFFD.
#pragma once

#include <string_view>

#include "register/connection.h"

namespace canbao::reg {

void PutText(CopyBuffer& b, std::string_view text);
// The same inside of an open field: two bytes of length, then the text (cut at a character when the
// replacements make it longer than they can say).
void PutShortText(CopyBuffer& b, std::string_view text);
// Characters of UTF-8.
size_t CodePoints(std::string_view text);

}  // namespace canbao::reg
