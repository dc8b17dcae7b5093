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
  void Want(uint64_t number) { wanted_.Add(number); }
  void Close() { wanted_.Close(); }
  bool IsWanted(uint64_t number) const { return wanted_.Has(number); }
  bool empty() const { return wanted_.empty(); }

 private:
  std::vector<uint64_t> sources_;
  KeySet wanted_;
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

// ---- Score: who is left, and everybody else streamed past them. ----

// What one row adds to what is known of its person.
void AddRow(const Packed& p, Profile* out) {
  out->phones.Add(p.phone);
  if (HasEnrolment(p.kind)) {
    EnrolmentFields f = DecodeEnrolment(p);
    if (f.region % 10000 != 0) out->places.Add(f.region);
    if (uint32_t county = Employer{f.employer, 0}.county(); county % 10000 != 0) {
      out->places.Add(county);
    }
    out->units.Add(p.unit);
  } else if (IsRegister(p.kind)) {
    out->places.Add(identity::Division{DecodeRegister(p).hukou}.county());
    out->household = p.unit;
  } else {
    EvidenceFields f = DecodeEvidence(p);
    if (f.evidence == scheme::EvidenceKind::kResidence ||
        f.evidence == scheme::EvidenceKind::kCard ||
        f.evidence == scheme::EvidenceKind::kRemoteMedical) {
      uint32_t place = identity::Division{f.code}.county();
      if (place % 10000 != 0) out->places.Add(place);
    }
    out->units.Add(p.unit);
  }
}

void AddNumber(uint64_t key, Profile* out) {
  identity::PersonNumber number{key};
  if (!number.is_citizen()) return;
  out->origin = identity::AddressCodeOf(number);
  out->tail = static_cast<uint16_t>(key % 1000 + 1);
}

// A person of the partitions by number. False: nobody whom a row could be given to.
bool PersonOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out) {
  std::span<const Record> rows = groups.rows();
  const identity::PersonNumber number{groups.key()};
  *out = Profile{};
  if (r.has_person) {
    if (!r.confirmed) return false;
    out->name = rows[static_cast<size_t>(r.reference)].name;
    out->birth = r.birth;
    out->sex = r.sex;
  } else {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (outcomes[i] != Outcome::kUnlinked || rows[i].kind == kSuperseded ||
          rows[i].name != rows[0].name) {
        return false;
      }
    }
    out->nobody_yet = true;
    out->name = rows[0].name;
    out->birth = identity::BirthDateOf(number);
    out->sex = identity::SexOf(number);
  }
  out->key = groups.key();
  out->by_number = true;
  AddNumber(groups.key(), out);
  uint16_t first = 0;
  bool any = false;
  out->verified = r.in_register;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (outcomes[i] == Outcome::kConflict) continue;
    AddRow(*rows[i].packed, out);
    if (rows[i].name != out->name) continue;
    // In two files under one name: what one agency mistyped another would not.
    if (any && rows[i].extract != first) out->verified = true;
    first = any ? first : rows[i].extract;
    any = true;
  }
  return true;
}

// The same for a number with one row in the register, which need not be resolved for it: the
// register prevails, and rows under its name are the person's.
const Packed* OnlyRegisterRow(std::span<const Packed* const> packed) {
  const Packed* reg = nullptr;
  for (const Packed* p : packed) {
    if (!IsRegister(p->kind)) continue;
    if (reg != nullptr) return nullptr;
    reg = p;
  }
  return reg;
}
void RegisteredPersonOf(const Groups& groups, const Packed& reg, Profile* out) {
  const identity::PersonNumber number{groups.key()};
  *out = Profile{};
  out->key = groups.key();
  out->name = reg.name;
  out->birth = reg.birth != 0 ? Date{reg.birth} : identity::BirthDateOf(number);
  out->sex = reg.sex() != identity::Sex::kUnknown ? reg.sex() : identity::SexOf(number);
  out->verified = out->by_number = true;
  AddNumber(groups.key(), out);
  for (const Packed* p : groups.packed()) {
    if (p->kind < kSuperseded && p->name == reg.name) AddRow(*p, out);
  }
}

// Could the group be a seeker (below), as far as can be seen without resolving it?
bool MaySeek(std::span<const Packed* const> packed) {
  return std::all_of(packed.begin(), packed.end(), [first = packed[0]](const Packed* p) {
    return !IsRegister(p->kind) &&
           (p->kind >= kSuperseded || (p->extract == first->extract && p->name == first->name) ||
            first->kind >= kSuperseded);
  });
}

