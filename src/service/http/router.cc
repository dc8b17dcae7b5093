#include "service/http/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <exception>
#include <functional>

#include "base/digest.h"
#include "base/log.h"
#include "service/http/idempotency.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

constexpr size_t kDeepestBody = 32;

Answer NoSuchPath() {
  return Refuse(404, "CB-SERVICE-0001", Msg("没有这个地址", "there is no such address"));
}

Answer BadRequest(std::vector<Problem::Field> fields) {
  Problem p(400, Error{ErrorClass::kInput,
                       "CB-SERVICE-0003",
                       Msg("请求的内容不符合接口约定", "the request does not follow the contract"),
                       Text{"请按 fields 中各项的说明更正。", "Correct what `fields` names."},
                       {},
                       0,
                       0});
  p.fields = std::move(fields);
  return tl::unexpected<Problem>(std::move(p));
}

std::string_view MediaType(const Request& request) {
  std::string_view type = request.Header("content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return low(x) == low(y);
  });
}

void CheckParameters(const Operation& op, const Target& target, Lang lang, Request* request,
                     std::vector<Problem::Field>* faults) {
  for (const Parameter& p : op.parameters) {
    auto& from = p.in == Parameter::In::kPath    ? request->params
                 : p.in == Parameter::In::kQuery ? request->query
                                                 : request->headers;
    auto it = from.find(p.name);
    if (it != from.end()) {
      if (p.in == Parameter::In::kHeader && !IsUtf8(it->second)) {
        faults->push_back({p.name, Msg("不是 UTF-8", "is no UTF-8").In(lang)});
      } else {
        p.schema->CheckText(it->second, p.name, lang, faults);
      }
    } else if (p.required) {
      faults->push_back({p.name, Msg("必填", "is required").In(lang)});
    } else if (std::string text = p.schema->default_text(); !text.empty()) {
      from.emplace(p.name, std::move(text));
    }
  }
  for (const auto& [name, value] : target.query) {
    const bool known = std::any_of(
        op.parameters.begin(), op.parameters.end(),
        [&n = name](const Parameter& p) { return p.in == Parameter::In::kQuery && p.name == n; });
    if (!known && faults->size() < 12) {
      faults->push_back(
          {name.substr(0, 100), Msg("没有这个参数", "there is no such parameter").In(lang)});
    }
  }
  for (const std::string& name : target.repeated) {
    if (faults->size() >= 12) break;
    faults->push_back({name.substr(0, 100), Msg("重复给出", "is given more than once").In(lang)});
  }
}

// Nothing when the body is as it should be; it is then in `to`.
std::optional<Answer> CheckBody(const Operation& op, const Request& request, Lang lang,
                                json::value* to) {
  if (!op.has_body) return std::nullopt;
  if (request.body.empty()) {
    if (!op.body_required || !op.body_is_json) return std::nullopt;
    return BadRequest({{"body", Msg("必填", "is required").In(lang)}});
  }
  const char* wanted = op.body_is_json ? "application/json" : "application/octet-stream";
  if (!SameIgnoringCase(MediaType(request), wanted)) {
    return Refuse(415, "CB-SERVICE-0004",
                  Msg("内容类型应为 {0}", "the media type must be {0}", wanted));
  }
  if (!op.body_is_json) return std::nullopt;
  json::error_code ec;
  json::parse_options options;
  options.max_depth = kDeepestBody;
  *to = json::parse(request.body, ec, {}, options);
  if (ec) return BadRequest({{"body", Msg("不是 JSON", "is no JSON").In(lang)}});
  if (HasNul(*to)) {
    return BadRequest({{"body", Msg("不得含有 U+0000", "must not hold U+0000").In(lang)}});
  }
  std::vector<Problem::Field> faults;
  op.body->Check(*to, lang, &faults);
  if (faults.empty()) return std::nullopt;
  for (Problem::Field& f : faults) {
    if (f.field.empty()) f.field = "body";
  }
  return BadRequest(std::move(faults));
}

const std::string* HeaderOf(const Response& r, std::string_view name) {
  for (const auto& [key, value] : r.headers) {
    if (SameIgnoringCase(key, name)) return &value;
  }
  return nullptr;
}

// Weak comparison (RFC 9110, 8.8.3.2): W/ does not count.
bool Matches(std::string_view list, std::string_view tag) {
  auto opaque = [](std::string_view t) { return t.starts_with("W/") ? t.substr(2) : t; };
  if (list == "*") return true;
  while (!list.empty()) {
    const size_t end = list.find(',');
    std::string_view one = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty() && opaque(one) == opaque(tag)) return true;
  }
  return false;
}

}  // namespace

// A place in the tree of paths: the next segment is a word or whatever stands there.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> words;
  std::unique_ptr<Node> any;
  std::vector<const Operation*> operations;  // that end here, one a method
};

Router::Router(const Contract& contract, const Handlers& handlers, Gate& gate)
    : contract_(contract), handlers_(handlers), gate_(gate), root_(std::make_unique<Node>()) {
  if (auto prefix = ParseTarget(contract.prefix())) prefix_ = prefix->segments;
  for (const Operation& op : contract.operations()) {
    Node* node = root_.get();
    for (const std::string& segment : op.segments) {
      std::unique_ptr<Node>& next = segment.starts_with('{') ? node->any : node->words[segment];
      if (next == nullptr) next = std::make_unique<Node>();
      node = next.get();
    }
    node->operations.push_back(&op);
  }
}

