// What a handler has at hand: the request, who asks, the database as that caller may see it, and
// the record of what was done. One Context a request, on one worker thread.
//
// The transaction begins with the first call of Db() and carries the caller's session: the
// database's policies decide what it shows (db/migrations). It is committed when the handler's
// answer is below 400 and rolled back otherwise; what was recorded with Record() is written with
// it, or, when the handler refuses, by itself: attempts count too.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "register/connection.h"
#include "register/database.h"
#include "register/pool.h"
#include "service/http/message.h"

namespace canbao::service {

class JobRunner;  // jobs/job_runner.h
class Desk;       // access/desk.h

// What the process has, for as long as it runs. Filled by `canbao serve`.
struct Services {
  reg::Database* db = nullptr;
  reg::Pool* pool = nullptr;  // sessions as canbao_app
  JobRunner* jobs = nullptr;
  Desk* desk = nullptr;                     // set by MakeGate()
  std::string data_dir;                     // absolute
  std::string policy_dir;                   // rules/, forms/, …
  std::string executable;                   // for child processes
  std::string web_dir;                      // the built console
  std::vector<std::string> delivery_roots;  // folders that may be picked from
  std::string started_at;
};

// Who is signed in. Empty for public routes.
struct Caller {
  int64_t account_id = 0;
  std::string account;
  std::string name;
  std::vector<std::string> roles;
  std::set<std::string, std::less<>> permissions;
  int64_t division = 0;  // 12 digits; 0 = the country
  int64_t session_id = 0;
  std::string token;  // what the database knows the session by
  bool Can(std::string_view permission) const { return permissions.contains(permission); }
};

// A line of the audit: what was done, to whom, why.
struct AuditNote {
  std::string action;  // "person.read", "person.reveal", "list.read", "export.start", …
  std::optional<uint64_t> person;
  std::string purpose;
  std::string detail;  // JSON text without identity data
};

class Context {
 public:
  virtual ~Context() = default;
  virtual const Request& request() const = 0;
  virtual const Caller& caller() const = 0;
  virtual const Services& services() const = 0;
  virtual const boost::json::value& body() const = 0;  // parsed and valid by the contract
  virtual Result<reg::Connection*> Db() = 0;
  virtual void Record(AuditNote note) = 0;
};

using Handler = std::function<Answer(Context&)>;

// Handlers by the contract's operationId. A test fails for an operation without a handler and for a
// handler without an operation.
class Handlers {
 public:
  void On(std::string operation, Handler handler);
  const Handler* Find(std::string_view operation) const;
  std::vector<std::string> operations() const;

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

// A file an area.
void AddSessionHandlers(Handlers& to);         // access/
void AddAdministrationHandlers(Handlers& to);  // users, roles, audit
void AddFigureHandlers(Handlers& to);          // home, forms, cut-offs, runs
void AddDivisionHandlers(Handlers& to);
void AddPolicyHandlers(Handlers& to);  // sources, policy, health
void AddListHandlers(Handlers& to);    // lists, people behind figures, saved filters
void AddPersonHandlers(Handlers& to);
void AddDeliveryHandlers(Handlers& to);  // uploads, deliveries
void AddJobHandlers(Handlers& to);       // jobs, comparisons, exports
void AddCaseHandlers(Handlers& to);      // cases, review

Handlers AllHandlers();

}  // namespace canbao::service
