// Layout in docs/formats/row-files.md. Whatever is read is checked before it is believed: lengths
// against the file's size, then the checksum, then the bytes are decrypted.
#include "base/row_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace canbao {
namespace {

constexpr char kMagic[8] = {'C', 'B', 'R', 'O', 'W', 'S', '0', '1'};
constexpr char kEndMagic[8] = {'C', 'B', 'R', 'O', 'W', 'E', 'N', 'D'};
constexpr size_t kBlockBytes = 256 * 1024;  // a block is closed by the row that reaches it
constexpr uint32_t kMaxBlockBytes = 64u << 20;
constexpr uint32_t kMaxHeaderBytes = 1u << 20;

// All integers are little-endian, as on every machine that this runs on.
struct FileHead {
  char magic[8];
  uint32_t schema_bytes;  // after this head
  uint32_t reserved;
  uint8_t file_id[16];  // random: the file's key and checksum seed are derived from it
  uint64_t key_check;   // tells a wrong key from damage
  uint64_t checksum;    // of the head up to here and the schema
};
static_assert(sizeof(FileHead) == 48);

struct BlockHead {
  uint32_t bytes;
  uint32_t rows;
  uint64_t number;    // from 0: blocks cannot change places
  uint64_t checksum;  // of the head up to here and the encrypted bytes
  uint64_t reserved;
};
static_assert(sizeof(BlockHead) == 32);

struct Foot {
  uint64_t rows;
  uint64_t blocks;
  uint64_t bytes;  // of the file without the foot
  uint64_t checksum;
  char magic[8];
};
static_assert(sizeof(Foot) == 40);

uint64_t Mum(uint64_t a, uint64_t b) {
  unsigned __int128 r = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(r) ^ static_cast<uint64_t>(r >> 64);
}

uint64_t Load64(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

// A 64-bit multiply-and-fold checksum in four lanes (10 GB/s; SHA-256 without SHA-NI would be the
// slowest part of a load). Seeded with a secret of the file, so that nobody without the key can
// make a block that passes by accident or simple arithmetic; it is no signature.
class Checksum {
 public:
  explicit Checksum(uint64_t seed)
      : lane_{seed, seed ^ kSecret[1], seed ^ kSecret[2], seed ^ kSecret[3]} {}

  void Update(const void* data, size_t n) {
    const char* p = static_cast<const char*>(data);
    length_ += n;
    for (; n >= 64; p += 64, n -= 64) {
      for (int i = 0; i < 4; ++i) {
        lane_[i] = Mum(Load64(p + 16 * i) ^ kSecret[i], Load64(p + 16 * i + 8) ^ lane_[i]);
      }
    }
    if (n > 0) {
      char last[64] = {};
      std::memcpy(last, p, n);
      for (int i = 0; i < 4; ++i) {
        lane_[i] = Mum(Load64(last + 16 * i) ^ kSecret[i], Load64(last + 16 * i + 8) ^ lane_[i]);
      }
    }
  }
  uint64_t Value() const {
    uint64_t v = length_ ^ kSecret[0];
    for (uint64_t lane : lane_) v = Mum(v ^ kSecret[1], lane ^ kSecret[2]);
    return v;
  }

 private:
  static constexpr uint64_t kSecret[4] = {0xa0761d6478bd642full, 0xe7037ed1a0b428dbull,
                                          0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull};
  uint64_t lane_[4];
  uint64_t length_ = 0;
};

std::array<uint8_t, 32> Derive(const RunKey& key, const uint8_t (&file_id)[16], char purpose) {
  uint8_t text[17];
  std::memcpy(text, file_id, 16);
  text[16] = static_cast<uint8_t>(purpose);
  std::array<uint8_t, 32> out{};
  unsigned n = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text, sizeof(text), out.data(),
           &n) == nullptr) {
    throw std::runtime_error("HMAC-SHA256 is not available");
  }
  return out;
}

struct FileSecrets {
  RunKey key;
  uint64_t seed;
  uint64_t key_check;
};

FileSecrets SecretsOf(const RunKey& run_key, const uint8_t (&file_id)[16]) {
  FileSecrets s;
  s.key = Derive(run_key, file_id, 'k');
  auto check = Derive(run_key, file_id, 'c');
  std::memcpy(&s.seed, check.data(), 8);
  std::memcpy(&s.key_check, check.data() + 8, 8);
  return s;
}

