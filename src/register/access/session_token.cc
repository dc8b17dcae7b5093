#include "register/access/session_token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace canbao::reg {

Result<std::string> RandomBytes(size_t bytes) {
  std::string out(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0901",
                Msg("系统没有可用的随机数。", "the machine has no random numbers."));
  }
  return out;
}

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::string TokenHash(std::string_view token) {
  std::string hash(32, '\0');
  unsigned int size = 0;
  EVP_Digest(token.data(), token.size(), reinterpret_cast<unsigned char*>(hash.data()), &size,
             EVP_sha256(), nullptr);
  return hash;
}

Result<SessionToken> NewSessionToken() {
  CANBAO_ASSIGN(std::string bytes, RandomBytes(32));
  SessionToken made;
  made.token = ToHex(bytes);
  made.hash = TokenHash(made.token);
  return made;
}

}  // namespace canbao::reg
