// The text of a manifest.toml apart from the files it names: for tests and fuzzing of the parser.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "extract/delivery.h"

namespace canbao::extract {

// Everything LoadDelivery checks but the existence of the files; `path` is for messages.
Result<Delivery> ParseManifest(std::string_view text, const std::string& path);

}  // namespace canbao::extract
