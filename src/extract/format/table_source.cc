#include "extract/format/table_source.h"

#include "extract/errors.h"
#include "extract/format/byte_source.h"
#include "extract/format/dbf.h"
#include "extract/format/xls.h"
#include "extract/format/xlsx.h"

namespace canbao::extract {

FileType FileTypeOf(const std::string& path) {
  std::string name = path;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (CompressionOf(name) == Compression::kGzip) name.resize(name.size() - 3);
  if (CompressionOf(name) == Compression::kZstd) name.resize(name.size() - 4);
  bool compressed = name.size() != path.size();
  if (name.ends_with(".csv") || name.ends_with(".txt") || name.ends_with(".tsv"))
    return FileType::kText;
  if (compressed) return FileType::kUnknown;
  if (name.ends_with(".xlsx")) return FileType::kXlsx;
  if (name.ends_with(".xls")) return FileType::kXls;
  if (name.ends_with(".dbf")) return FileType::kDbf;
  return FileType::kUnknown;
}

Result<std::unique_ptr<TableSource>> OpenTableSource(const std::string& path,
                                                     const std::string& encoding) {
  switch (FileTypeOf(path)) {
    case FileType::kXls:
      return OpenXls(path);
    case FileType::kDbf:
      return OpenDbf(path, encoding);
    default:
      return OpenXlsx(path);
  }
}

}  // namespace canbao::extract
