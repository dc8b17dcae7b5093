// Keys of encrypted files in the data folder: 32 random bytes, 0600.
#pragma once

#include <string>

#include "base/error.h"
#include "base/row_file.h"

namespace canbao::comparison {

// CB-COMPARISON-0005 when the file is damaged.
Result<RunKey> LoadOrMakeKey(const std::string& path);

}  // namespace canbao::comparison
