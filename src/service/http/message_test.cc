#include "service/http/message.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace canbao::service {
namespace {

Request WithHeader(const char* name, const char* value) {
  Request r;
  r.id = 7;
  r.headers[name] = value;
  return r;
}

std::string HeaderOf(const Response& r, std::string_view name) {
  for (const auto& [key, value] : r.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(Message, FindsACookie) {
  const Request r = WithHeader("cookie", "a=1; canbao_session=x=y; b=\"q\";;c");
  EXPECT_EQ(r.Cookie("canbao_session"), "x=y");
  EXPECT_EQ(r.Cookie("a"), "1");
  EXPECT_EQ(r.Cookie("b"), "q");
  EXPECT_EQ(r.Cookie("c"), "");
  EXPECT_EQ(r.Cookie("session"), "");
  EXPECT_EQ(Request().Cookie("a"), "");
}

TEST(Message, NamesADownloadForOldAndNewClients) {
  const Response r = Download("/x", "名单 \"2017\"/a.xlsx", "application/octet-stream");
  EXPECT_EQ(HeaderOf(r, "Content-Disposition"),
            "attachment; filename=\"__ _2017__a.xlsx\"; "
            "filename*=UTF-8''%E5%90%8D%E5%8D%95%20%222017%22%2Fa.xlsx");
  EXPECT_EQ(Download("/x", "a\r\nb", "t").headers.back().second.find('\r'), std::string::npos);
}

TEST(Message, ChoosesTheLanguage) {
  EXPECT_EQ(LanguageOf(Request()), Lang::kZh);
  EXPECT_EQ(LanguageOf(WithHeader("accept-language", "en-GB,en;q=0.9")), Lang::kEn);
  EXPECT_EQ(LanguageOf(WithHeader("accept-language", "zh-CN,zh;q=0.9,en;q=0.8")), Lang::kZh);
  EXPECT_EQ(LanguageOf(WithHeader("accept-language", "zh;q=0.1, en;q=0.8")), Lang::kEn);
  EXPECT_EQ(LanguageOf(WithHeader("accept-language", "fr, *;q=0.5")), Lang::kZh);
  EXPECT_EQ(LanguageOf(WithHeader("accept-language", "en;q=0")), Lang::kZh);
}

TEST(Message, TellsAProblemInTheClientsLanguage) {
  Problem p(422, Error{ErrorClass::kInput,
                       "CB-SERVICE-0003",
                       Text{"不行", "no"},
                       Text{"改正", "correct it"},
                       {},
                       0,
                       0});
  p.fields = {{"name", "必填"}};
  p.retry_after = 3;
  const Response r = ProblemResponse(p, WithHeader("accept-language", "en"));
  EXPECT_EQ(r.status, 422);
  EXPECT_EQ(HeaderOf(r, "Content-Type"), "application/problem+json");
  EXPECT_EQ(HeaderOf(r, "Retry-After"), "3");
  EXPECT_EQ(HeaderOf(r, "Content-Language"), "en");
  const auto body = boost::json::parse(r.body).as_object();
  EXPECT_EQ(body.at("title").as_string(), "no");
  EXPECT_EQ(body.at("remedy").as_string(), "correct it");
  EXPECT_EQ(body.at("code").as_string(), "CB-SERVICE-0003");
  EXPECT_EQ(body.at("instance").as_string(), "7");
  EXPECT_EQ(body.at("fields").at_pointer("/0/field").as_string(), "name");
}

TEST(Message, KeepsWhatBrokeInsideToItself) {
  const Error secret{ErrorClass::kInternal,
                     "CB-REGISTER-0102",
                     Text{"身份证 330102…", "330102…"},
                     Text{"查库", "look"},
                     {},
                     0,
                     0};
  const Response r = ProblemResponse(Problem(secret), Request());
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.body.find("330102"), std::string::npos);
  EXPECT_NE(r.body.find("CB-REGISTER-0102"), std::string::npos);
}

TEST(Message, DecidesTheStatusByTheClassOfAnError) {
  auto status = [](ErrorClass cls) {
    return Problem(Error{cls, "CB-SERVICE-0003", {}, {}, {}, 0, 0}).status;
  };
  EXPECT_EQ(status(ErrorClass::kUsage), 400);
  EXPECT_EQ(status(ErrorClass::kInput), 422);
  EXPECT_EQ(status(ErrorClass::kEnvironment), 503);
  EXPECT_EQ(status(ErrorClass::kInterrupted), 503);
  EXPECT_EQ(status(ErrorClass::kInternal), 500);
}

}  // namespace
}  // namespace canbao::service
