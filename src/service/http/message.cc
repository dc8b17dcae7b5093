#include "service/http/message.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

namespace canbao::service {
namespace json = boost::json;
namespace {

// RFC 8187: what is no attr-char is percent-encoded.
std::string ExtendedValue(std::string_view text) {
  std::string out = "UTF-8''";
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// For clients that know no filename*: ASCII without what a quoted string cannot hold.
std::string PlainName(std::string_view text) {
  std::string out;
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((u & 0xC0) == 0x80) continue;  // the rest of a character in UTF-8
    out += u < 0x20 || u >= 0x7F || c == '"' || c == '\\' || c == '/' || c == '%' ? '_' : c;
  }
  return out;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view Request::Cookie(std::string_view name) const {
  std::string_view rest = Header("cookie");
  while (!rest.empty()) {
    const size_t end = rest.find(';');
    const std::string_view pair = TrimBlanks(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

Response Json(const json::value& value, int status) {
  Response r;
  r.status = status;
  r.body = json::serialize(value);
  r.With("Content-Type", "application/json");
  return r;
}

Response NoContent() {
  Response r;
  r.status = 204;
  return r;
}

Response Download(std::string path, const std::string& name, std::string content_type) {
  Response r;
  r.file = std::move(path);
  r.With("Content-Type", std::move(content_type));
  r.With("Content-Disposition", fmt::format("attachment; filename=\"{}\"; filename*={}",
                                            PlainName(name), ExtendedValue(name)));
  return r;
}

Problem::Problem(Error e) : error(std::move(e)) {
  switch (error.cls) {
    case ErrorClass::kUsage:
      status = 400;
      break;
    case ErrorClass::kInput:
      status = 422;
      break;
    case ErrorClass::kEnvironment:
    case ErrorClass::kInterrupted:
      status = 503;
      retry_after = 5;
      break;
    case ErrorClass::kInternal:
      status = 500;
      break;
  }
}

// The language that comes first among those we have; quality values are respected.
Lang LanguageOf(const Request& request) {
  std::string_view rest = request.Header("accept-language");
  double zh = -1;
  double en = -1;
  double any = -1;
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    const std::string_view range = TrimBlanks(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    double quality = 1;
    if (const size_t q = range.find("q="); q != std::string_view::npos) {
      quality = 0;
      double place = 1;
      for (char c : range.substr(q + 2)) {
        if (c >= '0' && c <= '9') {
          quality += (c - '0') * place;
          place /= 10;
        } else if (c != '.') {
          break;
        }
      }
    }
    if (range.starts_with("zh") && quality > zh) zh = quality;
    if (range.starts_with("en") && quality > en) en = quality;
    if (range.starts_with("*") && quality > any) any = quality;
  }
  if (zh < 0) zh = any;
  return en > zh && en > 0 ? Lang::kEn : Lang::kZh;
}

Response ProblemResponse(const Problem& problem, const Request& request) {
  const Lang lang = LanguageOf(request);
  // What broke inside, and how the database put it, is for the log: it may quote values.
  const bool ours = problem.status >= 500 && problem.status != 501;
  json::object o;
  o["type"] = "about:blank";
  o["status"] = problem.status;
  o["code"] = problem.error.code;
  o["instance"] = std::to_string(request.id);
  if (!ours) {
    o["title"] = problem.error.message.In(lang);
    if (!problem.error.remedy.In(lang).empty()) o["remedy"] = problem.error.remedy.In(lang);
  } else if (problem.status == 503) {
    o["title"] = Text{"暂时无法办理，数据库或服务正忙",
                      "not possible at the moment: the database or the service is busy"}
                     .In(lang);
    o["remedy"] = Text{"请稍后再试；如持续出现，请联系系统管理员。",
                       "Try again in a moment; if it lasts, tell the system administrator."}
                      .In(lang);
  } else {
    o["title"] = Text{"服务内部错误", "an error inside the service"}.In(lang);
    o["remedy"] = Text{"请把本次请求的编号告诉系统管理员。",
                       "Tell the system administrator the number of this request."}
                      .In(lang);
  }
  if (!problem.fields.empty()) {
    json::array fields;
    for (const Problem::Field& f : problem.fields)
      fields.push_back(json::object{{"field", f.field}, {"detail", f.detail}});
    o["fields"] = std::move(fields);
  }
  Response r;
  r.status = problem.status;
  r.body = json::serialize(o);
  r.With("Content-Type", "application/problem+json");
  r.With("Content-Language", lang == Lang::kZh ? "zh-CN" : "en");
  r.With("Cache-Control", "no-store");
  if (problem.retry_after > 0) r.With("Retry-After", std::to_string(problem.retry_after));
  return r;
}

}  // namespace canbao::service
