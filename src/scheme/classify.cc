// Classification of one person: rules.md §4–6 over facts that fit in a few cache lines. One pass
// over the evidence, one over the enrolments, then set algebra on masks. No allocation, no calendar
// arithmetic: every age and window was turned into a day limit when the rules were loaded.
#include <algorithm>
#include <array>
#include <bit>

#include "scheme/person.h"
#include "scheme/rules.h"

namespace canbao::scheme {
namespace {

// From its first day on; on the day of `until` the thing is over.
bool InForce(const EvidenceFact& e, Date cutoff) {
  return e.from <= cutoff && (!e.until.has_value() || cutoff < e.until);
}

bool FiledInWindow(const EvidenceFact& e, const Rules& rules) {
  return e.from <= rules.cutoff && rules.first_filing_day <= rules.cutoff &&
         (!e.until.has_value() || rules.first_filing_day < e.until);
}

// What the evidence says at the cut-off.
struct Evidence {
  uint32_t flags = 0;
  uint32_t exact_flags = 0;     // of these, shown by an exactly linked row
  uint32_t confirmed = 0;       // bit = column a county reviewer confirmed
  bool civil_employer = false;  // wage tax or filing of a unit of civil servants
  bool double_settlement = false;
  const EvidenceFact* survey = nullptr;
  uint32_t employer_county = 0;  // of the first wage tax or filing in the window that has one
  uint32_t residence = 0;
};

uint32_t When(bool holds, Flag flag) { return holds ? uint32_t{flag} : 0; }

// The Flag that an evidence sets at the cut-off; 0 = none.
uint32_t FlagOf(const EvidenceFact& e, const Rules& rules) {
  Date cutoff = rules.cutoff;
  switch (e.kind) {
    case EvidenceKind::kDeath:
      return When(e.exact && e.from.has_value() && e.from <= cutoff, kD);
    case EvidenceKind::kPrisoner:
      return When(InForce(e, cutoff), kImprisoned);
    case EvidenceKind::kSoldier:
      return When(InForce(e, cutoff), kSoldier);
    case EvidenceKind::kArmyDependant:
      return When(InForce(e, cutoff), kDependant);
    case EvidenceKind::kAbroad:
      return When(InForce(e, cutoff), kOverseas);
    case EvidenceKind::kFullTimeStudent:
      return When(InForce(e, cutoff), kStudent);
    case EvidenceKind::kWageTax:
      return When(e.from >= rules.first_tax_month && e.from <= cutoff, kTaxed);
    case EvidenceKind::kEmploymentFiling:
      return When(FiledInWindow(e, rules), kFiled);
    default:
      return 0;
  }
}

Evidence ReadEvidence(const PersonFacts& person, const Rules& rules) {
  Evidence out;
  for (const EvidenceFact& e : person.evidence) {
    uint32_t flag = FlagOf(e, rules);
    if (flag != 0) {
      out.flags |= flag;
      if (e.exact) out.exact_flags |= flag;
      if ((flag & (kTaxed | kFiled)) != 0) {
        if (out.employer_county == 0) out.employer_county = e.county;
        if ((rules.unit_marks[e.unit_type] & Rules::kOfCivilServants) != 0)
          out.civil_employer = true;
      }
      continue;
    }
    if (e.from > rules.cutoff) continue;
    switch (e.kind) {
      case EvidenceKind::kResidence:
        out.residence = e.county;
        break;
      case EvidenceKind::kSurveyResult:
        if (out.survey == nullptr || out.survey->from <= e.from) out.survey = &e;
        break;
      case EvidenceKind::kConfirmation:
        if (e.code < 32) out.confirmed |= 1u << e.code;
        break;
      case EvidenceKind::kDoubleSettlement:
        out.double_settlement = true;
        break;
      default:
        break;
    }
  }
  return out;
}

// What the enrolments say at the cut-off. Unconfirmed ones count nowhere.
struct Enrolled {
  uint32_t flags = 0;          // kL, kE without regard to D; states; civil servant
  uint8_t branches = 0;        // active anywhere, bit = Branch
  uint8_t employee_set = 0;    // bit = Branch, medical cover with employee medical
  uint8_t resident_set = 0;    // 1 RP, 2 RM, 4 NC
  bool works = false;          // active, contributing employee enrolment here with a real employer
  bool draws_pension = false;  // receiving or suspended employee pension
  uint8_t types = 0;           // duplicate types, active
  uint8_t regions_differ = 0;  // bit = type: active in two pooling regions
  uint8_t drawn_types = 0;     // the same over receiving pensions
  uint8_t drawn_regions_differ = 0;
  const EnrolmentFact* local = nullptr;  // the local one with the lowest scheme code
};

// Notes a relation of `type` in `region`; true when an earlier one was in another region.
void NoteRegion(int type, uint32_t region, std::array<uint32_t, Rules::kTypes>& first,
                uint8_t* types, uint8_t* differ) {
  uint8_t bit = static_cast<uint8_t>(1u << type);
  uint32_t& known = first[static_cast<size_t>(type)];
  if ((*types & bit) == 0) {
    *types |= bit;
    known = region;
  } else if (known == 0) {
    known = region;
  } else if (region != 0 && known != region) {
    *differ |= bit;
  }
}

// StateAt() for the row that has nothing to weigh: begun, without end or year. Inlined in the loop.
inline State StateAtFast(const EnrolmentFact& e, Date cutoff, bool* contradiction) {
  if (e.enrolled_on <= cutoff && !e.ended_on.has_value() && e.insured_year == 0) {
    *contradiction = false;
    return e.state;
  }
  return StateAt(e, cutoff, contradiction);
}

// By State: what it notes of the person whatever else holds.
constexpr uint32_t kStateFlags[] = {0, 0, kInterruptedAny, 0, 0, 0, kUnmappedState};

// Facts are weighed with masks where a branch would be mispredicted half the time; the branches
// that remain (counted, confirmed, active, of a type) mostly go one way.
Enrolled ReadEnrolments(const PersonFacts& person, const Rules& rules) {
  Enrolled out;
  std::array<uint32_t, Rules::kTypes> active_region;
  std::array<uint32_t, Rules::kTypes> drawn_region;
  constexpr uint8_t kPensionBit = 1u << static_cast<int>(Branch::kPension);
  for (EnrolmentFact& e : person.enrolments) {
    bool contradiction = false;
    State state = StateAtFast(e, rules.cutoff, &contradiction);
    e.state_at_cutoff = state;
    const SchemeInfo& info = rules.InfoOf(e.scheme);
    if (info.branch_bit == 0 || !e.confirmed) continue;
    out.flags |= kStateFlags[static_cast<size_t>(state)];
    if (contradiction) out.flags |= kStateContradiction;
    if (!IsActive(state)) continue;

    bool here = e.region == 0 || rules.IsHere(e.region);
    bool contributing = state == State::kContributing;
    uint8_t marks = rules.MarksOf(e.insured_category, e.unit_type);
    out.flags |= here ? uint32_t{kL} : uint32_t{kE};
    if ((marks & Rules::kOfCivilServants) != 0) out.flags |= kCivilServant;
    out.branches |= info.branch_bit;
    out.employee_set |= info.employee_bit;
    out.resident_set |= info.resident_bit;
    if (here && (out.local == nullptr || e.scheme < out.local->scheme ||
                 (e.scheme == out.local->scheme && e.order < out.local->order))) {
      out.local = &e;
    }
    bool real_employer = e.has_employer & ((marks & Rules::kNoRealEmployer) == 0);
    out.works |= info.employee & contributing & here & real_employer;
    out.draws_pension |= info.employee & !contributing & (info.branch_bit == kPensionBit);
    if (info.type < 0) continue;
    uint32_t region = e.region == 0 ? 0 : rules.PoolingRegion(e.region, e.scheme);
    NoteRegion(info.type, region, active_region, &out.types, &out.regions_differ);
    if (state == State::kReceiving) {
      NoteRegion(info.type, region, drawn_region, &out.drawn_types, &out.drawn_regions_differ);
    }
  }
  return out;
}

// One branch: two types in `types` → `scheme_bit`, a type in two regions → `region_bit`.
uint16_t TwoKinds(uint8_t types, uint8_t differ, uint8_t of_branch, uint16_t scheme_bit,
                  uint16_t region_bit) {
  uint16_t found = 0;
  if (std::popcount(static_cast<uint8_t>(types & of_branch)) > 1) found |= scheme_bit;
  if ((differ & of_branch) != 0) found |= region_bit;
  return found;
}

uint16_t DuplicatesAtOnce(const Enrolled& enrolled, const Rules& rules) {
  return static_cast<uint16_t>(
      TwoKinds(enrolled.types, enrolled.regions_differ, rules.pension_types, kPensionCrossScheme,
               kPensionCrossRegion) |
      TwoKinds(enrolled.drawn_types, enrolled.drawn_regions_differ, rules.pension_types,
               kPensionBenefitCrossScheme, kPensionBenefitCrossRegion) |
      TwoKinds(enrolled.types, enrolled.regions_differ, rules.medical_types, kMedicalCrossScheme,
               kMedicalCrossRegion));
}

// The same pair by pair, where a minimum overlap is asked for: both run on at the cut-off, so the
// overlap began with the later of them.
uint16_t DuplicatesOverlapping(const PersonFacts& person, const Rules& rules) {
  uint16_t found = 0;
  for (size_t i = 0; i < person.enrolments.size(); ++i) {
    const EnrolmentFact& a = person.enrolments[i];
    int type = rules.TypeOf(a.scheme);
    if (type < 0 || !a.confirmed || !IsActive(a.state_at_cutoff)) continue;
    for (size_t j = 0; j < i; ++j) {
      const EnrolmentFact& b = person.enrolments[j];
      int other = rules.TypeOf(b.scheme);
      if (other < 0 || !b.confirmed || !IsActive(b.state_at_cutoff)) continue;
      Branch branch = rules.type_branches[static_cast<size_t>(type)];
      if (branch != rules.type_branches[static_cast<size_t>(other)]) continue;
      Date began = std::max(a.enrolled_on, b.enrolled_on);
      if (began.has_value()) {
        int months = rules.cutoff.month_index() - began.month_index() -
                     (rules.cutoff.day() < began.day() ? 1 : 0);
        if (months < rules.min_overlap_months) continue;
      }
      bool pension = branch == Branch::kPension;
      bool both_drawn = pension && a.state_at_cutoff == State::kReceiving &&
                        b.state_at_cutoff == State::kReceiving;
      if (type != other) {
        found |= pension ? kPensionCrossScheme : kMedicalCrossScheme;
        if (both_drawn) found |= kPensionBenefitCrossScheme;
      } else if (a.region != 0 && b.region != 0 &&
                 rules.PoolingRegion(a.region, a.scheme) !=
                     rules.PoolingRegion(b.region, b.scheme)) {
        found |= pension ? kPensionCrossRegion : kMedicalCrossRegion;
        if (both_drawn) found |= kPensionBenefitCrossRegion;
      }
    }
  }
  return found;
}

// Every condition is computed and masked: which of them fails differs from person to person.
uint8_t UncoveredBranches(uint32_t flags, Date birth, uint8_t branches, const Rules& rules) {
  bool of_any_age = !birth.has_value() & rules.unknown_birth_is_of_age;
  unsigned uncovered = 0;
  for (int i = 0; i < kBranches; ++i) {
    const Obligation& o = rules.obligations[static_cast<size_t>(i)];
    bool within = false;
    for (int k = 0; k < o.alternatives; ++k) {
      uint32_t mask = o.within[static_cast<size_t>(k)];
      within |= (flags & mask) == mask;
    }
    bool of_age = of_any_age | (birth.has_value() & (birth.v <= o.born_until.v));
    bool exempt = (flags & o.exempt) != 0;
    uncovered |= static_cast<unsigned>(within & of_age & !exempt) << i;
  }
  return static_cast<uint8_t>(uncovered & ~unsigned{branches});
}

// The newest day of what shows `flag`; compared with the day of a survey only.
Date DateOfReason(uint32_t flag, const PersonFacts& person, const Rules& rules) {
  Date newest;
  for (const EvidenceFact& e : person.evidence) {
    if (FlagOf(e, rules) == flag) newest = std::max(newest, e.from);
  }
  if (flag == kD && person.in_register && person.management == Management::kDead) {
    newest = std::max(newest, person.changed_on);
  }
  if (flag == kInterruptedAny) {
    for (const EnrolmentFact& e : person.enrolments) {
      if (!e.confirmed || e.state_at_cutoff != State::kInterrupted) continue;
      newest = std::max({newest, e.enrolled_on, e.ended_on <= rules.cutoff ? e.ended_on : Date{}});
    }
  }
  return newest;
}

// Column 16..26 or 1..15 (found insured elsewhere) of a person without an active enrolment.
uint8_t ReasonColumn(uint32_t flags, const Evidence& evidence, const PersonFacts& person,
                     const Rules& rules) {
  const EvidenceFact* survey = evidence.survey;
  bool survey_speaks = survey != nullptr && survey->code > 0 && survey->code <= 26;
  for (const Reason& reason : rules.reasons) {
    if ((flags & reason.flag) == 0) continue;
    // A reviewed survey result beats evidence of the same or older date.
    if (survey_speaks && DateOfReason(reason.flag, person, rules) <= survey->from) continue;
    return reason.column;
  }
  return survey_speaks ? survey->code : kNotYetVerified;
}

bool IsVerified(uint32_t flags, const Evidence& evidence, const Rules& rules) {
  if (evidence.survey != nullptr) {
    uint8_t code = evidence.survey->code;
    if (code < 16 || (code <= 26 && (rules.survey_verified >> code & 1) != 0)) return true;
  }
  uint32_t confirmed = evidence.confirmed & rules.confirmable;
  if (confirmed == 0) return false;
  uint32_t exact = evidence.exact_flags | (flags & kD);
  for (const Reason& reason : rules.reasons) {
    if ((confirmed >> reason.column & 1) != 0 && (exact & reason.flag) != 0) return true;
  }
  return false;
}

// Where the person counts below the province (rules.md §5).
void Place(uint32_t flags, const Evidence& evidence, const Enrolled& enrolled,
           const PersonFacts& person, const Rules& rules, Classification* out) {
  if ((flags & kH) != 0) {
    out->county = person.hukou.county();
    out->city = rules.CityOf(out->county);
    return;
  }
  if ((flags & kL) != 0) {
    const EnrolmentFact& e = *enrolled.local;
    uint32_t region = e.region == 0 ? rules.province : e.region;
    out->city = rules.CityOf(region);
    if (region % 100 != 0) {  // the agency of a county
      out->county = region;
      return;
    }
    // An agency of a city or of the province: the employer's county, else the residence, as far as
    // they are its own; else 市本级 or 省本级, a county of its own.
    bool whole_province = region == rules.province;
    for (uint32_t county : {e.employer_county, evidence.residence}) {
      if (county == 0 || county % 100 == 0) continue;
      bool own = whole_province ? rules.IsHere(county) : rules.CityOf(county) == out->city;
      if (!own) continue;
      out->county = county;
      if (whole_province) out->city = rules.CityOf(county);
      return;
    }
    out->county = region;
    return;
  }
  if ((flags & kW) != 0) {
    out->county = evidence.employer_county != 0 ? evidence.employer_county : evidence.residence;
    if (out->county != 0) out->city = rules.CityOf(out->county);
  }
}

}  // namespace

State StateAt(const EnrolmentFact& e, Date cutoff, bool* contradiction) {
  *contradiction = false;
  if (e.state == State::kUnmapped || e.state == State::kNotEnrolled) return e.state;
  if (e.enrolled_on > cutoff) return State::kNotEnrolled;
  if (e.insured_year != 0) {
    int year = cutoff.year();
    if (e.insured_year > year) return State::kNotEnrolled;
    if (e.insured_year < year && IsActive(e.state)) return State::kTerminated;
  }
  if (e.ended_on.has_value()) {
    if (e.state == State::kTerminated) {
      return e.ended_on > cutoff ? State::kContributing : State::kTerminated;
    }
    if (IsActive(e.state) && e.ended_on <= cutoff) {
      *contradiction = true;
      return State::kTerminated;
    }
  }
  return e.state;
}

Classification Classify(const PersonFacts& person, const Rules& rules) {
  Classification out;
  Evidence evidence = ReadEvidence(person, rules);
  Enrolled enrolled = ReadEnrolments(person, rules);
  uint32_t flags = evidence.flags | (enrolled.flags & ~(kL | kE));
  if (evidence.civil_employer) flags |= kCivilServant;

  if (person.in_register) {
    // What happened after the cut-off has not happened yet.
    bool changed_later = person.changed_on > rules.cutoff;
    Management management = changed_later ? Management::kManaged : person.management;
    if (management == Management::kDead) flags |= kD;
    if (management == Management::kManaged && rules.IsHere(person.hukou.county())) flags |= kH;
  }
  bool alive = (flags & kD) == 0;
  if (alive) {
    flags |= enrolled.flags & (kL | kE);
  } else {
    if ((flags & kH) != 0) flags |= kDeregister;
    if (enrolled.branches != 0) flags |= kStopBenefit;
  }

  Date birth = person.birth;
  bool aged = birth.has_value() ? birth <= rules.retired_born_until[static_cast<size_t>(person.sex)]
                                : !rules.unknown_birth_is_of_age;
  if (aged) flags |= kAged;
  if ((flags & kStudent) != 0 && birth.has_value() && birth <= rules.student25_born_until) {
    flags |= kStudent25;
  }
  if (alive && person.confirmed && !aged && (flags & kStudent) == 0 && !enrolled.draws_pension &&
      (enrolled.works || (flags & (kTaxed | kFiled)) != 0)) {
    flags |= kW;
  }

  if ((flags & (kH | kL | kE)) == kH) {
    flags |= kToVerify;
    if (IsVerified(flags, evidence, rules)) flags |= kVerified;
  } else if ((flags & (kH | kL)) == kH) {
    flags |= kElsewhere;
  }

  if ((flags & (kH | kL)) != 0) {
    if ((flags & kToVerify) != 0) {
      out.form_2_2 = ReasonColumn(flags, evidence, person, rules);
      if (out.form_2_2 < 16) flags |= kSurveyInsured;
    } else {
      uint8_t resident = rules.resident_column[enrolled.resident_set];
      out.form_2_2 = rules.employee_column[enrolled.employee_set];
      if (out.form_2_2 == kNoColumn) {
        out.form_2_2 = resident;
      } else {
        out.both_classes = resident;
      }
    }
    if (alive) {
      out.duplicates = rules.min_overlap_months == 0 ? DuplicatesAtOnce(enrolled, rules)
                                                     : DuplicatesOverlapping(person, rules);
      if (evidence.double_settlement) out.duplicates |= kMedicalBenefitCrossScheme;
    }
  }
  if ((flags & kSurveyInsured) == 0) {
    out.uncovered = UncoveredBranches(flags, birth, enrolled.branches, rules);
  }
  out.flags = flags;
  out.branches_anywhere = enrolled.branches;
  Place(flags, evidence, enrolled, person, rules, &out);
  return out;
}

void ApplyCases(uint16_t dismissed, uint16_t consolidated, Classification* c) {
  if ((c->flags & (kH | kL)) == 0) return;
  c->duplicates = static_cast<uint16_t>((c->duplicates & ~dismissed) | consolidated |
                                        consolidated << kConsolidatedShift);
}

}  // namespace canbao::scheme
