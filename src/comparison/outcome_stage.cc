#include "comparison/outcome_stage.h"

#include <algorithm>
#include <mutex>

#include "base/interrupt.h"
#include "base/task_pool.h"
#include "comparison/groups.h"
#include "comparison/outcome_tables.h"
#include "scheme/cells.h"

namespace canbao::comparison {
namespace {

using extract::Kind;
using scheme::EvidenceKind;

// Figures by division, counted without a map on the way of every person.
class FigureCounter {
 public:
  void Add(const scheme::Classification& c) {
    Cells& cells = Of(c);
    bool hukou = (c.flags & scheme::kH) != 0;
    scheme::ForEachCell(c, [&](int form, int column) {
      ++cells.counts[hukou][form - scheme::kForm21][static_cast<size_t>(column)];
    });
  }
  void MergeInto(FigureMap* out) const {
    for (const Cells& c : cells_) {
      for (int h = 0; h < 2; ++h) {
        for (int f = 0; f < 3; ++f) {
          for (size_t i = 0; i < 64; ++i) {
            if (c.counts[h][f][i] == 0) continue;
            (*out)[FigureKey{c.county, c.city, static_cast<uint8_t>(h),
                             static_cast<uint8_t>(scheme::kForm21 + f), static_cast<uint8_t>(i)}] +=
                c.counts[h][f][i];
          }
        }
      }
    }
  }

 private:
  struct Cells {
    uint32_t county;
    uint32_t city;
    uint64_t counts[2][3][64] = {};  // persons of H?, form − 21, column
  };
  Cells& Of(const scheme::Classification& c) {
    // Counties are few, a few thousand at most: a small direct-mapped index in front of the list.
    uint32_t& at = index_[(c.county ^ c.county >> 7) % index_.size()];
    if (at != 0 && cells_[at - 1].county == c.county && cells_[at - 1].city == c.city) {
      return cells_[at - 1];
    }
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i].county == c.county && cells_[i].city == c.city) {
        at = static_cast<uint32_t>(i + 1);
        return cells_[i];
      }
    }
    cells_.push_back(Cells{c.county, c.city, {}});
    at = static_cast<uint32_t>(cells_.size());
    return cells_.back();
  }
  std::array<uint32_t, 4096> index_{};
  std::vector<Cells> cells_;
};

// Everything one worker needs to turn the groups of a partition into outcomes.
class GroupProcessor {
 public:
  GroupProcessor(const OutcomeInputs& in, int worker) : in_(in), worker_(worker) {
    outcomes_count_.resize(in.extracts->size());
  }

  // `groups` has taken up the group.
  Status Process(Groups& groups, OutcomeTables* tables) {
    // The rows of a group that was found to be somebody else's are with that person.
    const bool moved = in_.moved != nullptr && in_.moved->Has(groups.key());
    if (!moved && tables == nullptr && in_.links == nullptr && ProcessPlain(groups)) return {};
    groups.Decode();
    std::span<const Record> rows = groups.rows();
    if (rows.empty() || moved) {
      if (tables != nullptr && groups.master() != 0) {
        return tables->WriteMaster(groups.key(), groups.master());
      }
      return {};
    }
    if (rows[0].kind == kSuperseded) {
      for (const Record& r : rows) {
        ++outcomes_count_[r.extract][static_cast<size_t>(Outcome::kSuperseded)];
        if (in_.links != nullptr) CANBAO_TRY(Link(r, 0, Outcome::kSuperseded));
      }
      return {};
    }
    Resolution res = resolver_.Resolve(rows, &outcomes_);
    uint64_t person = 0;
    if (res.has_person) {
      ++persons_;
      if (groups.master() == 0) ++new_persons_;
      const Record& maker = rows[static_cast<size_t>(res.maker)];
      if (in_.numbering != nullptr) {
        person = groups.master() != 0 ? groups.master()
                                      : in_.numbering->KeyOf(maker.extract, maker.line);
      }
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      ++outcomes_count_[rows[i].extract][static_cast<size_t>(outcomes_[i])];
      if (in_.links != nullptr) CANBAO_TRY(Link(rows[i], Belongs(i) ? person : 0, outcomes_[i]));
    }
    scheme::Classification c;
    uint16_t found = 0;
    if (res.has_person) {
      Gather(rows, res);
      c = scheme::Classify(facts_, *in_.rules);
      found = c.duplicates;
      if (in_.cases != nullptr) in_.cases->Apply(person, &c);
      figures_.Add(c);
    }
    if (tables != nullptr) {
      CANBAO_TRY(tables->Write(rows, outcomes_, res, person, facts_, enrolments_, c, found));
      if (!res.has_person && groups.master() != 0) {
        CANBAO_TRY(tables->WriteMaster(groups.key(), groups.master()));
      }
    }
    return {};
  }

