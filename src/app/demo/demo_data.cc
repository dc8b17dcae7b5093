#include "app/demo/demo_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "app/demo/answers.h"
#include "app/demo/geography.h"
#include "app/demo/sheets.h"
#include "app/demo/world.h"
#include "base/interrupt.h"

namespace canbao::demo {
namespace {

constexpr uint64_t kBlockPersons = 8192;
constexpr uint64_t kWorkbookLimit = 200000;  // above it the military list is a CSV file

// Ordinals of a person's rows, so that every row has draws of its own.
enum RowOrdinal : uint32_t {
  kRegisterOrdinal = 0,
  kEnrolmentOrdinal = 10,
  kStudentOrdinal = 50,
  kDeathOrdinal,
  kPrisonerOrdinal,
  kMilitaryOrdinal,
  kAbroadOrdinal,
  kSubsidisedOrdinal,
  kCardOrdinal,
  kPermitOrdinal,
  kRemoteOrdinal,
  kFilingOrdinal,
  kStaffingOrdinal,
  kWageOrdinal,                          // and the next
  kSettlementOrdinal = kWageOrdinal + 2  // and the next
};

constexpr std::string_view kRejectNames[] = {"row_too_few", "row_too_many", "row_required_missing",
                                             "scheme_unknown"};

int RejectIndex(RowDamage damage) {
  switch (damage) {
    case RowDamage::kTooFew:
      return 0;
    case RowDamage::kTooMany:
      return 1;
    case RowDamage::kRequiredMissing:
      return 2;
    case RowDamage::kSchemeUnknown:
      return 3;
    default:
      return -1;
  }
}

struct SheetAccount {
  uint64_t rows = 0;
  uint64_t known[3] = {};  // in the register, in schemes only, unknown; copies not counted
  uint64_t rejected[4] = {};
  void Merge(const SheetAccount& o) {
    rows += o.rows;
    for (int i = 0; i < 3; ++i) known[i] += o.known[i];
    for (int i = 0; i < 4; ++i) rejected[i] += o.rejected[i];
  }
};

struct Interval {
  Counts low, high;
};

// All that is counted on the way; one per worker.
struct Totals {
  Counts all;
  std::vector<Counts> hukou;  // by county, people of H
  Interval good, worst;
  std::array<uint64_t, 4> classes{};
  std::array<uint64_t, 4> managements{};
  uint64_t outside = 0, dead_enrolled = 0, several_numbers = 0, made_by_schemes = 0, unmapped = 0;
  std::vector<SheetAccount> sheets;
  std::map<std::string, uint64_t, std::less<>> errors;
  void Merge(const Totals& o);
};

void Totals::Merge(const Totals& o) {
  all.Merge(o.all);
  for (size_t i = 0; i < hukou.size(); ++i) hukou[i].Merge(o.hukou[i]);
  for (auto [mine, theirs] : {std::pair{&good, &o.good}, std::pair{&worst, &o.worst}}) {
    mine->low.Merge(theirs->low);
    mine->high.Merge(theirs->high);
  }
  for (int i = 0; i < 4; ++i) {
    classes[i] += o.classes[i];
    managements[i] += o.managements[i];
  }
  outside += o.outside;
  dead_enrolled += o.dead_enrolled;
  several_numbers += o.several_numbers;
  made_by_schemes += o.made_by_schemes;
  unmapped += o.unmapped;
  for (size_t i = 0; i < sheets.size(); ++i) sheets[i].Merge(o.sheets[i]);
  for (const auto& [name, n] : o.errors) errors[name] += n;
}

struct TruthRow {
  uint64_t person;
  uint32_t record, line;  // within the block, from 0
  uint16_t sheet;
  std::string_view outcome;
  uint32_t corruption_at, corruption_size;
};

struct SheetBlock {
  std::string text;
  uint64_t rows = 0, lines = 0;
  PackedBlock packed;
  std::vector<std::vector<std::string>> cells;  // of a workbook
};

struct Block {
  std::vector<SheetBlock> sheets;
  std::vector<TruthRow> truth;
  std::string corruptions;
  std::string persons;
  void Clear() {
    for (SheetBlock& s : sheets) {
      s.text.clear();
      s.rows = s.lines = 0;
      s.cells.clear();
    }
    truth.clear();
    corruptions.clear();
    persons.clear();
  }
};

// Lets workers through one after the other, in the order of their blocks.
class Ticket {
 public:
  void Wait(uint64_t number) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return next_ == number; });
  }
  void Pass() {
    {
      std::lock_guard lock(mutex_);
      ++next_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  uint64_t next_ = 0;
};

// What is wrong with the rows of one person, decided before anything is written.
struct PersonDamage {
  Damage register_row;
  Damage enrolments[kMaxEnrolments];
  Damage wages[2];
  Damage student, death, prison, military, abroad, filing;
};

class Generator {
 public:
  Generator(const DemoOptions& options, Geography geography)
      : options_(options),
        geography_(std::move(geography)),
        world_(&geography_, {options.seed, options.slim, options.extras,
                             options.errors != ErrorProfile::kClean}),
        plan_(PlanSheets(geography_, options.seed, options.slim, options.extras,
                         options.persons <= kWorkbookLimit && !options.slim)),
        write_truth_rows_(options.persons <= options.truth_rows_limit) {
    stride_ = options.persons < 4 ? 1 : options.persons * 5 / 8 + 1;
    while (std::gcd(stride_, options.persons) != 1) ++stride_;
  }

  Status Run();

 private:
  struct Worker {
    Block block;
    Totals totals;
    Person person;
    PersonDamage damage;
    RowText row;
    std::string scratch;
  };

  Status Work(Worker* worker);
  Status Commit(uint64_t number, Worker* worker);
  void PersonRows(uint64_t index, Worker* w);
  void RegisterRow(uint64_t index, Worker* w);
  void EmployerRows(Worker* w);
  void PopulationRows(Worker* w);
  void DrawAll(Worker* w) const;
  RowShape ShapeOf(const Sheet& sheet, RowClass cls) const;
  RowMask MaskOf(const Person& p, const PersonDamage& d, int level) const;
  void CountPerson(Worker* w, const Answer& answer, const RowMask& mask, bool in_register);
  void AddToInterval(const Worker& w, const Answer& base, int level, Interval* out) const;
  void Identity(const Sheet& sheet, const Person& p, const Damage& d, Worker* w) const;
  void Emit(int sheet, const Damage& d, RowClass cls, bool about_person, Worker* w);
  void EnrolmentRow(const Enrolment& e, const Damage& d, int ordinal, Worker* w);
  void DepartmentRows(Worker* w);
  void AppendPersonTruth(const Person& p, const Answer& a, bool in_register, Worker* w) const;
  Status WriteManifest(const std::vector<std::string>& digests);
  Status WriteExpected();
  int SheetOf(const Enrolment& e) const;

  const DemoOptions& options_;
  const Geography geography_;
  const World world_;
  const SheetPlan plan_;
  const bool write_truth_rows_;
  uint64_t stride_ = 1;

  std::vector<SheetFile> files_;
  std::vector<std::vector<std::string>> workbook_rows_;
  std::vector<uint64_t> rows_written_, lines_written_;
  std::unique_ptr<SheetFile> persons_file_, rows_file_;
  std::atomic<uint64_t> next_block_{0};
  std::atomic<uint64_t> persons_done_{0};
  std::atomic<bool> failed_{false};
  uint64_t person_blocks_ = 0, blocks_ = 0;
  Ticket commit_, truth_;
  Totals totals_;
  // Of the person at hand, per worker: where the person is known from (SheetAccount::known).
  static thread_local int known_from_;
};

thread_local int Generator::known_from_ = 0;

int Generator::SheetOf(const Enrolment& e) const {
  const auto& list = plan_.enrolment[e.city];
  switch (e.scheme) {
    case 110:
      return list[0];
    case 120:
      return list[1];
    case 170:
      return list[2];
    case 310:
      return list[3];
    case 210:
      return list[4];
    case 410:
      return list[5];
    case 510:
      return list[6];
    case 380:
      return list[8];
    default:
      return list[7];
  }
}

RowShape Generator::ShapeOf(const Sheet& sheet, RowClass cls) const {
  RowShape shape;
  shape.cls = cls;
  shape.birth = cls == RowClass::kEnrolment && sheet.Has(Field::kBirth);
  shape.sex = cls == RowClass::kEnrolment && sheet.Has(Field::kSex);
  shape.scheme = cls == RowClass::kEnrolment && sheet.Has(Field::kScheme);
  return shape;
}

void Generator::DrawAll(Worker* w) const {
  PersonDamage& d = w->damage;
  d = PersonDamage{};
  if (options_.errors == ErrorProfile::kClean) return;
  const Person& p = w->person;
  auto draw = [&](int sheet, RowClass cls, uint32_t ordinal) {
    const RowShape shape = ShapeOf(plan_.sheets[sheet], cls);
    Damage out = DrawDamage(world_, options_.seed, options_.errors, p, ordinal, shape);
    // A sheet row has no number of fields that could be wrong.
    if (plan_.sheets[sheet].xlsx &&
        (out.row == RowDamage::kTooFew || out.row == RowDamage::kTooMany)) {
      out.row = RowDamage::kNone;
    }
    return out;
  };
  if (p.hukou) d.register_row = draw(plan_.register_sheet, RowClass::kRegister, kRegisterOrdinal);
  for (int i = 0; i < p.enrolment_count; ++i) {
    const Enrolment& e = p.enrolments[i];
    const uint32_t ordinal = kEnrolmentOrdinal + static_cast<uint32_t>(i);
    if (e.elsewhere) {
      d.enrolments[i] = draw(plan_.reply, RowClass::kDepartment, ordinal);
      continue;
    }
    const Sheet& sheet = plan_.sheets[SheetOf(e)];
    RowShape shape = ShapeOf(sheet, RowClass::kEnrolment);
    shape.end_date = sheet.Has(Field::kEndedOn) && e.ended_on == 0;
    d.enrolments[i] = DrawDamage(world_, options_.seed, options_.errors, p, ordinal, shape);
  }
  for (int i = 0; i < p.wage_count; ++i) {
    d.wages[i] = draw(plan_.wage, RowClass::kDepartment, kWageOrdinal + static_cast<uint32_t>(i));
  }
  if (p.student != 0) d.student = draw(plan_.student, RowClass::kDepartment, kStudentOrdinal);
  if (p.died_on != 0) d.death = draw(plan_.death, RowClass::kDepartment, kDeathOrdinal);
  if (p.prison_from != 0) d.prison = draw(plan_.prisoner, RowClass::kDepartment, kPrisonerOrdinal);
  if (p.military != 0) d.military = draw(plan_.military, RowClass::kDepartment, kMilitaryOrdinal);
  if (p.abroad != 0) d.abroad = draw(plan_.abroad, RowClass::kDepartment, kAbroadOrdinal);
  if (p.filing_from != 0) d.filing = draw(plan_.filing, RowClass::kDepartment, kFilingOrdinal);
}

// Rows that count at a level: 0 every damaged row linked, 1 those that are not sure lost, 2 every
// row with a damaged number lost.
RowMask Generator::MaskOf(const Person& p, const PersonDamage& d, int level) const {
  const bool in_register = p.hukou && !d.register_row.Rejects();
  const auto counts = [&](const Damage& damage, RowClass cls, const Sheet& sheet) {
    if (damage.Excluded()) return false;
    if (level == 0 || !damage.any()) return true;
    if (MayBeLost(damage, ShapeOf(sheet, cls))) return false;
    return level == 1 || !NumberDamaged(damage);
  };
  const auto department = [&](const Damage& damage, int sheet) {
    return sheet < 0 || counts(damage, RowClass::kDepartment, plan_.sheets[sheet]);
  };
  RowMask mask;
  mask.register_row = in_register;
  for (int i = 0; i < p.enrolment_count; ++i) {
    const Enrolment& e = p.enrolments[i];
    const bool in = e.elsewhere
                        ? department(d.enrolments[i], plan_.reply)
                        : counts(d.enrolments[i], RowClass::kEnrolment, plan_.sheets[SheetOf(e)]);
    if (!in) mask.enrolments &= ~(1u << i);
  }
  for (int i = 0; i < p.wage_count; ++i) {
    if (!department(d.wages[i], plan_.wage)) mask.wages &= ~(1u << i);
  }
  mask.student = department(d.student, plan_.student);
  mask.prison = department(d.prison, plan_.prisoner);
  mask.military = department(d.military, plan_.military);
  mask.abroad = department(d.abroad, plan_.abroad);
  mask.filing = department(d.filing, plan_.filing);
  // A death paper counts only when its outcome is exact.
  const std::string_view death =
      ExpectedOutcome(d.death, ShapeOf(plan_.sheets[plan_.death], RowClass::kDepartment), true);
  mask.death = death == "exact" || (level == 0 && death == "exact|name_variant");
  return mask;
}

// The range of a person's share in every column: from all rows linked to those of `level` lost,
// each lost scheme row or wage then being a person of its own.
void Generator::AddToInterval(const Worker& w, const Answer& base, int level, Interval* out) const {
  const RowMask all = MaskOf(w.person, w.damage, 0);
  const RowMask some = MaskOf(w.person, w.damage, level);
  const uint32_t lost = all.enrolments & ~some.enrolments;
  const uint32_t lost_wages = all.wages & ~some.wages;
  Counts with;
  with.Add(base);
  Counts without;
  without.Add(AnswerFor(w.person, some, world_));
  Counts extra;
  for (int i = 0; i < w.person.enrolment_count; ++i) {
    if ((lost >> i & 1) == 0 || w.person.enrolments[i].elsewhere) continue;
    RowMask one{false, 1u << i, 0, false, false, false, false, false, false};
    Person alone = w.person;
    alone.hukou = false;
    alone.settlements = 0;
    extra.Add(AnswerFor(alone, one, world_));
  }
  for (int i = 0; i < w.person.wage_count; ++i) {
    if ((lost_wages >> i & 1) == 0) continue;
    RowMask one{false, 0, 1u << i, false, false, false, false, false, false};
    Person alone = w.person;
    alone.hukou = false;
    extra.Add(AnswerFor(alone, one, world_));
  }
  for (int c = 1; c <= 25; ++c) {
    const int64_t a = with.form_2_1[c], b = without.form_2_1[c];
    out->low.form_2_1[c] += std::min(a, b);
    out->high.form_2_1[c] += std::max(a, b) + extra.form_2_1[c];
  }
  for (int c = 1; c <= kForm22Columns; ++c) {
    const int64_t a = with.form_2_2[c], b = without.form_2_2[c];
    out->low.form_2_2[c] += std::min(a, b);
    out->high.form_2_2[c] += std::max(a, b) + extra.form_2_2[c];
  }
}

void Generator::CountPerson(Worker* w, const Answer& answer, const RowMask& mask,
                            bool in_register) {
  Totals& t = w->totals;
  t.all.Add(answer);
  ++t.classes[static_cast<int>(answer.cls)];
  if (answer.managed) t.hukou[w->person.county].Add(answer);
  if (in_register) ++t.managements[static_cast<int>(w->person.management)];
  if (answer.dead_enrolled) ++t.dead_enrolled;
  if (answer.cls == PersonClass::kOutOfScope && (answer.uncovered & 0x1C) != 0) ++t.outside;
  bool local = false, several = false;
  for (int i = 0; i < w->person.enrolment_count; ++i) {
    const Enrolment& e = w->person.enrolments[i];
    if ((mask.enrolments >> i & 1) == 0 || e.elsewhere) continue;
    local = true;
    for (int k = 0; k < i; ++k) {
      const Enrolment& o = w->person.enrolments[k];
      several |= (mask.enrolments >> k & 1) != 0 && !o.elsewhere && o.scheme == e.scheme &&
                 o.city == e.city;
    }
  }
  if (several) ++t.several_numbers;
  if (!in_register && local) ++t.made_by_schemes;
  known_from_ = in_register ? 0 : local ? 1 : 2;
  if (options_.errors == ErrorProfile::kClean) return;
  bool damaged = w->damage.death.any();
  for (int i = 0; i < w->person.enrolment_count; ++i) damaged |= w->damage.enrolments[i].any();
  for (const Damage* d :
       {&w->damage.wages[0], &w->damage.wages[1], &w->damage.student, &w->damage.prison,
        &w->damage.military, &w->damage.abroad, &w->damage.filing}) {
    damaged |= d->any();
  }
  if (damaged) {
    AddToInterval(*w, answer, 1, &t.good);
    AddToInterval(*w, answer, 2, &t.worst);
  } else {
    for (Interval* interval : {&t.good, &t.worst}) {
      interval->low.Add(answer);
      interval->high.Add(answer);
    }
  }
}

// Number, name, sex and birth date as this file has them.
void Generator::Identity(const Sheet& sheet, const Person& p, const Damage& d, Worker* w) const {
  RowText& row = w->row;
  row.Clear();
  if (d.number == NumberDamage::kNone) {
    row.Set(Field::kId, p.number());
  } else {
    ApplyNumber(d, p, options_.seed, &w->scratch);
    row.Set(Field::kId, w->scratch);
  }
  if (d.name == NameDamage::kNone) {
    row.Set(Field::kName, p.name.view());
  } else {
    ApplyName(d, p, options_.seed, &w->scratch);
    row.Set(Field::kName, w->scratch);
  }
  if (sheet.Has(Field::kSex)) {
    const bool male = (p.sex == 1) != d.sex_flip;
    row.Set(Field::kSex, sheet.sex_words ? (male ? "男" : "女") : (male ? "1" : "2"));
  }
  if (sheet.Has(Field::kBirth)) {
    row.SetDate(Field::kBirth,
                d.birth == BirthDamage::kNone ? p.birth : ApplyBirth(d, p, options_.seed),
                sheet.date_style);
  }
  if (sheet.Has(Field::kIdType)) {
    static constexpr const char* kTypes[] = {"", "01", "02", "03", "04", "05", "06", "07", "08"};
    row.Set(Field::kIdType, kTypes[p.id_type]);
  }
  if (sheet.Has(Field::kPhone) && p.phone != 0) row.SetNumber(Field::kPhone, p.phone);
}

// Writes the row at hand to its file, twice when the source has it twice.
void Generator::Emit(int index, const Damage& d, RowClass cls, bool about_person, Worker* w) {
  const Sheet& sheet = plan_.sheets[index];
  SheetBlock& block = w->block.sheets[index];
  SheetAccount& account = w->totals.sheets[index];
  if (d.row == RowDamage::kRequiredMissing) {
    w->row.Set(cls == RowClass::kEnrolment && sheet.Has(Field::kState) && d.purpose % 2 == 0
                   ? Field::kState
                   : Field::kName,
               "");
  }
  const int extra = d.row == RowDamage::kTooFew    ? -1 - static_cast<int>(d.purpose % 3)
                    : d.row == RowDamage::kTooMany ? 1 + static_cast<int>(d.purpose % 2)
                                                   : 0;
  std::string_view outcome;
  uint32_t corruption_at = 0, corruption_size = 0;
  if (about_person) {
    const bool in_register = known_from_ == 0;
    outcome = ExpectedOutcome(d, ShapeOf(sheet, cls), in_register);
    if (d.any()) {
      corruption_at = static_cast<uint32_t>(w->block.corruptions.size());
      AppendCorruption(d, &w->block.corruptions);
      corruption_size = static_cast<uint32_t>(w->block.corruptions.size()) - corruption_at;
      const std::string_view names =
          std::string_view(w->block.corruptions).substr(corruption_at, corruption_size);
      for (size_t at = 0; at < names.size();) {
        const size_t plus = std::min(names.find('+', at), names.size());
        const std::string_view name = names.substr(at, plus - at);
        auto it = w->totals.errors.find(name);
        if (it == w->totals.errors.end()) it = w->totals.errors.emplace(name, 0).first;
        ++it->second;
        at = plus + 1;
      }
      if (d.row == RowDamage::kStateUnmapped) ++w->totals.unmapped;
    }
  }
  const int copies = d.row == RowDamage::kDuplicate ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (write_truth_rows_ && about_person) {
      // The mark of a copy stands at the copy only.
      const bool first_of_two = copies == 2 && copy == 0;
      uint32_t size = corruption_size;
      if (first_of_two) {
        constexpr uint32_t kMark = std::string_view("row_duplicate").size();
        size = size > kMark ? size - kMark - 1 : 0;
      }
      w->block.truth.push_back({w->person.index, static_cast<uint32_t>(block.rows),
                                static_cast<uint32_t>(block.lines), static_cast<uint16_t>(index),
                                outcome, corruption_at, size});
    }
    if (sheet.xlsx) {
      std::vector<std::string> cells;
      for (const Column& c : sheet.columns) cells.emplace_back(w->row.Get(c.field));
      block.cells.push_back(std::move(cells));
      ++block.lines;
    } else {
      block.lines += static_cast<uint64_t>(AppendRow(sheet, w->row, extra, &block.text));
    }
    ++block.rows;
    ++account.rows;
    const int reject = RejectIndex(d.row);
    if (reject >= 0) {
      ++account.rejected[reject];
    } else if (about_person && copy == 0) {
      ++account.known[known_from_];
    }
  }
}

