#include "service/http/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <ctime>
#include <list>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"

namespace canbao::service {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t kPiece = 256 << 10;  // of a file

// A connection as seen by whoever stops the server. Touched only by its I/O thread.
struct Link {
  tcp::socket* socket = nullptr;
  bool busy = false;  // between the first byte of a request and the last of its answer
};

struct IoThread {
  asio::io_context context{1};
  std::optional<tcp::acceptor> acceptor;
  std::list<Link> links;
  std::thread thread;
};

Response Plain(int status, const char* code, Text message, const Request& request) {
  return ProblemResponse(
      Problem(status, Error{ErrorClass::kInput, code, std::move(message), {}, {}, 0, 0}), request);
}

void Lower(std::string* text) {
  for (char& c : *text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
}

// One range of "bytes=a-b", "bytes=a-", "bytes=-n" within `size`; others are answered whole.
struct ByteRange {
  uint64_t from = 0;
  uint64_t size = 0;
  bool partial = false;
  bool unsatisfiable = false;
};
ByteRange ParseRange(std::string_view header, uint64_t size) {
  ByteRange all{0, size, false, false};
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return all;
  header.remove_prefix(6);
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return all;
  auto number = [](std::string_view text, uint64_t* to) {
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), *to);
    return ec == std::errc() && end == text.data() + text.size() && !text.empty();
  };
  uint64_t first = 0;
  uint64_t last = 0;
  const bool has_first = number(header.substr(0, dash), &first);
  const bool has_last = number(header.substr(dash + 1), &last);
  if (!has_first && (dash != 0 || !has_last)) return all;
  if (has_first && !has_last && dash + 1 != header.size()) return all;
  if (!has_first) {
    first = last >= size ? 0 : size - last;
    if (last == 0 || size == 0) return {0, 0, false, true};
    last = size - 1;
  } else {
    if (!has_last || last >= size) last = size == 0 ? 0 : size - 1;
    if (first >= size) return {0, 0, false, true};
    if (last < first) return all;
  }
  return {first, last - first + 1, true, false};
}

// A connection, plain or with TLS, as everything below sees it: one set of templates a kind, here.
class Stream {
 public:
  virtual ~Stream() = default;
  // What is not done by then fails with a time-out and closes the connection.
  virtual void Expire(std::chrono::milliseconds after) = 0;
  virtual asio::awaitable<boost::system::error_code> Begin() = 0;
  virtual asio::awaitable<size_t> Read(char* to, size_t n, boost::system::error_code* ec) = 0;
  // All of both.
  virtual asio::awaitable<boost::system::error_code> Write(std::string_view a,
                                                           std::string_view b) = 0;
  // Says farewell.
  virtual asio::awaitable<void> End() = 0;
  virtual tcp::socket& socket() = 0;
};

template <typename Lower>
class StreamOf : public Stream {
 public:
  static constexpr bool kTls = !std::is_same_v<Lower, beast::tcp_stream>;
  template <typename... Args>
  explicit StreamOf(Args&&... args) : lower_(std::forward<Args>(args)...) {}

