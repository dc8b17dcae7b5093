// A Context for tests of handlers: a real database, a fixed caller with a session of the database,
// one transaction. Only tests include this.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "register/access/test_session.h"
#include "register/test_data_folder.h"
#include "service/context.h"

namespace canbao::service {

class TestContext : public Context {
 public:
  TestContext(const Services& services, Caller caller)
      : services_(services), caller_(std::move(caller)) {}

  const Request& request() const override { return request_; }
  const Caller& caller() const override { return caller_; }
  const Services& services() const override { return services_; }
  const boost::json::value& body() const override { return body_; }
  Result<reg::Connection*> Db() override {
    if (!db_) {
      CANBAO_ASSIGN(db_, services_.db->ConnectApp());
      CANBAO_TRY(db_->Run("BEGIN"));
      CANBAO_TRY(
          db_->Exec("SELECT set_config('canbao.session', $1, true)", {reg::Param(caller_.token)}));
    }
    return db_.get();
  }
  void Record(AuditNote note) override { notes.push_back(std::move(note)); }

  // Runs a handler as the gate would: committed when it answers, rolled back when it refuses.
  Answer Call(const Handlers& handlers, std::string_view operation) {
    db_.reset();
    Answer answer = (*handlers.Find(operation))(*this);
    if (db_) {
      Status s = db_->Run(answer ? "COMMIT" : "ROLLBACK");
      if (answer && !s) answer = tl::unexpected<Problem>(s.error());
    }
    db_.reset();
    return answer;
  }
  TestContext& Param(std::string name, std::string value) {
    request_.params[std::move(name)] = std::move(value);
    return *this;
  }
  TestContext& Query(std::string name, std::string value) {
    request_.query[std::move(name)] = std::move(value);
    return *this;
  }
  TestContext& Header(std::string name, std::string value) {
    request_.headers[std::move(name)] = std::move(value);
    return *this;
  }
  TestContext& Body(boost::json::value value) {
    body_ = std::move(value);
    return *this;
  }
  TestContext& Bytes(std::string bytes) {
    request_.body = std::move(bytes);
    return *this;
  }

  std::vector<AuditNote> notes;

 private:
  const Services& services_;
  Caller caller_;
  Request request_;
  boost::json::value body_;
  std::unique_ptr<reg::Connection> db_;
};

// A caller of the given role and division, with a session and the role's permissions.
inline Result<Caller> TestCaller(reg::Database& db, int64_t division, const std::string& role) {
  Caller caller;
  CANBAO_ASSIGN(caller.token, reg::TestSession(db, division, {role}));
  CANBAO_ASSIGN(auto owner, db.Connect());
  CANBAO_ASSIGN(reg::Rows rows,
                owner->Exec("SELECT a.account_id, a.account, s.session_id FROM canbao.session s "
                            "JOIN canbao.account a USING (account_id) WHERE s.token_hash = "
                            "sha256(convert_to($1, 'UTF8'))",
                            {reg::Param(caller.token)}));
  caller.account_id = rows.Int(0, 0);
  caller.account = rows.Text(0, 1);
  caller.session_id = rows.Int(0, 2);
  caller.division = division;
  caller.roles = {role};
  CANBAO_ASSIGN(reg::Rows permissions,
                owner->Exec("SELECT permission FROM canbao.role_permission WHERE role = $1",
                            {reg::Param(role)}));
  for (int i = 0; i < permissions.size(); ++i) caller.permissions.emplace(permissions.Text(i, 0));
  return caller;
}

}  // namespace canbao::service
