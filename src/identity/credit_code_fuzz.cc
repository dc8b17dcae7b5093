// Any bytes in a credit code column: what is called valid stays valid when it is read again.
#include <cstdlib>
#include <string_view>

#include "identity/credit_code.h"
#include "identity/division.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using canbao::identity::CreditCodeClass;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto code = canbao::identity::ParseCreditCode(input);
  const auto again = canbao::identity::ParseCreditCode(code.text);
  if (again.cls != code.cls || again.text != code.text) std::abort();
  if (code.cls == CreditCodeClass::kValid && code.text.size() != 18) std::abort();
  const auto division = canbao::identity::ParseDivision(input);
  if (division.has_value() && division.v / 10000000000 < 10) std::abort();
  return 0;
}
