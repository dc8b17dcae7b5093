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

// A person who has a personal number that some row without a usable number carries as well.
struct Holder {
  uint64_t number;  // PersonNoKey
  uint64_t key;
  uint64_t name;  // folded, of the row that carries it
  Date birth;     // prevailing
  identity::Sex sex;
  friend auto operator<=>(const Holder&, const Holder&) = default;
};

// Personal numbers are unique inside the system that gave them.
class PersonNos {
 public:
  explicit PersonNos(const std::vector<extract::ExtractSpec>& extracts) {
    for (const auto& e : extracts) sources_.push_back(HashText(e.source));
  }
  // 0 = the row carries none. `extract` is the canonical ordinal.
  uint64_t KeyOf(const Packed& p, uint16_t extract) const {
    if (!HasEnrolment(p.kind) || p.other == 0) return 0;
    return HashKey(sources_[extract] ^ p.other);
  }
  uint64_t KeyOf(const Record& r) const { return KeyOf(*r.packed, r.extract); }
  void Want(uint64_t number) { wanted_.push_back(number); }
  void Close() {
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
    // One bit of eight or more for each: most rows are turned away by one load.
    bits_.assign(std::bit_ceil(std::max<size_t>(wanted_.size() * 8, 64)) / 64, 0);
    for (uint64_t n : wanted_) bits_[n / 64 % bits_.size()] |= 1ull << (n % 64);
  }
  bool IsWanted(uint64_t number) const {
    return (bits_[number / 64 % bits_.size()] >> (number % 64) & 1) != 0 &&
           std::binary_search(wanted_.begin(), wanted_.end(), number);
  }
  bool empty() const { return wanted_.empty(); }

 private:
  std::vector<uint64_t> sources_;
  std::vector<uint64_t> wanted_;
  std::vector<uint64_t> bits_;
};

void MarkMaker(const Groups& groups, const Resolution& r, PersonNumbering* numbering) {
  if (!r.has_person || groups.master() != 0) return;
  const Record& maker = groups.rows()[static_cast<size_t>(r.maker)];
  numbering->Mark(maker.extract, maker.line);
}

// May a row without a usable number belong to this group?
bool Concerns(const Groups& groups, const PersonNos& numbers,
              const std::vector<uint16_t>& canonical) {
  for (const Packed* p : groups.packed()) {
    if (p->kind == kProbe) return true;
    if (numbers.empty()) continue;
    uint64_t n = numbers.KeyOf(*p, canonical[p->extract]);
    if (n != 0 && numbers.IsWanted(n)) return true;
  }
  return false;
}

// Who the rows without a usable number name by personal number.
Status CollectPersonNos(const LinkInputs& in, TaskPool* pool, PersonNos* numbers) {
  std::mutex mutex;
  CANBAO_TRY(pool->ForEach(in.unkeyed->partitions(), [&](int, size_t partition) -> Status {
    StreamCipher cipher(in.key);
    std::vector<char> buffer;
    CANBAO_TRY(in.unkeyed->ReadPartition(static_cast<uint32_t>(partition), &cipher, &buffer));
    std::vector<uint64_t> found;
    for (size_t at = 0; at < buffer.size();) {
      const auto& p = *reinterpret_cast<const Packed*>(buffer.data() + at);
      if (uint64_t n = numbers->KeyOf(p, (*in.canonical)[p.extract]); n != 0) found.push_back(n);
      at += p.size;
    }
    std::lock_guard lock(mutex);
    for (uint64_t n : found) numbers->Want(n);
    return {};
  }));
  numbers->Close();
  return {};
}

