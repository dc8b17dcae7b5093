// Any bytes as what a client writes: the first line's target, a cookie, Accept-Language, a range of
// tags. What comes out must be UTF-8 without control characters, and coding a path again must lead
// to the same path.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "service/http/message.h"
#include "service/http/router.h"
#include "service/http/static_files.h"
#include "service/http/target.h"

namespace {

using canbao::service::IsUtf8;
using canbao::service::ParseTarget;

void Expect(bool holds) {
  if (!holds) __builtin_trap();
}

bool IsClean(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return IsUtf8(text);
}

void CheckTarget(std::string_view text) {
  auto target = ParseTarget(text);
  if (!target) return;
  Expect(!target->segments.empty() && target->path.starts_with('/'));
  std::string again;
  for (const std::string& segment : target->segments) {
    Expect(IsClean(segment));
    again += '/';
    for (char c : segment) again += fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  for (const auto& [name, value] : target->query) Expect(IsClean(name) && IsClean(value));
  auto second = ParseTarget(again);
  Expect(second && second->segments == target->segments);
  static const canbao::service::StaticFiles files("/usr/share/doc");
  const auto answer = files.Answer(canbao::service::Request(), *target);
  if (answer.status == 200) Expect(target->path.find("..") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find('\n');
  CheckTarget(std::string_view(text).substr(0, end));
  canbao::service::Request request;
  request.headers["cookie"] = request.headers["accept-language"] =
      request.headers["if-none-match"] = end == std::string::npos ? text : text.substr(end + 1);
  const std::string_view cookie = request.Cookie("canbao_session");
  Expect(cookie.size() <= text.size() && cookie.find(';') == std::string_view::npos);
  (void)LanguageOf(request);
  canbao::service::Response response;
  response.body = "x";
  ApplyETag(request, &response);
  Expect(response.status == 200 || response.status == 304);
  const auto download = canbao::service::Download("/x", text, "a/b");
  for (const auto& [name, value] : download.headers)
    Expect(value.find_first_of("\r\n") == std::string::npos);
  return 0;
}
