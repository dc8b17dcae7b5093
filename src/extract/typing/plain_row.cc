#include "extract/typing/plain_row.h"

#include <cstddef>
#include <cstring>

#include "extract/typing/digits.h"
#include "identity/credit_code.h"
#include "scheme/scheme.h"

namespace canbao::extract {
namespace {

using identity::NumberClass;

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
  __attribute__((always_inline)) Date Day(const char* p) const {
    uint64_t v;
    std::memcpy(&v, p, 8);
    if (!AreDigits(v)) return {};
    v = DigitPairs(v);
    return Day(static_cast<uint32_t>((v & 0xFF) * 100 + (v >> 16 & 0xFF)),
               static_cast<uint32_t>(v >> 32 & 0xFF), static_cast<uint32_t>(v >> 48));
  }
  __attribute__((always_inline)) Date Day(uint32_t year, uint32_t month, uint32_t day) const {
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
inline __attribute__((always_inline)) uint32_t FewDigits(const char* text, size_t size) {
  uint64_t v;
  std::memcpy(&v, text, 8);
  // Noughts in front until there are eight digits.
  const auto missing = static_cast<int>(64 - 8 * size);
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

// Eight digits that are a day; missing for anything else.
inline __attribute__((always_inline)) Date DayOf(std::string_view text) {
  return text.size() == 8 ? kCalendar.Day(text.data()) : Date{};
}

// A quoted value without quotes inside is its inside; false where it is more difficult.
inline __attribute__((always_inline)) bool Unquoted(std::string_view* text) {
  if (text->empty() || (*text)[0] != '"') [[likely]]
    return true;
  if (text->size() < 2 || text->find('"', 1) != text->size() - 1) return false;
  *text = text->substr(1, text->size() - 2);
  return true;
}

// At most 16 bytes of a block's text, noughts behind. A block has padding behind it.
inline __m128i FirstBytes(std::string_view text) {
  static constexpr auto kKeep = [] {
    std::array<std::array<uint8_t, 16>, 17> keep{};
    for (size_t n = 0; n <= 16; ++n) {
      for (size_t i = 0; i < n; ++i) keep[n][i] = 0xFF;
    }
    return keep;
  }();
  return _mm_and_si128(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data())),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(kKeep[text.size()].data())));
}

// No more than 16 bytes, all of them ASCII and none a blank or a control.
inline __attribute__((always_inline)) bool IsShortCode(const char* text, size_t size) {
  if (size > 16) return false;
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i shown = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)),
                                         _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20)));
  const auto odd = ~static_cast<uint32_t>(_mm_movemask_epi8(shown));
  return (odd & ((1u << size) - 1)) == 0;
}

}  // namespace

PlainRowReader::PlainRowReader(const RecordPlan& plan, Date today, const KnownDivisions* divisions)
    : plan_(plan), mapping_(*plan.mapping), today_(today), divisions_(divisions), numbers_(today) {
  no_state_ = {StateTable::kEmpty, plan.has_contribution ? StateTable::kEmpty : StateTable::kAbsent,
               plan.has_benefit ? StateTable::kEmpty : StateTable::kAbsent};
  // Only rows about persons come by the million.
  if (IsReference(plan.kind)) usable_ = false;
  has_known_scheme_ =
      scheme::StandingOf(plan.scheme) != scheme::SchemeStanding::kUnknown && plan.scheme != 0;
  for (const PlannedColumn& column : plan.planned) AddColumn(column);
}

