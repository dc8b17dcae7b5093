// The style sheet of our pages: light and dark as the reader's system is, and for A4. Colours are
// those of Okabe and Ito, which people who do not tell red from green can tell apart; verdicts
// differ in their hatching as well, for paper without colours.
#pragma once

#include <string_view>

namespace canbao::reporting {

extern const std::string_view kPageStyle;
// Patterns that the style sheet fills with: to stand once in the page.
extern const std::string_view kPagePatterns;

}  // namespace canbao::reporting
