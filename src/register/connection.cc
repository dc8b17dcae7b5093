#include "register/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace canbao::reg {
namespace {

// SQLSTATE classes that speak of the machine or the server's state, not of our SQL.
bool IsEnvironment(const char* state) {
  if (state == nullptr) return true;  // the connection itself
  std::string_view s(state, 2);
  return s == "08" || s == "53" || s == "57" || s == "58" || s == "28" || s == "3D" || s == "XX" ||
         std::string_view(state) == "42501";
}

std::string Trim(const char* text) {
  std::string s = text == nullptr ? "" : text;
  while (!s.empty() && (s.back() == '\n' || s.back() == ' ')) s.pop_back();
  return s;
}

void IgnoreNotice(void*, const PGresult*) {}

}  // namespace

int64_t Rows::Int(int row, int column) const {
  std::string_view t = Text(row, column);
  int64_t v = 0;
  std::from_chars(t.data(), t.data() + t.size(), v);
  return v;
}

std::string Rows::Bytes(int row, int column) const {
  std::string_view t = Text(row, column);
  std::string out;
  if (t.size() < 2 || t[0] != '\\' || t[1] != 'x') return out;
  auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (size_t i = 2; i + 1 < t.size(); i += 2) {
    out += static_cast<char>(digit(t[i]) << 4 | digit(t[i + 1]));
  }
  return out;
}

int64_t Rows::affected() const {
  int64_t v = 0;
  std::string_view t = PQcmdTuples(result_);
  std::from_chars(t.data(), t.data() + t.size(), v);
  return v;
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& conninfo) {
  PGconn* conn = PQconnectdb(conninfo.c_str());
  if (PQstatus(conn) != CONNECTION_OK) {
    std::string why = Trim(PQerrorMessage(conn));
    PQfinish(conn);
    return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0101",
                Msg("无法连接数据库：{0}", "cannot connect to the database: {0}", why),
                Msg("请用 canbao doctor 检查实例，或核对 --database。",
                    "Check the instance with `canbao doctor`, or the --database URL."));
  }
  PQsetNoticeReceiver(conn, IgnoreNotice, nullptr);
  auto c = std::unique_ptr<Connection>(new Connection(conn));
  CANBAO_TRY(
      c->Run("SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; "
             "SET search_path = pg_catalog, pg_temp; SET bytea_output = 'hex'; "
             "SET client_min_messages = warning"));
  return c;
}

Connection::~Connection() {
  PQfreemem(copied_);
  PQfinish(conn_);
}

Error Connection::Fault(const char* code, const std::string& sql, const PGresult* result) const {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string why = result == nullptr ? "" : Trim(PQresultErrorMessage(result));
  if (why.empty()) why = Trim(PQerrorMessage(conn_));
  std::string words = sql.substr(0, 300);
  bool interrupted = state != nullptr && std::strcmp(state, "57014") == 0;
  bool environment = IsEnvironment(state);
  Error e;
  e.cls = interrupted   ? ErrorClass::kInterrupted
          : environment ? ErrorClass::kEnvironment
                        : ErrorClass::kInternal;
  e.code = interrupted ? "CB-REGISTER-0104" : code;
  e.message =
      Msg("数据库报错：{0}（语句：{1}）", "the database refused: {0} (statement: {1})", why, words);
  if (state != nullptr && std::strcmp(state, "53100") == 0) {
    e.remedy =
        Msg("磁盘已满：请释放空间后重新运行。", "The disk is full: free space and run again.");
  } else if (environment && !interrupted) {
    e.remedy =
        Msg("请用 canbao doctor 检查数据库实例。", "Check the instance with `canbao doctor`.");
  }
  return e;
}

Result<Rows> Connection::Exec(const std::string& sql, const std::vector<Param>& params) {
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Param& p : params) {
    types.push_back(p.oid());
    values.push_back(p.null() ? nullptr : p.bytes().data());
    lengths.push_back(static_cast<int>(p.bytes().size()));
    formats.push_back(1);
  }
  CANBAO_ASSIGN(std::string plan, Planned(sql, types));
  const int n = static_cast<int>(params.size());
  PGresult* r = plan.empty() ? PQexecParams(conn_, sql.c_str(), n, types.data(), values.data(),
                                            lengths.data(), formats.data(), 0)
                             : PQexecPrepared(conn_, plan.c_str(), n, values.data(), lengths.data(),
                                              formats.data(), 0);
  ExecStatusType status = PQresultStatus(r);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    Error e = Fault("CB-REGISTER-0102", sql, r);
    PQclear(r);
    return Fail(std::move(e));
  }
  return Rows(r);
}

Status Connection::KeepPlans(size_t most) {
  most_plans_ = most;
  return Run("SET plan_cache_mode = force_generic_plan");
}