void Generator::EnrolmentRow(const Enrolment& e, const Damage& d, int ordinal, Worker* w) {
  const Person& p = w->person;
  const int index = e.elsewhere ? plan_.reply : SheetOf(e);
  const Sheet& sheet = plan_.sheets[index];
  Identity(sheet, p, d, w);
  RowText& row = w->row;
  const StateCodes codes = CodesFor(e.scheme, e.state, e.variant);
  static constexpr const char* kUnmapped[] = {"9", "77", "A1", "注"};
  row.Set(Field::kState, d.row == RowDamage::kStateUnmapped ? kUnmapped[(p.index + ordinal) % 4]
                                                            : codes.enrolment);
  row.Set(Field::kContribution, codes.contribution);
  row.Set(Field::kBenefit, codes.benefit);
  if (sheet.Has(Field::kScheme)) {
    if (d.row == RowDamage::kSchemeUnknown) {
      row.Set(Field::kScheme, p.index % 2 == 0 ? "999" : "1100");
    } else {
      row.SetNumber(Field::kScheme, e.scheme);
    }
  }
  row.SetNumber(Field::kRegion, e.region);
  row.SetDate(Field::kEnrolledOn, e.enrolled_on, sheet.date_style);
  if (e.elsewhere) {
    Emit(index, d, RowClass::kDepartment, true, w);
    return;
  }
  if (sheet.Has(Field::kPersonNo)) {
    // The records of one person in one scheme and city have numbers of their own.
    uint64_t number = 0;
    for (int k = 0; k < ordinal; ++k) {
      const Enrolment& o = p.enrolments[k];
      number += !o.elsewhere && o.scheme == e.scheme && o.city == e.city ? 1 : 0;
    }
    row.SetNumber(
        Field::kPersonNo,
        (static_cast<uint64_t>(e.city) + 1) * 10000000000ULL + (p.index + 1) * 10 + number, 12);
  }
  if (sheet.Has(Field::kFirstMonth)) row.SetNumber(Field::kFirstMonth, e.enrolled_on / 100);
  if (d.row == RowDamage::kDateImpossible) {
    static constexpr const char* kDates[] = {"2015-13-01", "20159999", "0000-00-00"};
    row.Set(Field::kEndedOn, kDates[p.index % 3]);
  } else {
    row.SetDate(Field::kEndedOn, e.ended_on, sheet.date_style);
  }
  if (e.employer.given()) {
    if (sheet.Has(Field::kEmployerNo)) {
      w->scratch.clear();
      world_.AppendEmployerNo(e.employer, &w->scratch);
      row.Set(Field::kEmployerNo, w->scratch);
    }
    if (sheet.Has(Field::kUscc)) {
      w->scratch.clear();
      world_.AppendCreditCode(e.employer, &w->scratch);
      row.Set(Field::kUscc, w->scratch);
    }
    if (sheet.Has(Field::kEmployerName)) {
      row.Set(Field::kEmployerName, world_.EmployerName(e.employer));
    }
  }
  if (e.category != 0) row.SetNumber(Field::kCategory, e.category);
  if (!options_.slim) {
    row.SetNumber(Field::kHukouType, p.hukou_type);
    if (sheet.Has(Field::kAddress)) {
      const Village& village = geography_.counties[p.county].villages[p.village];
      w->scratch = village.address;
      fmt::format_to(std::back_inserter(w->scratch), "{}号", p.house);
      if (p.house % 2 == 0) {
        fmt::format_to(std::back_inserter(w->scratch), "{}幢{}室", p.house % 20 + 1,
                       (p.house % 23 + 1) * 100 + p.house % 4 + 1);
      }
      row.Set(Field::kAddress, w->scratch);
    }
    if (sheet.Has(Field::kRemark)) {
      static constexpr const char* kRemarks[] = {"续保\t窗口",   "a|b",  "转入,见附件",
                                                 "原件\"存档\"", "补缴", "两次\n登记"};
      const uint64_t h = MixBits(p.index * 64 + static_cast<uint64_t>(ordinal)) % 100;
      // A line break inside a field is rarer than the rest.
      if (h < 10) row.Set(Field::kRemark, kRemarks[h % 5]);
      if (h == 10) row.Set(Field::kRemark, kRemarks[5]);
    }
  }
  Emit(index, d, RowClass::kEnrolment, true, w);
}

