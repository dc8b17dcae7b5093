// ReadExtracts: one thread reads plain files, block after block, into a small pool of buffers;
// workers take turns. A turn has two parts: the serial part of one file (hash, cut at record ends;
// or decompress, or parse XML) under that file's `busy` mark, and parsing, which needs nobody. So
// several compressed files and workbooks are open at once, a plain file is read, hashed and parsed
// by different threads, and memory stays bounded by pool and workers.
//
// Locks: Session::mu_ guards the queues, the pool and the states of the files; it is held for
// moments only. Counters are atomic.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/digest.h"
#include "extract/delivery.h"
#include "extract/errors.h"
#include "extract/format/byte_source.h"
#include "extract/format/gb18030.h"
#include "extract/reader.h"

namespace canbao::extract {
namespace {

using BufferPtr = std::unique_ptr<BlockBuffer>;

struct RawBlock {
  BufferPtr buffer;
  size_t size = 0;
  bool last = false;
};

// Where one file stands. `busy` marks that a worker is in its serial part.
struct FileState {
  const ExtractSpec* spec = nullptr;
  uint32_t extract = 0;
  bool plain = false;
  // Guarded by Session::mu_.
  bool busy = false;
  bool ended = false;   // nothing more comes
  int outstanding = 0;  // pieces that are being parsed
  std::deque<RawBlock> raw;
  // Owned by whoever holds `busy`.
  TextFormat format;
  std::shared_ptr<const RecordPlan> plan;
  std::unique_ptr<RecordCutter> cutter;
  std::unique_ptr<ByteSource> source;
  std::unique_ptr<SheetReader> sheets;
  ContentHash content;             // of plain files
  std::unique_ptr<Sha256> hasher;  // the same, where somebody wants it
  uint64_t next_block = 0;
  uint64_t stored_read = 0;
  ExtractAccount account;
  // Counted by all workers.
  std::atomic<uint64_t> accepted{0}, rejected{0}, unmapped{0};
};

// What a worker parses on its own.
struct Piece {
  RecordPiece text;
  TableChunk table;
  std::shared_ptr<const RecordPlan> plan;
  uint64_t block = 0;
  bool any = false;
};

tl::unexpected<Error> Interrupted() {
  return Fail(Error{ErrorClass::kInterrupted,
                    kErrInterrupted,
                    Msg("读取被中断", "reading was interrupted"),
                    Msg("可以重新运行以继续", "run it again to go on"),
                    {},
                    0,
                    0});
}

class Session {
 public:
  Session(const Delivery& delivery, const ReadOptions& options, RowSink* sink)
      : delivery_(delivery), options_(options), sink_(sink) {
    threads_ = std::max(1, options.threads);
    block_bytes_ = std::max<size_t>(1, options.block_bytes);
  }

  Result<std::vector<ExtractAccount>> Run(const std::vector<size_t>& indices,
                                          const std::string& data_dir) {
    CANBAO_ASSIGN(mappings_, Mappings::Load(data_dir, delivery_.own_mappings));
    CANBAO_ASSIGN(identity::DivisionTable table, identity::DivisionTable::Load(data_dir));
    divisions_ = std::make_unique<KnownDivisions>(std::move(table));
    for (size_t index : indices) {
      if (options_.cancel != nullptr && *options_.cancel) return Interrupted();
      CANBAO_TRY(Prepare(index));
    }
    size_t buffers = static_cast<size_t>(threads_) + 2;
    bool any_plain = std::any_of(files_.begin(), files_.end(), [](auto& f) { return f->plain; });
    if (any_plain) {
      for (size_t i = 0; i < buffers; ++i)
        pool_.push_back(std::make_unique<BlockBuffer>(block_bytes_));
    }
    std::vector<std::thread> workers;
    std::thread reader([this] { ReadPlainFiles(); });
    for (int w = 0; w < threads_; ++w) workers.emplace_back([this, w] { Work(w); });
    for (std::thread& worker : workers) worker.join();
    reader.join();
    if (error_slot_ != SIZE_MAX) return Fail(std::move(error_));
    std::vector<ExtractAccount> accounts;
    for (auto& file : files_) accounts.push_back(std::move(file->account));
    if (options_.progress) options_.progress(done_, total_);
    return accounts;
  }

