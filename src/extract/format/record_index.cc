#include "extract/format/record_index.h"

#include <immintrin.h>

#include <atomic>
#include <bit>
#include <cstring>

// GCC and clang choose the instruction set of a stretch of code each in its own way.
#if defined(__clang__)
// clang takes one literal only.
// clang-format off
#define CANBAO_AVX2_BEGIN \
  _Pragma("clang attribute push(__attribute__((target(\"avx2,bmi,bmi2,lzcnt,popcnt\"))), apply_to = function)")
// clang-format on
#define CANBAO_AVX2_END _Pragma("clang attribute pop")
#else
#define CANBAO_AVX2_BEGIN \
  _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,bmi,bmi2,lzcnt,popcnt\")")
#define CANBAO_AVX2_END _Pragma("GCC pop_options")
#endif

namespace canbao::extract {

bool IsDelimiterAt(const char* data, size_t at, Dialect dialect) {
  if (data[at] != dialect.delimiter) return false;
  if (!dialect.trail_pipe()) return true;
  size_t run = 0;
  while (run < at && static_cast<uint8_t>(data[at - 1 - run]) >= 0x80) ++run;
  return run % 2 == 0;
}

namespace {

// Which of 64 bytes are what, bit i = byte i.
struct Masks {
  uint64_t delimiter = 0, feed = 0, quote = 0, nul = 0, high = 0;
};

inline __attribute__((always_inline)) void Reserve(IndexState* x, size_t more) {
  // One over, for the end of a last record without line feed.
  if (x->ends.size() < x->count + more + 2) x->ends.resize((x->count + more + 2) * 2 + 4096);
}

// Closes the open record: `ends` of this batch are known, the last is its line feed.
inline __attribute__((always_inline)) void EndRecord(IndexState* x, size_t ends) {
  x->records[x->found++] = {x->begin, x->first, static_cast<uint32_t>(ends) - x->first,
                            x->begin_line};
  x->begin = x->ends[ends] + 1;
  x->first = static_cast<uint32_t>(ends);
  x->begin_line = x->line;
}

namespace sse2 {

inline Masks LoadMasks(const char* p, char delimiter) {
  const __m128i kDelimiter = _mm_set1_epi8(delimiter);
  Masks m;
  for (int k = 0; k < 4; ++k) {
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
    auto bits = [&](__m128i x) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(x))) << (16 * k);
    };
    m.delimiter |= bits(_mm_cmpeq_epi8(v, kDelimiter));
    m.feed |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
    m.quote |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    m.nul |= bits(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
    m.high |= bits(v);
  }
  return m;
}

#include "extract/format/record_index.inc"

}  // namespace sse2

CANBAO_AVX2_BEGIN
namespace avx2 {

inline uint64_t Bits(__m256i low, __m256i high) {
  return static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(low))) |
         static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

inline Masks LoadMasks(const char* p, char delimiter) {
  __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
  const __m256i d = _mm256_set1_epi8(delimiter);
  const __m256i feed = _mm256_set1_epi8('\n');
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i zero = _mm256_setzero_si256();
  Masks m;
  m.delimiter = Bits(_mm256_cmpeq_epi8(a, d), _mm256_cmpeq_epi8(b, d));
  m.feed = Bits(_mm256_cmpeq_epi8(a, feed), _mm256_cmpeq_epi8(b, feed));
  m.quote = Bits(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
  m.nul = Bits(_mm256_cmpeq_epi8(a, zero), _mm256_cmpeq_epi8(b, zero));
  m.high = Bits(a, b);
  return m;
}

#include "extract/format/record_index.inc"

}  // namespace avx2
CANBAO_AVX2_END

std::atomic<SimdLevel> simd_level{SimdLevel::kBest};

bool UseAvx2() {
  static const bool kHas = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  return kHas && simd_level.load(std::memory_order_relaxed) != SimdLevel::kSse2;
}

}  // namespace

void SetSimdLevel(SimdLevel level) { simd_level = level; }

BlockScan ScanBlock(const char* data, size_t size, Dialect dialect) {
  return UseAvx2() ? avx2::Scan(data, size, dialect) : sse2::Scan(data, size, dialect);
}

void RecordIndex::Start(const char* data, size_t size, Dialect dialect) {
  std::vector<uint32_t> ends = std::move(s_.ends);
  std::vector<RecordSpan> records = std::move(s_.records);
  s_ = {};
  s_.data = data;
  s_.size = size;
  s_.dialect = dialect;
  s_.ends = std::move(ends);
  s_.records = std::move(records);
}

bool RecordIndex::Next(size_t want) {
  // What is known of the open record moves to the front.
  size_t open = s_.count - s_.first;
  if (open > 0 && s_.first > 0) {
    std::memmove(s_.ends.data() + 1, s_.ends.data() + 1 + s_.first, open * sizeof(uint32_t));
  }
  Reserve(&s_, 0);
  s_.ends[0] = s_.begin - 1;
  s_.count = open;
  s_.first = 0;
  s_.found = 0;
  // A chunk of 64 bytes ends 64 records at most.
  if (s_.records.size() < want + 65) s_.records.resize(want + 65);
  if (UseAvx2()) {
    avx2::Index(&s_, want);
  } else {
    sse2::Index(&s_, want);
  }
  // A last record without line feed ends where the data end.
  if (s_.at >= s_.size && s_.begin < s_.size && s_.found < want) {
    Reserve(&s_, 1);
    s_.ends[++s_.count] = static_cast<uint32_t>(s_.size);
    EndRecord(&s_, s_.count);
  }
  return s_.found > 0;
}

std::string_view Unquote(std::string_view raw, char* scratch, size_t* written) {
  *written = 0;
  if (raw.empty() || raw[0] != '"') return raw;
  // Up to the closing quote, pairs become one; behind it everything is as it is.
  size_t close = raw.find('"', 1);
  if (close != std::string_view::npos && close + 1 == raw.size()) return raw.substr(1, close - 1);
  size_t n = 0;
  bool quoted = true;
  for (size_t i = 1; i < raw.size(); ++i) {
    if (quoted && raw[i] == '"') {
      if (i + 1 < raw.size() && raw[i + 1] == '"') {
        ++i;
      } else {
        quoted = false;
        continue;
      }
    }
    scratch[n++] = raw[i];
  }
  *written = n;
  return {scratch, n};
}

}  // namespace canbao::extract