void Generator::DepartmentRows(Worker* w) {
  const Person& p = w->person;
  const PersonDamage& d = w->damage;
  RowText& row = w->row;
  auto draw = [&](int sheet, uint32_t ordinal) {
    return DrawDamage(world_, options_.seed, options_.errors, p, ordinal,
                      ShapeOf(plan_.sheets[sheet], RowClass::kDepartment));
  };
  auto begin = [&](int sheet, const Damage& damage) -> uint8_t {
    Identity(plan_.sheets[sheet], p, damage, w);
    return plan_.sheets[sheet].date_style;
  };
  auto emit = [&](int sheet, const Damage& damage) {
    Emit(sheet, damage, RowClass::kDepartment, true, w);
  };
  const County& county = geography_.counties[p.county];
  if (p.permit_on != 0 && plan_.permit >= 0) {
    const Damage damage = draw(plan_.permit, kPermitOrdinal);
    const uint8_t style = begin(plan_.permit, damage);
    row.SetNumber(Field::kResidence, county.villages[p.village].code);
    row.Set(Field::kAddress, county.villages[p.village].address);
    row.SetDate(Field::kRegisteredOn, p.permit_on, style);
    emit(plan_.permit, damage);
  }
  if (p.student != 0) {
    static constexpr const char* kStatus[] = {"", "在读", "毕业", "退学"};
    static constexpr const char* kStages[] = {"小学", "初中", "高中",  "中职",
                                              "专科", "本科", "研究生"};
    const uint8_t style = begin(plan_.student, d.student);
    row.Set(Field::kStatus, kStatus[p.student]);
    row.Set(Field::kFullTime, p.full_time ? "是" : "否");
    row.Set(Field::kStage, kStages[p.stage]);
    row.Set(Field::kSchool, fmt::format("{}第{}{}", geography_.cities[county.city].name,
                                        p.index % 80 + 1, p.stage < 4 ? "学校" : "学院"));
    row.SetDate(Field::kFrom, p.school_from, style);
    row.SetDate(Field::kUntil, p.school_until, style);
    emit(plan_.student, d.student);
  }
  if (p.died_on != 0) {
    const uint8_t style = begin(plan_.death, d.death);
    row.SetDate(Field::kFrom, p.died_on, style);
    emit(plan_.death, d.death);
  }
  if (p.prison_from != 0) {
    const uint8_t style = begin(plan_.prisoner, d.prison);
    row.SetDate(Field::kFrom, p.prison_from, style);
    row.SetDate(Field::kUntil, p.prison_until, style);
    emit(plan_.prisoner, d.prison);
  }
  if (p.military != 0) {
    const uint8_t style = begin(plan_.military, d.military);
    row.Set(Field::kWord, p.military == 1 ? "现役" : "随军家属建账");
    row.SetDate(Field::kFrom, p.military_from, style);
    row.SetDate(Field::kUntil, p.military_until, style);
    emit(plan_.military, d.military);
  }
  if (p.abroad != 0) {
    static constexpr const char* kPurposes[] = {"", "留学", "定居", "就业"};
    const uint8_t style = begin(plan_.abroad, d.abroad);
    row.Set(Field::kWord, kPurposes[p.abroad]);
    row.SetDate(Field::kFrom, p.left_on, style);
    row.SetDate(Field::kUntil, p.returned_on, style);
    emit(plan_.abroad, d.abroad);
  }
  for (int i = 0; i < p.wage_count; ++i) {
    begin(plan_.wage, d.wages[i]);
    w->scratch.clear();
    world_.AppendCreditCode(p.wages[i].employer, &w->scratch);
    row.Set(Field::kUscc, w->scratch);
    row.SetNumber(Field::kMonth, p.wages[i].month);
    emit(plan_.wage, d.wages[i]);
  }
  if (p.subsidised != 0 && plan_.subsidised >= 0) {
    static constexpr const char* kWords[] = {"", "残疾", "特困", "建档立卡", "低保"};
    static constexpr const char* kGrades[] = {"一级", "二级", "三级", "四级"};
    const Damage damage = draw(plan_.subsidised, kSubsidisedOrdinal);
    begin(plan_.subsidised, damage);
    row.Set(Field::kWord, kWords[p.subsidised]);
    if (p.subsidised == 1) row.Set(Field::kGrade, kGrades[p.index % 4]);
    if (p.index % 7 == 0) row.Set(Field::kRemark, "转入,见附件");
    emit(plan_.subsidised, damage);
  }
  if (p.card != 0 && plan_.card >= 0) {
    static constexpr const char* kStatus[] = {"", "正常", "挂失", "注销"};
    static constexpr char kLetters[] = "0123456789ABCDEFGHJK";
    const Damage damage = draw(plan_.card, kCardOrdinal);
    const uint8_t style = begin(plan_.card, damage);
    // 20^7 codes, multiplied by a coprime number: unique.
    uint64_t h = (p.index + 1) * 918273647ULL % 1280000000ULL;
    std::string number = fmt::format("{:02}", geography_.cities[county.city].code / 100 % 100);
    for (int i = 0; i < 7; ++i, h /= 20) number += kLetters[h % 20];
    row.Set(Field::kCardNo, number);
    row.SetNumber(Field::kIssuedBy, geography_.cities[county.city].code);
    row.Set(Field::kStatus, kStatus[p.card]);
    row.SetDate(Field::kFrom, p.card_on, style);
    emit(plan_.card, damage);
  }
  if (p.remote_region != 0 && plan_.remote >= 0) {
    static constexpr const char* kWords[] = {"异地安置", "异地长期居住", "常驻异地工作", "转诊"};
    const Damage damage = draw(plan_.remote, kRemoteOrdinal);
    const uint8_t style = begin(plan_.remote, damage);
    row.SetNumber(Field::kRegion, geography_.cities[county.city].code);
    row.SetNumber(Field::kCareRegion, p.remote_region);
    row.Set(Field::kWord, kWords[p.index % 4]);
    row.SetDate(Field::kFrom, p.remote_on, style);
    emit(plan_.remote, damage);
  }
  if (p.filing_from != 0) {
    const uint8_t style = begin(plan_.filing, d.filing);
    w->scratch.clear();
    world_.AppendCreditCode(p.filing_employer, &w->scratch);
    row.Set(Field::kUscc, w->scratch);
    row.SetDate(Field::kFrom, p.filing_from, style);
    row.SetDate(Field::kUntil, p.filing_until, style);
    emit(plan_.filing, d.filing);
  }
  if (p.staffing) {
    const Damage damage = draw(plan_.staffing, kStaffingOrdinal);
    begin(plan_.staffing, damage);
    row.Set(Field::kEmployerName, county.name + "事业单位");
    row.Set(Field::kWord, "事业编制");
    emit(plan_.staffing, damage);
  }
  for (int i = 0; i < p.settlements; ++i) {
    // Settlements stay clean: the figure they give is compared exactly.
    const uint8_t style = begin(plan_.settlement, Damage{});
    row.SetNumber(Field::kScheme, i == 0 ? 310 : 390);
    row.Set(Field::kAdmission, fmt::format("ZY{:011}", p.index + 1));
    row.SetDate(Field::kFrom, 20170510, style);
    row.SetDate(Field::kUntil, 20170518, style);
    row.Set(Field::kPaid, fmt::format("{}.{:02}", 800 + p.index % 9000, p.index % 100));
    emit(plan_.settlement, Damage{});
  }
}

