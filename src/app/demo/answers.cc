#include "app/demo/answers.h"

#include <algorithm>

namespace canbao::demo {
namespace {

constexpr uint32_t kWageFrom = 201707;  // the cut-off's month and the two before
constexpr uint32_t kWageTo = 201709;

bool Active(DemoState s) {
  return s == DemoState::kContributing || s == DemoState::kReceiving || s == DemoState::kSuspended;
}

bool RunsAtCutoff(uint32_t from, uint32_t until) {
  return from <= kCutoff && (until == 0 || until > kCutoff);
}

// The branch's scheme types: 390 and 391 are one.
int TypeOf(uint16_t scheme) { return scheme == 391 ? 390 : scheme; }

// The pooling region for duplicates: the city, or the other province as a whole.
uint32_t PoolOf(const Enrolment& e) {
  return e.elsewhere ? e.region / 10000 * 10000 : static_cast<uint32_t>(e.city);
}

struct Spread {
  int types = 0;
  bool several_regions = false;
};

// Scheme types and regions of the relations that `use` accepts.
template <typename Use>
Spread SpreadOf(const Enrolment* const* list, int n, Use use) {
  Spread out;
  int types[4];
  for (int i = 0; i < n; ++i) {
    if (!use(*list[i])) continue;
    const int type = TypeOf(list[i]->scheme);
    if (std::find(types, types + out.types, type) == types + out.types && out.types < 4) {
      types[out.types++] = type;
    }
    for (int k = 0; k < i; ++k) {
      if (use(*list[k]) && TypeOf(list[k]->scheme) == type &&
          PoolOf(*list[k]) != PoolOf(*list[i])) {
        out.several_regions = true;
      }
    }
  }
  return out;
}

bool IsPension(const Enrolment& e) { return e.scheme < 200; }
bool IsMedical(const Enrolment& e) {
  return e.scheme == 310 || (e.scheme >= 380 && e.scheme < 400);
}

uint8_t InsuredColumn(bool p, bool m, bool w, bool u, bool b, bool rp, bool rm, bool nc) {
  if (p || m || w || u || b) {
    if (p && m && w && u && b) return 1;
    if (u || b) {
      if (!p && !m && !w && u && !b) return 8;
      if (!p && !m && !w && !u && b) return 9;
      return 10;
    }
    if (p && m) return w ? 2 : 3;
    if (p) return w ? 4 : 5;
    if (m) return w ? 10 : 6;
    return 7;
  }
  if (nc) return rm ? 15 : 14;
  if (rp && rm) return 11;
  return rp ? 12 : 13;
}

}  // namespace

Answer AnswerFor(const Person& person, const RowMask& rows, const World&) {
  Answer a;
  const bool in_register = person.hukou && rows.register_row;
  const bool changed = person.changed_on != 0 && person.changed_on <= kCutoff;
  const DemoManagement management = changed ? person.management : DemoManagement::kManaged;
  a.managed = in_register && management == DemoManagement::kManaged;
  const bool paper = rows.death && person.died_on != 0 && person.died_on <= kCutoff;
  a.alive = !(paper || (in_register && management == DemoManagement::kDead));

  const Enrolment* active[kMaxEnrolments];
  int n = 0;
  bool local = false, elsewhere = false, employee_pension_paid = false, works = false;
  bool civil = false;
  bool p = false, m = false, w = false, u = false, b = false, rp = false, rm = false, nc = false;
  for (int i = 0; i < person.enrolment_count; ++i) {
    const Enrolment& e = person.enrolments[i];
    if ((rows.enrolments >> i & 1) == 0 || e.enrolled_on > kCutoff) continue;
    const bool ended = e.state == DemoState::kTerminated && e.ended_on <= kCutoff;
    if (e.state == DemoState::kInterrupted) a.interrupted = true;
    if (ended || !(Active(e.state) || e.state == DemoState::kTerminated)) continue;
    active[n++] = &e;
    (e.elsewhere ? elsewhere : local) = true;
    switch (e.scheme) {
      case 110:
      case 120:
        p = true;
        break;
      case 310:
        m = true;
        break;
      case 410:
        w = true;
        break;
      case 210:
        u = true;
        break;
      case 510:
        b = true;
        break;
      case 170:
        rp = true;
        break;
      case 380:
        nc = true;
        break;
      default:
        rm = true;
    }
    if ((e.scheme == 110 || e.scheme == 120) &&
        (e.state == DemoState::kReceiving || e.state == DemoState::kSuspended)) {
      employee_pension_paid = true;
    }
    if (e.category == 301) civil = true;
    if (e.employer.given()) {
      const int type = World::EmployerType(e.employer);
      if (type == 30) civil = true;
      if (e.state == DemoState::kContributing && e.category != 102 && type != 91) works = true;
    }
  }
  for (int i = 0; i < person.wage_count; ++i) {
    const WageTax& wage = person.wages[i];
    if ((rows.wages >> i & 1) != 0 && wage.month >= kWageFrom && wage.month <= kWageTo) {
      a.wage = true;
      if (World::EmployerType(wage.employer) == 30) civil = true;
    }
  }
  const bool filed = rows.filing && person.filing_from != 0 && person.filing_from <= kCutoff &&
                     (person.filing_until == 0 || person.filing_until >= kWageFrom * 100 + 1);

  a.student = rows.student && person.student == 1 && person.full_time &&
              (person.school_until == 0 || person.school_until > kCutoff);
  a.prisoner = rows.prison && person.prison_from != 0 &&
               RunsAtCutoff(person.prison_from, person.prison_until);
  const bool army = rows.military && person.military != 0 &&
                    RunsAtCutoff(person.military_from, person.military_until);
  a.soldier = army && person.military == 1;
  a.dependant = army && person.military == 2;
  a.abroad = rows.abroad && person.abroad != 0 && RunsAtCutoff(person.left_on, person.returned_on);

  const bool in_l = a.alive && local;
  const bool in_e = a.alive && elsewhere;
  const bool in_w = a.alive && person.age < (person.sex == 1 ? 60 : 55) && !a.student &&
                    !employee_pension_paid && (works || a.wage || filed);
  a.dead_enrolled = !a.alive && n > 0;
  a.cls = in_l         ? PersonClass::kLocal
          : !a.managed ? PersonClass::kOutOfScope
          : in_e       ? PersonClass::kElsewhere
                       : PersonClass::kToVerify;

  // Uncovered branches.
  if (a.alive) {
    const bool scope = a.managed || (in_l && in_w);
    const bool away = a.soldier || a.dependant || a.abroad || a.prisoner;
    if (scope && !away && person.age >= 16 && !a.student && !(p || rp)) a.uncovered |= 1;
    if (scope && !away && !(m || rm || nc)) a.uncovered |= 2;
    if (in_w && !civil) {
      if (!w) a.uncovered |= 4;
      if (!u) a.uncovered |= 8;
      if (!b) a.uncovered |= 16;
    }
  }

  const bool counted = a.managed || in_l;
  if (counted && a.alive) {
    const Enrolment* pension[kMaxEnrolments] = {};
    const Enrolment* medical[kMaxEnrolments] = {};
    int pensions = 0, medicals = 0;
    for (int i = 0; i < n; ++i) {
      if (IsPension(*active[i])) pension[pensions++] = active[i];
      if (IsMedical(*active[i])) medical[medicals++] = active[i];
    }
    const auto any = [](const Enrolment&) { return true; };
    const auto paid = [](const Enrolment& e) { return e.state == DemoState::kReceiving; };
    const Spread ps = SpreadOf(pension, pensions, any);
    const Spread pb = SpreadOf(pension, pensions, paid);
    const Spread ms = SpreadOf(medical, medicals, any);
    a.duplicates = static_cast<uint8_t>((ps.types > 1 ? 1 : 0) | (ps.several_regions ? 2 : 0) |
                                        (pb.types > 1 ? 4 : 0) | (pb.several_regions ? 8 : 0) |
                                        (ms.types > 1 ? 16 : 0) | (ms.several_regions ? 32 : 0) |
                                        (person.settlements == 2 ? 64 : 0));
  }

  // Form 2-2.
  if (counted) {
    if (a.cls == PersonClass::kToVerify) {
      a.form_2_2 = !a.alive        ? 25
                   : a.soldier     ? 20
                   : a.dependant   ? 21
                   : a.prisoner    ? 23
                   : a.abroad      ? 22
                   : a.student     ? 19
                   : a.interrupted ? 17
                   : a.wage        ? 18
                                   : 27;
    } else {
      a.form_2_2 = InsuredColumn(p, m, w, u, b, rp, rm, nc);
    }
  }

  // Form 2-1.
  auto column = [&](int c, bool in) {
    if (in) a.form_2_1 |= 1u << c;
  };
  column(1, a.managed);
  column(2, in_l);
  column(3, in_l && !a.managed);
  column(4, a.cls == PersonClass::kElsewhere);
  column(5, a.cls == PersonClass::kToVerify);
  column(7, a.uncovered & 1);
  column(8, a.duplicates & 1);
  column(10, a.duplicates & 2);
  column(12, a.duplicates & 4);
  column(14, a.duplicates & 8);
  column(16, a.uncovered & 2);
  column(17, a.duplicates & 16);
  column(19, a.duplicates & 32);
  column(21, a.duplicates & 64);
  column(23, a.uncovered & 4);
  column(24, a.uncovered & 8);
  column(25, a.uncovered & 16);
  return a;
}

StateCodes CodesFor(uint16_t scheme, DemoState state, uint8_t variant) {
  const bool resident = scheme == 170 || (scheme >= 380 && scheme < 400);
  if (resident) {
    switch (state) {
      case DemoState::kContributing:
        return {"1", "1", ""};
      case DemoState::kInterrupted:
        return {"2", "2", ""};
      case DemoState::kReceiving:
        return {"1", "3", ""};
      case DemoState::kSuspended:
        return {"2", "3", ""};
      case DemoState::kTerminated:
        return {"4", variant % 2 == 0 ? "3" : "2", ""};
    }
  }
  static constexpr StateCodes kReceiving[] = {{"2", "3", "1"}, {"2", "1", "1"}, {"2", "", "1"},
                                              {"2", "3", ""},  {"2", "1", ""},  {"2", "", ""}};
  static constexpr StateCodes kTerminated[] = {
      {"4", "3", ""}, {"3", "3", ""}, {"1", "3", ""}, {"2", "3", "3"}};
  switch (state) {
    case DemoState::kContributing:
      return {"1", "1", ""};
    case DemoState::kInterrupted:
      return {"1", "2", ""};
    case DemoState::kReceiving:
      return kReceiving[variant % 6];
    case DemoState::kSuspended:
      return {"2", "3", "2"};
    case DemoState::kTerminated:
      return kTerminated[variant % 4];
  }
  return {"", "", ""};
}

void Counts::Add(const Answer& answer) {
  for (int c = 1; c <= 25; ++c) form_2_1[c] += answer.form_2_1 >> c & 1;
  if (answer.form_2_2 != 0) ++form_2_2[answer.form_2_2];
}

void Counts::Merge(const Counts& other) {
  for (int c = 1; c <= 25; ++c) form_2_1[c] += other.form_2_1[c];
  for (int c = 1; c <= kForm22Columns; ++c) form_2_2[c] += other.form_2_2[c];
}

}  // namespace canbao::demo
