#include "service/http/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <list>
#include <optional>
#include <thread>
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
  template <typename Stream>
  asio::awaitable<void> Serve(IoThread& io, Stream& stream, std::string peer, bool is_tls);
  template <typename Stream>
  asio::awaitable<bool> ReadRequest(Stream& stream, beast::flat_buffer& buffer, Link& link,
                                    Request* request, RawRequest* raw, bool* keep_alive,
                                    unsigned* version);
  asio::awaitable<Response> Respond(Request& request, const RawRequest& raw);
  template <typename Stream>
  asio::awaitable<bool> Write(Stream& stream, Response response, const Request& request,
                              bool head_only, bool keep_alive, unsigned version);
  template <typename Stream>
  asio::awaitable<bool> WriteFile(Stream& stream, http::response<http::empty_body> header,
                                  const Response& response, const Request& request, bool head_only);
  template <typename Stream>
  asio::awaitable<bool> WriteEvents(Stream& stream, http::response<http::empty_body> header,
                                    Response response, bool chunked);
};

namespace {

// Runs `work` on a worker; the coroutine goes on in its own thread.
template <typename Work>
auto OnWorker(asio::thread_pool& workers, Work work) -> asio::awaitable<decltype(work())> {
  co_return co_await asio::co_spawn(
      workers.get_executor(), [&work]() -> asio::awaitable<decltype(work())> { co_return work(); },
      asio::use_awaitable);
}

template <typename Stream>
tcp::socket& SocketOf(Stream& stream) {
  return beast::get_lowest_layer(stream).socket();
}

// The header of an answer, without its length.
template <typename Body>
void FillHeader(http::response<Body>& to, const Response& from, bool keep_alive, unsigned version) {
  to.version(version);
  to.result(static_cast<unsigned>(from.status));
  for (const auto& [name, value] : from.headers) to.insert(name, value);
  to.keep_alive(keep_alive);
}

bool ClientHasLeft(tcp::socket& socket, bool is_tls) {
  char c = 0;
  const ssize_t n = ::recv(socket.native_handle(), &c, 1, MSG_PEEK | MSG_DONTWAIT);
  // With TLS a byte is the other side's farewell: nothing else comes while events flow.
  return n == 0 || (n > 0 && is_tls) || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

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
    auto endpoint = socket.remote_endpoint(ec);
    if (ec) continue;
    std::string peer = endpoint.address().to_string(ec);
    asio::co_spawn(
        io.context,
        [this, &io, s = std::move(socket), peer]() mutable -> asio::awaitable<void> {
          counts.connections.fetch_add(1);
          if (tls) {
            beast::ssl_stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(s)), *tls);
            beast::get_lowest_layer(stream).expires_after(options.header_timeout);
            boost::system::error_code e;
            co_await stream.async_handshake(asio::ssl::stream_base::server,
                                            asio::redirect_error(asio::use_awaitable, e));
            if (!e) co_await Serve(io, stream, peer, true);
          } else {
            beast::tcp_stream stream(std::move(s));
            co_await Serve(io, stream, peer, false);
          }
          counts.connections.fetch_sub(1);
        },
        [this](std::exception_ptr e) {
          if (!e) return;
          counts.connections.fetch_sub(1);
          try {
            std::rethrow_exception(e);
          } catch (const std::exception& what) {
            Log(LogLevel::kWarning, "a connection ended: {}", std::string(what.what()));
          }
        });
  }
}

