#include "extract/format/byte_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "extract/errors.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

class ByteSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("canbao-bytes-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& bytes) {
    std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // All bytes, or the code of the error.
  static std::string Read(const std::string& path, size_t block = 8192, bool direct = false) {
    auto source = OpenByteSource(path, direct);
    if (!source) return source.error().code;
    BlockBuffer buffer(block);
    std::string out;
    for (;;) {
      auto n = (*source)->Read(buffer.data(), block);
      if (!n) return n.error().code;
      out.append(buffer.data(), *n);
      if (*n < block) break;
    }
    if (Sha256* hasher = (*source)->hasher()) {
      EXPECT_EQ(hasher->FinishHex(), *Sha256OfFile(path));
      EXPECT_EQ((*source)->stored_read(), (*source)->stored_size());
    }
    return out;
  }
  static std::string Gzip(const std::string& text) {
    z_stream z{};
    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, text.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  }
  static std::string Zstd(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
    return out;
  }
  static std::string Text(size_t size) {
    std::string text;
    for (uint32_t i = 0; text.size() < size; ++i)
      text += std::to_string(i * 2654435761u) + ",中文\n";
    text.resize(size);
    return text;
  }
  fs::path folder_;
};

TEST_F(ByteSourceTest, GivesThePlainBytesOfEveryForm) {
  std::string text = Text(700001);
  EXPECT_EQ(Read(Write("a.csv", text)), text);
  EXPECT_EQ(Read(Write("a.csv.gz", Gzip(text))), text);
  EXPECT_EQ(Read(Write("b.csv.gz", Gzip(text) + Gzip("more") + std::string(512, '\0'))),
            text + "more");
  EXPECT_EQ(Read(Write("a.csv.zst", Zstd(text))), text);
  EXPECT_EQ(Read(Write("b.csv.zst", Zstd(text) + Zstd("more"))), text + "more");
  // Highly compressible: the decoder holds more output than input is left.
  std::string zeros(5000000, 'a');
  EXPECT_EQ(Read(Write("c.csv.zst", Zstd(zeros))), zeros);
  EXPECT_EQ(Read(Write("c.csv.gz", Gzip(zeros))), zeros);
}

TEST_F(ByteSourceTest, ReadsPastTheCache) {
  std::string text = Text((size_t{33} << 20) + 123);
  std::string path = Write("big.csv", text);
  // Out of the cache, so that O_DIRECT is tried where the file system has it.
  int fd = ::open(path.c_str(), O_RDONLY);
  fsync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
  EXPECT_TRUE(Read(path, size_t{4} << 20, true) == text);
}

TEST_F(ByteSourceTest, RefusesTruncatedAndDamagedArchives) {
  std::string text = Text(300000);
  std::string gz = Gzip(text);
  std::string zst = Zstd(text);
  for (size_t cut : {size_t{1}, size_t{8}, gz.size() / 2}) {
    EXPECT_EQ(Read(Write("t.csv.gz", gz.substr(0, gz.size() - cut))), kErrCompressed) << cut;
  }
  for (size_t cut : {size_t{1}, zst.size() / 2}) {
    EXPECT_EQ(Read(Write("t.csv.zst", zst.substr(0, zst.size() - cut))), kErrCompressed) << cut;
  }
  gz[gz.size() / 2] = static_cast<char>(gz[gz.size() / 2] ^ 0x55);
  EXPECT_EQ(Read(Write("d.csv.gz", gz)), kErrCompressed);
  EXPECT_EQ(Read(Write("e.csv.gz", "no gzip at all")), kErrCompressed);
  EXPECT_EQ(Read(Write("e.csv.zst", "no zstd at all")), kErrCompressed);
}

TEST_F(ByteSourceTest, TellsErrorsOfTheMachineApart) {
  EXPECT_EQ(Read((folder_ / "nothing.csv").string()), kErrOpen);
  EXPECT_EQ(Read(folder_.string()), kErrOpen);
  // The memory of this process begins with pages that cannot be read: a real input/output error.
  EXPECT_EQ(Read("/proc/self/mem"), kErrRead);
  auto source = OpenByteSource("/proc/self/mem", false);
  ASSERT_TRUE(source);
  BlockBuffer buffer(4096);
  auto n = (*source)->Read(buffer.data(), 4096);
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().cls, ErrorClass::kEnvironment);
}

}  // namespace
}  // namespace canbao::extract