Router::~Router() = default;

bool Router::Owns(const Target& target) const {
  return target.segments.size() > prefix_.size() &&
         std::equal(prefix_.begin(), prefix_.end(), target.segments.begin());
}

// Words before parameters, and back again where that leads nowhere.
const Router::Node* Router::Walk(const Node& node, const Target& target, size_t at) const {
  if (at == target.segments.size()) return node.operations.empty() ? nullptr : &node;
  const std::string& segment = target.segments[at];
  if (auto it = node.words.find(segment); it != node.words.end()) {
    if (const Node* found = Walk(*it->second, target, at + 1)) return found;
  }
  return node.any != nullptr && !segment.empty() ? Walk(*node.any, target, at + 1) : nullptr;
}

Reply Router::Answer(Request& request, const Target& target, std::string_view method) const {
  Reply reply;
  auto refuse = [&](service::Answer answer) {
    reply.code = answer.error().error.code;
    reply.response = ProblemResponse(answer.error(), request);
    return std::move(reply);
  };
  const bool reads = method == "GET" || method == "HEAD";
  if (reads && target.segments.size() == prefix_.size() + 1 &&
      target.segments.back() == "openapi.json") {
    reply.route = "/openapi.json";
    reply.response.body = contract_.text();
    reply.response.With("Content-Type", "application/json").With("Cache-Control", "no-cache");
    ApplyETag(request, &reply.response);
    return reply;
  }
  const Node* node = Walk(*root_, target, prefix_.size());
  if (node == nullptr) return refuse(NoSuchPath());
  reply.route = node->operations.front()->route.path;
  const Operation* op = nullptr;
  std::string allow;
  for (const Operation* one : node->operations) {
    const std::string_view name = MethodName(one->route.method);
    allow += fmt::format("{}{}", allow.empty() ? "" : ", ", name);
    if (name == "GET") allow += ", HEAD";
    if (name == (method == "HEAD" ? "GET" : method)) op = one;
  }
  if (op == nullptr) {
    reply = refuse(Refuse(405, "CB-SERVICE-0002",
                          Msg("这个地址不接受此方法", "this address does not take the method")));
    reply.response.With("Allow", allow);
    return reply;
  }
  return Run(*op, request, target);
}

Reply Router::Run(const Operation& op, Request& request, const Target& target) const {
  Reply reply;
  reply.route = op.route.path;
  request.method = op.route.method;
  const Lang lang = LanguageOf(request);
  for (size_t i = 0; i < op.segments.size(); ++i) {
    const std::string& segment = op.segments[i];
    if (segment.starts_with('{')) {
      request.params[segment.substr(1, segment.size() - 2)] = target.segments[prefix_.size() + i];
    }
  }
  service::Answer answer = Response();
  std::vector<Problem::Field> faults;
  CheckParameters(op, target, lang, &request, &faults);
  json::value body;
  std::optional<service::Answer> refused;
  if (!faults.empty()) {
    refused = BadRequest(std::move(faults));
  } else {
    refused = CheckBody(op, request, lang, &body);
  }
  const Handler* handler = handlers_.Find(op.route.operation);
  if (refused) {
    answer = std::move(*refused);
  } else if (handler == nullptr) {
    answer = Refuse(501, "CB-SERVICE-0011",
                    Msg("本程序尚不支持 {0}", "this build has no {0}", op.route.operation));
  } else {
    try {
      const bool once = op.takes_idempotency_key && !request.Header("idempotency-key").empty();
      Passed passed =
          once ? gate_.Run(op.route, request, body, OnlyOnce(op.route.operation, *handler))
               : gate_.Run(op.route, request, body, *handler);
      answer = std::move(passed.answer);
      reply.account_id = passed.account_id;
    } catch (const std::exception& e) {
      answer = tl::unexpected<Problem>(Problem(500, Error{ErrorClass::kInternal,
                                                          "CB-SERVICE-0012",
                                                          Msg("{0}", "{0}", std::string(e.what())),
                                                          {},
                                                          {},
                                                          0,
                                                          0}));
    }
  }
  if (answer) {
    reply.response = std::move(*answer);
    if (op.route.method == Method::kGet) ApplyETag(request, &reply.response);
    return reply;
  }
  const Problem& problem = answer.error();
  if (problem.status >= 500) {
    Log(problem.status == 500 ? LogLevel::kError : LogLevel::kWarning, "request {} {}: {}",
        request.id, op.route.operation, problem.error.ToString());
  }
  reply.code = problem.error.code;
  reply.response = ProblemResponse(problem, request);
  return reply;
}

void ApplyETag(const Request& request, Response* response) {
  if (response->status != 200 || !response->file.empty() || response->events) return;
  std::string tag;
  if (const std::string* own = HeaderOf(*response, "etag")) {
    tag = *own;
  } else {
    ContentHash hash;
    hash.Update(response->body.data(), response->body.size());
    tag = fmt::format("W/\"{}\"", hash.FinishHex().substr(0, 20));
    response->With("ETag", tag);
  }
  const std::string_view had = request.Header("if-none-match");
  if (had.empty() || !Matches(had, tag)) return;
  response->status = 304;
  response->body.clear();
  std::erase_if(response->headers,
                [](const auto& h) { return SameIgnoringCase(h.first, "content-type"); });
}

}  // namespace canbao::service