  void Expire(std::chrono::milliseconds after) override { tcp_stream().expires_after(after); }
  asio::awaitable<boost::system::error_code> Begin() override {
    boost::system::error_code ec;
    if constexpr (kTls) {
      co_await lower_.async_handshake(asio::ssl::stream_base::server,
                                      asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return ec;
  }
  asio::awaitable<size_t> Read(char* to, size_t n, boost::system::error_code* ec) override {
    co_return co_await lower_.async_read_some(asio::buffer(to, n),
                                              asio::redirect_error(asio::use_awaitable, *ec));
  }
  asio::awaitable<boost::system::error_code> Write(std::string_view a,
                                                   std::string_view b) override {
    boost::system::error_code ec;
    const std::array<asio::const_buffer, 2> both = {asio::buffer(a), asio::buffer(b)};
    co_await asio::async_write(lower_, both, asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
  }
  asio::awaitable<void> End() override {
    boost::system::error_code ec;
    if constexpr (kTls) {
      Expire(std::chrono::seconds(2));
      co_await lower_.async_shutdown(asio::redirect_error(asio::use_awaitable, ec));
    }
    socket().shutdown(tcp::socket::shutdown_send, ec);
  }
  tcp::socket& socket() override { return tcp_stream().socket(); }

 private:
  beast::tcp_stream& tcp_stream() { return beast::get_lowest_layer(lower_); }
  Lower lower_;
};

// Runs `work` on a worker; the coroutine goes on in its own thread.
template <typename Work>
auto OnWorker(asio::thread_pool& workers, Work work) -> asio::awaitable<decltype(work())> {
  co_return co_await asio::co_spawn(
      workers.get_executor(), [&work]() -> asio::awaitable<decltype(work())> { co_return work(); },
      asio::use_awaitable);
}

// "Date: …" of now; written once a second.
const std::string& DateLine() {
  thread_local std::time_t written = 0;
  thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != written) {
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char text[64];
    std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    line = text;
    written = now;
  }
  return line;
}

// The first line and the headers of an answer; the caller adds its length and the empty line. A
// header that could break out of its line is left out.
struct Head {
  int status = 200;
  bool keep_alive = true;
  unsigned version = 11;
  std::string text;

  Head(const Response& r, int as_status, bool keep, unsigned v)
      : status(as_status), keep_alive(keep), version(v) {
    text = fmt::format("HTTP/1.{} {} {}\r\n", version % 10, status,
                       std::string_view(http::obsolete_reason(
                           http::int_to_status(static_cast<unsigned>(status)))));
    text += DateLine();
    for (const auto& [name, value] : r.headers) Add(name, value);
    if (!keep_alive) Add("Connection", "close");
    if (keep_alive && version == 10) Add("Connection", "keep-alive");
  }
  void Add(std::string_view name, std::string_view value) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) return;
    text.append(name).append(": ").append(value).append("\r\n");
  }
  void AddLength(uint64_t length) { Add("Content-Length", std::to_string(length)); }
};

bool ClientHasLeft(tcp::socket& socket, bool is_tls) {
  char c = 0;
  const ssize_t n = ::recv(socket.native_handle(), &c, 1, MSG_PEEK | MSG_DONTWAIT);
  // With TLS a byte is the other side's farewell: nothing else comes while events flow.
  return n == 0 || (n > 0 && is_tls) || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

// Fields of one name are one, as RFC 9110 has it (5.3), cookies as RFC 6265.
template <typename Fields>
void TakeHeaders(const Fields& fields, Request* request) {
  for (const auto& field : fields) {
    std::string name(field.name_string());
    Lower(&name);
    const std::string value(field.value());
    auto [it, fresh] = request->headers.emplace(name, value);
    if (!fresh) it->second += (name == "cookie" ? "; " : ", ") + value;
  }
}

// Whether the client has gone, or was closed: there is nobody to tell what is wrong.
bool NobodyThere(const boost::system::error_code& ec) {
  return ec == asio::error::eof || ec == asio::error::connection_reset ||
         ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor ||
         ec == asio::error::broken_pipe || ec == beast::error::timeout ||
         ec.category() == asio::error::get_ssl_category() ||
         ec == asio::ssl::error::stream_truncated;
}

// A connection while it is served.
struct Session {
  std::unique_ptr<Stream> stream;
  std::string buffer;  // read and not yet understood
  std::string peer;
  bool is_tls = false;
  Link* link = nullptr;
};

// What was read of a request.
struct Asked {
  Request request;
  RawRequest raw;
  bool keep_alive = true;
  unsigned version = 11;
  std::optional<Response> refusal;
};

}  // namespace

struct Server::State {
  ServerOptions options;
  Responder responder;
  std::optional<asio::ssl::context> tls;
  std::optional<asio::thread_pool> workers;
  std::vector<std::unique_ptr<IoThread>> io;
  uint16_t port = 0;
  ServerCounts counts;
  std::atomic<bool> stopping{false};
  std::atomic<uint64_t> next_id{1};
  bool stopped = false;

  asio::awaitable<void> Accept(IoThread& io);
  asio::awaitable<void> Serve(IoThread& io, tcp::socket socket, std::string peer);
  asio::awaitable<bool> Read(Session& s, Asked* asked);
  template <typename Parser>
  asio::awaitable<boost::system::error_code> Parse(Session& s, Parser& parser, bool header_only);
  template <typename Fields>
  std::optional<Response> CheckHeader(const Fields& message, const Request& request) const;
  Response RefuseRead(const boost::system::error_code& ec, const Request& request) const;
  asio::awaitable<void> Drain(Session& s);
  asio::awaitable<Response> Respond(Asked& asked);
  asio::awaitable<bool> Write(Session& s, const Asked& asked, Response response);
  asio::awaitable<bool> WriteFile(Session& s, const Asked& asked, const Response& response);
  asio::awaitable<bool> WriteEvents(Session& s, const Asked& asked, Response response);
};

