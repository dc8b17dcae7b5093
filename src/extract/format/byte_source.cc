#include "extract/format/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "extract/errors.h"
#include "extract/format/record_index.h"

namespace canbao::extract {
namespace {

// Smaller files are not worth O_DIRECT.
constexpr uint64_t kDirectFrom = uint64_t{32} << 20;
constexpr size_t kCompressedChunk = size_t{256} << 10;

tl::unexpected<Error> OpenError(const std::string& path, int error) {
  return Fail(
      Error{ErrorClass::kEnvironment, kErrOpen,
            Msg("无法打开文件：{0}", "cannot open the file: {0}", std::strerror(error)),
            Msg("请检查文件是否存在、是否有读取权限", "check that it exists and may be read"), path,
            0, 0});
}

tl::unexpected<Error> ReadError(const std::string& path, uint64_t offset, int error) {
  return Fail(
      Error{ErrorClass::kEnvironment, kErrRead,
            Msg("读取文件出错（偏移 {0}）：{1}", "reading failed at offset {0}: {1}", offset,
                std::strerror(error)),
            Msg("请检查磁盘或网络存储后重试", "check the disk or network storage and try again"),
            path, 0, 0});
}

tl::unexpected<Error> Damaged(const std::string& path, uint64_t offset, bool truncated) {
  return Fail(Error{ErrorClass::kInput, kErrCompressed,
                    truncated ? Msg("压缩文件不完整（止于字节 {0}）",
                                    "the compressed file ends too early (at byte {0})", offset)
                              : Msg("压缩文件已损坏（约在字节 {0}）",
                                    "the compressed file is damaged (near byte {0})", offset),
                    Msg("请重新传送该文件", "have the file sent again"), path, 0, 0});
}

struct Fd {
  int fd = -1;
  Fd() = default;
  explicit Fd(int f) : fd(f) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Close(); }
  void Close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// Whether the first, middle and last page can be read without waiting for the disk.
bool IsCached(int fd, uint64_t size) {
  char byte[64];
  for (uint64_t at : {uint64_t{0}, size / 2, size - sizeof byte}) {
    iovec io{byte, sizeof byte};
    if (preadv2(fd, &io, 1, static_cast<off_t>(at), RWF_NOWAIT) <= 0) return false;
  }
  return true;
}

class PlainSource : public ByteSource {
 public:
  Status Open(const std::string& path, bool direct) {
    path_ = path;
    buffered_.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (buffered_.fd < 0) return OpenError(path, errno);
    struct stat st {};
    if (fstat(buffered_.fd, &st) != 0) return OpenError(path, errno);
    if (S_ISDIR(st.st_mode)) return OpenError(path, EISDIR);
    stored_size_ = static_cast<uint64_t>(st.st_size);
    if (direct && S_ISREG(st.st_mode) && stored_size_ >= kDirectFrom &&
        !IsCached(buffered_.fd, stored_size_)) {
      direct_.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
    }
    if (direct_.fd < 0) posix_fadvise(buffered_.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return {};
  }

  Result<size_t> Read(char* data, size_t size) override {
    size_t done = 0;
    while (done < size) {
      bool direct = direct_.fd >= 0 && done % kIoAlignment == 0 && offset_ % kIoAlignment == 0;
      ssize_t n = pread(direct ? direct_.fd : buffered_.fd, data + done, size - done,
                        static_cast<off_t>(offset_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && direct && (errno == EINVAL || errno == EOPNOTSUPP)) {
        direct_.Close();
        continue;
      }
      if (n < 0) return ReadError(path_, offset_, errno);
      if (n == 0) break;
      done += static_cast<size_t>(n);
      offset_ += static_cast<uint64_t>(n);
    }
    return done;
  }

  uint64_t stored_read() const override { return offset_; }

 private:
  std::string path_;
  Fd buffered_, direct_;
  uint64_t offset_ = 0;
};

// What gz and zst have in common: stored bytes in chunks, hashed as they come.
class CompressedSource : public ByteSource {
 public:
  Status Open(const std::string& path) {
    path_ = path;
    fd_.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_.fd < 0) return OpenError(path, errno);
    struct stat st {};
    if (fstat(fd_.fd, &st) != 0) return OpenError(path, errno);
    if (S_ISDIR(st.st_mode)) return OpenError(path, EISDIR);
    stored_size_ = static_cast<uint64_t>(st.st_size);
    posix_fadvise(fd_.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    input_.resize(kCompressedChunk);
    return {};
  }
  uint64_t stored_read() const override { return offset_; }
  Sha256* hasher() override { return &hasher_; }

 protected:
  Result<size_t> Refill() {
    for (;;) {
      ssize_t n = ::read(fd_.fd, input_.data(), input_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ReadError(path_, offset_, errno);
      hasher_.Update(input_.data(), static_cast<size_t>(n));
      offset_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
  }

  std::string path_;
  Fd fd_;
  uint64_t offset_ = 0;
  Sha256 hasher_;
  std::vector<char> input_;
};

class GzipSource : public CompressedSource {
 public:
  ~GzipSource() override { inflateEnd(&stream_); }
  Status Init() {
    // 15 bits of window, +16: gzip only.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
    return {};
  }

  Result<size_t> Read(char* data, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(data);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) {
        CANBAO_ASSIGN(size_t n, Refill());
        if (n == 0) {
          if (in_member_) return Damaged(path_, offset_, true);
          break;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(n);
      }
      if (!in_member_) {
        // Another member follows, or zeros that tapes and some tools append.
        if (members_ > 0) {
          while (stream_.avail_in > 0 && *stream_.next_in == 0) {
            ++stream_.next_in;
            --stream_.avail_in;
          }
          if (stream_.avail_in == 0) continue;
          inflateReset(&stream_);
        }
        in_member_ = true;
      }
      int rc = inflate(&stream_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) {
        in_member_ = false;
        ++members_;
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return Damaged(path_, offset_ - stream_.avail_in, false);
      }
    }
    return size - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool in_member_ = false;
  int members_ = 0;
};

class ZstdSource : public CompressedSource {
 public:
  ZstdSource() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  Result<size_t> Read(char* data, size_t size) override {
    ZSTD_outBuffer out{data, size, 0};
    while (out.pos < out.size) {
      // A full output may have left more of it inside the decoder.
      if (in_.pos == in_.size && !more_inside_) {
        CANBAO_ASSIGN(size_t n, Refill());
        if (n == 0) {
          if (pending_ != 0) return Damaged(path_, offset_, true);
          break;
        }
        in_ = {input_.data(), n, 0};
      }
      pending_ = ZSTD_decompressStream(stream_, &out, &in_);
      if (ZSTD_isError(pending_)) return Damaged(path_, offset_ - (in_.size - in_.pos), false);
      more_inside_ = out.pos == out.size;
    }
    return out.pos;
  }

 private:
  ZSTD_DStream* stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  size_t pending_ = 0;  // 0 = a frame is complete
  bool more_inside_ = false;
};

bool EndsWith(const std::string& text, std::string_view end) {
  if (text.size() < end.size()) return false;
  for (size_t i = 0; i < end.size(); ++i) {
    char c = text[text.size() - end.size() + i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != end[i]) return false;
  }
  return true;
}

}  // namespace

Compression CompressionOf(const std::string& path) {
  if (EndsWith(path, ".gz")) return Compression::kGzip;
  if (EndsWith(path, ".zst")) return Compression::kZstd;
  return Compression::kNone;
}

Result<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path, bool direct) {
  switch (CompressionOf(path)) {
    case Compression::kGzip: {
      auto source = std::make_unique<GzipSource>();
      CANBAO_TRY(source->Open(path));
      CANBAO_TRY(source->Init());
      return source;
    }
    case Compression::kZstd: {
      auto source = std::make_unique<ZstdSource>();
      CANBAO_TRY(source->Open(path));
      return source;
    }
    case Compression::kNone:
      break;
  }
  auto source = std::make_unique<PlainSource>();
  CANBAO_TRY(source->Open(path, direct));
  return source;
}

BlockBuffer::BlockBuffer(size_t capacity) : capacity_(capacity) {
  size_t size = kHeadroom + capacity + kBlockPadding;
  size = (size + kIoAlignment - 1) / kIoAlignment * kIoAlignment;
  base_ = static_cast<char*>(std::aligned_alloc(kIoAlignment, size));
  if (base_ == nullptr) throw std::bad_alloc();
  std::memset(base_, 0, size);
}

BlockBuffer::~BlockBuffer() { std::free(base_); }

}  // namespace canbao::extract