 private:
  // Looks at the beginning of a file, so that one that must be refused is refused before rows flow.
  Status Prepare(size_t index) {
    const ExtractSpec& spec = delivery_.extracts[index];
    auto file = std::make_unique<FileState>();
    file->spec = &spec;
    file->extract = static_cast<uint32_t>(index);
    auto mapping = mappings_->For(spec.source);
    FileType type = FileTypeOf(spec.path);
    if (type == FileType::kUnknown) {
      return Fail(Error{ErrorClass::kInput, kErrFileType,
                        Msg("不支持这种文件类型", "files of this type are not read"),
                        Msg("可用：.csv .txt .tsv（可加 .gz、.zst）、.xlsx、.xls、.dbf",
                            "accepted: .csv .txt .tsv (with .gz or .zst), .xlsx, .xls, .dbf"),
                        spec.path, 0, 0});
    }
    if (type == FileType::kText) {
      CANBAO_ASSIGN(ProbedText probed, ProbeText(spec, mapping));
      file->format = std::move(probed.format);
      file->plan = std::move(probed.plan);
      if (file->format.gb18030()) PrepareGb18030();
      file->cutter = std::make_unique<RecordCutter>(
          spec.path, file->format.dialect, file->format.data_begin, file->format.data_line);
      file->account.encoding = file->format.encoding;
      file->account.delimiter = file->format.dialect.delimiter;
      file->account.header = file->format.header_text;
      file->account.header_line = file->format.header_line;
      bool aligned = block_bytes_ % kIoAlignment == 0;
      CANBAO_ASSIGN(file->source, OpenByteSource(spec.path, options_.direct_io && aligned));
      file->plain = CompressionOf(spec.path) == Compression::kNone;
      if (options_.sha256 || !spec.sha256.empty()) file->hasher = std::make_unique<Sha256>();
      total_ += file->source->stored_size();
      file->account.bytes = file->source->stored_size();
      // Files are opened again when their turn comes: a delivery may have more than a process may
      // open.
      file->source.reset();
    } else {
      CANBAO_ASSIGN(file->account.sha256, Sha256OfFile(spec.path));
      CANBAO_TRY(CheckDigest(*file));
      CANBAO_ASSIGN(file->sheets, SheetReader::Open(spec, mapping));
      file->account.header = file->sheets->header_text();
      file->account.header_line = file->sheets->header_line();
      CANBAO_ASSIGN(auto source, OpenByteSource(spec.path, false));
      file->account.bytes = source->stored_size();
      total_ += file->account.bytes;
    }
    files_.push_back(std::move(file));
    return {};
  }

  static Status CheckDigest(const FileState& file) {
    const ExtractSpec& spec = *file.spec;
    if (spec.sha256.empty() || spec.sha256 == file.account.sha256) return {};
    return Fail(Error{ErrorClass::kInput, kErrDigest,
                      Msg("SHA-256 与清单不符：清单 {0}，文件 {1}",
                          "the SHA-256 differs from the manifest: {0} there, {1} here", spec.sha256,
                          file.account.sha256),
                      Msg("请确认文件未被改动，或改正清单后重新交付",
                          "check that the file was not changed, or correct the manifest"),
                      spec.path, 0, 0});
  }

