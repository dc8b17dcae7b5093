#include "service/http/idempotency.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/digest.h"
#include "register/access/idempotency.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

std::string DigestOf(const Request& request) {
  Sha256 hash;
  hash.Update(request.path);
  for (const auto& [name, value] : request.query) {
    for (const std::string* part : {&name, &value}) {
      hash.Update("\n");
      hash.Update(*part);
    }
  }
  hash.Update("\n\n");
  hash.Update(request.body);
  return hash.FinishHex();
}

Response Replay(const reg::KeptAnswer& kept) {
  Response r;
  r.status = kept.status;
  r.body = kept.body;
  json::error_code ec;
  const json::value headers = json::parse(kept.headers, ec);
  if (const json::object* o = ec ? nullptr : headers.if_object()) {
    for (const auto& header : *o) {
      if (header.value().is_string())
        r.With(std::string(header.key()), std::string(header.value().get_string()));
    }
  }
  r.With("Idempotent-Replayed", "true");
  return r;
}

}  // namespace

Handler OnlyOnce(std::string operation, const Handler& handler) {
  return [operation = std::move(operation), &handler](Context& context) -> Answer {
    const std::string key(context.request().Header("idempotency-key"));
    auto db = context.Db();
    if (!db) return tl::unexpected<Problem>(Problem(std::move(db.error())));
    const std::string digest = DigestOf(context.request());
    auto known = reg::TakeIdempotencyKey(**db, key, operation, digest);
    if (!known) return tl::unexpected<Problem>(Problem(std::move(known.error())));
    if (known->has_value()) {
      if ((*known)->operation != operation || (*known)->digest != digest) {
        return Refuse(422, "CB-SERVICE-0013",
                      Msg("这个 Idempotency-Key 已用于另一请求",
                          "this Idempotency-Key was used for another request"));
      }
      return Replay(**known);
    }
    Answer answer = handler(context);
    if (!answer || answer->status >= 400) return answer;
    json::object headers;
    for (const auto& [name, value] : answer->headers) headers[name] = value;
    auto kept = reg::KeepAnswer(
        **db, key, {operation, digest, answer->status, json::serialize(headers), answer->body});
    if (!kept) return tl::unexpected<Problem>(Problem(std::move(kept.error())));
    return answer;
  };
}

}  // namespace canbao::service
