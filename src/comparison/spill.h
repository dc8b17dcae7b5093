// Partitioned spill: the only path by which rows travel between the stages of a comparison. Workers
// append byte records to partitions; full buffers go to disk, encrypted under the run key; a stage
// later reads one partition at a time.
//
//   worker 0: [buffer of partition 0][buffer of partition 1] … ─▶ chunk ─▶ spill file
//   worker 1: [buffer of partition 0][buffer of partition 1] … ─▶ chunk ─▶   (same file)
//
// Layout of the file: chunks at 16-byte aligned offsets, nothing between them; which chunk belongs
// to which partition stands in the directory, which Seal() writes beside the file (name + ".dir",
// under a digest). A spill without its directory is unfinished and ignored: that is the checkpoint.
//
// Threads: Append() by one thread per worker number; Seal() after all workers ended;
// ReadPartition() by any thread after Seal() or Open(). The order of chunks depends on timing;
// readers must not rely on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/row_file.h"

namespace canbao::comparison {

// Encrypts or decrypts in place: AES-256-CTR, counter block = offset / 16 of `offset` in stream
// `id`. `offset` must be a multiple of 16. One object per thread.
class StreamCipher {
 public:
  explicit StreamCipher(const RunKey& key);
  ~StreamCipher();
  StreamCipher(const StreamCipher&) = delete;
  StreamCipher& operator=(const StreamCipher&) = delete;
  void Apply(uint64_t id, uint64_t offset, void* data, size_t size);

 private:
  void* ctx_;
  RunKey key_;
};

class Spill {
 public:
  // `budget` bytes are shared by all buffers of all workers. Each file is a cipher stream of its
  // own (a random number, kept in the directory): no key stream is ever used twice.
  static Result<std::unique_ptr<Spill>> Create(const std::string& path, uint32_t partitions,
                                               int workers, uint64_t budget, const RunKey& key);
  // A sealed spill of an earlier process; kInternal-class error when it is not whole.
  static Result<std::unique_ptr<Spill>> Open(const std::string& path);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  uint32_t partitions() const { return partitions_; }
  uint64_t bytes() const { return tail_.load(std::memory_order_relaxed); }
  uint64_t PartitionBytes(uint32_t partition) const;

  // Copies one record; records never straddle chunks.
  Status Append(int worker, uint32_t partition, const void* record, size_t size) {
    Buffer& b = buffers_[static_cast<size_t>(worker) * partitions_ + partition];
    if (b.size + size > chunk_) {
      if (auto s = FlushBuffer(worker, partition); !s) return s;
      if (size > chunk_) return AppendLarge(worker, partition, record, size);
    }
    std::memcpy(Base(worker, partition) + b.size, record, size);
    b.size += static_cast<uint32_t>(size);
    return {};
  }

  Status Seal();
  // All bytes of a partition, decrypted, into *out (reused by the caller).
  Status ReadPartition(uint32_t partition, StreamCipher* cipher, std::vector<char>* out) const;
  // Closes and deletes the files.
  void Remove();

 private:
  struct Buffer {
    uint32_t size = 0;
  };
  struct Chunk {
    uint32_t partition;
    uint32_t size;
    uint64_t offset;
  };
  Spill() = default;
  char* Base(int worker, uint32_t partition) {
    return arenas_[static_cast<size_t>(worker)].get() + static_cast<size_t>(partition) * chunk_;
  }
  Status FlushBuffer(int worker, uint32_t partition);
  Status AppendLarge(int worker, uint32_t partition, const void* record, size_t size);
  Status WriteChunk(int worker, uint32_t partition, char* data, size_t size);
  void Index();

  std::string path_;
  uint64_t id_ = 0;
  int fd_ = -1;
  uint32_t partitions_ = 0;
  uint32_t chunk_ = 0;  // bytes of one buffer
  std::vector<Buffer> buffers_;
  struct FreeDeleter {
    void operator()(char* p) const;
  };
  std::vector<std::unique_ptr<char, FreeDeleter>> arenas_;
  std::vector<std::unique_ptr<StreamCipher>> ciphers_;
  std::vector<std::vector<Chunk>> chunks_;  // per worker until sealed
  std::atomic<uint64_t> tail_{0};
  std::vector<Chunk> directory_;  // by partition, then offset
  std::vector<uint32_t> first_;   // first chunk of each partition in directory_
};

}  // namespace canbao::comparison
