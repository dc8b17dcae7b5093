#include "comparison/spill.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/file.h"

namespace canbao::comparison {
namespace {

// A few records at least; tests make the budget that small.
constexpr uint64_t kSmallestChunk = 512;
constexpr char kDirectoryMagic[8] = {'C', 'B', 'S', 'P', 'D', 'I', 'R', '1'};

Error IoError(const char* code, const std::string& path, int e) {
  bool full = e == ENOSPC || e == EDQUOT;
  return Error{
      ErrorClass::kEnvironment,
      full ? "CB-COMPARISON-0001" : code,
      Msg("工作文件读写失败：{0}", "cannot read or write a working file: {0}", std::strerror(e)),
      full ? Text{"请释放磁盘空间后重新执行同一命令，已完成的阶段不会重做。",
                  "free disk space and run the same command again; finished stages are kept."}
           : Text{"请检查磁盘后重新执行同一命令。",
                  "check the disk and run the same command again."},
      path,
      0,
      0};
}

Status WriteAll(int fd, const char* data, size_t size, uint64_t offset, const std::string& path) {
  while (size > 0) {
    ssize_t n = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Fail(IoError("CB-COMPARISON-0002", path, errno));
    }
    data += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

}  // namespace

StreamCipher::StreamCipher(const RunKey& key) : ctx_(EVP_CIPHER_CTX_new()), key_(key) {
  EVP_EncryptInit_ex(static_cast<EVP_CIPHER_CTX*>(ctx_), EVP_aes_256_ctr(), nullptr, key_.data(),
                     nullptr);
}

StreamCipher::~StreamCipher() { EVP_CIPHER_CTX_free(static_cast<EVP_CIPHER_CTX*>(ctx_)); }

void StreamCipher::Apply(uint64_t id, uint64_t offset, void* data, size_t size) {
  auto* ctx = static_cast<EVP_CIPHER_CTX*>(ctx_);
  unsigned char iv[16];
  uint64_t counter = offset / 16;
  for (int i = 0; i < 8; ++i) {
    iv[i] = static_cast<unsigned char>(id >> (56 - 8 * i));
    iv[8 + i] = static_cast<unsigned char>(counter >> (56 - 8 * i));
  }
  EVP_EncryptInit_ex(ctx, nullptr, nullptr, nullptr, iv);
  auto* p = static_cast<unsigned char*>(data);
  while (size > 0) {
    int n = static_cast<int>(std::min<size_t>(size, 1u << 30));
    int out = 0;
    EVP_EncryptUpdate(ctx, p, &out, p, n);
    p += n;
    size -= static_cast<size_t>(n);
  }
}

void Spill::FreeDeleter::operator()(char* p) const { std::free(p); }

Result<std::unique_ptr<Spill>> Spill::Create(const std::string& path, uint32_t partitions,
                                             int workers, uint64_t budget, const RunKey& key) {
  std::unique_ptr<Spill> s(new Spill);
  s->path_ = path;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&s->id_), 8) != 1) throw std::bad_alloc();
  s->partitions_ = partitions;
  // A quarter of the budget for the buffers that fill up; the rest for those that are full.
  uint64_t buffers = static_cast<uint64_t>(partitions) * static_cast<uint64_t>(workers);
  s->chunk_ = static_cast<uint32_t>(
      std::clamp<uint64_t>(budget / 4 / buffers / 64 * 64, kSmallestChunk, 32 * 1024));
  s->blocks_left_ = static_cast<int64_t>(budget / s->chunk_) - static_cast<int64_t>(buffers);
  s->slab_ = std::max<size_t>(1, (4u << 20) / s->chunk_) * s->chunk_;
  ::unlink((path + ".dir").c_str());
  s->fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (s->fd_ < 0) return Fail(IoError("CB-COMPARISON-0002", path, errno));
  s->buffers_.resize(buffers);
  s->workers_ = std::vector<Worker>(static_cast<size_t>(workers));
  for (Worker& w : s->workers_) {
    w.cipher = std::make_unique<StreamCipher>(key);
    w.slab_used = s->slab_;
  }
  return s;
}

Spill::~Spill() {
  if (fd_ >= 0) ::close(fd_);
}

