#include "linkage/engine/comparer.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "identity/name.h"
#include "linkage/engine/similarity.h"
#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

constexpr int kMemoBits = 13;
// Lengths for which it is known beforehand how much two texts must have in common.
constexpr size_t kLengths = 32;
constexpr Code kMostRemembered = Code{1} << 24;

int64_t MonthsApart(const Day& a, const Day& b) {
  const int64_t months = std::abs((int64_t{a.year} - b.year) * 12 + a.month - b.month);
  // Not a whole month when the later day of month comes first.
  const bool a_first = a.number < b.number;
  const int32_t early = a_first ? a.day : b.day;
  const int32_t late = a_first ? b.day : a.day;
  return months + (late > early ? 1 : 0);
}

bool AreShared(std::string_view a, std::string_view b, char separator, int64_t wanted) {
  const auto x = Parts(a, separator);
  const auto y = Parts(b, separator);
  int64_t common = 0;
  for (size_t i = 0, j = 0; i < x.size() && j < y.size();) {
    const int order = x[i].compare(y[j]);
    common += order == 0;
    i += order <= 0;
    j += order >= 0;
  }
  return common >= wanted;
}

bool AreAlikeNames(std::string_view a, std::string_view b) {
  identity::FoldedName x;
  identity::FoldedName y;
  identity::FoldName(a, &x);
  identity::FoldName(b, &y);
  return identity::CompareNames(x, y) != identity::NameAgreement::kUnlike;
}

size_t PrefixOf(std::u32string_view a, std::u32string_view b) {
  size_t prefix = 0;
  const size_t end = std::min({a.size(), b.size(), size_t{4}});
  while (prefix < end && a[prefix] == b[prefix]) ++prefix;
  return prefix;
}

// Whether two texts of these lengths, with so much in common, may be so alike.
bool MayReach(size_t a, size_t b, size_t common, size_t prefix, double wanted) {
  if (common == 0) return wanted <= 0;
  const auto c = static_cast<double>(common);
  double most = (c / static_cast<double>(a) + c / static_cast<double>(b) + 1) / 3;
  most += static_cast<double>(prefix) * 0.1 * (1 - most);
  // Rounding must not reject what is exactly on the line.
  return most + 1e-9 >= wanted;
}

bool IsCheap(Test test) {
  return test == Test::kDays || test == Test::kMonths || test == Test::kYears ||
         test == Test::kDayMonthSwapped;
}

}  // namespace

Comparer::Scratch::Scratch(const Comparer& comparer) : memo_(comparer.views_.size() << kMemoBits) {}

Result<Comparer> Comparer::Make(const Model& model, const Frame& frame) {
  Comparer out(model, frame);
  out.features_.resize(frame.width);
  out.adjustments_.resize(frame.width);
  for (size_t c = 0; c < model.comparisons.size(); ++c) CANBAO_TRY(out.Compile(c));
  for (View& view : out.views_) {
    out.NeedFeatures(view.left);
    out.NeedFeatures(view.right);
    SetNeed(&view);
    view.left_characters = out.features_[view.left].characters.data();
    view.right_characters = out.features_[view.right].characters.data();
    view.remembers = frame.values[view.left].size() < kMostRemembered &&
                     frame.values[view.right].size() < kMostRemembered;
    if (view.left != view.right) continue;
    view.equal.resize(frame.values[view.left].size(), 1);
    for (Code code = 1; code < view.equal.size(); ++code) {
      view.equal[code] = out.Look(view, code, code);
    }
  }
  std::vector<std::vector<Bits>> none;
  for (const Comparison& c : model.comparisons) none.emplace_back(c.levels.size() + 1);
  out.SetWeights(none, 0);
  return out;
}

