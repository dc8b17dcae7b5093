#include "extract/format/xls.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "extract/errors.h"
#include "extract/format/record_index.h"
#include "extract/format/utf8.h"

extern char** environ;  // NOLINT: POSIX names it so

namespace canbao::extract {
namespace {

// A workbook of this format has 65,536 rows a sheet at most; more output is no workbook.
constexpr size_t kMaxOutput = size_t{1} << 30;

tl::unexpected<Error> Failed(const std::string& path, const Text& why) {
  return Fail(Error{
      ErrorClass::kInput, kErrConverterFailed,
      Msg("无法转换 .xls 工作簿：{0}", "the .xls workbook cannot be converted: {0}", why.Get()),
      Msg("请另存为 .xlsx 或 UTF-8 的 CSV", "save it as .xlsx, or as CSV in UTF-8"), path, 0, 0});
}

tl::unexpected<Error> Missing(const std::string& path) {
  return Fail(Error{ErrorClass::kEnvironment, kErrConverterMissing,
                    Msg("读取 .xls 需要程序 xls2csv", "reading .xls needs the program xls2csv"),
                    Msg("请安装 Debian 软件包 catdoc，或将文件另存为 .xlsx",
                        "install the Debian package catdoc, or save the file as .xlsx"),
                    path, 0, 0});
}

// Runs the converter and returns what it prints.
Result<std::string> Convert(const std::string& path) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0)
    return Failed(path, Text{std::strerror(errno), std::strerror(errno)});
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // Every cell quoted, a form feed between sheets. A name that begins with '-' must not be an
  // option.
  std::string file = path.starts_with('-') ? "./" + path : path;
  std::vector<std::string> words = {"xls2csv", "-q3", "-b", "\f", "-d", "utf-8", file};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  int error = posix_spawnp(&child, "xls2csv", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  if (error != 0) {
    ::close(out[0]);
    if (error == ENOENT) return Missing(path);
    return Failed(path, Text{std::strerror(error), std::strerror(error)});
  }
  std::string text;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::read(out[0], buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || text.size() > kMaxOutput) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  ::close(out[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return Missing(path);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || n < 0 || text.size() > kMaxOutput) {
    return Failed(path, Msg("转换程序退出码 {0}", "the converter ended with {0}",
                            WIFEXITED(status) ? WEXITSTATUS(status) : -1));
  }
  if (text.empty()) return Failed(path, Msg("没有任何内容", "there is nothing in it"));
  return text;
}

class XlsSource : public TableSource {
 public:
  explicit XlsSource(const std::string& converted) {
    // Takes out the form feeds between sheets (those inside quotes are text) and keeps where they
    // were.
    bool quoted = false;
    for (char c : converted) {
      if (c == '"') quoted = !quoted;
      if (c == '\f' && !quoted) {
        sheet_begins_.push_back(static_cast<uint32_t>(text_.size()));
      } else {
        text_ += c;
      }
    }
    size_t size = text_.size();
    text_.resize(size + kBlockPadding);
    index_.Start(text_.data(), size, Dialect{});
  }

  Result<bool> Next(size_t want, TableChunk* chunk) override {
    chunk->Clear();
    chunk->sheet = -1;
    while (chunk->rows.size() < want) {
      if (at_ >= index_.records().size()) {
        at_ = 0;
        if (!index_.Next(want)) break;
      }
      const RecordSpan& record = index_.records()[at_];
      if (static_cast<size_t>(sheet_) < sheet_begins_.size() &&
          sheet_begins_[static_cast<size_t>(sheet_)] <= record.begin) {
        if (!chunk->rows.empty()) break;
        ++sheet_;
        row_ = 0;
        skip_ = false;
        continue;
      }
      ++at_;
      ++row_;
      if (skip_) continue;
      chunk->sheet = sheet_;
      AddRow(record, chunk);
    }
    return !chunk->rows.empty();
  }

  void SkipSheet() override { skip_ = true; }

 private:
  void AddRow(const RecordSpan& record, TableChunk* chunk) {
    auto first = static_cast<uint32_t>(chunk->cells.size());
    bool any = false;
    uint32_t begin = record.begin;
    for (uint32_t f = 0; f < record.fields; ++f) {
      uint32_t end = index_.ends()[record.first + f];
      std::string_view raw(text_.data() + begin, end - begin);
      std::string room(raw.size(), '\0');
      size_t written = 0;
      chunk->storage.push_back(RepairUtf8(Unquote(raw, room.data(), &written)));
      chunk->cells.push_back(chunk->storage.back());
      any = any || !chunk->storage.back().empty();
      begin = end + 1;
    }
    if (any) {
      chunk->rows.push_back({row_, first, static_cast<uint32_t>(chunk->cells.size()) - first});
    } else {
      chunk->cells.resize(first);
    }
  }

  std::string text_;
  RecordIndex index_;
  size_t at_ = 0;
  int sheet_ = 0;
  uint64_t row_ = 0;
  bool skip_ = false;
  std::vector<uint32_t> sheet_begins_;  // of every sheet but the first
};

}  // namespace

Result<std::unique_ptr<TableSource>> OpenXls(const std::string& path) {
  CANBAO_ASSIGN(std::string text, Convert(path));
  return std::make_unique<XlsSource>(text);
}

}  // namespace canbao::extract
