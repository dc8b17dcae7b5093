// Signing in and out, one's own password, second factor and sessions.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "register/access/access.h"
#include "register/access/password.h"
#include "service/access/desk.h"
#include "service/access/user_json.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

constexpr const char* kCookie = "canbao_session";

std::string SessionCookie(const Request& request, std::string_view token) {
  // Behind a proxy that ends TLS the browser's side is what counts.
  const bool secure = request.tls || request.Header("x-forwarded-proto") == "https";
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", kCookie, token,
                     secure ? "; Secure" : "", token.empty() ? "; Max-Age=0" : "");
}

tl::unexpected<Problem> RefuseAccess(Error& error) {
  return tl::unexpected<Problem>(AccessProblem(std::move(error)));
}

// What was typed as the account, if it can be one: a password typed there is in no audit.
std::string NamedAccount(std::string_view text) {
  const bool fits =
      !text.empty() && text[0] >= 'a' && text[0] <= 'z' && text.size() <= 64 &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
  return fits ? std::string(text) : std::string("?");
}

// The audit of what belongs to no session of the request yet.
Status AuditSignIn(Desk& desk, const Request& request, const std::string& account,
                   int64_t account_id, const std::string& outcome) {
  reg::AuditRecord r;
  r.account_id = account_id;
  r.account = account;
  r.action = "session.open";
  r.address = request.peer;
  r.outcome = outcome;
  return desk.Write({r});
}

// The session of the request anew: handlers see its caller only.
Answer Described(Context& c, reg::Connection& access, std::string_view token, int status) {
  auto session = reg::Recognise(access, token);
  if (!session) return tl::unexpected<Problem>(Problem(std::move(session.error())));
  if (!*session) {
    return Refuse(401, "CB-SERVICE-0100", Msg("登录已结束", "the session has ended"));
  }
  return Json(SessionJson(c.services(), **session), status);
}

Result<reg::SessionInfo> OwnSession(Context& c, reg::Connection& access) {
  CANBAO_ASSIGN(auto session, reg::Recognise(access, c.caller().token));
  if (!session) {
    return Fail(ErrorClass::kInput, "CB-REGISTER-0910",
                Msg("登录已结束。", "the session has ended."));
  }
  return std::move(*session);
}

Answer SignIn(Context& c) {
  Desk& desk = *c.services().desk;
  const Request& request = c.request();
  if (!desk.sign_ins.Allow(request.peer)) {
    auto refused =
        Refuse(429, "CB-SERVICE-0107", Msg("登录尝试过于频繁", "too many attempts to sign in"),
               Text{"请稍候再试。", "Try again in a moment."});
    refused.value().retry_after = 1;
    return refused;
  }
  const json::object& body = c.body().get_object();
  reg::SignInWords words;
  words.account = json::value_to<std::string>(body.at("account"));
  words.password = json::value_to<std::string>(body.at("password"));
  if (const json::value* totp = body.if_contains("totp")) {
    words.totp = json::value_to<std::string>(*totp);
  }
  words.address = request.peer;
  words.agent = request.Header("user-agent").substr(0, 200);
  auto access = desk.Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  const std::string named = NamedAccount(words.account);
  auto done = desk.authenticator().SignIn(**access, words);
  if (!done) {
    if (auto s = AuditSignIn(desk, request, named, 0, done.error().code); !s) {
      return tl::unexpected<Problem>(Problem(std::move(s.error())));
    }
    return RefuseAccess(done.error());
  }
  if (auto s = AuditSignIn(desk, request, named, done->account_id, "ok"); !s) {
    (void)reg::EndSession(**access, done->account_id, done->session_id);
    return tl::unexpected<Problem>(Problem(std::move(s.error())));
  }
  // Whoever signs in leaves the session that the browser had: none is carried over.
  if (std::string_view old = request.Cookie(kCookie); !old.empty()) {
    auto before = reg::Recognise(**access, old, false);
    if (before && *before) {
      (void)reg::EndSession(**access, (*before)->account_id, (*before)->session_id);
    }
  }
  Answer answer = Described(c, **access, done->token, 201);
  if (answer) {
    answer->With("Set-Cookie", SessionCookie(request, done->token));
    answer->With("Cache-Control", "no-store");
  }
  return answer;
}

