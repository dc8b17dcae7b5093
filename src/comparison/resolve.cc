#include "comparison/resolve.h"

#include <algorithm>

namespace canbao::comparison {
namespace {

using extract::Kind;
using identity::NameAgreement;
using identity::NameCode;
using identity::NumberClass;
using identity::PersonNumber;
using identity::Sex;

// A row that its own number did not bring here: a repair did, its personal number or its score.
bool IsJoined(const Record& r) {
  if (r.is_probable) return true;
  return (r.number_class == NumberClass::kDamaged || r.number_class == NumberClass::kMissing) &&
         !IsProvisionalKey(r.key);
}
bool MakesPerson(const Record& r) { return extract::MakesPerson(static_cast<Kind>(r.kind)); }

void Folded(const Record& r, identity::FoldedName* out) {
  NameCode code{r.name};
  if (!code.has_value()) {
    out->length = 0;
  } else if (code.is_hash()) {
    identity::FoldName(r.Text(TextTag::kName), out);
  } else {
    identity::Unpack(code, out);
  }
}

NameAgreement CompareNamesOf(const Record& a, const Record& b) {
  if (a.name == b.name) return NameAgreement::kExact;
  identity::FoldedName fa;
  identity::FoldedName fb;
  Folded(a, &fa);
  Folded(b, &fb);
  return identity::CompareNames(fa, fb);
}

bool BirthContradicts(Date a, Date b) { return a.has_value() && b.has_value() && a != b; }
bool SexContradicts(Sex a, Sex b) { return a != Sex::kUnknown && b != Sex::kUnknown && a != b; }

// The row's own fields do not deny its number.
bool IsUsable(const Record& r) {
  if (IsProvisionalKey(r.key) || IsJoined(r)) return false;
  PersonNumber n{r.key};
  return !n.is_citizen() || !BirthContradicts(r.birth, identity::BirthDateOf(n));
}

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  static constexpr std::string_view kNames[] = {"",          "baseline", "exact",    "name_variant",
                                                "repaired",  "probable", "conflict", "unlinked",
                                                "superseded"};
  return kNames[static_cast<size_t>(outcome)];
}

Agreement Compare(const Record& a, const Record& b) {
  switch (CompareNamesOf(a, b)) {
    case NameAgreement::kExact:
      return Agreement::kSameName;
    case NameAgreement::kAlike:
      return Agreement::kAlikeName;
    case NameAgreement::kUnlike:
      break;
  }
  bool birth_equal = a.birth.has_value() && a.birth == b.birth;
  if (birth_equal && !SexContradicts(a.sex, b.sex)) return Agreement::kNameChanged;
  return Agreement::kContradict;
}

bool Agrees(const Record& row, const Record& reference, Date birth, Sex sex) {
  return CompareNamesOf(row, reference) != NameAgreement::kUnlike &&
         !BirthContradicts(row.birth, birth) && !SexContradicts(row.sex, sex);
}

Resolution Resolver::Resolve(std::span<const Record> rows, std::vector<Outcome>* outcomes) {
  outcomes->assign(rows.size(), Outcome::kNone);
  Resolution r =
      std::any_of(rows.begin(), rows.end(), [](const Record& row) { return IsRegister(row.kind); })
          ? ResolveByRegister(rows, outcomes)
          : ResolveByMajority(rows, outcomes);
  for (size_t i = 0; i < rows.size(); ++i) {
    Outcome& o = (*outcomes)[i];
    if (IsJoined(rows[i])) {
      Outcome joined = rows[i].is_probable ? Outcome::kProbable : Outcome::kRepaired;
      o = r.has_person ? joined : Outcome::kUnlinked;
    } else if (rows[i].number_class == NumberClass::kUpgraded15 &&
               (o == Outcome::kExact || o == Outcome::kNameVariant)) {
      o = Outcome::kRepaired;  // the source should correct its 15-digit number
    }
  }
  if (r.has_person) Prevail(rows, *outcomes, &r);
  return r;
}

Resolution Resolver::ResolveByRegister(std::span<const Record> rows,
                                       std::vector<Outcome>* outcomes) {
  Resolution r;
  int first = -1;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsRegister(rows[i].kind)) continue;
    if (first < 0) {
      first = static_cast<int>(i);
    } else if (Compare(rows[static_cast<size_t>(first)], rows[i]) == Agreement::kContradict) {
      // Two people in the register under one number: nobody can be told from it.
      std::fill(outcomes->begin(), outcomes->end(), Outcome::kConflict);
      return r;
    }
  }
  r.has_person = r.in_register = r.confirmed = r.verified = true;
  r.maker = r.reference = first;
  const Record& reference = rows[static_cast<size_t>(first)];
  for (size_t i = 0; i < rows.size(); ++i) {
    if (IsRegister(rows[i].kind)) {
      (*outcomes)[i] = Outcome::kBaseline;
      continue;
    }
    if (IsJoined(rows[i])) continue;
    switch (Compare(reference, rows[i])) {
      case Agreement::kSameName:
        (*outcomes)[i] = Outcome::kExact;
        break;
      case Agreement::kAlikeName:
      case Agreement::kNameChanged:
        (*outcomes)[i] = Outcome::kNameVariant;
        break;
      case Agreement::kContradict:
        (*outcomes)[i] = Outcome::kConflict;
        break;
    }
  }
  return r;
}

