// Cost of the name column: folding to a code (every row) and comparing two names (rows whose codes
// differ).
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "identity/name.h"

namespace canbao::identity {
namespace {

constexpr std::array<const char*, 8> kNames = {"张伟",   "王小明", "欧阳明月", "李娜",
                                               "刘建国", "陈静",   "赵芳翀",   "马一"};

void BM_FoldToCode(benchmark::State& state) {
  const std::vector<std::string> names(kNames.begin(), kNames.end());
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(FoldToCode(names[i++ & 7]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_FoldToCode);

void BM_FoldToCodeLong(benchmark::State& state) {
  const std::string name = "艾合买提江·阿布都热合曼";
  for (auto _ : state) benchmark::DoNotOptimize(FoldToCode(name));
}
BENCHMARK(BM_FoldToCodeLong);

void BM_CompareUnlike(benchmark::State& state) {
  std::array<FoldedName, 8> names;
  for (size_t i = 0; i < 8; ++i) FoldName(kNames[i], &names[i]);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(CompareNames(names[i & 7], names[(i + 1) & 7]));
    ++i;
  }
}
BENCHMARK(BM_CompareUnlike);

void BM_CompareShape(benchmark::State& state) {
  FoldedName a;
  FoldedName b;
  FoldName("卢明", &a);
  FoldName("卢朋", &b);
  for (auto _ : state) benchmark::DoNotOptimize(CompareNames(a, b));
}
BENCHMARK(BM_CompareShape);

void BM_Pinyin(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Pinyin("尉迟敬德"));
}
BENCHMARK(BM_Pinyin);

}  // namespace
}  // namespace canbao::identity
