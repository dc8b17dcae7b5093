// The admin port: /live (the process answers), /ready (the database answers and its schema is
// ours), /metrics (Prometheus). Plain HTTP for the machine itself or a network of the operators;
// says nothing of persons.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "service/context.h"
#include "service/http/metrics.h"
#include "service/http/server.h"

namespace canbao::service {

class Admin {
 public:
  // All of them must outlive it. Adds gauges to `metrics`.
  static Result<std::unique_ptr<Admin>> Start(const std::string& address, uint16_t port,
                                              const Services& services, Metrics& metrics,
                                              const ServerCounts& counts);
  uint16_t port() const { return server_->port(); }

 private:
  Admin() = default;
  std::unique_ptr<Server> server_;
};

// Ready: an error says why not.
Status CheckReady(const Services& services);

}  // namespace canbao::service
