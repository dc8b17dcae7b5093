// One session with PostgreSQL: a thin wrapper over libpq. Parameters and results are binary where
// it pays (bulk paths), text elsewhere; nothing here knows a table.
//
// A Connection belongs to one thread at a time. Failures are Errors with the server's words: class
// environment for what the machine did (no disk, server gone), internal for SQL that we got wrong.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace canbao::reg {

// A parameter of Exec(): text or bytea or an integer, sent in binary.
class Param {
 public:
  Param(std::nullptr_t) : null_(true) {}
  Param(int16_t v) : oid_(21) { Put(static_cast<uint64_t>(static_cast<uint16_t>(v)), 2); }
  Param(int32_t v) : oid_(23) { Put(static_cast<uint32_t>(v), 4); }
  Param(int64_t v) : oid_(20) { Put(static_cast<uint64_t>(v), 8); }
  Param(bool v) : oid_(16), bytes_(1, v ? '\1' : '\0') {}
  Param(std::string_view text) : oid_(25), bytes_(text) {}
  Param(const std::string& text) : Param(std::string_view(text)) {}
  Param(const char* text) : Param(std::string_view(text)) {}
  static Param Bytes(std::string_view bytes) {
    Param p(bytes);
    p.oid_ = 17;
    return p;
  }

  bool null() const { return null_; }
  Oid oid() const { return oid_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void Put(uint64_t v, int n) {
    for (int i = n - 1; i >= 0; --i) bytes_ += static_cast<char>(v >> (8 * i));
  }
  bool null_ = false;
  Oid oid_ = 0;
  std::string bytes_;
};

// Rows of a statement, in text format. Values live as long as the result.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  Rows(Rows&& o) noexcept : result_(o.result_) { o.result_ = nullptr; }
  Rows& operator=(Rows&& o) noexcept {
    std::swap(result_, o.result_);
    return *this;
  }
  ~Rows() { PQclear(result_); }

  int size() const { return PQntuples(result_); }
  int columns() const { return PQnfields(result_); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_, row, column) != 0; }
  std::string_view Text(int row, int column) const {
    return {PQgetvalue(result_, row, column),
            static_cast<size_t>(PQgetlength(result_, row, column))};
  }
  int64_t Int(int row, int column) const;  // 0 when null
  bool Bool(int row, int column) const { return Text(row, column) == "t"; }
  std::string Bytes(int row, int column) const;  // of a bytea in hex
  int64_t affected() const;

 private:
  PGresult* result_;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const std::string& conninfo);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<Rows> Exec(const std::string& sql, const std::vector<Param>& params = {});
  // From now on a query that Exec() is given a second time is prepared, and planned once for all of
  // its parameters: with row-level policies and partitions planning costs more than most queries.
  // The last `most` of them are kept.
  Status KeepPlans(size_t most);
  // Several statements at once, no parameters, no rows.
  Status Run(const std::string& sql);

  // COPY … FROM STDIN (FORMAT binary). After CopyIn(), Put whole bytes of the stream: header, rows,
  // trailer are the caller's. CopyEnd() gives the number of rows.
  Status CopyIn(const std::string& sql);
  Status CopyPut(const char* data, size_t n);
  Result<int64_t> CopyEnd();
  // COPY … TO STDOUT: chunks until empty; a chunk of a binary copy is a row (the first also carries
  // the header). Views live until the next call.
  Status CopyOut(const std::string& sql);
  Result<std::string_view> CopyGet();

  // Stops the statement that runs in this session; may be called from another thread.
  void Cancel();
  PGconn* raw() { return conn_; }
  bool alive() const { return PQstatus(conn_) == CONNECTION_OK; }

 private:
  explicit Connection(PGconn* conn) : conn_(conn) {}
  // The prepared statement for a query, empty while it is not worth one.
  Result<std::string> Planned(const std::string& sql, const std::vector<Oid>& types);
  Error Fault(const char* code, const std::string& sql, const PGresult* result) const;

  PGconn* conn_;
  char* copied_ = nullptr;

  struct Plan {
    std::string name;  // empty: seen once
    uint64_t used = 0;
  };
  size_t most_plans_ = 0;
  uint64_t uses_ = 0;
  std::unordered_map<std::string, Plan> plans_;  // by query and types of its parameters
};

