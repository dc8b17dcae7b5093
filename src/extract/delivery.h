// A delivery: a folder with manifest.toml and the files it names. Loading checks the manifest;
// ReadExtracts() reads the files, every byte once, and hands typed rows to a sink.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "extract/row.h"

namespace canbao::extract {

struct ExtractSpec {
  std::string file;  // as written in the manifest
  std::string path;  // where it is
  Kind kind = Kind::kEnrolment;
  std::string source;
  Stage stage = Stage::kInternal;
  uint32_t region = 0;  // six digits, 0 = none
  scheme::SchemeCode scheme = 0;
  std::string encoding;  // "", "utf-8", "gb18030"
  bool delta = false;
  int64_t rows = -1;   // control total, -1 = none
  std::string sha256;  // lower-case hex, empty = none
};

struct Delivery {
  std::string folder;
  uint32_t province = 0;  // 330000
  Date cutoff;
  std::string made_at;
  std::vector<ExtractSpec> extracts;  // in the order of the manifest
  // Mappings that a register adds to those of the policy (docs/formats/mappings.md); may be
  // missing.
  std::string own_mappings;
};

// Refuses (kInput): no manifest, broken TOML, unknown or missing keys, missing files, the same file
// twice, kinds that do not exist, file names that leave the folder.
Result<Delivery> LoadDelivery(const std::string& folder);

std::string_view KindName(Kind kind);    // "household_register"
std::string_view KindNameZh(Kind kind);  // "户籍"
Kind KindFromName(std::string_view name, bool* ok);
std::string_view StageName(Stage stage);

// What reading one file found. rows_in = accepted + rejected, always.
struct ExtractAccount {
  uint64_t rows_in = 0;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t bytes = 0;  // of the file as stored
  uint64_t unmapped_states = 0;
  std::string digest;    // of the bytes as stored, 32 hex digits: the file's place in the order
  std::string sha256;    // lower-case hex; empty where nobody asked for it
  std::string encoding;  // found; empty for workbooks and tables
  char delimiter = ',';
  std::string header;  // the header record, UTF-8: what a correctable export begins with
  uint64_t header_line = 1;
};

struct ReadOptions {
  int threads = 2;
  Date today;  // bounds birth dates; the cut-off's delivery date or later
  const std::atomic<bool>* cancel = nullptr;
  // Bytes read so far, of all; called from workers, not often.
  std::function<void(uint64_t done, uint64_t total)> progress;
  size_t block_bytes = size_t{4} << 20;  // what is read at once; tests make it tiny
  // SHA-256 of every file, not only of those whose manifest states it (and of those that cost
  // little: compressed files and workbooks).
  bool sha256 = true;
  bool direct_io = true;  // past the page cache where the file is not in it
};

// Reads `indices` of the delivery's extracts, all of them concurrently over one pool of threads,
// and returns one account per index. Stops at the first file that must be refused.
Result<std::vector<ExtractAccount>> ReadExtracts(const Delivery& delivery,
                                                 const std::vector<size_t>& indices,
                                                 const std::string& data_dir, RowSink* sink,
                                                 const ReadOptions& options);

}  // namespace canbao::extract
