#include "register/internal/audit_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "register/access/session_token.h"

namespace canbao::reg {
namespace {

// The distinguishing identifier that GM/T 0009 gives where none was agreed.
constexpr std::string_view kSm2Identifier = "1234567812345678";

struct PkeyFree {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
struct BioFree {
  void operator()(BIO* b) const { BIO_free(b); }
};
struct MdCtxFree {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
struct PkeyCtxFree {
  void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;
using Bio = std::unique_ptr<BIO, BioFree>;

tl::unexpected<Error> BadKey(const std::string& path) {
  return Fail(Error{ErrorClass::kEnvironment, "CB-REGISTER-1002",
                    Msg("审计签名密钥无法使用。", "the key that signs the audit cannot be used."),
                    Text{"请放回备份的 keys/audit.key 和 keys/audit.pub。",
                         "Put keys/audit.key and keys/audit.pub back from a backup."},
                    path, 0, 0});
}

std::string PublicDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int n = i2d_PUBKEY(key, &der);
  std::string out;
  if (n > 0) out.assign(reinterpret_cast<char*>(der), static_cast<size_t>(n));
  OPENSSL_free(der);
  return out;
}

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  return n > 0 ? std::string(data, static_cast<size_t>(n)) : std::string();
}

Status MakeAuditKey(const std::string& private_path, const std::string& public_path) {
  Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2"));
  Bio secret(BIO_new(BIO_s_mem()));
  Bio open(BIO_new(BIO_s_mem()));
  if (!key || !secret || !open ||
      PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_PUBKEY(open.get(), key.get()) != 1) {
    return BadKey(private_path);
  }
  CANBAO_TRY(WriteFileAtomic(public_path, Contents(open.get()), 0600));
  return WriteFileAtomic(private_path, Contents(secret.get()), 0600);
}

// A context of signing or verifying with the identifier in force.
struct SignContext {
  std::unique_ptr<EVP_PKEY_CTX, PkeyCtxFree> pkey;
  std::unique_ptr<EVP_MD_CTX, MdCtxFree> md;
  bool Begin(EVP_PKEY* key, bool sign) {
    pkey.reset(EVP_PKEY_CTX_new(key, nullptr));
    md.reset(EVP_MD_CTX_new());
    if (!pkey || !md ||
        EVP_PKEY_CTX_set1_id(pkey.get(), kSm2Identifier.data(),
                             static_cast<int>(kSm2Identifier.size())) != 1) {
      return false;
    }
    EVP_MD_CTX_set_pkey_ctx(md.get(), pkey.get());
    return (sign ? EVP_DigestSignInit(md.get(), nullptr, EVP_sm3(), nullptr, key)
                 : EVP_DigestVerifyInit(md.get(), nullptr, EVP_sm3(), nullptr, key)) == 1;
  }
};

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string Sm3(std::string_view bytes) {
  std::string out(32, '\0');
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
             EVP_sm3(), nullptr);
  return out;
}

Result<AuditKey> AuditKey::OpenToSign(const std::string& data_dir) {
  const std::string path = data_dir + "/keys/audit.key";
  if (!FileExists(path)) CANBAO_TRY(MakeAuditKey(path, data_dir + "/keys/audit.pub"));
  CANBAO_ASSIGN(std::string pem, ReadWholeFile(path, 1 << 16));
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key) return BadKey(path);
  AuditKey out;
  out.id_ = ToHex(Sm3(PublicDer(key.get()))).substr(0, 16);
  out.key_ = std::shared_ptr<void>(key.release(),
                                   [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  return out;
}

Result<AuditKey> AuditKey::OpenToVerify(const std::string& data_dir) {
  const std::string path = data_dir + "/keys/audit.pub";
  CANBAO_ASSIGN(std::string pem, ReadWholeFile(path, 1 << 16));
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Pkey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (!key) return BadKey(path);
  AuditKey out;
  out.id_ = ToHex(Sm3(PublicDer(key.get()))).substr(0, 16);
  out.key_ = std::shared_ptr<void>(key.release(),
                                   [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  return out;
}

Result<std::string> AuditKey::Sign(std::string_view text) const {
  SignContext ctx;
  size_t size = 0;
  std::string out;
  if (ctx.Begin(static_cast<EVP_PKEY*>(key_.get()), true) &&
      EVP_DigestSign(ctx.md.get(), nullptr, &size, Unsigned(text), text.size()) == 1) {
    out.resize(size);
    if (EVP_DigestSign(ctx.md.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       Unsigned(text), text.size()) == 1) {
      out.resize(size);
      return out;
    }
  }
  return BadKey("keys/audit.key");
}

bool AuditKey::Verify(std::string_view text, std::string_view signature) const {
  SignContext ctx;
  return ctx.Begin(static_cast<EVP_PKEY*>(key_.get()), false) &&
         EVP_DigestVerify(ctx.md.get(), Unsigned(signature), signature.size(), Unsigned(text),
                          text.size()) == 1;
}

}  // namespace canbao::reg
