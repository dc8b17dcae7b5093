#include "register/cipher.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace canbao::reg {
namespace {

namespace fs = std::filesystem;

// First byte of a plain block.
constexpr uint8_t kNumberTag = 0x4E;
constexpr uint8_t kPhoneTag = 0x50;
constexpr size_t kPhoneMax = 18;  // nine bytes of two characters; the last six bytes stay zero

constexpr size_t kMasterBytes = 48;  // SM4 key, HMAC-SM3 key
constexpr size_t kFieldBytes = 64;   // block key, text key, HMAC key
constexpr char kFieldMagic[9] = "CBFKEY01";

// One context per thread and purpose: its making costs more than a block.
struct CtxDeleter {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
EVP_CIPHER_CTX* ThreadContext() {
  thread_local std::unique_ptr<EVP_CIPHER_CTX, CtxDeleter> ctx(EVP_CIPHER_CTX_new());
  if (!ctx) throw std::bad_alloc();
  return ctx.get();
}

// Fetched once: EVP_sm4_ecb() looks its implementation up at every use.
const EVP_CIPHER* Fetch(const char* name) {
  EVP_CIPHER* c = EVP_CIPHER_fetch(nullptr, name, nullptr);
  if (c == nullptr) throw std::runtime_error(std::string("OpenSSL lacks ") + name);
  return c;
}
const EVP_CIPHER* Ecb() {
  static const EVP_CIPHER* c = Fetch("SM4-ECB");
  return c;
}
const EVP_CIPHER* Ctr() {
  static const EVP_CIPHER* c = Fetch("SM4-CTR");
  return c;
}

void EcbBlocks(const uint8_t* key, uint8_t* blocks, size_t count, bool encrypt) {
  EVP_CIPHER_CTX* ctx = ThreadContext();
  bool ok = EVP_CipherInit_ex2(ctx, Ecb(), key, nullptr, encrypt ? 1 : 0, nullptr) == 1 &&
            EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
  constexpr size_t kPiece = 1 << 20;  // blocks; lengths are int
  for (size_t done = 0; ok && done < count;) {
    size_t n = std::min(kPiece, count - done);
    int out = 0;
    ok = EVP_CipherUpdate(ctx, blocks + done * 16, &out, blocks + done * 16,
                          static_cast<int>(n * 16)) == 1;
    done += n;
  }
  if (!ok) throw std::runtime_error("SM4-ECB failed");
}

std::string CtrText(const uint8_t* key, const std::string& iv, std::string_view text) {
  EVP_CIPHER_CTX* ctx = ThreadContext();
  std::string out(text.size(), '\0');
  int n = 0;
  if (EVP_CipherInit_ex2(ctx, Ctr(), key, reinterpret_cast<const uint8_t*>(iv.data()), 1,
                         nullptr) != 1 ||
      EVP_CipherUpdate(ctx, reinterpret_cast<uint8_t*>(out.data()), &n,
                       reinterpret_cast<const uint8_t*>(text.data()),
                       static_cast<int>(text.size())) != 1) {
    throw std::runtime_error("SM4-CTR failed");
  }
  return out;
}

tl::unexpected<Error> KeyError(const char* code, const std::string& path, Text what, Text remedy) {
  return Fail(
      Error{ErrorClass::kEnvironment, code, std::move(what), std::move(remedy), path, 0, 0});
}

Result<std::string> ReadKey(const std::string& path, size_t want) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return KeyError(
        "CB-REGISTER-0402", path,
        Msg("无法读取密钥文件：{0}", "cannot read the key file: {0}", std::strerror(errno)),
        Msg("请把密钥文件放回数据目录的 keys 下。",
            "Put the key files back into keys in the data folder."));
  }
  struct stat st {};
  std::string bytes(want + 1, '\0');
  ssize_t n = ::fstat(fd, &st) == 0 ? ::read(fd, bytes.data(), bytes.size()) : -1;
  ::close(fd);
  if ((st.st_mode & 077) != 0) {
    return KeyError("CB-REGISTER-0403", path,
                    Msg("密钥文件可被他人读取。", "others may read the key file."),
                    Msg("请执行 chmod 600 {0}。", "Run chmod 600 {0}.", path));
  }
  if (n < 0 || static_cast<size_t>(n) != want) {
    return KeyError("CB-REGISTER-0404", path, Msg("密钥文件已损坏。", "the key file is damaged."),
                    Msg("请从备份恢复密钥文件。", "Restore the key file from a backup."));
  }
  bytes.resize(want);
  return bytes;
}

