// What a scored pair costs, blocking included, in an invented town of 200,000 rows: names by Zipf's
// law, birth dates, towns, e-mails, half of the rows damaged. One thread.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "linkage/engine/similarity.h"
#include "linkage/link.h"

namespace canbao::linkage {
namespace {

const char* const kModel = R"TOML(
version = 1
[[comparison]]
name = "first"
level = [{ exact = "first", frequency = "first" }, { jaro_winkler = "first", at_least = 0.92 }, { jaro_winkler = "first", at_least = 0.8 }, { else = true }]
[[comparison]]
name = "last"
level = [{ exact = "last", frequency = "last" }, { jaro_winkler = "last", at_least = 0.92 }, { jaro_winkler = "last", at_least = 0.8 }, { else = true }]
[[comparison]]
name = "born"
level = [{ exact = "born" }, { damerau_levenshtein = "born", at_most = 1 }, { months = "born", at_most = 1 }, { years = "born", at_most = 1 }, { else = true }]
[[comparison]]
name = "town"
level = [{ exact = "town", frequency = "town" }, { else = true }]
[[comparison]]
name = "mail"
level = [{ exact = "mail" }, { damerau_levenshtein = "mail", at_most = 2 }, { else = true }]
[[blocking]]
on = "mail"
[[blocking]]
on = ["first", "last"]
[[blocking]]
on = "born"
[[blocking]]
on = ["last", "town"]
[training]
frequencies = "rows"
)TOML";

Table Town(size_t rows) {
  std::mt19937 rng(1);
  auto word = [](uint32_t n) {
    constexpr std::string_view kSyllables[] = {"ba", "ker", "lin", "mo", "ra", "son", "ti", "vel"};
    std::string out;
    for (n += 8; n > 0; n /= 8) out += kSyllables[n % 8];
    return out;
  };
  auto zipf = [&rng](double most) {
    return static_cast<uint32_t>(std::pow(most, static_cast<double>(rng() % 65536) / 65536));
  };
  auto damage = [&rng](std::string text) {
    if (rng() % 4 == 0 && text.size() > 2) std::swap(text[1], text[2]);
    return text;
  };
  std::string text = "first,last,born,town,mail\n";
  for (size_t i = 0; i < rows;) {
    const std::string first = word(zipf(3000));
    const std::string last = word(zipf(30000));
    const std::string born =
        fmt::format("{}-{:02}-{:02}", 1930 + rng() % 80, 1 + rng() % 12, 1 + rng() % 28);
    const std::string town = word(zipf(400));
    for (size_t copies = 1 + rng() % 3; copies > 0 && i < rows; --copies, ++i) {
      text += fmt::format("{},{},{},{},{}\n", damage(first), damage(last), damage(born),
                          damage(town), damage(first + last + std::to_string(i / 8) + "@mail.org"));
    }
  }
  return std::move(*ParseTable(text, "town"));
}

void BM_ScoredPairs(benchmark::State& state) {
  const Model model = *ParseModel(kModel, "bench");
  std::vector<Table> tables;
  tables.push_back(Town(static_cast<size_t>(state.range(0))));
  const Frame frame = *BuildFrame(model, tables, {"town"});
  Comparer comparer = *Comparer::Make(model, frame);
  TaskPool pool(1);
  uint64_t seen = 0;
  {
    const Blocking blocking(model, frame);
    const Parameters p = Estimate(model, *CountPatterns(comparer, blocking, &pool, &seen));
    comparer.SetWeights(p.Weights(model), p.PriorBits());
  }
  Comparer::Scratch scratch(comparer);
  uint64_t pairs = 0;
  uint64_t kept = 0;
  for (auto _ : state) {
    const Blocking blocking(model, frame);
    for (const PairTask& task : blocking.Tasks(1 << 18)) {
      blocking.ForPairs(
          task, 1,
          [&](RowId a, RowId b) {
            ++pairs;
            kept += comparer.Score(a, b, 0, &scratch) != kRejected;
          },
          Comparer::Hints(&comparer));
    }
  }
  benchmark::DoNotOptimize(kept);
  state.counters["pairs"] = static_cast<double>(pairs) / static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<int64_t>(pairs));
}
BENCHMARK(BM_ScoredPairs)->Arg(200000)->Unit(benchmark::kMillisecond);

void BM_Similarity(benchmark::State& state) {
  std::u32string a;
  std::u32string b;
  Decode("alexandrina", &a);
  Decode("alexnadria", &b);
  double sum = 0;
  for (auto _ : state) {
    sum += state.range(0) == 0 ? JaroWinkler(a, b) : DamerauLevenshtein(a, b);
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(BM_Similarity)->Arg(0)->Arg(1);

}  // namespace
}  // namespace canbao::linkage