char* Spill::NewBlock(Worker* w) {
  if (w->slab_used == slab_) {
    // Buffers are hit at random: huge pages save most of the TLB misses.
    constexpr size_t kHuge = 2u << 20;
    size_t size = (slab_ + kHuge - 1) / kHuge * kHuge;
    char* p = static_cast<char*>(std::aligned_alloc(kHuge, size));
    if (p == nullptr) throw std::bad_alloc();
    if (slab_ >= kHuge) ::madvise(p, size, MADV_HUGEPAGE);
    w->slabs.emplace_back(p);
    w->slab_used = 0;
  }
  char* block = w->slabs.back().get() + w->slab_used;
  w->slab_used += chunk_;
  return block;
}

Status Spill::WriteChunk(Worker* w, uint32_t partition, char* data, size_t size) {
  uint64_t offset = tail_.fetch_add((size + 15) / 16 * 16, std::memory_order_relaxed);
  w->cipher->Apply(id_, offset, data, size);
  CANBAO_TRY(WriteAll(fd_, data, size, offset, path_));
  w->chunks.push_back(Chunk{partition, static_cast<uint32_t>(size), offset});
  return {};
}

// Makes room in the buffer: what is in it stays in memory while the budget lasts.
Status Spill::Turn(Worker* w, uint32_t partition, Buffer* b) {
  char* base = b->end == nullptr ? nullptr : BaseOf(*b);
  if (size_t size = SizeOf(*b); size > 0) {
    if (blocks_left_.load(std::memory_order_relaxed) > 0 &&
        blocks_left_.fetch_sub(1, std::memory_order_relaxed) > 0) {
      w->blocks.push_back(Block{partition, static_cast<uint32_t>(size), base});
      base = nullptr;
    } else {
      CANBAO_TRY(WriteChunk(w, partition, base, size));
    }
  }
  if (base == nullptr) base = NewBlock(w);
  b->at = base;
  b->end = base + chunk_;
  return {};
}

Status Spill::AppendSlow(int worker, uint32_t partition, const void* record, size_t size) {
  Worker& w = workers_[static_cast<size_t>(worker)];
  if (size > chunk_) {
    std::vector<char> copy(static_cast<const char*>(record),
                           static_cast<const char*>(record) + size);
    return WriteChunk(&w, partition, copy.data(), size);
  }
  CANBAO_TRY(Turn(&w, partition, &BufferOf(worker, partition)));
  std::memcpy(Claim(worker, partition, size), record, size);
  return {};
}

bool Spill::MostlySpilled() const {
  uint64_t resident = 0;
  for (const Worker& w : workers_) resident += w.blocks.size() * chunk_;
  return spilled_bytes() > resident;
}

void Spill::Index() {
  std::sort(directory_.begin(), directory_.end(), [](const Chunk& a, const Chunk& b) {
    return a.partition != b.partition ? a.partition < b.partition : a.offset < b.offset;
  });
  std::stable_sort(blocks_.begin(), blocks_.end(),
                   [](const Block& a, const Block& b) { return a.partition < b.partition; });
  auto first_of = [this](const auto& list) {
    std::vector<uint32_t> first(partitions_ + 1, 0);
    for (const auto& c : list) ++first[c.partition + 1];
    for (uint32_t p = 0; p < partitions_; ++p) first[p + 1] += first[p];
    return first;
  };
  first_ = first_of(directory_);
  first_block_ = first_of(blocks_);
}

Status Spill::Seal(bool persist) {
  for (size_t w = 0; w < workers_.size(); ++w) {
    Worker& worker = workers_[w];
    for (uint32_t p = 0; p < partitions_; ++p) {
      const Buffer& b = buffers_[w * partitions_ + p];
      if (size_t size = SizeOf(b); size > 0) {
        worker.blocks.push_back(Block{p, static_cast<uint32_t>(size), BaseOf(b)});
      }
    }
    if (persist) {
      for (const Block& b : worker.blocks) {
        CANBAO_TRY(WriteChunk(&worker, b.partition, b.data, b.size));
      }
      worker.blocks.clear();
      worker.slabs.clear();
    }
    directory_.insert(directory_.end(), worker.chunks.begin(), worker.chunks.end());
    blocks_.insert(blocks_.end(), worker.blocks.begin(), worker.blocks.end());
    worker.chunks.clear();
    worker.blocks.clear();
    worker.cipher.reset();
  }
  buffers_.clear();
  for (const Block& b : blocks_) resident_bytes_ += b.size;
  Index();
  if (!persist) return {};
  std::string out(kDirectoryMagic, sizeof(kDirectoryMagic));
  auto put = [&out](const void* p, size_t n) { out.append(static_cast<const char*>(p), n); };
  uint64_t tail = tail_;
  uint64_t count = directory_.size();
  put(&partitions_, 4);
  put(&id_, 8);
  put(&tail, 8);
  put(&count, 8);
  for (const Chunk& c : directory_) put(&c, sizeof(Chunk));
  out += Sha256Hex(out);
  return WriteFileAtomic(path_ + ".dir", out);
}

