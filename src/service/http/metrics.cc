#include "service/http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

namespace canbao::service {

struct Metrics::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>* requests = nullptr;
  prometheus::Family<prometheus::Histogram>* seconds = nullptr;
  std::vector<std::pair<prometheus::Gauge*, std::function<double()>>> gauges;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {
  state_->requests = &prometheus::BuildCounter()
                          .Name("canbao_http_requests_total")
                          .Help("Requests answered, by route and status")
                          .Register(state_->registry);
  state_->seconds = &prometheus::BuildHistogram()
                         .Name("canbao_http_request_seconds")
                         .Help("Time from a worker's begin of a request to its answer, by route")
                         .Register(state_->registry);
}

Metrics::~Metrics() = default;

void Metrics::CountRequest(std::string_view method, const std::string& route, int status,
                           double seconds) {
  static const prometheus::Histogram::BucketBoundaries kBounds = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  const std::string m(method);
  state_->requests->Add({{"method", m}, {"route", route}, {"status", std::to_string(status)}})
      .Increment();
  state_->seconds->Add({{"method", m}, {"route", route}}, kBounds).Observe(seconds);
}

void Metrics::AddGauge(const std::string& name, const std::string& help,
                       std::function<double()> value) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  state_->gauges.emplace_back(&family.Add({}), std::move(value));
}

std::string Metrics::Text() const {
  for (auto& [gauge, value] : state_->gauges) gauge->Set(value());
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace canbao::service
