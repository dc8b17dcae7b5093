// Faults of the disk for tests/e2e/test_faults.py, put between `canbao` and the C library by
// LD_PRELOAD, so that the product itself carries no hooks. Counted are the calls that change
// regular files (write, fsync, rename …), in the process named canbao only: PostgreSQL, its child,
// is left alone. CANBAO_FAULT says what happens:
//
//   count:FILE            nothing; the number of calls is written to FILE at the end
//   kill:N                SIGKILL at the N-th call, before it does anything
//   write:N:ERRNO         the N-th call and all later ones fail with ENOSPC or EIO
//   read:SUFFIX:OFFSET    reads of the file whose path ends in SUFFIX fail with EIO from OFFSET on
//
// CANBAO_FAULT_MET, if given, names a file that is made when the N-th call is reached.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

enum class Mode { kOff, kCount, kKill, kWrite, kRead };

struct Plan {
  Mode mode = Mode::kOff;
  long at = 0;          // kKill, kWrite: number of the call; kRead: offset
  int error = EIO;      // kWrite
  std::string subject;  // kCount: where to write; kRead: end of the path

  Plan() {
    const char* text = std::getenv("CANBAO_FAULT");
    if (text == nullptr || std::strcmp(program_invocation_short_name, "canbao") != 0) return;
    std::string spec = text;
    size_t first = spec.find(':');
    if (first == std::string::npos) return;
    std::string kind = spec.substr(0, first);
    std::string rest = spec.substr(first + 1);
    size_t last = rest.rfind(':');
    if (kind == "count") {
      mode = Mode::kCount;
      subject = rest;
    } else if (kind == "kill") {
      mode = Mode::kKill;
      at = std::atol(rest.c_str());
    } else if (kind == "write" && last != std::string::npos) {
      mode = Mode::kWrite;
      at = std::atol(rest.c_str());
      error = rest.substr(last + 1) == "ENOSPC" ? ENOSPC : EIO;
    } else if (kind == "read" && last != std::string::npos) {
      mode = Mode::kRead;
      subject = rest.substr(0, last);
      at = std::atol(rest.c_str() + last + 1);
    }
  }
};

// The first intercepted call may come before this file's own initialisers, the last one after its
// destructors: made on demand, never destroyed.
const Plan& ThePlan() {
  static const Plan* plan = new Plan;
  return *plan;
}

std::atomic<long> g_calls{0};

// At the end of a process that was not killed.
struct CountWriter {
  ~CountWriter() {
    if (ThePlan().mode != Mode::kCount) return;
    if (std::FILE* f = std::fopen(ThePlan().subject.c_str(), "we")) {
      std::fprintf(f, "%ld\n", g_calls.load());
      std::fclose(f);
    }
  }
};
const CountWriter g_count_writer;

template <typename F>
F Real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}
#define CANBAO_REAL(name) static auto real = Real<decltype(&::name)>(#name)

bool IsRegular(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

// One call that changes a file. True: it must fail with errno, already set.
bool ChangeFails() {
  const Plan& plan = ThePlan();
  if (plan.mode != Mode::kCount && plan.mode != Mode::kKill && plan.mode != Mode::kWrite)
    return false;
  long n = g_calls.fetch_add(1) + 1;
  if (plan.mode != Mode::kCount && n == plan.at) {
    if (const char* met = std::getenv("CANBAO_FAULT_MET"))
      ::close(::open(met, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  }
  if (plan.mode == Mode::kKill && n == plan.at) ::raise(SIGKILL);
  if (plan.mode == Mode::kWrite && n >= plan.at) {
    errno = plan.error;
    return true;
  }
  return false;
}
bool ChangeFails(int fd) { return ThePlan().mode != Mode::kOff && IsRegular(fd) && ChangeFails(); }

bool IsSubject(int fd) {
  const Plan& plan = ThePlan();
  if (plan.mode != Mode::kRead) return false;
  char link[64];
  char path[PATH_MAX];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  ssize_t n = ::readlink(link, path, sizeof(path));
  size_t size = plan.subject.size();
  return n >= static_cast<ssize_t>(size) &&
         std::memcmp(path + n - static_cast<ssize_t>(size), plan.subject.data(), size) == 0;
}
bool ReadFails(int fd, long offset, size_t size) {
  if (!IsSubject(fd) || offset + static_cast<long>(size) <= ThePlan().at) return false;
  errno = EIO;
  return true;
}
long Position(int fd) { return static_cast<long>(::lseek(fd, 0, SEEK_CUR)); }
size_t SizeOf(const iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  CANBAO_REAL(write);
  return ChangeFails(fd) ? -1 : real(fd, data, size);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  CANBAO_REAL(writev);
  return ChangeFails(fd) ? -1 : real(fd, parts, count);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  CANBAO_REAL(pwrite);
  return ChangeFails(fd) ? -1 : real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  CANBAO_REAL(pwrite64);
  return ChangeFails(fd) ? -1 : real(fd, data, size, at);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  CANBAO_REAL(pwritev);
  return ChangeFails(fd) ? -1 : real(fd, parts, count, at);
}
size_t fwrite(const void* data, size_t size, size_t count, std::FILE* file) {
  CANBAO_REAL(fwrite);
  return ChangeFails(::fileno(file)) ? 0 : real(data, size, count, file);
}
int fsync(int fd) {
  CANBAO_REAL(fsync);
  return ChangeFails(fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
  CANBAO_REAL(fdatasync);
  return ChangeFails(fd) ? -1 : real(fd);
}
int rename(const char* from, const char* to) {
  CANBAO_REAL(rename);
  return ChangeFails() ? -1 : real(from, to);
}
int ftruncate(int fd, off_t size) {
  CANBAO_REAL(ftruncate);
  return ChangeFails(fd) ? -1 : real(fd, size);
}
int posix_fallocate(int fd, off_t at, off_t size) {
  CANBAO_REAL(posix_fallocate);
  return ChangeFails(fd) ? errno : real(fd, at, size);
}

ssize_t read(int fd, void* to, size_t size) {
  CANBAO_REAL(read);
  return ThePlan().mode == Mode::kRead && ReadFails(fd, Position(fd), size) ? -1
                                                                            : real(fd, to, size);
}
ssize_t readv(int fd, const iovec* parts, int count) {
  CANBAO_REAL(readv);
  return ReadFails(fd, Position(fd), SizeOf(parts, count)) ? -1 : real(fd, parts, count);
}
ssize_t pread(int fd, void* to, size_t size, off_t at) {
  CANBAO_REAL(pread);
  return ReadFails(fd, at, size) ? -1 : real(fd, to, size, at);
}
ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  CANBAO_REAL(pread64);
  return ReadFails(fd, at, size) ? -1 : real(fd, to, size, at);
}
size_t fread(void* to, size_t size, size_t count, std::FILE* file) {
  CANBAO_REAL(fread);
  return ReadFails(::fileno(file), std::ftell(file), size * count) ? 0
                                                                   : real(to, size, count, file);
}
void* mmap(void* where, size_t size, int protection, int flags, int fd, off_t at) {
  CANBAO_REAL(mmap);
  if (fd >= 0 && ThePlan().mode == Mode::kRead && ReadFails(fd, at, size)) return MAP_FAILED;
  return real(where, size, protection, flags, fd, at);
}

}  // extern "C"
