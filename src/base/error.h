// Expected failures as values. An Error has a stable code (tests check the code, never the
// wording), a message for people in both languages, where it happened and what to do about it.
// Problems of single rows are data (findings, rejects), never Errors; broken invariants throw.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "base/text.h"

namespace canbao {

// Who has to act; decides the exit code of the command.
enum class ErrorClass {
  kUsage = 2,         // the words of the call are wrong
  kInput = 3,         // a delivery or file was refused
  kEnvironment = 4,   // disk full, no PostgreSQL, no permission
  kInternal = 5,      // our mistake
  kInterrupted = 130  // the user asked to stop; the state is resumable
};

struct Error {
  ErrorClass cls = ErrorClass::kInternal;
  std::string code;  // "CB-EXTRACT-0007"
  Text message;      // what happened
  Text remedy;       // what to do; may be empty
  std::string file;  // path as the user gave it; may be empty
  int64_t line = 0;  // 1-based line (sheet row); 0 = none
  int64_t column = 0;

  Error&& At(std::string path, int64_t at_line = 0, int64_t at_column = 0) && {
    file = std::move(path);
    line = at_line;
    column = at_column;
    return std::move(*this);
  }
  // "CB-EXTRACT-0007 file:12:3: message — remedy" in the process language.
  std::string ToString() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> Fail(ErrorClass cls, std::string code, Text message,
                                  Text remedy = {}) {
  return tl::unexpected<Error>(
      Error{cls, std::move(code), std::move(message), std::move(remedy), {}, 0, 0});
}

// CANBAO_TRY(expr): returns the error of a Status from the enclosing function.
// CANBAO_ASSIGN(decl, expr): the same, and moves the value into decl.
#define CANBAO_CONCAT2(a, b) a##b
#define CANBAO_CONCAT(a, b) CANBAO_CONCAT2(a, b)
#define CANBAO_TRY(expr)                                                         \
  do {                                                                           \
    auto canbao_status = (expr);                                                 \
    if (!canbao_status) return ::canbao::Fail(std::move(canbao_status.error())); \
  } while (false)
#define CANBAO_ASSIGN(decl, expr) CANBAO_ASSIGN_IMPL(CANBAO_CONCAT(canbao_r, __LINE__), decl, expr)
#define CANBAO_ASSIGN_IMPL(tmp, decl, expr)                \
  auto tmp = (expr);                                       \
  if (!tmp) return ::canbao::Fail(std::move(tmp.error())); \
  decl = std::move(*tmp)

}  // namespace canbao