// In place; CTR mode encrypts and decrypts alike. The block's number is the high half of the
// counter and the key belongs to one file, hence no counter value is used twice.
void Crypt(const RunKey& key, uint64_t block, char* data, size_t n) {
  uint8_t iv[16] = {};
  for (int i = 0; i < 8; ++i) iv[i] = static_cast<uint8_t>(block >> (56 - 8 * i));
  EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new();
  auto* bytes = reinterpret_cast<unsigned char*>(data);
  int out = 0;
  bool ok = ctx != nullptr && EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), nullptr, key.data(), iv) &&
            EVP_EncryptUpdate(ctx, bytes, &out, bytes, static_cast<int>(n));
  EVP_CIPHER_CTX_free(ctx);
  if (!ok) throw std::runtime_error("AES-256-CTR is not available");
}

tl::unexpected<Error> IoError(const char* code, const std::string& path, bool writing, int e) {
  Error error{
      ErrorClass::kEnvironment,
      code,
      writing ? Msg("写入行文件出错：{0}", "cannot write the row file: {0}", std::strerror(e))
              : Msg("读取行文件出错：{0}", "cannot read the row file: {0}", std::strerror(e)),
      e == ENOSPC ? Msg("请释放磁盘空间后重新运行。", "Free disk space and run again.") : Text{},
      {},
      0,
      0};
  return Fail(std::move(error).At(path));
}

tl::unexpected<Error> Damaged(const char* code, const std::string& path, Text what) {
  Error error{ErrorClass::kEnvironment,
              code,
              std::move(what),
              Msg("请重新运行产生该文件的步骤。", "Run the step that made this file again."),
              {},
              0,
              0};
  return Fail(std::move(error).At(path));
}

int WriteAll(int fd, const char* p, size_t n) {
  while (n > 0) {
    ssize_t w = ::write(fd, p, n);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return errno;
    p += w;
    n -= static_cast<size_t>(w);
  }
  return 0;
}

// Bytes read until `n` or the end of the file; −errno when reading failed.
ssize_t ReadAt(int fd, char* p, size_t n, uint64_t offset) {
  size_t done = 0;
  while (done < n) {
    ssize_t r = ::pread(fd, p + done, n - done, static_cast<off_t>(offset + done));
    if (r < 0 && errno == EINTR) continue;
    if (r < 0) return -errno;
    if (r == 0) break;
    done += static_cast<size_t>(r);
  }
  return static_cast<ssize_t>(done);
}

std::string Encode(const RowSchema& schema) {
  std::string out;
  auto text = [&](const std::string& s) {
    uint16_t n = static_cast<uint16_t>(s.size());
    out.append(reinterpret_cast<const char*>(&n), 2);
    out.append(s, 0, n);
  };
  text(schema.table);
  uint16_t n = static_cast<uint16_t>(schema.columns.size());
  out.append(reinterpret_cast<const char*>(&n), 2);
  for (const Column& c : schema.columns) {
    out += static_cast<char>(c.type);
    text(c.name);
  }
  return out;
}

bool Decode(std::string_view in, RowSchema* schema) {
  size_t p = 0;
  auto u16 = [&](uint16_t* v) {
    if (in.size() - p < 2) return false;
    std::memcpy(v, in.data() + p, 2);
    p += 2;
    return true;
  };
  auto text = [&](std::string* s) {
    uint16_t n;
    if (!u16(&n) || in.size() - p < n) return false;
    s->assign(in.substr(p, n));
    p += n;
    return true;
  };
  uint16_t columns;
  if (!text(&schema->table) || !u16(&columns)) return false;
  for (uint16_t i = 0; i < columns; ++i) {
    Column c;
    if (p >= in.size()) return false;
    c.type = static_cast<ColumnType>(in[p++]);
    if (c.type < ColumnType::kU8 || c.type > ColumnType::kText || !text(&c.name)) return false;
    schema->columns.push_back(std::move(c));
  }
  return p == in.size();
}

}  // namespace

