#include "register/cipher.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace canbao::reg {
namespace {

class CipherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "cipher_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    auto c = FieldCipher::Open(dir_ + "/keys", true);
    ASSERT_TRUE(c) << c.error().ToString();
    cipher_ = *c;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
  std::shared_ptr<const FieldCipher> cipher_;
};

TEST_F(CipherTest, NumbersAreOneBlockEqualForEqualAndOpen) {
  std::set<std::string> seen;
  for (uint64_t v :
       {uint64_t{1}, uint64_t{33010119900101001}, uint64_t{1} << 63 | 12345, ~uint64_t{0}}) {
    std::string sealed = cipher_->SealNumber(v);
    EXPECT_EQ(sealed.size(), 16u);
    EXPECT_EQ(sealed, cipher_->SealNumber(v));
    EXPECT_EQ(cipher_->OpenNumber(sealed), v);
    EXPECT_TRUE(seen.insert(sealed).second);
  }
}

TEST_F(CipherTest, ManyBlocksAtOnceAreTheSameAsOneByOne) {
  std::vector<uint8_t> blocks(1000 * 16);
  for (uint64_t i = 0; i < 1000; ++i) FieldCipher::NumberBlock(i * 7919, blocks.data() + i * 16);
  cipher_->SealBlocks(blocks.data(), 1000);
  for (uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(cipher_->OpenNumber({reinterpret_cast<char*>(blocks.data()) + i * 16, 16}), i * 7919);
  }
}

TEST_F(CipherTest, Phones) {
  for (const char* phone : {"13812345678", "0571-88888888", "+86 (571) 8888888", "1",
                            "123456789012345678", "", "0571-8888 转 6", "12345678901234567890"}) {
    std::string sealed = cipher_->SealPhone(phone);
    EXPECT_EQ(cipher_->OpenPhone(sealed), phone);
    if (std::string(phone).size() <= 18 && std::string(phone) != "" &&
        std::string(phone).find("转") == std::string::npos) {
      EXPECT_EQ(sealed.size(), 16u) << phone;
    }
  }
  // A number is no phone.
  EXPECT_EQ(cipher_->OpenPhone(cipher_->SealNumber(13812345678)), std::nullopt);
}

TEST_F(CipherTest, Texts) {
  for (const std::string& text :
       {std::string("E12345678"), std::string("x"), std::string(5000, 'y'),
        std::string("一条完整的记录,330101199001010011")}) {
    std::string sealed = cipher_->SealText(text);
    EXPECT_EQ(sealed.size(), text.size() + 16);
    EXPECT_EQ(sealed, cipher_->SealText(text));
    EXPECT_EQ(sealed.find("330101"), std::string::npos);
    EXPECT_EQ(cipher_->OpenText(sealed), text);
  }
  EXPECT_EQ(cipher_->SealText(""), "");
  EXPECT_EQ(cipher_->OpenText(""), "");
}

TEST_F(CipherTest, EveryFlippedBitIsSeen) {
  std::string number = cipher_->SealNumber(33010119900101001);
  std::string text = cipher_->SealText("E12345678");
  for (size_t i = 0; i < number.size() * 8; ++i) {
    std::string bad = number;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(cipher_->OpenNumber(bad), std::nullopt);
  }
  for (size_t i = 0; i < text.size() * 8; ++i) {
    std::string bad = text;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(cipher_->OpenText(bad), std::nullopt);
  }
}

TEST_F(CipherTest, TheSameKeysOpenAgainOthersDoNot) {
  auto again = FieldCipher::Open(dir_ + "/keys", false);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->check_sum(), cipher_->check_sum());
  EXPECT_EQ((*again)->OpenNumber(cipher_->SealNumber(5)), 5u);
  auto other = FieldCipher::Open(dir_ + "/other", true);
  ASSERT_TRUE(other);
  EXPECT_NE((*other)->check_sum(), cipher_->check_sum());
  EXPECT_EQ((*other)->OpenNumber(cipher_->SealNumber(5)), std::nullopt);
  EXPECT_EQ((*other)->OpenText(cipher_->SealText("abc")), std::nullopt);
}

TEST_F(CipherTest, KeyFiles) {
  std::string keys = dir_ + "/keys";
  for (const char* name : {"/master.key", "/field.key"}) {
    struct stat st {};
    ASSERT_EQ(::stat((keys + name).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u) << name;
  }
  ::chmod((keys + "/field.key").c_str(), 0644);
  auto open = FieldCipher::Open(keys, true);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, "CB-REGISTER-0403");
  ::chmod((keys + "/field.key").c_str(), 0600);

  // A master key that is gone is never replaced by another: what is sealed would be lost.
  std::filesystem::rename(keys + "/master.key", keys + "/away");
  open = FieldCipher::Open(keys, true);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, "CB-REGISTER-0402");
  std::filesystem::rename(keys + "/away", keys + "/master.key");

  std::fstream f(keys + "/field.key", std::ios::in | std::ios::out | std::ios::binary);
  f.seekp(40);
  f.put('!');
  f.close();
  open = FieldCipher::Open(keys, true);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, "CB-REGISTER-0404");
}

TEST(HmacSm3, KnownLength) {
  EXPECT_EQ(HmacSm3("key", "text").size(), 32u);
  EXPECT_NE(HmacSm3("key", "text"), HmacSm3("kez", "text"));
}

}  // namespace
}  // namespace canbao::reg
