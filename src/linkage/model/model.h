// What to link by, as a TOML document: the columns and what is made of them, comparisons with
// ordered levels, blocking rules, training and decision. Format: docs/formats/link-model.md.
// Immutable after ParseModel(); every mistake in the text is refused (kInput, CB-LINKAGE-0011 …
// 0019) with its line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "linkage/model/expression.h"
#include "linkage/weight.h"

namespace canbao::linkage {

inline constexpr size_t kMostComparisons = 16;
inline constexpr size_t kMostLevels = 15;  // of a comparison; a level has four bits in a pattern
inline constexpr size_t kMostRules = 32;
inline constexpr size_t kMostColumns = 256;  // derived ones
inline constexpr size_t kMostTestBits =
    16;  // tests of a comparison, and one for each pair of columns

enum class Test : uint8_t {
  kExact,
  kJaroWinkler,
  kJaro,
  kLevenshtein,
  kDamerauLevenshtein,
  kDays,
  kMonths,
  kYears,
  kDayMonthSwapped,
  kDifference,
  kPercent,
  kShared,
  kFirst,
  kBegins,
  kContains,
  kName,
  kMissing
};

// A test of one column on both sides, or of one column here and another there.
struct Condition {
  enum class Kind : uint8_t { kTest, kAll, kAny };
  Kind kind = Kind::kTest;
  Test test = Test::kExact;
  uint32_t left = 0;  // indices of Model::columns
  uint32_t right = 0;
  bool both_ways = false;  // left ≠ right: it must hold both ways round, not one way or the other
  double at_least = 0;     // a similarity
  int64_t limit = 0;       // a distance, a number of characters or parts; millionths of a number
  char separator = 0;      // of parts; 0 = blanks
  std::vector<Condition> parts;
};

struct Level {
  std::string label;
  Condition when;
  bool otherwise = false;     // the last one: nothing before it held
  bool says_nothing = false;  // weight 0, and not counted in training
  std::optional<double> m;
  std::optional<double> u;
  std::vector<uint32_t> frequency;  // columns whose values count by how rare they are
  int32_t frequency_percent = 100;
};

struct Comparison {
  std::string name;
  std::vector<Level> levels;  // without the one for missing values, which every comparison has
  bool missing_first = true;  // a value missing in any column: nothing is said; else only if in all
};

struct BlockingRule {
  std::string label;
  std::vector<uint32_t> on;     // none: every pair
  std::vector<uint32_t> split;  // what a hot block is split by, in this order
  uint64_t hot = 5000;          // rows of a block that is split
  uint64_t up_to = UINT64_MAX;  // a rule of more pairs than that is left out
};

struct Training {
  uint64_t seed = 1;
  uint64_t random_pairs = 1'000'000;
  uint64_t candidate_pairs = 1'000'000;  // of each rule
  int32_t rounds = 100;
  std::optional<double> prior;
  enum class Frequencies { kAuto, kRows, kPersons } frequencies = Frequencies::kAuto;
};

enum class Clustering { kAverage, kComplete, kComponents };

struct Decision {
  Bits threshold = 0;  // log2 of the odds
  Clustering clustering = Clustering::kAverage;
  uint32_t largest = 1000;  // rows of a component that is looked at as a whole
  Bits cap = 2000;          // what one pair of rows can say for or against two groups at most
};

struct ModelColumn {
  std::string name;
  Expression made_of;
  bool raw = false;  // a column of the tables as it is
};

struct Model {
  std::string name;
  std::string source;
  std::string id;  // column that names rows; may be empty
  bool link_only = false;
  bool one_per_file = false;
  std::vector<ModelColumn> columns;  // each behind those it is made of
  std::vector<Comparison> comparisons;
  std::vector<BlockingRule> rules;
  Training training;
  Decision decision;
  std::string digest;  // of the text

  // Every level has m and u, and the prior is given: nothing is to be estimated.
  bool trained() const;
  // The columns of the tables that are read, sorted.
  std::vector<std::string> Inputs() const;
};

Result<Model> ParseModel(const std::string& text, const std::string& path);
Result<Model> LoadModel(const std::string& path);

}  // namespace canbao::linkage
