#include "service/http/router.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "service/http/site.h"

namespace canbao::service {
namespace {
namespace json = boost::json;

constexpr const char* kContract = R"({"servers": [{"url": "/api/v1"}], "paths": {
  "/things": {
    "get": {"operationId": "listThings", "x-permission": "session", "parameters": [
      {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 50}},
      {"$ref": "#/components/parameters/Day"}]},
    "post": {"operationId": "addThing", "x-permission": "things.write",
      "parameters": [{"name": "Idempotency-Key", "in": "header",
                      "schema": {"type": "string", "minLength": 8}}],
      "requestBody": {"required": true, "content": {"application/json": {"schema":
        {"type": "object", "additionalProperties": false, "required": ["name"],
         "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}}}}}},
  "/things/special": {"post": {"operationId": "special", "x-permission": "session"}},
  "/things/{id}": {"get": {"operationId": "getThing", "x-permission": "session", "parameters": [
    {"name": "id", "in": "path", "required": true, "schema": {"type": "string",
     "pattern": "^[0-9a-z/.]+$"}}]}},
  "/things/{id}/file": {"put": {"operationId": "putFile", "x-permission": "session", "parameters": [
    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/octet-stream": {}}}}}},
  "components": {"parameters": {"Day": {"name": "day", "in": "query",
    "schema": {"type": "string", "format": "date"}}}}})";

// What a handler sees, for a test: no database, one caller.
class BareContext : public Context {
 public:
  BareContext(const Request& request, const json::value& body) : request_(request), body_(body) {}
  const Request& request() const override { return request_; }
  const Caller& caller() const override { return caller_; }
  const Services& services() const override { return services_; }
  const json::value& body() const override { return body_; }
  Result<reg::Connection*> Db() override {
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0101", Text{"没有库", "no database"});
  }
  void Record(AuditNote) override {}

 private:
  const Request& request_;
  const json::value& body_;
  Caller caller_;
  Services services_;
};

class OpenGate : public Gate {
 public:
  Passed Run(const Route& route, const Request& request, const json::value& body,
             const Handler& handler) override {
    last = route;
    ++runs;
    BareContext context(request, body);
    return {handler(context), 42};
  }
  Route last;
  int runs = 0;
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() : contract_(kContract), router_(contract_, handlers_, gate_) {
    handlers_.On("listThings", [](Context& c) -> Answer {
      return Json(json::object{{"limit", c.request().Query("limit")}});
    });
    handlers_.On("addThing", [](Context& c) -> Answer { return Json(c.body(), 201); });
    handlers_.On("getThing", [](Context& c) -> Answer {
      if (c.request().Param("id") == "boom") throw std::runtime_error("secret 330102");
      if (c.request().Param("id") == "db") {
        auto db = c.Db();
        if (!db) return tl::unexpected<Problem>(Problem(std::move(db.error())));
      }
      if (c.request().Param("id") == "tagged") return Json(json::object{}).With("ETag", "\"7\"");
      return Json(json::object{{"id", c.request().Param("id")}});
    });
    handlers_.On("putFile", [](Context& c) -> Answer {
      return Json(json::object{{"size", c.request().body.size()}});
    });
  }

  Reply Ask(std::string_view method, std::string_view target, std::string body = "",
            std::map<std::string, std::string, std::less<>> headers = {}) {
    Request request;
    request.headers = std::move(headers);
    request.headers.emplace("accept-language", "en");
    if (!body.empty()) request.headers.emplace("content-type", "application/json");
    request.body = std::move(body);
    auto parsed = ParseTarget(target);
    EXPECT_TRUE(parsed) << target;
    request.path = parsed->path;
    request.query = parsed->query;
    EXPECT_TRUE(router_.Owns(*parsed)) << target;
    return router_.Answer(request, *parsed, method);
  }

  static std::string Header(const Reply& reply, std::string_view name) {
    for (const auto& [key, value] : reply.response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  Contract contract_;
  Handlers handlers_;
  OpenGate gate_;
  Router router_;
};

TEST_F(RouterTest, FindsTheOperation) {
  Reply r = Ask("GET", "/api/v1/things/12");
  EXPECT_EQ(r.response.status, 200);
  EXPECT_EQ(r.response.body, R"({"id":"12"})");
  EXPECT_EQ(r.route, "/things/{id}");
  EXPECT_EQ(r.account_id, 42);
  EXPECT_EQ(gate_.last.operation, "getThing");
  EXPECT_EQ(gate_.last.permission, "session");
  EXPECT_EQ(Ask("GET", "/api/v1/things/a%2Fb.toml").response.body, R"({"id":"a/b.toml"})");
}

TEST_F(RouterTest, RefusesUnknownPathsAndMethods) {
  for (const char* path : {"/api/v1/nothing", "/api/v1/things/1/2/3", "/api/v1/things/", "/api/v1/",
                           "/api/v1/Things"}) {
    EXPECT_EQ(Ask("GET", path).response.status, 404) << path;
  }
  Reply r = Ask("DELETE", "/api/v1/things");
  EXPECT_EQ(r.response.status, 405);
  EXPECT_EQ(Header(r, "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(r.code, "CB-SERVICE-0002");
  // A word goes before a parameter, and its methods are what there is.
  EXPECT_EQ(Ask("GET", "/api/v1/things/special").response.status, 405);
  EXPECT_EQ(Ask("OPTIONS", "/api/v1/things").response.status, 405);
  EXPECT_EQ(gate_.runs, 0);
}

TEST_F(RouterTest, ChecksParametersBeforeAnythingElse) {
  EXPECT_EQ(Ask("GET", "/api/v1/things?limit=3").response.body, R"({"limit":"3"})");
  EXPECT_EQ(Ask("GET", "/api/v1/things").response.body, R"({"limit":"50"})");
  gate_.runs = 0;
  Reply r = Ask("GET", "/api/v1/things?limit=0&day=2017-02-30&other=1");
  EXPECT_EQ(r.response.status, 400);
  const auto fields = json::parse(r.response.body).at("fields").as_array();
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].at("field").as_string(), "limit");
  EXPECT_EQ(fields[1].at("field").as_string(), "day");
  EXPECT_EQ(fields[2].at("field").as_string(), "other");
  EXPECT_EQ(Ask("GET", "/api/v1/things?limit=1&limit=2").response.status, 400);
  EXPECT_EQ(Ask("GET", "/api/v1/things/AB").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": "a"})", {{"idempotency-key", "short"}})
                .response.status,
            400);
  EXPECT_EQ(gate_.runs, 0);
}

TEST_F(RouterTest, ChecksTheBody) {
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": "a", "count": 2.0})").response.body,
            R"({"name":"a","count":2})");
  gate_.runs = 0;
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": 1})").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", "{").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", "\"\xff\"").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": "\u0000"})").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": "\ud800"})").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", std::string(100, '[')).response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things").response.status, 400);
  EXPECT_EQ(Ask("POST", "/api/v1/things", "a=b", {{"content-type", "text/plain"}}).response.status,
            415);
  EXPECT_EQ(gate_.runs, 0);
  EXPECT_EQ(Ask("POST", "/api/v1/things", R"({"name": "a"})",
                {{"content-type", "Application/JSON; charset=utf-8"}})
                .response.status,
            201);
}

TEST_F(RouterTest, TakesBytesAsTheyAre) {
  Reply r = Ask("PUT", "/api/v1/things/1/file", std::string("\0\xff", 2),
                {{"content-type", "application/octet-stream"}});
  EXPECT_EQ(r.response.body, R"({"size":2})");
  EXPECT_EQ(Ask("PUT", "/api/v1/things/1/file", "x").response.status, 415);
}

TEST_F(RouterTest, TagsAnswersAndSaysWhenNothingChanged) {
  Reply r = Ask("GET", "/api/v1/things/1");
  const std::string tag = Header(r, "ETag");
  ASSERT_TRUE(tag.starts_with("W/\""));
  Reply again = Ask("GET", "/api/v1/things/1", "", {{"if-none-match", "\"x\", " + tag}});
  EXPECT_EQ(again.response.status, 304);
  EXPECT_EQ(again.response.body, "");
  EXPECT_EQ(Header(again, "ETag"), tag);
  EXPECT_EQ(Ask("GET", "/api/v1/things/2", "", {{"if-none-match", tag}}).response.status, 200);
  EXPECT_EQ(Ask("HEAD", "/api/v1/things/1").response.status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/things/tagged", "", {{"if-none-match", "\"7\""}}).response.status,
            304);
}

