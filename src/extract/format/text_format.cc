#include "extract/format/text_format.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "extract/errors.h"
#include "extract/format/gb18030.h"
#include "extract/format/utf8.h"

namespace canbao::extract {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

tl::unexpected<Error> Refuse(const std::string& path, const char* code, Text message, Text remedy,
                             int64_t line = 0) {
  return Fail(
      Error{ErrorClass::kInput, code, std::move(message), std::move(remedy), path, line, 0});
}

// The text without the pieces of a character or record that the probe cut off.
std::string_view WholeLines(std::string_view begin, bool whole) {
  if (whole) return begin;
  size_t last = begin.rfind('\n');
  return last == std::string_view::npos ? begin : begin.substr(0, last + 1);
}

bool LooksUtf8(const Utf8Census& census) {
  // GB18030 text read as UTF-8 is nearly all invalid; a damaged UTF-8 file has few bad bytes.
  return census.invalid == 0 || census.invalid * 4 <= census.characters;
}

Result<std::string> DetectEncoding(const std::string& path, std::string_view text, bool bom,
                                   const std::string& declared) {
  Utf8Census census = CountUtf8(text);
  bool utf8 = bom || LooksUtf8(census);
  std::string found = utf8 ? "utf-8" : "gb18030";
  if (declared.empty() || declared == found) return found;
  // Few two-byte characters may look like UTF-8 by chance, many cannot; ASCII alone is both.
  bool contradicts =
      declared == "utf-8" ? !utf8 : bom || (census.invalid == 0 && census.characters >= 16);
  if (contradicts) {
    return Refuse(path, kErrEncodingDeclared,
                  Msg("清单声明编码为 {0}，但文件内容是 {1}",
                      "the manifest says {0}, but the file is {1}", declared, found),
                  Msg("请改正清单中的 encoding，或删去该项由程序识别",
                      "correct `encoding` in the manifest, or remove it to have it detected"));
  }
  return declared;
}

struct HeaderRow {
  char delimiter = ',';
  size_t begin = 0;
  size_t end = 0;  // behind its line feed
  uint64_t line = 1;
  std::vector<std::string> headers;
};

// The commonest of the delimiters outside quotes; comma when there is none.
char CommonestDelimiter(std::string_view line, bool gb18030) {
  constexpr std::array<char, 3> kDelimiters = {',', '\t', '|'};
  std::array<size_t, 3> counts{};
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (quoted) continue;
    for (size_t d = 0; d < kDelimiters.size(); ++d) {
      if (line[i] == kDelimiters[d] && IsDelimiterAt(line.data(), i, {kDelimiters[d], gb18030})) {
        ++counts[d];
      }
    }
  }
  size_t best = 0;
  for (size_t d = 1; d < counts.size(); ++d) {
    if (counts[d] > counts[best]) best = d;
  }
  return kDelimiters[best];
}

}  // namespace

std::string_view TrimUtf8(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  // U+200B … U+200F, U+3000, U+FEFF.
  auto wide = [](uint8_t a, uint8_t b, uint8_t c) {
    return (a == 0xE3 && b == 0x80 && c == 0x80) ||
           (a == 0xE2 && b == 0x80 && c >= 0x8B && c <= 0x8F) ||
           (a == 0xEF && b == 0xBB && c == 0xBF);
  };
  while (!text.empty()) {
    if (byte(0) <= 0x20 || byte(0) == 0x7F) {
      text.remove_prefix(1);
    } else if (byte(0) == 0xC2 && text.size() >= 2 && byte(1) == 0xA0) {
      text.remove_prefix(2);
    } else if (text.size() >= 3 && wide(byte(0), byte(1), byte(2))) {
      text.remove_prefix(3);
    } else {
      break;
    }
  }
  while (!text.empty()) {
    size_t n = text.size();
    if (byte(n - 1) <= 0x20 || byte(n - 1) == 0x7F) {
      text.remove_suffix(1);
    } else if (n >= 2 && byte(n - 2) == 0xC2 && byte(n - 1) == 0xA0) {
      text.remove_suffix(2);
    } else if (n >= 3 && wide(byte(n - 3), byte(n - 2), byte(n - 1))) {
      text.remove_suffix(3);
    } else {
      break;
    }
  }
  return text;
}

std::string TextFormat::ToUtf8(std::string_view raw) const {
  return gb18030() ? DecodeGb18030(raw) : RepairUtf8(raw);
}