Result<std::unique_ptr<RowFileWriter>> RowFileWriter::Create(const std::string& path,
                                                             const RowSchema& schema,
                                                             const RunKey& key) {
  std::unique_ptr<RowFileWriter> w(new RowFileWriter());
  w->path_ = path;
  w->fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (w->fd_ < 0) return IoError("CB-BASE-0101", path, true, errno);
  FileHead head{};
  std::memcpy(head.magic, kMagic, 8);
  if (RAND_bytes(head.file_id, sizeof(head.file_id)) != 1) {
    throw std::runtime_error("no random numbers");
  }
  FileSecrets secrets = SecretsOf(key, head.file_id);
  w->key_ = secrets.key;
  w->seed_ = secrets.seed;
  head.key_check = secrets.key_check;
  std::string text = Encode(schema);
  head.schema_bytes = static_cast<uint32_t>(text.size());
  Checksum sum(secrets.seed);
  sum.Update(&head, offsetof(FileHead, checksum));
  sum.Update(text.data(), text.size());
  head.checksum = sum.Value();
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  bytes += text;
  if (int e = WriteAll(w->fd_, bytes.data(), bytes.size())) {
    return IoError("CB-BASE-0102", path, true, e);
  }
  w->offset_ = bytes.size();
  w->buffer_.resize(sizeof(BlockHead) + kBlockBytes + 16384);
  w->size_ = sizeof(BlockHead);
  return w;
}

RowFileWriter::~RowFileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void RowFileWriter::Text(std::string_view v) {
  size_t n = v.size();
  if (n > 65535) {
    n = 65535;
    while (n > 0 && (static_cast<uint8_t>(v[n]) & 0xC0) == 0x80) --n;
  }
  uint16_t n16 = static_cast<uint16_t>(n);
  Put(&n16, 2);
  Put(v.data(), n);
}

Status RowFileWriter::EndRow() {
  ++block_rows_;
  ++rows_;
  if (size_ >= sizeof(BlockHead) + kBlockBytes) return Flush();
  return {};
}

Status RowFileWriter::Flush() {
  if (block_rows_ == 0) return {};
  char* rows = buffer_.data() + sizeof(BlockHead);
  size_t n = size_ - sizeof(BlockHead);
  if (n > kMaxBlockBytes) throw std::logic_error("a row longer than a row file's block may be");
  plain_.Update(rows, n);
  Crypt(key_, blocks_, rows, n);
  BlockHead head{};
  head.bytes = static_cast<uint32_t>(n);
  head.rows = block_rows_;
  head.number = blocks_;
  Checksum sum(seed_);
  sum.Update(&head, offsetof(BlockHead, checksum));
  sum.Update(rows, n);
  head.checksum = sum.Value();
  std::memcpy(buffer_.data(), &head, sizeof(head));
  if (int e = WriteAll(fd_, buffer_.data(), size_)) {
    return IoError("CB-BASE-0102", path_, true, e);
  }
  offset_ += size_;
  ++blocks_;
  size_ = sizeof(BlockHead);
  block_rows_ = 0;
  return {};
}

Status RowFileWriter::Finish() {
  if (fd_ < 0) throw std::logic_error("row file finished twice");
  CANBAO_TRY(Flush());
  plain_sha256_ = plain_.FinishHex();
  Foot foot{};
  foot.rows = rows_;
  foot.blocks = blocks_;
  foot.bytes = offset_;
  Checksum sum(seed_);
  sum.Update(&foot, offsetof(Foot, checksum));
  foot.checksum = sum.Value();
  std::memcpy(foot.magic, kEndMagic, 8);
  // The rows must be on disk before the foot says that they are complete.
  int e = ::fdatasync(fd_) == 0 ? 0 : errno;
  if (e == 0) e = WriteAll(fd_, reinterpret_cast<const char*>(&foot), sizeof(foot));
  if (e == 0 && ::fsync(fd_) != 0) e = errno;
  int fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0 && e == 0) e = errno;
  if (e != 0) return IoError("CB-BASE-0102", path_, true, e);
  return {};
}

