// The form as an xlsx workbook in the layout of the notice's attachment: title, reporting unit and
// unit of count, merged headings of two or three levels, the row of column numbers, 合计 and one
// row per part, the checks, the line of signatures and the definitions. Set up to print on A3,
// landscape, one page wide. Written to a temporary name beside the target and moved there: a crash
// leaves no half file.
#pragma once

#include <string>

#include "base/error.h"
#include "base/text.h"
#include "reporting/render.h"

namespace canbao::reporting {

// CB-REPORTING-0010: the file cannot be written.
Status WriteXlsx(const FormTable& table, const std::string& path, Lang lang);

}  // namespace canbao::reporting