Status Comparer::Compile(size_t index) {
  const Comparison& comparison = model_->comparisons[index];
  Compiled compiled;
  compiled.index = index;
  compiled.first_view = views_.size();
  auto view_of = [&](uint32_t left, uint32_t right) {
    for (size_t v = compiled.first_view; v < views_.size(); ++v) {
      if (views_[v].left == left && views_[v].right == right) return v;
    }
    views_.emplace_back();
    views_.back().left = left;
    views_.back().right = right;
    return views_.size() - 1;
  };
  auto add = [&](auto&& self, const Condition& c) -> void {
    for (const Condition& part : c.parts) self(self, part);
    if (c.kind != Condition::Kind::kTest) return;
    for (bool turned : {false, true}) {
      if (turned && c.left == c.right) continue;
      const size_t v = turned ? view_of(c.right, c.left) : view_of(c.left, c.right);
      const OneTest test{c.test, c.at_least, c.limit, c.separator};
      auto& tests = views_[v].tests;
      if (c.test == Test::kMissing || std::find(tests.begin(), tests.end(), test) != tests.end()) {
        continue;
      }
      tests.push_back(test);
    }
  };
  for (const Level& level : comparison.levels) {
    if (!level.otherwise) add(add, level.when);
  }
  compiled.views = views_.size() - compiled.first_view;
  int bits = 0;
  for (size_t v = compiled.first_view; v < views_.size(); ++v) {
    views_[v].shift = bits;
    bits += static_cast<int>(views_[v].tests.size()) + 1;
  }
  if (bits > static_cast<int>(kMostTestBits)) {
    return Fail(ErrorClass::kInput, std::string(kErrModelTooMuch),
                Msg("比较 {0} 的检验过多（{1}，最多 {2}）",
                    "the comparison {0} has too many tests ({1}, at most {2})", comparison.name,
                    bits, kMostTestBits),
                Msg("请分成几个比较", "make several comparisons of it"));
  }
  auto bit = [&](const Condition& c, bool turned, uint32_t all) {
    const size_t v = turned ? view_of(c.right, c.left) : view_of(c.left, c.right);
    const View& view = views_[v];
    const uint32_t of_view = all >> view.shift;
    if (c.test == Test::kMissing) return (of_view & 1) != 0;
    const OneTest test{c.test, c.at_least, c.limit, c.separator};
    const auto at = std::find(view.tests.begin(), view.tests.end(), test) - view.tests.begin();
    return (of_view >> (at + 1) & 1) != 0;
  };
  auto holds = [&](auto&& self, const Condition& c, uint32_t all) -> bool {
    auto one = [&](const Condition& part) { return self(self, part, all); };
    if (c.kind == Condition::Kind::kAll) return std::all_of(c.parts.begin(), c.parts.end(), one);
    if (c.kind == Condition::Kind::kAny) return std::any_of(c.parts.begin(), c.parts.end(), one);
    const bool straight = bit(c, false, all);
    if (c.left == c.right) return straight;
    const bool turned = bit(c, true, all);
    return c.both_ways ? straight && turned : straight || turned;
  };
  compiled.level_of.resize(size_t{1} << bits);
  for (uint32_t all = 0; all < compiled.level_of.size(); ++all) {
    size_t missing = 0;
    for (size_t v = compiled.first_view; v < views_.size(); ++v)
      missing += all >> views_[v].shift & 1;
    uint8_t level = 0;
    if (!(comparison.missing_first ? missing > 0 : missing == compiled.views)) {
      while (!comparison.levels[level].otherwise &&
             !holds(holds, comparison.levels[level].when, all)) {
        ++level;
      }
      ++level;
    }
    compiled.level_of[all] = level;
  }
  compiled_.push_back(std::move(compiled));
  return {};
}

void Comparer::NeedFeatures(uint32_t column) {
  Features& f = features_[column];
  if (!f.begin.empty()) return;
  const Values& values = frame_->values[column];
  std::u32string text;
  for (Code code = 0; code < values.size(); ++code) {
    Decode(values[code], &text);
    f.begin.push_back(static_cast<uint32_t>(f.text.size()));
    f.text.insert(f.text.end(), text.begin(), text.end());
    f.characters.push_back(CharactersOf(text));
    f.days.push_back(ParseDay(values[code]).value_or(Day{}));
  }
  f.begin.push_back(static_cast<uint32_t>(f.text.size()));
}

