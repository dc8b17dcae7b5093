#include "extract/reader.h"

#include <algorithm>

#include "extract/errors.h"
#include "extract/format/byte_source.h"
#include "extract/typing/plain_row.h"

namespace canbao::extract {

Result<FileBegin> ReadBegin(const std::string& path) {
  CANBAO_ASSIGN(auto source, OpenByteSource(path, false));
  FileBegin begin;
  begin.bytes.assign(kProbeBytes + kBlockPadding, '\0');
  CANBAO_ASSIGN(begin.size, source->Read(begin.bytes.data(), kProbeBytes));
  begin.whole = begin.size < kProbeBytes;
  if (!begin.whole) {
    char more[kIoAlignment];
    CANBAO_ASSIGN(size_t n, source->Read(more, sizeof more));
    begin.whole = n == 0;
  }
  return begin;
}

Result<ProbedText> ProbeText(const ExtractSpec& spec,
                             const std::shared_ptr<const SourceMapping>& mapping) {
  CANBAO_ASSIGN(FileBegin begin, ReadBegin(spec.path));
  const KindSchema& schema = mapping->Of(spec.kind);
  auto score = [&](const std::vector<std::string>& headers) {
    return CountKnownHeaders(schema, headers);
  };
  CANBAO_ASSIGN(TextFormat format,
                DetectTextFormat(spec.path, begin.view(), begin.whole, spec.encoding, score));
  CANBAO_ASSIGN(RecordPlan plan,
                MakeRecordPlan(spec.path, format.header_line, format.headers, spec, mapping));
  return ProbedText{std::move(format), std::make_shared<const RecordPlan>(std::move(plan))};
}

std::string CsvLine(const std::vector<std::string_view>& fields) {
  std::string out;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string_view::npos) {
      out += fields[i];
      continue;
    }
    out += '"';
    for (char c : fields[i]) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out;
}

Result<std::unique_ptr<SheetReader>> SheetReader::Open(
    const ExtractSpec& spec, std::shared_ptr<const SourceMapping> mapping) {
  std::unique_ptr<SheetReader> reader(new SheetReader(spec, std::move(mapping)));
  CANBAO_ASSIGN(reader->source_, OpenTableSource(spec.path, spec.encoding));
  // The first sheet with the header is sought at once, so that a file without one is refused early.
  reader->first_ = std::make_unique<TableChunk>();
  CANBAO_ASSIGN(bool found, reader->FindHeader(reader->first_.get(), false));
  if (!found) {
    // The same words as for a text file without the header: every required column is missing.
    CANBAO_ASSIGN(RecordPlan plan, MakeRecordPlan(spec.path, 0, {}, spec, reader->mapping_));
    return Fail(Error{ErrorClass::kInput, kErrHeaderMissing,
                      Msg("没有一个工作表含有表头", "no sheet has the header"),
                      Msg("请补上表头", "add the header"), spec.path, 0, 0});
  }
  return reader;
}

// Reads on to the next sheet that has the header; *chunk gets the rows below it. `loaded`: *chunk
// holds the first rows of a sheet already.
Result<bool> SheetReader::FindHeader(TableChunk* chunk, bool loaded) {
  const KindSchema& schema = mapping_->Of(spec_.kind);
  for (;; loaded = false) {
    if (!loaded) {
      CANBAO_ASSIGN(bool more, source_->Next(kBatchRecords, chunk));
      if (!more) return false;
    }
    if (chunk->sheet == sheet_) continue;  // rest of a sheet that is left out
    sheet_ = chunk->sheet;
    size_t best = 0;
    int best_score = 0;
    std::vector<std::string> best_headers;
    for (size_t r = 0; r < chunk->rows.size() && r < static_cast<size_t>(kHeaderRows); ++r) {
      std::vector<std::string> headers;
      for (std::string_view cell : chunk->CellsOf(chunk->rows[r])) {
        headers.emplace_back(TrimUtf8(cell));
      }
      while (!headers.empty() && headers.back().empty()) headers.pop_back();
      int score = CountKnownHeaders(schema, headers);
      if (score > best_score) {
        best_score = score;
        best = r;
        best_headers = std::move(headers);
      }
    }
    if (best_score == 0) {
      source_->SkipSheet();
      continue;
    }
    bool complete = HasRequired(schema, best_headers, spec_.scheme != 0);
    // A further sheet that shares a word or two with the header is a note, not a list.
    if (!complete && any_header_ && best_score < 3) {
      source_->SkipSheet();
      continue;
    }
    auto plan = MakeRecordPlan(spec_.path, chunk->rows[best].line, best_headers, spec_, mapping_);
    if (!plan) {
      Error error = std::move(plan.error());
      std::string name = chunk->sheet_name;
      if (!name.empty()) {
        error.message.zh = "工作表“" + name + "”：" + error.message.zh;
        error.message.en = "sheet \"" + name + "\": " + error.message.en;
      }
      return Fail(std::move(error));
    }
    plan->date1904 = source_->date1904();
    if (!any_header_) {
      header_line_ = chunk->rows[best].line;
      std::vector<std::string_view> views(best_headers.begin(), best_headers.end());
      header_text_ = CsvLine(views);
      headers_ = best_headers;
    }
    any_header_ = true;
    plan_ = std::make_shared<const RecordPlan>(std::move(*plan));
    chunk->rows.erase(chunk->rows.begin(), chunk->rows.begin() + static_cast<ptrdiff_t>(best) + 1);
    return true;
  }
}

