#include "register/internal/audit_chain.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "register/access/session_token.h"
#include "register/internal/audit_key.h"

namespace canbao::reg {
namespace json = boost::json;
namespace {

// A field with its length before it, so that no two entries have the same bytes.
void Put(std::string* to, std::string_view field) {
  const auto n = static_cast<uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) *to += static_cast<char>(n >> shift);
  *to += field;
}

}  // namespace

std::string FromHex(std::string_view hex) {
  auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string out;
  if (hex.size() % 2 != 0) return out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string AuditGenesis(int64_t chain) { return Sm3(fmt::format("canbao audit chain {}", chain)); }

std::string AuditHash(std::string_view previous, int64_t chain, int64_t seq, int64_t at_us,
                      const AuditRecord& r) {
  std::string bytes(previous);
  Put(&bytes, std::to_string(chain));
  Put(&bytes, std::to_string(seq));
  Put(&bytes, std::to_string(at_us));
  Put(&bytes, std::to_string(r.account_id));
  Put(&bytes, r.account);
  Put(&bytes, r.action);
  Put(&bytes, r.person ? std::to_string(*r.person) : std::string());
  Put(&bytes, r.purpose);
  Put(&bytes, r.detail);
  Put(&bytes, r.address);
  Put(&bytes, r.outcome);
  return Sm3(bytes);
}

void ComposeRoot(AuditRoot* root) {
  json::array heads;
  for (const auto& [chain, head] : root->heads) {
    heads.push_back(json::array{chain, head.seq, ToHex(head.hash)});
  }
  json::object body{{"root", root->id},
                    {"at", root->at},
                    {"previous", ToHex(root->previous)},
                    {"key", root->key},
                    {"heads", std::move(heads)}};
  root->body = json::serialize(body);
  root->hash = Sm3(root->body);
}

std::optional<AuditRoot> ParseRootBody(std::string_view text) {
  boost::system::error_code ec;
  json::value v = json::parse(text, ec);
  if (ec || !v.is_object()) return std::nullopt;
  AuditRoot root;
  const json::object& o = v.get_object();
  try {
    root.id = o.at("root").as_int64();
    root.at = o.at("at").as_string();
    root.previous = FromHex(o.at("previous").as_string());
    root.key = o.at("key").as_string();
    for (const json::value& h : o.at("heads").as_array()) {
      root.heads[h.at(0).as_int64()] = {h.at(1).as_int64(), FromHex(h.at(2).as_string())};
    }
  } catch (const std::exception&) {
    return std::nullopt;
  }
  root.body = text;
  root.hash = Sm3(text);
  return root;
}

std::string RootLine(const AuditRoot& root) {
  return json::serialize(json::object{{"body", root.body}, {"signature", ToHex(root.signature)}});
}

std::optional<AuditRoot> ParseRootLine(std::string_view line) {
  boost::system::error_code ec;
  json::value v = json::parse(line, ec);
  if (ec || !v.is_object()) return std::nullopt;
  const json::value* body = v.get_object().if_contains("body");
  const json::value* signature = v.get_object().if_contains("signature");
  if (body == nullptr || !body->is_string() || signature == nullptr || !signature->is_string()) {
    return std::nullopt;
  }
  auto root = ParseRootBody(body->get_string());
  if (root) root->signature = FromHex(signature->get_string());
  return root;
}

}  // namespace canbao::reg
