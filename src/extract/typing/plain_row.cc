#include "extract/typing/plain_row.h"

#include <cstddef>
#include <cstring>

#include "extract/typing/digits.h"
#include "identity/credit_code.h"
#include "scheme/scheme.h"

namespace canbao::extract {
namespace {

using identity::NumberClass;

// Regions by slot: the one that the row counts in, one that must be known, one that need not be.
enum : uint8_t { kKnownRegion, kOwnRegion, kAnyRegion };

// Texts that hold no Chinese in practice: they say nothing about whether a piece should be checked
// as a whole.
bool IsCodeLike(Field field) {
  return field == Field::kPersonNo || field == Field::kEmployerNo || field == Field::kPhone ||
         field == Field::kHouseholdNo || field == Field::kCardNo;
}

// The months of 1880..2058 with their first days and lengths: a day costs two loads.
class Calendar {
 public:
  Calendar() {
    for (int i = 0; i < kMonths; ++i) {
      int year = kFirstYear + i / 12;
      first_[static_cast<size_t>(i)] = Date::FromYmd(year, i % 12 + 1, 1).v;
      for (int day = 28; day <= 31; ++day) {
        if (IsRealDay(year, i % 12 + 1, day))
          days_[static_cast<size_t>(i)] = static_cast<uint8_t>(day);
      }
    }
  }
  // Eight bytes; missing unless they are a real day of these years, as YYYYMMDD.
  Date Day(const char* p) const {
    uint64_t v;
    std::memcpy(&v, p, 8);
    if (!AreDigits(v)) return {};
    v = DigitPairs(v);
    return Day(static_cast<uint32_t>((v & 0xFF) * 100 + (v >> 16 & 0xFF)),
               static_cast<uint32_t>(v >> 32 & 0xFF), static_cast<uint32_t>(v >> 48));
  }
  Date Day(uint32_t year, uint32_t month, uint32_t day) const {
    uint32_t at = (year - kFirstYear) * 12 + month - 1;
    if (year < kFirstYear || at >= kMonths || month - 1 > 11 || day - 1 >= days_[at]) return {};
    return Date{static_cast<uint16_t>(first_[at] + day - 1)};
  }

 private:
  static constexpr int kFirstYear = 1880;
  static constexpr int kMonths = 179 * 12;
  std::array<uint16_t, kMonths> first_{};
  std::array<uint8_t, kMonths> days_{};
};
const Calendar kCalendar;

// One to eight digits of a block's text, or UINT32_MAX. A block has padding behind it, so that
// eight bytes may be read wherever a field begins.
inline uint32_t FewDigits(std::string_view text) {
  uint64_t v;
  std::memcpy(&v, text.data(), 8);
  // Noughts in front until there are eight digits.
  const auto missing = static_cast<int>(64 - 8 * text.size());
  if (missing > 0) v = v << missing | 0x3030303030303030u >> (64 - missing);
  return AreDigits(v) ? DigitNumber(v) : UINT32_MAX;
}

template <typename T>
T& Member(Row* row, uint16_t offset) {
  return *reinterpret_cast<T*>(reinterpret_cast<char*>(row) + offset);
}

// "1/2/" for the classes of three states, as RowBuilder writes it: digits, or 10 for an empty one.
class StateTexts {
 public:
  StateTexts() {
    for (size_t i = 0; i < texts_.size(); ++i) {
      Entry& e = texts_[i];
      for (size_t part : {i / 121, i / 11 % 11, i % 11}) {
        if (part < 10) e.text[e.size++] = static_cast<char>('0' + part);
        e.text[e.size++] = '/';
      }
      --e.size;
    }
  }
  std::string_view Of(size_t a, size_t b, size_t c) const {
    const Entry& e = texts_[(a * 11 + b) * 11 + c];
    return {e.text, e.size};
  }

