// The Parquet module (src/linkage/parquet_module.h): tables as texts, by Arrow. Everything but
// lists is written as Arrow prints it; parts of a list are joined by `;`.
#include "linkage/parquet_module.h"

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <charconv>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace {

thread_local std::string last_error;

std::string TextOf(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return {};
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(array).GetString(i);
    case arrow::Type::LARGE_STRING:
      return static_cast<const arrow::LargeStringArray&>(array).GetString(i);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
      return TextOf(*dictionary.dictionary(), dictionary.GetValueIndex(i));
    }
    case arrow::Type::LIST: {
      const auto parts = static_cast<const arrow::ListArray&>(array).value_slice(i);
      std::string out;
      for (int64_t k = 0; k < parts->length(); ++k) {
        if (k > 0) out.push_back(';');
        out += TextOf(*parts, k);
      }
      return out;
    }
    default: {
      auto scalar = array.GetScalar(i);
      return scalar.ok() ? (*scalar)->ToString() : std::string();
    }
  }
}

arrow::Status Read(const char* path, const CanbaoParquetSink& sink) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadTable());
  for (int c = 0; c < table->num_columns(); ++c) {
    const std::string& name = table->field(c)->name();
    sink.column(sink.context, name.data(), name.size());
    for (const auto& chunk : table->column(c)->chunks()) {
      for (int64_t i = 0; i < chunk->length(); ++i) {
        const std::string text = TextOf(*chunk, i);
        sink.value(sink.context, text.data(), text.size());
      }
    }
  }
  return arrow::Status::OK();
}

template <typename Builder, typename Value>
arrow::Status Numbers(const CanbaoParquetSource& source, size_t column,
                      std::shared_ptr<arrow::Array>* out) {
  Builder builder;
  for (size_t row = 0; row < source.rows; ++row) {
    size_t size = 0;
    const char* text = source.value(source.context, column, row, &size);
    Value value{};
    const auto parsed = std::from_chars(text, text + size, value);
    if (parsed.ec == std::errc() && parsed.ptr == text + size) {
      ARROW_RETURN_NOT_OK(builder.Append(value));
    } else {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    }
  }
  return builder.Finish(out);
}

arrow::Status Texts(const CanbaoParquetSource& source, size_t column,
                    std::shared_ptr<arrow::Array>* out) {
  arrow::StringBuilder builder;
  for (size_t row = 0; row < source.rows; ++row) {
    size_t size = 0;
    const char* text = source.value(source.context, column, row, &size);
    ARROW_RETURN_NOT_OK(builder.Append(text, static_cast<int32_t>(size)));
  }
  return builder.Finish(out);
}

arrow::Status Write(const char* path, const CanbaoParquetSource& source) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays(source.columns);
  for (size_t c = 0; c < source.columns; ++c) {
    CanbaoParquetType type = kCanbaoParquetText;
    const std::string name = source.name(source.context, c, &type);
    if (type == kCanbaoParquetInteger) {
      ARROW_RETURN_NOT_OK((Numbers<arrow::Int64Builder, int64_t>(source, c, &arrays[c])));
    } else if (type == kCanbaoParquetReal) {
      ARROW_RETURN_NOT_OK((Numbers<arrow::DoubleBuilder, double>(source, c, &arrays[c])));
    } else {
      ARROW_RETURN_NOT_OK(Texts(source, c, &arrays[c]));
    }
    fields.push_back(arrow::field(name, arrays[c]->type()));
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(path));
  ARROW_RETURN_NOT_OK(
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 1 << 20));
  return file->Close();
}

template <typename Do>
const char* Told(Do work) {
  try {
    const arrow::Status status = work();
    if (status.ok()) return nullptr;
    last_error = status.ToString();
  } catch (const std::exception& e) {
    last_error = e.what();
  }
  return last_error.c_str();
}

}  // namespace

extern "C" const char* canbao_parquet_read(const char* path, const CanbaoParquetSink* sink) {
  return Told([&] { return Read(path, *sink); });
}

extern "C" const char* canbao_parquet_write(const char* path, const CanbaoParquetSource* source) {
  return Told([&] { return Write(path, *source); });
}
