#include "extract/reject_export.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "extract/errors.h"

namespace canbao::extract {
namespace {

tl::unexpected<Error> WriteError(const std::string& path, int error) {
  return Fail(Error{
      ErrorClass::kEnvironment, kErrWrite,
      Msg("写文件失败：{0}", "writing failed: {0}", std::string(std::strerror(error))),
      Msg("请检查磁盘空间和写入权限", "check the space on the disk and the permission to write"),
      path, 0, 0});
}

}  // namespace

std::string RejectWords(RejectReason reason, std::string_view field, uint16_t column) {
  std::string words(RejectCode(reason));
  if (!field.empty()) words += fmt::format(" {}", field);
  if (column > 0) words += fmt::format(" (column {})", column);
  return words;
}

Status WriteCorrectable(const std::string& path, std::string_view header, char delimiter,
                        std::span<const RejectedRecord> records) {
  std::string part = path + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (file == nullptr) return WriteError(path, errno);
  // The byte-order mark makes spreadsheets read the file as UTF-8.
  std::string text = "\xEF\xBB\xBF";
  auto put = [&](std::string_view first, std::string_view second, std::string_view record) {
    text += first;
    text += delimiter;
    text += second;
    text += delimiter;
    text += record;
    text += "\r\n";
  };
  put("reject_reason", "reject_line", header);
  bool good = true;
  auto flush = [&] {
    good = good && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    text.clear();
  };
  for (const RejectedRecord& record : records) {
    put(record.why, record.line, record.text);
    if (text.size() > (size_t{1} << 20)) flush();
  }
  flush();
  good = good && std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  int error = errno;
  good = std::fclose(file) == 0 && good;
  if (!good || std::rename(part.c_str(), path.c_str()) != 0) {
    if (good) error = errno;
    std::remove(part.c_str());
    return WriteError(path, error);
  }
  return {};
}

}  // namespace canbao::extract