void Generator::AppendPersonTruth(const Person& p, const Answer& a, bool in_register,
                                  Worker* w) const {
  static constexpr const char* kClasses[] = {"local", "elsewhere", "to_verify", "out_of_scope"};
  static constexpr const char* kManagements[] = {"管理中", "死亡", "注销", "迁出"};
  auto join = [](std::string* out, bool in, std::string_view name) {
    if (!in) return;
    if (!out->empty()) *out += ' ';
    *out += name;
  };
  std::string uncovered, duplicates, evidence;
  for (int i = 0; i < 5; ++i) join(&uncovered, a.uncovered >> i & 1, kBranchNames[i]);
  for (int i = 0; i < 7; ++i) join(&duplicates, a.duplicates >> i & 1, kDuplicateNames[i]);
  join(&evidence, !a.alive, "dead");
  join(&evidence, a.student, "student");
  join(&evidence, a.soldier, "soldier");
  join(&evidence, a.dependant, "dependant");
  join(&evidence, a.prisoner, "prisoner");
  join(&evidence, a.abroad, "abroad");
  join(&evidence, a.interrupted, "interrupted");
  join(&evidence, a.wage, "wage_tax");
  const std::string column = a.form_2_2 == 0                ? ""
                             : a.form_2_2 == kForm22Columns ? "not_yet_verified"
                                                            : std::to_string(a.form_2_2);
  fmt::format_to(
      std::back_inserter(w->block.persons),
      "P{:08},{:02},{},{},{},{:08},H{:08},{},{},{},{},{},{},{},{},{},{}\n", p.index + 1, p.id_type,
      p.number(), p.name.view(), p.sex, p.birth, p.index / 4 + 1, p.hukou ? 1 : 0,
      p.hukou ? kManagements[static_cast<int>(p.management)] : "",
      p.hukou ? std::to_string(geography_.counties[p.county].villages[p.village].code) : "",
      in_register ? 1 : 0, a.alive ? 1 : 0, kClasses[static_cast<int>(a.cls)], column, uncovered,
      duplicates, evidence);
}

