#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace canbao {
namespace {

std::string FolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

Error FileError(std::string_view code, const std::string& path, int errno_value) {
  Error e;
  e.cls = ErrorClass::kEnvironment;
  e.code = code;
  e.file = path;
  std::string reason = std::strerror(errno_value);
  if (errno_value == ENOSPC || errno_value == EDQUOT) {
    e.code = kCodeDiskFull;
    e.message = Msg("磁盘已满：{0}", "the disk is full: {0}", reason);
    e.remedy = Msg("请腾出空间后重新执行同一命令，任务会从中断处继续。",
                   "Free some space and give the same command again; it goes on where it stopped.");
  } else if (code == kCodeCannotOpen) {
    e.message = Msg("无法打开文件：{0}", "cannot open the file: {0}", reason);
  } else if (code == kCodeCannotRead) {
    e.message = Msg("读取文件出错：{0}", "cannot read the file: {0}", reason);
    e.remedy = Msg("请检查存储介质或重新拷贝文件。", "Check the disk, or copy the file again.");
  } else {
    e.message = Msg("写入文件出错：{0}", "cannot write the file: {0}", reason);
    e.remedy = Msg("请检查目录权限与磁盘。", "Check the folder's permissions and the disk.");
  }
  return e;
}

void Fd::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> OpenForRead(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(FileError(kCodeCannotOpen, path, errno));
  return Fd(fd);
}

Result<Fd> OpenForWrite(const std::string& path, mode_t mode) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return Fail(FileError(kCodeCannotWrite, path, errno));
  return Fd(fd);
}

Status WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(FileError(kCodeCannotWrite, path, errno));
    data.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<size_t> ReadAt(int fd, void* to, size_t size, uint64_t offset, const std::string& path) {
  size_t done = 0;
  while (done < size) {
    ssize_t n =
        ::pread(fd, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(FileError(kCodeCannotRead, path, errno));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Status SyncFile(int fd, const std::string& path) {
  if (::fsync(fd) != 0) return Fail(FileError(kCodeCannotWrite, path, errno));
  return {};
}

Status SyncFolder(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Fail(FileError(kCodeCannotOpen, folder, errno));
  Fd owner(fd);
  return SyncFile(fd, folder);
}

Result<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes) {
  CANBAO_ASSIGN(Fd fd, OpenForRead(path));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Fail(FileError(kCodeCannotRead, path, errno));
  if (S_ISDIR(st.st_mode)) return Fail(FileError(kCodeCannotRead, path, EISDIR));
  // Pipes and /proc say 0: read on until the end, whatever stat said.
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    ssize_t n = ::read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(FileError(kCodeCannotRead, path, errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > max_bytes) {
      return Fail(Error{ErrorClass::kInput,
                        std::string(kCodeFileTooLarge),
                        Msg("文件超过 {0} 字节。", "the file has more than {0} bytes.", max_bytes),
                        {},
                        path,
                        0,
                        0});
    }
  }
}

Status WriteFileAtomic(const std::string& path, std::string_view contents, mode_t mode) {
  // Two threads or processes that replace the same file must not share the file beside it.
  static std::atomic<unsigned> counter{0};
  std::string beside = fmt::format("{}.{}-{}.tmp", path, ::getpid(), counter++);
  auto write = [&]() -> Status {
    CANBAO_ASSIGN(Fd fd, OpenForWrite(beside, mode));
    CANBAO_TRY(WriteAll(fd.get(), contents, path));
    return SyncFile(fd.get(), path);
  };
  Status written = write();
  if (written) written = RenameDurably(beside, path);
  if (!written) {
    ::unlink(beside.c_str());
    // The name beside means nothing to the user.
    written.error().file = path;
  }
  return written;
}

Status RenameDurably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return Fail(FileError(kCodeCannotWrite, to, errno));
  return SyncFolder(FolderOf(to));
}

Status MakeFolders(const std::string& path, mode_t mode) {
  std::string at;
  for (const auto& part : std::filesystem::path(path)) {
    if (at.empty()) {
      at = part.string();
    } else {
      at = (std::filesystem::path(at) / part).string();
    }
    if (::mkdir(at.c_str(), mode) == 0 || errno == EEXIST || errno == EISDIR) continue;
    return Fail(FileError(kCodeCannotWrite, path, errno));
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
    return Fail(FileError(kCodeCannotWrite, path, ENOTDIR));
  }
  return {};
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return Fail(FileError(kCodeCannotWrite, path, error.value()));
  return {};
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace canbao
