// A request and a response of the service, free of any HTTP library: what handlers and tests see.
// Plain values; a request belongs to the worker thread that answers it.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace canbao::service {

enum class Method { kGet, kPost, kPut, kPatch, kDelete };

struct Request {
  uint64_t id = 0;  // of the log line; `instance` of a problem
  Method method = Method::kGet;
  std::string path;                                         // decoded, without the query
  std::map<std::string, std::string, std::less<>> query;    // decoded
  std::map<std::string, std::string, std::less<>> params;   // {name} of the route
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case
  std::string body;
  std::string peer;  // address of the client
  bool tls = false;

  // "" without one.
  std::string_view Query(std::string_view name) const { return Find(query, name); }
  std::string_view Param(std::string_view name) const { return Find(params, name); }
  std::string_view Header(std::string_view name) const { return Find(headers, name); }
  std::string_view Cookie(std::string_view name) const;

 private:
  static std::string_view Find(const std::map<std::string, std::string, std::less<>>& in,
                               std::string_view name) {
    auto it = in.find(name);
    return it == in.end() ? std::string_view() : std::string_view(it->second);
  }
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Instead of the body: a file, sent in pieces; one Range of bytes is understood.
  std::string file;
  // Instead of the body: server-sent events. Asked once a second on a worker; the text is the data
  // of an event, empty = nothing new, nothing = the end.
  std::function<std::optional<std::string>()> events;

  Response& With(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

Response Json(const boost::json::value& value, int status = 200);
Response NoContent();
// A file to be saved under `name` (any characters; RFC 6266).
Response Download(std::string path, const std::string& name, std::string content_type);

// A refusal: an Error with the status it is answered with. Made from an Error alone, its class
// decides: usage 400, input 422, environment 503, interrupted 503, internal 500.
struct Problem {
  struct Field {
    std::string field;
    std::string detail;
  };
  int status = 500;
  Error error;
  std::vector<Field> fields;
  int retry_after = 0;  // seconds; 0 = not said

  Problem(Error e);  // NOLINT(google-explicit-constructor)
  Problem(int s, Error e) : status(s), error(std::move(e)) {}
};

using Answer = tl::expected<Response, Problem>;

inline tl::unexpected<Problem> Refuse(int status, std::string code, Text message,
                                      Text remedy = {}) {
  return tl::unexpected<Problem>(Problem(
      status,
      Error{ErrorClass::kInput, std::move(code), std::move(message), std::move(remedy), {}, 0, 0}));
}

// The language of Accept-Language; Chinese unless English is preferred.
Lang LanguageOf(const Request& request);

// application/problem+json in the language of Accept-Language (zh first). What an internal error
// says of us goes to the log only.
Response ProblemResponse(const Problem& problem, const Request& request);

}  // namespace canbao::service
