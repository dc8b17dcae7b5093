// CPU per row of the path from bytes to typed rows, on one thread and data in the cache: what the
// reader adds to the disk. Targets: 120 ns for rows of 73 bytes, 160 ns for 20 columns of 170
// bytes.
#include <benchmark/benchmark.h>

#include <unicode/ucnv.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/digest.h"
#include "extract/format/byte_source.h"
#include "extract/format/gb18030.h"
#include "extract/reader.h"
#include "identity/citizen_number.h"

namespace canbao::extract {
namespace {

constexpr size_t kRows = 20000;

std::string Number(std::mt19937* random) {
  Date birth{static_cast<uint16_t>(20000 + (*random)() % 28000)};
  uint64_t first17 =
      330102ull * 100000000000ull + uint64_t{birth.yyyymmdd()} * 1000 + (*random)() % 1000;
  return std::to_string(first17) + identity::CheckDigitOf(first17);
}

std::string Name(std::mt19937* random) {
  static const char* kSurnames[] = {"王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周"};
  static const char* kGiven[] = {"伟", "芳", "娜", "秀英", "敏", "静", "丽",
                                 "强", "磊", "军", "洋",   "勇", "艳", "杰"};
  return std::string(kSurnames[(*random)() % 10]) + kGiven[(*random)() % 14] +
         ((*random)() % 3 ? kGiven[(*random)() % 14] : "");
}

struct Sample {
  std::vector<std::string> headers;
  std::string text;
};

// Eight columns, about 73 bytes a row.
Sample Narrow() {
  std::mt19937 random(1);
  Sample s;
  s.headers = {"AAC002", "AAC003", "AAE140", "AAC008", "AAC031", "AAC030", "AAB301", "AAC001"};
  for (size_t i = 0; i < kRows; ++i) {
    s.text += Number(&random) + "," + Name(&random) + ",110,1,1,2010" +
              std::to_string(10 + random() % 3) + std::to_string(10 + random() % 18) +
              ",330102,0110" + std::to_string(10000000 + i) + "\n";
  }
  return s;
}

// Twenty columns, about 170 bytes a row.
Sample Wide() {
  std::mt19937 random(2);
  Sample s;
  s.headers = {"AAB301",   "险种",   "个人编号", "通信地址",     "AAC030", "AAE005",      "AAC031",
               "证件类型", "AAC003", "AAE116",   "首次参保年月", "AAC004", "单位编号",    "AAC009",
               "备注",     "AAB004", "参保状态", "终止日期",     "AAC066", "社会保障号码"};
  for (size_t i = 0; i < kRows; ++i) {
    s.text += "330100,110,0110000" + std::to_string(10000 + i) + ",富阳区大源镇大源村" +
              std::to_string(random() % 400) + "号,20170513,1364723" +
              std::to_string(1000 + random() % 9000) + ",1,01," + Name(&random) +
              ",,201705,1,010000000,10,续保,杭州嘉琳源食品厂,1,,101," + Number(&random) + "\n";
  }
  return s;
}

std::shared_ptr<const SourceMapping> Mapping() {
  static auto mappings = Mappings::Load(CANBAO_SOURCE_DIR "/data");
  if (!mappings) throw std::runtime_error(mappings.error().ToString());
  return (*mappings)->For("sb-330100");
}

void BM_Rows(benchmark::State& state, const Sample& sample, bool quoted) {
  auto mapping = Mapping();
  ExtractSpec spec;
  spec.kind = Kind::kEnrolment;
  auto plan = MakeRecordPlan("bench.csv", 1, sample.headers, spec, mapping);
  if (!plan) throw std::runtime_error(plan.error().ToString());
  std::string text = sample.text;
  if (quoted) {
    // Every tenth row has a quoted name.
    size_t row = 0;
    std::string out;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at) + 1;
      std::string line = text.substr(at, end - at);
      if (row++ % 10 == 0)
        line = "\"" + line.substr(0, line.find(',')) + "\"" + line.substr(line.find(','));
      out += line;
      at = end;
    }
    text = out;
  }
  size_t size = text.size();
  text.resize(size + kBlockPadding);
  TextFormat format;
  format.encoding = "utf-8";
  BatchMaker maker(Date::FromYmd(2017, 10, 8), nullptr);
  uint64_t rows = 0;
  for (auto _ : state) {
    auto status = maker.Text("bench.csv", *plan, format, {text.data(), size, 2}, 0, 0,
                             [&](const RowBatch& batch) -> Status {
                               rows += batch.rows.size();
                               benchmark::DoNotOptimize(batch.rows.data());
                               return {};
                             });
    if (!status) throw std::runtime_error(status.error().ToString());
  }
  if (rows != kRows * state.iterations()) throw std::runtime_error("rows were rejected");
  state.SetBytesProcessed(static_cast<int64_t>(size) * state.iterations());
  state.counters["bytes/row"] = static_cast<double>(size) / kRows;
  state.counters["ns/row"] = benchmark::Counter(
      static_cast<double>(rows) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_Rows, narrow, Narrow(), false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Rows, narrow_quoted, Narrow(), true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Rows, wide, Wide(), false)->Unit(benchmark::kMillisecond);

// A whole file through ReadExtracts: reading (page cache), digest, cutting, typing. Process CPU
// time.
void BM_ReadExtracts(benchmark::State& state, bool gb18030) {
  Sample sample = Narrow();
  std::string path = (std::filesystem::temp_directory_path() / "canbao-extract-bench.csv").string();
  std::string header;
  for (const std::string& h : sample.headers) header += (header.empty() ? "" : ",") + h;
  std::string text = sample.text;
  if (gb18030) {
    std::string out(text.size(), '\0');
    UErrorCode code = U_ZERO_ERROR;
    int32_t size = ucnv_convert("gb18030", "utf-8", out.data(), static_cast<int32_t>(out.size()),
                                text.data(), static_cast<int32_t>(text.size()), &code);
    text = out.substr(0, static_cast<size_t>(size));
  }
  constexpr int kCopies = 100;
  {
    std::ofstream out(path, std::ios::binary);
    out << header << "\n";
    for (int i = 0; i < kCopies; ++i) out << text;
  }
  Delivery delivery;
  ExtractSpec spec;
  spec.file = spec.path = path;
  spec.kind = Kind::kEnrolment;
  spec.source = "sb-330100";
  delivery.extracts = {spec};
  struct Nothing : RowSink {
    Status OnBatch(int, const RowBatch&) override { return {}; }
  } sink;
  ReadOptions options;
  options.threads = static_cast<int>(state.range(0));
  options.today = Date::FromYmd(2017, 10, 8);
  uint64_t rows = 0;
  for (auto _ : state) {
    auto accounts = ReadExtracts(delivery, {0}, CANBAO_SOURCE_DIR "/data", &sink, options);
    if (!accounts) throw std::runtime_error(accounts.error().ToString());
    rows += accounts->at(0).accepted;
  }
  std::filesystem::remove(path);
  if (rows != kRows * kCopies * state.iterations()) throw std::runtime_error("rows were rejected");
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * kCopies * state.iterations());
  state.counters["ns/row"] = benchmark::Counter(
      static_cast<double>(rows) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(BM_ReadExtracts, utf8, false)
    ->Arg(1)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_ReadExtracts, gb18030, true)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_Index(benchmark::State& state) {
  std::string text = Narrow().text;
  size_t size = text.size();
  text.resize(size + kBlockPadding);
  RecordIndex index;
  for (auto _ : state) {
    index.Start(text.data(), size, Dialect{});
    while (index.Next(kBatchRecords)) benchmark::DoNotOptimize(index.ends());
  }
  state.SetBytesProcessed(static_cast<int64_t>(size) * state.iterations());
}
BENCHMARK(BM_Index);

void BM_Cut(benchmark::State& state) {
  std::string text = Narrow().text;
  size_t size = text.size();
  text.resize(size + kBlockPadding);
  for (auto _ : state) benchmark::DoNotOptimize(ScanBlock(text.data(), size, Dialect{}));
  state.SetBytesProcessed(static_cast<int64_t>(size) * state.iterations());
}
BENCHMARK(BM_Cut);

void BM_Digest(benchmark::State& state) {
  std::string text = Narrow().text;
  for (auto _ : state) {
    Sha256 hasher;
    hasher.Update(text);
    benchmark::DoNotOptimize(hasher.FinishHex());
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_Digest);

void BM_Utf8(benchmark::State& state) {
  std::string text = Wide().text;
  for (auto _ : state) benchmark::DoNotOptimize(IsValidUtf8(text));
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_Utf8);

void BM_ParseNumber(benchmark::State& state) {
  std::mt19937 random(3);
  std::vector<std::string> numbers;
  for (int i = 0; i < 4096; ++i) numbers.push_back(Number(&random));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        identity::ParseNumber(numbers[i++ & 4095], "", Date::FromYmd(2017, 10, 8)));
  }
}
BENCHMARK(BM_ParseNumber);

void BM_FoldToCode(benchmark::State& state) {
  std::mt19937 random(3);
  std::vector<std::string> names;
  for (int i = 0; i < 4096; ++i) names.push_back(Name(&random));
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(identity::FoldToCode(names[i++ & 4095]));
}
BENCHMARK(BM_FoldToCode);

}  // namespace
}  // namespace canbao::extract
