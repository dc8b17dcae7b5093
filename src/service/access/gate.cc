#include "service/gate.h"

namespace canbao::service {
namespace {

// Nobody is signed in: only public routes answer.
class PublicContext : public Context {
 public:
  PublicContext(const Services& services, const Request& request, const boost::json::value& body)
      : services_(services), request_(request), body_(body) {}
  const Request& request() const override { return request_; }
  const Caller& caller() const override { return caller_; }
  const Services& services() const override { return services_; }
  const boost::json::value& body() const override { return body_; }
  Result<reg::Connection*> Db() override {
    if (!lease_) {
      CANBAO_ASSIGN(auto lease, services_.pool->Take());
      lease_.emplace(std::move(lease));
    }
    return lease_->get();
  }
  void Record(AuditNote) override {}

 private:
  const Services& services_;
  const Request& request_;
  const boost::json::value& body_;
  Caller caller_;
  std::optional<reg::Pool::Lease> lease_;
};

class PublicGate : public Gate {
 public:
  explicit PublicGate(const Services& services) : services_(services) {}
  Passed Run(const Route& route, const Request& request, const boost::json::value& body,
             const Handler& handler) override {
    if (route.permission != "public") {
      return {Refuse(401, "CB-SERVICE-0030", Msg("请先登录", "please sign in first")), 0};
    }
    PublicContext context(services_, request, body);
    return {handler(context), 0};
  }

 private:
  const Services& services_;
};

}  // namespace

std::unique_ptr<Gate> MakeGate(const Services& services) {
  return std::make_unique<PublicGate>(services);
}

}  // namespace canbao::service
