// What a file is like, before anything is loaded: format, mapping, values of every column, the
// first bad rows. Works for a file of a delivery (read as its manifest says) and for a file alone
// (kind and encoding are then guessed from headers and bytes).
//
// Samples are masked: numbers by identity::MaskNumber, other long digits and names in part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "extract/delivery.h"

namespace canbao::extract {

struct ColumnProfile {
  std::string header;
  std::string field;  // English name; empty = carried unread
  bool required = false;
  uint64_t values = 0;
  uint64_t empty = 0;                    // nothing, or a placeholder
  uint64_t placeholders = 0;             // of these
  uint64_t bad = 0;                      // values that cannot be read as the field's
  uint64_t distinct = 0;                 // estimated (linear counting), exact for few
  std::vector<std::string> samples;      // masked, the first different ones
  std::vector<std::string> bad_samples;  // masked
};

struct BadRow {
  uint64_t line = 0;
  uint8_t sheet = 0;
  std::string reason;  // RejectCode
  uint16_t column = 0;
  std::string field;
  std::string text;  // masked like samples, cut
};

struct FileProfile {
  std::string file;
  Kind kind = Kind::kEnrolment;
  bool kind_guessed = false;
  std::string encoding;  // empty for workbooks and tables
  char delimiter = ',';
  uint64_t bytes = 0;
  std::string sha256;
  uint64_t header_line = 0;
  uint64_t rows = 0;
  uint64_t rejected = 0;
  uint64_t unmapped_states = 0;
  std::vector<std::string> state_texts;  // unmapped ones, the first
  std::vector<ColumnProfile> columns;
  std::vector<std::string> missing;  // optional fields of the kind without a column
  std::vector<BadRow> bad_rows;      // the first
  std::optional<Error> refused;      // why the file would be refused; the rest is what was seen
};

struct InspectOptions {
  Date today;
  int bad_rows = 10;
  int samples = 3;
  std::string own_mappings;  // as Delivery::own_mappings
  const std::atomic<bool>* cancel = nullptr;
};

// A file alone. Fails only when it cannot be read at all or its kind cannot be guessed
// (kErrKindNotGuessed); a file that would be refused is a profile with `refused`.
Result<FileProfile> InspectFile(const std::string& path, const std::string& data_dir,
                                const InspectOptions& options);
// One file of a delivery.
Result<FileProfile> InspectExtract(const ExtractSpec& spec, const std::string& data_dir,
                                   const InspectOptions& options);

std::string ProfileText(const FileProfile& profile, Lang lang);
// Objects as in docs/formats/delivery.md, one line.
std::string ProfileJson(const FileProfile& profile);

}  // namespace canbao::extract
