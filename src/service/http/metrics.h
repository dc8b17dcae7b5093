// Counters of the service in the text format of Prometheus. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace canbao::service {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void CountRequest(std::string_view method, const std::string& route, int status, double seconds);
  // A value that is asked for when the text is made.
  void AddGauge(const std::string& name, const std::string& help, std::function<double()> value);
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace canbao::service
