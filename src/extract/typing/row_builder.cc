#include "extract/typing/row_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "extract/typing/clean_text.h"
#include "extract/typing/date_text.h"
#include "identity/credit_code.h"
#include "scheme/scheme.h"

namespace canbao::extract {
namespace {

using identity::NumberClass;

bool IsDigits(std::string_view text) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

// Six digits at once; 0 when they are none.
uint32_t SixDigits(std::string_view text) {
  uint32_t n = 0;
  for (size_t i = 0; i < 6; ++i) {
    auto digit = static_cast<uint32_t>(static_cast<uint8_t>(text[i])) - '0';
    if (digit > 9) return 0;
    n = n * 10 + digit;
  }
  return n;
}

// 3.30102E+17: digits, a point, an exponent.
bool LooksScientific(std::string_view text) {
  size_t e = text.find_first_of("Ee");
  if (e == std::string_view::npos || e == 0) return false;
  std::string_view exponent = text.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  if (!IsDigits(exponent)) return false;
  for (char c : text.substr(0, e)) {
    if ((c < '0' || c > '9') && c != '.' && c != '\'' && c != ' ') return false;
  }
  return true;
}

bool NeedsNumber(Kind kind) { return !IsReference(kind); }

}  // namespace

// What a record says, before its parts are put together.
struct RowBuilder::Pending {
  uint64_t seen = 0;  // required bits with a value
  // A required value that cannot be read: the row is rejected for it unless something is missing.
  RejectReason problem{};
  const PlannedColumn* problem_at = nullptr;
  bool birth_impossible = false;
  const PlannedColumn* birth_at = nullptr;
  bool number_placeholder = false;
  bool region_given = false;
  std::string_view scheme;
  const PlannedColumn* scheme_at = nullptr;
  std::string_view enrolment_state, contribution_state, benefit_state;
  int student_status = -1;
  int full_time = -1;
  int military = -1;
  std::array<uint16_t, 4> rival_priority{};  // of the fields with several columns that have a value
  std::array<Field, 4> rival_field{};