// People under a valid number that is in one file only and not in the register: the number may be
// an old one, or another's. False: no such group.
bool SeekerOf(const Groups& groups, const Resolution& r, const std::vector<Outcome>& outcomes,
              Profile* out) {
  std::span<const Record> rows = groups.rows();
  if (r.in_register || rows.empty() || !identity::PersonNumber{groups.key()}.is_citizen() ||
      IsProvisionalKey(groups.key())) {
    return false;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (outcomes[i] == Outcome::kConflict || outcomes[i] == Outcome::kNone) return false;
    if (rows[i].kind == kSuperseded || rows[i].extract != rows[0].extract ||
        rows[i].name != rows[0].name) {
      return false;
    }
  }
  *out = Profile{};
  out->key = groups.key();
  out->name = rows[0].name;
  out->birth = rows[0].birth;
  if (!out->birth.has_value()) {
    out->birth = identity::BirthDateOf(identity::PersonNumber{out->key});
    out->birth_of_number = true;
  }
  out->sex = rows[0].sex != identity::Sex::kUnknown
                 ? rows[0].sex
                 : identity::SexOf(identity::PersonNumber{out->key});
  out->by_number = true;
  AddNumber(out->key, out);
  for (const Record& row : rows) AddRow(*row.packed, out);
  if (r.has_person && groups.master() == 0) {
    out->maker = rows[static_cast<size_t>(r.maker)].order();
  }
  return true;
}

// Rows without a usable number under one provisional key.
Profile SeekerOf(std::span<const Record> rows) {
  Profile out;
  out.key = rows[0].key;
  out.name = rows[0].name;
  out.birth = rows[0].birth;
  out.sex = rows[0].sex;
  for (const Record& row : rows) {
    AddRow(*row.packed, &out);
    // What is left of a damaged number.
    std::string_view text = row.Text(TextTag::kIdNumber);
    auto digits = [&text](size_t from, size_t n) {
      uint32_t v = 0;
      for (size_t i = from; i < from + n; ++i) {
        if (text[i] < '0' || text[i] > '9') return UINT32_MAX;
        v = v * 10 + static_cast<uint32_t>(text[i] - '0');
      }
      return v;
    };
    if (row.number_class != identity::NumberClass::kDamaged) continue;
    // 3.30127E+17 and longer: the first digits are still there.
    std::string mantissa;
    if (text.size() > 8 && text[1] == '.' && (text.ends_with("E+17") || text.ends_with("e+17"))) {
      mantissa = std::string(1, text[0]) + std::string(text.substr(2, text.size() - 6));
      text = mantissa;
      if (text.size() >= 6) {
        if (uint32_t origin = digits(0, 6); origin != UINT32_MAX) out.origin = origin;
      }
      if (text.size() >= 14 && !out.birth.has_value()) {
        uint32_t day = digits(6, 8);
        if (day != UINT32_MAX &&
            IsRealDay(static_cast<int>(day / 10000), static_cast<int>(day / 100 % 100),
                      static_cast<int>(day % 100))) {
          out.birth = Date::FromYmd(static_cast<int>(day / 10000),
                                    static_cast<int>(day / 100 % 100), static_cast<int>(day % 100));
          out.birth_of_number = true;
        }
      }
      continue;
    }
    if (text.size() != 18) continue;
    if (uint32_t origin = digits(0, 6); origin != UINT32_MAX) out.origin = origin;
    if (uint32_t tail = digits(14, 3); tail != UINT32_MAX && !text.ends_with("000")) {
      out.tail = static_cast<uint16_t>(tail + 1);
    }
  }
  return out;
}

