// What a run says of its linkage as one page to look at, to print and to send: HTML that is XML at
// once, charts as SVG, no scripts, nothing from anywhere else. Every chart has a table of its
// figures below it. The same account gives the same bytes. A pure function.
#pragma once

#include <string>

#include "reporting/linkage_report.h"

namespace canbao::reporting {

std::string LinkagePage(const LinkageAccount& account, Lang lang);

}  // namespace canbao::reporting