// The one person whom a row names by personal number and whom no field of it denies; 0 = nobody or
// more than one.
uint64_t HolderOf(const Record& row, uint64_t number, const std::vector<Holder>& holders) {
  uint64_t person = 0;
  auto it = std::lower_bound(holders.begin(), holders.end(), number,
                             [](const Holder& h, uint64_t n) { return h.number < n; });
  for (; it != holders.end() && it->number == number; ++it) {
    Record reference;
    reference.name = it->name;
    // Names too long for a code are compared as a whole.
    bool hashed = identity::NameCode{it->name}.is_hash() || identity::NameCode{row.name}.is_hash();
    if (hashed && it->name != row.name) continue;
    if (!Agrees(row, reference, it->birth, it->sex)) continue;
    if (person != 0 && person != it->key) return 0;
    person = it->key;
  }
  return person;
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
  std::vector<Holder> holders;
  PersonNos numbers(*in.extracts);

  TaskPool pool(in.threads, in.cancel);
  // Nothing to link and nothing to number: the outcome stage sees to the rest.
  if (!in.number_persons && in.unkeyed->bytes() == 0) {
    CANBAO_TRY(in.joined->Seal(false));
    return counts;
  }
  CANBAO_TRY(CollectPersonNos(in, &pool, &numbers));
  CANBAO_TRY(pool.ForEach(in.keyed->partitions(), [&](int, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    StreamCipher cipher(in.key);
    std::vector<Hit> found;
    std::vector<Holder> held;
    uint64_t probes = 0;
    groups.Clear();
    CANBAO_TRY(groups.Add(*in.keyed, static_cast<uint32_t>(partition), &cipher));
    groups.Build(false);
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in.canonical);
      if (!in.number_persons && !Concerns(groups, numbers, *in.canonical)) continue;
      groups.Decode();
      probes += groups.probes().size();
      if (groups.rows().empty()) continue;
      Resolution r = resolver.Resolve(groups.rows(), &outcomes);
      if (in.number_persons) MarkMaker(groups, r, numbering);
      if (!r.has_person || !r.confirmed) continue;
      const Record& reference = groups.rows()[static_cast<size_t>(r.reference)];
      for (const Record& probe : groups.probes()) {
        if (Agrees(probe, reference, r.birth, r.sex)) {
          found.push_back({probe.order(), groups.key()});
        }
      }
      if (numbers.empty()) continue;
      for (size_t i = 0; i < groups.rows().size(); ++i) {
        const Record& row = groups.rows()[i];
        if (outcomes[i] == Outcome::kConflict) continue;
        uint64_t n = numbers.KeyOf(row);
        if (n == 0 || !numbers.IsWanted(n)) continue;
        held.push_back({n, groups.key(), reference.name, r.birth, r.sex});
      }
    }
    std::lock_guard lock(mutex);
    hits.insert(hits.end(), found.begin(), found.end());
    holders.insert(holders.end(), held.begin(), held.end());
    counts.probes += probes;
    return {};
  }));
  std::sort(hits.begin(), hits.end());
  std::sort(holders.begin(), holders.end());

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
    uint64_t by_person_no = 0;
    groups.Clear();
    CANBAO_TRY(groups.Add(*in.unkeyed, static_cast<uint32_t>(partition), &cipher));
    groups.Build(false);
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in.canonical);
      groups.Decode();
      left.clear();
      for (const Record& r : groups.rows()) {
        auto it = std::lower_bound(hits.begin(), hits.end(), Hit{r.order(), 0});
        bool hit = it != hits.end() && it->row == r.order();
        bool one = hit && (it + 1 == hits.end() || (it + 1)->row != r.order());
        ambiguous += hit && !one;
        uint64_t key = r.key;
        bool joined = false;
        uint64_t number = one || IsRegister(r.kind) ? 0 : numbers.KeyOf(r);
        uint64_t holder = number == 0 ? 0 : HolderOf(r, number, holders);
        if (one) {
          key = it->key;
          ++repaired;
        } else if (holder != 0) {
          key = holder;
          joined = true;
          ++by_person_no;
        } else {
          left.push_back(r);
        }
        size_t size = Rekey(*r.packed, key, joined, &copy);
        CANBAO_TRY(in.joined->Append(worker, PartitionOf(key, shift), copy.data(), size));
      }
      if (groups.master() != 0) {
        size_t size = EncodeMaster(groups.key(), groups.master(), &copy);
        CANBAO_TRY(in.joined->Append(worker, static_cast<uint32_t>(partition), copy.data(), size));
      }
      if (left.empty() || !in.number_persons) continue;
      Resolution r = resolver.Resolve(left, &outcomes);
      if (r.has_person && groups.master() == 0) {
        const Record& maker = left[static_cast<size_t>(r.maker)];
        numbering->Mark(maker.extract, maker.line);
      }
    }
    std::lock_guard lock(mutex);
    counts.repaired += repaired;
    counts.ambiguous += ambiguous;
    counts.by_person_no += by_person_no;
    return {};
  }));
  CANBAO_TRY(in.joined->Seal(false));
  numbering->Close();
  return counts;
}

}  // namespace canbao::comparison
