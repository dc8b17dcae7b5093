// Secrets that open a session: random tokens, of which the database keeps the SHA-256 only.
// Stateless, thread-safe; fails only where the machine has no randomness (CB-REGISTER-0901).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao::reg {

struct SessionToken {
  std::string token;  // 64 hexadecimal digits
  std::string hash;   // 32 bytes, what canbao.session keeps
};

Result<SessionToken> NewSessionToken();
std::string TokenHash(std::string_view token);
// `bytes` random bytes.
Result<std::string> RandomBytes(size_t bytes);
std::string ToHex(std::string_view bytes);

}  // namespace canbao::reg