void Generator::PersonRows(uint64_t index, Worker* w) {
  Person& p = w->person;
  world_.Make(index, &p);
  DrawAll(w);
  const RowMask mask = MaskOf(p, w->damage, 0);
  const Answer answer = AnswerFor(p, mask, world_);
  const bool in_register = mask.register_row;
  CountPerson(w, answer, mask, in_register);
  for (int i = 0; i < p.enrolment_count; ++i) {
    EnrolmentRow(p.enrolments[i], w->damage.enrolments[i], i, w);
  }
  DepartmentRows(w);
  if (write_truth_rows_) AppendPersonTruth(p, answer, in_register, w);
}

void Generator::RegisterRow(uint64_t index, Worker* w) {
  Person& p = w->person;
  world_.MakeCore(index, &p);
  if (!p.hukou) return;
  const Sheet& sheet = plan_.sheets[plan_.register_sheet];
  Damage d;
  if (options_.errors != ErrorProfile::kClean) {
    d = DrawDamage(world_, options_.seed, options_.errors, p, kRegisterOrdinal,
                   ShapeOf(sheet, RowClass::kRegister));
  }
  known_from_ = 0;
  Identity(sheet, p, d, w);
  RowText& row = w->row;
  const Village& village = geography_.counties[p.county].villages[p.village];
  row.SetNumber(Field::kHukouDivision, village.code);
  static constexpr const char* kWords[] = {"管理中", "死亡", "注销", "迁出"};
  // An empty state means 管理中; the full files leave every third empty.
  const bool word = options_.slim || p.management != DemoManagement::kManaged || index % 3 != 0;
  if (word) row.Set(Field::kManagement, kWords[static_cast<int>(p.management)]);
  row.SetDate(Field::kChangedOn, p.changed_on, sheet.date_style);
  if (!options_.slim) {
    row.SetNumber(Field::kEthnicity, p.ethnicity, 2);
    row.Set(Field::kAddress, fmt::format("{}{}号", village.address, p.house));
    row.Set(Field::kHouseholdNo, fmt::format("H{:08}", index / 4 + 1));
    row.SetNumber(Field::kRelation, p.relation, 2);
    row.SetNumber(Field::kHukouType, p.hukou_type);
  }
  Emit(plan_.register_sheet, d, RowClass::kRegister, true, w);
}