// BEGIN … COMMIT; without Commit() the destructor rolls back.
class Transaction {
 public:
  static Result<Transaction> Begin(Connection& c, const char* options = "");
  Transaction(Transaction&& o) noexcept : c_(o.c_) { o.c_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status Commit();

 private:
  explicit Transaction(Connection* c) : c_(c) {}
  Connection* c_;
};

std::string QuoteLiteral(std::string_view text);
std::string QuoteIdentifier(std::string_view name);

// ---- binary COPY encoding ----
// Appends fields in PostgreSQL's binary format to a buffer. A row is Row(columns) and then that
// many fields.
class CopyBuffer {
 public:
  static constexpr int32_t kInfinity = 0x7FFFFFFF;  // of a date

  void Header();
  void Trailer() { Raw16(-1); }
  void Row(int16_t columns) { Raw16(columns); }
  void Null() { Raw32(-1); }
  void Int2(int16_t v) {
    char* p = Room(6);
    Store32(p, 2);
    Store16(p + 4, v);
  }
  void Int4(int32_t v) {
    char* p = Room(8);
    Store32(p, 4);
    Store32(p + 4, v);
  }
  void Int8(int64_t v) {
    char* p = Room(12);
    Store32(p, 8);
    uint64_t b = __builtin_bswap64(static_cast<uint64_t>(v));
    __builtin_memcpy(p + 4, &b, 8);
  }
  void Bool(bool v) {
    char* p = Room(5);
    Store32(p, 1);
    p[4] = v ? 1 : 0;
  }
  // Days since 2000-01-01.
  void DateDays(int32_t days) { Int4(days); }
  void Bytes(std::string_view v) {
    char* p = Room(4 + v.size());
    Store32(p, static_cast<int32_t>(v.size()));
    Copy(p + 4, v.data(), v.size());
  }
  // Room for n bytes to be filled later; the offset of the first.
  size_t Reserve(size_t n) {
    char* p = Room(4 + n);
    Store32(p, static_cast<int32_t>(n));
    return size_ - n;
  }

  // A field of a length that is known at its end: Open(), what it holds, Close(). Spare() is room
  // for n bytes, of which Used() then says how many were written.
  size_t Open() {
    Room(4);
    return size_;
  }
  void Put16(uint16_t v) { Store16(Room(2), static_cast<int16_t>(v)); }
  void PutRaw(std::string_view v) { Copy(Room(v.size()), v.data(), v.size()); }
  char* Spare(size_t n) {
    char* p = Room(n);
    size_ -= n;
    return p;
  }
  void Used(size_t n) { size_ += n; }
  void Close(size_t at) { Store32(bytes_.data() + at - 4, static_cast<int32_t>(size_ - at)); }

  char* data() { return bytes_.data(); }
  size_t size() const { return size_; }
  void Clear() { size_ = 0; }

 private:
  char* Room(size_t n) {
    if (size_ + n > bytes_.size()) bytes_.resize(bytes_.size() * 2 + n + 4096);
    char* p = bytes_.data() + size_;
    size_ += n;
    return p;
  }
  // Most texts have 4 to 16 bytes: two words that may overlap, instead of a call.
  static void Copy(char* to, const char* from, size_t n) {
    if (n > 16 || n < 4) {
      CopyBytes(to, from, n);
    } else if (n >= 8) {
      __builtin_memcpy(to, from, 8);
      __builtin_memcpy(to + n - 8, from + n - 8, 8);
    } else {
      __builtin_memcpy(to, from, 4);
      __builtin_memcpy(to + n - 4, from + n - 4, 4);
    }
  }
  void Raw16(int16_t v) { Store16(Room(2), v); }
  void Raw32(int32_t v) { Store32(Room(4), v); }
  static void Store16(char* p, int16_t v) {
    uint16_t b = __builtin_bswap16(static_cast<uint16_t>(v));
    __builtin_memcpy(p, &b, 2);
  }
  static void Store32(char* p, int32_t v) {
    uint32_t b = __builtin_bswap32(static_cast<uint32_t>(v));
    __builtin_memcpy(p, &b, 4);
  }
  std::vector<char> bytes_;
  size_t size_ = 0;
};

}  // namespace canbao::reg
