#include "comparison/link/stage.h"

#include <algorithm>
#include <bit>
#include <mutex>

#include "base/task_pool.h"
#include "comparison/groups.h"
#include "comparison/link/decide.h"
#include "comparison/link/profile.h"
#include "comparison/link/score_table.h"
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
  void Want(uint64_t number) { wanted_.Add(number); }
  void Close() { wanted_.Close(); }
  bool IsWanted(uint64_t number) const { return wanted_.Has(number); }
  bool empty() const { return wanted_.empty(); }

 private:
  std::vector<uint64_t> sources_;
  KeySet wanted_;
};

// At which level the rows of a registered person stand with what else is known of it.
void Train(const Groups& groups, const Packed& reg, const std::vector<uint16_t>& canonical,
           TrainingCounts* counts) {
  std::span<const Packed* const> packed = groups.packed();
  auto teaches = [&reg](const Packed* p) { return p->kind < kSuperseded && p != &reg; };
  for (const Packed* p : packed) {
    if (!teaches(p)) continue;
    Profile row;
    row.name = p->name;
    row.birth = Date{p->birth};
    row.sex = p->sex();
    AddRow(*p, &row);
    Profile person;
    person.name = reg.name;
    person.birth = Date{reg.birth};
    person.sex = reg.sex();
    AddRow(reg, &person);
    for (const Packed* other : packed) {
      if (teaches(other) && other->extract != p->extract) AddRow(*other, &person);
    }
    const Levels levels = Compare(row, person).levels;
    // A name that has nothing in common: the row is somebody else's.
    if (levels.Of(Field::kName) != level::kNameUnlike) counts->Add(canonical[p->extract], levels);
  }
}

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

namespace {

// The stage's state between its passes.
class Linker {
 public:
  Linker(const LinkInputs& in, PersonNumbering* numbering)
      : in_(in), numbering_(numbering), numbers_(*in.extracts), pool_(in.threads, in.cancel) {}

  Result<LinkCounts> Run() {
    // Nothing to link and nothing to number: the outcome stage sees to the rest.
    if (!in_.number_persons && in_.model == nullptr && in_.unkeyed->bytes() == 0) {
      CANBAO_TRY(in_.joined->Seal(false));
      return std::move(counts_);
    }
    CANBAO_TRY(CollectPersonNos(in_, &pool_, &numbers_));
    CANBAO_TRY(ResolveNumbers());
    std::sort(hits_.begin(), hits_.end());
    std::sort(holders_.begin(), holders_.end());
    if (in_.model != nullptr) {
      CANBAO_TRY(CollectUnkeyed());
      CANBAO_TRY(ScoreSeekers());
      CANBAO_TRY(MoveGroups());
    }
    CANBAO_TRY(PlaceUnkeyed());
    CANBAO_TRY(in_.joined->Seal(false));
    numbering_->Close();
    return std::move(counts_);
  }

 private:
  // Who exists, and who of them fits which damaged row or personal number.
  Status ResolveNumbers();
  // The rows without a usable number that neither repair nor personal number explains.
  Status CollectUnkeyed();
  Status ScoreSeekers();
  // Rows under a number that is somebody else's go to that person.
  Status MoveGroups();
  Status PlaceUnkeyed();

  // One partition, grouped.
  Status Take(const Spill& spill, size_t partition, Groups* groups) const {
    StreamCipher cipher(in_.key);
    groups->Clear();
    CANBAO_TRY(groups->Add(spill, static_cast<uint32_t>(partition), &cipher));
    groups->Build(false);
    return {};
  }

  // Where a row without a usable number belongs, but for the score; 0 = not known.
  struct Fate {
    uint64_t key = 0;
    uint8_t how = 0;
    bool ambiguous = false;
  };
  Fate FateOf(const Record& r) const {
    auto it = std::lower_bound(hits_.begin(), hits_.end(), Hit{r.order(), 0});
    bool hit = it != hits_.end() && it->row == r.order();
    bool one = hit && (it + 1 == hits_.end() || (it + 1)->row != r.order());
    if (one) return {it->key, 0, false};
    uint64_t number = IsRegister(r.kind) ? 0 : numbers_.KeyOf(r);
    uint64_t holder = number == 0 ? 0 : HolderOf(r, number, holders_);
    return {holder, holder != 0 ? kByPersonNo : uint8_t{0}, hit};
  }

