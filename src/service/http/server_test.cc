// The real server on a port of the kernel's choice, spoken to over raw sockets.
#include "service/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace canbao::service {
namespace {
using namespace std::chrono_literals;

class Wire {
 public:
  explicit Wire(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Wire() { Close(); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool connected() const { return connected_; }
  void Send(std::string_view text) { (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until the other side closes.
  std::string ReadAll() {
    while (ReadSome()) {
    }
    return std::move(had_);
  }
  // One answer with its body by Content-Length; what follows stays for the next.
  std::string ReadOne(bool with_body = true) {
    size_t head = 0;
    while ((head = had_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) return std::move(had_);
    }
    size_t size = head + 4;
    if (size_t at = had_.find("Content-Length: "); with_body && at < head)
      size += std::stoul(had_.substr(at + 16));
    while (had_.size() < size && ReadSome()) {
    }
    std::string one = had_.substr(0, size);
    had_.erase(0, size);
    return one;
  }
  // Until `text` has come.
  bool ReadUntil(const std::string& text) {
    while (had_.find(text) == std::string::npos) {
      if (!ReadSome()) return false;
    }
    return true;
  }

 private:
  bool ReadSome() {
    char piece[16384];
    const ssize_t n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    had_.append(piece, static_cast<size_t>(n));
    return true;
  }
  int fd_;
  bool connected_ = false;
  std::string had_;
};

int StatusOf(const std::string& answer) {
  return answer.size() > 12 ? std::atoi(answer.substr(9, 3).c_str()) : 0;
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("canbao-server-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    std::ofstream out(folder_ / "file.bin", std::ios::binary);
    for (int i = 0; i < 1000000; ++i) out << static_cast<char>('a' + i % 26);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Start(ServerOptions options = {}) {
    options.event_interval = 20ms;
    auto started = Server::Start(
        options, [this](Request& r, const RawRequest& raw) { return Answer(r, raw); });
    ASSERT_TRUE(started) << started.error().ToString();
    server_ = std::move(*started);
  }
  Response Answer(Request& request, const RawRequest& raw) {
    ++handled_;
    Response r;
    if (raw.target == "/file") return Download(folder_ / "file.bin", "a.bin", "application/x");
    if (raw.target == "/gone") return Download(folder_ / "gone", "a.bin", "application/x");
    if (raw.target == "/slow") std::this_thread::sleep_for(300ms);
    if (raw.target == "/events") {
      r.events = [n = 0]() mutable -> std::optional<std::string> {
        ++n;
        return n == 1 ? "one\ntwo" : n < 4 ? "" : n == 4 ? "three" : std::optional<std::string>();
      };
      return r;
    }
    if (raw.target == "/forever") {
      ++watched_;
      auto left = std::shared_ptr<void>(nullptr, [this](void*) { --watched_; });
      r.events = [left]() -> std::optional<std::string> { return ""; };
      return r;
    }
    if (raw.target == "/none") return NoContent();
    r.body = raw.method + " " + raw.target + " " + std::to_string(request.body.size());
    return r;
  }
  std::string Ask(const std::string& text) {
    Wire wire(server_->port());
    wire.Send(text);
    return wire.ReadOne();
  }

  std::filesystem::path folder_;
  std::unique_ptr<Server> server_;
  std::atomic<int> handled_{0};
  std::atomic<int> watched_{0};
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Start();
  Wire wire(server_->port());
  for (int i = 0; i < 3; ++i) {
    wire.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = wire.ReadOne();
    EXPECT_EQ(StatusOf(answer), 200);
    EXPECT_TRUE(answer.ends_with("GET /a 0"));
  }
  wire.Send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  EXPECT_TRUE(wire.ReadAll().ends_with("POST /b 3"));
  EXPECT_EQ(server_->counts().accepted.load(), 1u);
}

TEST_F(ServerTest, AnswersWhatIsSentAtOnceInOrder) {
  Start();
  Wire wire(server_->port());
  wire.Send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(wire.ReadOne().ends_with("GET /1 0"));
  EXPECT_TRUE(wire.ReadOne().ends_with("POST /2 5"));
  EXPECT_TRUE(wire.ReadOne().ends_with("GET /3 0"));
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  Start();
  Wire wire(server_->port());
  wire.Send("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = wire.ReadOne(false);
  EXPECT_NE(head.find("Content-Length: 11\r\n"), std::string::npos);
  const std::string none = wire.ReadOne();
  EXPECT_EQ(StatusOf(none), 204);
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
}

TEST_F(ServerTest, RefusesWhatIsMalformed) {
  Start();
  for (const char* text :
       {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Wire wire(server_->port());
    wire.Send(text);
    EXPECT_EQ(StatusOf(wire.ReadAll()), 400) << text;
  }
  EXPECT_EQ(StatusOf(Ask("GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n")), 417);
  EXPECT_EQ(handled_.load(), 0);
}

TEST_F(ServerTest, RefusesWhatIsTooLarge) {
  ServerOptions o;
  o.body_bytes = 1000;
  Start(o);
  EXPECT_EQ(
      StatusOf(Ask("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20000, 'a') + "\r\n\r\n")),
      431);
  EXPECT_EQ(StatusOf(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" +
                         std::string(1001, 'a'))),
            413);
  EXPECT_EQ(StatusOf(Ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                         std::string(2000, 'a') + "\r\n0\r\n\r\n")),
            413);
  EXPECT_EQ(handled_.load(), 0);
  EXPECT_EQ(StatusOf(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
                         std::string(1000, 'a'))),
            200);
}

TEST_F(ServerTest, AsksForABodyThatWaitsToBeAsked) {
  Start();
  Wire wire(server_->port());
  wire.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(StatusOf(wire.ReadOne()), 100);
  wire.Send("ab");
  EXPECT_EQ(StatusOf(wire.ReadOne()), 200);
}

TEST_F(ServerTest, GivesUpOnTheSlow) {
  ServerOptions o;
  o.header_timeout = 150ms;
  o.body_timeout = 150ms;
  o.idle_timeout = 300ms;
  Start(o);
  auto closed_after = [&](const char* text) {
    Wire wire(server_->port());
    const auto begun = std::chrono::steady_clock::now();
    wire.Send(text);
    EXPECT_EQ(wire.ReadAll(), "") << text;
    return std::chrono::steady_clock::now() - begun;
  };
  EXPECT_LT(closed_after("GET / HT"), 5s);
  EXPECT_LT(closed_after("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"), 5s);
  const auto idle = closed_after("");
  EXPECT_GE(idle, 250ms);
  EXPECT_LT(idle, 5s);
  // A byte now and then does not help: the header as a whole has its time.
  Wire drip(server_->port());
  std::thread slow([&] {
    for (int i = 0; i < 20; ++i) {
      drip.Send(i == 0 ? "GET /" : "a");
      std::this_thread::sleep_for(30ms);
    }
  });
  EXPECT_EQ(drip.ReadAll(), "");
  slow.join();
  EXPECT_EQ(handled_.load(), 0);
}

TEST_F(ServerTest, SendsAFileAndItsParts) {
  Start();
  const std::string whole = Ask("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(whole), 200);
  EXPECT_NE(whole.find("Content-Length: 1000000"), std::string::npos);
  EXPECT_EQ(whole.size() - whole.find("\r\n\r\n") - 4, 1000000u);
  auto part = [&](const std::string& range) {
    return Ask("GET /file HTTP/1.1\r\nHost: x\r\nRange: " + range + "\r\n\r\n");
  };
  std::string p = part("bytes=26-28");
  EXPECT_EQ(StatusOf(p), 206);
  EXPECT_NE(p.find("Content-Range: bytes 26-28/1000000"), std::string::npos);
  EXPECT_TRUE(p.ends_with("\r\n\r\nabc"));
  EXPECT_NE(part("bytes=999998-").find("Content-Range: bytes 999998-999999/"), std::string::npos);
  EXPECT_NE(part("bytes=-3").find("Content-Range: bytes 999997-999999/"), std::string::npos);
  p = part("bytes=1000000-");
  EXPECT_EQ(StatusOf(p), 416);
  EXPECT_NE(p.find("Content-Range: bytes */1000000"), std::string::npos);
  for (const char* odd : {"bytes=3-1", "lines=1-2", "bytes=0-1,4-5", "bytes=x-", "bytes=-"})
    EXPECT_EQ(StatusOf(part(odd)), 200) << odd;
  Wire wire(server_->port());
  wire.Send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\nGET /gone HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(wire.ReadOne(false)), 200);
  EXPECT_EQ(StatusOf(wire.ReadOne()), 404);
}

TEST_F(ServerTest, SendsEvents) {
  Start();
  Wire wire(server_->port());
  wire.Send("GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = wire.ReadAll();
  EXPECT_NE(all.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_NE(all.find("data: one\ndata: two\n\n"), std::string::npos);
  EXPECT_NE(all.find("data: three\n\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
}

TEST_F(ServerTest, NoticesThatAWatcherHasLeft) {
  ServerOptions o;
  o.heartbeat = 0s;
  Start(o);
  Wire wire(server_->port());
  wire.Send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(wire.ReadUntil(":\n\n"));
  EXPECT_EQ(watched_.load(), 1);
  wire.Close();
  for (int i = 0; i < 250 && watched_.load() > 0; ++i) std::this_thread::sleep_for(20ms);
  EXPECT_EQ(watched_.load(), 0);
}

TEST_F(ServerTest, TellsThatItIsBusy) {
  ServerOptions o;
  o.workers = 1;
  o.queue = 1;
  Start(o);
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 5; ++i) {
    wires.push_back(std::make_unique<Wire>(server_->port()));
    wires.back()->Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(20ms);
  }
  int busy = 0;
  for (auto& wire : wires) {
    const std::string answer = wire->ReadOne();
    if (StatusOf(answer) == 503) {
      ++busy;
      EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
    }
  }
  EXPECT_EQ(busy, 3);
}

TEST_F(ServerTest, HasOnlySoManyConnections) {
  ServerOptions o;
  o.connections = 2;
  Start(o);
  Wire a(server_->port());
  Wire b(server_->port());
  for (Wire* wire : {&a, &b}) {
    wire->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(StatusOf(wire->ReadOne()), 200);
  }
  Wire c(server_->port());
  c.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(c.ReadAll(), "");
}

TEST_F(ServerTest, LetsRunWhatRunsWhenItStops) {
  Start();
  const uint16_t port = server_->port();
  Wire idle(port);
  idle.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(idle.ReadOne()), 200);
  Wire busy(port);
  busy.Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  Wire watcher(port);
  watcher.Send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
  while (handled_.load() < 3) std::this_thread::sleep_for(5ms);
  const auto begun = std::chrono::steady_clock::now();
  server_->Stop(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_EQ(StatusOf(busy.ReadOne()), 200);
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_TRUE(watcher.ReadAll().ends_with("0\r\n\r\n"));
  EXPECT_FALSE(Wire(port).connected());
}

TEST_F(ServerTest, DoesNotWaitForEverWhenItStops) {
  Start();
  Wire stuck(server_->port());
  stuck.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab");
  std::this_thread::sleep_for(50ms);
  const auto begun = std::chrono::steady_clock::now();
  server_->Stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  Start();
  ServerOptions o;
  o.port = server_->port();
  auto second = Server::Start(o, [](Request&, const RawRequest&) { return NoContent(); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "CB-SERVICE-0015");
  ServerOptions tls;
  tls.tls_cert = tls.tls_key = folder_ / "file.bin";
  auto third = Server::Start(tls, [](Request&, const RawRequest&) { return NoContent(); });
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, "CB-SERVICE-0016");
}

}  // namespace
}  // namespace canbao::service
