// Every code CB-LINKAGE-NNNN; tests check them. Codes are never used again for something else.
#pragma once

#include <string_view>

namespace canbao::linkage {

// Tables.
inline constexpr std::string_view kErrTableEmpty = "CB-LINKAGE-0001";   // no header, or no text
inline constexpr std::string_view kErrTableHeader = "CB-LINKAGE-0002";  // a name twice, or none
inline constexpr std::string_view kErrTableFields = "CB-LINKAGE-0003";  // fields of a row
inline constexpr std::string_view kErrTableRecord = "CB-LINKAGE-0004";  // too long, unclosed quote
inline constexpr std::string_view kErrTableColumn = "CB-LINKAGE-0005";  // a column is not there
inline constexpr std::string_view kErrTableRows = "CB-LINKAGE-0006";  // more than there is room for
inline constexpr std::string_view kErrTableParquet =
    "CB-LINKAGE-0007";  // Parquet that cannot be read

// Models.
inline constexpr std::string_view kErrModelSyntax = "CB-LINKAGE-0011";  // no TOML
inline constexpr std::string_view kErrModelKey = "CB-LINKAGE-0012";     // unknown or missing key
inline constexpr std::string_view kErrModelValue = "CB-LINKAGE-0013";   // type or bounds
inline constexpr std::string_view kErrModelExpression = "CB-LINKAGE-0014";  // of a derived column
inline constexpr std::string_view kErrModelCycle = "CB-LINKAGE-0015";    // a column made of itself
inline constexpr std::string_view kErrModelLevel = "CB-LINKAGE-0016";    // a level or its order
inline constexpr std::string_view kErrModelTooMuch = "CB-LINKAGE-0017";  // comparisons, levels …
inline constexpr std::string_view kErrModelTwice = "CB-LINKAGE-0018";    // a name given twice
inline constexpr std::string_view kErrModelVersion = "CB-LINKAGE-0019";  // of another program

// Runs.
inline constexpr std::string_view kErrNothingToLink = "CB-LINKAGE-0021";  // files that do not fit
inline constexpr std::string_view kErrNoRoles = "CB-LINKAGE-0022";        // no model can be guessed
inline constexpr std::string_view kErrTooManyPairs = "CB-LINKAGE-0023";   // kept pairs

}  // namespace canbao::linkage