  uint64_t persons() const { return persons_; }
  uint64_t new_persons() const { return new_persons_; }
  const FigureCounter& figures() const { return figures_; }
  const auto& outcome_counts() const { return outcomes_count_; }

 private:
  // Is row `i` of the group one of its person's?
  bool Belongs(size_t i) const {
    return outcomes_[i] != Outcome::kConflict && outcomes_[i] != Outcome::kNone;
  }

  Status Link(const Record& r, uint64_t person, Outcome outcome) {
    char out[15];
    std::memcpy(out, &r.extract, 2);
    std::memcpy(out + 2, &r.line, 4);
    std::memcpy(out + 6, &person, 8);
    out[14] = static_cast<char>(outcome);
    return in_.links->Append(worker_, (*in_.link_base)[r.extract] + (r.line >> 20), out,
                             sizeof(out));
  }

  // The rule and not the exception: rows with valid numbers and one name, one of the register at
  // most. What Resolve() says of them needs no comparing; where anything else is seen, false is
  // returned and nothing has happened. Figures only: outcomes are counted, not kept.
  bool ProcessPlain(Groups& groups) {
    std::span<const Packed* const> packed = groups.packed();
    const std::vector<uint16_t>& canonical = *in_.canonical;
    plain_.clear();
    const Packed* reg = nullptr;
    const Packed* maker = nullptr;
    bool master = false;
    bool usable_maker = false;
    uint32_t births = 0;  // one for all that are given, else nothing is plain
    int males = 0;
    int females = 0;
    int evidence = 0;
    identity::PersonNumber number{groups.key()};
    if (IsProvisionalKey(groups.key())) return false;
    Date number_birth = identity::BirthDateOf(number);
    for (const Packed* p : packed) {
      if (p->kind >= kSuperseded) {
        if (p->kind == kSuperseded) return false;
        master |= p->kind == kMaster;
        continue;
      }
      if (p->is_joined()) return false;
      identity::NumberClass cls = p->number_class();
      if (cls != identity::NumberClass::kValid && cls != identity::NumberClass::kOther) {
        return false;
      }
      if (!plain_.empty() && p->name != plain_[0]->name) return false;
      if (p->birth != 0) {
        if (births != 0 && births != p->birth) return false;
        births = p->birth;
      }
      males += p->sex() == identity::Sex::kMale;
      females += p->sex() == identity::Sex::kFemale;
      if (IsRegister(p->kind)) {
        if (reg != nullptr) return false;
        reg = p;
      } else if (extract::MakesPerson(static_cast<Kind>(p->kind))) {
        if (maker == nullptr || groups.OrderOf(*p) < groups.OrderOf(*maker)) maker = p;
        // The row's own birth date does not deny its number (resolve.cc, IsUsable).
        usable_maker |= !number.is_citizen() || p->birth == 0 || !number_birth.has_value() ||
                        p->birth == number_birth.v;
      }
      evidence += !HasEnrolment(p->kind);
      plain_.push_back(p);
    }
    if (plain_.empty()) return false;
    // Of two papers of one kind the order decides; enrolments carry their place.
    if (evidence - (reg != nullptr) > 1) {
      std::sort(plain_.begin(), plain_.end(), [&groups](const Packed* a, const Packed* b) {
        return groups.OrderOf(*a) < groups.OrderOf(*b);
      });
    }
    if (reg == nullptr && maker == nullptr) {  // departments alone make nobody
      for (const Packed* p : plain_) Count(canonical[p->extract], Outcome::kUnlinked);
      return true;
    }
    ++persons_;
    if (!master) ++new_persons_;
    Clear();
    facts_.in_register = reg != nullptr;
    facts_.confirmed = reg != nullptr || usable_maker;
    facts_.birth = births != 0 ? Date{static_cast<uint16_t>(births)} : number_birth;
    if (reg != nullptr) {
      if (reg->birth == 0) facts_.birth = number_birth;
      facts_.sex = reg->sex();
      if (facts_.sex == identity::Sex::kUnknown) facts_.sex = identity::SexOf(number);
      RegisterFields f = DecodeRegister(*reg);
      facts_.management = f.management;
      facts_.changed_on = f.changed_on;
      facts_.hukou = identity::Division{f.hukou};
    } else if (males != females) {
      facts_.sex = males > females ? identity::Sex::kMale : identity::Sex::kFemale;
    } else {
      facts_.sex = identity::SexOf(number);
    }
    for (const Packed* p : plain_) {
      Outcome outcome = Outcome::kExact;
      if (p == reg) outcome = Outcome::kBaseline;
      if (reg == nullptr && p == maker) outcome = Outcome::kUnlinked;
      Count(canonical[p->extract], outcome);
      if (p == reg) continue;
      if (HasEnrolment(p->kind)) {
        AddEnrolment(DecodeEnrolment(*p), facts_.confirmed, groups.OrderOf(*p));
      } else {
        AddEvidence(static_cast<Kind>(p->kind), DecodeEvidence(*p), outcome);
      }
    }
    CloseFacts();
    figures_.Add(scheme::Classify(facts_, *in_.rules));
    return true;
  }

