// How good links are, against a truth: pairwise and B-cubed precision and recall, from the
// contingency table of said and true persons (no pair is ever enumerated). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace canbao::linkage {

// One row that both lists have. Empty person: the row belongs to nobody and is alone.
struct JudgedRow {
  std::string said;
  std::string real;
  std::string stratum;
};

struct Quality {
  uint64_t rows = 0;
  // Pairs with at least one row of the stratum.
  uint64_t said_pairs = 0;
  uint64_t real_pairs = 0;
  uint64_t right_pairs = 0;  // said and real
  // Means over the rows of the stratum.
  double bcubed_precision = 1;
  double bcubed_recall = 1;

  double precision() const { return Share(right_pairs, said_pairs); }
  double recall() const { return Share(right_pairs, real_pairs); }
  double f1() const {
    double p = precision();
    double r = recall();
    return p + r == 0 ? 0 : 2 * p * r / (p + r);
  }

 private:
  static double Share(uint64_t part, uint64_t whole) {
    return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

struct Evaluation {
  Quality all;
  std::map<std::string, Quality> strata;
  uint64_t merged = 0;  // said persons with rows of two or more real ones
  uint64_t split = 0;   // real persons whose rows are with two or more said ones, or with nobody
};

Evaluation Evaluate(const std::vector<JudgedRow>& rows);

}  // namespace canbao::linkage
