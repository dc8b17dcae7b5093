// Old binary workbooks (.xls) through the converter xls2csv (Debian package catdoc), run as a child
// process: files of strangers in a format of the 1990s are not parsed in our own memory.
#pragma once

#include <memory>
#include <string>

#include "extract/format/table_source.h"

namespace canbao::extract {

// kErrConverterMissing (kEnvironment) when there is no converter, kErrConverterFailed when it
// fails.
Result<std::unique_ptr<TableSource>> OpenXls(const std::string& path);

}  // namespace canbao::extract