void Comparer::SetNeed(View* view) {
  constexpr size_t kNever = 255;
  view->need.assign(kLengths * kLengths, kNever);
  for (size_t t = 0; t < view->tests.size(); ++t) {
    const OneTest& test = view->tests[t];
    if (IsCheap(test.test)) {
      view->cheap.push_back(static_cast<uint8_t>(t));
      continue;
    }
    if (test.test == Test::kShared || test.test == Test::kName || test.test == Test::kDifference ||
        test.test == Test::kPercent) {
      view->need.clear();
      return;
    }
    for (size_t a = 1; a < kLengths; ++a) {
      for (size_t b = 1; b < kLengths; ++b) {
        const size_t shorter = std::min(a, b);
        const size_t longer = std::max(a, b);
        const auto limit = static_cast<size_t>(test.limit);
        size_t need = kNever;
        switch (test.test) {
          case Test::kExact:
            if (a == b) need = a;
            break;
          case Test::kJaroWinkler:
          case Test::kJaro: {
            const size_t prefix = test.test == Test::kJaro ? 0 : std::min(shorter, size_t{4});
            need = 0;
            while (need <= shorter && !MayReach(a, b, need, prefix, test.at_least)) ++need;
            break;
          }
          case Test::kLevenshtein:
          case Test::kDamerauLevenshtein:
            need = longer > limit ? longer - limit : 0;
            break;
          case Test::kFirst:
            if (shorter >= limit) need = limit;
            break;
          default:  // one within the other
            if (shorter >= limit) need = shorter;
        }
        uint8_t& least = view->need[a * kLengths + b];
        least = static_cast<uint8_t>(std::min<size_t>(least, need));
      }
    }
  }
}

bool Comparer::HoldsOfDays(const OneTest& test, const Day& a, const Day& b) const {
  if (a.month == 0 || b.month == 0) return false;
  switch (test.test) {
    case Test::kDays:
      return std::abs(a.number - b.number) <= test.limit;
    case Test::kMonths:
      return MonthsApart(a, b) <= test.limit;
    case Test::kYears:
      return MonthsApart(a, b) <= test.limit * 12;
    default:
      return a.year == b.year && a.month == b.day && a.day == b.month;
  }
}