Answer GetSession(Context& c) {
  auto access = c.services().desk->Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  return Described(c, **access, c.caller().token, 200);
}

Answer SignOut(Context& c) {
  auto access = c.services().desk->Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  auto ended = reg::EndSession(**access, c.caller().account_id, c.caller().session_id);
  if (!ended) return tl::unexpected<Problem>(Problem(std::move(ended.error())));
  c.Record({"session.close", {}, "", ""});
  Response r = NoContent();
  r.With("Set-Cookie", SessionCookie(c.request(), ""));
  r.With("Clear-Site-Data", "\"cache\"");
  return r;
}

Answer ChangePassword(Context& c) {
  Desk& desk = *c.services().desk;
  auto access = desk.Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  c.Record({"account.password", {}, "", ""});
  auto who = OwnSession(c, **access);
  if (!who) return RefuseAccess(who.error());
  const json::object& body = c.body().get_object();
  auto done = desk.authenticator().ChangePassword(**access, *who, body.at("old").as_string(),
                                                  body.at("new").as_string());
  if (!done) return RefuseAccess(done.error());
  return NoContent();
}

Answer BeginTotp(Context& c) {
  Desk& desk = *c.services().desk;
  auto access = desk.Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  auto who = OwnSession(c, **access);
  if (!who) return RefuseAccess(who.error());
  auto secret = desk.authenticator().BeginTotp(**access, *who);
  if (!secret) return RefuseAccess(secret.error());
  return Json(json::object{{"secret", reg::Base32(*secret)},
                           {"uri", reg::TotpUri(who->account, *secret)}})
      .With("Cache-Control", "no-store");
}

Answer ConfirmTotp(Context& c) {
  Desk& desk = *c.services().desk;
  auto access = desk.Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  c.Record({"account.second_factor", {}, "", ""});
  auto who = OwnSession(c, **access);
  if (!who) return RefuseAccess(who.error());
  auto done = desk.authenticator().ConfirmTotp(**access, *who,
                                               c.body().get_object().at("code").as_string());
  if (!done) return RefuseAccess(done.error());
  return NoContent();
}

Answer ListSessions(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::vector<reg::SessionRow> rows, reg::OwnSessions(*db));
  json::array items;
  for (const reg::SessionRow& s : rows) {
    items.push_back(json::object{{"id", std::to_string(s.session_id)},
                                 {"created_at", s.created_at},
                                 {"last_seen_at", s.last_seen_at},
                                 {"address", s.address},
                                 {"agent", s.agent},
                                 {"current", s.current}});
  }
  return Json(json::object{{"items", std::move(items)}});
}

Answer EndSession(Context& c) {
  auto access = c.services().desk->Access();
  if (!access) return tl::unexpected<Problem>(Problem(std::move(access.error())));
  const std::string_view text = c.request().Param("id");
  int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  c.Record({"session.end", {}, "", json::serialize(json::object{{"session", std::string(text)}})});
  auto ended = reg::EndSession(**access, c.caller().account_id, id);
  if (!ended) return tl::unexpected<Problem>(Problem(std::move(ended.error())));
  if (!*ended) {
    return Refuse(404, "CB-SERVICE-0109", Msg("没有这个会话", "there is no such session"));
  }
  return NoContent();
}

}  // namespace

void AddSessionHandlers(Handlers& to) {
  to.On("signIn", SignIn);
  to.On("getSession", GetSession);
  to.On("signOut", SignOut);
  to.On("changePassword", ChangePassword);
  to.On("beginTotp", BeginTotp);
  to.On("confirmTotp", ConfirmTotp);
  to.On("listSessions", ListSessions);
  to.On("endSession", EndSession);
}

}  // namespace canbao::service
