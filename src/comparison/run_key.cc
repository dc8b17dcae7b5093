#include "comparison/run_key.h"

#include <openssl/rand.h>

#include <algorithm>

#include "base/file.h"

namespace canbao::comparison {

Result<RunKey> LoadOrMakeKey(const std::string& path) {
  RunKey key{};
  if (FileExists(path)) {
    CANBAO_ASSIGN(std::string bytes, ReadWholeFile(path));
    if (bytes.size() != key.size()) {
      return Fail(Error{ErrorClass::kEnvironment, "CB-COMPARISON-0005",
                        Msg("运行密钥文件已损坏", "the key file of a run is damaged"),
                        Text{"从备份恢复该文件，或删除它并重新比对。",
                             "restore the file from a backup, or delete it and compare again."},
                        path, 0, 0});
    }
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
  }
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    return Fail(ErrorClass::kEnvironment, "CB-COMPARISON-0006",
                Msg("无法取得随机数", "no random numbers to be had"));
  }
  CANBAO_TRY(WriteFileAtomic(
      path, std::string_view(reinterpret_cast<const char*>(key.data()), key.size()), 0600));
  return key;
}

}  // namespace canbao::comparison