void Generator::EmployerRows(Worker* w) {
  for (size_t c = 0; c < geography_.counties.size(); ++c) {
    const County& county = geography_.counties[c];
    for (uint64_t k = 0; k < county.employers; ++k) {
      const EmployerRef employer{static_cast<int32_t>(c), static_cast<uint32_t>(k)};
      const int type = World::EmployerType(employer);
      w->row.Clear();
      w->scratch.clear();
      world_.AppendEmployerNo(employer, &w->scratch);
      w->row.Set(Field::kEmployerNo, w->scratch);
      w->scratch.clear();
      world_.AppendCreditCode(employer, &w->scratch);
      w->row.Set(Field::kUscc, w->scratch);
      w->row.Set(Field::kEmployerName, world_.EmployerName(employer));
      w->row.SetNumber(Field::kUnitType, static_cast<uint64_t>(type));
      w->row.Set(Field::kIndustry, type == 10 ? "C" : "S");
      w->row.SetNumber(Field::kRegion, county.code);
      w->row.SetNumber(Field::kHeadcount, 1 + MixBits(k * 31 + c) % 400);
      Emit(plan_.employer, Damage{}, RowClass::kDepartment, false, w);
    }
  }
}

void Generator::PopulationRows(Worker* w) {
  auto add = [&](uint32_t code, uint64_t population) {
    w->row.Clear();
    w->row.SetNumber(Field::kRegion, code);
    w->row.SetNumber(Field::kYear, 2016);
    w->row.SetNumber(Field::kPopulation, population);
    Emit(plan_.population, Damage{}, RowClass::kDepartment, false, w);
  };
  // 常住人口 is what the statistics say, not the sum of the people of the files.
  add(geography_.province, options_.persons * 97 / 100);
  for (size_t c = 0; c < geography_.cities.size(); ++c) {
    uint64_t sum = 0;
    for (const County& county : geography_.counties) {
      if (county.city == static_cast<int>(c)) sum += county.persons * 97 / 100;
    }
    add(geography_.cities[c].code, sum);
  }
  for (const County& county : geography_.counties) add(county.code, county.persons * 97 / 100);
}

// Blocks 0 .. person_blocks_-1 hold everything but the register, people in a scattered order; the
// rest hold the register, which the police deliver county by county.
Status Generator::Work(Worker* w) {
  w->block.sheets.resize(plan_.sheets.size());
  w->totals.hukou.resize(geography_.counties.size());
  w->totals.sheets.resize(plan_.sheets.size());
  const uint64_t n = options_.persons;
  Status status;
  while (true) {
    const uint64_t number = next_block_.fetch_add(1);
    if (number >= blocks_) return status;
    w->block.Clear();
    if (Interrupted() && !failed_.exchange(true)) status = Fail(InterruptedError());
    if (!failed_) {
      if (number == 0) {
        EmployerRows(w);
        PopulationRows(w);
      }
      const bool of_register = number >= person_blocks_;
      const uint64_t first = (of_register ? number - person_blocks_ : number) * kBlockPersons;
      const uint64_t last = std::min(first + kBlockPersons, n);
      for (uint64_t i = first; i < last; ++i) {
        if (of_register) {
          RegisterRow(i, w);
        } else {
          PersonRows(static_cast<uint64_t>(static_cast<unsigned __int128>(i) * stride_ % n), w);
        }
      }
      for (size_t s = 0; s < plan_.sheets.size(); ++s) {
        if (plan_.sheets[s].gz && !w->block.sheets[s].text.empty()) {
          w->block.sheets[s].packed = PackBlock(w->block.sheets[s].text);
        }
      }
    }
    Status committed = Commit(number, w);
    if (!committed && status) status = std::move(committed);
  }
}

Status Generator::Commit(uint64_t number, Worker* w) {
  Block& block = w->block;
  std::vector<uint64_t> row_base(block.sheets.size()), line_base(block.sheets.size());
  Status status;
  commit_.Wait(number);
  for (size_t s = 0; s < block.sheets.size() && !failed_; ++s) {
    SheetBlock& sheet = block.sheets[s];
    row_base[s] = rows_written_[s];
    line_base[s] = lines_written_[s];
    rows_written_[s] += sheet.rows;
    lines_written_[s] += sheet.lines;
    if (plan_.sheets[s].xlsx) {
      for (auto& cells : sheet.cells) workbook_rows_.push_back(std::move(cells));
    } else if (!sheet.text.empty()) {
      status = plan_.sheets[s].gz ? files_[s].Append(sheet.packed) : files_[s].Append(sheet.text);
      if (!status) failed_ = true;
    }
  }
  if (status && !failed_ && persons_file_ != nullptr && !block.persons.empty()) {
    status = persons_file_->Append(block.persons);
    if (!status) failed_ = true;
  }
  const uint64_t done = persons_done_ += kBlockPersons;
  if (options_.progress && number % 16 == 0) {
    options_.progress(std::min(done / 2, options_.persons), options_.persons);
  }
  commit_.Pass();

  PackedBlock packed;
  if (rows_file_ != nullptr) {
    std::string text;
    text.reserve(block.truth.size() * 64);
    for (const TruthRow& t : block.truth) {
      const Sheet& sheet = plan_.sheets[t.sheet];
      fmt::format_to(std::back_inserter(text), "{},{},{},P{:08},{},{},{}\n", sheet.file,
                     line_base[t.sheet] + t.line + 1, row_base[t.sheet] + t.record + 1,
                     t.person + 1, sheet.kind,
                     std::string_view(block.corruptions).substr(t.corruption_at, t.corruption_size),
                     t.outcome);
    }
    packed = PackBlock(text);
  }
  truth_.Wait(number);
  if (rows_file_ != nullptr && packed.plain_size != 0 && !failed_) {
    Status written = rows_file_->Append(packed);
    if (!written) {
      failed_ = true;
      if (status) status = std::move(written);
    }
  }
  truth_.Pass();
  return status;
}

