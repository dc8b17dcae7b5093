#include "linkage/engine/blocking.h"

#include <algorithm>
#include <numeric>

namespace canbao::linkage {
namespace {

uint64_t PairsOf(uint64_t n) { return n < 2 ? 0 : n * (n - 1) / 2; }

// Rows sorted into blocks: equal numbers are one block. Numbers begin at 1.
struct Grouping {
  std::vector<uint32_t> order;
  std::vector<uint32_t> number;  // by row; 0: in no block
  uint32_t blocks = 0;
};

// Splits the blocks that `wanted` names by the codes of a column.
template <typename Wanted>
void Refine(const Frame& frame, uint32_t column, Wanted wanted, bool missing_too, Grouping* g) {
  std::vector<uint64_t> keys(frame.rows);
  std::vector<uint32_t> kept;
  kept.reserve(g->order.size());
  for (uint32_t row : g->order) {
    const bool split = wanted(g->number[row]);
    const Code code = frame.Row(row)[column];
    if (split && code == kMissing && !missing_too) {
      g->number[row] = 0;
      continue;
    }
    keys[row] = uint64_t{g->number[row]} << 32 | (split ? code : 0);
    kept.push_back(row);
  }
  SortByKey(keys, &kept);
  uint32_t number = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i == 0 || keys[kept[i]] != keys[kept[i - 1]]) ++number;
    g->number[kept[i]] = number;
  }
  g->order = std::move(kept);
  g->blocks = number;
}

std::vector<uint32_t> SizesOf(const Grouping& g) {
  std::vector<uint32_t> sizes(g.blocks + 1);
  for (uint32_t row : g.order) ++sizes[g.number[row]];
  return sizes;
}

uint64_t CountPairs(const RuleBlocks& blocks) {
  uint64_t out = 0;
  for (size_t i = 0; i < blocks.rows.size(); ++i) out += blocks.end[i] - blocks.from[i];
  return out;
}

}  // namespace

Blocking::Blocking(const Model& model, const Frame& frame) {
  rules_.resize(model.rules.size());
  keys_.resize(frame.rows * rules_.size());
  all_pairs_ = PairsOf(frame.rows);
  // In the order of files where pairs of one file do not count; else in that of the frame.
  std::vector<uint32_t> everybody(frame.rows);
  std::iota(everybody.begin(), everybody.end(), 0);
  if (model.link_only) {
    std::stable_sort(everybody.begin(), everybody.end(),
                     [&](uint32_t a, uint32_t b) { return frame.file[a] < frame.file[b]; });
    std::vector<uint64_t> of_file;
    for (uint16_t file : frame.file) {
      if (file >= of_file.size()) of_file.resize(file + size_t{1});
      ++of_file[file];
    }
    for (uint64_t n : of_file) all_pairs_ -= PairsOf(n);
  }
  for (size_t r = 0; r < rules_.size(); ++r) {
    const BlockingRule& rule = model.rules[r];
    RuleBlocks& blocks = rules_[r];
    if (rule.on.empty() && all_pairs_ > rule.up_to) {
      blocks.left_out = true;
      blocks.pairs = all_pairs_;
      continue;
    }
    Grouping g;
    g.order = everybody;
    g.number.assign(frame.rows, 1);
    g.blocks = 1;
    for (uint32_t column : rule.on) {
      Refine(
          frame, column, [](uint32_t) { return true; }, false, &g);
    }
    if (!rule.on.empty()) {
      for (uint32_t column : rule.split) {
        const std::vector<uint32_t> sizes = SizesOf(g);
        const auto hot =
            std::count_if(sizes.begin(), sizes.end(), [&](uint32_t n) { return n > rule.hot; });
        if (hot == 0) break;
        blocks.hot += static_cast<uint64_t>(hot);
        Refine(
            frame, column, [&](uint32_t b) { return sizes[b] > rule.hot; }, true, &g);
      }
    }
    blocks.rows = std::move(g.order);
    const auto n = static_cast<uint32_t>(blocks.rows.size());
    blocks.from.resize(n);
    blocks.end.resize(n);
    for (uint32_t begin = 0; begin < n;) {
      uint32_t end = begin + 1;
      while (end < n && g.number[blocks.rows[end]] == g.number[blocks.rows[begin]]) ++end;
      uint32_t from = end;
      for (uint32_t i = end; i-- > begin;) {
        if (!model.link_only) {
          from = i + 1;
        } else if (i + 1 < end && frame.file[blocks.rows[i]] != frame.file[blocks.rows[i + 1]]) {
          from = i + 1;
        }
        blocks.from[i] = from;
        blocks.end[i] = end;
      }
      blocks.blocks += end - begin > 1;
      blocks.largest = std::max<uint64_t>(blocks.largest, end - begin);
      begin = end;
    }
    blocks.pairs = CountPairs(blocks);
    if (blocks.pairs > rule.up_to) {
      const uint64_t pairs = blocks.pairs;
      blocks = {};
      blocks.pairs = pairs;
      blocks.left_out = true;
      continue;
    }
    for (uint32_t row : blocks.rows) keys_[size_t{row} * rules_.size() + r] = g.number[row];
  }
}

std::vector<PairTask> Blocking::Tasks(uint64_t pairs) const {
  std::vector<PairTask> out;
  for (size_t r = 0; r < rules_.size(); ++r) {
    const RuleBlocks& blocks = rules_[r];
    const auto n = static_cast<uint32_t>(blocks.rows.size());
    uint64_t sum = 0;
    uint32_t begin = 0;
    for (uint32_t at = 0; at < n; ++at) {
      sum += 1 + blocks.end[at] - blocks.from[at];
      if (sum < pairs && at + 1 < n) continue;
      out.push_back({static_cast<uint16_t>(r), begin, at + 1});
      begin = at + 1;
      sum = 0;
    }
  }
  return out;
}

}  // namespace canbao::linkage