void PlainRowReader::AddColumn(const PlannedColumn& column) {
  if (column.has_rivals) usable_ = false;
  bool digits = mapping_.placeholders.MayBeDigits(column.field);
  auto hot = [&](Hot what, bool may_be_placeholder) {
    // Two columns of different fields for one member have an order.
    if (hot_[what].column != kAbsent) usable_ = false;
    hot_[what] = {column.column, column.field, column.required_bit != 0, may_be_placeholder};
  };
  switch (column.field) {
    case Field::kIdNumber:  // no placeholder passes the check digit and the calendar
      return hot(kNumber, false);
    case Field::kName:
      return hot(kName, true);
    case Field::kSex:  // CodeOf() sees to placeholders
      return hot(kSex, false);
    case Field::kBirthDate:
    case Field::kBornOn:  // no placeholder is a real day
      return hot(kBirth, false);
    case Field::kEnrolmentState:
    case Field::kContributionState:
    case Field::kBenefitState: {
      int slot = column.field == Field::kEnrolmentState      ? 0
                 : column.field == Field::kContributionState ? 1
                                                             : 2;
      hot(static_cast<Hot>(kState + slot), false);
      for (char c = '0'; c <= '9'; ++c) {
        if (digits && mapping_.placeholders.IsPlaceholder(column.field, {&c, 1})) continue;
        state_digits_[static_cast<size_t>(slot)] |= static_cast<uint16_t>(1u << (c - '0'));
      }
      return;
    }
    case Field::kEnrolledOn:
      enrolled_offset_ = static_cast<uint16_t>(
          plan_.kind == Kind::kStudent ? offsetof(Row, from) : offsetof(Row, enrolled_on));
      return hot(kEnrolledOn, false);
    case Field::kEndedOn:
      return hot(kEndedOn, false);
    case Field::kPersonNo:
      return hot(kPersonNo, true);
    case Field::kEmployerNo:
      return hot(kEmployerNo, true);
    case Field::kRegion:
    case Field::kInsuredRegion:
      return hot(kRegion, digits);
    case Field::kInsuredCategory:
      return hot(kCategory, digits);
    case Field::kHukouDivision:
    case Field::kResidenceDivision:
    case Field::kDivision:
      return hot(kDivision, digits);
    case Field::kManagement:
      return hot(kManagement, false);
    case Field::kChangedOn:
      return hot(kChangedOn, false);
    default:
      return AddStep(column);
  }
}

void PlainRowReader::AddStep(const PlannedColumn& column) {
  Step s;
  s.field = column.field;
  s.column = column.column;
  s.required = column.required_bit != 0;
  s.may_be_placeholder = true;
  const Codes& codes = mapping_.codes;
  auto member = [&s](Take take, size_t offset) {
    s.take = take;
    s.offset = static_cast<uint16_t>(offset);
  };
  auto code = [&](const CodeTable& table, size_t offset) {
    member(Take::kCode, offset);
    s.codes = &table;
    s.may_be_placeholder = false;  // CodeOf() sees to it
  };
  auto meaning = [&s](const CodeTable& table, Meaning slot) {
    s.take = Take::kMeaning;
    s.codes = &table;
    s.slot = slot;
    s.may_be_placeholder = false;
  };
  auto date = [&](Take take, size_t offset) {
    member(take, offset);
    s.may_be_placeholder = take == Take::kMonth;  // no placeholder is a real day
  };
  auto digits = [&](Take take, size_t offset) {
    member(take, offset);
    s.may_be_placeholder = mapping_.placeholders.MayBeDigits(s.field);
  };
  switch (column.field) {
    case Field::kIdType:
      s.take = Take::kNumberType;
      break;
    case Field::kEthnicity:
      code(codes.ethnicity, offsetof(Row, ethnicity));
      break;
    case Field::kHukouAddress:
    case Field::kResidenceAddress:
    case Field::kAddress:
      member(Take::kText, offsetof(Row, address));
      break;
    case Field::kHouseholdNo:
      member(Take::kText, offsetof(Row, household_no));
      break;
    case Field::kRelation:
      member(Take::kText, offsetof(Row, relation));
      break;
    case Field::kHukouType:
      code(codes.hukou_type, offsetof(Row, hukou_type));
      break;
    case Field::kPhone:
      member(Take::kText, offsetof(Row, phone));
      break;
    case Field::kFormerName:
      member(Take::kText, offsetof(Row, former_name));
      break;
    case Field::kFormerIdNumber:
      member(Take::kText, offsetof(Row, former_number));
      break;
    case Field::kMotherIdNumber:
      member(Take::kText, offsetof(Row, mother_number));
      break;
    case Field::kScheme:
      digits(Take::kScheme, offsetof(Row, scheme));
      has_scheme_ = true;
      break;
    case Field::kFirstMonth:
      date(Take::kMonth, offsetof(Row, first_month));
      break;
    case Field::kEmployerName:
      member(Take::kText, offsetof(Row, employer_name));
      break;
    case Field::kUscc:
      s.take = Take::kCreditCode;
      break;
    case Field::kIssuedBy:
      digits(Take::kRegion, offsetof(Row, region));
      break;
    case Field::kCareRegion:
      digits(Take::kRegion, offsetof(Row, care_region));
      break;
    case Field::kInsuredYear:
      digits(Take::kYear, offsetof(Row, insured_year));
      break;
    case Field::kStatus:
      if (plan_.kind == Kind::kStudent) {
        meaning(codes.student_status, kStudentStatus);
      } else {
        member(Take::kText, offsetof(Row, category));
      }
      break;
    case Field::kFullTime:
      meaning(codes.truth, kFullTime);
      break;
    case Field::kCategory:
      if (plan_.kind == Kind::kMilitary) {
        s.take = Take::kNothing;  // few rows, and the word is kept as well
      } else {
        member(Take::kText, offsetof(Row, category));
      }
      break;
    case Field::kStage:
    case Field::kPurpose:
      member(Take::kText, offsetof(Row, category));
      break;
    case Field::kSchool:
    case Field::kGrade:
    case Field::kCardNo:
    case Field::kUnit:
    case Field::kCertificateNo:
    case Field::kBatchNo:
      member(Take::kText, offsetof(Row, detail));
      break;
    case Field::kDiedOn:
    case Field::kFrom:
    case Field::kLeftOn:
    case Field::kIssuedOn:
    case Field::kRegisteredOn:
      date(Take::kDate, offsetof(Row, from));
      break;
    case Field::kMonth:
      date(Take::kMonth, offsetof(Row, from));
      break;
    case Field::kUntil:
    case Field::kReturnedOn:
    case Field::kGraduatesOn:
      date(Take::kDate, offsetof(Row, until));
      break;
    default:
      s.take = Take::kNothing;
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

int PlainRowReader::CodeOf(Field field, const CodeTable& codes, CodeMemos* memos,
                           std::string_view text) const {
  if (text.size() > 16) return -1;
  const __m128i seen = FirstBytes(text);
  const auto word = static_cast<uint64_t>(_mm_cvtsi128_si64(seen));
  CodeMemo& memo = (*memos)[(word ^ word >> 17 ^ word >> 41) & 3];
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(memo.text, seen)) == 0xFFFF) return memo.code;
  memo.text = seen;
  memo.code = mapping_.placeholders.IsPlaceholder(field, text) ? -1 : codes.Find(text);
  return memo.code;
}

