// From a request to its operation: path and method, parameters and body by the contract, then the
// gate and the handler; afterwards ETag and problem+json. What is refused here has touched no
// database.
//
//   404 no such path · 405 no such method (Allow) · 400 parameters, body · 415 media type ·
//   501 an operation whose handler this build lacks
//
// Used by all worker threads at once. Nothing is thrown out of it: what a handler throws is a 500.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/context.h"
#include "service/gate.h"
#include "service/http/contract.h"
#include "service/http/message.h"
#include "service/http/target.h"

namespace canbao::service {

struct Reply {
  Response response;
  std::string route;       // template, for the log: "/persons/{key}"
  int64_t account_id = 0;  // 0 = nobody
  std::string code;        // of the problem
};

class Router {
 public:
  // All of them must outlive it.
  Router(const Contract& contract, const Handlers& handlers, Gate& gate);
  ~Router();

  // Whether the path is below the contract's prefix.
  bool Owns(const Target& target) const;
  // `request` has everything but its params; its body may be taken. `method` is what the client
  // wrote: HEAD is answered as GET.
  Reply Answer(Request& request, const Target& target, std::string_view method) const;

 private:
  struct Node;
  const Node* Walk(const Node& node, const Target& target, size_t at) const;
  Reply Run(const Operation& op, Request& request, const Target& target) const;

  const Contract& contract_;
  const Handlers& handlers_;
  Gate& gate_;
  std::vector<std::string> prefix_;
  std::unique_ptr<Node> root_;
};

// Gives a GET's answer a tag by its contents unless it has one, and makes it a 304 where the client
// has it already.
void ApplyETag(const Request& request, Response* response);

}  // namespace canbao::service
