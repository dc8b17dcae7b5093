#include "comparison/link/decide.h"

#include <algorithm>
#include <bit>

#include "linkage/sets.h"

namespace canbao::comparison {
namespace {

// Seekers that one key may bring together with a person before it is split.
constexpr size_t kHotBlock = 64;
// Groups of rows in one cluster of people that nobody knows.
constexpr size_t kMaxCluster = 32;
// What somebody decided is beyond doubt.
constexpr Bits kCertain = 100000;

int WholeBits(Bits odds) { return (std::clamp(odds, -6000, 6000) - (odds < 0 ? 99 : 0)) / 100; }

// The two or three values that a split key adds.
template <typename Use>
void SplitKeys(uint64_t key, const Profile& p, Use use) {
  use(HashKey(key ^ HashKey(p.name)));
  if (p.birth.has_value()) use(HashKey(key ^ HashKey(p.birth.v + 1u)));
}

// A seeker's best candidates so far, the better one first.
struct Best {
  std::array<uint32_t, kKeptCandidates> pair{};
  std::array<Bits, kKeptCandidates> score{kNever, kNever, kNever};
  void Add(uint32_t at, Bits s) {
    size_t i = kKeptCandidates;
    while (i > 0 && s > score[i - 1]) --i;
    if (i == kKeptCandidates) return;
    for (size_t j = kKeptCandidates - 1; j > i; --j) {
      pair[j] = pair[j - 1];
      score[j] = score[j - 1];
    }
    pair[i] = at;
    score[i] = s;
  }
};

class Decider {
 public:
  Decider(const Seekers& seekers, const std::vector<Pair>& pairs, const Weights& weights,
          const LinkModel& model, const Labels& labels, LinkStatistics* statistics)
      : seekers_(seekers),
        pairs_(pairs),
        weights_(weights),
        model_(model),
        labels_(labels),
        stats_(*statistics) {}

  Decided Run() {
    Rank();
    Accept();
    Follow();
    Cluster();
    return std::move(out_);
  }

 private:
  struct Candidate {
    Bits odds;
    uint64_t wrong;  // probability, in 2^-40
    uint32_t seeker;
  };

  uint16_t SourceOf(size_t seeker) const { return seekers_.all()[seeker].extract(); }
  void Rank();
  void Accept();
  // A person whose own number turns out to be somebody else's leads on.
  void Follow();
  void Cluster();

