// Parquet in and out, by the module of parquet_module.h. One thread. Errors: kErrTableParquet, of
// class kEnvironment when the module is not there, kInput when a file cannot be read.
#pragma once

#include <string>

#include "base/error.h"
#include "linkage/table.h"

namespace canbao::linkage {

bool IsParquet(const std::string& path);  // by its name
Result<Table> ReadParquet(const std::string& path);
// `line…` and `same_person` become integers, `…weight` and `probability` numbers, all else text.
Status WriteParquet(const Table& table, const std::string& path);

}  // namespace canbao::linkage
