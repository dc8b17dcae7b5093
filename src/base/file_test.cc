#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace canbao {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "canbao-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  size_t FilesInFolder() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  std::string folder_;
};

TEST_F(FileTest, WritesAndReadsWhole) {
  std::string text(300000, 'a');
  text += '\0';
  text += "末";
  ASSERT_TRUE(WriteFileAtomic(Path("a"), text));
  EXPECT_EQ(ReadWholeFile(Path("a")).value(), text);
  ASSERT_TRUE(WriteFileAtomic(Path("a"), ""));
  EXPECT_EQ(ReadWholeFile(Path("a")).value(), "");
  EXPECT_EQ(FilesInFolder(), 1u) << "the file beside it must be gone";
}

TEST_F(FileTest, ModeIsKept) {
  ASSERT_TRUE(WriteFileAtomic(Path("key"), "secret", 0600));
  EXPECT_EQ(fs::status(Path("key")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

// The disk fills up (here: the largest size of a file) in the middle of a replacement: the old file
// stays, nothing is left beside it.
TEST_F(FileTest, FailedReplacementLeavesTheOldFile) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "old"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  Status s = WriteFileAtomic(Path("a"), std::string(100000, 'n'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().code, kCodeCannotWrite);
  EXPECT_EQ(s.error().file, Path("a"));
  EXPECT_EQ(ReadWholeFile(Path("a")).value(), "old");
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(FileTest, FullDiskHasItsOwnCode) {
  Fd full(::open("/dev/full", O_WRONLY));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full here";
  Status s = WriteAll(full.get(), "x", "out.csv");
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().code, kCodeDiskFull);
  EXPECT_EQ(s.error().cls, ErrorClass::kEnvironment);
  EXPECT_EQ(s.error().file, "out.csv");
}

TEST_F(FileTest, MissingFilesAndFolders) {
  EXPECT_EQ(ReadWholeFile(Path("none")).error().code, kCodeCannotOpen);
  EXPECT_EQ(ReadWholeFile(folder_).error().code, kCodeCannotRead);
  EXPECT_EQ(WriteFileAtomic(Path("no/such/folder"), "x").error().code, kCodeCannotWrite);
  EXPECT_EQ(RenameDurably(Path("none"), Path("b")).error().code, kCodeCannotWrite);
  EXPECT_FALSE(FileExists(Path("none")));
}

TEST_F(FileTest, LargeFilesAreRefused) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), std::string(1001, 'x')));
  Result<std::string> r = ReadWholeFile(Path("a"), 1000);
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, kCodeFileTooLarge);
  EXPECT_EQ(r.error().cls, ErrorClass::kInput);
  EXPECT_TRUE(ReadWholeFile(Path("a"), 1001).has_value());
}

TEST_F(FileTest, ReadAtStopsAtTheEnd) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "0123456789"));
  Result<Fd> fd = OpenForRead(Path("a"));
  ASSERT_TRUE(fd.has_value());
  char buffer[8] = {};
  EXPECT_EQ(ReadAt(fd->get(), buffer, 4, 2, "a").value(), 4u);
  EXPECT_EQ(std::string(buffer, 4), "2345");
  EXPECT_EQ(ReadAt(fd->get(), buffer, 8, 7, "a").value(), 3u);
  EXPECT_EQ(ReadAt(fd->get(), buffer, 8, 10, "a").value(), 0u);
}

TEST_F(FileTest, FoldersAreMadeOnceAndRemovedWhole) {
  ASSERT_TRUE(MakeFolders(Path("x/y/z")));
  ASSERT_TRUE(MakeFolders(Path("x/y/z")));
  ASSERT_TRUE(MakeFolders(Path("x/y/z/")));
  EXPECT_TRUE(fs::is_directory(Path("x/y/z")));
  ASSERT_TRUE(WriteFileAtomic(Path("file"), ""));
  EXPECT_FALSE(MakeFolders(Path("file")).has_value());
  EXPECT_FALSE(MakeFolders(Path("file/below")).has_value());
  ASSERT_TRUE(RemoveTree(Path("x")));
  EXPECT_FALSE(FileExists(Path("x")));
  EXPECT_TRUE(RemoveTree(Path("x")));
}

TEST_F(FileTest, DescriptorsAreClosed) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "x"));
  int number = -1;
  {
    Result<Fd> fd = OpenForRead(Path("a"));
    ASSERT_TRUE(fd.has_value());
    number = fd->get();
    Fd other = std::move(*fd);
    EXPECT_FALSE(fd->valid());
    EXPECT_EQ(other.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace canbao
