#include "linkage/parquet.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "linkage/errors.h"
#include "linkage/parquet_module.h"

namespace canbao::linkage {
namespace {

constexpr const char* kModule = "canbao_parquet.so";

struct Module {
  CanbaoParquetRead read = nullptr;
  CanbaoParquetWrite write = nullptr;
};

// Where CANBAO_PARQUET says, else beside the executable. It stays open.
Result<Module> Open(const std::string& for_file) {
  const char* told = std::getenv("CANBAO_PARQUET");
  std::error_code unknown;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const std::string path = told != nullptr ? told : (self.parent_path() / kModule).string();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  Module out;
  if (library != nullptr) {
    out.read = reinterpret_cast<CanbaoParquetRead>(dlsym(library, "canbao_parquet_read"));
    out.write = reinterpret_cast<CanbaoParquetWrite>(dlsym(library, "canbao_parquet_write"));
  }
  if (out.read != nullptr && out.write != nullptr) return out;
  const char* why = dlerror();
  return Fail(Error{ErrorClass::kEnvironment, std::string(kErrTableParquet),
                    Msg("没有 Parquet 模块：{0}", "there is no Parquet module: {0}",
                        std::string(why == nullptr ? path : why)),
                    Msg("请运行 tools/bootstrap.sh parquet 并重新构建，或改用 CSV",
                        "run tools/bootstrap.sh parquet and build again, or use CSV"),
                    for_file, 0, 0});
}

tl::unexpected<Error> Failed(const std::string& path, const std::string& why) {
  return Fail(Error{ErrorClass::kInput, std::string(kErrTableParquet),
                    Msg("无法读写 Parquet：{0}", "Parquet cannot be read or written: {0}", why),
                    Msg("请检查该文件", "check this file"), path, 0, 0});
}

CanbaoParquetType TypeOf(const std::string& column) {
  if (column.starts_with("line") || column == "same_person") return kCanbaoParquetInteger;
  if (column.ends_with("weight") || column == "probability") return kCanbaoParquetReal;
  return kCanbaoParquetText;
}

}  // namespace

bool IsParquet(const std::string& path) { return path.ends_with(".parquet"); }

Result<Table> ReadParquet(const std::string& path) {
  CANBAO_ASSIGN(Module module, Open(path));
  Table table;
  const CanbaoParquetSink sink = {&table,
                                  [](void* context, const char* name, size_t size) {
                                    auto* to = static_cast<Table*>(context);
                                    to->header.emplace_back(name, size);
                                    to->columns.emplace_back();
                                  },
                                  [](void* context, const char* data, size_t size) {
                                    Column& column = static_cast<Table*>(context)->columns.back();
                                    column.rows.push_back(column.values.Add({data, size}));
                                  }};
  if (const char* why = module.read(path.c_str(), &sink)) return Failed(path, why);
  if (std::set<std::string>(table.header.begin(), table.header.end()).size() !=
      table.header.size()) {
    return Failed(path, "a column is there twice");
  }
  if (table.columns.empty()) return Failed(path, "no columns");
  const size_t rows = table.columns.front().rows.size();
  if (rows > INT32_MAX) return Failed(path, "too many rows");
  for (size_t row = 1; row <= rows; ++row) table.lines.push_back(static_cast<uint32_t>(row));
  return table;
}

Status WriteParquet(const Table& table, const std::string& path) {
  CANBAO_ASSIGN(Module module, Open(path));
  const CanbaoParquetSource source = {
      const_cast<Table*>(&table),  // read only
      table.columns.size(), table.rows(),
      [](void* context, size_t column, CanbaoParquetType* type) {
        const std::string& name = static_cast<const Table*>(context)->header[column];
        *type = TypeOf(name);
        return name.c_str();
      },
      [](void* context, size_t column, size_t row, size_t* size) {
        const std::string_view text = static_cast<const Table*>(context)->columns[column].Text(row);
        *size = text.size();
        return text.data();
      }};
  const std::string part = path + ".part";
  if (const char* why = module.write(part.c_str(), &source)) return Failed(path, why);
  std::error_code failed;
  std::filesystem::rename(part, path, failed);
  return failed ? Status(Failed(path, failed.message())) : Status();
}

}  // namespace canbao::linkage
