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
  uint64_t share = budget / (static_cast<uint64_t>(partitions) * static_cast<uint64_t>(workers));
  s->chunk_ = static_cast<uint32_t>(std::clamp<uint64_t>(share / 16 * 16, 512, 64 * 1024));
  ::unlink((path + ".dir").c_str());
  s->fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (s->fd_ < 0) return Fail(IoError("CB-COMPARISON-0002", path, errno));
  s->buffers_.resize(static_cast<size_t>(partitions) * static_cast<size_t>(workers));
  s->chunks_.resize(static_cast<size_t>(workers));
  for (int w = 0; w < workers; ++w) {
    size_t size = static_cast<size_t>(partitions) * s->chunk_;
    size = (size + (2u << 20) - 1) / (2u << 20) * (2u << 20);
    char* p = static_cast<char*>(std::aligned_alloc(2u << 20, size));
    if (p == nullptr) throw std::bad_alloc();
    // Buffers are hit at random: huge pages save most of the TLB misses.
    ::madvise(p, size, MADV_HUGEPAGE);
    s->arenas_.emplace_back(p);
    s->ciphers_.push_back(std::make_unique<StreamCipher>(key));
  }
  return s;
}

Spill::~Spill() {
  if (fd_ >= 0) ::close(fd_);
}

Status Spill::WriteChunk(int worker, uint32_t partition, char* data, size_t size) {
  uint64_t offset = tail_.fetch_add((size + 15) / 16 * 16, std::memory_order_relaxed);
  ciphers_[static_cast<size_t>(worker)]->Apply(id_, offset, data, size);
  CANBAO_TRY(WriteAll(fd_, data, size, offset, path_));
  chunks_[static_cast<size_t>(worker)].push_back(
      Chunk{partition, static_cast<uint32_t>(size), offset});
  return {};
}

Status Spill::FlushBuffer(int worker, uint32_t partition) {
  Buffer& b = buffers_[static_cast<size_t>(worker) * partitions_ + partition];
  if (b.size == 0) return {};
  CANBAO_TRY(WriteChunk(worker, partition, Base(worker, partition), b.size));
  b.size = 0;
  return {};
}

Status Spill::AppendLarge(int worker, uint32_t partition, const void* record, size_t size) {
  std::vector<char> copy(static_cast<const char*>(record), static_cast<const char*>(record) + size);
  return WriteChunk(worker, partition, copy.data(), size);
}

void Spill::Index() {
  std::sort(directory_.begin(), directory_.end(), [](const Chunk& a, const Chunk& b) {
    return a.partition != b.partition ? a.partition < b.partition : a.offset < b.offset;
  });
  first_.assign(partitions_ + 1, 0);
  for (const Chunk& c : directory_) ++first_[c.partition + 1];
  for (uint32_t p = 0; p < partitions_; ++p) first_[p + 1] += first_[p];
}

Status Spill::Seal() {
  for (size_t w = 0; w < arenas_.size(); ++w) {
    for (uint32_t p = 0; p < partitions_; ++p) CANBAO_TRY(FlushBuffer(static_cast<int>(w), p));
  }
  arenas_.clear();
  buffers_.clear();
  for (auto& list : chunks_) directory_.insert(directory_.end(), list.begin(), list.end());
  chunks_.clear();
  ciphers_.clear();
  Index();
  std::string out(kDirectoryMagic, sizeof(kDirectoryMagic));
  auto put = [&out](const void* p, size_t n) { out.append(static_cast<const char*>(p), n); };
  uint64_t tail = tail_;
  uint64_t count = directory_.size();
  put(&partitions_, 4);
  put(&id_, 8);
  put(&tail, 8);
  put(&count, 8);
  put(directory_.data(), directory_.size() * sizeof(Chunk));
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
  return n;
}

Status Spill::ReadPartition(uint32_t partition, StreamCipher* cipher,
                            std::vector<char>* out) const {
  out->resize(PartitionBytes(partition));
  char* p = out->data();
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
    p += c.size;
  }
  return {};
}

void Spill::Remove() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  ::unlink(path_.c_str());
  ::unlink((path_ + ".dir").c_str());
}

}  // namespace canbao::comparison