  void Count(uint16_t extract, Outcome outcome) {
    ++outcomes_count_[extract][static_cast<size_t>(outcome)];
  }

  void Clear() {
    facts_ = scheme::PersonFacts{};
    enrolments_.clear();
    evidence_.clear();
    settlements_.clear();
  }
  void CloseFacts() {
    if (settlements_.size() > 1) FindDoubleSettlement();
    facts_.enrolments = enrolments_;
    facts_.evidence = evidence_;
  }

  void Gather(std::span<const Record> rows, const Resolution& res) {
    Clear();
    facts_.in_register = res.in_register;
    facts_.confirmed = res.confirmed;
    facts_.birth = res.birth;
    facts_.sex = res.sex;
    if (res.in_register) {
      RegisterFields f = DecodeRegister(rows[static_cast<size_t>(res.reference)]);
      facts_.management = f.management;
      facts_.changed_on = f.changed_on;
      facts_.hukou = identity::Division{f.hukou};
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      const Record& r = rows[i];
      if (!Belongs(i) || IsRegister(r.kind)) continue;
      if (HasEnrolment(r.kind)) {
        AddEnrolment(DecodeEnrolment(r), res.confirmed, r.order());
      } else {
        AddEvidence(static_cast<Kind>(r.kind), DecodeEvidence(r), outcomes_[i]);
      }
    }
    CloseFacts();
  }

  void AddEnrolment(const EnrolmentFields& f, bool confirmed, uint64_t order) {
    const Employer employer{f.employer, 0};
    scheme::EnrolmentFact e;
    e.scheme = f.scheme;
    e.state = f.state;
    e.confirmed = confirmed;
    e.has_employer = employer.given();
    e.unit_type = employer.unit_type();
    e.employer_county = employer.county();
    e.insured_category = f.insured_category;
    e.region = f.region;
    e.enrolled_on = f.enrolled_on;
    e.ended_on = f.ended_on;
    e.insured_year = f.insured_year;
    e.order = order;
    enrolments_.push_back(e);
  }

  void AddEvidence(Kind kind, const EvidenceFields& f, Outcome outcome) {
    if (kind == Kind::kMedicalSettlement) {
      settlements_.emplace_back(f.employer, f.code);
      return;
    }
    scheme::EvidenceFact e;
    e.kind = f.evidence;
    e.exact = outcome == Outcome::kExact;
    e.from = f.from;
    e.until = f.until;
    if (e.kind == EvidenceKind::kWageTax || e.kind == EvidenceKind::kEmploymentFiling) {
      const Employer employer{f.employer, 0};
      e.unit_type = employer.unit_type();
      e.county = employer.county();
    } else {
      e.county = identity::Division{f.code}.county();
    }
    evidence_.push_back(e);
  }

