// The gate of the service (service/gate.h): session, permission, CSRF, limits, transaction, audit.
#include "service/gate.h"

#include <fmt/format.h>
#include <sodium.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <optional>

#include "base/log.h"
#include "service/access/desk.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

// What somebody may ask for who has to change a first password or set up a second factor.
constexpr std::string_view kBeforeReady[] = {"getSession", "signOut", "changePassword", "beginTotp",
                                             "confirmTotp"};
constexpr const char* kStatementTimeout = "60s";
constexpr std::chrono::seconds kEventsRecheck{20};

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// What a handler is given. Ends its transaction with Finish().
class CallerContext : public Context {
 public:
  CallerContext(const Services& services, const Request& request, const json::value& body,
                Caller caller)
      : services_(services), request_(request), body_(body), caller_(std::move(caller)) {}
  const Request& request() const override { return request_; }
  const Caller& caller() const override { return caller_; }
  const Services& services() const override { return services_; }
  const json::value& body() const override { return body_; }

  Result<reg::Connection*> Db() override {
    if (lease_) return lease_->get();
    CANBAO_ASSIGN(auto lease, services_.pool->Take());
    lease_.emplace(std::move(lease));
    // One round trip. A token has hexadecimal digits only: Recognise() has looked at it.
    std::string begin = fmt::format("BEGIN; SET LOCAL statement_timeout = '{}'", kStatementTimeout);
    if (!caller_.token.empty()) begin += "; SET LOCAL canbao.session = '" + caller_.token + "'";
    if (auto s = (*lease_)->Run(begin); !s) {
      lease_.reset();
      return Fail(std::move(s.error()));
    }
    return lease_->get();
  }

  void Record(AuditNote note) override { notes_.push_back(std::move(note)); }

  bool began() const { return lease_.has_value(); }
  reg::Connection& connection() { return **lease_; }
  void Drop() { lease_.reset(); }  // rolls back
  const std::vector<AuditNote>& notes() const { return notes_; }

 private:
  const Services& services_;
  const Request& request_;
  const json::value& body_;
  Caller caller_;
  std::optional<reg::Pool::Lease> lease_;
  std::vector<AuditNote> notes_;
};

reg::AuditRecord RecordOf(const Caller& caller, const Request& request, const AuditNote& note,
                          std::string outcome) {
  reg::AuditRecord r;
  r.account_id = caller.account_id;
  r.account = caller.account;
  r.action = note.action;
  if (note.person) r.person = static_cast<int64_t>(*note.person);
  r.purpose = note.purpose;
  r.detail = note.detail;
  r.address = request.peer;
  r.outcome = std::move(outcome);
  return r;
}

class AccessGate : public Gate {
 public:
  explicit AccessGate(Services& services) : services_(services), desk_(services) {
    services.desk = &desk_;
  }
  ~AccessGate() override { services_.desk = nullptr; }

  Passed Run(const Route& route, const Request& request, const json::value& body,
             const Handler& handler) override {
    Passed passed;
    Caller caller;
    std::optional<tl::unexpected<Problem>> refused = Admit(route, request, &caller);
    passed.account_id = caller.account_id;
    if (refused) {
      passed.answer = std::move(*refused);
      return passed;
    }
    CallerContext context(services_, request, body, std::move(caller));
    passed.answer = Act(request, handler, context);
    if (passed.answer && passed.answer->events) Guard(context.caller().token, &*passed.answer);
    return passed;
  }

 private:
  // Fills the caller, or says why it may not go on.
  std::optional<tl::unexpected<Problem>> Admit(const Route& route, const Request& request,
                                               Caller* caller) {
    if (route.permission == "public") {
      if (request.Header("sec-fetch-site") == "cross-site") {
        return Refuse(403, "CB-SERVICE-0106",
                      Msg("请求来自其他网站", "the request comes from another site"));
      }
      return std::nullopt;
    }
    const std::string_view token = request.Cookie("canbao_session");
    auto session = Recognised(token);
    if (!session) return tl::unexpected<Problem>(Problem(std::move(session.error())));
    if (!*session || (*session)->job) {  // a job's session is for the database only
      return Refuse(401, "CB-SERVICE-0100",
                    Msg("尚未登录，或登录已过期", "nobody is signed in, or the session has ended"),
                    Text{"请重新登录。", "Please sign in again."});
    }
    reg::SessionInfo& who = **session;
    caller->account_id = who.account_id;
    caller->account = who.account;
    caller->name = who.name;
    caller->roles = who.roles;
    caller->division = who.division;
    caller->session_id = who.session_id;
    caller->token = token;
    for (std::string& p : who.permissions) caller->permissions.insert(std::move(p));
    if (auto refused = NotReady(route, who)) return refused;
    if (route.permission != "session" && !caller->Can(route.permission)) {
      Note(*caller, request, "access.refused", route.operation, "CB-SERVICE-0101");
      return Refuse(403, "CB-SERVICE-0101",
                    Msg("您的角色没有这项权限", "your roles do not permit this"),
                    Text{"如工作需要，请联系安全管理员。",
                         "Ask the security administrator if your work needs it."});
    }
    if (route.method != Method::kGet && !SameSecret(request.Header("x-csrf-token"), who.csrf)) {
      Note(*caller, request, "access.refused", route.operation, "CB-SERVICE-0102");
      return Refuse(403, "CB-SERVICE-0102",
                    Msg("请求缺少页面令牌", "the request lacks the token of the page"),
                    Text{"请刷新页面后重试。", "Reload the page and try again."});
    }
    return TooOften(route, caller->account_id);
  }