// Bit 0: a value is missing; then those of the tests, in their order.
uint16_t Comparer::Look(const View& view, Code a, Code b) const {
  if (a == kMissing || b == kMissing) return 1;
  const std::string_view text_a = frame_->values[view.left][a];
  const std::string_view text_b = frame_->values[view.right][b];
  const Features& of_a = features_[view.left];
  const Features& of_b = features_[view.right];
  const std::u32string_view x = of_a.Of(a);
  const std::u32string_view y = of_b.Of(b);
  const size_t longer = std::max(x.size(), y.size());
  const size_t common = longer > 255 ? std::min(x.size(), y.size())
                                     : InCommon(of_a.characters[a], of_b.characters[b]);
  const size_t prefix = PrefixOf(x, y);
  const bool equal = text_a == text_b;
  double jaro = -1;
  double winkler = -1;
  int64_t edits = -1;
  int64_t damerau = -1;
  uint32_t out = 0;
  for (size_t t = 0; t < view.tests.size(); ++t) {
    const OneTest& test = view.tests[t];
    const auto limit = static_cast<size_t>(test.limit);
    bool holds = false;
    switch (test.test) {
      case Test::kExact:
        holds = equal;
        break;
      case Test::kJaroWinkler:
        if (winkler < 0 && MayReach(x.size(), y.size(), common, prefix, test.at_least)) {
          winkler = JaroWinkler(x, y);
        }
        holds = winkler >= test.at_least;
        break;
      case Test::kJaro:
        if (jaro < 0 && MayReach(x.size(), y.size(), common, 0, test.at_least)) jaro = Jaro(x, y);
        holds = jaro >= test.at_least;
        break;
      case Test::kLevenshtein:
      case Test::kDamerauLevenshtein: {
        int64_t& known = test.test == Test::kLevenshtein ? edits : damerau;
        if (known < 0 && longer - common <= limit) {
          known = test.test == Test::kLevenshtein ? Levenshtein(x, y) : DamerauLevenshtein(x, y);
        }
        holds = known >= 0 && known <= test.limit;
        break;
      }
      case Test::kDays:
      case Test::kMonths:
      case Test::kYears:
      case Test::kDayMonthSwapped:
        holds = HoldsOfDays(test, of_a.days[a], of_b.days[b]);
        break;
      case Test::kDifference:
      case Test::kPercent: {
        const auto n = ParseNumber(text_a);
        const auto m = ParseNumber(text_b);
        if (!n || !m) break;
        const int64_t apart = std::abs(*n - *m);
        if (test.test == Test::kDifference) {
          holds = apart <= test.limit;
        } else {
          // Of the larger one.
          const int64_t larger = std::max(std::abs(*n), std::abs(*m));
          holds = static_cast<double>(apart) * 1e8 <=
                  static_cast<double>(larger) * static_cast<double>(test.limit);
        }
        break;
      }
      case Test::kShared:
        holds = AreShared(text_a, text_b, test.separator, test.limit);
        break;
      case Test::kFirst:
        holds = x.size() >= limit && y.size() >= limit && x.substr(0, limit) == y.substr(0, limit);
        break;
      case Test::kBegins: {
        const auto shorter = x.size() < y.size() ? x : y;
        const auto longer = x.size() < y.size() ? y : x;
        holds = shorter.size() >= limit && longer.starts_with(shorter);
        break;
      }
      case Test::kContains: {
        const auto shorter = x.size() < y.size() ? x : y;
        const auto longer = x.size() < y.size() ? y : x;
        holds = shorter.size() >= limit && longer.find(shorter) != std::u32string_view::npos;
        break;
      }
      case Test::kName:
        holds = AreAlikeNames(text_a, text_b);
        break;
      case Test::kMissing:
        break;
    }
    out |= static_cast<uint32_t>(holds) << (t + 1);
  }
  return static_cast<uint16_t>(out);
}

uint32_t Comparer::LookCheap(const View& view, Code a, Code b) const {
  uint32_t bits = 0;
  for (uint8_t t : view.cheap) {
    const bool holds =
        HoldsOfDays(view.tests[t], features_[view.left].days[a], features_[view.right].days[b]);
    bits |= static_cast<uint32_t>(holds) << (t + 1);
  }
  return bits;
}

inline uint32_t Comparer::BitsOf(const View& view, uint64_t* memo, const Code* a,
                                 const Code* b) const {
  Code x = a[view.left];
  Code y = b[view.right];
  if (x == kMissing || y == kMissing) return 1;
  if (view.left == view.right) {
    if (x == y) return view.equal[x];
    // Tests of one column are the same either way round.
    if (x > y) std::swap(x, y);
  }
  if (!view.need.empty()) {
    const Characters& of_x = view.left_characters[x];
    const Characters& of_y = view.right_characters[y];
    const uint32_t lengths = of_x.length() * kLengths + of_y.length();
    if ((of_x.length() | of_y.length()) < kLengths && InCommon(of_x, of_y) < view.need[lengths]) {
      return view.cheap.empty() ? 0 : LookCheap(view, x, y);
    }
  }
  if (!view.remembers) return Look(view, x, y);
  const uint64_t key = uint64_t{x} << 24 | y;
  uint64_t& slot = memo[key * 0x9E3779B97F4A7C15u >> (64 - kMemoBits)];
  if (slot >> 16 == key) return static_cast<uint16_t>(slot);
  const uint32_t bits = Look(view, x, y);
  slot = key << 16 | bits;
  return bits;
}

inline size_t Comparer::Find(const Compiled& c, const Code* a, const Code* b,
                             Scratch* scratch) const {
  uint32_t bits = 0;
  for (size_t v = c.first_view; v < c.first_view + c.views; ++v) {
    bits |= BitsOf(views_[v], scratch->memo_.data() + (v << kMemoBits), a, b) << views_[v].shift;
  }
  return c.level_of[bits];
}

