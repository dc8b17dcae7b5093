// Passwords (argon2id by libsodium, the parameters stand in the hash) and one-time codes of a
// second factor (TOTP, RFC 6238: HMAC-SHA1, 30 s, six digits). Stateless, thread-safe; a hash takes
// 64 MB and some 50 ms, so at most two are made at a time. Errors: CB-REGISTER-0903 (no memory for
// a hash), 0920-0923 (a password that the rules refuse).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao::reg {

Result<std::string> HashPassword(std::string_view password);
// Also takes its time when `hash` is empty: an account that does not exist answers no faster.
bool PasswordMatches(const std::string& hash, std::string_view password);
// Ten characters at least, not made of the account's name, none of the commonest, not one sign
// repeated.
Status CheckPasswordRules(std::string_view account, std::string_view password);
// Sixteen characters that are not mistaken for each other when read aloud.
Result<std::string> MakeFirstPassword();

// ---- second factor ----
inline constexpr int64_t kTotpSeconds = 30;

Result<std::string> MakeTotpSecret();  // 20 bytes
std::string Base32(std::string_view bytes);
// otpauth://totp/… as authenticator apps read it from a QR code.
std::string TotpUri(std::string_view account, std::string_view secret);
std::string TotpCode(std::string_view secret, int64_t step);
// The step whose code it is: the one of `unix_seconds`, or its neighbour on either side.
std::optional<int64_t> TotpStep(std::string_view secret, std::string_view code,
                                int64_t unix_seconds);

}  // namespace canbao::reg