template <typename Stream>
asio::awaitable<void> Server::State::Serve(IoThread& io, Stream& stream, std::string peer,
                                           bool is_tls) {
  io.links.push_back({&SocketOf(stream), false});
  auto link = std::prev(io.links.end());
  struct Unlink {
    IoThread& io;
    std::list<Link>::iterator link;
    ~Unlink() { io.links.erase(link); }
  } unlink{io, link};
  beast::flat_buffer buffer(options.header_bytes + options.body_bytes);
  for (bool keep_alive = true; keep_alive && !stopping;) {
    Request request;
    request.peer = peer;
    request.tls = is_tls;
    RawRequest raw;
    unsigned version = 11;
    link->busy = false;
    if (!co_await ReadRequest(stream, buffer, *link, &request, &raw, &keep_alive, &version)) break;
    Response response = co_await Respond(request, raw);
    if (stopping) keep_alive = false;
    const bool head_only = raw.method == "HEAD";
    if (!co_await Write(stream, std::move(response), request, head_only, keep_alive, version))
      break;
  }
  boost::system::error_code ec;
  if constexpr (!std::is_same_v<Stream, beast::tcp_stream>) {
    beast::get_lowest_layer(stream).expires_after(std::chrono::seconds(2));
    co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ec));
  }
  SocketOf(stream).shutdown(tcp::socket::shutdown_send, ec);
}

// False when there is no more to answer; what is refused has then been answered.
template <typename Stream>
asio::awaitable<bool> Server::State::ReadRequest(Stream& stream, beast::flat_buffer& buffer,
                                                 Link& link, Request* request, RawRequest* raw,
                                                 bool* keep_alive, unsigned* version) {
  boost::system::error_code ec;
  auto& lowest = beast::get_lowest_layer(stream);
  if (buffer.size() == 0) {
    lowest.expires_after(options.idle_timeout);
    const size_t n = co_await stream.async_read_some(buffer.prepare(4096),
                                                     asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    buffer.commit(n);
  }
  link.busy = true;
  request->id = next_id.fetch_add(1);
  http::request_parser<http::string_body> parser;
  parser.header_limit(options.header_bytes);
  parser.body_limit(options.body_bytes);
  lowest.expires_after(options.header_timeout);
  co_await http::async_read_header(stream, buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, ec));
  auto fill = [&] {
    const auto& message = parser.get();
    raw->method = std::string(message.method_string());
    raw->target = std::string(message.target());
    *version = message.version();
    *keep_alive = message.keep_alive();
    for (const auto& field : message) {
      std::string name(field.name_string());
      Lower(&name);
      std::string value(field.value());
      auto [it, fresh] = request->headers.emplace(name, value);
      if (!fresh) it->second += (name == "cookie" ? "; " : ", ") + value;
    }
  };
  std::optional<Response> refusal;
  if (!ec) {
    fill();
    const auto& message = parser.get();
    if (message.version() < 11 && message.version() != 10) {
      refusal = Plain(400, "CB-SERVICE-0005", Msg("请求的格式有误", "the request is malformed"),
                      *request);
    } else if (message.version() == 11 && message.count(http::field::host) != 1) {
      refusal =
          Plain(400, "CB-SERVICE-0005", Msg("请求必须有一个 Host", "one Host is needed"), *request);
    } else if (auto expect = request->Header("expect"); !expect.empty()) {
      if (beast::iequals(expect, "100-continue")) {
        http::response<http::empty_body> go(http::status::continue_, 11);
        co_await http::async_write(stream, go, asio::redirect_error(asio::use_awaitable, ec));
      } else {
        refusal = Plain(417, "CB-SERVICE-0005",
                        Msg("不支持的 Expect", "this Expect is not supported"), *request);
      }
    }
  }
  if (!ec && !refusal) {
    lowest.expires_after(options.body_timeout);
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
      request->body = std::move(parser.get().body());
      co_return true;
    }
  }
  if (!refusal) {
    if (ec == http::error::end_of_stream || ec == asio::error::eof ||
        ec == asio::error::connection_reset || ec == asio::error::operation_aborted ||
        ec == http::error::partial_message || ec.category() == asio::error::get_ssl_category()) {
      co_return false;
    }
    if (ec == beast::error::timeout) {
      // Beast has closed the socket: there is nobody to tell.
      counts.refused.fetch_add(1);
      co_return false;
    }
    if (ec == http::error::header_limit) {
      refusal = Plain(
          431, "CB-SERVICE-0007",
          Msg("请求头超过 {0} 字节", "the header is larger than {0} bytes", options.header_bytes),
          *request);
    } else if (ec == http::error::body_limit) {
      refusal = Plain(
          413, "CB-SERVICE-0006",
          Msg("请求内容超过 {0} 字节", "the body is larger than {0} bytes", options.body_bytes),
          *request);
    } else {
      refusal = Plain(400, "CB-SERVICE-0005", Msg("请求的格式有误", "the request is malformed"),
                      *request);
    }
  }
  counts.refused.fetch_add(1);
  if (co_await Write(stream, std::move(*refusal), *request, false, false, 11)) {
    // What the client still sends is taken for a moment, so that it reads the answer instead of a
    // reset.
    SocketOf(stream).shutdown(tcp::socket::shutdown_send, ec);
    lowest.expires_after(std::chrono::seconds(2));
    buffer.clear();
    for (size_t taken = 0; taken < (32u << 20);) {
      const size_t n = co_await lowest.async_read_some(
          buffer.prepare(65536), asio::redirect_error(asio::use_awaitable, ec));
      if (ec) break;
      taken += n;
    }
  }
  co_return false;
}