  const Seekers& seekers_;
  const std::vector<Pair>& pairs_;
  const Weights& weights_;
  const LinkModel& model_;
  const Labels& labels_;
  LinkStatistics& stats_;
  Decided out_;
  std::vector<Best> best_;
  std::vector<Verdict> verdict_;  // of the best
  uint64_t expected_ = 0;         // wrong links, in 2^-40
};

void Decider::Rank() {
  const std::vector<Profile>& all = seekers_.all();
  best_.resize(all.size());
  verdict_.assign(all.size(), Verdict::kUnlikely);
  std::vector<uint32_t> candidates(all.size());
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& p = pairs_[i];
    ++candidates[p.seeker];
    Bits score = weights_.Sum(SourceOf(p.seeker), p.levels, p.shared());
    switch (labels_.empty() ? Judgement::kWithdrawn : labels_.Of(all[p.seeker].key, p.person)) {
      case Judgement::kSame:
        score = kCertain;
        ++stats_.labels;
        break;
      case Judgement::kDifferent:
        ++stats_.labels;
        out_.judged.push_back({static_cast<uint32_t>(i), score, 0, Verdict::kApart});
        continue;
      case Judgement::kWithdrawn:
        break;
    }
    if (score != kNever) best_[p.seeker].Add(static_cast<uint32_t>(i), score);
  }
  stats_.pairs += pairs_.size();
  for (size_t s = 0; s < all.size(); ++s) {
    ++stats_.seekers[all[s].by_number];
    stats_.with_candidates[all[s].by_number] += candidates[s] > 0;
    const size_t bucket =
        candidates[s] == 0 ? 0 : static_cast<size_t>(std::bit_width(candidates[s] - 1u)) + 1;
    ++stats_.candidates[std::min(bucket, stats_.candidates.size() - 1)];
  }
}

void Decider::Accept() {
  const std::vector<Profile>& all = seekers_.all();
  const uint64_t persons = weights_.frequencies().persons;
  std::array<Bits, 2> prior{};
  for (bool by_number : {false, true}) {
    std::vector<Bits> of_kind;
    for (size_t s = 0; s < all.size(); ++s) {
      if (all[s].by_number == by_number) of_kind.push_back(best_[s].score[0]);
    }
    stats_.share[by_number] = EstimateShare(
        of_kind, persons, by_number ? model_.first_unverified : model_.first_no_number);
    prior[by_number] = Prior(stats_.share[by_number], persons);
  }
  std::vector<Candidate> candidates;
  for (size_t s = 0; s < all.size(); ++s) {
    const Best& best = best_[s];
    if (best.score[0] == kNever) continue;
    const Pair& pair = pairs_[best.pair[0]];
    if (best.score[0] == kCertain) {
      verdict_[s] = Verdict::kConfirmed;
      // Two answers "the same" for one seeker contradict each other.
      if (best.score[1] == kCertain) verdict_[s] = Verdict::kReview;
      continue;
    }
    Bits odds = best.score[0] + prior[all[s].by_number];
    if (IsDenied(pair.levels, pair.may_be_twins)) odds = std::min(odds, model_.accept - 1);
    if (odds < model_.review) continue;
    // It may be nobody known, or the second best.
    uint64_t wrong =
        Unlikely(odds) + (best.score[1] == kNever ? 0 : Unlikely(best.score[0] - best.score[1]));
    candidates.push_back({odds, wrong, static_cast<uint32_t>(s)});
  }
  // The surest first, until as many wrong ones are to be expected as may be.
  std::sort(candidates.begin(), candidates.end(), [&all](const Candidate& a, const Candidate& b) {
    return a.wrong != b.wrong ? a.wrong < b.wrong : all[a.seeker].key < all[b.seeker].key;
  });
  const uint64_t limit = kOne / 1000000 * model_.false_per_million * persons;
  const uint64_t worst = Unlikely(model_.accept);
  for (const Candidate& c : candidates) {
    const bool accepted =
        c.odds >= model_.accept && c.wrong <= 2 * worst && expected_ + c.wrong <= limit;
    verdict_[c.seeker] = accepted ? Verdict::kLinked : Verdict::kReview;
    if (accepted) expected_ += c.wrong;
  }
  stats_.limit = model_.false_per_million * persons;
  for (size_t s = 0; s < all.size(); ++s) {
    const Best& best = best_[s];
    if (best.score[0] == kNever) continue;
    const Pair& pair = pairs_[best.pair[0]];
    const auto v = static_cast<size_t>(verdict_[s]);
    ++stats_.verdicts[v];
    out_.review += verdict_[s] == Verdict::kReview;
    if (verdict_[s] == Verdict::kLinked || verdict_[s] == Verdict::kConfirmed) {
      out_.matches.push_back({all[s].key, pair.person, pair.nobody_yet});
    }
    const Bits known = prior[all[s].by_number];
    if (best.score[0] != kCertain) ++stats_.odds[WholeBits(best.score[0] + known)][v];
    for (size_t i = 0; i < kKeptCandidates && best.score[i] != kNever; ++i) {
      Bits odds = best.score[i];
      if (odds == kCertain) {
        // What the fields say is shown beside what somebody decided.
        const Pair& decided = pairs_[best.pair[i]];
        odds = weights_.Sum(SourceOf(s), decided.levels, decided.shared());
      }
      out_.judged.push_back({best.pair[i], odds == kNever ? kNever : odds + known,
                             static_cast<uint8_t>(i + 1), i == 0 ? verdict_[s] : Verdict::kSecond});
    }
  }
  for (Judged& j : out_.judged) {
    if (j.verdict != Verdict::kApart) continue;
    j.odds += prior[all[pairs_[j.pair].seeker].by_number];
    ++stats_.verdicts[static_cast<size_t>(Verdict::kApart)];
  }
  std::sort(out_.judged.begin(), out_.judged.end(), [this](const Judged& a, const Judged& b) {
    const uint32_t x = pairs_[a.pair].seeker;
    const uint32_t y = pairs_[b.pair].seeker;
    // What somebody denied comes last.
    const int u = a.rank == 0 ? kKeptCandidates + 1 : a.rank;
    const int v = b.rank == 0 ? kKeptCandidates + 1 : b.rank;
    return x != y ? x < y : u != v ? u < v : a.pair < b.pair;
  });
}

void Decider::Follow() {
  std::vector<Match>& matches = out_.matches;
  std::sort(matches.begin(), matches.end());
  // Numbers that are verified never move, and only they are found for one that is not: one step.
  for (Match& m : matches) {
    if (const Match* further = MatchOf(matches, m.person); further != nullptr) {
      m.person = further->person;
      m.nobody_yet = further->nobody_yet;
    }
  }
  out_.by_score = matches.size();
}

// Average link over what two groups of rows have in common, the surest pair first. Two rows that
// must not be one never come together, whoever stands between them.
void Decider::Cluster() {
  const std::vector<Profile>& all = seekers_.all();
  std::vector<bool> open(all.size());
  for (size_t s = 0; s < all.size(); ++s) {
    open[s] = !all[s].by_number && verdict_[s] == Verdict::kUnlikely;
  }
  struct Edge {
    Bits score;
    Seekers::Two two;
  };
  auto score_of = [&](uint32_t a, uint32_t b) {
    const Compared c = Compare(all[a], all[b]);
    if (IsDenied(c.levels, MayBeTwins(all[a], all[b]))) return kNever;
    return weights_.Sum(SourceOf(a), c.levels, {all[b].name, all[b].birth, c.place});
  };
  std::vector<Edge> edges;
  std::vector<Bits> best(all.size(), kNever);
  for (const Seekers::Two& two : seekers_.PairsAmong(open)) {
    const Bits score = score_of(two.a, two.b);
    if (score == kNever) continue;
    edges.push_back({score, two});
    best[two.a] = std::max(best[two.a], score);
    best[two.b] = std::max(best[two.b], score);
  }
  std::vector<Bits> of_open;
  for (size_t s = 0; s < all.size(); ++s) {
    if (open[s]) of_open.push_back(best[s]);
  }
  const uint64_t persons = weights_.frequencies().persons;
  const Bits prior = Prior(EstimateShare(of_open, persons, model_.first_unknown), persons);
  std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) {
    return x.score != y.score ? x.score > y.score : x.two < y.two;
  });
  const uint64_t limit = kOne / 1000000 * model_.false_per_million * persons;
  linkage::Sets leaders(all.size());
  linkage::Sets connected(all.size());
  std::map<uint32_t, std::vector<uint32_t>> members;
  auto group = [&members](uint32_t x) -> std::vector<uint32_t>& {
    std::vector<uint32_t>& g = members[x];
    if (g.empty()) g.push_back(x);
    return g;
  };
  for (const Edge& e : edges) {
    if (e.score + prior < model_.accept) break;
    connected.Join(e.two.a, e.two.b);
    const uint32_t a = leaders.Find(e.two.a);
    const uint32_t b = leaders.Find(e.two.b);
    if (a == b) continue;
    std::vector<uint32_t>& left = group(a);
    std::vector<uint32_t>& right = group(b);
    if (left.size() + right.size() > kMaxCluster) continue;
    int64_t sum = 0;
    bool possible = true;
    for (uint32_t x : left) {
      for (uint32_t y : right) {
        const Bits s = score_of(std::min(x, y), std::max(x, y));
        possible &= s != kNever;
        if (possible) sum += s;
      }
    }
    if (!possible) continue;
    const Bits average =
        static_cast<Bits>(sum / static_cast<int64_t>(left.size() * right.size())) + prior;
    if (average < model_.accept || expected_ + Unlikely(average) > limit) continue;
    expected_ += Unlikely(average);
    leaders.Join(a, b);
    std::vector<uint32_t> both = left;
    both.insert(both.end(), right.begin(), right.end());
    members.erase(std::max(a, b));
    members[std::min(a, b)] = std::move(both);
  }
  std::map<uint32_t, uint64_t> components;
  for (uint32_t s = 0; s < all.size(); ++s) {
    if (!open[s]) continue;
    ++components[connected.Find(s)];
    const uint32_t first = leaders.Find(s);
    if (first != s) out_.clusters.push_back({all[s].key, all[first].key, false});
  }
  std::map<uint32_t, uint64_t> sizes;
  for (uint32_t s = 0; s < all.size(); ++s) {
    if (open[s]) ++sizes[leaders.Find(s)];
  }
  for (const auto& [first, n] : sizes) ++stats_.clusters[n];
  for (const auto& [first, n] : components) ++stats_.components[n];
  std::sort(out_.clusters.begin(), out_.clusters.end());
  stats_.expected_wrong = (expected_ >> 20) * 1000000 >> 20;
}

}  // namespace