  const LinkInputs& in_;
  PersonNumbering* numbering_;
  PersonNos numbers_;
  TaskPool pool_;
  std::mutex mutex_;
  std::vector<Hit> hits_;
  std::vector<Holder> holders_;
  std::vector<Profile> seeking_;
  std::vector<Match> matches_;
  std::vector<Match> clusters_;
  struct Maker {
    uint64_t person;  // key
    uint64_t row;     // Record::order()
    friend auto operator<=>(const Maker&, const Maker&) = default;
  };
  std::vector<Maker> makers_;
  LinkCounts counts_;
};

Status Linker::ResolveNumbers() {
  return pool_.ForEach(in_.keyed->partitions(), [&](int, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    std::vector<Hit> found;
    std::vector<Holder> held;
    std::vector<Profile> seeking;
    uint64_t probes = 0;
    CANBAO_TRY(Take(*in_.keyed, partition, &groups));
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      const bool may_seek = in_.model != nullptr && MaySeek(groups.packed());
      if (!in_.number_persons && !may_seek && !Concerns(groups, numbers_, *in_.canonical)) continue;
      groups.Decode();
      probes += groups.probes().size();
      if (groups.rows().empty()) continue;
      Resolution r = resolver.Resolve(groups.rows(), &outcomes);
      Profile seeker;
      if (may_seek && SeekerOf(groups, r, outcomes, &seeker)) {
        seeking.push_back(seeker);  // its first row is marked once it is known to stay
      } else if (in_.number_persons) {
        MarkMaker(groups, r, numbering_);
      }
      if (!r.has_person || !r.confirmed) continue;
      const Record& reference = groups.rows()[static_cast<size_t>(r.reference)];
      for (const Record& probe : groups.probes()) {
        if (Agrees(probe, reference, r.birth, r.sex)) {
          found.push_back({probe.order(), groups.key()});
        }
      }
      if (numbers_.empty()) continue;
      for (size_t i = 0; i < groups.rows().size(); ++i) {
        const Record& row = groups.rows()[i];
        if (outcomes[i] == Outcome::kConflict) continue;
        uint64_t n = numbers_.KeyOf(row);
        if (n == 0 || !numbers_.IsWanted(n)) continue;
        held.push_back({n, groups.key(), reference.name, r.birth, r.sex});
      }
    }
    std::lock_guard lock(mutex_);
    hits_.insert(hits_.end(), found.begin(), found.end());
    holders_.insert(holders_.end(), held.begin(), held.end());
    seeking_.insert(seeking_.end(), seeking.begin(), seeking.end());
    counts_.probes += probes;
    return {};
  });
}

Status Linker::CollectUnkeyed() {
  return pool_.ForEach(in_.unkeyed->partitions(), [&](int, size_t partition) -> Status {
    thread_local Groups groups;
    std::vector<Profile> seeking;
    std::vector<Record> left;
    CANBAO_TRY(Take(*in_.unkeyed, partition, &groups));
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      groups.Decode();
      left.clear();
      for (const Record& r : groups.rows()) {
        // The register is the baseline: its rows are never given to others.
        if (!IsRegister(r.kind) && FateOf(r).key == 0) left.push_back(r);
      }
      if (!left.empty()) seeking.push_back(SeekerOf(left));
    }
    std::lock_guard lock(mutex_);
    seeking_.insert(seeking_.end(), seeking.begin(), seeking.end());
    return {};
  });
}

