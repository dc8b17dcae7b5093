// Dates as agencies and spreadsheets write them. Pure, thread-safe.
//
// YYYYMMDD, YYYY-M-D, YYYY/M/D, YYYY.M.D, YYYY年M月D日, the same without a day and YYYYMM (first of
// the month), a time of day behind any of them (ignored), and day serials of spreadsheets (five
// digits; 1 = 1900-01-01, or days since 1904-01-01).
#pragma once

#include <string_view>

#include "base/date.h"

namespace canbao::extract {

// Missing when the text is no possible date of 1880 or later. Repairs what a spreadsheet damaged: a
// leading apostrophe, full-width digits, inner blanks, a decimal point behind whole numbers.
Date ParseDateText(std::string_view utf8, bool date1904);

// Days of a spreadsheet's serial. Excel believes in 1900-02-29, so serials up to 59 are a day off.
Date DateOfSerial(int64_t serial, bool date1904);

}  // namespace canbao::extract
