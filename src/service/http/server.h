// HTTP/1.1 over TCP or TLS 1.3. I/O threads read requests and write answers; worker threads make
// the answers, for they wait for PostgreSQL. What is malformed, too large or too slow is refused
// here and reaches no worker.
//
//   400 malformed · 413 body too large · 417 · 431 header too large · 503 queue full; what is too
//   slow is closed
//
// Start(), Stop() from one thread; the responder is called by all workers at once. Errors:
// CB-SERVICE-0015 (cannot listen), 0016 (certificate or key).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "service/http/message.h"

namespace canbao::service {

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;              // 0: the kernel chooses
  std::string tls_cert, tls_key;  // PEM; both or none
  int io_threads = 1;
  int workers = 8;
  int queue = 256;  // requests that wait for a worker
  int connections = 4096;
  uint32_t header_bytes = 16 << 10;
  uint64_t body_bytes = 16 << 20;
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds idle_timeout{65'000};
  std::chrono::milliseconds write_timeout{60'000};  // without a byte taken
  std::chrono::milliseconds event_interval{1'000};
  std::chrono::seconds heartbeat{15};
  std::chrono::seconds longest_events{600};  // then the client asks again, and is checked again
};

// What a request was written as, beside what Request holds of it.
struct RawRequest {
  std::string method;  // "GET", as sent
  std::string target;
};

struct ServerCounts {
  std::atomic<int64_t> connections{0};  // open
  std::atomic<int64_t> waiting{0};      // for a worker
  std::atomic<int64_t> running{0};      // in a worker
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};  // by the server itself
};

class Server {
 public:
  // Fills what the path decides (path, query); nothing may be thrown.
  using Responder = std::function<Response(Request&, const RawRequest&)>;

  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Responder responder);
  // Stop(0) if it was not stopped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  const ServerCounts& counts() const;
  // Accepts nothing more, lets what runs finish for `grace`, then closes.
  void Stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace canbao::service