Result<std::unique_ptr<RowFileReader>> RowFileReader::Open(const std::string& path,
                                                           const RunKey& key) {
  std::unique_ptr<RowFileReader> r(new RowFileReader());
  r->path_ = path;
  r->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (r->fd_ < 0) return IoError("CB-BASE-0103", path, false, errno);
  struct stat st {};
  if (::fstat(r->fd_, &st) != 0) return IoError("CB-BASE-0103", path, false, errno);
  uint64_t size = static_cast<uint64_t>(st.st_size);

  FileHead head;
  Foot foot;
  if (size < sizeof(head) + sizeof(foot)) {
    return Damaged("CB-BASE-0105", path, Msg("行文件不完整。", "the row file is incomplete."));
  }
  ssize_t got = ReadAt(r->fd_, reinterpret_cast<char*>(&head), sizeof(head), 0);
  if (got < 0) return IoError("CB-BASE-0103", path, false, static_cast<int>(-got));
  if (std::memcmp(head.magic, kMagic, 8) != 0) {
    return Damaged("CB-BASE-0104", path, Msg("不是行文件。", "this is not a row file."));
  }
  got = ReadAt(r->fd_, reinterpret_cast<char*>(&foot), sizeof(foot), size - sizeof(foot));
  if (got < 0) return IoError("CB-BASE-0103", path, false, static_cast<int>(-got));
  if (std::memcmp(foot.magic, kEndMagic, 8) != 0 || foot.bytes != size - sizeof(foot)) {
    return Damaged("CB-BASE-0105", path, Msg("行文件不完整。", "the row file is incomplete."));
  }
  FileSecrets secrets = SecretsOf(key, head.file_id);
  if (secrets.key_check != head.key_check) {
    return Fail(Error{
        ErrorClass::kEnvironment, "CB-BASE-0106",
        Msg("行文件的密钥不对。", "the key does not belong to this row file."),
        Msg("请使用产生该文件的数据目录。", "Use the data folder in which the file was made."),
        path, 0, 0});
  }
  Checksum sum(secrets.seed);
  sum.Update(&foot, offsetof(Foot, checksum));
  bool whole = sum.Value() == foot.checksum && head.schema_bytes <= kMaxHeaderBytes &&
               sizeof(head) + head.schema_bytes <= foot.bytes;
  if (whole) {
    std::string text(head.schema_bytes, '\0');
    got = ReadAt(r->fd_, text.data(), text.size(), sizeof(head));
    if (got < 0) return IoError("CB-BASE-0103", path, false, static_cast<int>(-got));
    Checksum head_sum(secrets.seed);
    head_sum.Update(&head, offsetof(FileHead, checksum));
    head_sum.Update(text.data(), text.size());
    whole = static_cast<size_t>(got) == text.size() && head_sum.Value() == head.checksum &&
            Decode(text, &r->schema_);
  }
  if (!whole) {
    return Damaged("CB-BASE-0107", path,
                   Msg("行文件的首部或尾部已损坏。", "the row file's head or foot is damaged."));
  }
  ::posix_fadvise(r->fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  r->key_ = secrets.key;
  r->seed_ = secrets.seed;
  r->rows_ = foot.rows;
  r->offset_ = sizeof(head) + head.schema_bytes;
  r->end_ = foot.bytes;
  return r;
}

RowFileReader::~RowFileReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string_view> RowFileReader::NextBlock(uint32_t* rows) {
  *rows = 0;
  auto damaged = [&] {
    return Damaged("CB-BASE-0108", path_,
                   Msg("行文件第 {0} 块（字节 {1}）已损坏。",
                       "block {0} (at byte {1}) of the row file is damaged.", block_, offset_));
  };
  if (offset_ == end_) {
    if (rows_read_ != rows_) return damaged();
    return std::string_view();
  }
  BlockHead head;
  if (end_ - offset_ < sizeof(head)) return damaged();
  ssize_t got = ReadAt(fd_, reinterpret_cast<char*>(&head), sizeof(head), offset_);
  if (got < 0) return IoError("CB-BASE-0103", path_, false, static_cast<int>(-got));
  if (static_cast<size_t>(got) != sizeof(head) || head.number != block_ ||
      head.bytes > kMaxBlockBytes || head.bytes > end_ - offset_ - sizeof(head) || head.rows == 0) {
    return damaged();
  }
  if (buffer_.size() < head.bytes) buffer_.resize(head.bytes);
  got = ReadAt(fd_, buffer_.data(), head.bytes, offset_ + sizeof(head));
  if (got < 0) return IoError("CB-BASE-0103", path_, false, static_cast<int>(-got));
  if (static_cast<size_t>(got) != head.bytes) return damaged();
  Checksum sum(seed_);
  sum.Update(&head, offsetof(BlockHead, checksum));
  sum.Update(buffer_.data(), head.bytes);
  if (sum.Value() != head.checksum || head.reserved != 0) return damaged();
  Crypt(key_, block_, buffer_.data(), head.bytes);
  offset_ += sizeof(head) + head.bytes;
  ++block_;
  rows_read_ += head.rows;
  *rows = head.rows;
  return std::string_view(buffer_.data(), head.bytes);
}

}  // namespace canbao
