// Files: descriptors that close themselves, reads and writes that are whole or an Error, and the
// one way in which this program replaces a file: write beside it, fsync, rename, fsync the folder.
// After a crash there is the old file or the new one, never half of it.
//
// Stateless functions, thread-safe; an Fd belongs to one thread at a time. Every failure is an
// Error of class kEnvironment with the path in `file`; a full disk has a code of its own
// (kCodeDiskFull).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace canbao {

inline constexpr std::string_view kCodeCannotOpen = "CB-BASE-0001";
inline constexpr std::string_view kCodeCannotRead = "CB-BASE-0002";
inline constexpr std::string_view kCodeCannotWrite = "CB-BASE-0003";
inline constexpr std::string_view kCodeDiskFull = "CB-BASE-0004";
inline constexpr std::string_view kCodeFileTooLarge = "CB-BASE-0005";

// The Error for a system call that failed with `errno_value` on `path`: what was attempted is told
// apart by the code, disk full and quota by kCodeDiskFull whatever the code asked for.
Error FileError(std::string_view code, const std::string& path, int errno_value);

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

Result<Fd> OpenForRead(const std::string& path);
// Makes the file or empties it.
Result<Fd> OpenForWrite(const std::string& path, mode_t mode = 0644);

// `path` only names the file in an error.
Status WriteAll(int fd, std::string_view data, const std::string& path);
// Reads at most `size` bytes at `offset`; fewer only at the end of the file.
Result<size_t> ReadAt(int fd, void* to, size_t size, uint64_t offset, const std::string& path);
Status SyncFile(int fd, const std::string& path);
// Makes the names in a folder durable: needed after a rename or a new file.
Status SyncFolder(const std::string& folder);

// A file larger than `max_bytes` is refused unread.
Result<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes = 1ull << 30);
Status WriteFileAtomic(const std::string& path, std::string_view contents, mode_t mode = 0644);
Status RenameDurably(const std::string& from, const std::string& to);

// Like mkdir -p.
Status MakeFolders(const std::string& path, mode_t mode = 0755);
// Like rm -rf; a path that does not exist is fine.
Status RemoveTree(const std::string& path);
bool FileExists(const std::string& path);

}  // namespace canbao