Resolution Resolver::ResolveByMajority(std::span<const Record> rows,
                                       std::vector<Outcome>* outcomes) {
  Resolution r;
  size_t n = rows.size();
  leader_.resize(n);
  for (size_t i = 0; i < n; ++i) leader_[i] = static_cast<int>(i);
  auto find = [this](int i) {
    while (leader_[static_cast<size_t>(i)] != i) i = leader_[static_cast<size_t>(i)];
    return i;
  };
  // Groups of rows that agree with each other, directly or through others. Rows of one number are
  // few; equal names, the rule, cost one compare.
  for (size_t i = 1; i < n; ++i) {
    if (IsJoined(rows[i])) continue;
    for (size_t j = 0; j < i; ++j) {
      if (IsJoined(rows[j])) continue;
      int a = find(static_cast<int>(i));
      int b = find(static_cast<int>(j));
      if (a != b && Compare(rows[j], rows[i]) != Agreement::kContradict) {
        leader_[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
      }
    }
  }
  // The largest group owns the number; a tie makes all conflict.
  members_.assign(n, 0);
  for (size_t i = 0; i < n; ++i) {
    if (!IsJoined(rows[i])) ++members_[static_cast<size_t>(find(static_cast<int>(i)))];
  }
  int winner = -1;
  bool tie = false;
  for (size_t i = 0; i < n; ++i) {
    if (members_[i] == 0) continue;
    if (winner < 0 || members_[i] > members_[static_cast<size_t>(winner)]) {
      winner = static_cast<int>(i);
      tie = false;
    } else if (members_[i] == members_[static_cast<size_t>(winner)]) {
      tie = true;
    }
  }
  if (tie) {
    std::fill(outcomes->begin(), outcomes->end(), Outcome::kConflict);
    return r;
  }
  for (size_t i = 0; i < n; ++i) {
    if (IsJoined(rows[i])) continue;
    if (find(static_cast<int>(i)) != winner) {
      (*outcomes)[i] = Outcome::kConflict;
      continue;
    }
    (*outcomes)[i] = Outcome::kUnlinked;
    if (r.maker < 0 && MakesPerson(rows[i])) r.maker = static_cast<int>(i);
    if (MakesPerson(rows[i]) && IsUsable(rows[i])) r.confirmed = true;
  }
  // Departments alone make nobody; a row that its score brought to their number does.
  for (size_t i = 0; i < n && r.maker < 0; ++i) {
    if (!rows[i].is_probable || !MakesPerson(rows[i])) continue;
    r.maker = static_cast<int>(i);
    r.confirmed = true;
  }
  if (r.maker < 0) return r;
  r.has_person = true;

  // The name that most sources give prevails, then the one seen first. A source is one extract
  // here: files of one system repeat one entry.
  size_t best = 0;
  for (size_t i = 0; i < n; ++i) {
    if ((*outcomes)[i] != Outcome::kUnlinked) continue;
    size_t sources = 0;
    int last = -1;
    for (size_t j = 0; j < n; ++j) {
      if ((*outcomes)[j] == Outcome::kUnlinked && rows[j].name == rows[i].name &&
          rows[j].extract != last) {
        ++sources;
        last = rows[j].extract;
      }
    }
    if (sources > best) {
      best = sources;
      r.reference = static_cast<int>(i);
    }
  }
  const Record& reference = rows[static_cast<size_t>(r.reference)];
  bool provisional = IsProvisionalKey(rows[0].key);
  for (size_t i = 0; i < n; ++i) {
    if ((*outcomes)[i] != Outcome::kUnlinked || static_cast<int>(i) == r.maker) continue;
    // Rows of a provisional person were never matched by a number.
    if (!provisional) {
      (*outcomes)[i] = rows[i].name == reference.name ? Outcome::kExact : Outcome::kNameVariant;
    }
    const Record& maker = rows[static_cast<size_t>(r.maker)];
    if (rows[i].extract != maker.extract && rows[i].name == maker.name &&
        rows[i].birth.has_value() && rows[i].birth == maker.birth) {
      r.verified = !provisional;
    }
  }
  return r;
}

void Resolver::Prevail(std::span<const Record> rows, const std::vector<Outcome>& outcomes,
                       Resolution* r) {
  const Record& reference = rows[static_cast<size_t>(r->reference)];
  PersonNumber number{reference.key};
  r->birth = reference.birth;
  r->sex = reference.sex;
  if (!r->in_register) {
    // Most extracts, the number's own date and sex winning a tie.
    Date from_number = identity::BirthDateOf(number);
    Sex sex_from_number = identity::SexOf(number);
    size_t best = 0;
    int males = 0;
    int females = 0;
    Date birth;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (outcomes[i] == Outcome::kConflict || outcomes[i] == Outcome::kNone) continue;
      males += rows[i].sex == Sex::kMale;
      females += rows[i].sex == Sex::kFemale;
      if (!rows[i].birth.has_value()) continue;
      size_t votes = 0;
      for (size_t j = 0; j < rows.size(); ++j) {
        votes += outcomes[j] != Outcome::kConflict && rows[j].birth == rows[i].birth;
      }
      if (votes > best || (votes == best && rows[i].birth == from_number)) {
        best = votes;
        birth = rows[i].birth;
      }
    }
    r->birth = birth;
    r->sex = males == females ? sex_from_number : (males > females ? Sex::kMale : Sex::kFemale);
  }
  if (!r->birth.has_value()) r->birth = identity::BirthDateOf(number);
  if (r->sex == Sex::kUnknown) r->sex = identity::SexOf(number);
}

}  // namespace canbao::comparison
