// Unified social credit codes (GB 32100) and the organisation codes inside them (GB 11714).
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canbao::identity {

enum class CreditCodeClass : uint8_t {
  kMissing,
  kValid,
  kSoftInvalid,  // right shape, wrong check digit: early legal codes exist (…M0001…); a warning
  kInvalid
};

struct ParsedCreditCode {
  CreditCodeClass cls = CreditCodeClass::kMissing;
  std::string text;  // upper case, half width, no blanks
};

ParsedCreditCode ParseCreditCode(std::string_view raw);
char CreditCodeCheck(std::string_view first17);       // 0 when a character is not allowed
char OrganisationCodeCheck(std::string_view first8);  // 0 when a character is not allowed

}  // namespace canbao::identity
