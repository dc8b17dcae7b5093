// What the beginning of a text file says about it: encoding, delimiter, where the header is. The
// header may stand below title rows. Pure functions of the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "extract/format/record_index.h"

namespace canbao::extract {

struct TextFormat {
  std::string encoding;  // "utf-8", "gb18030"
  Dialect dialect;
  uint64_t header_line = 1;  // 1-based
  size_t data_begin = 0;     // first byte behind the header record
  uint64_t data_line = 2;    // 1-based line of that byte
  std::string header_text;   // the header record, UTF-8, without its line break
  std::vector<std::string> headers;

  bool gb18030() const { return dialect.gb18030; }
  // A record, or a field of it, as UTF-8; bytes that are no text become U+FFFD.
  std::string ToUtf8(std::string_view raw) const;
};

// How many of the headers mean something; the first of the leading rows where it is highest, and at
// least one, is the header.
using HeaderScore = std::function<int(const std::vector<std::string>&)>;

// Bytes of the beginning that DetectTextFormat wants to see.
inline constexpr size_t kProbeBytes = size_t{1} << 20;
// Rows among which the header is sought.
inline constexpr int kHeaderRows = 30;

// `begin` = the first kProbeBytes (`whole`: the file has no more), followed by kBlockPadding
// readable bytes. `declared` = the manifest's encoding or empty. Refuses empty, binary and UTF-16
// files and files that are surely not in the declared encoding.
Result<TextFormat> DetectTextFormat(const std::string& path, std::string_view begin, bool whole,
                                    const std::string& declared, const HeaderScore& score);

// Blanks at both ends gone: ASCII white space, U+00A0, U+3000, zero-width characters, byte-order
// marks.
std::string_view TrimUtf8(std::string_view text);

}  // namespace canbao::extract