// The profiles that look for their person, findable by blocking key. Immutable.
class Seekers {
 public:
  explicit Seekers(std::vector<Profile> all) : all_(std::move(all)) {
    std::sort(all_.begin(), all_.end(),
              [](const Profile& a, const Profile& b) { return a.key < b.key; });
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < all_.size(); ++i) {
      names_.Add(all_[i].name);
      BlockingKeys(all_[i], true, &keys);
      for (uint64_t k : keys) {
        blocks_.push_back({k, static_cast<uint32_t>(i)});
        known_.Add(k);
      }
    }
    names_.Close();
    known_.Close();
    std::sort(blocks_.begin(), blocks_.end());
  }
  const std::vector<Profile>& all() const { return all_; }
  bool HasName(uint64_t name) const { return names_.Has(name); }
  // Those that share a key with the person, each once, ascending.
  void Find(const Profile& person, std::vector<uint64_t>* keys,
            std::vector<uint32_t>* found) const {
    BlockingKeys(person, false, keys);
    found->clear();
    for (uint64_t k : *keys) {
      if (!known_.Has(k)) continue;
      for (auto it = std::lower_bound(blocks_.begin(), blocks_.end(), Block{k, 0});
           it != blocks_.end() && it->key == k; ++it) {
        found->push_back(it->seeker);
      }
    }
    std::sort(found->begin(), found->end());
    found->erase(std::unique(found->begin(), found->end()), found->end());
  }

 private:
  struct Block {
    uint64_t key;
    uint32_t seeker;
    friend auto operator<=>(const Block&, const Block&) = default;
  };
  std::vector<Profile> all_;  // by key
  std::vector<Block> blocks_;
  KeySet names_;
  KeySet known_;
};

struct Pair {
  uint32_t seeker;
  Profile person;
};

// By key of the seeker, sorted: the person that it was found to be.
struct Match {
  uint64_t seeker;
  uint64_t person;
  bool nobody_yet;  // Profile
  friend auto operator<=>(const Match&, const Match&) = default;
};

const Match* MatchOf(const std::vector<Match>& matches, uint64_t seeker) {
  auto it = std::lower_bound(matches.begin(), matches.end(), Match{seeker, 0, false});
  return it != matches.end() && it->seeker == seeker ? &*it : nullptr;
}

// Who of the seekers is whom. A person whose own number turns out to be somebody else's leads on.
std::vector<Match> Decide(const Seekers& seekers, std::vector<Pair>* pairs, const Frequencies& f,
                          const LinkModel& model, LinkCounts* counts) {
  std::sort(pairs->begin(), pairs->end(), [](const Pair& a, const Pair& b) {
    return a.seeker != b.seeker ? a.seeker < b.seeker : a.person.key < b.person.key;
  });
  struct Decision {
    Bits odds;
    uint64_t wrong;  // probability, in 2^-40
    Match match;
  };
  // By seeker: the best, and how far behind it the second best is.
  std::vector<Bits> best(seekers.all().size(), INT32_MIN);
  std::vector<Bits> second(best.size(), INT32_MIN);
  std::vector<const Profile*> person(best.size(), nullptr);
  for (const Pair& pair : *pairs) {
    const uint32_t s = pair.seeker;
    const Bits score = model.Score(seekers.all()[s], pair.person, f);
    ++counts->pairs;
    if (score > best[s]) {
      second[s] = best[s];
      best[s] = score;
      person[s] = &pair.person;
    } else if (score > second[s]) {
      second[s] = score;
    }
  }
  std::array<Bits, 2> prior{};
  for (bool by_number : {false, true}) {
    std::vector<Bits> of_kind;
    for (size_t s = 0; s < best.size(); ++s) {
      if (seekers.all()[s].by_number == by_number) of_kind.push_back(best[s]);
    }
    prior[by_number] =
        Prior(EstimateShare(of_kind, f.persons, model.FirstShare(by_number)), f.persons);
  }
  std::vector<Decision> decisions;
  for (size_t s = 0; s < best.size(); ++s) {
    if (best[s] == INT32_MIN) continue;
    const Profile& seeker = seekers.all()[s];
    Bits odds = best[s] + prior[seeker.by_number];
    if (MayBeTwins(seeker, *person[s])) odds = std::min(odds, model.accept() - 1);
    if (odds < model.review()) continue;
    // It may be nobody known, or the second best.
    uint64_t wrong = Unlikely(odds) + (second[s] == INT32_MIN ? 0 : Unlikely(best[s] - second[s]));
    decisions.push_back({odds, wrong, {seeker.key, person[s]->key, person[s]->nobody_yet}});
  }
  // The surest first, until as many wrong ones are to be expected as may be.
  std::sort(decisions.begin(), decisions.end(), [](const Decision& a, const Decision& b) {
    return a.wrong != b.wrong ? a.wrong < b.wrong : a.match.seeker < b.match.seeker;
  });
  const uint64_t limit = kOne / 1000000 * model.false_per_million() * f.persons;
  const uint64_t worst = Unlikely(model.accept());
  uint64_t expected = 0;
  std::vector<Match> matches;
  for (const Decision& d : decisions) {
    expected += d.wrong;
    if (d.odds >= model.accept() && d.wrong <= 2 * worst && expected <= limit) {
      matches.push_back(d.match);
    } else {
      ++counts->review;
    }
  }
  std::sort(matches.begin(), matches.end());
  // Numbers that are verified never move, and only they are found for one that is not: one step.
  for (Match& m : matches) {
    if (const Match* further = MatchOf(matches, m.person); further != nullptr) {
      m.person = further->person;
      m.nobody_yet = further->nobody_yet;
    }
  }
  counts->by_score = matches.size();
  return matches;
}

}  // namespace