asio::awaitable<void> Server::State::Accept(IoThread& io) {
  for (;;) {
    boost::system::error_code ec;
    tcp::socket socket =
        co_await io.acceptor->async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (stopping) co_return;
    if (ec) {
      // Out of descriptors, or a client that left at once: go on, but not in a hot loop.
      asio::steady_timer pause(io.context, std::chrono::milliseconds(20));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      continue;
    }
    counts.accepted.fetch_add(1);
    if (counts.connections.load() >= options.connections) {
      counts.refused.fetch_add(1);
      continue;  // closed
    }
    socket.set_option(tcp::no_delay(true), ec);
    const auto endpoint = socket.remote_endpoint(ec);
    if (ec) continue;
    counts.connections.fetch_add(1);
    asio::co_spawn(io.context, Serve(io, std::move(socket), endpoint.address().to_string(ec)),
                   [this](const std::exception_ptr& e) {
                     counts.connections.fetch_sub(1);
                     if (!e) return;
                     try {
                       std::rethrow_exception(e);
                     } catch (const std::exception& what) {
                       Log(LogLevel::kWarning, "a connection ended: {}", std::string(what.what()));
                     }
                   });
  }
}

asio::awaitable<void> Server::State::Serve(IoThread& io, tcp::socket socket, std::string peer) {
  Session s;
  s.peer = std::move(peer);
  s.is_tls = tls.has_value();
  if (s.is_tls) {
    s.stream = std::make_unique<StreamOf<beast::ssl_stream<beast::tcp_stream>>>(
        beast::tcp_stream(std::move(socket)), *tls);
  } else {
    s.stream = std::make_unique<StreamOf<beast::tcp_stream>>(std::move(socket));
  }
  io.links.push_back({&s.stream->socket(), false});
  struct Unlink {
    IoThread& io;
    std::list<Link>::iterator link;
    ~Unlink() { io.links.erase(link); }
  } unlink{io, std::prev(io.links.end())};
  s.link = &*unlink.link;
  s.stream->Expire(options.header_timeout);
  if (co_await s.stream->Begin()) co_return;
  for (bool keep_alive = true; keep_alive && !stopping;) {
    Asked asked;
    asked.request.peer = s.peer;
    asked.request.tls = s.is_tls;
    s.link->busy = false;
    if (!co_await Read(s, &asked)) break;
    const bool refused = asked.refusal.has_value();
    // (A co_await within ?: is miscompiled by gcc 12.)
    Response response;
    if (refused) {
      response = std::move(*asked.refusal);
    } else {
      response = co_await Respond(asked);
    }
    if (stopping || refused) asked.keep_alive = false;
    keep_alive = asked.keep_alive;
    if (!co_await Write(s, asked, std::move(response))) break;
    if (refused) co_await Drain(s);
  }
  co_await s.stream->End();
}

// Feeds the parser until the header, or all of the request, is there.
template <typename Parser>
asio::awaitable<boost::system::error_code> Server::State::Parse(Session& s, Parser& parser,
                                                                bool header_only) {
  boost::system::error_code ec;
  while (!(header_only ? parser.is_header_done() : parser.is_done())) {
    if (!s.buffer.empty()) {
      const size_t taken = parser.put(asio::buffer(std::as_const(s.buffer)), ec);
      s.buffer.erase(0, taken);
      if (ec && ec != http::error::need_more) co_return ec;
      if (!ec) continue;
      ec = {};
    }
    const size_t had = s.buffer.size();
    const size_t room = header_only ? 4096 : 65536;
    s.buffer.resize(had + room);
    const size_t n = co_await s.stream->Read(s.buffer.data() + had, room, &ec);
    s.buffer.resize(had + n);
    if (ec) co_return ec;
  }
  co_return ec;
}

template <typename Fields>
std::optional<Response> Server::State::CheckHeader(const Fields& message,
                                                   const Request& request) const {
  if (message.version() != 11 && message.version() != 10) {
    return Plain(400, "CB-SERVICE-0005", Msg("请求的格式有误", "the request is malformed"),
                 request);
  }
  if (message.version() == 11 && message.count(http::field::host) != 1) {
    return Plain(400, "CB-SERVICE-0005", Msg("请求必须有一个 Host", "one Host is needed"), request);
  }
  const std::string_view expect = request.Header("expect");
  if (!expect.empty() && !beast::iequals(expect, "100-continue")) {
    return Plain(417, "CB-SERVICE-0005", Msg("不支持的 Expect", "this Expect is not supported"),
                 request);
  }
  return std::nullopt;
}

