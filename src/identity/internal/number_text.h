// The slow path of ParseNumber: cleaning a number as delivered, recognising placeholders and
// documents that are no citizen number. Policy comes from data/identity (embedded at build time).
// Pure functions, thread-safe. Private to src/identity.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canbao::identity::internal {

struct CleanText {
  std::string text;      // upper case, half width, no blanks, no quotation marks around it
  bool changed = false;  // the text differs from what was delivered
};

CleanText CleanNumber(std::string_view raw);

// Empty, or stands for "no number" by data/identity/placeholders.csv. `text` must be clean.
bool IsPlaceholder(std::string_view text);

// The row says "citizen number", or says nothing.
bool IsCitizenType(std::string_view id_type);

// 62-bit hash of (document family, folded number) when `text` has the shape of another document;
// 0 when it has not. The family is told by the shape first, then by the type of the row, so that
// one passport has one number whether its source fills the type or not.
uint64_t OtherDocumentHash(std::string_view text, std::string_view id_type);

}  // namespace canbao::identity::internal
