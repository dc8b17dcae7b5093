// Known answers of FIPS 180-4, and the same digest whatever the pieces.
#include "base/digest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace canbao {
namespace {

TEST(DigestTest, KnownAnswers) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(DigestTest, PiecesDoNotMatter) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  std::string whole = Sha256Hex(text);
  for (size_t piece : {1u, 3u, 63u, 64u, 65u, 999u}) {
    Sha256 h;
    for (size_t at = 0; at < text.size(); at += piece) {
      h.Update(std::string_view(text).substr(at, piece));
    }
    EXPECT_EQ(h.FinishHex(), whole) << piece;
  }
  Sha256 a;
  a.Update(text.data(), 100);
  Sha256 b = std::move(a);
  b.Update(std::string_view(text).substr(100));
  EXPECT_EQ(b.FinishHex(), whole);
}

TEST(DigestTest, FilesAndTheirAbsence) {
  std::string path =
      (std::filesystem::temp_directory_path() / ("digest-" + std::to_string(::getpid()))).string();
  std::string text(3 << 20, 'x');
  std::ofstream(path) << text;
  Result<std::string> digest = Sha256OfFile(path);
  ASSERT_TRUE(digest.has_value());
  EXPECT_EQ(*digest, Sha256Hex(text));
  std::filesystem::remove(path);

  Result<std::string> none = Sha256OfFile(path);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, "CB-BASE-0001");
  EXPECT_EQ(none.error().cls, ErrorClass::kEnvironment);
  // A folder opens but cannot be read.
  Result<std::string> folder = Sha256OfFile(std::filesystem::temp_directory_path().string());
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, "CB-BASE-0002");
}

}  // namespace
}  // namespace canbao