// False when there is no more to answer. What is refused here is left in `asked`.
asio::awaitable<bool> Server::State::Read(Session& s, Asked* asked) {
  boost::system::error_code ec;
  if (s.buffer.empty()) {
    s.stream->Expire(options.idle_timeout);
    s.buffer.resize(4096);
    const size_t n = co_await s.stream->Read(s.buffer.data(), s.buffer.size(), &ec);
    s.buffer.resize(n);
    if (ec) co_return false;
  }
  s.link->busy = true;
  asked->request.id = next_id.fetch_add(1);
  http::request_parser<http::string_body> parser;
  parser.header_limit(options.header_bytes);
  parser.body_limit(options.body_bytes);
  s.stream->Expire(options.header_timeout);
  ec = co_await Parse(s, parser, true);
  if (!ec) {
    const auto& message = parser.get();
    asked->raw.method = std::string(message.method_string());
    asked->raw.target = std::string(message.target());
    asked->version = message.version();
    asked->keep_alive = message.keep_alive();
    TakeHeaders(message, &asked->request);
    asked->refusal = CheckHeader(message, asked->request);
    if (asked->refusal) co_return true;
    s.stream->Expire(options.body_timeout);
    if (!parser.is_done() && !asked->request.Header("expect").empty())
      ec = co_await s.stream->Write("HTTP/1.1 100 Continue\r\n\r\n", {});
  }
  if (!ec) {
    parser.eager(true);
    ec = co_await Parse(s, parser, false);
  }
  if (!ec) {
    asked->request.body = std::move(parser.get().body());
    co_return true;
  }
  if (NobodyThere(ec)) {
    if (ec == beast::error::timeout) counts.refused.fetch_add(1);
    co_return false;
  }
  asked->refusal = RefuseRead(ec, asked->request);
  co_return true;
}

Response Server::State::RefuseRead(const boost::system::error_code& ec,
                                   const Request& request) const {
  if (ec == http::error::header_limit) {
    return Plain(
        431, "CB-SERVICE-0007",
        Msg("请求头超过 {0} 字节", "the header is larger than {0} bytes", options.header_bytes),
        request);
  }
  if (ec == http::error::body_limit) {
    return Plain(
        413, "CB-SERVICE-0006",
        Msg("请求内容超过 {0} 字节", "the body is larger than {0} bytes", options.body_bytes),
        request);
  }
  return Plain(400, "CB-SERVICE-0005", Msg("请求的格式有误", "the request is malformed"), request);
}

// What a refused client still sends is taken for a moment, so that it reads the answer instead of
// a reset.
asio::awaitable<void> Server::State::Drain(Session& s) {
  counts.refused.fetch_add(1);
  boost::system::error_code ec;
  if (!s.is_tls) s.stream->socket().shutdown(tcp::socket::shutdown_send, ec);
  s.stream->Expire(std::chrono::seconds(2));
  std::string rest(65536, '\0');
  for (size_t taken = 0; taken < (32u << 20) && !ec && !stopping;)
    taken += co_await s.stream->Read(rest.data(), rest.size(), &ec);
}

asio::awaitable<Response> Server::State::Respond(Asked& asked) {
  if (counts.waiting.load() >= options.queue) {
    counts.refused.fetch_add(1);
    Problem busy(503, Error{ErrorClass::kEnvironment,
                            "CB-SERVICE-0009",
                            Msg("服务正忙", "the service is busy"),
                            {},
                            {},
                            0,
                            0});
    busy.retry_after = 1;
    co_return ProblemResponse(busy, asked.request);
  }
  counts.waiting.fetch_add(1);
  co_return co_await OnWorker(*workers, [&] {
    counts.waiting.fetch_sub(1);
    counts.running.fetch_add(1);
    Response response = responder(asked.request, asked.raw);
    counts.running.fetch_sub(1);
    return response;
  });
}

asio::awaitable<bool> Server::State::Write(Session& s, const Asked& asked, Response response) {
  if (response.events) co_return co_await WriteEvents(s, asked, std::move(response));
  if (!response.file.empty()) co_return co_await WriteFile(s, asked, response);
  Head head(response, response.status, asked.keep_alive, asked.version);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) head.AddLength(response.body.size());
  head.text += "\r\n";
  std::string_view body = response.body;
  if (bodiless || asked.raw.method == "HEAD") body = {};
  s.stream->Expire(options.write_timeout);
  boost::system::error_code ec = co_await s.stream->Write(head.text, body.substr(0, kPiece));
  for (size_t at = kPiece; at < body.size() && !ec; at += kPiece) {
    s.stream->Expire(options.write_timeout);
    ec = co_await s.stream->Write(body.substr(at, kPiece), {});
  }
  co_return !ec;
}