Result<std::string> Connection::Planned(const std::string& sql, const std::vector<Oid>& types) {
  const std::string_view word = std::string_view(sql).substr(0, sql.find(' '));
  if (most_plans_ == 0 || (word != "SELECT" && word != "WITH")) return std::string();
  std::string key = sql;
  for (Oid type : types) key += fmt::format(" {}", type);
  if (plans_.size() >= most_plans_ && !plans_.contains(key)) {
    auto oldest = std::min_element(plans_.begin(), plans_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    });
    // A failed transaction would refuse it; the next query does it then.
    if (!oldest->second.name.empty() && PQtransactionStatus(conn_) != PQTRANS_INERROR) {
      CANBAO_TRY(Run("DEALLOCATE " + oldest->second.name));
    }
    if (PQtransactionStatus(conn_) != PQTRANS_INERROR) plans_.erase(oldest);
  }
  auto [at, fresh] = plans_.try_emplace(key);
  at->second.used = ++uses_;
  if (fresh || !at->second.name.empty()) return at->second.name;
  const std::string name = fmt::format("q{}", uses_);
  PGresult* r =
      PQprepare(conn_, name.c_str(), sql.c_str(), static_cast<int>(types.size()), types.data());
  if (PQresultStatus(r) != PGRES_COMMAND_OK) {
    Error e = Fault("CB-REGISTER-0102", sql, r);
    PQclear(r);
    return Fail(std::move(e));
  }
  PQclear(r);
  at->second.name = name;
  return name;
}

Status Connection::Run(const std::string& sql) {
  PGresult* r = PQexec(conn_, sql.c_str());
  ExecStatusType status = PQresultStatus(r);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    Error e = Fault("CB-REGISTER-0102", sql, r);
    PQclear(r);
    return Fail(std::move(e));
  }
  PQclear(r);
  return {};
}

Status Connection::CopyIn(const std::string& sql) {
  PGresult* r = PQexec(conn_, sql.c_str());
  if (PQresultStatus(r) != PGRES_COPY_IN) {
    Error e = Fault("CB-REGISTER-0103", sql, r);
    PQclear(r);
    return Fail(std::move(e));
  }
  PQclear(r);
  return {};
}

Status Connection::CopyPut(const char* data, size_t n) {
  // A message to the server holds less than 1 GB; pieces keep libpq's own buffer small.
  constexpr size_t kPiece = 1 << 20;
  for (size_t done = 0; done < n;) {
    size_t piece = std::min(kPiece, n - done);
    if (PQputCopyData(conn_, data + done, static_cast<int>(piece)) != 1) {
      PGresult* r = PQgetResult(conn_);
      Error e = Fault("CB-REGISTER-0103", "COPY", r);
      PQclear(r);
      return Fail(std::move(e));
    }
    done += piece;
  }
  return {};
}

Result<int64_t> Connection::CopyEnd() {
  if (PQputCopyEnd(conn_, nullptr) != 1) return Fail(Fault("CB-REGISTER-0103", "COPY", nullptr));
  int64_t rows = 0;
  std::optional<Error> error;
  while (PGresult* r = PQgetResult(conn_)) {
    if (PQresultStatus(r) == PGRES_COMMAND_OK) {
      std::string_view t = PQcmdTuples(r);
      std::from_chars(t.data(), t.data() + t.size(), rows);
    } else if (!error) {
      error = Fault("CB-REGISTER-0103", "COPY", r);
    }
    PQclear(r);
  }
  if (error) return Fail(std::move(*error));
  return rows;
}

Status Connection::CopyOut(const std::string& sql) {
  PGresult* r = PQexec(conn_, sql.c_str());
  if (PQresultStatus(r) != PGRES_COPY_OUT) {
    Error e = Fault("CB-REGISTER-0103", sql, r);
    PQclear(r);
    return Fail(std::move(e));
  }
  PQclear(r);
  return {};
}

Result<std::string_view> Connection::CopyGet() {
  PQfreemem(copied_);
  copied_ = nullptr;
  int n = PQgetCopyData(conn_, &copied_, 0);
  if (n > 0) return std::string_view(copied_, static_cast<size_t>(n));
  std::optional<Error> error;
  while (PGresult* r = PQgetResult(conn_)) {
    if (PQresultStatus(r) != PGRES_COMMAND_OK && !error) {
      error = Fault("CB-REGISTER-0103", "COPY", r);
    }
    PQclear(r);
  }
  if (error) return Fail(std::move(*error));
  return std::string_view();
}

void Connection::Cancel() {
  PGcancel* cancel = PQgetCancel(conn_);
  char why[256];
  if (cancel != nullptr) PQcancel(cancel, why, sizeof(why));
  PQfreeCancel(cancel);
}

Result<Transaction> Transaction::Begin(Connection& c, const char* options) {
  CANBAO_TRY(c.Run(std::string("BEGIN ") + options));
  return Transaction(&c);
}

Transaction::~Transaction() {
  if (c_ != nullptr) (void)c_->Run("ROLLBACK");
}

Status Transaction::Commit() {
  Connection* c = c_;
  c_ = nullptr;
  return c->Run("COMMIT");
}

std::string QuoteLiteral(std::string_view text) {
  std::string out = "'";
  for (char ch : text) {
    if (ch == '\'') out += '\'';
    out += ch;
  }
  return out + "'";  // standard_conforming_strings is on since 9.1
}

std::string QuoteIdentifier(std::string_view name) {
  std::string out = "\"";
  for (char ch : name) {
    if (ch == '"') out += '"';
    out += ch;
  }
  return out + "\"";
}

void CopyBuffer::Header() {
  static constexpr char kSignature[] = "PGCOPY\n\377\r\n";
  char* p = Room(19);
  __builtin_memcpy(p, kSignature, 11);  // with its NUL
  std::memset(p + 11, 0, 8);
}

}  // namespace canbao::reg
