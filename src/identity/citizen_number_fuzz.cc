// Any bytes in the number column: no crash, and what is called valid is consistent with itself.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "identity/citizen_number.h"

using canbao::Date;
using canbao::identity::FromText18;
using canbao::identity::NumberClass;
using canbao::identity::ParsedNumber;
using canbao::identity::ParseNumber;
using canbao::identity::RepairCandidates;

namespace {
void Require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  // The first byte chooses the document type, so that one corpus covers all.
  static constexpr const char* kTypes[] = {"",   "01", "02", "04", "06",
                                           "07", "08", "16", "99", "身份证"};
  const char* type = kTypes[size == 0 ? 0 : data[0] % 10];
  if (!input.empty()) input.remove_prefix(1);
  const Date today = Date::FromYmd(2017, 9, 30);
  const ParsedNumber n = ParseNumber(input, type, today);
  Require(std::strlen(n.text) == n.length || std::memchr(n.text, 0, n.length) != nullptr);
  Require(n.number.has_value() ==
          (n.cls != NumberClass::kMissing && n.cls != NumberClass::kDamaged));
  const std::string text = ToText(n.number);
  if (n.cls == NumberClass::kValid) Require(text == n.text && FromText18(text) == n.number);
  if (n.cls == NumberClass::kUpgraded15) Require(FromText18(text) == n.number && n.length == 15);
  if (n.cls == NumberClass::kOther) Require(!n.number.is_citizen() && text.empty());
  // Cleaning is idempotent: a text that was not cut parses to the same.
  if (n.length < 29) {
    const ParsedNumber again = ParseNumber({n.text, n.length}, type, today);
    Require(again.cls == n.cls && again.number == n.number && !again.cleaned);
  }
  for (std::string_view t : {std::string_view(n.text, n.length), input}) {
    for (auto candidate : RepairCandidates(t, today)) {
      Require(FromText18(ToText(candidate)) == candidate);
    }
  }
  (void)canbao::identity::MaskNumber(input);
  return 0;
}