asio::awaitable<Response> Server::State::Respond(Request& request, const RawRequest& raw) {
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
    co_return ProblemResponse(busy, request);
  }
  counts.waiting.fetch_add(1);
  co_return co_await OnWorker(*workers, [&] {
    counts.waiting.fetch_sub(1);
    counts.running.fetch_add(1);
    Response response = responder(request, raw);
    counts.running.fetch_sub(1);
    return response;
  });
}

template <typename Stream>
asio::awaitable<bool> Server::State::Write(Stream& stream, Response response,
                                           const Request& request, bool head_only, bool keep_alive,
                                           unsigned version) {
  boost::system::error_code ec;
  auto& lowest = beast::get_lowest_layer(stream);
  if (!response.file.empty() || response.events) {
    http::response<http::empty_body> header;
    if (response.events && version < 11) keep_alive = false;
    FillHeader(header, response, keep_alive, version);
    if (response.events && !head_only)
      co_return co_await WriteEvents(stream, std::move(header), std::move(response), version >= 11);
    if (response.events) {
      header.set(http::field::content_type, "text/event-stream");
    } else {
      co_return co_await WriteFile(stream, std::move(header), response, request, head_only);
    }
    lowest.expires_after(options.write_timeout);
    co_await http::async_write(stream, header, asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec;
  }
  lowest.expires_after(options.write_timeout);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (head_only || bodiless) {
    http::response<http::empty_body> message;
    FillHeader(message, response, keep_alive, version);
    if (!bodiless) message.content_length(response.body.size());
    co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, ec));
  } else {
    http::response<http::string_body> message;
    FillHeader(message, response, keep_alive, version);
    message.body() = std::move(response.body);
    message.content_length(message.body().size());
    co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return !ec;
}

