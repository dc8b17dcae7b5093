// Encryption of identity fields at rest. A citizen number or a phone is one SM4 block: 16 bytes
// that are ciphertext, check and index at once (equal values have equal ciphertexts; the zero bytes
// in the block make a wrong key or damage visible). Other texts (documents, damaged numbers,
// rejected records) are SM4-CTR under a synthetic IV, HMAC-SM3 of the text: again equal texts are
// equal, and the IV is the check. Lengths: a block is 16 bytes, anything else is longer.
//
// What equality gives away (that two rows carry the same number) is what the index needs; what a
// field says is safe without the keys. Keys: DATA/keys/field.key (0600), wrapped by
// DATA/keys/master.key (0600), which an operator may keep on another medium.
//
// Thread-safe after construction: every call makes or borrows its own context.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao::reg {

class FieldCipher {
 public:
  static constexpr size_t kBlock = 16;

  // The keys in `keys_dir`; makes them when `create` and there are none.
  static Result<std::shared_ptr<const FieldCipher>> Open(const std::string& keys_dir, bool create);
  ~FieldCipher();
  FieldCipher(const FieldCipher&) = delete;
  FieldCipher& operator=(const FieldCipher&) = delete;

  // Plain blocks, to be sealed together: SealBlocks() costs 150 ns a block, a call for each 300.
  static void NumberBlock(uint64_t number, uint8_t* out);
  // Up to 18 characters of 0-9 - + ( ) and blank; false: seal the phone as a text.
  static bool PhoneBlock(std::string_view phone, uint8_t* out);
  void SealBlocks(uint8_t* blocks, size_t count) const;  // in place
  void OpenBlocks(uint8_t* blocks, size_t count) const;  // in place
  // Of an opened block; nothing when it does not check.
  static std::optional<uint64_t> NumberOfBlock(const uint8_t* block);
  static std::optional<std::string> PhoneOfBlock(const uint8_t* block);

  std::string SealNumber(uint64_t number) const;  // 16 bytes
  std::string SealPhone(std::string_view phone) const;
  std::string SealText(std::string_view text) const;  // 16 + n bytes; "" for ""

  std::optional<uint64_t> OpenNumber(std::string_view sealed) const;
  std::optional<std::string> OpenPhone(std::string_view sealed) const;
  std::optional<std::string> OpenText(std::string_view sealed) const;

  int version() const { return 1; }
  // Recognises the keys without telling them; 16 bytes, stored in canbao.field_key.
  const std::string& check_sum() const { return check_sum_; }

 private:
  FieldCipher() = default;
  std::array<uint8_t, 16> block_key_{};
  std::array<uint8_t, 16> text_key_{};
  std::array<uint8_t, 32> mac_key_{};
  std::string check_sum_;
  std::string Mac(std::string_view text) const;  // 16 bytes
};

// HMAC-SM3, 32 bytes.
std::string HmacSm3(std::string_view key, std::string_view text);

}  // namespace canbao::reg
