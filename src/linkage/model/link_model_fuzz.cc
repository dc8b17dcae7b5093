// Any bytes as a model, and what can be read of it on a small table: no crash, no endless work.
#include <cstdint>
#include <string>
#include <vector>

#include "linkage/engine/comparer.h"
#include "linkage/model/model.h"
#include "linkage/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::linkage;  // NOLINT(google-build-using-namespace)
  auto model = ParseModel(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!model) return 0;
  std::string text;
  std::string values;
  for (const std::string& name : model->Inputs()) {
    text += (text.empty() ? "" : ",") + name;
    values += (values.empty() ? "" : ",") + std::string("1971-06-24");
  }
  auto table = ParseTable(text + "\n" + values + "\n" + values + "\n", "fuzz");
  if (!table) return 0;
  std::vector<Table> tables;
  tables.push_back(std::move(*table));
  auto frame = BuildFrame(*model, tables, {"fuzz"});
  if (!frame) return 0;
  auto comparer = Comparer::Make(*model, *frame);
  if (!comparer) return 0;
  Comparer::Scratch scratch(*comparer);
  if (frame->rows == 2) comparer->Levels(0, 1, &scratch);
  return 0;
}
