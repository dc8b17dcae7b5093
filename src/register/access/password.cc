#include "register/access/password.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <semaphore>
#include <stdexcept>

#include "register/access/session_token.h"
#include "register/internal/clean_text.h"

namespace canbao::reg {
namespace {

constexpr std::string_view kCommonPasswords =
#include "register_common_passwords.inc"
    ;
constexpr size_t kShortestPassword = 10;

void InitialiseSodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot be initialised");
}

// 64 MB each: two cores make no more than two at a time anyway.
std::counting_semaphore<2>& HashSlots() {
  static std::counting_semaphore<2> slots(2);
  return slots;
}
class HashSlot {
 public:
  HashSlot() { HashSlots().acquire(); }
  ~HashSlot() { HashSlots().release(); }
  HashSlot(const HashSlot&) = delete;
  HashSlot& operator=(const HashSlot&) = delete;
};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool IsCommon(const std::string& lower) {
  std::string_view rest = kCommonPasswords;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (rest.substr(0, end) == lower) return true;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return false;
}

tl::unexpected<Error> WeakPassword(const char* code, Text why) {
  return Fail(ErrorClass::kInput, code, std::move(why),
              Text{"请换一个至少 10 个字符、不易猜到的密码，例如几个不相干的词。",
                   "Choose another of at least 10 characters, some unrelated words for example."});
}

}  // namespace

Result<std::string> HashPassword(std::string_view password) {
  InitialiseSodium();
  HashSlot slot;
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0903",
                Msg("内存不足，无法处理密码。", "there is not enough memory to hash a password."));
  }
  return std::string(out.data());
}

bool PasswordMatches(const std::string& hash, std::string_view password) {
  InitialiseSodium();
  // Of no password anybody has.
  static const std::string nobody = [] {
    auto random = RandomBytes(32);
    auto made = random ? HashPassword(*random) : Result<std::string>(std::string());
    return made ? *made : std::string();
  }();
  HashSlot slot;
  const std::string& against = hash.empty() ? nobody : hash;
  const bool same =
      crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
  return same && !hash.empty();
}

Status CheckPasswordRules(std::string_view account, std::string_view password) {
  const std::string lower = Lower(password);
  if (CodePoints(password) < kShortestPassword) {
    return WeakPassword("CB-REGISTER-0920",
                        Msg("密码不足 {0} 个字符。", "the password has fewer than {0} characters.",
                            kShortestPassword));
  }
  const std::string name = Lower(account);
  std::string without = lower;
  if (name.size() >= 3) {
    for (size_t at = 0; (at = without.find(name)) != std::string::npos;) {
      without.erase(at, name.size());
    }
  }
  if (without.size() != lower.size() && CodePoints(without) < 6) {
    return WeakPassword("CB-REGISTER-0921",
                        Msg("密码由账号组成。", "the password is made of the account's name."));
  }
  if (std::all_of(lower.begin(), lower.end(), [&](char c) { return c == lower[0]; })) {
    return WeakPassword("CB-REGISTER-0923",
                        Msg("密码只是一个字符的重复。", "the password is one sign repeated."));
  }
  if (IsCommon(lower)) {
    return WeakPassword("CB-REGISTER-0922",
                        Msg("这是最常见的密码之一。", "the password is one of the commonest."));
  }
  return {};
}

Result<std::string> MakeFirstPassword() {
  InitialiseSodium();
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789";
  std::string out;
  for (int i = 0; i < 16; ++i) {
    if (i > 0 && i % 4 == 0) out += '-';
    out += kLetters[randombytes_uniform(static_cast<uint32_t>(kLetters.size()))];
  }
  return out;
}

Result<std::string> MakeTotpSecret() { return RandomBytes(20); }

std::string Base32(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (char c : bytes) {
    held = held << 8 | static_cast<uint8_t>(c);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += kAlphabet[held >> bits & 31];
    }
  }
  if (bits > 0) out += kAlphabet[held << (5 - bits) & 31];
  return out;
}

std::string TotpUri(std::string_view account, std::string_view secret) {
  return fmt::format(
      "otpauth://totp/Canbao:{}?secret={}&issuer=Canbao&algorithm=SHA1&digits=6&period={}", account,
      Base32(secret), kTotpSeconds);
}

std::string TotpCode(std::string_view secret, int64_t step) {
  std::array<unsigned char, 8> counter{};
  for (size_t i = 0; i < 8; ++i) {
    counter[i] = static_cast<unsigned char>(static_cast<uint64_t>(step) >> (56 - 8 * i));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(),
           counter.size(), mac.data(), &size) == nullptr) {
    throw std::runtime_error("OpenSSL refused HMAC-SHA1");
  }
  const size_t at = mac[size - 1] & 15;
  const uint32_t number = (mac[at] & 0x7FU) << 24 | static_cast<uint32_t>(mac[at + 1]) << 16 |
                          static_cast<uint32_t>(mac[at + 2]) << 8 | mac[at + 3];
  return fmt::format("{:06}", number % 1000000);
}

std::optional<int64_t> TotpStep(std::string_view secret, std::string_view code,
                                int64_t unix_seconds) {
  if (code.size() != 6) return std::nullopt;
  std::optional<int64_t> found;
  const int64_t now = unix_seconds / kTotpSeconds;
  for (int64_t step = now - 1; step <= now + 1; ++step) {
    if (sodium_memcmp(TotpCode(secret, step).data(), code.data(), 6) == 0) found = step;
  }
  return found;
}

}  // namespace canbao::reg