void KeySet::Close() {
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  bits_.assign(std::bit_ceil(std::max<size_t>(keys_.size() / 4, 1)), 0);
  for (uint64_t k : keys_) {
    const uint64_t h = HashKey(k);
    bits_[h >> 12 & (bits_.size() - 1)] |= BitsOf(h);
  }
}

bool KeySet::Find(uint64_t key) const {
  return std::binary_search(keys_.begin(), keys_.end(), key);
}

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
  std::vector<Pair> pairs;
  Frequencies frequencies;
  CANBAO_TRY(pool_.ForEach(in_.keyed->partitions(), [&](int, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    std::vector<Pair> found;
    std::vector<uint64_t> keys;
    std::vector<uint32_t> those;
    Frequencies counted;
    CANBAO_TRY(Take(*in_.keyed, partition, &groups));
    Profile person;
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      if (const Packed* reg = OnlyRegisterRow(groups.packed()); reg != nullptr) {
        RegisteredPersonOf(groups, *reg, &person);
      } else {
        groups.Decode();
        if (groups.rows().empty()) continue;
        Resolution r = resolver.Resolve(groups.rows(), &outcomes);
        if (!PersonOf(groups, r, outcomes, &person)) continue;
      }
      counted.Add(person, seekers.HasName(person.name));
      seekers.Find(person, &keys, &those);
      for (uint32_t s : those) {
        const Profile& seeker = seekers.all()[s];
        // A number that nothing verifies is given up for a verified one only.
        if (seeker.key == person.key) continue;
        if (seeker.by_number && (!person.verified || person.nobody_yet)) continue;
        found.push_back({s, person});
      }
    }
    std::lock_guard lock(mutex_);
    pairs.insert(pairs.end(), found.begin(), found.end());
    frequencies.Merge(counted);
    return {};
  }));
  matches_ = Decide(seekers, &pairs, frequencies, *in_.model, &counts_);
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
  CANBAO_TRY(pool_.ForEach(in_.unkeyed->partitions(), [&](int worker, size_t partition) -> Status {
    thread_local Groups groups;
    thread_local Resolver resolver;
    thread_local std::vector<Outcome> outcomes;
    std::vector<uint8_t> copy;
    std::vector<Record> left;
    LinkCounts counts;
    std::vector<Maker> makers;
    CANBAO_TRY(Take(*in_.unkeyed, partition, &groups));
    for (size_t g = 0; g < groups.size(); ++g) {
      groups.Get(g, *in_.canonical);
      groups.Decode();
      left.clear();
      const Match* scored = MatchOf(matches_, groups.key());
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
        uint64_t key = fate.key != 0 ? fate.key : r.key;
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
      if (r.has_person && groups.master() == 0) {
        const Record& maker = left[static_cast<size_t>(r.maker)];
        numbering_->Mark(maker.extract, maker.line);
      }
    }
    std::lock_guard lock(mutex_);
    counts_.repaired += counts.repaired;
    counts_.ambiguous += counts.ambiguous;
    counts_.by_person_no += counts.by_person_no;
    makers_.insert(makers_.end(), makers.begin(), makers.end());
    return {};
  }));
  // The first of the rows that were brought to a number which only departments know.
  std::sort(makers_.begin(), makers_.end());
  for (size_t i = 0; i < makers_.size() && in_.number_persons; ++i) {
    if (i > 0 && makers_[i - 1].person == makers_[i].person) continue;
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
