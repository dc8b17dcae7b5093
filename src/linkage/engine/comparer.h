// Levels and weights of pairs of rows. What the tests of a comparison say of two values is found
// once for each pair of distinct values, as bits, and remembered; the level follows from the bits
// by a table. Comparisons that decide soonest come first, and a pair that can no longer reach what
// is asked for is left.
//
// A Comparer is immutable but for SetWeights() and SetFrequencies(), which nobody may call while
// others score; each thread has a Scratch of its own. Nothing is allocated per pair.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "linkage/engine/frame.h"
#include "linkage/engine/similarity.h"
#include "linkage/model/model.h"
#include "linkage/weight.h"

namespace canbao::linkage {

// Level of each comparison, four bits each; 0: a value is missing, i: the level i - 1 of the model.
using Pattern = uint64_t;
inline size_t LevelOf(Pattern pattern, size_t comparison) {
  return pattern >> (4 * comparison) & 15;
}

inline constexpr Bits kRejected = INT32_MIN;

class Comparer {
 public:
  class Scratch {
   public:
    explicit Scratch(const Comparer& comparer);

   private:
    friend class Comparer;
    std::vector<uint64_t> memo_;  // a piece for each view: code, code, bits
  };

  // Both must outlive the comparer. Error: kErrModelTooMuch.
  static Result<Comparer> Make(const Model& model, const Frame& frame);

  Pattern Levels(RowId a, RowId b, Scratch* scratch) const;

  // Of each comparison and level (0: missing), in hundredths of a bit; the prior is part of a
  // score.
  void SetWeights(const std::vector<std::vector<Bits>>& weights, Bits prior);
  // For each column that a level names as `frequency`: what each of its values says more or less
  // than an average one.
  void SetFrequencies(uint32_t column, std::vector<Bits> adjustment);
  std::vector<uint32_t> FrequencyColumns() const;

  // The score, or kRejected as soon as it is certain to be below `least`.
  Bits Score(RowId a, RowId b, Bits least, Scratch* scratch) const;
  // What a comparison gave to the score of a pair.
  Bits Part(RowId a, RowId b, size_t comparison, size_t level) const;

  // Brings what is known of rows into the cache before they are scored.
  class Hints {
   public:
    explicit Hints(const Comparer* comparer) : comparer_(comparer) {}
    void Far(RowId row) const {
      const Code* codes = comparer_->frame_->Row(row);
      __builtin_prefetch(codes);
      __builtin_prefetch(codes + comparer_->frame_->width - 1);
    }
    void Near(RowId row) const {
      const Code* codes = comparer_->frame_->Row(row);
      for (const View& view : comparer_->views_) {
        if (view.left == view.right) __builtin_prefetch(view.left_characters + codes[view.left]);
      }
    }

   private:
    const Comparer* comparer_;
  };

  const Frame& frame() const { return *frame_; }
  const Model& model() const { return *model_; }
  Bits prior() const { return prior_; }

 private:
  struct OneTest {
    Test test;
    double at_least = 0;
    int64_t limit = 0;
    char separator = 0;
    bool operator==(const OneTest&) const = default;
  };
  // A column of the one row and a column of the other.
  struct View {
    uint32_t left = 0;
    uint32_t right = 0;
    int shift = 0;  // of its bits among those of the comparison
    std::vector<OneTest> tests;
    std::vector<uint16_t> equal;  // bits of a value with itself, when left == right
    // By the lengths of two values: with fewer characters in common no test but those of `cheap`
    // holds. Empty: nothing follows from lengths and characters.
    std::vector<uint8_t> need;
    std::vector<uint8_t> cheap;  // tests that cost less than to remember them
    bool remembers = true;       // codes fit into the memo
    const Characters* left_characters = nullptr;
    const Characters* right_characters = nullptr;
  };
  struct LevelWeight {
    Bits bits = 0;
    int32_t percent = 0;
    std::vector<const Bits*> frequency;
    std::vector<uint32_t> columns;
  };
  struct Compiled {
    size_t index = 0;  // in the model
    size_t first_view = 0;
    size_t views = 0;
    std::vector<uint8_t> level_of;  // by bits
    std::vector<LevelWeight> weights;
    Bits rest = 0;  // the most that comparisons behind it can add
  };
  // What tests need of a value.
  struct Features {
    std::vector<char32_t> text;
    std::vector<uint32_t> begin;  // of each value in `text`, and the end
    std::vector<Characters> characters;
    std::vector<Day> days;  // month 0: no date
    std::u32string_view Of(Code code) const {
      return {text.data() + begin[code], begin[code + 1] - begin[code]};
    }
  };

  Comparer(const Model& model, const Frame& frame) : model_(&model), frame_(&frame) {}
  Status Compile(size_t index);
  void NeedFeatures(uint32_t column);
  static void SetNeed(View* view);
  uint32_t LookCheap(const View& view, Code a, Code b) const;
  uint16_t Look(const View& view, Code a, Code b) const;
  bool HoldsOfDays(const OneTest& test, const Day& a, const Day& b) const;
  uint32_t BitsOf(const View& view, uint64_t* memo, const Code* a, const Code* b) const;
  size_t Find(const Compiled& c, const Code* a, const Code* b, Scratch* scratch) const;
  Bits WeightOf(const LevelWeight& level, const Code* a, const Code* b) const;

  const Model* model_;
  const Frame* frame_;
  std::vector<View> views_;
  std::vector<Compiled> compiled_;  // in the order of the model
  std::vector<size_t> order_;       // in which they are scored
  std::vector<Features> features_;  // of each column
  std::vector<std::vector<Bits>> adjustments_;
  Bits prior_ = 0;
};

}  // namespace canbao::linkage
