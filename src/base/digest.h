// Digests of streams. SHA-256 for whatever has to hold against somebody who wants it not to: what a
// manifest states, what the register keeps, outcome files, rules. XXH3 with 128 bits tells contents
// apart at the speed of memory; it gives delivered files their place in the internal order. A
// hasher belongs to one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace canbao {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(const void* data, size_t size);
  void Update(std::string_view data) { Update(data.data(), data.size()); }
  std::string FinishHex();  // lower case, 64 characters; the hasher is spent

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;
  void Update(const void* data, size_t size);
  std::string FinishHex() const;  // lower case, 32 characters

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view data);
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace canbao
