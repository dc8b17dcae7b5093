// Everything between the server and the router: which part answers (contract or console), limits of
// an address, headers that every answer carries, the line of the log, the counters. Used by all
// workers at once; what it is given must outlive it.
#pragma once

#include <string>

#include "service/http/metrics.h"
#include "service/http/rate_limit.h"
#include "service/http/router.h"
#include "service/http/server.h"
#include "service/http/static_files.h"

namespace canbao::service {

struct SiteOptions {
  std::string web_dir;
  double requests_per_second = 200;  // of an address: a town hall may stand behind one
  double burst = 600;
};

class Site {
 public:
  Site(const Router& router, Metrics& metrics, const SiteOptions& options)
      : router_(router),
        metrics_(metrics),
        files_(options.web_dir),
        limit_(options.requests_per_second, options.burst) {}

  // The server's responder.
  Response Answer(Request& request, const RawRequest& raw);

 private:
  Reply Choose(Request& request, const RawRequest& raw);

  const Router& router_;
  Metrics& metrics_;
  StaticFiles files_;
  RateLimit limit_;
};

}  // namespace canbao::service
