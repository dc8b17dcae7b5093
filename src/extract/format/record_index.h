// Where records and fields end, in raw bytes (nothing is converted first): 64 bytes at a time with
// SSE2 or AVX2, chosen at run time.
//
// RFC 4180 as spreadsheets write it: a quote opens a quoted field only at the field's start;
// inside,
// "" is a quote and line breaks belong to the field; what follows the closing quote up to the next
// delimiter belongs to the field too. A quote elsewhere is an ordinary character.
//
// GB18030: trail bytes may be 0x30–39, 0x40–7E, 0x80–FE, so comma, tab, quote and line feed are
// never part of a character, but `|` (0x7C) may be. With `|` in GB18030 a byte 0x7C behind an odd
// number of bytes ≥ 0x80 is a trail byte and no delimiter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace canbao::extract {

struct Dialect {
  char delimiter = ',';
  bool gb18030 = false;
  bool trail_pipe() const { return gb18030 && delimiter == '|'; }
};

// Longest record, line breaks inside included. Longer ones are an unclosed quote or no text.
inline constexpr size_t kMaxRecordBytes = size_t{1} << 20;
// Bytes behind the data of a block that may be read (never used).
inline constexpr size_t kBlockPadding = 64;

// What one look at the bytes of a block tells the cutter, which works under the file's lock.
struct BlockScan {
  size_t end = 0;      // where the last complete record ends (behind its line feed); 0 = none
  uint64_t lines = 0;  // line feeds before `end`
  bool has_quotes = false;
  bool has_nul = false;
  bool in_quotes = false;  // the data end inside a quoted field …
  size_t quote_at = 0;     // … that opens here
};
// `data` begins at the start of a record and is followed by kBlockPadding readable bytes.
BlockScan ScanBlock(const char* data, size_t size, Dialect dialect);

// One record: field i lies between ends[first + i - 1] + 1 and ends[first + i]. The end before the
// first field is that of the record before; the first record of a batch has one too.
struct RecordSpan {
  uint32_t begin;
  uint32_t first;
  uint32_t fields;
  uint32_t line;  // line feeds before it in the block
};

struct IndexState {
  const char* data = nullptr;
  size_t size = 0;
  Dialect dialect;
  size_t at = 0;            // next chunk of 64 bytes
  size_t count = 0;         // ends found in this batch
  uint32_t begin = 0;       // of the record that is open
  uint32_t first = 0;       // its first end
  uint32_t line = 0;        // line feeds seen
  uint32_t begin_line = 0;  // line feeds before the record that is open
  bool in_quotes = false;
  uint64_t high_run = 0;            // bytes ≥ 0x80 just before the next chunk
  size_t skip_quote = SIZE_MAX;     // second quote of a pair
  std::vector<uint32_t> ends;       // the one before the first record, then those of this batch
  std::vector<RecordSpan> records;  // `found` of them are of this batch
  size_t found = 0;
};

// Records of a block, a batch at a time. Belongs to one thread; keeps its memory from block to
// block.
class RecordIndex {
 public:
  // Starts a block that holds complete records only. The last one may lack its line feed.
  void Start(const char* data, size_t size, Dialect dialect);
  // Indexes at least `want` further records, or all that are left; false when there are none. The
  // records and ends of the batch before are gone.
  bool Next(size_t want);

  std::span<const RecordSpan> records() const { return {s_.records.data(), s_.found}; }
  const uint32_t* ends() const { return s_.ends.data() + 1; }

 private:
  IndexState s_;
};

// Whether the byte at `at` of `data`, a delimiter's, is one (see GB18030 above).
bool IsDelimiterAt(const char* data, size_t at, Dialect dialect);

// The field's text: without the quotes of a quoted one, pairs of quotes made one. `scratch` gets
// the text where it differs from the raw bytes (at most raw.size() bytes are written).
std::string_view Unquote(std::string_view raw, char* scratch, size_t* written);

// For tests: the same results without SIMD dispatch. kBest is what the machine can do.
enum class SimdLevel { kSse2, kAvx2, kBest };
void SetSimdLevel(SimdLevel level);

}  // namespace canbao::extract