  Status FinishFile(FileState* file) {
    ExtractAccount& account = file->account;
    account.accepted = file->accepted;
    account.rejected = file->rejected;
    account.unmapped_states = file->unmapped;
    account.rows_in = account.accepted + account.rejected;
    if (file->source != nullptr && file->source->hasher() != nullptr) {
      account.sha256 = file->source->hasher()->FinishHex();
    } else if (file->hasher != nullptr) {
      account.sha256 = file->hasher->FinishHex();
    }
    account.digest = file->plain ? file->content.FinishHex() : account.sha256.substr(0, 32);
    file->source.reset();
    file->sheets.reset();
    CANBAO_TRY(CheckDigest(*file));
    const ExtractSpec& spec = *file->spec;
    if (spec.rows >= 0 && static_cast<uint64_t>(spec.rows) != account.rows_in) {
      return Fail(Error{ErrorClass::kInput, kErrRowCount,
                        Msg("行数与清单不符：清单 {0}，文件 {1}",
                            "the number of rows differs from the manifest: {0} there, {1} here",
                            spec.rows, account.rows_in),
                        Msg("请确认文件完整，或改正清单中的 rows",
                            "check that the file is complete, or correct `rows` in the manifest"),
                        spec.path, 0, 0});
    }
    return {};
  }

  // Keeps the error of the file that comes first in the delivery, and stops everybody.
  void Stop(size_t slot, Error error) {
    std::lock_guard lock(mu_);
    if (slot < error_slot_) {
      error_slot_ = slot;
      error_ = std::move(error);
    }
    stop_ = true;
    changed_.notify_all();
  }

  bool Cancelled() {
    if (options_.cancel == nullptr || !*options_.cancel) return false;
    Stop(SIZE_MAX - 1, Interrupted().value());
    return true;
  }

  void Progress(uint64_t bytes) {
    uint64_t done = done_ += bytes;
    if (!options_.progress) return;
    std::unique_lock lock(progress_mu_, std::try_to_lock);
    auto now = std::chrono::steady_clock::now();
    if (!lock || now - last_progress_ < std::chrono::milliseconds(100)) return;
    last_progress_ = now;
    options_.progress(std::min(done, total_), total_);
  }

  void ReadPlainFiles() {
    for (size_t slot = 0; slot < files_.size(); ++slot) {
      FileState& file = *files_[slot];
      if (!file.plain) continue;
      bool aligned = block_bytes_ % kIoAlignment == 0;
      auto source = OpenByteSource(file.spec->path, options_.direct_io && aligned);
      if (!source) return Stop(slot, std::move(source.error()));
      for (bool last = false; !last;) {
        if (Cancelled()) return;
        RawBlock block;
        {
          std::unique_lock lock(mu_);
          changed_.wait(lock, [&] { return stop_ || !pool_.empty(); });
          if (stop_) return;
          block.buffer = std::move(pool_.back());
          pool_.pop_back();
        }
        auto n = (*source)->Read(block.buffer->data(), block_bytes_);
        if (!n) return Stop(slot, std::move(n.error()));
        block.size = *n;
        block.last = last = *n < block_bytes_;
        Progress(*n);
        std::lock_guard lock(mu_);
        file.raw.push_back(std::move(block));
        changed_.notify_all();
      }
    }
  }

  // A file whose serial part can go on: blocks that wait hold buffers, so plain files come first.
  FileState* Pick(size_t* slot) {
    for (bool plain : {true, false}) {
      for (size_t i = 0; i < files_.size(); ++i) {
        FileState& file = *files_[i];
        if (file.plain != plain || file.busy || file.ended) continue;
        if (plain && file.raw.empty()) continue;
        *slot = i;
        return &file;
      }
    }
    return nullptr;
  }
  bool AllEnded() const {
    return std::all_of(files_.begin(), files_.end(), [](auto& f) { return f->ended; });
  }