Result<TextFormat> DetectTextFormat(const std::string& path, std::string_view begin, bool whole,
                                    const std::string& declared, const HeaderScore& score) {
  if (begin.empty()) {
    return Refuse(path, kErrFileEmpty, Msg("文件是空的", "the file is empty"),
                  Msg("请重新传送该文件", "have the file sent again"));
  }
  bool bom = begin.starts_with(kBom);
  bool utf16 = begin.starts_with("\xFF\xFE") || begin.starts_with("\xFE\xFF");
  size_t nul = begin.find('\0');
  if (!utf16 && nul != std::string_view::npos) {
    // UTF-16 without a mark: nearly every second byte of ASCII text is zero.
    size_t zeros = static_cast<size_t>(std::count(
        begin.begin(), begin.begin() + static_cast<ptrdiff_t>(std::min<size_t>(begin.size(), 4096)),
        '\0'));
    utf16 = zeros * 8 >= std::min<size_t>(begin.size(), 4096) &&
            begin.find_first_of(",\t|") != std::string_view::npos &&
            begin.find('\n') != std::string_view::npos;
  }
  if (utf16) {
    return Refuse(path, kErrFileUtf16,
                  Msg("文件编码是 UTF-16，不受支持", "the file is UTF-16, which is not read"),
                  Msg("请另存为 UTF-8 的 CSV", "save it as CSV in UTF-8"));
  }
  if (nul != std::string_view::npos) {
    int64_t line = 1 + std::count(begin.begin(), begin.begin() + static_cast<ptrdiff_t>(nul), '\n');
    return Refuse(
        path, kErrFileBinary,
        Msg("不是文本文件：字节 {0} 处为零", "no text file: byte {0} is zero", nul),
        Msg("请检查文件是否为 CSV；压缩文件和工作簿须保留扩展名",
            "check that it is a CSV file; archives and workbooks must keep their extension"),
        line);
  }
  TextFormat format;
  std::string_view text = begin;
  std::string_view body = WholeLines(bom ? text.substr(kBom.size()) : text, whole);
  CANBAO_ASSIGN(format.encoding, DetectEncoding(path, body, bom, declared));
  format.dialect.gb18030 = format.encoding == "gb18030";

  // Each leading row is tried as the header, split by its own commonest delimiter.
  HeaderRow best;
  int best_score = 0;
  size_t at = bom ? kBom.size() : 0;
  uint64_t line = 1;
  bool any = false;
  for (int row = 0; row < kHeaderRows && at < text.size(); ++row) {
    size_t eol = std::min(text.find('\n', at), text.size());
    Dialect dialect = format.dialect;
    dialect.delimiter = CommonestDelimiter(text.substr(at, eol - at), dialect.gb18030);
    RecordIndex index;
    size_t window = std::min(text.size() - at, kMaxRecordBytes);
    index.Start(text.data() + at, window, dialect);
    index.Next(1);
    const RecordSpan& record = index.records().front();
    size_t last = index.ends()[record.first + record.fields - 1];
    HeaderRow candidate;
    candidate.delimiter = dialect.delimiter;
    candidate.begin = at;
    candidate.end = std::min(at + last + 1, text.size());
    candidate.line = line;
    size_t field_begin = at;
    std::string scratch;
    for (uint32_t f = 0; f < record.fields; ++f) {
      size_t end = at + index.ends()[record.first + f];
      std::string_view raw = text.substr(field_begin, end - field_begin);
      if (f + 1 == record.fields && raw.ends_with('\r')) raw.remove_suffix(1);
      scratch.resize(raw.size());
      size_t written = 0;
      candidate.headers.push_back(
          std::string(TrimUtf8(format.ToUtf8(Unquote(raw, scratch.data(), &written)))));
      field_begin = end + 1;
    }
    bool blank = std::all_of(candidate.headers.begin(), candidate.headers.end(),
                             [](const std::string& h) { return h.empty(); });
    line += static_cast<uint64_t>(std::count(text.begin() + static_cast<ptrdiff_t>(at),
                                             text.begin() + static_cast<ptrdiff_t>(candidate.end),
                                             '\n'));
    at = candidate.end;
    if (blank) continue;
    int points = score(candidate.headers);
    if (!any || points > best_score) {
      best = std::move(candidate);
      best_score = points;
      any = true;
    }
  }
  if (!any) {
    return Refuse(path, kErrFileEmpty, Msg("文件只有空白", "the file holds nothing but blanks"),
                  Msg("请重新传送该文件", "have the file sent again"));
  }
  format.dialect.delimiter = best.delimiter;
  format.header_line = best.line;
  format.data_begin = best.end;
  format.data_line = best.line + static_cast<uint64_t>(std::count(
                                     text.begin() + static_cast<ptrdiff_t>(best.begin),
                                     text.begin() + static_cast<ptrdiff_t>(best.end), '\n'));
  std::string_view raw = text.substr(best.begin, best.end - best.begin);
  while (raw.ends_with('\n') || raw.ends_with('\r')) raw.remove_suffix(1);
  format.header_text = format.ToUtf8(raw);
  format.headers = std::move(best.headers);
  return format;
}

}  // namespace canbao::extract