 private:
  struct Entry {
    char text[7] = {};
    uint8_t size = 0;
  };
  std::array<Entry, 11 * 11 * 11> texts_{};
};
const StateTexts kStateTexts;

}  // namespace

PlainRowReader::PlainRowReader(const RecordPlan& plan, Date today, const KnownDivisions* divisions)
    : plan_(plan), mapping_(*plan.mapping), today_(today), divisions_(divisions), numbers_(today) {
  no_state_ = {StateTable::kEmpty, plan.has_contribution ? StateTable::kEmpty : StateTable::kAbsent,
               plan.has_benefit ? StateTable::kEmpty : StateTable::kAbsent};
  // Only rows about persons come by the million.
  if (IsReference(plan.kind)) usable_ = false;
  for (const PlannedColumn& column : plan.planned) AddStep(column);
}

void PlainRowReader::AddStep(const PlannedColumn& column) {
  if (column.has_rivals) usable_ = false;
  Step s;
  s.field = column.field;
  s.column = column.column;
  s.required = column.required_bit != 0;
  const Codes& codes = mapping_.codes;
  auto text = [&s](size_t offset) {
    s.take = Take::kText;
    s.offset = static_cast<uint16_t>(offset);
  };
  auto date = [&s](size_t offset) {
    s.take = Take::kDate;
    s.offset = static_cast<uint16_t>(offset);
    s.may_be_placeholder = false;  // no placeholder is a real day
  };
  auto code = [&s](const CodeTable& table, size_t offset) {
    s.take = Take::kCode;
    s.codes = &table;
    s.offset = static_cast<uint16_t>(offset);
  };
  auto meaning = [&s](const CodeTable& table, Meaning slot) {
    s.take = Take::kMeaning;
    s.codes = &table;
    s.slot = slot;
  };
  auto state = [&](uint8_t slot) {
    s.take = Take::kState;
    s.slot = slot;
  };
  switch (column.field) {
    case Field::kIdNumber:
      s.take = Take::kNumber;
      s.may_be_placeholder = false;  // none of them passes the check digit and the calendar
      break;
    case Field::kIdType:
      s.take = Take::kNumberType;
      break;
    case Field::kName:
      s.take = Take::kName;
      break;
    case Field::kSex:
      code(codes.sex, offsetof(Row, sex));
      break;
    case Field::kBirthDate:
    case Field::kBornOn:
      date(offsetof(Row, birth));
      s.take = Take::kBirth;
      break;
    case Field::kEthnicity:
      code(codes.ethnicity, offsetof(Row, ethnicity));
      break;
    case Field::kHukouDivision:
    case Field::kResidenceDivision:
    case Field::kDivision:
      s.take = Take::kDivision;
      break;
    case Field::kHukouAddress:
    case Field::kResidenceAddress:
    case Field::kAddress:
      text(offsetof(Row, address));
      break;
    case Field::kHouseholdNo:
      text(offsetof(Row, household_no));
      break;
    case Field::kRelation:
      text(offsetof(Row, relation));
      break;
    case Field::kHukouType:
      code(codes.hukou_type, offsetof(Row, hukou_type));
      break;
    case Field::kManagement:
      code(codes.management, offsetof(Row, management));
      break;
    case Field::kChangedOn:
      date(offsetof(Row, changed_on));
      break;
    case Field::kPhone:
      text(offsetof(Row, phone));
      break;
    case Field::kFormerName:
      text(offsetof(Row, former_name));
      break;
    case Field::kFormerIdNumber:
      text(offsetof(Row, former_number));
      break;
    case Field::kMotherIdNumber:
      text(offsetof(Row, mother_number));
      break;
    case Field::kPersonNo:
      text(offsetof(Row, person_no));
      break;
    case Field::kScheme:
      s.take = Take::kScheme;
      has_scheme_ = true;
      break;
    case Field::kEnrolmentState:
      state(0);
      break;
    case Field::kContributionState:
      state(1);
      break;
    case Field::kBenefitState:
      state(2);
      break;
    case Field::kEnrolledOn:
      date(plan_.kind == Kind::kStudent ? offsetof(Row, from) : offsetof(Row, enrolled_on));
      break;
    case Field::kFirstMonth:
      date(offsetof(Row, first_month));
      s.take = Take::kMonth;
      break;
    case Field::kEndedOn:
      date(offsetof(Row, ended_on));
      break;
    case Field::kEmployerNo:
      text(offsetof(Row, employer_no));
      break;
    case Field::kEmployerName:
      text(offsetof(Row, employer_name));
      break;
    case Field::kUscc:
      s.take = Take::kCreditCode;
      break;
    case Field::kRegion:
    case Field::kInsuredRegion:
      s.take = Take::kRegion;
      s.slot = kOwnRegion;
      s.offset = static_cast<uint16_t>(offsetof(Row, region));
      break;
    case Field::kIssuedBy:
      s.take = Take::kRegion;
      s.slot = kAnyRegion;
      s.offset = static_cast<uint16_t>(offsetof(Row, region));
      break;
    case Field::kCareRegion:
      s.take = Take::kRegion;
      s.offset = static_cast<uint16_t>(offsetof(Row, care_region));
      break;
    case Field::kInsuredCategory:
      s.take = Take::kSmallNumber;
      s.offset = static_cast<uint16_t>(offsetof(Row, insured_category));
      break;
    case Field::kInsuredYear:
      s.take = Take::kYear;
      s.offset = static_cast<uint16_t>(offsetof(Row, insured_year));
      break;
    case Field::kStatus:
      if (plan_.kind == Kind::kStudent) {
        meaning(codes.student_status, kStudentStatus);
      } else {
        text(offsetof(Row, category));
      }
      break;
    case Field::kFullTime:
      meaning(codes.truth, kFullTime);
      break;
    case Field::kCategory:
      if (plan_.kind == Kind::kMilitary) {
        s.take = Take::kNothing;  // few rows, and the word is kept as well
      } else {
        text(offsetof(Row, category));
      }
      break;
    case Field::kStage:
    case Field::kPurpose:
      text(offsetof(Row, category));
      break;
    case Field::kSchool:
    case Field::kGrade:
    case Field::kCardNo:
    case Field::kUnit:
    case Field::kCertificateNo:
    case Field::kBatchNo:
      text(offsetof(Row, detail));
      break;
    case Field::kDiedOn:
    case Field::kFrom:
    case Field::kLeftOn:
    case Field::kIssuedOn:
    case Field::kRegisteredOn:
      date(offsetof(Row, from));
      break;
    case Field::kMonth:
      date(offsetof(Row, from));
      s.take = Take::kMonth;
      break;
    case Field::kUntil:
    case Field::kReturnedOn:
    case Field::kGraduatesOn:
      date(offsetof(Row, until));
      break;
    default:
      s.take = Take::kNothing;
      break;
  }
  switch (s.take) {
    case Take::kState:
    case Take::kScheme:
    case Take::kRegion:
    case Take::kDivision:
    case Take::kSmallNumber:
    case Take::kYear:
      s.may_be_placeholder = mapping_.placeholders.MayBeDigits(s.field);
      break;
    case Take::kCode:
    case Take::kMeaning:
      s.may_be_placeholder = false;  // CodeOf() sees to it
      break;
    default:
      break;
  }
  // Two columns of different fields that share a member (grade and school, say) have an order.
  for (const Step& other : steps_) {
    bool kept = s.take == Take::kText || s.take == Take::kDate || s.take == Take::kMonth;
    if (kept && other.take == s.take && other.offset == s.offset) usable_ = false;
  }
  if (s.take == Take::kNothing && s.required) usable_ = false;
  if (s.take == Take::kText && !IsCodeLike(s.field)) has_prose_ = true;
  steps_.push_back(s);
}

int PlainRowReader::CodeOf(Step* step, std::string_view text) const {
  const Placeholders& placeholders = mapping_.placeholders;
  if (text.size() == 1) {
    return placeholders.IsPlaceholder(step->field, text) ? -1 : step->codes->Find(text);
  }
  if (text.size() > 16) return -1;
  CodeMemo seen;
  std::memcpy(seen.text.data(), text.data(), text.size());
  seen.size = static_cast<uint8_t>(text.size());
  CodeMemo& memo = step->memo[(seen.text[0] ^ seen.text[0] >> 17 ^ seen.text[0] >> 41) & 3];
  if (memo.text == seen.text && memo.size == seen.size) return memo.code;
  if (!placeholders.IsPlaceholder(step->field, text)) {
    seen.code = static_cast<int16_t>(step->codes->Find(text));
  }
  memo = seen;
  return memo.code;
}

// Of a value that is not empty.
inline __attribute__((always_inline)) bool PlainRowReader::TakeStep(Step& step,
                                                                    std::string_view text,
                                                                    Row* row) {
  if (step.may_be_placeholder && mapping_.placeholders.IsPlaceholder(step.field, text)) {
    return false;
  }
  switch (step.take) {
    case Take::kNumber:
      if (text.size() != 18 || !numbers_.Parse(text.data(), &row->number.number)) return false;
      row->id_number = text;
      row->number.cls = NumberClass::kValid;
      std::memcpy(row->number.text, text.data(), 18);
      row->number.text[18] = '\0';
      row->number.length = 18;
      return true;
    case Take::kNumberType:
      row->id_type = text;
      return text == "01";
    case Take::kName:
      row->name = text;
      row->name_code = identity::FoldPlainToCode(text);
      return row->name_code.has_value();
    case Take::kText:
      Member<std::string_view>(row, step.offset) = text;
      return true;
    case Take::kDate: {
      Date day = text.size() == 8 ? kCalendar.Day(text.data()) : Date{};
      Member<Date>(row, step.offset) = day;
      return day.has_value();
    }
    case Take::kBirth: {
      row->birth = text.size() == 8 ? kCalendar.Day(text.data()) : Date{};
      return row->birth.has_value() && row->birth <= today_;
    }
    case Take::kMonth: {
      if (text.size() != 6) return false;
      uint32_t ym = FewDigits(text);
      Date day = ym == UINT32_MAX ? Date{} : kCalendar.Day(ym / 100, ym % 100, 1);
      Member<Date>(row, step.offset) = day;
      return day.has_value();
    }
    case Take::kState:
      state_[step.slot] = static_cast<uint8_t>(text[0] - '0');
      return text.size() == 1 && state_[step.slot] < 10;
    case Take::kScheme: {
      if (text.size() != 3) return false;
      uint32_t scheme = FewDigits(text);
      row->scheme = static_cast<scheme::SchemeCode>(scheme);
      return scheme != UINT32_MAX && scheme != 0;
    }
    case Take::kRegion: {
      if (text.size() != 6) return false;
      uint32_t region = FewDigits(text);
      Member<uint32_t>(row, step.offset) = region;
      region_given_ |= step.slot == kOwnRegion;
      if (region == 0 || region == UINT32_MAX) return false;
      return step.slot == kAnyRegion || divisions_ == nullptr || divisions_->IsKnown(region);
    }
    case Take::kDivision:
      row->division = identity::ParseDivision(text);
      return row->division.has_value() &&
             (divisions_ == nullptr || divisions_->IsKnown(row->division.county()));
    case Take::kSmallNumber: {
      if (text.size() > 4) return false;
      uint32_t n = FewDigits(text);
      Member<uint16_t>(row, step.offset) = static_cast<uint16_t>(n);
      return n != UINT32_MAX;
    }
    case Take::kYear: {
      if (text.size() != 4) return false;
      uint32_t n = FewDigits(text);
      Member<uint16_t>(row, step.offset) = static_cast<uint16_t>(n);
      return n >= 1900 && n <= 2200;
    }
    case Take::kCode: {
      int code = CodeOf(&step, text);
      Member<uint8_t>(row, step.offset) = static_cast<uint8_t>(code);
      return code >= 0;
    }
    case Take::kMeaning: {
      int code = CodeOf(&step, text);
      meaning_[step.slot] = code;
      return code >= 0;
    }
    case Take::kCreditCode:
      row->uscc = text;
      return text.size() == 18 && identity::CreditCodeCheck(text.substr(0, 17)) == text[17];
    case Take::kNothing:
      return false;
  }
  return false;
}

bool PlainRowReader::Build(const TextRecord& record, bool text_valid, Row* row) {
  if (record.count() != plan_.columns) return false;
  row->findings = 0;
  row->sheet = 0;
  row->change = Change::kNone;
  row->number.cleaned = false;
  row->number.length = 0;
  region_given_ = false;
  meaning_ = {-1, -1};
  state_ = no_state_;
  for (Step& step : steps_) {
    std::string_view text = record.Raw(step.column);
    if (!text.empty()) {
      if (text[0] == '"') [[unlikely]] {
        // A quoted value without quotes inside is its inside.
        if (text.size() < 2 || text.find('"', 1) != text.size() - 1) return false;
        text = text.substr(1, text.size() - 2);
      }
      if (step.take == Take::kText) {
        if (!text_valid && !IsAscii(text)) return false;
        if (text.size() > RowBuilder::kMaxFieldBytes) return false;
        text = Trim(text);
      }
    }
    if (!text.empty()) {
      if (!TakeStep(step, text, row)) return false;
      continue;
    }
    if (step.required) return false;
    switch (step.take) {
      case Take::kNumber:
        row->id_number = {};
        row->number.cls = NumberClass::kMissing;
        row->number.number = {};
        break;
      case Take::kNumberType:
        row->id_type = {};
        break;
      case Take::kName:
        row->name = {};
        row->name_code = {};
        break;
      case Take::kText:
        Member<std::string_view>(row, step.offset) = {};
        break;
      case Take::kDate:
      case Take::kBirth:
      case Take::kMonth:
        Member<Date>(row, step.offset) = {};
        break;
      case Take::kRegion:
        Member<uint32_t>(row, step.offset) = 0;
        break;
      case Take::kDivision:
        row->division = {};
        break;
      case Take::kSmallNumber:
      case Take::kYear:
        Member<uint16_t>(row, step.offset) = 0;
        break;
      case Take::kCode:
        Member<uint8_t>(row, step.offset) = 0;
        break;
      case Take::kCreditCode:
        row->uscc = {};
        break;
      case Take::kScheme:
        return false;
      case Take::kState:
      case Take::kMeaning:
      case Take::kNothing:
        break;
    }
  }
  switch (plan_.kind) {
    case Kind::kEnrolment:
    case Kind::kNationalReply:
    case Kind::kMedicalSettlement:
      if (!has_scheme_) row->scheme = plan_.scheme;
      if (scheme::StandingOf(row->scheme) == scheme::SchemeStanding::kUnknown) return false;
      if (!region_given_) {
        // Where the column alone says the region, the rules decide.
        if (plan_.region == 0) return false;
        row->region = plan_.region;
      }
      return plan_.kind == Kind::kMedicalSettlement || SetState(row);
    default:
      row->evidence =
          EvidenceOf(plan_.kind, mapping_.codes, meaning_[kStudentStatus], meaning_[kFullTime], -1);
      return true;
  }
}

bool PlainRowReader::SetState(Row* row) const {
  const StateTable* table = row->scheme < plan_.states.size() ? plan_.states[row->scheme] : nullptr;
  if (table == nullptr) return false;
  row->state = table->Of(state_[0], state_[1], state_[2]);
  if (row->state == scheme::State::kUnmapped) return false;
  // An absent state is written like an empty one.
  auto shown = [](uint8_t c) { return c < StateTable::kEmpty ? c : StateTable::kEmpty; };
  row->state_text = kStateTexts.Of(shown(state_[0]), shown(state_[1]), shown(state_[2]));
  return true;
}

}  // namespace canbao::extract
