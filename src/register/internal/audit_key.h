// The key that signs roots of the audit: SM2 with SM3, in DATA/keys/audit.key (PEM, 0600), its
// public half beside it. Made at the first use. Errors: CB-REGISTER-1002.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao::reg {

std::string Sm3(std::string_view bytes);  // 32 bytes

class AuditKey {
 public:
  // The private key; made when there is none.
  static Result<AuditKey> OpenToSign(const std::string& data_dir);
  // The public one.
  static Result<AuditKey> OpenToVerify(const std::string& data_dir);

  Result<std::string> Sign(std::string_view text) const;
  bool Verify(std::string_view text, std::string_view signature) const;
  // First 16 hexadecimal digits of SM3 of the public key.
  const std::string& id() const { return id_; }

 private:
  AuditKey() = default;
  std::shared_ptr<void> key_;  // EVP_PKEY
  std::string id_;
};

}  // namespace canbao::reg