TEST_F(RouterTest, SaysNothingOfWhatBroke) {
  Reply r = Ask("GET", "/api/v1/things/boom");
  EXPECT_EQ(r.response.status, 500);
  EXPECT_EQ(r.response.body.find("secret"), std::string::npos);
  Reply down = Ask("GET", "/api/v1/things/db");
  EXPECT_EQ(down.response.status, 503);
  EXPECT_NE(Header(down, "Retry-After"), "");
  EXPECT_EQ(Ask("POST", "/api/v1/things/special").response.status, 501);
}

TEST_F(RouterTest, ShowsItsContract) {
  Reply r = Ask("GET", "/api/v1/openapi.json");
  EXPECT_EQ(r.response.status, 200);
  EXPECT_TRUE(json::parse(r.response.body).as_object().contains("paths"));
}

std::string ClientAs(const std::string& peer, const std::string& forwarded,
                     const std::vector<std::string>& trusted) {
  Request r;
  r.peer = peer;
  if (!forwarded.empty()) r.headers["x-forwarded-for"] = forwarded;
  return ClientOf(r, trusted);
}

TEST(ClientOfTest, OnlyATrustedProxyIsBelieved) {
  EXPECT_EQ(ClientAs("10.0.0.9", "1.2.3.4", {}), "10.0.0.9");
  EXPECT_EQ(ClientAs("10.0.0.9", "1.2.3.4", {"127.0.0.1"}), "10.0.0.9");
  EXPECT_EQ(ClientAs("127.0.0.1", "1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("::ffff:127.0.0.1", "1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "", {"127.0.0.1"}), "127.0.0.1");
}

TEST(ClientOfTest, WhatTheClientItselfWroteIsNotBelieved) {
  // A proxy adds at the end; what stands before that came from outside.
  EXPECT_EQ(ClientAs("127.0.0.1", "6.6.6.6, 1.2.3.4", {"127.0.0.1"}), "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.1", {"127.0.0.1", "10.0.0.1"}),
            "1.2.3.4");
  EXPECT_EQ(ClientAs("127.0.0.1", "1.2.3.4, <script>", {"127.0.0.1"}), "127.0.0.1");
  EXPECT_EQ(ClientAs("127.0.0.1", "2001:db8::7", {"127.0.0.1"}), "2001:db8::7");
}

}  // namespace
}  // namespace canbao::service