Result<bool> SheetReader::Next(size_t want, TableChunk* chunk,
                               std::shared_ptr<const RecordPlan>* plan) {
  if (first_ != nullptr) {
    *chunk = std::move(*first_);
    first_.reset();
    *plan = plan_;
    return true;
  }
  if (plan_ == nullptr) return false;
  int sheet = sheet_;
  CANBAO_ASSIGN(bool more, source_->Next(want, chunk));
  if (!more) {
    plan_ = nullptr;
    return false;
  }
  if (chunk->sheet != sheet) {
    // The chunk begins another sheet: look for its header in it.
    CANBAO_ASSIGN(bool found, FindHeader(chunk, true));
    if (!found) {
      plan_ = nullptr;
      return false;
    }
  }
  *plan = plan_;
  return true;
}

Status BatchMaker::Flush(uint32_t extract, uint64_t block, const Emit& emit) {
  if (row_count_ == 0 && rejects_.empty()) return {};
  RowBatch batch;
  batch.extract = extract;
  batch.block = block;
  batch.rows = std::span<const Row>(rows_.data(), row_count_);
  batch.rejects = rejects_;
  return emit(batch);
}

Status BatchMaker::Text(const std::string& path, const RecordPlan& plan, const TextFormat& format,
                        const RecordPiece& piece, uint32_t extract, uint64_t block,
                        const Emit& emit) {
  if (piece.size == 0) return {};
  bool gb18030 = format.gb18030();
  RowBuilder builder(plan, today_, divisions_, &arena_);
  PlainRowReader plain(plan, today_, divisions_);
  bool checked =
      !gb18030 && (!plain.usable() || plain.has_prose()) && IsValidUtf8({piece.data, piece.size});
  index_.Start(piece.data, piece.size, format.dialect);
  uint64_t batch = 0;
  // Plain rows write only the members that the plan has columns for.
  if (plain.usable()) std::fill(rows_.begin(), rows_.end(), Row{});
  while (index_.Next(kBatchRecords)) {
    std::span<const RecordSpan> records = index_.records();
    if (rows_.size() < records.size()) rows_.resize(records.size());
    const RecordSpan& first = records.front();
    const RecordSpan& last = records.back();
    size_t bytes = index_.ends()[last.first + last.fields - 1] - first.begin + 1;
    // Each byte may be unquoted once and become three when it is decoded.
    arena_.Reset(bytes * 4 + records.size() * RowBuilder::kRoomPerRow + 64);
    row_count_ = 0;
    rejects_.clear();
    reject_texts_.clear();
    TextRecord record(piece.data, index_.ends(), gb18030, checked, &arena_);
    for (const RecordSpan& span : records) {
      record.Set(span);
      if (span.fields == 1 && record.IsBlankLine()) continue;
      uint64_t line = piece.first_line + span.line;
      size_t size = index_.ends()[span.first + span.fields - 1] - span.begin;
      if (size > kMaxRecordBytes) return Fail(RecordTooLong(path, line));
      Row& row = rows_[row_count_];
      if (plain.usable() && plain.Build(record, checked, &row)) {
        row.line = line;
        ++row_count_;
        continue;
      }
      Reject reject;
      if (builder.Build(record, &row, &reject)) {
        row.line = line;
        ++row_count_;
      } else {
        reject.line = line;
        reject_texts_.push_back(format.ToUtf8(record.WholeRaw()));
        reject.text = reject_texts_.back();
        rejects_.push_back(reject);
      }
    }
    CANBAO_TRY(Flush(extract, block << 20 | batch++, emit));
  }
  return {};
}

Status BatchMaker::Table(const RecordPlan& plan, const TableChunk& chunk, uint32_t extract,
                         uint64_t block, const Emit& emit) {
  RowBuilder builder(plan, today_, divisions_, &arena_);
  if (rows_.size() < chunk.rows.size()) rows_.resize(chunk.rows.size());
  arena_.Reset(chunk.rows.size() * RowBuilder::kRoomPerRow + 64);
  row_count_ = 0;
  rejects_.clear();
  reject_texts_.clear();
  for (const auto& span : chunk.rows) {
    auto cells = chunk.CellsOf(span);
    bool blank = std::all_of(cells.begin(), cells.end(),
                             [](std::string_view cell) { return Trim(cell).empty(); });
    if (blank) continue;
    CellRecord record(cells, plan.columns);
    Row& row = rows_[row_count_];
    Reject reject;
    if (builder.Build(record, &row, &reject)) {
      row.line = span.line;
      row.sheet = static_cast<uint8_t>(chunk.sheet);
      ++row_count_;
    } else {
      reject.line = span.line;
      reject.sheet = static_cast<uint8_t>(chunk.sheet);
      reject_texts_.push_back(CsvLine({cells.begin(), cells.end()}));
      reject.text = reject_texts_.back();
      rejects_.push_back(reject);
    }
  }
  return Flush(extract, block << 20, emit);
}

}  // namespace canbao::extract
