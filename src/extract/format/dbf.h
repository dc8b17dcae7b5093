// dBASE files (.dbf, versions III to IV and FoxPro's) as agencies' old systems write them:
// character, number, date and truth fields. Deleted records are left out; record numbers count
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "extract/format/table_source.h"

namespace canbao::extract {

// `encoding`: "utf-8", "gb18030" or empty (then the language byte, else what the text looks like).
Result<std::unique_ptr<TableSource>> OpenDbf(const std::string& path, const std::string& encoding);

}  // namespace canbao::extract