// Of a value that is not empty.
bool PlainRowReader::TakeStep(Step& step, std::string_view text, Row* row) {
  if (IsPlaceholder(step, text)) return false;
  switch (step.take) {
    case Take::kNumberType:
      row->id_type = text;
      return text == "01";
    case Take::kText:
      Member<std::string_view>(row, step.offset) = text;
      return true;
    case Take::kDate: {
      Date day = DayOf(text);
      Member<Date>(row, step.offset) = day;
      return day.has_value();
    }
    case Take::kMonth: {
      if (text.size() != 6) return false;
      uint32_t ym = FewDigits(text.data(), text.size());
      Date day = ym == UINT32_MAX ? Date{} : kCalendar.Day(ym / 100, ym % 100, 1);
      Member<Date>(row, step.offset) = day;
      return day.has_value();
    }
    case Take::kScheme: {
      if (text.size() != 3) return false;
      uint32_t scheme = FewDigits(text.data(), text.size());
      row->scheme = static_cast<scheme::SchemeCode>(scheme);
      return scheme != UINT32_MAX && scheme != 0;
    }
    case Take::kRegion: {
      if (text.size() != 6) return false;
      uint32_t region = FewDigits(text.data(), text.size());
      Member<uint32_t>(row, step.offset) = region;
      if (region == 0 || region == UINT32_MAX) return false;
      return step.field == Field::kIssuedBy || divisions_ == nullptr || divisions_->IsKnown(region);
    }
    case Take::kYear: {
      if (text.size() != 4) return false;
      uint32_t n = FewDigits(text.data(), text.size());
      Member<uint16_t>(row, step.offset) = static_cast<uint16_t>(n);
      return n >= 1900 && n <= 2200;
    }
    case Take::kCode: {
      int code = CodeOf(step.field, *step.codes, &step.memo, text);
      Member<uint8_t>(row, step.offset) = static_cast<uint8_t>(code);
      return code >= 0;
    }
    case Take::kMeaning: {
      int code = CodeOf(step.field, *step.codes, &step.memo, text);
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

bool PlainRowReader::TakeSteps(const TextRecord& record, bool text_valid, Row* row) {
  for (Step& step : steps_) {
    std::string_view text = record.Raw(step.column);
    if (!Unquoted(&text)) return false;
    if (step.take == Take::kText && !text.empty()) {
      if (!text_valid && !IsAscii(text)) return false;
      if (text.size() > RowBuilder::kMaxFieldBytes) return false;
      text = Trim(text);
    }
    if (!text.empty()) {
      if (!TakeStep(step, text, row)) return false;
      continue;
    }
    if (step.required) return false;
    switch (step.take) {
      case Take::kNumberType:
        row->id_type = {};
        break;
      case Take::kText:
        Member<std::string_view>(row, step.offset) = {};
        break;
      case Take::kDate:
      case Take::kMonth:
        Member<Date>(row, step.offset) = {};
        break;
      case Take::kRegion:
        Member<uint32_t>(row, step.offset) = 0;
        break;
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
      case Take::kMeaning:
      case Take::kNothing:
        break;
    }
  }
  return true;
}

// The columns of `hot_` one after the other; each reads the bytes of its own field only, so that
// the processor works at many of them at once.
bool PlainRowReader::Build(const TextRecord& record, bool text_valid, Row* row) {
  if (record.count() != plan_.columns) return false;
  // The carriage return before the line feed is part of the last column's bytes.
  const ptrdiff_t last = static_cast<ptrdiff_t>(plan_.columns) - 1;
  const uint32_t end = record.ends()[last];
  return end > record.ends()[last - 1] + 1 && record.data()[end - 1] == '\r'
             ? BuildAs<true>(record, text_valid, row)
             : BuildAs<false>(record, text_valid, row);
}

template <bool kReturn>
bool PlainRowReader::BuildAs(const TextRecord& record, bool text_valid, Row* row) {
  row->findings = 0;
  row->sheet = 0;
  row->change = Change::kNone;
  row->number.cleaned = false;
  row->number.length = 0;

  const char* const data = record.data();
  const uint32_t* const ends = record.ends();
  const uint32_t last = plan_.columns - 1;
  // Values are handed on in registers: a string_view on the stack that is written in halves and
  // read as a whole stops the processor for a dozen cycles.
  struct Value {
    const char* text;
    size_t size;
    bool plain;  // false: nothing for this lane
    std::string_view view() const { return {text, size}; }
    bool empty() const { return size == 0; }
  };
  // The value without quotes; it may be empty.
  auto take = [=](const Column& c) __attribute__((always_inline))->Value {
    const uint32_t from = ends[static_cast<ptrdiff_t>(c.column) - 1] + 1;
    uint32_t to = ends[c.column];
    if (kReturn && c.column == last) --to;
    if (to == from) return {data + from, 0, !c.required};
    if (data[from] == '"') [[unlikely]] {
      std::string_view text(data + from, to - from);
      if (!Unquoted(&text)) return {nullptr, 0, false};
      return {text.data(), text.size(), !(text.empty() && c.required)};
    }
    return {data + from, to - from, true};
  };
  auto day = [=](const Column& c, Date* out) __attribute__((always_inline)) {
    const Value v = take(c);
    *out = v.size == 8 ? kCalendar.Day(v.text) : Date{};
    return v.plain && (v.empty() || out->has_value());
  };
  // Numbers and the like, without blanks: nothing to trim, and ASCII.
  auto code = [ =, this ](const Column& c, std::string_view* out) __attribute__((always_inline)) {
    const Value v = take(c);
    *out = v.view();
    if (!v.plain) return false;
    if (!IsShortCode(v.text, v.size)) [[unlikely]] {
      std::string_view text = v.view();
      if (!text_valid && !IsAscii(text)) return false;
      if (text.size() > RowBuilder::kMaxFieldBytes) return false;
      text = Trim(text);
      *out = text;
      if (text.empty()) return !c.required;
      return !IsPlaceholder(c, text);
    }
    return v.empty() || !IsPlaceholder(c, v.view());
  };

  if (const Column& c = hot_[kNumber]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    row->id_number = v.view();
    if (!v.empty()) [[likely]] {
      if (v.size != 18 || !numbers_.Parse(v.text, &row->number.number)) return false;
      row->number.cls = NumberClass::kValid;
      std::memcpy(row->number.text, v.text, 18);
      row->number.text[18] = '\0';
      row->number.length = 18;
    } else {
      row->number.cls = NumberClass::kMissing;
      row->number.number = {};
    }
  }
  if (const Column& c = hot_[kName]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    row->name = v.view();
    row->name_code = identity::FoldPlainToCode(v.text, v.size);
    if (!v.empty() && (!row->name_code.has_value() || IsPlaceholder(c, v.view()))) return false;
  }
  if (const Column& c = hot_[kSex]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    int sex = v.empty() ? 0 : CodeOf(c.field, mapping_.codes.sex, &sexes_, v.view());
    if (sex < 0) return false;
    row->sex = static_cast<identity::Sex>(sex);
  }
  if (const Column& c = hot_[kBirth]; c.column != kAbsent) {
    if (!day(c, &row->birth) || row->birth > today_) return false;
  }
  std::array<uint8_t, 3> state = no_state_;
  for (size_t slot = 0; slot < 3; ++slot) {
    const Column& c = hot_[kState + slot];
    if (c.column == kAbsent) continue;
    const Value v = take(c);
    if (!v.plain) return false;
    if (v.empty()) continue;
    unsigned digit = static_cast<uint8_t>(v.text[0]) - unsigned{'0'};
    if (v.size != 1 || digit > 9 || (state_digits_[slot] >> digit & 1) == 0) return false;
    state[slot] = static_cast<uint8_t>(digit);
  }
  if (const Column& c = hot_[kEnrolledOn]; c.column != kAbsent) {
    if (!day(c, &Member<Date>(row, enrolled_offset_))) return false;
  }
  if (const Column& c = hot_[kEndedOn]; c.column != kAbsent) {
    if (!day(c, &row->ended_on)) return false;
  }
  if (const Column& c = hot_[kPersonNo]; c.column != kAbsent) {
    if (!code(c, &row->person_no)) return false;
  }
  if (const Column& c = hot_[kEmployerNo]; c.column != kAbsent) {
    if (!code(c, &row->employer_no)) return false;
  }
  bool region_given = false;
  if (const Column& c = hot_[kRegion]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    row->region = 0;
    if (!v.empty()) {
      if (v.size != 6) return false;
      uint64_t six;
      std::memcpy(&six, v.text, 8);
      six &= 0xFFFFFFFFFFFFu;
      // Rows of one region come together.
      if (six != region_text_) {
        uint32_t region = FewDigits(v.text, v.size);
        if (region == 0 || region == UINT32_MAX || IsPlaceholder(c, v.view())) return false;
        if (divisions_ != nullptr && !divisions_->IsKnown(region)) return false;
        region_text_ = six;
        region_ = region;
      }
      row->region = region_;
      region_given = true;
    }
  }
  if (const Column& c = hot_[kCategory]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    uint32_t n = v.empty() ? 0 : FewDigits(v.text, std::min<size_t>(v.size, 8));
    if (v.size > 4 || n == UINT32_MAX) return false;
    if (!v.empty() && IsPlaceholder(c, v.view())) return false;
    row->insured_category = static_cast<uint16_t>(n);
  }
  if (const Column& c = hot_[kDivision]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    row->division = {};
    if (!v.empty()) {
      row->division = identity::ParseDivision(v.view());
      if (!row->division.has_value() || IsPlaceholder(c, v.view())) return false;
      if (divisions_ != nullptr && !divisions_->IsKnown(row->division.county())) return false;
    }
  }
  if (const Column& c = hot_[kManagement]; c.column != kAbsent) {
    const Value v = take(c);
    if (!v.plain) return false;
    int management =
        v.empty() ? 0 : CodeOf(c.field, mapping_.codes.management, &managements_, v.view());
    if (management < 0) return false;
    row->management = static_cast<scheme::Management>(management);
  }
  if (const Column& c = hot_[kChangedOn]; c.column != kAbsent) {
    if (!day(c, &row->changed_on)) return false;
  }
  meaning_ = {-1, -1};
  if (!steps_.empty() && !TakeSteps(record, text_valid, row)) return false;

  switch (plan_.kind) {
    case Kind::kEnrolment:
    case Kind::kNationalReply:
    case Kind::kMedicalSettlement:
      if (has_scheme_) {
        if (scheme::StandingOf(row->scheme) == scheme::SchemeStanding::kUnknown) return false;
      } else {
        if (!has_known_scheme_) return false;
        row->scheme = plan_.scheme;
      }
      if (!region_given) {
        // Where the column alone says the region, the rules decide.
        if (plan_.region == 0) return false;
        row->region = plan_.region;
      }
      return plan_.kind == Kind::kMedicalSettlement || SetState(row, state);
    default:
      row->evidence =
          EvidenceOf(plan_.kind, mapping_.codes, meaning_[kStudentStatus], meaning_[kFullTime], -1);
      return true;
  }
}

bool PlainRowReader::SetState(Row* row, std::array<uint8_t, 3> state) const {
  const StateTable* table = row->scheme < plan_.states.size() ? plan_.states[row->scheme] : nullptr;
  if (table == nullptr) return false;
  row->state = table->Of(state[0], state[1], state[2]);
  if (row->state == scheme::State::kUnmapped) return false;
  // An absent state is written like an empty one.
  auto shown = [](uint8_t c) { return c < StateTable::kEmpty ? c : StateTable::kEmpty; };
  row->state_text = kStateTexts.Of(shown(state[0]), shown(state[1]), shown(state[2]));
  return true;
}

}  // namespace canbao::extract