// Written beside its place, synced, then linked: a key never exists by half, and never replaces
// one.
Status WriteKey(const std::string& path, const std::string& bytes) {
  std::string temp = path + ".new";
  ::unlink(temp.c_str());
  int fd = ::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 &&
            ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
            ::fsync(fd) == 0;
  int e = errno;
  if (fd >= 0) ::close(fd);
  if (ok && ::link(temp.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    ok = false;
    e = errno;
  }
  ::unlink(temp.c_str());
  int dir = ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
  if (!ok) {
    return KeyError(
        "CB-REGISTER-0405", path,
        Msg("无法写入密钥文件：{0}", "cannot write the key file: {0}", std::strerror(e)), {});
  }
  return {};
}

std::string Random(size_t n) {
  std::string out(n, '\0');
  if (RAND_bytes(reinterpret_cast<uint8_t*>(out.data()), static_cast<int>(n)) != 1) {
    throw std::runtime_error("no random numbers");
  }
  return out;
}

// magic · IV · SM4-CTR(master, field keys) · HMAC-SM3 of all before it.
std::string Wrap(const std::string& master, const std::string& keys) {
  std::string iv = Random(16);
  std::string out(kFieldMagic, 8);
  out += iv;
  out += CtrText(reinterpret_cast<const uint8_t*>(master.data()), iv, keys);
  return out + HmacSm3(std::string_view(master).substr(16), out);
}

constexpr size_t kWrappedBytes = 8 + 16 + kFieldBytes + 32;

constexpr char kPhoneAlphabet[] = "0123456789-+ ()";  // 15 = no character

}  // namespace