  static std::optional<tl::unexpected<Problem>> NotReady(const Route& route,
                                                         const reg::SessionInfo& who) {
    if (!who.must_change_password && !who.must_set_up_totp()) return std::nullopt;
    for (std::string_view operation : kBeforeReady) {
      if (route.operation == operation) return std::nullopt;
    }
    if (who.must_change_password) {
      return Refuse(403, "CB-SERVICE-0103",
                    Msg("须先更改初始密码", "the first password has to be changed first"));
    }
    return Refuse(
        403, "CB-SERVICE-0104",
        Msg("管理员须先设置动态验证码", "an administrator has to set up the second factor first"));
  }

  std::optional<tl::unexpected<Problem>> TooOften(const Route& route, int64_t account_id) {
    const std::string key = std::to_string(account_id);
    const bool reveals = route.permission == "persons.reveal";
    if (desk_.requests.Allow(key) && (!reveals || desk_.reveals.Allow(key))) return std::nullopt;
    auto refused = Refuse(429, "CB-SERVICE-0105", Msg("请求过于频繁", "too many requests"),
                          Text{"请稍候再试。", "Try again in a moment."});
    refused.value().retry_after = 1;
    return refused;
  }

  Result<std::optional<reg::SessionInfo>> Recognised(std::string_view token, bool seen = true) {
    if (token.empty()) return std::optional<reg::SessionInfo>();
    CANBAO_ASSIGN(auto access, desk_.Access());
    return reg::Recognise(*access, token, seen);
  }

  // A refusal that no handler sees.
  void Note(const Caller& caller, const Request& request, const char* action,
            const std::string& operation, const char* code) {
    AuditNote note;
    note.action = action;
    note.detail = json::serialize(json::object{{"operation", operation}});
    if (auto s = desk_.Write({RecordOf(caller, request, note, code)}); !s) {
      Log(LogLevel::kError, "audit: {}", s.error().ToString());
    }
  }

  Answer Act(const Request& request, const Handler& handler, CallerContext& context) {
    Answer answer = handler(context);
    const bool good = answer && answer->status < 400;
    Status done = good ? Commit(request, context) : RollBack(request, context, answer);
    // Without its record nothing happens and nothing is shown.
    if (!done) return Failed(done.error());
    return answer;
  }

  static Answer Failed(Error& e) { return tl::unexpected<Problem>(Problem(std::move(e))); }

  Status Commit(const Request& request, CallerContext& context) {
    std::vector<reg::AuditRecord> records;
    for (const AuditNote& note : context.notes()) {
      records.push_back(RecordOf(context.caller(), request, note, "ok"));
    }
    if (!context.began()) return desk_.Write(records);
    reg::Connection& c = context.connection();
    if (PQtransactionStatus(c.raw()) == PQTRANS_INERROR) {
      context.Drop();
      return Fail(
          ErrorClass::kInternal, "CB-SERVICE-0110",
          Msg("事务已失败，不能提交", "the transaction has failed and cannot be committed"));
    }
    if (records.empty()) {
      Status s = c.Run("COMMIT");
      context.Drop();
      return s;
    }
    CANBAO_ASSIGN(Desk::Chain chain, desk_.TakeChain());
    for (const reg::AuditRecord& r : records) {
      if (auto s = chain->Append(c, r); !s) {
        chain->Settle(false);
        context.Drop();
        return s;
      }
    }
    Status s = c.Run("COMMIT");
    chain->Settle(s ? std::optional(true) : std::nullopt);
    context.Drop();
    return s;
  }

  Status RollBack(const Request& request, CallerContext& context, const Answer& answer) {
    context.Drop();
    const std::string code = answer ? fmt::format("{}", answer->status) : answer.error().error.code;
    std::vector<reg::AuditRecord> records;
    for (const AuditNote& note : context.notes()) {
      records.push_back(RecordOf(context.caller(), request, note, code));
    }
    return desk_.Write(records);
  }

  // Events go on after the request: for as long as its session does.
  void Guard(const std::string& token, Response* response) {
    using Clock = std::chrono::steady_clock;
    response->events = [this, token, next = std::move(response->events),
                        checked = Clock::now()]() mutable -> std::optional<std::string> {
      if (Clock::now() - checked > kEventsRecheck) {
        checked = Clock::now();
        auto session = Recognised(token, false);
        if (session && !*session) return std::nullopt;
      }
      return next();
    };
  }

  Services& services_;
  Desk desk_;
};

}  // namespace

std::unique_ptr<Gate> MakeGate(Services& services) {
  return std::make_unique<AccessGate>(services);
}

}  // namespace canbao::service
