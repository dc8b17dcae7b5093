// Any bytes in the name column: folding is idempotent, comparison symmetric, codes agree with
// names.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "identity/name.h"

using canbao::identity::CodeOf;
using canbao::identity::CompareNames;
using canbao::identity::FoldedName;
using canbao::identity::FoldName;
using canbao::identity::NameAgreement;

namespace {
void Require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t middle = std::min(input.find('\n'), size);
  const std::string_view first = input.substr(0, middle);
  const std::string_view second = input.substr(std::min(middle + 1, size));
  FoldedName a;
  FoldedName b;
  FoldName(first, &a);
  FoldName(second, &b);
  FoldedName again;
  FoldName(ToUtf8(a), &again);
  Require(again.view() == a.view());
  const NameAgreement agreement = CompareNames(a, b);
  Require(agreement == CompareNames(b, a));
  Require((agreement == NameAgreement::kExact) == (a.length > 0 && a.view() == b.view()));
  Require(CodeOf(a).has_value() == (a.length > 0));
  if (a.length > 0) Require((CodeOf(a) == CodeOf(b)) == (a.view() == b.view()));
  FoldedName packed;
  Unpack(CodeOf(a), &packed);
  if (!CodeOf(a).is_hash()) Require(packed.view() == a.view());
  (void)canbao::identity::Pinyin(first);
  (void)canbao::identity::PinyinInitials(second);
  return 0;
}
