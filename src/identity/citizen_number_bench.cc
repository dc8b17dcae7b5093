// Cost of the number column: the path that every row takes, and those that few rows take.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "identity/citizen_number.h"

namespace canbao::identity {
namespace {

const Date kToday = Date::FromYmd(2017, 9, 30);

std::vector<std::string> RandomNumbers(size_t n) {
  std::mt19937_64 rng(1);
  std::vector<std::string> out;
  for (size_t i = 0; i < n; ++i) {
    char body[18];
    std::snprintf(body, sizeof(body), "3301%02d%04d%02d%02d%03d", static_cast<int>(1 + rng() % 9),
                  static_cast<int>(1930 + rng() % 80), static_cast<int>(1 + rng() % 12),
                  static_cast<int>(1 + rng() % 28), static_cast<int>(rng() % 1000));
    out.push_back(std::string(body) + CheckDigitOf(std::stoull(body)));
  }
  return out;
}

template <typename Change>
void ParseAll(benchmark::State& state, Change change) {
  std::vector<std::string> numbers = RandomNumbers(4096);
  for (std::string& n : numbers) n = change(n);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ParseNumber(numbers[i++ & 4095], "01", kToday));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_ParseValid(benchmark::State& state) {
  ParseAll(state, [](const std::string& n) { return n; });
}
BENCHMARK(BM_ParseValid);

void BM_ParseBlanks(benchmark::State& state) {
  ParseAll(state, [](const std::string& n) { return n.substr(0, 6) + ' ' + n.substr(6); });
}
BENCHMARK(BM_ParseBlanks);

void BM_Parse15(benchmark::State& state) {
  ParseAll(state, [](const std::string& n) { return n.substr(0, 6) + n.substr(8, 9); });
}
BENCHMARK(BM_Parse15);

void BM_ParseDamaged(benchmark::State& state) {
  ParseAll(state, [](std::string n) {
    n[16] = n[16] == '9' ? '0' : static_cast<char>(n[16] + 1);
    return n;
  });
}
BENCHMARK(BM_ParseDamaged);

void BM_RepairSubstitution(benchmark::State& state) {
  std::vector<std::string> numbers = RandomNumbers(256);
  for (std::string& n : numbers) n[12] = n[12] == '9' ? '0' : static_cast<char>(n[12] + 1);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(RepairCandidates(numbers[i++ & 255], kToday));
}
BENCHMARK(BM_RepairSubstitution);

void BM_RepairLostTail(benchmark::State& state) {
  std::vector<std::string> numbers = RandomNumbers(256);
  for (std::string& n : numbers) n.replace(15, 3, "000");
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(RepairCandidates(numbers[i++ & 255], kToday));
}
BENCHMARK(BM_RepairLostTail);

}  // namespace
}  // namespace canbao::identity
