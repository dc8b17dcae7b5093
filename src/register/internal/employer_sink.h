// Employers as enrolments name them, each distinct (number, name, credit code) once: rows of a load
// carry its key. The key is a hash, the same in every run and on every machine; 64 bits for a few
// million employers leave a chance of collision of about one in ten million.
// Thread-safe: encoders of several threads share one sink.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "register/connection.h"

namespace canbao::reg {

// 0 when all three are empty.
uint64_t EmployerKey(std::string_view number, std::string_view name, std::string_view uscc);

class EmployerSink {
 public:
  // `send` gets binary COPY rows (employer_key, employer_no, employer_name, uscc); one call at a
  // time.
  explicit EmployerSink(std::function<Status(CopyBuffer&)> send) : send_(std::move(send)) {}
  Status Add(uint64_t key, std::string_view number, std::string_view name, std::string_view uscc);
  Status Flush();

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_set<uint64_t> seen;
  };
  std::function<Status(CopyBuffer&)> send_;
  std::array<Shard, 64> shards_;
  std::mutex sending_;
  CopyBuffer buffer_;
};

}  // namespace canbao::reg
