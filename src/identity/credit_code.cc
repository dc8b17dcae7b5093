#include "identity/credit_code.h"

#include <algorithm>

#include "identity/internal/utf8.h"

namespace canbao::identity {
namespace {

// GB 32100: digits and capital letters without I, O, S, V, Z; a character's place is its value.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
constexpr int kPlaceWeights[17] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
// GB 11714: digits and all capital letters.
constexpr int kOrganisationWeights[8] = {3, 7, 9, 10, 5, 8, 4, 2};

int ValueOf(char c) {
  const size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

bool HasShape(std::string_view s) {
  return s.size() == 18 &&
         std::all_of(s.begin(), s.end(), [](char c) { return ValueOf(c) >= 0; }) &&
         std::all_of(s.begin() + 2, s.begin() + 8, [](char c) { return c >= '0' && c <= '9'; });
}

std::string Clean(std::string_view raw) {
  std::string text;
  const auto* p = reinterpret_cast<const uint8_t*>(raw.data());
  const uint8_t* end = p + raw.size();
  while (p < end) {
    char32_t c = internal::DecodeUtf8(p, end);
    // Half width first: a full-width quote is a quote.
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
    if (internal::IsBlank(c) || c == '\'' || c == '"' || c == '-' || c == 0x2018 || c == 0x2019) {
      continue;
    }
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    internal::AppendUtf8(c, &text);
  }
  return text;
}

// One character over and over (0000…), or words for "none".
bool MeansNone(std::string_view s) {
  return s.empty() || s == "无" || s == "不详" || s == "暂无" || s == "没有" || s == "NULL" ||
         s == "N/A" || s == "/" || s.find_first_not_of(s[0]) == std::string_view::npos;
}

}  // namespace

char CreditCodeCheck(std::string_view first17) {
  if (first17.size() != 17) return 0;
  int sum = 0;
  for (size_t i = 0; i < 17; ++i) {
    const int value = ValueOf(first17[i]);
    if (value < 0) return 0;
    sum += value * kPlaceWeights[i];
  }
  return kAlphabet[static_cast<size_t>((31 - sum % 31) % 31)];
}

char OrganisationCodeCheck(std::string_view first8) {
  if (first8.size() != 8) return 0;
  int sum = 0;
  for (size_t i = 0; i < 8; ++i) {
    const char c = first8[i];
    int value = 0;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if (c >= 'A' && c <= 'Z') {
      value = c - 'A' + 10;
    } else {
      return 0;
    }
    sum += value * kOrganisationWeights[i];
  }
  const int check = 11 - sum % 11;
  return check == 10 ? 'X' : check == 11 ? '0' : static_cast<char>('0' + check);
}

ParsedCreditCode ParseCreditCode(std::string_view raw) {
  ParsedCreditCode out;
  out.text = Clean(raw);
  if (MeansNone(out.text)) {
    out.cls = CreditCodeClass::kMissing;
  } else if (!HasShape(out.text)) {
    out.cls = CreditCodeClass::kInvalid;
  } else {
    const std::string_view s = out.text;
    out.cls =
        CreditCodeCheck(s.substr(0, 17)) == s[17] && OrganisationCodeCheck(s.substr(8, 8)) == s[16]
            ? CreditCodeClass::kValid
            : CreditCodeClass::kSoftInvalid;
  }
  return out;
}

}  // namespace canbao::identity