Status Generator::Run() {
  if (!world_.FitsSequenceNumbers()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0105",
                Msg("人数过多：{0}。一个县一天的出生人数超出顺序码",
                    "too many persons: {0}; a county has more births a day than sequence codes",
                    options_.persons));
  }
  namespace fs = std::filesystem;
  std::error_code ec;
  const fs::path out = options_.out;
  fs::create_directories(out / "truth", ec);
  if (ec) {
    return Fail(Error{ErrorClass::kEnvironment,
                      "CB-APP-0106",
                      Msg("无法建立目录：{0}", "cannot make the folder: {0}", ec.message()),
                      {},
                      options_.out,
                      0,
                      0});
  }
  const size_t sheets = plan_.sheets.size();
  rows_written_.assign(sheets, 0);
  lines_written_.assign(sheets, 1);
  for (size_t s = 0; s < sheets; ++s) {
    const Sheet& sheet = plan_.sheets[s];
    files_.emplace_back((out / sheet.file).string(), sheet.gz);
    if (sheet.xlsx) {
      lines_written_[s] = 3;  // two title rows and the header
      continue;
    }
    CANBAO_TRY(files_[s].Open());
    const std::string header = HeaderLine(sheet);
    CANBAO_TRY(sheet.gz ? files_[s].Append(PackBlock(header)) : files_[s].Append(header));
  }
  if (write_truth_rows_) {
    persons_file_ = std::make_unique<SheetFile>((out / "truth/persons.csv").string(), false);
    rows_file_ = std::make_unique<SheetFile>((out / "truth/rows.csv.gz").string(), true);
    CANBAO_TRY(persons_file_->Open());
    CANBAO_TRY(rows_file_->Open());
    CANBAO_TRY(persons_file_->Append(
        "person,id_type,id_number,name,sex,birth_date,household,hukou_in_province,management,"
        "hukou_division,in_register,alive,class,form_2_2,uncovered,duplicates,evidence\n"));
    CANBAO_TRY(rows_file_->Append(
        PackBlock("file,line,record,person,kind,corruption,expected_outcome\n")));
  }
  person_blocks_ = (options_.persons + kBlockPersons - 1) / kBlockPersons;
  blocks_ = 2 * person_blocks_;
  const int threads = std::clamp(options_.threads, 1, 64);
  std::vector<Worker> workers(threads);
  std::vector<Status> results(threads);
  {
    std::vector<std::jthread> pool;
    for (int t = 0; t < threads; ++t) {
      pool.emplace_back([&, t] { results[t] = Work(&workers[t]); });
    }
  }
  totals_.hukou.resize(geography_.counties.size());
  totals_.sheets.resize(sheets);
  for (int t = 0; t < threads; ++t) {
    if (!results[t]) return Fail(std::move(results[t].error()));
    totals_.Merge(workers[t].totals);
  }

  std::vector<std::string> digests(sheets);
  for (size_t s = 0; s < sheets; ++s) {
    const Sheet& sheet = plan_.sheets[s];
    if (sheet.xlsx) {
      const std::string path = (out / sheet.file).string();
      CANBAO_TRY(
          WriteWorkbook(path, sheet, "现役军人及随军家属名单", "填报单位：武装部", workbook_rows_));
      CANBAO_ASSIGN(digests[s], Sha256OfFile(path));
    } else {
      CANBAO_ASSIGN(digests[s], files_[s].Finish());
    }
  }
  if (write_truth_rows_) {
    CANBAO_ASSIGN(std::string persons_digest, persons_file_->Finish());
    CANBAO_ASSIGN(std::string rows_digest, rows_file_->Finish());
  }
  CANBAO_TRY(WriteExpected());
  return WriteManifest(digests);
}

Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    return Fail(Error{ErrorClass::kEnvironment, "CB-APP-0103", Msg("写入失败", "write failed"),
                      Msg("请检查磁盘空间", "check the free disk space"), path, 0, 0});
  }
  return {};
}

// Written last: a folder without it is no delivery.
Status Generator::WriteManifest(const std::vector<std::string>& digests) {
  std::string text = fmt::format(
      "[delivery]\nprovince = \"{}\"\ncutoff   = 2017-09-30\n"
      "made_at  = 2017-10-08T09:30:00+08:00\n",
      geography_.province);
  for (size_t s = 0; s < plan_.sheets.size(); ++s) {
    const Sheet& sheet = plan_.sheets[s];
    auto out = std::back_inserter(text);
    fmt::format_to(out, "\n[[extract]]\nfile     = \"{}\"\nkind     = \"{}\"\nsource   = \"{}\"\n",
                   sheet.file, sheet.kind, sheet.source);
    fmt::format_to(out, "stage    = \"{}\"\n", sheet.stage);
    if (sheet.region != 0) fmt::format_to(out, "region   = \"{}\"\n", sheet.region);
    if (sheet.manifest_scheme != 0) {
      fmt::format_to(out, "scheme   = \"{}\"\n", sheet.manifest_scheme);
    }
    if (sheet.state_encoding) {
      fmt::format_to(out, "encoding = \"{}\"\n", sheet.gb18030 ? "gb18030" : "utf-8");
    }
    fmt::format_to(out, "scope    = \"full\"\nrows     = {}\n", rows_written_[s]);
    if (options_.digests) fmt::format_to(out, "sha256   = \"{}\"\n", digests[s]);
  }
  return WriteText((std::filesystem::path(options_.out) / "manifest.toml").string(), text);
}

std::string FormJson(const Counts& counts, bool settlements) {
  std::string text = "\"form_2_1\": {";
  for (int c = 1; c <= 25; ++c) {
    text += c == 1 ? "" : ", ";
    text += (c == 21 || c == 22) && !settlements ? fmt::format("\"{}\": null", c)
                                                 : fmt::format("\"{}\": {}", c, counts.form_2_1[c]);
  }
  text += "}, \"form_2_2\": {";
  for (int c = 1; c <= 26; ++c) text += fmt::format("\"{}\": {}, ", c, counts.form_2_2[c]);
  return text + fmt::format("\"not_yet_verified\": {}}}", counts.form_2_2[kForm22Columns]);
}

std::string IntervalJson(const Interval& interval, bool settlements) {
  std::string text = "{\"form_2_1\": {";
  for (int c = 1; c <= 25; ++c) {
    text += c == 1 ? "" : ", ";
    text += (c == 21 || c == 22) && !settlements
                ? fmt::format("\"{}\": null", c)
                : fmt::format("\"{}\": [{}, {}]", c, interval.low.form_2_1[c],
                              interval.high.form_2_1[c]);
  }
  text += "}, \"form_2_2\": {";
  for (int c = 1; c <= 27; ++c) {
    text += fmt::format("{}\"{}\": [{}, {}]", c == 1 ? "" : ", ",
                        c == 27 ? "not_yet_verified" : std::to_string(c), interval.low.form_2_2[c],
                        interval.high.form_2_2[c]);
  }
  return text + "}}";
}