Seekers::Seekers(std::vector<Profile> all) : all_(std::move(all)) {
  std::sort(all_.begin(), all_.end(),
            [](const Profile& a, const Profile& b) { return a.key < b.key; });
  std::vector<BlockingKey> keys;
  for (size_t i = 0; i < all_.size(); ++i) {
    names_.Add(all_[i].name);
    BlockingKeys(all_[i], true, &keys);
    for (const BlockingKey& k : keys) {
      blocks_.push_back({k.key, static_cast<uint32_t>(i), k.rule});
      known_.Add(k.key);
    }
  }
  names_.Close();
  std::sort(blocks_.begin(), blocks_.end());
  std::vector<Block> split;
  size_t kept = 0;
  for (size_t i = 0; i < blocks_.size();) {
    size_t j = i;
    while (j < blocks_.size() && blocks_[j].key == blocks_[i].key) ++j;
    if (j - i > kHotBlock) {
      hot_.Add(blocks_[i].key);
      for (size_t at = i; at < j; ++at) {
        SplitKeys(blocks_[at].key, all_[blocks_[at].seeker], [&](uint64_t key) {
          split.push_back({key, blocks_[at].seeker, blocks_[at].rule});
        });
      }
    } else {
      for (size_t at = i; at < j; ++at) blocks_[kept++] = blocks_[at];
    }
    i = j;
  }
  blocks_.resize(kept);
  blocks_.insert(blocks_.end(), split.begin(), split.end());
  std::sort(blocks_.begin(), blocks_.end());
  known_.Close();
  hot_.Close();
}

