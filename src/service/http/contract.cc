#include "service/http/contract.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <stdexcept>

namespace canbao::service {
namespace json = boost::json;
namespace {

constexpr std::string_view kOpenApi =
#include "openapi_json.inc"
    ;

Method MethodOf(std::string_view name) {
  if (name == "get") return Method::kGet;
  if (name == "post") return Method::kPost;
  if (name == "put") return Method::kPut;
  if (name == "patch") return Method::kPatch;
  if (name == "delete") return Method::kDelete;
  throw std::runtime_error("contract: unknown method " + std::string(name));
}

std::string TextOf(const json::object& o, std::string_view key) {
  return std::string(o.at(key).as_string());
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return text;
}

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> out;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    out.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "";
}

const Contract& Contract::Own() {
  static const Contract own(kOpenApi);
  return own;
}

Contract::Contract(std::string_view text)
    : text_(text), document_(json::parse(text)), schemas_(std::make_unique<Schemas>(document_)) {
  const json::object& root = document_.as_object();
  prefix_ = TextOf(root.at("servers").as_array().at(0).as_object(), "url");
  for (const auto& path : root.at("paths").as_object()) {
    for (const auto& method : path.value().as_object())
      AddOperation(std::string(path.key()), method.key(), method.value().as_object());
  }
}

const Operation* Contract::Find(std::string_view operation) const {
  for (const Operation& o : operations_) {
    if (o.route.operation == operation) return &o;
  }
  return nullptr;
}

const json::object& Contract::Resolve(const json::value& v) const {
  const json::object& o = v.as_object();
  const json::value* ref = o.if_contains("$ref");
  return ref == nullptr ? o : document_.at_pointer(ref->as_string().subview(1)).as_object();
}

void Contract::AddOperation(const std::string& path, std::string_view method,
                            const json::object& item) {
  Operation op;
  op.route = {TextOf(item, "operationId"), TextOf(item, "x-permission"), MethodOf(method), path};
  op.segments = SplitPath(path);
  if (const json::value* parameters = item.if_contains("parameters")) {
    for (const json::value& v : parameters->as_array()) {
      const json::object& o = Resolve(v);
      Parameter p;
      p.name = TextOf(o, "name");
      const std::string in = TextOf(o, "in");
      if (in == "header") {
        p.name = LowerCase(p.name);
        p.in = Parameter::In::kHeader;
      } else if (in == "path") {
        p.in = Parameter::In::kPath;
      } else if (in != "query") {
        throw std::runtime_error("contract: a parameter in " + in);
      }
      if (const json::value* required = o.if_contains("required")) p.required = required->as_bool();
      p.schema = schemas_->Get(o.at("schema"));
      op.takes_idempotency_key |= p.name == "idempotency-key";
      op.parameters.push_back(std::move(p));
    }
  }
  if (const json::value* body = item.if_contains("requestBody")) {
    const json::object& o = Resolve(*body);
    op.has_body = true;
    if (const json::value* required = o.if_contains("required"))
      op.body_required = required->as_bool();
    const json::object& content = o.at("content").as_object();
    op.body_is_json = content.contains("application/json");
    if (op.body_is_json)
      op.body = schemas_->Get(content.at("application/json").as_object().at("schema"));
  }
  operations_.push_back(std::move(op));
}

}  // namespace canbao::service