Status Linker::ScoreSeekers() {
  counts_.seekers = seeking_.size();
  if (seeking_.empty()) return {};
  const Seekers seekers(std::move(seeking_));
  seeking_.clear();
  LinkStatistics& statistics = counts_.statistics;
  std::vector<Pair> pairs;
  Frequencies frequencies;
  TrainingCounts training(in_.extracts->size());
  struct Worker {
    std::vector<Pair> found;
    Frequencies counted;
    TrainingCounts trained;
    std::array<uint64_t, kBlockingRules> by_rule{};
  };
  std::vector<Worker> workers(static_cast<size_t>(in_.threads));
  for (Worker& w : workers) w.trained = TrainingCounts(in_.extracts->size());
  CANBAO_TRY(pool_.ForEach(in_.keyed->partitions(), [&](int worker, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    thread_local std::vector<BlockingKey> keys;
    thread_local std::vector<Seekers::Found> those;
    Worker& w = workers[static_cast<size_t>(worker)];
    CANBAO_TRY(Take(*in_.keyed, partition, &groups));
    Profile person;
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      if (const Packed* reg = OnlyRegisterRow(groups.packed()); reg != nullptr) {
        RegisteredPersonOf(groups, *reg, &person);
        if (HashKey(groups.key()) % in_.model->training_sample == 0) {
          Train(groups, *reg, *in_.canonical, &w.trained);
        }
      } else {
        groups.Decode();
        if (groups.rows().empty()) continue;
        Resolution r = resolver.Resolve(groups.rows(), &outcomes);
        if (!PersonOf(groups, r, outcomes, &person)) continue;
      }
      w.counted.Add(person, seekers.HasName(person.name));
      seekers.Find(person, &keys, &those);
      for (const Seekers::Found& f : those) {
        const Profile& seeker = seekers.all()[f.seeker];
        // A number that nothing verifies is given up for a verified one only.
        if (seeker.key == person.key) continue;
        if (seeker.by_number && (!person.verified || person.nobody_yet)) continue;
        ++w.by_rule[static_cast<size_t>(std::countr_zero(f.rules))];
        Pair pair = MakePair(f.seeker, seeker, person, f.rules);
        if (pair.levels.Of(Field::kName) != level::kNameUnlike) w.found.push_back(pair);
      }
    }
    return {};
  }));
  for (Worker& w : workers) {
    pairs.insert(pairs.end(), w.found.begin(), w.found.end());
    std::vector<Pair>().swap(w.found);
    frequencies.Merge(w.counted);
    training.Merge(w.trained);
    for (size_t i = 0; i < w.by_rule.size(); ++i) statistics.pairs_by_rule[i] += w.by_rule[i];
  }
  workers.clear();
  // What somebody decided to be one person is a row that teaches, like those that are sampled.
  for (const Pair& p : pairs) {
    const Profile& s = seekers.all()[p.seeker];
    if (in_.labels == nullptr || in_.labels->Of(s.key, p.person) != Judgement::kSame) continue;
    training.Add(s.extract(), p.levels);
  }
  const Weights weights(*in_.model, training, frequencies);
  static const Labels kNone;
  Decided decided = Decide(seekers, &pairs, weights, *in_.model,
                           in_.labels != nullptr ? *in_.labels : kNone, &statistics);
  statistics.Learn(*in_.model, training);
  matches_ = std::move(decided.matches);
  clusters_ = std::move(decided.clusters);
  counts_.pairs = statistics.pairs;
  counts_.by_score = decided.by_score;
  counts_.review = decided.review;
  if (!in_.scores_path.empty()) {
    CANBAO_ASSIGN(counts_.scores, WriteScores(in_.scores_path, in_.key, seekers, pairs,
                                              decided.judged, weights, *in_.extracts));
  }
  for (const Match& m : matches_) {
    if (!IsProvisionalKey(m.seeker)) counts_.moved.Add(m.seeker);
  }
  counts_.moved.Close();
  if (!in_.number_persons) return {};
  for (const Profile& s : seekers.all()) {
    if (!s.by_number || s.maker == 0 || counts_.moved.Has(s.key)) continue;
    numbering_->Mark(static_cast<uint16_t>(s.maker >> 32), static_cast<uint32_t>(s.maker));
  }
  return {};
}

Status Linker::MoveGroups() {
  if (counts_.moved.empty()) return {};
  const uint32_t shift = ShiftFor(in_.joined->partitions());
  std::vector<bool> concerned(in_.keyed->partitions());
  for (const Match& m : matches_) {
    if (!IsProvisionalKey(m.seeker)) concerned[PartitionOf(m.seeker, shift)] = true;
  }
  return pool_.ForEach(in_.keyed->partitions(), [&](int worker, size_t partition) -> Status {
    if (!concerned[partition]) return {};
    StreamCipher cipher(in_.key);
    std::vector<char> buffer;
    std::vector<uint8_t> copy;
    std::vector<std::span<const char>> pieces;
    CANBAO_TRY(
        in_.keyed->ReadPartition(static_cast<uint32_t>(partition), &cipher, &buffer, &pieces));
    for (std::span<const char> piece : pieces) {
      for (size_t at = 0; at < piece.size();) {
        const auto& p = *reinterpret_cast<const Packed*>(piece.data() + at);
        at += p.size;
        if (p.kind == kProbe || p.kind == kMaster || !counts_.moved.Has(p.key)) continue;
        const uint64_t key = MatchOf(matches_, p.key)->person;
        size_t size = Rekey(p, key, kByScore, &copy);
        CANBAO_TRY(in_.joined->Append(worker, PartitionOf(key, shift), copy.data(), size));
      }
    }
    return {};
  });
}

