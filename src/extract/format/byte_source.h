// The bytes of a delivered file, from first to last, once: plain, .gz or .zst. A source belongs to
// one thread at a time.
//
// Plain files that the page cache does not hold are read with O_DIRECT: half the CPU of a buffered
// read and the cache is left alone (engineering measurements: 1.8 CPU-s/GB buffered and cold).
// Where the file system refuses O_DIRECT, buffered reads take over.
//
// Errors: kErrOpen, kErrRead (kEnvironment); kErrCompressed (kInput) for a truncated or damaged
// archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/digest.h"
#include "base/error.h"

namespace canbao::extract {

// Alignment of buffers, offsets and sizes that O_DIRECT asks for.
inline constexpr size_t kIoAlignment = 4096;

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `size` bytes but at the end of the file; 0 = end. `data` is aligned to kIoAlignment, and
  // `size` a multiple of it.
  virtual Result<size_t> Read(char* data, size_t size) = 0;
  // Bytes of the stored file that were read so far, and all of them.
  virtual uint64_t stored_read() const = 0;
  uint64_t stored_size() const { return stored_size_; }
  // Compressed sources hash the stored bytes themselves; of plain ones the caller hashes what it
  // reads.
  virtual Sha256* hasher() { return nullptr; }

 protected:
  uint64_t stored_size_ = 0;
};

enum class Compression { kNone, kGzip, kZstd };
Compression CompressionOf(const std::string& path);  // by its name

// `direct`: read past the page cache where that is possible and the file is not cached.
Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path, bool direct);

// A buffer for Read: room for `headroom` bytes in front and padding behind the data.
class BlockBuffer {
 public:
  static constexpr size_t kHeadroom = (size_t{1} << 20) + kIoAlignment;
  explicit BlockBuffer(size_t capacity);
  ~BlockBuffer();
  BlockBuffer(const BlockBuffer&) = delete;
  BlockBuffer& operator=(const BlockBuffer&) = delete;
  char* data() { return base_ + kHeadroom; }
  size_t capacity() const { return capacity_; }

 private:
  char* base_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace canbao::extract