Pattern Comparer::Levels(RowId a, RowId b, Scratch* scratch) const {
  Pattern out = 0;
  for (const Compiled& c : compiled_) {
    out |= uint64_t{Find(c, frame_->Row(a), frame_->Row(b), scratch)} << (4 * c.index);
  }
  return out;
}

void Comparer::SetWeights(const std::vector<std::vector<Bits>>& weights, Bits prior) {
  prior_ = prior;
  order_.clear();
  for (Compiled& c : compiled_) {
    order_.push_back(c.index);
    c.weights.assign(weights[c.index].size(), {});
    for (size_t l = 0; l < weights[c.index].size(); ++l) {
      LevelWeight& w = c.weights[l];
      w.bits = weights[c.index][l];
      if (l == 0) continue;
      const Level& level = model_->comparisons[c.index].levels[l - 1];
      if (level.says_nothing) continue;
      w.percent = level.frequency_percent;
      for (uint32_t column : level.frequency) {
        if (adjustments_[column].empty()) continue;
        w.frequency.push_back(adjustments_[column].data());
        w.columns.push_back(column);
      }
    }
  }
  auto most = [&](const Compiled& c) {
    int64_t out = INT32_MIN;
    for (const LevelWeight& w : c.weights) {
      int64_t sum = w.bits;
      for (uint32_t column : w.columns) {
        const auto& all = adjustments_[column];
        sum += std::max<int64_t>(
            int64_t{*std::max_element(all.begin(), all.end())} * w.percent / 100, 0);
      }
      out = std::max(out, sum);
    }
    return out;
  };
  // First those that tell two strangers apart at the least cost: by what they can add at most and
  // do not, for each pair of columns that is looked at.
  std::vector<int64_t> at_most;
  std::vector<int64_t> worth;
  for (const Compiled& c : compiled_) {
    at_most.push_back(most(c));
    worth.push_back((at_most.back() - c.weights.back().bits) / static_cast<int64_t>(c.views));
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [&](size_t a, size_t b) { return worth[a] > worth[b]; });
  int64_t rest = 0;
  for (size_t i = order_.size(); i-- > 0;) {
    compiled_[order_[i]].rest = static_cast<Bits>(rest);
    rest += at_most[order_[i]];
  }
}

void Comparer::SetFrequencies(uint32_t column, std::vector<Bits> adjustment) {
  adjustments_[column] = std::move(adjustment);
}

std::vector<uint32_t> Comparer::FrequencyColumns() const {
  std::vector<uint32_t> out;
  for (const Comparison& c : model_->comparisons) {
    for (const Level& level : c.levels) {
      out.insert(out.end(), level.frequency.begin(), level.frequency.end());
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

inline Bits Comparer::WeightOf(const LevelWeight& level, const Code* a, const Code* b) const {
  Bits out = level.bits;
  for (size_t i = 0; i < level.frequency.size(); ++i) {
    const Bits* adjustment = level.frequency[i];
    const Code x = a[level.columns[i]];
    const Code y = b[level.columns[i]];
    if (x == kMissing || y == kMissing) continue;
    // Of two values the more frequent one.
    out += std::min(adjustment[x], adjustment[y]) * level.percent / 100;
  }
  return out;
}

Bits Comparer::Score(RowId a, RowId b, Bits least, Scratch* scratch) const {
  const Code* x = frame_->Row(a);
  const Code* y = frame_->Row(b);
  Bits sum = prior_;
  for (size_t i : order_) {
    const Compiled& c = compiled_[i];
    sum += WeightOf(c.weights[Find(c, x, y, scratch)], x, y);
    if (int64_t{sum} + c.rest < least) return kRejected;
  }
  return sum;
}

Bits Comparer::Part(RowId a, RowId b, size_t comparison, size_t level) const {
  return WeightOf(compiled_[comparison].weights[level], frame_->Row(a), frame_->Row(b));
}

}  // namespace canbao::linkage