Status Linker::PlaceUnkeyed() {
  const uint32_t shift = ShiftFor(in_.joined->partitions());
  KeySet leaders;  // first keys of clusters
  for (const Match& m : clusters_) leaders.Add(m.person);
  leaders.Close();
  std::vector<uint64_t> numbered;  // those of them that have a person key from an earlier run
  CANBAO_TRY(pool_.ForEach(in_.unkeyed->partitions(), [&](int worker, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    std::vector<uint8_t> copy;
    std::vector<Record> left;
    LinkCounts counts;
    std::vector<Maker> makers;
    std::vector<Maker> clustered;
    std::vector<uint64_t> known;
    CANBAO_TRY(Take(*in_.unkeyed, partition, &groups));
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      groups.Decode();
      left.clear();
      const Match* scored = MatchOf(matches_, groups.key());
      const Match* cluster = MatchOf(clusters_, groups.key());
      for (const Record& r : groups.rows()) {
        Fate fate = FateOf(r);
        counts.ambiguous += fate.ambiguous;
        counts.repaired += fate.key != 0 && fate.how == 0;
        counts.by_person_no += fate.how == kByPersonNo;
        if (fate.key == 0 && scored != nullptr && !IsRegister(r.kind)) {
          fate = {scored->person, kByScore, false};
          if (scored->nobody_yet && extract::MakesPerson(static_cast<extract::Kind>(r.kind))) {
            makers.push_back({scored->person, r.order()});
          }
        }
        if (fate.key == 0) left.push_back(r);
        // Rows of one cluster stand under the key of its first: one person, still provisional.
        const bool unknown = fate.key == 0 && cluster != nullptr && !IsRegister(r.kind);
        uint64_t key = fate.key != 0 ? fate.key : unknown ? cluster->person : r.key;
        // The number that it was repaired to may be somebody else's.
        if (const Match* further = MatchOf(matches_, fate.key); further != nullptr) {
          key = further->person;
        }
        size_t size = Rekey(*r.packed, key, fate.how, &copy);
        CANBAO_TRY(in_.joined->Append(worker, PartitionOf(key, shift), copy.data(), size));
      }
      if (groups.master() != 0) {
        size_t size = EncodeMaster(groups.key(), groups.master(), &copy);
        CANBAO_TRY(in_.joined->Append(worker, static_cast<uint32_t>(partition), copy.data(), size));
      }
      if (left.empty() || !in_.number_persons) continue;
      Resolution r = resolver.Resolve(left, &outcomes);
      const bool joins = cluster != nullptr && !IsRegister(left[0].kind);
      const bool leads = leaders.Has(groups.key());
      if (leads && groups.master() != 0) known.push_back(groups.key());
      if (!r.has_person) continue;
      const Record& maker = left[static_cast<size_t>(r.maker)];
      if (joins || leads) {
        clustered.push_back({joins ? cluster->person : groups.key(), maker.order()});
      } else if (groups.master() == 0) {
        numbering_->Mark(maker.extract, maker.line);
      }
    }
    std::lock_guard lock(mutex_);
    counts_.repaired += counts.repaired;
    counts_.ambiguous += counts.ambiguous;
    counts_.by_person_no += counts.by_person_no;
    makers_.insert(makers_.end(), makers.begin(), makers.end());
    makers_.insert(makers_.end(), clustered.begin(), clustered.end());
    numbered.insert(numbered.end(), known.begin(), known.end());
    return {};
  }));
  // The first of the rows that were brought to a number which only departments know, or that make
  // up a cluster without a key of an earlier run.
  std::sort(makers_.begin(), makers_.end());
  std::sort(numbered.begin(), numbered.end());
  for (size_t i = 0; i < makers_.size() && in_.number_persons; ++i) {
    if (i > 0 && makers_[i - 1].person == makers_[i].person) continue;
    if (std::binary_search(numbered.begin(), numbered.end(), makers_[i].person)) continue;
    numbering_->Mark(static_cast<uint16_t>(makers_[i].row >> 32),
                     static_cast<uint32_t>(makers_[i].row));
  }
  return {};
}

}  // namespace

Result<LinkCounts> RunLinkStage(const LinkInputs& in, PersonNumbering* numbering) {
  return Linker(in, numbering).Run();
}

}  // namespace canbao::comparison