Status Generator::WriteExpected() {
  const Totals& t = totals_;
  const bool settlements = plan_.settlement >= 0;
  const bool clean = options_.errors == ErrorProfile::kClean;
  const auto& f = t.all.form_2_1;
  std::string text = "{\n \"delivery\": {";
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\"province\": \"{}\", \"cities\": [", geography_.province);
  for (size_t c = 0; c < geography_.cities.size(); ++c) {
    fmt::format_to(out, "{}\"{}\"", c == 0 ? "" : ", ", geography_.cities[c].code);
  }
  fmt::format_to(out,
                 "], \"cutoff\": \"2017-09-30\", \"persons\": {}, \"profile\": \"{}\", "
                 "\"columns\": \"{}\", \"seed\": {}}},\n ",
                 options_.persons,
                 clean                                         ? "clean"
                 : options_.errors == ErrorProfile::kRealistic ? "realistic"
                                                               : "hard",
                 options_.slim ? "slim" : "full", options_.seed);
  text += FormJson(t.all, settlements);
  fmt::format_to(
      out,
      ",\n \"checks\": [{{\"check\": \"(2) >= (3)\", \"holds\": {}, \"values\": [{}, {}]}}, "
      "{{\"check\": \"(1) = (2) - (3) + (4) + (5)\", \"holds\": {}, \"values\": [{}, {}]}}, "
      "{{\"check\": \"(5) >= (6)\", \"holds\": {}, \"values\": [{}, {}]}}],\n",
      f[2] >= f[3], f[2], f[3], f[1] == f[2] - f[3] + f[4] + f[5], f[1], f[2] - f[3] + f[4] + f[5],
      f[5] >= f[6], f[5], f[6]);
  fmt::format_to(
      out,
      " \"people\": {{\"class\": {{\"local\": {}, \"elsewhere\": {}, \"to_verify\": {}, "
      "\"out_of_scope\": {}}}, \"management\": {{\"管理中\": {}, \"死亡\": {}, \"注销\": {}, "
      "\"迁出\": {}}}, \"outside_h_and_l_in_columns_23_to_25\": {}}},\n",
      t.classes[0], t.classes[1], t.classes[2], t.classes[3], t.managements[0], t.managements[1],
      t.managements[2], t.managements[3], t.outside);
  fmt::format_to(out,
                 " \"discrepancies\": {{\"dead_people_with_active_enrolment\": {}, "
                 "\"one_person_several_numbers_in_scheme_and_city\": {}}},\n",
                 t.dead_enrolled, t.several_numbers);
  std::vector<Counts> cities(geography_.cities.size());
  for (size_t c = 0; c < geography_.counties.size(); ++c) {
    cities[geography_.counties[c].city].Merge(t.hukou[c]);
  }
  text += " \"hukou_people_by_city\": {";
  for (size_t c = 0; c < cities.size(); ++c) {
    fmt::format_to(out, "{}\n  \"{}\": {{", c == 0 ? "" : ",", geography_.cities[c].code);
    text += FormJson(cities[c], settlements) + "}";
  }
  text += "\n },\n \"hukou_people_by_county\": {";
  for (size_t c = 0; c < t.hukou.size(); ++c) {
    fmt::format_to(out, "{}\n  \"{}\": {{", c == 0 ? "" : ",", geography_.counties[c].code);
    text += FormJson(t.hukou[c], settlements) + "}";
  }
  text += "\n },\n \"tolerance\": {";
  if (clean) {
    text += "\"note\": \"Clean delivery: every figure must be reproduced exactly.\"},\n";
  } else {
    text +=
        "\"note\": \"[low, high]: every damaged row linked to its person, or those of the class "
        "lost, each scheme row or wage then a person of its own.\",\n  \"good\": " +
        IntervalJson(t.good, settlements) +
        ",\n  \"worst\": " + IntervalJson(t.worst, settlements) + "},\n";
  }
  fmt::format_to(out, " \"comparison\": {{\"people_made_by_schemes_only\": {}, \"extracts\": {{",
                 t.made_by_schemes);
  std::array<uint64_t, 4> rejected{};
  for (size_t s = 0; s < plan_.sheets.size(); ++s) {
    const SheetAccount& a = t.sheets[s];
    const Sheet& sheet = plan_.sheets[s];
    fmt::format_to(out, "{}\n  \"{}\": {{\"kind\": \"{}\", \"rows\": {}, \"rejected\": {{",
                   s == 0 ? "" : ",", sheet.file, sheet.kind, a.rows);
    bool first = true;
    for (int i = 0; i < 4; ++i) {
      rejected[i] += a.rejected[i];
      if (a.rejected[i] == 0) continue;
      fmt::format_to(out, "{}\"{}\": {}", first ? "" : ", ", kRejectNames[i], a.rejected[i]);
      first = false;
    }
    text += "}";
    if (static_cast<int>(s) != plan_.employer && static_cast<int>(s) != plan_.population) {
      fmt::format_to(out,
                     ", \"rows_by_person\": {{\"in_register\": {}, \"schemes_only\": {}, "
                     "\"unknown\": {}}}",
                     a.known[0], a.known[1], a.known[2]);
    }
    text += "}";
  }
  text += "\n }},\n \"rejected_by_kind\": {";
  bool first = true;
  for (int i = 0; i < 4; ++i) {
    if (rejected[i] == 0) continue;
    fmt::format_to(out, "{}\"{}\": {}", first ? "" : ", ", kRejectNames[i], rejected[i]);
    first = false;
  }
  fmt::format_to(out, "}},\n \"unmapped_state_rows\": {},\n \"errors_in_rows\": {{", t.unmapped);
  first = true;
  for (const auto& [name, n] : t.errors) {
    fmt::format_to(out, "{}\"{}\": {}", first ? "" : ", ", name, n);
    first = false;
  }
  text += "}\n}\n";
  return WriteText((std::filesystem::path(options_.out) / "truth/expected.json").string(), text);
}

}  // namespace

bool ParseErrorProfile(std::string_view name, ErrorProfile* profile) {
  if (name == "clean") {
    *profile = ErrorProfile::kClean;
  } else if (name == "realistic") {
    *profile = ErrorProfile::kRealistic;
  } else if (name == "hard") {
    *profile = ErrorProfile::kHard;
  } else {
    return false;
  }
  return true;
}

Status GenerateDelivery(const DemoOptions& options) {
  if (options.persons < 100 || options.persons > 100000000) {
    return Fail(
        ErrorClass::kUsage, "CB-APP-0107",
        Msg("人数应在 100 到 1 亿之间：{0}",
            "the number of persons must lie between 100 and 100 million: {0}", options.persons));
  }
  const int max_cities = options.persons < 20000 ? 3 : 1000;
  CANBAO_ASSIGN(Geography geography, MakeGeography(options.data_dir, options.province,
                                                   options.persons, options.seed, max_cities));
  Generator generator(options, std::move(geography));
  return generator.Run();
}

}  // namespace canbao::demo
