// Cuts the bytes of a text file, as they come in blocks of any size, at ends of records, and counts
// lines, so that workers can parse the pieces on their own, in any order. Serial: one call at a
// time, in the order of the file; the same pieces come out for the same block sizes.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "extract/format/record_index.h"

namespace canbao::extract {

struct RecordPiece {
  const char* data = nullptr;  // complete records; kBlockPadding readable bytes behind
  size_t size = 0;
  uint64_t first_line = 1;  // 1-based line of its first byte
};

class RecordCutter {
 public:
  // `skip` bytes (what stands in front of the first record) are left out; `line` is the line
  // behind.
  RecordCutter(std::string path, Dialect dialect, size_t skip, uint64_t line)
      : path_(std::move(path)), dialect_(dialect), skip_(skip), line_(line) {}

  // The next `size` bytes. In front of `data` there must be room for kMaxRecordBytes, behind it
  // kBlockPadding bytes. `last`: the file ends here. The piece may be empty.
  // Refuses bytes that are no text, records over kMaxRecordBytes and quotes that are never closed.
  Result<RecordPiece> Add(char* data, size_t size, bool last);

 private:
  tl::unexpected<Error> Refuse(const char* code, const char* data, size_t at) const;

  std::string path_;
  Dialect dialect_;
  size_t skip_;
  uint64_t line_;      // of the first byte that is not handed out yet
  std::string carry_;  // the open record so far
};

// The same error from a worker that finds a record too long.
Error RecordTooLong(const std::string& path, uint64_t line);

}  // namespace canbao::extract
