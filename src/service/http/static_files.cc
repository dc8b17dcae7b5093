#include "service/http/static_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/file.h"
#include "service/http/router.h"

namespace canbao::service {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kReadWhole = 8 << 20;  // larger files are sent in pieces

constexpr std::array<std::pair<std::string_view, const char*>, 16> kTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
}};

const char* TypeOf(std::string_view path) {
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

bool IsFile(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

// Whether the client takes `coding` (RFC 9110, 12.5.3), as far as browsers write it.
bool Takes(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const size_t end = header.find(',');
    std::string_view one = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (!one.starts_with(coding)) continue;
    one.remove_prefix(coding.size());
    if (one.empty() || one[0] == ' ') return true;
    if (one[0] != ';') continue;
    const size_t q = one.find("q=");
    return q == std::string_view::npos ||
           one.substr(q + 2).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

Response NotFound(const Request& request) {
  return ProblemResponse(Problem(404, Error{ErrorClass::kInput,
                                            "CB-SERVICE-0001",
                                            Msg("没有这个地址", "there is no such address"),
                                            {},
                                            {},
                                            0,
                                            0}),
                         request);
}

}  // namespace

StaticFiles::StaticFiles(std::string folder) {
  std::error_code ec;
  if (folder.empty()) return;
  const fs::path real = fs::canonical(folder, ec);
  if (!ec) folder_ = real.string();
}

bool StaticFiles::Find(const Target& target, std::string* path) const {
  if (folder_.empty()) return false;
  *path = folder_;
  for (const std::string& segment : target.segments) {
    if (segment.starts_with('.') || segment.find_first_of("/\\") != std::string::npos) return false;
    if (segment.empty()) continue;
    *path += '/';
    *path += segment;
  }
  if (!IsFile(*path)) return false;
  std::error_code ec;
  const std::string real = fs::canonical(*path, ec).string();
  return !ec && real.starts_with(folder_ + "/");
}

Response StaticFiles::Answer(const Request& request, const Target& target) const {
  std::string path;
  if (!Find(target, &path)) {
    // An address of the console has no ending; a file that is missing is missing.
    if (folder_.empty() || target.segments.back().find('.') != std::string::npos)
      return NotFound(request);
    path = folder_ + "/index.html";
    if (!IsFile(path)) return NotFound(request);
  }
  Response r;
  const bool hashed = target.segments.size() > 1 && target.segments.front() == "assets";
  r.With("Content-Type", TypeOf(path));
  r.With("Cache-Control",
         hashed && !path.ends_with(".html") ? "public, max-age=31536000, immutable" : "no-cache");
  r.With("Vary", "Accept-Encoding");
  const std::string_view accept = request.Header("accept-encoding");
  for (const auto& [coding, ending] : {std::pair{"br", ".br"}, std::pair{"gzip", ".gz"}}) {
    if (!Takes(accept, coding) || !IsFile(path + ending)) continue;
    path += ending;
    r.With("Content-Encoding", coding);
    break;
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return NotFound(request);
  if (static_cast<uint64_t>(st.st_size) > kReadWhole) {
    r.file = path;
    return r;
  }
  auto contents = ReadWholeFile(path, kReadWhole);
  if (!contents) return NotFound(request);
  r.body = std::move(*contents);
  ApplyETag(request, &r);
  return r;
}

}  // namespace canbao::service
