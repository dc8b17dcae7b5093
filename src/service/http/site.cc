#include "service/http/site.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "base/log.h"

namespace canbao::service {
namespace {

// Styles may be inline, for Element Plus sets them; scripts may not.
constexpr const char* kContentPolicy =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

void AddCommonHeaders(const Request& request, bool is_api, Response* r) {
  bool cached = false;
  for (const auto& [name, value] : r->headers) cached |= name == "Cache-Control";
  if (!cached && is_api) r->With("Cache-Control", "no-store");
  r->With("Content-Security-Policy", kContentPolicy);
  r->With("X-Content-Type-Options", "nosniff");
  r->With("X-Frame-Options", "DENY");
  r->With("Referrer-Policy", "no-referrer");
  r->With("Cross-Origin-Opener-Policy", "same-origin");
  r->With("Cross-Origin-Resource-Policy", "same-origin");
  r->With("Permissions-Policy",
          "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()");
  if (request.tls) r->With("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  r->With("X-Request-Id", std::to_string(request.id));
}

Reply Refused(int status, const char* code, Text message, const Request& request,
              int retry_after = 0) {
  Problem p(status, Error{ErrorClass::kInput, code, std::move(message), {}, {}, 0, 0});
  p.retry_after = retry_after;
  Reply reply;
  reply.code = code;
  reply.response = ProblemResponse(p, request);
  return reply;
}

}  // namespace

bool IsAddress(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> made{};
  return ::inet_pton(AF_INET, text.c_str(), made.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), made.data()) == 1;
}

std::string ClientOf(const Request& request, const std::vector<std::string>& trusted_proxies) {
  // A socket for both families names an IPv4 client so.
  auto plain = [](std::string_view address) {
    constexpr std::string_view kMapped = "::ffff:";
    return std::string(address.starts_with(kMapped) ? address.substr(kMapped.size()) : address);
  };
  auto trusted = [&](const std::string& address) {
    return std::find(trusted_proxies.begin(), trusted_proxies.end(), address) !=
           trusted_proxies.end();
  };
  std::string client = plain(request.peer);
  std::string_view rest = request.Header("x-forwarded-for");
  while (trusted(client) && !rest.empty()) {
    const size_t comma = rest.rfind(',');
    std::string_view last = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
    while (last.starts_with(' ')) last.remove_prefix(1);
    while (last.ends_with(' ')) last.remove_suffix(1);
    std::string next = plain(last);
    if (!IsAddress(next)) break;
    client = std::move(next);
  }
  return client;
}

Reply Site::Choose(Request& request, const RawRequest& raw) {
  if (!limit_.Allow(request.peer)) {
    return Refused(429, "CB-SERVICE-0010",
                   Msg("请求过于频繁，请稍后再试", "too many requests; try again in a moment"),
                   request, 2);
  }
  auto target = ParseTarget(raw.target);
  if (!target) {
    return Refused(400, "CB-SERVICE-0005", Msg("请求的格式有误", "the request is malformed"),
                   request);
  }
  request.path = target->path;
  request.query = target->query;
  if (router_.Owns(*target)) return router_.Answer(request, *target, raw.method);
  Reply reply;
  if (target->segments.front() == "api") {
    return Refused(404, "CB-SERVICE-0001", Msg("没有这个地址", "there is no such address"),
                   request);
  }
  if (raw.method != "GET" && raw.method != "HEAD") {
    reply = Refused(405, "CB-SERVICE-0002",
                    Msg("这个地址不接受此方法", "this address does not take the method"), request);
    reply.response.With("Allow", "GET, HEAD");
    return reply;
  }
  reply.response = files_.Answer(request, *target);
  reply.route = "(console)";
  return reply;
}

Response Site::Answer(Request& request, const RawRequest& raw) {
  const auto begun = std::chrono::steady_clock::now();
  request.peer = ClientOf(request, trusted_proxies_);
  Reply reply;
  try {
    reply = Choose(request, raw);
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "request {}: {}", request.id, std::string(e.what()));
    reply = Refused(500, "CB-SERVICE-0012", Msg("内部错误", "internal error"), request);
  }
  AddCommonHeaders(request, request.path.starts_with("/api/"), &reply.response);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  // Only what is known is logged and counted: a path, a query or a method may be anything.
  const bool usual = raw.method == "GET" || raw.method == "HEAD" || raw.method == "POST" ||
                     raw.method == "PUT" || raw.method == "PATCH" || raw.method == "DELETE";
  const std::string_view method = usual ? std::string_view(raw.method) : "other";
  const std::string route = reply.route.empty() ? "(none)" : reply.route;
  metrics_.CountRequest(method, route, reply.response.status, took.count());
  Log(LogLevel::kInfo, "request {} {} {} {} {:.1f} ms account {} {}", request.id, method, route,
      reply.response.status, took.count() * 1000, reply.account_id, reply.code);
  return std::move(reply.response);
}

}  // namespace canbao::service