asio::awaitable<bool> Server::State::WriteFile(Session& s, const Asked& asked,
                                               const Response& response) {
  struct stat st {};
  auto file = co_await OnWorker(*workers, [&] { return OpenForRead(response.file); });
  if (!file || ::fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) {
    Log(LogLevel::kError, "request {}: the file of the answer cannot be read: {}", asked.request.id,
        file ? std::string("no file") : file.error().code);
    Response gone = Plain(404, "CB-SERVICE-0018",
                          Msg("文件已不存在", "the file is no longer there"), asked.request);
    co_return co_await Write(s, asked, std::move(gone));
  }
  const auto size = static_cast<uint64_t>(st.st_size);
  const ByteRange range = response.status == 200 ? ParseRange(asked.request.Header("range"), size)
                                                 : ByteRange{0, size, false, false};
  if (range.unsatisfiable) {
    Response none = Plain(416, "CB-SERVICE-0017",
                          Msg("请求的范围超出文件", "the range is beyond the file"), asked.request);
    none.With("Content-Range", fmt::format("bytes */{}", size));
    co_return co_await Write(s, asked, std::move(none));
  }
  Head head(response, range.partial ? 206 : response.status, asked.keep_alive, asked.version);
  if (response.status == 200) head.Add("Accept-Ranges", "bytes");
  if (range.partial) {
    head.Add("Content-Range",
             fmt::format("bytes {}-{}/{}", range.from, range.from + range.size - 1, size));
  }
  head.AddLength(range.size);
  head.text += "\r\n";
  s.stream->Expire(options.write_timeout);
  boost::system::error_code ec = co_await s.stream->Write(head.text, {});
  if (asked.raw.method == "HEAD") co_return !ec;
  std::string piece;
  for (uint64_t at = 0; at < range.size && !ec;) {
    piece.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, range.size - at)));
    auto n = co_await OnWorker(*workers, [&] {
      return ReadAt(file->get(), piece.data(), piece.size(), range.from + at, response.file);
    });
    if (!n || *n == 0) co_return false;  // it shrank: the client sees a short answer
    s.stream->Expire(options.write_timeout);
    ec = co_await s.stream->Write(std::string_view(piece).substr(0, *n), {});
    at += *n;
  }
  co_return !ec;
}

namespace {

// Data of an event, its lines apart; nothing for no event.
std::string EventText(std::string_view data) {
  std::string text;
  while (!data.empty()) {
    const size_t end = data.find('\n');
    text += fmt::format("data: {}\n", data.substr(0, end));
    data = end == std::string_view::npos ? std::string_view() : data.substr(end + 1);
  }
  if (!text.empty()) text += '\n';
  return text;
}

std::optional<std::string> NextEvent(const Response& response) {
  try {
    return response.events();
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "events ended: {}", std::string(e.what()));
    return std::nullopt;
  }
}

}  // namespace

asio::awaitable<bool> Server::State::WriteEvents(Session& s, const Asked& asked,
                                                 Response response) {
  const bool chunked = asked.version >= 11;
  Head head(response, response.status, asked.keep_alive && chunked, asked.version);
  head.Add("Content-Type", "text/event-stream");
  head.Add("X-Accel-Buffering", "no");
  if (chunked) head.Add("Transfer-Encoding", "chunked");
  head.text += "\r\n";
  s.stream->Expire(options.write_timeout);
  boost::system::error_code ec = co_await s.stream->Write(head.text, {});
  if (asked.raw.method == "HEAD") co_return !ec;
  const auto begun = Clock::now();
  auto said = begun;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!ec && !stopping && Clock::now() - begun < options.longest_events) {
    const auto data = co_await OnWorker(*workers, [&] { return NextEvent(response); });
    if (!data) break;
    std::string text = EventText(*data);
    if (text.empty() && Clock::now() - said >= options.heartbeat) text = ":\n\n";
    if (!text.empty()) {
      said = Clock::now();
      if (chunked) text = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
      s.stream->Expire(options.write_timeout);
      ec = co_await s.stream->Write(text, {});
      if (ec) co_return false;
    }
    timer.expires_after(options.event_interval);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (ClientHasLeft(s.stream->socket(), s.is_tls)) co_return false;
  }
  if (ec || !chunked) co_return false;
  s.stream->Expire(options.write_timeout);
  co_return !co_await s.stream->Write("0\r\n\r\n", {});
}

