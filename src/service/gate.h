// What stands between the router and a handler: who asks, may they, and the Context they act in.
// The router has checked path, parameters and body against the contract before; the database is
// first touched here.
//
// A Gate is used by all worker threads at once. It fails with a Problem like a handler: 401, 403,
// 429, and 503 while the database does not answer.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "service/context.h"
#include "service/http/message.h"

namespace canbao::service {

// A route of the contract, as far as a gate needs to know it.
struct Route {
  std::string operation;  // operationId
  std::string
      permission;  // x-permission: "public", "session" or what the caller's roles must allow
  Method method = Method::kGet;
  std::string path;  // template: "/persons/{key}"
};

struct Passed {
  Answer answer;
  int64_t account_id = 0;  // for the log of requests; 0 = nobody
};

class Gate {
 public:
  virtual ~Gate() = default;
  // Finds the caller, refuses or runs the handler in a Context of theirs, commits or rolls back,
  // writes what was recorded.
  virtual Passed Run(const Route& route, const Request& request, const boost::json::value& body,
                     const Handler& handler) = 0;
};

// access/: sessions, permissions, CSRF, limits of an account, audit. `services` must outlive it;
// its desk is the gate's.
std::unique_ptr<Gate> MakeGate(Services& services);

}  // namespace canbao::service