template <typename Stream>
asio::awaitable<bool> Server::State::WriteFile(Stream& stream,
                                               http::response<http::empty_body> header,
                                               const Response& response, const Request& request,
                                               bool head_only) {
  boost::system::error_code ec;
  auto& lowest = beast::get_lowest_layer(stream);
  struct stat st {};
  auto file = co_await OnWorker(*workers, [&] { return OpenForRead(response.file); });
  if (!file || ::fstat(file->get(), &st) != 0 || !S_ISREG(st.st_mode)) {
    Log(LogLevel::kError, "request {}: the file of the answer cannot be read: {}", request.id,
        file ? response.file : file.error().ToString());
    Response gone =
        Plain(404, "CB-SERVICE-0018", Msg("文件已不存在", "the file is no longer there"), request);
    co_return co_await Write(stream, std::move(gone), request, head_only, header.keep_alive(),
                             header.version());
  }
  const auto size = static_cast<uint64_t>(st.st_size);
  const ByteRange range = response.status == 200 ? ParseRange(request.Header("range"), size)
                                                 : ByteRange{0, size, false, false};
  if (range.unsatisfiable) {
    Response none = Plain(416, "CB-SERVICE-0017",
                          Msg("请求的范围超出文件", "the range is beyond the file"), request);
    none.With("Content-Range", fmt::format("bytes */{}", size));
    co_return co_await Write(stream, std::move(none), request, head_only, header.keep_alive(),
                             header.version());
  }
  if (response.status == 200) header.set(http::field::accept_ranges, "bytes");
  if (range.partial) {
    header.result(http::status::partial_content);
    header.set(http::field::content_range,
               fmt::format("bytes {}-{}/{}", range.from, range.from + range.size - 1, size));
  }
  header.content_length(range.size);
  lowest.expires_after(options.write_timeout);
  http::response_serializer<http::empty_body> serializer(header);
  co_await http::async_write_header(stream, serializer,
                                    asio::redirect_error(asio::use_awaitable, ec));
  if (ec || head_only) co_return !ec;
  std::string piece;
  for (uint64_t at = 0; at < range.size;) {
    piece.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, range.size - at)));
    auto n = co_await OnWorker(*workers, [&] {
      return ReadAt(file->get(), piece.data(), piece.size(), range.from + at, response.file);
    });
    if (!n || *n == 0) co_return false;  // it shrank: the client sees a short answer
    lowest.expires_after(options.write_timeout);
    co_await asio::async_write(stream, asio::buffer(piece.data(), *n),
                               asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    at += *n;
  }
  co_return true;
}

template <typename Stream>
asio::awaitable<bool> Server::State::WriteEvents(Stream& stream,
                                                 http::response<http::empty_body> header,
                                                 Response response, bool chunked) {
  boost::system::error_code ec;
  auto& lowest = beast::get_lowest_layer(stream);
  constexpr bool is_tls = !std::is_same_v<Stream, beast::tcp_stream>;
  header.set(http::field::content_type, "text/event-stream");
  header.set(http::field::cache_control, "no-store");
  header.set("X-Accel-Buffering", "no");
  if (chunked) header.chunked(true);
  lowest.expires_after(options.write_timeout);
  http::response_serializer<http::empty_body> serializer(header);
  co_await http::async_write_header(stream, serializer,
                                    asio::redirect_error(asio::use_awaitable, ec));
  const auto begun = Clock::now();
  auto said = begun;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!ec && !stopping && Clock::now() - begun < options.longest_events) {
    std::optional<std::string> data =
        co_await OnWorker(*workers, [&]() -> std::optional<std::string> {
          try {
            return response.events();
          } catch (const std::exception& e) {
            Log(LogLevel::kError, "events ended: {}", std::string(e.what()));
            return std::nullopt;
          }
        });
    if (!data) break;
    std::string text;
    if (!data->empty()) {
      std::string_view rest = *data;
      for (;;) {
        const size_t end = rest.find('\n');
        text += fmt::format("data: {}\n", rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
      }
      text += '\n';
    } else if (Clock::now() - said >= options.heartbeat) {
      text = ":\n\n";
    }
    if (!text.empty()) {
      said = Clock::now();
      lowest.expires_after(options.write_timeout);
      if (chunked) {
        co_await asio::async_write(stream, http::make_chunk(asio::buffer(text)),
                                   asio::redirect_error(asio::use_awaitable, ec));
      } else {
        co_await asio::async_write(stream, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, ec));
      }
      if (ec) break;
    }
    timer.expires_after(options.event_interval);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (ClientHasLeft(lowest.socket(), is_tls)) co_return false;
  }
  if (ec) co_return false;
  lowest.expires_after(options.write_timeout);
  if (chunked) {
    co_await asio::async_write(stream, http::make_chunk_last(),
                               asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return !ec && chunked;
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
