// The distinct texts of a column, each with a number: everything behind the reading of a table
// compares numbers. Text 0 is the empty one and means that a value is missing.
//
// Texts are numbered in the order in which they come; whatever has to be the same for any order of
// rows must not depend on a number. One thread fills it, any number of threads may read.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace canbao::linkage {

using Code = uint32_t;
inline constexpr Code kMissing = 0;

class Values {
 public:
  Values();
  // The number of `text`, which is copied when it is new.
  Code Add(std::string_view text);
  std::string_view operator[](Code code) const { return texts_[code]; }
  size_t size() const { return texts_.size(); }

 private:
  std::string_view Keep(std::string_view text);
  void Grow();

  std::vector<std::string_view> texts_;
  std::vector<uint64_t> hashes_;
  std::vector<Code> slots_;  // open addressing; UINT32_MAX = free
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t used_ = 0;  // of the last block
  size_t room_ = 0;
};

// A column: for each row the number of its text.
struct Column {
  std::vector<Code> rows;
  Values values;
  std::string_view Text(size_t row) const { return values[rows[row]]; }
};

// The same bits for the same text everywhere.
uint64_t HashOf(std::string_view text, uint64_t seed = 0);

}  // namespace canbao::linkage
