// What the Parquet module gives: a shared library of its own (tools/parquet_module.cc), because
// Arrow is large and Debian 12 has none; `canbao` opens it when a .parquet file is named and runs
// without it otherwise. C only, so that the two may be built by different compilers. Each call
// belongs to one thread; what fails is told by a text that is valid until the next call on the
// thread, nullptr: done.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

// Column by column: column() with its name, then value() for each row, in UTF-8, empty where null.
struct CanbaoParquetSink {
  void* context;
  void (*column)(void* context, const char* name, size_t size);
  void (*value)(void* context, const char* data, size_t size);
};
using CanbaoParquetRead = const char* (*)(const char* path, const CanbaoParquetSink* sink);

enum CanbaoParquetType : int32_t {
  kCanbaoParquetText = 0,
  kCanbaoParquetInteger,
  kCanbaoParquetReal
};
struct CanbaoParquetSource {
  void* context;
  size_t columns;
  size_t rows;
  const char* (*name)(void* context, size_t column, CanbaoParquetType* type);
  const char* (*value)(void* context, size_t column, size_t row, size_t* size);
};
using CanbaoParquetWrite = const char* (*)(const char* path, const CanbaoParquetSource* source);

}  // extern "C"
