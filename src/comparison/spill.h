// Partitioned spill: the only path by which rows travel between the stages of a comparison. Workers
// append byte records to partitions; full buffers stay in memory while the budget lasts and go to
// disk behind that, encrypted under the run key; a stage later reads one partition at a time and
// cannot tell which of its pieces came from where.
//
//   worker 0: [buffer of partition 0][buffer of partition 1] … ─▶ resident blocks
//   worker 1: [buffer of partition 0][buffer of partition 1] … ─▶ chunks of the spill file
//
// Layout of the file: chunks at 16-byte aligned offsets, nothing between them; which chunk belongs
// to which partition stands in the directory, which Seal(true) writes beside the file (name +
// ".dir", under a digest) once everything resident has followed. A spill without its directory is
// unfinished and ignored: that is the checkpoint. What fits in memory is not worth one: reading it
// again takes seconds.
//
// Threads: Append() by one thread per worker number; Seal() after all workers ended;
// ReadPartition() by any thread after Seal() or Open(). The order of pieces depends on timing;
// readers must not rely on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
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
  // `budget` bytes are shared by the buffers of all workers and what stays resident. Each file is a
  // cipher stream of its own (a random number, kept in the directory): no key stream is ever used
  // twice.
  static Result<std::unique_ptr<Spill>> Create(const std::string& path, uint32_t partitions,
                                               int workers, uint64_t budget, const RunKey& key);
  // A sealed spill of an earlier process; kInternal-class error when it is not whole.
  static Result<std::unique_ptr<Spill>> Open(const std::string& path);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  uint32_t partitions() const { return partitions_; }
  // Bytes that went to disk, and that stay in memory (after Seal).
  uint64_t spilled_bytes() const { return tail_.load(std::memory_order_relaxed); }
  uint64_t resident_bytes() const { return resident_bytes_; }
  // Before Seal(): more went to disk so far than could stay.
  bool MostlySpilled() const;
  uint64_t bytes() const { return spilled_bytes() + resident_bytes_; }
  uint64_t PartitionBytes(uint32_t partition) const;

  // Room for one record of `size` bytes in the partition's buffer, to be filled at once; nullptr
  // when Append() has to make room first.
  uint8_t* Claim(int worker, uint32_t partition, size_t size) {
    Buffer& b = BufferOf(worker, partition);
    if (static_cast<size_t>(b.end - b.at) < size) return nullptr;
    char* p = b.at;
    b.at += size;
    return reinterpret_cast<uint8_t*>(p);
  }
  // Buffers lie anywhere in memory: these two, called some records ahead of Claim() one after the
  // other, fetch the bookkeeping and then the place itself.
  void FetchBuffer(int worker, uint32_t partition) const {
    __builtin_prefetch(&BufferOf(worker, partition));
  }
  void FetchPlace(int worker, uint32_t partition) const {
    char* at = BufferOf(worker, partition).at;
    if (at == nullptr) return;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + 63, 1);
  }
  // Copies one record; records never straddle buffers.
  Status Append(int worker, uint32_t partition, const void* record, size_t size) {
    uint8_t* to = Claim(worker, partition, size);
    if (to == nullptr) return AppendSlow(worker, partition, record, size);
    std::memcpy(to, record, size);
    return {};
  }

  // `persist`: all of it goes to disk, and a later process may Open() it.
  Status Seal(bool persist);
  // The pieces of a partition, decrypted: resident ones where they lie, others read into *buffer
  // (reused by the caller). Valid while both live.
  Status ReadPartition(uint32_t partition, StreamCipher* cipher, std::vector<char>* buffer,
                       std::vector<std::span<const char>>* pieces) const;
  // The same in one piece.
  Status ReadPartition(uint32_t partition, StreamCipher* cipher, std::vector<char>* out) const;
  // Closes and deletes the files.
  void Remove();

 private:
  struct Buffer {
    char* at = nullptr;   // what is free; nothing until the first record comes
    char* end = nullptr;  // `chunk_` bytes behind the beginning
  };
  struct Chunk {
    uint32_t partition;
    uint32_t size;
    uint64_t offset;
  };
  struct Block {
    uint32_t partition;
    uint32_t size;
    char* data;
  };
  struct FreeDeleter {
    void operator()(char* p) const;
  };
  // What one worker owns until the spill is sealed.
  struct alignas(64) Worker {
    std::unique_ptr<StreamCipher> cipher;
    std::vector<Chunk> chunks;
    std::vector<Block> blocks;
    std::vector<std::unique_ptr<char, FreeDeleter>> slabs;
    size_t slab_used = 0;
  };
  Spill() = default;
  Buffer& BufferOf(int worker, uint32_t partition) {
    return buffers_[static_cast<size_t>(worker) * partitions_ + partition];
  }
  const Buffer& BufferOf(int worker, uint32_t partition) const {
    return buffers_[static_cast<size_t>(worker) * partitions_ + partition];
  }
  char* BaseOf(const Buffer& b) const { return b.end - chunk_; }
  size_t SizeOf(const Buffer& b) const {
    return b.end == nullptr ? 0 : static_cast<size_t>(b.at - BaseOf(b));
  }
  Status AppendSlow(int worker, uint32_t partition, const void* record, size_t size);
  Status Turn(Worker* w, uint32_t partition, Buffer* b);
  char* NewBlock(Worker* w);
  Status WriteChunk(Worker* w, uint32_t partition, char* data, size_t size);
  void Index();

  std::string path_;
  uint64_t id_ = 0;
  int fd_ = -1;
  uint32_t partitions_ = 0;
  uint32_t chunk_ = 0;  // bytes of one buffer
  size_t slab_ = 0;     // bytes of one slab, a multiple of chunk_
  std::atomic<int64_t> blocks_left_{0};
  std::vector<Buffer> buffers_;
  std::vector<Worker> workers_;
  std::atomic<uint64_t> tail_{0};
  uint64_t resident_bytes_ = 0;
  std::vector<Chunk> directory_;  // by partition, then offset
  std::vector<uint32_t> first_;   // first chunk of each partition in directory_
  std::vector<Block> blocks_;     // by partition
  std::vector<uint32_t> first_block_;
};

}  // namespace canbao::comparison
