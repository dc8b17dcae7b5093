#include "extract/format/record_cutter.h"

#include <algorithm>
#include <cstring>

#include "extract/errors.h"

namespace canbao::extract {

Error RecordTooLong(const std::string& path, uint64_t line) {
  return Error{ErrorClass::kInput,
               kErrRecordTooLong,
               Msg("从这里开始的一行超过 {0} 字节",
                   "the record that begins here is longer than {0} bytes", kMaxRecordBytes),
               Msg("请检查换行符和引号是否缺失", "check for missing line breaks and quotes"),
               path,
               static_cast<int64_t>(line),
               0};
}

tl::unexpected<Error> RecordCutter::Refuse(const char* code, const char* data, size_t at) const {
  uint64_t line = line_ + static_cast<uint64_t>(std::count(data, data + at, '\n'));
  if (code == kErrRecordTooLong) return Fail(RecordTooLong(path_, line));
  if (code == kErrQuoteOpen) {
    return Fail(Error{ErrorClass::kInput, kErrQuoteOpen,
                      Msg("这里打开的引号没有闭合", "the quote that opens here is never closed"),
                      Msg("请补上引号，或将字段内的引号写成两个",
                          "close it, or write a quote inside a field as two"),
                      path_, static_cast<int64_t>(line), 0});
  }
  return Fail(Error{
      ErrorClass::kInput, kErrFileBinary,
      Msg("文件中有零字节，不是文本", "the file holds a zero byte and is no text"),
      Msg("请检查文件是否损坏并重新传送", "check whether it is damaged and have it sent again"),
      path_, static_cast<int64_t>(line), 0});
}

Result<RecordPiece> RecordCutter::Add(char* data, size_t size, bool last) {
  size_t skipped = std::min(skip_, size);
  skip_ -= skipped;
  char* begin = data + skipped - carry_.size();
  std::memcpy(begin, carry_.data(), carry_.size());
  size_t all = size - skipped + carry_.size();
  RecordPiece piece{begin, 0, line_};
  if (all == 0) return piece;
  BlockScan scan = ScanBlock(begin, all, dialect_);
  if (scan.has_nul) {
    return Refuse(
        kErrFileBinary, begin,
        static_cast<size_t>(static_cast<const char*>(std::memchr(begin, 0, all)) - begin));
  }
  if (last && scan.in_quotes) return Refuse(kErrQuoteOpen, begin, scan.quote_at);
  piece.size = last ? all : scan.end;
  size_t open = all - piece.size;
  if (open > kMaxRecordBytes) {
    return scan.in_quotes ? Refuse(kErrQuoteOpen, begin, scan.quote_at)
                          : Refuse(kErrRecordTooLong, begin, scan.end);
  }
  line_ += scan.lines;
  carry_.assign(begin + piece.size, open);
  return piece;
}

}  // namespace canbao::extract