  // The serial part: the next piece of the file; *last when nothing follows.
  Status Produce(FileState* file, RawBlock* raw, BufferPtr* own, Piece* piece, bool* last) {
    piece->block = file->next_block++;
    if (file->sheets != nullptr) {
      CANBAO_ASSIGN(bool more, file->sheets->Next(kBatchRecords, &piece->table, &piece->plan));
      piece->any = more;
      *last = !more;
      if (!more) Progress(file->account.bytes);
      return {};
    }
    char* data = nullptr;
    size_t size = 0;
    if (file->plain) {
      data = raw->buffer->data();
      size = raw->size;
      *last = raw->last;
      file->content.Update(data, size);
      if (file->hasher != nullptr) file->hasher->Update(data, size);
    } else {
      if (file->source == nullptr) {
        CANBAO_ASSIGN(file->source, OpenByteSource(file->spec->path, false));
      }
      if (*own == nullptr) *own = std::make_unique<BlockBuffer>(block_bytes_);
      data = (*own)->data();
      CANBAO_ASSIGN(size, file->source->Read(data, block_bytes_));
      *last = size < block_bytes_;
      uint64_t read = file->source->stored_read();
      Progress(read - file->stored_read);
      file->stored_read = read;
    }
    CANBAO_ASSIGN(piece->text, file->cutter->Add(data, size, *last));
    piece->plan = file->plan;
    piece->any = piece->text.size > 0;
    return {};
  }

  void Work(int worker) {
    BatchMaker maker(options_.today, divisions_.get());
    BufferPtr own;  // for compressed files
    Piece piece;
    for (;;) {
      if (Cancelled()) return;
      size_t slot = 0;
      FileState* file = nullptr;
      RawBlock raw;
      {
        std::unique_lock lock(mu_);
        changed_.wait(lock, [&] { return stop_ || (file = Pick(&slot)) != nullptr || AllEnded(); });
        if (stop_ || file == nullptr) return;
        file->busy = true;
        if (file->plain) {
          raw = std::move(file->raw.front());
          file->raw.pop_front();
        }
      }
      bool last = false;
      Status status = Produce(file, &raw, &own, &piece, &last);
      {
        std::lock_guard lock(mu_);
        file->busy = false;
        file->ended = last;
        ++file->outstanding;
        changed_.notify_all();
      }
      if (status && piece.any) status = Parse(worker, file, piece, &maker);
      bool finish = false;
      {
        std::lock_guard lock(mu_);
        if (raw.buffer != nullptr) pool_.push_back(std::move(raw.buffer));
        --file->outstanding;
        finish = file->ended && file->outstanding == 0;
        changed_.notify_all();
      }
      if (status && finish) status = FinishFile(file);
      if (!status) return Stop(slot, std::move(status.error()));
    }
  }

  Status Parse(int worker, FileState* file, const Piece& piece, BatchMaker* maker) {
    auto emit = [&](const RowBatch& batch) -> Status {
      uint64_t unmapped = 0;
      for (const Row& row : batch.rows) unmapped += (row.findings & kStateUnmapped) != 0;
      if (unmapped > 0) file->unmapped += unmapped;
      file->accepted += batch.rows.size();
      file->rejected += batch.rejects.size();
      return sink_->OnBatch(worker, batch);
    };
    if (file->sheets != nullptr) {
      return maker->Table(*piece.plan, piece.table, file->extract, piece.block, emit);
    }
    return maker->Text(file->spec->path, *piece.plan, file->format, piece.text, file->extract,
                       piece.block, emit);
  }

  const Delivery& delivery_;
  const ReadOptions& options_;
  RowSink* sink_;
  int threads_ = 1;
  size_t block_bytes_ = 0;
  std::shared_ptr<const Mappings> mappings_;
  std::unique_ptr<KnownDivisions> divisions_;
  std::vector<std::unique_ptr<FileState>> files_;

  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<BufferPtr> pool_;
  bool stop_ = false;
  size_t error_slot_ = SIZE_MAX;
  Error error_;

  std::atomic<uint64_t> done_{0};
  uint64_t total_ = 0;
  std::mutex progress_mu_;
  std::chrono::steady_clock::time_point last_progress_{};
};

}  // namespace

Result<std::vector<ExtractAccount>> ReadExtracts(const Delivery& delivery,
                                                 const std::vector<size_t>& indices,
                                                 const std::string& data_dir, RowSink* sink,
                                                 const ReadOptions& options) {
  Session session(delivery, options, sink);
  return session.Run(indices, data_dir);
}

}  // namespace canbao::extract
