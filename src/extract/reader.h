// Reading files into rows: the parts of ReadExtracts that inspection shares. Probing looks at the
// beginning of a file only; parsing turns pieces of a file into batches of rows.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "extract/delivery.h"
#include "extract/format/record_cutter.h"
#include "extract/format/table_source.h"
#include "extract/format/text_format.h"
#include "extract/mapping/mappings.h"
#include "extract/mapping/record_plan.h"
#include "extract/row.h"
#include "extract/typing/row_builder.h"

namespace canbao::extract {

// The beginning of a text file, decompressed, with padding behind.
struct FileBegin {
  std::string bytes;  // kBlockPadding zeros behind `size`
  size_t size = 0;
  bool whole = false;  // the file has no more
  std::string_view view() const { return {bytes.data(), size}; }
};
Result<FileBegin> ReadBegin(const std::string& path);

// Format and plan of a text file that is read as the manifest says.
struct ProbedText {
  TextFormat format;
  std::shared_ptr<const RecordPlan> plan;
};
Result<ProbedText> ProbeText(const ExtractSpec& spec,
                             const std::shared_ptr<const SourceMapping>& mapping);

// Rows of the sheets of a table that have the header, and their plans. Sheets without any known
// header are left out; when no sheet has it, or one has part of it, the file is refused.
class SheetReader {
 public:
  static Result<std::unique_ptr<SheetReader>> Open(const ExtractSpec& spec,
                                                   std::shared_ptr<const SourceMapping> mapping);
  // About `want` rows below a header, all of one sheet; false at the end.
  Result<bool> Next(size_t want, TableChunk* chunk, std::shared_ptr<const RecordPlan>* plan);
  // Of the first sheet with the header.
  const std::string& header_text() const { return header_text_; }
  uint64_t header_line() const { return header_line_; }
  const std::vector<std::string>& headers() const { return headers_; }

 private:
  SheetReader(const ExtractSpec& spec, std::shared_ptr<const SourceMapping> mapping)
      : spec_(spec), mapping_(std::move(mapping)) {}
  Result<bool> FindHeader(TableChunk* chunk, bool loaded);

  const ExtractSpec spec_;
  std::shared_ptr<const SourceMapping> mapping_;
  std::unique_ptr<TableSource> source_;
  int sheet_ = -1;  // whose header was found, or which is left out
  std::shared_ptr<const RecordPlan> plan_;
  std::string header_text_;
  uint64_t header_line_ = 0;
  std::vector<std::string> headers_;
  std::unique_ptr<TableChunk> first_;  // rows that probing read ahead
  bool any_header_ = false;
};

// One record as a line of CSV, for rejects of tables.
std::string CsvLine(const std::vector<std::string_view>& fields);

// Records per batch: rows of a batch stay in the cache between builder and sink.
inline constexpr size_t kBatchRecords = 32;

// Turns pieces into batches. Belongs to one thread; keeps its memory.
class BatchMaker {
 public:
  using Emit = std::function<Status(const RowBatch&)>;
  BatchMaker(Date today, const KnownDivisions* divisions) : today_(today), divisions_(divisions) {}

  Status Text(const std::string& path, const RecordPlan& plan, const TextFormat& format,
              const RecordPiece& piece, uint32_t extract, uint64_t block, const Emit& emit);
  Status Table(const RecordPlan& plan, const TableChunk& chunk, uint32_t extract, uint64_t block,
               const Emit& emit);

 private:
  Status Flush(uint32_t extract, uint64_t block, const Emit& emit);

  Date today_;
  const KnownDivisions* divisions_;
  RecordIndex index_;
  Arena arena_;
  std::vector<Row> rows_;
  size_t row_count_ = 0;
  std::vector<Reject> rejects_;
  std::deque<std::string> reject_texts_;
};

}  // namespace canbao::extract
