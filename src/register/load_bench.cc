// What a row costs on the way into PostgreSQL. Encode: our side alone, read, decrypted, sealed and
// encoded (a core has 1.7 µs a row for a load of 1.2 million rows a second on two). Load: all of
// it, into a private instance; CPU of the server's processes is not in its CPU column.
#include <benchmark/benchmark.h>

#include <memory>

#include "register/internal/encoder.h"
#include "register/load.h"
#include "register/synthetic_run.h"
#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {

// One run of invented outcome files for all benchmarks.
struct World {
  static constexpr uint64_t kPersons = 100000;
  TestDataFolder folder;
  RunKey key{};
  std::string run;
  World() {
    synthetic::Options o;
    o.persons = kPersons;
    run = synthetic::Make(folder.path(), key, o);
  }
};
World& TheWorld() {
  static World world;
  return world;
}

void Encode(benchmark::State& state, const char* table) {
  World& world = TheWorld();
  auto cipher = FieldCipher::Open(world.folder.path() + "/keys", true);
  EncoderContext context;
  context.cipher = cipher->get();
  context.extracts = {{1, 330000}, {2, 330100}};
  EmployerSink employers([](CopyBuffer&) -> Status { return {}; });
  context.employers = &employers;
  const TableLayout* layout = nullptr;
  for (const TableLayout& t : Layouts()) {
    if (std::string_view(t.view) == table) layout = &t;
  }
  int64_t rows = 0;
  for (auto _ : state) {
    for (const std::string& path : ShardFiles(world.run, layout->source)) {
      auto reader = RowFileReader::Open(path, world.key);
      auto encoder = Encoder::For(*layout, (*reader)->schema(), path, &context);
      for (;;) {
        uint32_t n = 0;
        auto block = (*reader)->NextBlock(&n);
        if (!block || block->empty()) break;
        if (!encoder->Add(*block)) state.SkipWithError("refused");
        for (int b = 0; b < kBuckets; ++b) {
          encoder->Seal(b);
          encoder->buffer(b).Clear();
        }
        rows += n;
      }
    }
  }
  state.SetItemsProcessed(rows);
}
BENCHMARK_CAPTURE(Encode, person, "person")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Encode, classification, "classification")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Encode, enrolment, "enrolment")->Unit(benchmark::kMillisecond);

void Load(benchmark::State& state) {
  World& world = TheWorld();
  int64_t rows = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto data = std::make_unique<TestDataFolder>();
    auto db = data->OpenDatabase();
    if (!db) {
      state.SkipWithError(db.error().message.en.c_str());
      break;
    }
    state.ResumeTiming();
    auto report = LoadRun(**db, world.run, world.key);
    state.PauseTiming();
    if (!report) {
      state.SkipWithError(report.error().message.en.c_str());
      break;
    }
    rows += report->rows;
    state.counters["copy rows/s"] = report->rows_per_second();
    state.counters["keys s"] = report->seconds_keys;
    db->reset();
    data.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(rows);
}
BENCHMARK(Load)->Iterations(3)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace canbao::reg