void Seekers::Look(uint64_t key, std::vector<Found>* found) const {
  for (auto it = std::lower_bound(blocks_.begin(), blocks_.end(), Block{key, 0, 0});
       it != blocks_.end() && it->key == key; ++it) {
    found->push_back({it->seeker, static_cast<uint16_t>(1u << it->rule)});
  }
}

void Seekers::Find(const Profile& person, std::vector<BlockingKey>* keys,
                   std::vector<Found>* found) const {
  BlockingKeys(person, false, keys);
  for (const BlockingKey& k : *keys) known_.Fetch(k.key);
  found->clear();
  for (const BlockingKey& k : *keys) {
    if (!known_.Has(k.key)) continue;
    if (hot_.Has(k.key)) {
      SplitKeys(k.key, person, [&](uint64_t key) { Look(key, found); });
    } else {
      Look(k.key, found);
    }
  }
  std::sort(found->begin(), found->end(),
            [](const Found& a, const Found& b) { return a.seeker < b.seeker; });
  size_t n = 0;
  for (const Found& f : *found) {
    if (n > 0 && (*found)[n - 1].seeker == f.seeker) {
      (*found)[n - 1].rules |= f.rules;
    } else {
      (*found)[n++] = f;
    }
  }
  found->resize(n);
}

std::vector<Seekers::Two> Seekers::PairsAmong(const std::vector<bool>& open) const {
  std::vector<Two> out;
  std::vector<uint32_t> here;
  for (size_t i = 0; i < blocks_.size();) {
    size_t j = i;
    here.clear();
    for (; j < blocks_.size() && blocks_[j].key == blocks_[i].key; ++j) {
      if (open[blocks_[j].seeker]) here.push_back(blocks_[j].seeker);
    }
    here.erase(std::unique(here.begin(), here.end()), here.end());
    // Of a block that is hot even when it is split each is compared with its neighbours: rows that
    // share everything of the key, and are told apart by nothing, are near each other's keys.
    for (size_t a = 0; a < here.size(); ++a) {
      for (size_t b = a + 1; b < std::min(here.size(), a + kHotBlock); ++b) {
        out.push_back({here[a], here[b]});
      }
    }
    i = j;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void LinkStatistics::Learn(const LinkModel& model, const TrainingCounts& training) {
  for (size_t s = 0; s < training.sources(); ++s) {
    for (size_t f = 0; f < kFields; ++f) {
      const auto& levels = FieldNames()[f].levels;
      for (size_t i = 0; i < levels.size(); ++i) {
        const auto field = static_cast<Field>(f);
        const auto l = static_cast<uint8_t>(i + 1);
        const uint64_t seen = training.Of(s, field, l);
        if (seen == 0 || !levels[i].m_counted) continue;
        learned.push_back(
            {static_cast<uint16_t>(s), field, l, seen, training.M(model, s, field, l)});
      }
    }
  }
}

Pair MakePair(uint32_t seeker, const Profile& s, const Profile& person, uint16_t rules) {
  const Compared c = Compare(s, person);
  Pair p;
  p.person = person.key;
  p.name = person.name;
  p.first = person.first;
  p.seeker = seeker;
  p.place = c.place;
  p.levels = c.levels;
  p.birth = person.birth;
  p.rules = rules;
  p.sex = person.sex;
  p.nobody_yet = person.nobody_yet;
  p.may_be_twins = MayBeTwins(s, person);
  return p;
}

const Match* MatchOf(const std::vector<Match>& matches, uint64_t seeker) {
  auto it = std::lower_bound(matches.begin(), matches.end(), Match{seeker, 0, false});
  return it != matches.end() && it->seeker == seeker ? &*it : nullptr;
}

Decided Decide(const Seekers& seekers, std::vector<Pair>* pairs, const Weights& weights,
               const LinkModel& model, const Labels& labels, LinkStatistics* statistics) {
  std::sort(pairs->begin(), pairs->end(), [](const Pair& a, const Pair& b) {
    return a.seeker != b.seeker ? a.seeker < b.seeker : a.person < b.person;
  });
  statistics->persons = weights.frequencies().persons;
  return Decider(seekers, *pairs, weights, model, labels, statistics).Run();
}

}  // namespace canbao::comparison