namespace {

Error CannotListen(const ServerOptions& o, const std::string& why) {
  return Error{
      ErrorClass::kEnvironment,
      "CB-SERVICE-0015",
      Msg("无法在 {0}:{1} 监听：{2}", "cannot listen at {0}:{1}: {2}", o.address, o.port, why),
      Text{"请换一个地址或端口（--listen），或停止占用它的程序。",
           "Choose another address or port (--listen), or stop what holds it."},
      {},
      0,
      0};
}

Status SetUpTls(const ServerOptions& o, std::optional<asio::ssl::context>* tls) {
  if (o.tls_cert.empty() && o.tls_key.empty()) return {};
  tls->emplace(asio::ssl::context::tls_server);
  boost::system::error_code ec;
  SSL_CTX_set_min_proto_version((*tls)->native_handle(), TLS1_3_VERSION);
  (*tls)->use_certificate_chain_file(o.tls_cert, ec);
  std::string file = o.tls_cert;
  if (!ec) {
    file = o.tls_key;
    (*tls)->use_private_key_file(o.tls_key, asio::ssl::context::pem, ec);
  }
  if (!ec) return {};
  return Fail(Error{
      ErrorClass::kEnvironment, "CB-SERVICE-0016",
      Msg("无法使用证书或私钥：{0}", "the certificate or its key cannot be used: {0}",
          ec.message()),
      Text{"请核对 --tls-cert 和 --tls-key（PEM）。", "Check --tls-cert and --tls-key (PEM)."},
      file, 0, 0});
}

Status Listen(const ServerOptions& o, uint16_t port, bool shared, IoThread* io) {
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(o.address, ec);
  if (ec) return Fail(CannotListen(o, ec.message()));
  const tcp::endpoint endpoint(address, port);
  tcp::acceptor& a = io->acceptor.emplace(io->context);
  a.open(endpoint.protocol(), ec);
  if (!ec) a.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && shared) {
    const int on = 1;
    ::setsockopt(a.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  if (!ec) a.bind(endpoint, ec);
  if (!ec) a.listen(1024, ec);
  if (ec) return Fail(CannotListen(o, ec.message()));
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Responder responder) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  state->responder = std::move(responder);
  State& s = *state;
  CANBAO_TRY(SetUpTls(s.options, &s.tls));
  const int threads = std::max(1, s.options.io_threads);
  for (int i = 0; i < threads; ++i) {
    s.io.push_back(std::make_unique<IoThread>());
    CANBAO_TRY(Listen(s.options, i == 0 ? s.options.port : s.port, threads > 1, s.io.back().get()));
    boost::system::error_code ec;
    s.port = s.io.front()->acceptor->local_endpoint(ec).port();
  }
  s.workers.emplace(static_cast<size_t>(std::max(1, s.options.workers)));
  for (auto& io : s.io) {
    asio::co_spawn(io->context, s.Accept(*io), asio::detached);
    io->thread = std::thread([context = &io->context] { context->run(); });
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Stop(std::chrono::milliseconds(0)); }

uint16_t Server::port() const { return state_->port; }
const ServerCounts& Server::counts() const { return state_->counts; }

void Server::Stop(std::chrono::milliseconds grace) {
  State& s = *state_;
  if (s.stopped) return;
  s.stopped = true;
  s.stopping = true;
  // Closes what listens and, of the connections, those that `all` or idleness gives up.
  auto close = [&s](bool all) {
    for (auto& io : s.io) {
      asio::post(io->context, [io = io.get(), all] {
        boost::system::error_code ec;
        if (io->acceptor) io->acceptor->close(ec);
        for (Link& link : io->links) {
          if (all) {
            link.socket->cancel(ec);
            link.socket->close(ec);
          } else if (!link.busy) {
            link.socket->shutdown(tcp::socket::shutdown_receive, ec);
          }
        }
      });
    }
  };
  close(false);
  const auto deadline = Clock::now() + grace;
  while (s.counts.connections.load() > 0 && Clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  close(true);
  // Handlers cannot be torn off: what a worker has begun ends here.
  s.workers->join();
  const auto last = Clock::now() + std::chrono::seconds(2);
  while (s.counts.connections.load() > 0 && Clock::now() < last)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (auto& io : s.io) io->context.stop();
  for (auto& io : s.io) io->thread.join();
}

}  // namespace canbao::service
