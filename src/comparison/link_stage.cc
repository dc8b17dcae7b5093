#include "comparison/link_stage.h"

#include <algorithm>
#include <bit>
#include <mutex>

#include "base/task_pool.h"
#include "comparison/groups.h"
#include "comparison/partition_stage.h"
#include "comparison/resolve.h"

namespace canbao::comparison {
namespace {

// A damaged row and a person that fits it.
struct Hit {
  uint64_t row;  // Record::order()
  uint64_t key;
  friend auto operator<=>(const Hit&, const Hit&) = default;
};

void MarkMaker(const Groups& groups, const Resolution& r, PersonNumbering* numbering) {
  if (!r.has_person || groups.master() != 0) return;
  const Record& maker = groups.rows()[static_cast<size_t>(r.maker)];
  numbering->Mark(maker.extract, maker.line);
}

}  // namespace

PersonNumbering::PersonNumbering(const std::vector<uint32_t>& max_line, uint64_t highest)
    : highest_(highest) {
  for (uint32_t lines : max_line) bits_.emplace_back((static_cast<size_t>(lines) >> 6) + 1);
}

void PersonNumbering::Close() {
  for (auto& bits : bits_) {
    std::vector<uint64_t>& rank = rank_.emplace_back();
    for (size_t w = 0; w < bits.size(); ++w) {
      if (w % 8 == 0) rank.push_back(highest_);
      highest_ += static_cast<uint64_t>(std::popcount(bits[w].load(std::memory_order_relaxed)));
    }
  }
}

uint64_t PersonNumbering::KeyOf(uint16_t extract, uint32_t line) const {
  const auto& bits = bits_[extract];
  size_t word = line >> 6;
  uint64_t key = rank_[extract][word / 8];
  for (size_t w = word / 8 * 8; w < word; ++w) {
    key += static_cast<uint64_t>(std::popcount(bits[w].load(std::memory_order_relaxed)));
  }
  uint64_t below = bits[word].load(std::memory_order_relaxed) & ((1ull << (line & 63)) - 1);
  return key + static_cast<uint64_t>(std::popcount(below)) + 1;
}

Result<LinkCounts> RunLinkStage(const LinkInputs& in, PersonNumbering* numbering) {
  LinkCounts counts;
  std::mutex mutex;
  std::vector<Hit> hits;

  TaskPool pool(in.threads, in.cancel);
  CANBAO_TRY(pool.ForEach(in.keyed->partitions(), [&](int, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    StreamCipher cipher(in.key);
    std::vector<Hit> found;
    uint64_t probes = 0;
    groups.Clear();
    CANBAO_TRY(groups.Add(*in.keyed, static_cast<uint32_t>(partition), &cipher));
    groups.Build(false);
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in.canonical);
      probes += groups.probes().size();
      if (groups.rows().empty()) continue;
      Resolution r = resolver.Resolve(groups.rows(), &outcomes);
      MarkMaker(groups, r, numbering);
      if (!r.has_person || !r.confirmed) continue;
      const Record& reference = groups.rows()[static_cast<size_t>(r.reference)];
      for (const Record& probe : groups.probes()) {
        if (ProbeAgrees(probe, reference, r.birth, r.sex))
          found.push_back({probe.order(), groups.key()});
      }
    }
    std::lock_guard lock(mutex);
    hits.insert(hits.end(), found.begin(), found.end());
    counts.probes += probes;
    return {};
  }));
  std::sort(hits.begin(), hits.end());

  uint32_t shift = ShiftFor(in.joined->partitions());
  CANBAO_TRY(pool.ForEach(in.unkeyed->partitions(), [&](int worker, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    StreamCipher cipher(in.key);
    std::vector<uint8_t> copy;
    std::vector<Record> left;
    uint64_t repaired = 0;
    uint64_t ambiguous = 0;
    groups.Clear();
    CANBAO_TRY(groups.Add(*in.unkeyed, static_cast<uint32_t>(partition), &cipher));
    groups.Build(false);
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in.canonical);
      left.clear();
      for (const Record& r : groups.rows()) {
        auto it = std::lower_bound(hits.begin(), hits.end(), Hit{r.order(), 0});
        bool hit = it != hits.end() && it->row == r.order();
        bool one = hit && (it + 1 == hits.end() || (it + 1)->row != r.order());
        ambiguous += hit && !one;
        uint64_t key = r.key;
        if (one) {
          key = it->key;
          ++repaired;
        } else {
          left.push_back(r);
        }
        size_t size = Rekey(r.start, key, &copy);
        CANBAO_TRY(in.joined->Append(worker, PartitionOf(key, shift), copy.data(), size));
      }
      if (groups.master() != 0) {
        size_t size = EncodeMaster(groups.key(), groups.master(), &copy);
        CANBAO_TRY(in.joined->Append(worker, static_cast<uint32_t>(partition), copy.data(), size));
      }
      if (left.empty()) continue;
      Resolution r = resolver.Resolve(left, &outcomes);
      if (r.has_person && groups.master() == 0) {
        const Record& maker = left[static_cast<size_t>(r.maker)];
        numbering->Mark(maker.extract, maker.line);
      }
    }
    std::lock_guard lock(mutex);
    counts.repaired += repaired;
    counts.ambiguous += ambiguous;
    return {};
  }));
  CANBAO_TRY(in.joined->Seal());
  numbering->Close();
  return counts;
}

}  // namespace canbao::comparison
