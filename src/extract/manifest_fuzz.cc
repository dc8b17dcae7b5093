// Any bytes as a manifest: read or refused with a code, never anything else.
#include "extract/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  auto delivery = ParseManifest({reinterpret_cast<const char*>(data), size}, "manifest.toml");
  if (!delivery) {
    if (delivery.error().code.rfind("CB-EXTRACT-", 0) != 0) __builtin_trap();
    return 0;
  }
  for (const ExtractSpec& spec : delivery->extracts) {
    if (spec.file.empty() || spec.file[0] == '/') __builtin_trap();
  }
  return 0;
}