  void Problem(RejectReason reason, const PlannedColumn& at) {
    if (problem_at != nullptr) return;
    problem = reason;
    problem_at = &at;
  }
  // Whether a column of a field with several is to be read: the lowest priority with a value wins.
  bool Wins(const PlannedColumn& column) {
    for (size_t i = 0; i < rival_field.size(); ++i) {
      if (rival_field[i] == column.field) {
        if (rival_priority[i] <= column.priority) return false;
        rival_priority[i] = column.priority;
        return true;
      }
      if (rival_field[i] == Field::kNone) {
        rival_field[i] = column.field;
        rival_priority[i] = column.priority;
        return true;
      }
    }
    return false;
  }
};

RowBuilder::RowBuilder(const RecordPlan& plan, Date today, const KnownDivisions* divisions,
                       Arena* arena)
    : plan_(plan), mapping_(*plan.mapping), today_(today), divisions_(divisions), arena_(arena) {}

template <typename Record>
bool RowBuilder::Build(const Record& record, Row* row, Reject* reject) {
  *row = Row{};
  uint32_t count = record.count();
  if (count != plan_.columns) {
    reject->reason =
        count < plan_.columns ? RejectReason::kTooFewFields : RejectReason::kTooManyFields;
    reject->column = 0;
    reject->field = {};
    return false;
  }
  auto fail = [&](RejectReason reason, const PlannedColumn* at) {
    reject->reason = reason;
    reject->column = at == nullptr ? uint16_t{0} : static_cast<uint16_t>(at->column + 1);
    reject->field = at == nullptr ? std::string_view{} : FieldName(at->field);
    return false;
  };
  Pending pending;
  for (const PlannedColumn& column : plan_.planned) {
    FieldText field = record.Get(column.column);
    if (field.text.empty()) continue;
    // Zero bytes never come here: the readers refuse or cut them.
    if (!field.valid) return fail(RejectReason::kEncodingInvalid, &column);
    if (field.text.size() > kMaxFieldBytes) return fail(RejectReason::kTooLong, &column);
    if (mapping_.placeholders.IsPlaceholder(column.field, field.text)) {
      // A number that says 无 or 000… was given, and means none; the row is matched without it.
      if (column.field == Field::kIdNumber) {
        pending.seen |= column.required_bit;
        if (row->id_number.empty()) row->id_number = field.text;
        pending.number_placeholder = true;
      }
      continue;
    }
    pending.seen |= column.required_bit;
    TakeField(column, field.text, row, &pending);
  }
  uint64_t missing = plan_.required & ~pending.seen;
  if (missing != 0) {
    return fail(RejectReason::kRequiredMissing, plan_.ColumnOfBit(missing & (~missing + 1)));
  }
  if (pending.problem_at != nullptr) return fail(pending.problem, pending.problem_at);
  return Finish(row, &pending, reject);
}

template bool RowBuilder::Build(const TextRecord&, Row*, Reject*);
template bool RowBuilder::Build(const CellRecord&, Row*, Reject*);

Date RowBuilder::TakeDate(const PlannedColumn& column, std::string_view text, RowFinding finding,
                          Row* row, Pending* pending) {
  Date date = ParseDateText(text, plan_.date1904);
  if (!date.has_value()) {
    if (column.required_bit != 0) {
      pending->Problem(RejectReason::kDateImpossible, column);
    } else {
      row->findings |= finding;
    }
  }
  return date;
}

void RowBuilder::TakeDivision(const PlannedColumn& column, std::string_view text, Row* row,
                              Pending* pending) {
  row->division = identity::ParseDivision(text);
  if (!row->division.has_value()) {
    char room[64];
    if (text.size() <= sizeof room) {
      row->division = identity::ParseDivision(HalfWidth(text, room, Blanks::kDrop));
    }
  }
  if (!row->division.has_value()) {
    if (column.required_bit != 0) {
      pending->Problem(RejectReason::kRegionUnknown, column);
    } else {
      row->findings |= kDivisionUnknown;
    }
  } else if (divisions_ != nullptr && !divisions_->IsKnown(row->division.county())) {
    row->findings |= kDivisionUnknown;
  }
}

uint32_t RowBuilder::TakeRegion(std::string_view text, Row* row, bool* readable) {
  uint32_t region = text.size() == 6 ? SixDigits(text) : 0;
  if (region == 0) {
    region = identity::ParseDivision(text).county();
    char room[64];
    if (region == 0 && text.size() <= sizeof room) {
      region = identity::ParseDivision(HalfWidth(text, room, Blanks::kDrop)).county();
    }
  }
  *readable = region != 0;
  if (region == 0 || (divisions_ != nullptr && !divisions_->IsKnown(region))) {
    row->findings |= kDivisionUnknown;
  }
  return region;
}

void RowBuilder::TakeCreditCode(std::string_view text, Row* row) {
  row->uscc = text;
  if (text.size() == 18) {
    char check = identity::CreditCodeCheck(text.substr(0, 17));
    if (check != 0 && check == text[17]) return;
  }
  identity::ParsedCreditCode code = identity::ParseCreditCode(text);
  if (code.cls == identity::CreditCodeClass::kMissing) {
    row->uscc = {};
    return;
  }
  if (code.cls != identity::CreditCodeClass::kValid) row->findings |= kCreditCodeSoft;
  if (code.text != text && code.text.size() <= 64) {
    std::memcpy(arena_->top(), code.text.data(), code.text.size());
    row->uscc = arena_->Take(code.text.size());
  }
}

int RowBuilder::Code(const CodeTable& table, std::string_view text) const {
  int code = table.Find(text);
  if (code >= 0) return code;
  char room[64];
  if (text.size() > sizeof room) return -1;
  std::string_view clean = HalfWidth(text, room, Blanks::kDrop);
  if (clean.ends_with(".0")) clean.remove_suffix(2);
  return clean == text ? -1 : table.Find(clean);
}

void RowBuilder::TakeField(const PlannedColumn& column, std::string_view text, Row* row,
                           Pending* pending) {
  if (column.has_rivals && !pending->Wins(column)) return;
  const Codes& codes = mapping_.codes;
  auto byte = [&](const CodeTable& table) {
    return static_cast<uint8_t>(std::max(0, Code(table, text)));
  };
  auto optional_date = [&] { return TakeDate(column, text, kOptionalDateDropped, row, pending); };
  auto month = [&] {
    Date date = optional_date();
    return text.size() == 6 ? date : date.FirstOfMonth();  // YYYYMM is the first already
  };
  switch (column.field) {
    case Field::kNone:
      break;
    case Field::kIdNumber:
      row->id_number = text;
      pending->number_placeholder = false;
      break;
    case Field::kIdType:
      row->id_type = text;
      break;
    case Field::kName:
      row->name = text;
      row->name_code = identity::FoldToCode(text);
      break;
    case Field::kSex: {
      int sex = Code(codes.sex, text);
      if (sex < 0) {
        row->findings |= kSexUnreadable;
      } else {
        row->sex = static_cast<identity::Sex>(sex);
      }
      break;
    }
    case Field::kBirthDate:
    case Field::kBornOn:
      row->birth = ParseDateText(text, plan_.date1904);
      if (!row->birth.has_value() || row->birth > today_) {
        row->birth = {};
        row->findings |= kBirthDateDropped;
        pending->birth_impossible = true;
        pending->birth_at = &column;
      }
      break;
    case Field::kEthnicity:
      row->ethnicity = byte(codes.ethnicity);
      break;
    case Field::kHukouDivision:
    case Field::kResidenceDivision:
    case Field::kDivision:
      TakeDivision(column, text, row, pending);
      break;
    case Field::kHukouAddress:
    case Field::kResidenceAddress:
    case Field::kAddress:
      row->address = text;
      break;
    case Field::kHouseholdNo:
      row->household_no = text;
      break;
    case Field::kRelation:
      row->relation = text;
      break;
    case Field::kHukouType:
      row->hukou_type = byte(codes.hukou_type);
      break;
    case Field::kManagement: {
      int management = Code(codes.management, text);
      row->management =
          management < 0 ? scheme::Management::kOther : static_cast<scheme::Management>(management);
      break;
    }
    case Field::kChangedOn:
      row->changed_on = optional_date();
      break;
    case Field::kPhone:
      row->phone = text;
      break;
    case Field::kFormerName:
      row->former_name = text;
      break;
    case Field::kFormerIdNumber:
      row->former_number = text;
      break;
    case Field::kMotherIdNumber:
      row->mother_number = text;
      break;
    case Field::kPersonNo:
      row->person_no = text;
      break;
    case Field::kScheme:
      pending->scheme = text;
      pending->scheme_at = &column;
      break;
    case Field::kEnrolmentState:
      pending->enrolment_state = text;
      break;
    case Field::kContributionState:
      pending->contribution_state = text;
      break;
    case Field::kBenefitState:
      pending->benefit_state = text;
      break;
    case Field::kEnrolledOn:
      if (plan_.kind == Kind::kStudent) {
        row->from = optional_date();
      } else {
        row->enrolled_on = optional_date();
      }
      break;
    case Field::kFirstMonth:
      row->first_month = month();
      break;
    case Field::kEndedOn:
      row->ended_on = optional_date();
      break;
    case Field::kEmployerNo:
      row->employer_no = text;
      break;
    case Field::kEmployerName:
      row->employer_name = text;
      break;
    case Field::kUscc:
      TakeCreditCode(text, row);
      break;
    case Field::kRegion:
    case Field::kInsuredRegion: {
      bool readable = false;
      row->region = TakeRegion(text, row, &readable);
      pending->region_given = readable;
      // Where the column alone says the region, a row without a readable one belongs nowhere.
      if (!readable && plan_.kind == Kind::kNationalReply) {
        pending->Problem(RejectReason::kRegionUnknown, column);
      }
      if (!readable && plan_.kind == Kind::kEnrolment && plan_.region == 0) {
        pending->Problem(RejectReason::kRegionUnknown, column);
      }
      break;
    }
    case Field::kCareRegion: {
      bool readable = false;
      row->care_region = TakeRegion(text, row, &readable);
      break;
    }
    case Field::kIssuedBy: {
      // 发卡地 is a division where it is one, else a name that nothing asks for.
      row->region = text.size() == 6 ? SixDigits(text) : identity::ParseDivision(text).county();
      break;
    }
    case Field::kInsuredCategory: {
      uint64_t n = 0;
      if (ParseWhole(text, &n) && n <= 65535) row->insured_category = static_cast<uint16_t>(n);
      break;
    }
    case Field::kInsuredYear:
    case Field::kYear: {
      uint64_t n = 0;
      std::string_view digits = text.ends_with("年") ? text.substr(0, text.size() - 3) : text;
      bool good = ParseWhole(digits, &n) && n >= 1900 && n <= 2200;
      if (column.field == Field::kInsuredYear) {
        if (good) row->insured_year = static_cast<uint16_t>(n);
      } else if (good) {
        row->year = static_cast<uint16_t>(n);
      } else {
        pending->Problem(RejectReason::kValueUnreadable, column);
      }
      break;
    }
    case Field::kUnitType:
      row->unit_type = byte(codes.unit_type);
      break;
    case Field::kIndustry:
      row->industry = text;
      break;
    case Field::kHeadcount: {
      uint64_t n = 0;
      if (ParseWhole(text, &n) && n <= UINT32_MAX) row->headcount = static_cast<uint32_t>(n);
      break;
    }
    case Field::kPopulation:
      if (!ParseWhole(text, &row->population)) {
        pending->Problem(RejectReason::kValueUnreadable, column);
      }
      break;
    case Field::kStatus:
      if (plan_.kind == Kind::kStudent) {
        pending->student_status = Code(codes.student_status, text);
        if (pending->student_status < 0) pending->Problem(RejectReason::kValueUnreadable, column);
      } else {
        row->category = text;
      }
      break;
    case Field::kFullTime:
      pending->full_time = Code(codes.truth, text);
      break;
    case Field::kCategory:
      row->category = text;
      if (plan_.kind == Kind::kMilitary) {
        pending->military = Code(codes.military_category, text);
        if (pending->military < 0) pending->Problem(RejectReason::kValueUnreadable, column);
      }
      break;
    case Field::kStage:
    case Field::kPurpose:
      row->category = text;
      break;
    case Field::kSchool:
    case Field::kGrade:
    case Field::kCardNo:
    case Field::kUnit:
    case Field::kCertificateNo:
    case Field::kBatchNo:
      row->detail = text;
      break;
    case Field::kAdmissionNo:
      row->detail = text;
      break;
    case Field::kInvoiceNo:
      if (row->detail.empty()) row->detail = text;
      break;
    case Field::kPaid:
      ParseAmount(text, &row->paid);
      break;
    case Field::kDiedOn:
    case Field::kFrom:
    case Field::kLeftOn:
    case Field::kIssuedOn:
    case Field::kRegisteredOn:
      row->from = optional_date();
      break;
    case Field::kMonth:
      row->from = month();
      break;
    case Field::kUntil:
    case Field::kReturnedOn:
    case Field::kGraduatesOn:
      row->until = optional_date();
      break;
    case Field::kChange:
      row->change = static_cast<Change>(std::max(0, Code(codes.change, text)));
      break;
  }
}

bool RowBuilder::Finish(Row* row, Pending* pending, Reject* reject) {
  auto fail = [&](RejectReason reason, const PlannedColumn* at) {
    reject->reason = reason;
    reject->column = at == nullptr ? uint16_t{0} : static_cast<uint16_t>(at->column + 1);
    reject->field = at == nullptr ? std::string_view{} : FieldName(at->field);
    return false;
  };
  if (NeedsNumber(plan_.kind) && !row->id_number.empty() && !pending->number_placeholder) {
    std::string_view type = row->id_type;
    char two[2];
    if (!type.empty() && type.size() != 2) {
      int code = Code(mapping_.codes.id_type, type);
      if (code >= 0 && code < 100) {
        two[0] = static_cast<char>('0' + code / 10);
        two[1] = static_cast<char>('0' + code % 10);
        type = {two, 2};
      }
    }
    row->number = identity::ParseNumber(row->id_number, type, today_);
    if (row->number.cleaned) row->findings |= kNumberCleaned;
    if (row->number.cls == NumberClass::kUpgraded15) row->findings |= kNumberUpgraded;
    if (row->number.cls == NumberClass::kDamaged && LooksScientific(row->id_number)) {
      row->findings |= kNumberShown;
    }
  }
  if (pending->birth_impossible && pending->birth_at->required_bit != 0) {
    bool valid =
        row->number.cls == NumberClass::kValid || row->number.cls == NumberClass::kUpgraded15;
    if (valid) row->birth = identity::BirthDateOf(row->number.number);
    if (!row->birth.has_value()) return fail(RejectReason::kDateImpossible, pending->birth_at);
  }
  switch (plan_.kind) {
    case Kind::kEnrolment:
    case Kind::kNationalReply:
    case Kind::kMedicalSettlement: {
      row->scheme = plan_.scheme;
      if (!pending->scheme.empty()) {
        uint64_t code = 0;
        row->scheme = ParseWhole(pending->scheme, &code) && code <= 999
                          ? static_cast<scheme::SchemeCode>(code)
                          : scheme::SchemeCode{0};
      }
      if (scheme::StandingOf(row->scheme) == scheme::SchemeStanding::kUnknown) {
        return fail(RejectReason::kSchemeUnknown, pending->scheme_at);
      }
      if (!pending->region_given) row->region = plan_.region;
      if (plan_.kind != Kind::kMedicalSettlement) SetState(row, *pending);
      break;
    }
    default:
      row->evidence = EvidenceOf(plan_.kind, mapping_.codes, pending->student_status,
                                 pending->full_time, pending->military);
      break;
  }
  return true;
}

void RowBuilder::SetState(Row* row, const Pending& pending) {
  const StateTable* table = row->scheme < plan_.states.size() ? plan_.states[row->scheme] : nullptr;
  StateValue enrolment{pending.enrolment_state, false};
  StateValue contribution{pending.contribution_state, !plan_.has_contribution};
  StateValue benefit{pending.benefit_state, !plan_.has_benefit};
  row->state =
      table == nullptr ? scheme::State::kUnmapped : table->Find(enrolment, contribution, benefit);
  if (row->state == scheme::State::kUnmapped) row->findings |= kStateUnmapped;
  // "AAC008/AAC031/AAE116".
  char* out = arena_->top();
  size_t n = 0;
  for (std::string_view part :
       {pending.enrolment_state, pending.contribution_state, pending.benefit_state}) {
    if (part.size() == 1) {
      out[n++] = part[0];
    } else if (!part.empty()) {
      size_t end = std::min<size_t>(part.size(), 64);
      if (end < part.size()) {  // cut in front of a character
        while (end > 0 && (static_cast<uint8_t>(part[end]) & 0xC0) == 0x80) --end;
      }
      std::memcpy(out + n, part.data(), end);
      n += end;
    }
    out[n++] = '/';
  }
  --n;
  row->state_text = arena_->Take(n);
}

scheme::EvidenceKind EvidenceOf(Kind kind, const Codes& codes, int student_status, int full_time,
                                int military) {
  using scheme::EvidenceKind;
  switch (kind) {
    case Kind::kDeath:
      return EvidenceKind::kDeath;
    case Kind::kPrisoner:
      return EvidenceKind::kPrisoner;
    case Kind::kMilitary:
      if (military == static_cast<int>(MilitaryCategory::kSoldier)) return EvidenceKind::kSoldier;
      return military == static_cast<int>(MilitaryCategory::kDependant)
                 ? EvidenceKind::kArmyDependant
                 : EvidenceKind::kCard;
    case Kind::kAbroad:
      return EvidenceKind::kAbroad;
    case Kind::kStudent:
      if (student_status != static_cast<int>(StudentStatus::kStudying)) return EvidenceKind::kCard;
      return (full_time < 0 ? codes.full_time_when_missing : full_time == 1)
                 ? EvidenceKind::kFullTimeStudent
                 : EvidenceKind::kPartTimeStudent;
    case Kind::kWageTax:
      return EvidenceKind::kWageTax;
    case Kind::kEmploymentFiling:
      return EvidenceKind::kEmploymentFiling;
    case Kind::kResidencePermit:
      return EvidenceKind::kResidence;
    case Kind::kSubsidised:
      return EvidenceKind::kSubsidised;
    case Kind::kRemoteMedical:
      return EvidenceKind::kRemoteMedical;
    case Kind::kStaffing:
      return EvidenceKind::kStaffing;
    default:
      return EvidenceKind::kCard;
  }
}

}  // namespace canbao::extract
