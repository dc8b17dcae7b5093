// Everything between the server and the router: which part answers (contract or console), limits of
// an address, headers that every answer carries, the line of the log, the counters. Used by all
// workers at once; what it is given must outlive it.
#pragma once

#include <string>
#include <vector>

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
  // Proxies whose X-Forwarded-For says who the client is; of everybody else it says nothing.
  std::vector<std::string> trusted_proxies;
};

// An IPv4 or IPv6 address as text.
bool IsAddress(const std::string& text);

// Whom a request comes from: its peer, or, where that is a trusted proxy, the last address of
// X-Forwarded-For that is none.
std::string ClientOf(const Request& request, const std::vector<std::string>& trusted_proxies);

class Site {
 public:
  Site(const Router& router, Metrics& metrics, const SiteOptions& options)
      : router_(router),
        metrics_(metrics),
        files_(options.web_dir),
        limit_(options.requests_per_second, options.burst),
        trusted_proxies_(options.trusted_proxies) {}

  // The server's responder.
  Response Answer(Request& request, const RawRequest& raw);

 private:
  Reply Choose(Request& request, const RawRequest& raw);

  const Router& router_;
  Metrics& metrics_;
  StaticFiles files_;
  RateLimit limit_;
  std::vector<std::string> trusted_proxies_;
};

}  // namespace canbao::service