Result<std::unique_ptr<Spill>> Spill::Open(const std::string& path) {
  CANBAO_ASSIGN(std::string dir, ReadWholeFile(path + ".dir"));
  auto broken = [&] {
    return Fail(Error{ErrorClass::kInternal,
                      "CB-COMPARISON-0003",
                      Msg("工作文件不完整", "a working file is not whole"),
                      {},
                      path,
                      0,
                      0});
  };
  constexpr size_t kHead = sizeof(kDirectoryMagic) + 28;
  if (dir.size() < kHead + 64 || std::memcmp(dir.data(), kDirectoryMagic, 8) != 0 ||
      Sha256Hex(std::string_view(dir).substr(0, dir.size() - 64)) != dir.substr(dir.size() - 64)) {
    return broken();
  }
  std::unique_ptr<Spill> s(new Spill);
  s->path_ = path;
  uint64_t tail = 0;
  uint64_t count = 0;
  std::memcpy(&s->partitions_, dir.data() + 8, 4);
  std::memcpy(&s->id_, dir.data() + 12, 8);
  std::memcpy(&tail, dir.data() + 20, 8);
  std::memcpy(&count, dir.data() + 28, 8);
  if (dir.size() != kHead + count * sizeof(Chunk) + 64) return broken();
  s->tail_ = tail;
  s->directory_.resize(count);
  CopyBytes(s->directory_.data(), dir.data() + kHead, count * sizeof(Chunk));
  s->Index();
  s->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (s->fd_ < 0) return broken();
  // A power cut may have lost pages of the spill although its directory was written.
  struct stat st {};
  if (::fstat(s->fd_, &st) != 0) return broken();
  for (const Chunk& c : s->directory_) {
    if (c.offset + c.size > static_cast<uint64_t>(st.st_size)) return broken();
  }
  return s;
}

uint64_t Spill::PartitionBytes(uint32_t partition) const {
  uint64_t n = 0;
  for (uint32_t i = first_[partition]; i < first_[partition + 1]; ++i) n += directory_[i].size;
  for (uint32_t i = first_block_[partition]; i < first_block_[partition + 1]; ++i) {
    n += blocks_[i].size;
  }
  return n;
}

Status Spill::ReadPartition(uint32_t partition, StreamCipher* cipher, std::vector<char>* buffer,
                            std::vector<std::span<const char>>* pieces) const {
  pieces->clear();
  size_t spilled = 0;
  for (uint32_t i = first_[partition]; i < first_[partition + 1]; ++i) {
    spilled += directory_[i].size;
  }
  if (buffer->size() < spilled) buffer->resize(spilled);
  char* p = buffer->data();
  for (uint32_t i = first_[partition]; i < first_[partition + 1]; ++i) {
    const Chunk& c = directory_[i];
    size_t done = 0;
    while (done < c.size) {
      ssize_t n = ::pread(fd_, p + done, c.size - done, static_cast<off_t>(c.offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Fail(IoError("CB-COMPARISON-0002", path_, n == 0 ? EIO : errno));
      done += static_cast<size_t>(n);
    }
    cipher->Apply(id_, c.offset, p, c.size);
    pieces->emplace_back(p, c.size);
    p += c.size;
  }
  for (uint32_t i = first_block_[partition]; i < first_block_[partition + 1]; ++i) {
    pieces->emplace_back(blocks_[i].data, blocks_[i].size);
  }
  return {};
}

Status Spill::ReadPartition(uint32_t partition, StreamCipher* cipher,
                            std::vector<char>* out) const {
  std::vector<char> buffer;
  std::vector<std::span<const char>> pieces;
  CANBAO_TRY(ReadPartition(partition, cipher, &buffer, &pieces));
  out->clear();
  for (std::span<const char> piece : pieces) out->insert(out->end(), piece.begin(), piece.end());
  return {};
}

void Spill::Remove() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  ::unlink(path_.c_str());
  ::unlink((path_ + ".dir").c_str());
}

}  // namespace canbao::comparison
