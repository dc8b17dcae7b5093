// Tables of any kind as columns of numbered texts: csv, tsv and what else is delimited (`,`, tab,
// `;` or
// `|`, whichever the header has most of), plain, .gz or .zst, UTF-8 with or without a mark. Where
// `canbao link` and `canbao evaluate` take their input from. Files called .parquet: parquet.h.
//
// A value is trimmed of blanks at its ends. One thread. Errors (kInput): see errors.h, and those of
// extract/format/byte_source.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "linkage/values.h"

namespace canbao::linkage {

struct Table {
  std::vector<std::string> header;
  std::vector<Column> columns;
  std::vector<uint32_t> lines;  // of each row, in its file; of a Parquet file the row's number
  size_t rows() const { return lines.size(); }

  // SIZE_MAX: there is none.
  size_t Find(std::string_view name) const;
};

// `read`, if given, hears of stored bytes that were read.
using BytesRead = std::function<void(uint64_t)>;
Result<Table> ReadTable(const std::string& path, const BytesRead& read = {});
// The same of a text that is at hand; for tests and fuzzing. `path` names it in errors.
Result<Table> ParseTable(std::string_view text, const std::string& path);

// The column `name`, or the error that says that there is none.
Result<size_t> NeedColumn(const Table& table, const std::string& path, std::string_view name,
                          const Text& remedy);

// A field as CSV wants it: in quotes where it has to be.
void AppendField(std::string_view field, std::string* out);

}  // namespace canbao::linkage