  // Two schemes that pay for one admission or invoice.
  void FindDoubleSettlement() {
    std::sort(settlements_.begin(), settlements_.end());
    for (size_t i = 1; i < settlements_.size(); ++i) {
      if (settlements_[i].first == settlements_[i - 1].first &&
          settlements_[i].second != settlements_[i - 1].second) {
        scheme::EvidenceFact e;
        e.kind = EvidenceKind::kDoubleSettlement;
        evidence_.push_back(e);
        return;
      }
    }
  }

  const OutcomeInputs& in_;
  int worker_;
  Resolver resolver_;
  std::vector<Outcome> outcomes_;
  std::vector<const Packed*> plain_;
  scheme::PersonFacts facts_;
  std::vector<scheme::EnrolmentFact> enrolments_;
  std::vector<scheme::EvidenceFact> evidence_;
  std::vector<std::pair<uint32_t, uint64_t>> settlements_;
  FigureCounter figures_;
  std::vector<std::array<uint64_t, kOutcomes>> outcomes_count_;
  uint64_t persons_ = 0;
  uint64_t new_persons_ = 0;
};

}  // namespace

Result<OutcomeCounts> RunOutcomeStage(const OutcomeInputs& in) {
  uint32_t partitions = in.keyed->partitions();
  uint32_t per_shard = partitions / kShards;
  std::vector<std::unique_ptr<GroupProcessor>> workers;
  for (int w = 0; w < in.threads; ++w) workers.push_back(std::make_unique<GroupProcessor>(in, w));
  std::vector<std::unique_ptr<OutcomeTables>> shards(kShards);
  std::atomic<uint64_t> done{0};

  // With outcome files a task is a shard, so that one file has one writer; without, a partition.
  bool write = !in.folder.empty();
  size_t tasks = write ? kShards : partitions;
  TaskPool pool(in.threads, in.cancel);
  CANBAO_TRY(pool.ForEach(tasks, [&](int worker, size_t task) -> Status {
    thread_local Groups groups;
    StreamCipher cipher(in.key);
    GroupProcessor& processor = *workers[static_cast<size_t>(worker)];
    OutcomeTables* tables = nullptr;
    if (write) {
      CANBAO_ASSIGN(shards[task],
                    OutcomeTables::Create(in.folder, static_cast<uint32_t>(task), in));
      tables = shards[task].get();
    }
    uint32_t begin = static_cast<uint32_t>(write ? task * per_shard : task);
    uint32_t end = write ? begin + per_shard : begin + 1;
    for (uint32_t p = begin; p < end; ++p) {
      if (pool.stopping()) return Fail(InterruptedError());
      groups.Clear();
      CANBAO_TRY(groups.Add(*in.keyed, p, &cipher));
      CANBAO_TRY(groups.Add(*in.joined, p, &cipher));
      groups.Build(write);
      for (size_t g = 0; g < groups.size(); ++g) {
        groups.Get(g, *in.canonical);
        CANBAO_TRY(processor.Process(groups, tables));
      }
      uint64_t n = done.fetch_add(1, std::memory_order_relaxed) + 1;
      if (in.progress) in.progress(n, partitions);
    }
    if (tables != nullptr) CANBAO_TRY(tables->Finish());
    return {};
  }));

  OutcomeCounts counts;
  counts.outcomes.resize(in.extracts->size());
  for (const auto& w : workers) {
    w->figures().MergeInto(&counts.figures);
    counts.persons += w->persons();
    counts.new_persons += w->new_persons();
    for (size_t e = 0; e < counts.outcomes.size(); ++e) {
      for (size_t o = 0; o < kOutcomes; ++o) counts.outcomes[e][o] += w->outcome_counts()[e][o];
    }
  }
  if (write) OutcomeTables::Summarise(shards, &counts);
  return counts;
}

}  // namespace canbao::comparison