std::string HmacSm3(std::string_view key, std::string_view text) {
  std::string out(32, '\0');
  unsigned n = 0;
  if (HMAC(EVP_sm3(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const uint8_t*>(text.data()), text.size(),
           reinterpret_cast<uint8_t*>(out.data()), &n) == nullptr ||
      n != 32) {
    throw std::runtime_error("HMAC-SM3 failed");
  }
  return out;
}

Result<std::shared_ptr<const FieldCipher>> FieldCipher::Open(const std::string& keys_dir,
                                                             bool create) {
  std::string master_path = keys_dir + "/master.key";
  std::string field_path = keys_dir + "/field.key";
  std::error_code ec;
  bool have_field = fs::exists(field_path, ec);
  if (create && !have_field) {
    // A master without field keys wraps nothing yet; field keys without a master are lost, and the
    // reading below says so instead of making others that would not open what is stored.
    fs::create_directories(keys_dir, ec);
    ::chmod(keys_dir.c_str(), 0700);
    if (!fs::exists(master_path, ec)) CANBAO_TRY(WriteKey(master_path, Random(kMasterBytes)));
    CANBAO_ASSIGN(std::string master, ReadKey(master_path, kMasterBytes));
    CANBAO_TRY(WriteKey(field_path, Wrap(master, Random(kFieldBytes))));
  }
  CANBAO_ASSIGN(std::string master, ReadKey(master_path, kMasterBytes));
  CANBAO_ASSIGN(std::string wrapped, ReadKey(field_path, kWrappedBytes));
  std::string_view body = std::string_view(wrapped).substr(0, kWrappedBytes - 32);
  std::string mac = HmacSm3(std::string_view(master).substr(16), body);
  if (std::memcmp(wrapped.data(), kFieldMagic, 8) != 0 ||
      CRYPTO_memcmp(mac.data(), wrapped.data() + body.size(), 32) != 0) {
    return KeyError("CB-REGISTER-0404", field_path,
                    Msg("密钥文件已损坏，或不属于这个主密钥。",
                        "the key file is damaged, or was wrapped by another master key."),
                    Msg("请从备份恢复密钥文件。", "Restore the key files from a backup."));
  }
  std::string keys = CtrText(reinterpret_cast<const uint8_t*>(master.data()),
                             std::string(body.substr(8, 16)), body.substr(24));
  std::shared_ptr<FieldCipher> c(new FieldCipher());
  std::memcpy(c->block_key_.data(), keys.data(), 16);
  std::memcpy(c->text_key_.data(), keys.data() + 16, 16);
  std::memcpy(c->mac_key_.data(), keys.data() + 32, 32);
  c->check_sum_ = c->Mac("canbao field keys, version 1");
  OPENSSL_cleanse(keys.data(), keys.size());
  OPENSSL_cleanse(master.data(), master.size());
  return std::shared_ptr<const FieldCipher>(std::move(c));
}

FieldCipher::~FieldCipher() {
  OPENSSL_cleanse(block_key_.data(), block_key_.size());
  OPENSSL_cleanse(text_key_.data(), text_key_.size());
  OPENSSL_cleanse(mac_key_.data(), mac_key_.size());
}

void FieldCipher::NumberBlock(uint64_t number, uint8_t* out) {
  std::memset(out, 0, kBlock);
  out[0] = kNumberTag;
  for (int i = 0; i < 8; ++i) out[1 + i] = static_cast<uint8_t>(number >> (56 - 8 * i));
}

bool FieldCipher::PhoneBlock(std::string_view phone, uint8_t* out) {
  if (phone.empty() || phone.size() > kPhoneMax) return false;
  uint8_t block[kBlock] = {};
  block[0] = kPhoneTag;
  for (size_t i = 0; i < kPhoneMax; ++i) {
    uint8_t code = 15;
    if (i < phone.size()) {
      const char* p = phone[i] == '\0' ? nullptr : std::strchr(kPhoneAlphabet, phone[i]);
      if (p == nullptr) return false;
      code = static_cast<uint8_t>(p - kPhoneAlphabet);
    }
    block[1 + i / 2] = static_cast<uint8_t>(block[1 + i / 2] | (i % 2 == 0 ? code << 4 : code));
  }
  std::memcpy(out, block, kBlock);
  return true;
}

void FieldCipher::SealBlocks(uint8_t* blocks, size_t count) const {
  EcbBlocks(block_key_.data(), blocks, count, true);
}

void FieldCipher::OpenBlocks(uint8_t* blocks, size_t count) const {
  EcbBlocks(block_key_.data(), blocks, count, false);
}

std::optional<uint64_t> FieldCipher::NumberOfBlock(const uint8_t* block) {
  if (block[0] != kNumberTag) return std::nullopt;
  uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v = v << 8 | block[1 + i];
  for (size_t i = 9; i < kBlock; ++i) {
    if (block[i] != 0) return std::nullopt;
  }
  return v;
}

std::optional<std::string> FieldCipher::PhoneOfBlock(const uint8_t* block) {
  if (block[0] != kPhoneTag) return std::nullopt;
  for (size_t i = 10; i < kBlock; ++i) {
    if (block[i] != 0) return std::nullopt;
  }
  std::string out;
  for (size_t i = 0; i < kPhoneMax; ++i) {
    int code = i % 2 == 0 ? block[1 + i / 2] >> 4 : block[1 + i / 2] & 15;
    if (code == 15) break;
    out += kPhoneAlphabet[code];
  }
  return out;
}

std::string FieldCipher::Mac(std::string_view text) const {
  return HmacSm3({reinterpret_cast<const char*>(mac_key_.data()), mac_key_.size()}, text)
      .substr(0, 16);
}

std::string FieldCipher::SealNumber(uint64_t number) const {
  uint8_t block[kBlock];
  NumberBlock(number, block);
  SealBlocks(block, 1);
  return {reinterpret_cast<char*>(block), kBlock};
}

std::string FieldCipher::SealPhone(std::string_view phone) const {
  uint8_t block[kBlock];
  if (!PhoneBlock(phone, block)) return SealText(phone);
  SealBlocks(block, 1);
  return {reinterpret_cast<char*>(block), kBlock};
}

std::string FieldCipher::SealText(std::string_view text) const {
  if (text.empty()) return {};
  std::string iv = Mac(text);
  return iv + CtrText(text_key_.data(), iv, text);
}

std::optional<uint64_t> FieldCipher::OpenNumber(std::string_view sealed) const {
  if (sealed.size() != kBlock) return std::nullopt;
  uint8_t block[kBlock];
  std::memcpy(block, sealed.data(), kBlock);
  OpenBlocks(block, 1);
  return NumberOfBlock(block);
}

std::optional<std::string> FieldCipher::OpenPhone(std::string_view sealed) const {
  if (sealed.size() != kBlock) return OpenText(sealed);
  uint8_t block[kBlock];
  std::memcpy(block, sealed.data(), kBlock);
  OpenBlocks(block, 1);
  return PhoneOfBlock(block);
}

std::optional<std::string> FieldCipher::OpenText(std::string_view sealed) const {
  if (sealed.empty()) return std::string();
  if (sealed.size() <= kBlock) return std::nullopt;
  std::string iv(sealed.substr(0, kBlock));
  std::string text = CtrText(text_key_.data(), iv, sealed.substr(kBlock));
  if (CRYPTO_memcmp(Mac(text).data(), iv.data(), kBlock) != 0) return std::nullopt;
  return text;
}

}  // namespace canbao::reg
