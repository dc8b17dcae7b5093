#include "register/internal/employer_sink.h"

#include <cstring>

#include "register/internal/clean_text.h"

namespace canbao::reg {
namespace {

uint64_t Fold(uint64_t a, uint64_t b) {
  unsigned __int128 r = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(r) ^ static_cast<uint64_t>(r >> 64);
}

uint64_t HashText(uint64_t h, std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  h = Fold(h ^ 0xa0761d6478bd642full, n ^ 0xe7037ed1a0b428dbull);
  for (; n > 0; n -= std::min<size_t>(n, 8), p += 8) {
    uint64_t w = 0;
    std::memcpy(&w, p, std::min<size_t>(n, 8));
    h = Fold(h ^ w, 0x8ebc6af09c88c6e3ull ^ (h >> 32));
  }
  return h;
}

}  // namespace

uint64_t EmployerKey(std::string_view number, std::string_view name, std::string_view uscc) {
  if (number.empty() && name.empty() && uscc.empty()) return 0;
  uint64_t h = HashText(HashText(HashText(0x589965cc75374cc3ull, number), name), uscc);
  return h == 0 ? 1 : h;
}

Status EmployerSink::Add(uint64_t key, std::string_view number, std::string_view name,
                         std::string_view uscc) {
  Shard& shard = shards_[key % shards_.size()];
  {
    std::lock_guard guard(shard.mutex);
    if (!shard.seen.insert(key).second) return {};
  }
  std::lock_guard guard(sending_);
  buffer_.Row(4);
  buffer_.Int8(static_cast<int64_t>(key));
  PutText(buffer_, number);
  PutText(buffer_, name);
  PutText(buffer_, uscc);
  if (buffer_.size() < 256 * 1024) return {};
  Status sent = send_(buffer_);
  buffer_.Clear();
  return sent;
}

Status EmployerSink::Flush() {
  std::lock_guard guard(sending_);
  Status sent = send_(buffer_);
  buffer_.Clear();
  return sent;
}

}  // namespace canbao::reg
