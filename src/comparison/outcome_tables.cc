#include "comparison/outcome_tables.h"

#include <fmt/format.h>
#include <algorithm>

#include "base/digest.h"

namespace canbao::comparison {
namespace {

using extract::Kind;
using extract::RowFinding;
using identity::NumberClass;
using identity::PersonNumber;
using T = ColumnType;

const std::array<RowSchema, 7>& Schemas() {
  static const std::array<RowSchema, 7> kSchemas = {{
      {"person",
       {{"person_key", T::kU64},
        {"number", T::kU64},
        {"document", T::kText},
        {"name", T::kText},
        {"sex", T::kU8},
        {"birth", T::kDate},
        {"in_register", T::kU8},
        {"confirmed", T::kU8},
        {"management", T::kU8},
        {"changed_on", T::kDate},
        {"hukou", T::kU64},
        {"hukou_type", T::kU8},
        {"ethnicity", T::kU8},
        {"household_no", T::kText},
        {"relation", T::kText},
        {"phone", T::kText},
        {"address", T::kText},
        {"residence", T::kU64},
        {"first_ref", T::kU64},
        {"flags", T::kU32},
        {"duplicates", T::kU16},
        {"uncovered", T::kU8},
        {"form_2_2", T::kU8},
        {"county", T::kU32},
        {"city", T::kU32},
        {"branches", T::kU8},
        {"verified_number", T::kU8},
        {"both_classes", T::kU8}}},
      {"enrolment",
       {{"person_key", T::kU64},
        {"row_ref", T::kU64},
        {"outcome", T::kU8},
        {"scheme", T::kU16},
        {"region", T::kU32},
        {"state", T::kU8},
        {"state_at_cutoff", T::kU8},
        {"enrolled_on", T::kDate},
        {"ended_on", T::kDate},
        {"first_month", T::kDate},
        {"insured_category", T::kU16},
        {"insured_year", T::kU16},
        {"person_no", T::kText},
        {"employer_no", T::kText},
        {"employer_name", T::kText},
        {"uscc", T::kText},
        {"confirmed", T::kU8},
        {"state_text", T::kText}}},
      {"evidence",
       {{"person_key", T::kU64},
        {"row_ref", T::kU64},
        {"outcome", T::kU8},
        {"kind", T::kU8},
        {"evidence", T::kU8},
        {"from", T::kDate},
        {"until", T::kDate},
        {"county", T::kU32},
        {"code", T::kU32},
        {"detail", T::kText}}},
      {"discrepancy",
       {{"person_key", T::kU64},
        {"row_ref", T::kU64},
        {"kind", T::kU8},
        {"field", T::kText},
        {"delivered", T::kText},
        {"prevailing", T::kText}}},
      {"duplicate", {{"person_key", T::kU64}, {"kind", T::kU16}, {"relations", T::kText}}},
      {"unlinked",
       {{"row_ref", T::kU64},
        {"outcome", T::kU8},
        {"person_key", T::kU64},
        {"kind", T::kU8},
        {"number", T::kU64},
        {"number_text", T::kText},
        {"name", T::kText},
        {"sex", T::kU8},
        {"birth", T::kDate},
        {"scheme", T::kU16},
        {"region", T::kU32},
        {"phone", T::kText},
        {"employer_no", T::kText},
        {"household_no", T::kText},
        {"address", T::kText}}},
      {"master", {{"key", T::kU64}, {"person_key", T::kU64}}},
  }};
  return kSchemas;
}

uint64_t CitizenNumber(uint64_t key) {
  return (key >> 63) == 0 || !IsProvisionalKey(key) ? key : 0;
}

std::string_view SexText(identity::Sex sex) {
  return sex == identity::Sex::kMale ? "1" : sex == identity::Sex::kFemale ? "2" : "";
}

}  // namespace

const RowSchema& RejectSchema() {
  static const RowSchema kSchema = {"reject",
                                    {{"row_ref", T::kU64},
                                     {"reason", T::kU8},
                                     {"column", T::kU16},
                                     {"field", T::kText},
                                     {"text", T::kText}}};
  return kSchema;
}

const RowSchema& FigureSchema() {
  static const RowSchema kSchema = {"figure",
                                    {{"county", T::kU32},
                                     {"city", T::kU32},
                                     {"hukou", T::kU8},
                                     {"form", T::kU8},
                                     {"column", T::kU8},
                                     {"count", T::kU64}}};
  return kSchema;
}

bool IsWorkbook(const extract::ExtractSpec& spec) {
  return spec.file.ends_with(".xlsx") || spec.file.ends_with(".xls") ||
         spec.file.ends_with(".XLSX") || spec.file.ends_with(".XLS");
}

uint64_t RowRef(uint16_t extract, uint32_t line, bool workbook) {
  uint64_t sheet = workbook ? line >> 24 : 0;
  uint64_t row = workbook ? line & 0xFFFFFF : line;
  return static_cast<uint64_t>(extract) << 48 | sheet << 40 | row;
}

uint64_t OutcomeTables::Ref(const Record& r) const {
  return RowRef(r.extract, r.line, IsWorkbook((*in_.extracts)[r.extract]));
}

Result<std::unique_ptr<OutcomeTables>> OutcomeTables::Create(const std::string& folder,
                                                             uint32_t shard,
                                                             const OutcomeInputs& in) {
  std::unique_ptr<OutcomeTables> t(new OutcomeTables(in));
  for (int i = 0; i < kTables; ++i) {
    const RowSchema& schema = Schemas()[static_cast<size_t>(i)];
    CANBAO_ASSIGN(
        t->files_[static_cast<size_t>(i)],
        RowFileWriter::Create(fmt::format("{}/{}.{:02}.rows", folder, schema.table, shard), schema,
                              in.key));
  }
  return t;
}

Status OutcomeTables::Finish() {
  for (auto& f : files_) CANBAO_TRY(f->Finish());
  return {};
}

void OutcomeTables::Summarise(const std::vector<std::unique_ptr<OutcomeTables>>& shards,
                              OutcomeCounts* counts) {
  for (int i = 0; i < kTables; ++i) {
    Sha256 all;
    TableDigest& digest = counts->tables[Schemas()[static_cast<size_t>(i)].table];
    for (const auto& s : shards) {
      const auto& f = s->files_[static_cast<size_t>(i)];
      digest.rows += f->rows();
      all.Update(f->plain_sha256());
    }
    digest.sha256 = all.FinishHex();
  }
  for (const auto& s : shards) {
    for (size_t k = 0; k < counts->discrepancies.size(); ++k) {
      counts->discrepancies[k] += s->discrepancies_[k];
    }
  }
}

Status OutcomeTables::Write(std::span<const Record> rows, const std::vector<Outcome>& outcomes,
                            const Resolution& res, uint64_t person,
                            const scheme::PersonFacts& facts,
                            std::span<const scheme::EnrolmentFact> enrolments,
                            const scheme::Classification& c, uint16_t duplicates) {
  const Record* reference = res.has_person ? &rows[static_cast<size_t>(res.reference)] : nullptr;
  if (res.has_person) {
    CANBAO_TRY(WritePerson(rows, outcomes, res, person, facts, c));
    CANBAO_TRY(WriteMaster(rows[0].key, person));
  }
  size_t enrolment = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Record& r = rows[i];
    bool belongs = res.has_person && outcomes[i] != Outcome::kConflict;
    if (belongs && HasEnrolment(r.kind)) {
      CANBAO_TRY(WriteEnrolment(r, outcomes[i], person, enrolments[enrolment++]));
    } else if (belongs && !IsRegister(r.kind)) {
      CANBAO_TRY(WriteEvidence(r, outcomes[i], person));
    }
    // The register's own rows are persons by themselves; a row that made a confirmed person is at
    // home.
    if (!belongs || (!res.confirmed && outcomes[i] == Outcome::kUnlinked)) {
      CANBAO_TRY(WriteUnlinked(r, outcomes[i], belongs ? person : 0));
    }
    CANBAO_TRY(
        WriteFindings(r, outcomes[i], res, belongs ? reference : nullptr, belongs ? person : 0));
  }
  if (res.has_person) {
    CANBAO_TRY(WritePersonFindings(rows, outcomes, res, person, enrolments, c, duplicates));
  }
  return {};
}

Status OutcomeTables::WriteMaster(uint64_t key, uint64_t person) {
  RowFileWriter& w = *files_[kMaster];
  w.U64(key);
  w.U64(person);
  return w.EndRow();
}

Status OutcomeTables::WritePerson(std::span<const Record> rows,
                                  const std::vector<Outcome>& outcomes, const Resolution& res,
                                  uint64_t person, const scheme::PersonFacts& facts,
                                  const scheme::Classification& c) {
  const Record& reference = rows[static_cast<size_t>(res.reference)];
  const Record& maker = rows[static_cast<size_t>(res.maker)];
  RegisterFields reg;
  if (res.in_register) reg = DecodeRegister(reference);
  // Contact and residence: the register's, else the newest that any belonging row gives.
  std::string_view phone = reference.Text(TextTag::kPhone);
  std::string_view address = reference.Text(TextTag::kAddress);
  std::string_view document = PersonNumber{reference.key}.is_citizen()
                                  ? std::string_view()
                                  : reference.Text(TextTag::kIdNumber);
  uint64_t residence = 0;
  Date residence_since;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (outcomes[i] == Outcome::kConflict || outcomes[i] == Outcome::kNone) continue;
    if (phone.empty()) phone = rows[i].Text(TextTag::kPhone);
    if (address.empty()) address = rows[i].Text(TextTag::kAddress);
    if (rows[i].kind != static_cast<uint8_t>(Kind::kResidencePermit)) continue;
    EvidenceFields f = DecodeEvidence(rows[i]);
    if (residence == 0 || f.from >= residence_since) {
      residence = f.code;
      residence_since = f.from;
    }
  }
  RowFileWriter& w = *files_[kPerson];
  w.U64(person);
  w.U64(CitizenNumber(reference.key));
  w.Text(document);
  w.Text(reference.Text(TextTag::kName));
  w.U8(static_cast<uint8_t>(res.sex));
  w.Day(res.birth);
  w.U8(res.in_register);
  w.U8(res.confirmed);
  w.U8(static_cast<uint8_t>(facts.management));
  w.Day(facts.changed_on);
  w.U64(reg.hukou);
  w.U8(reg.hukou_type);
  w.U8(reg.ethnicity);
  w.Text(reference.Text(TextTag::kHouseholdNo));
  w.Text(reference.Text(TextTag::kRelation));
  w.Text(phone);
  w.Text(address);
  w.U64(residence);
  w.U64(Ref(maker));
  w.U32(c.flags);
  w.U16(c.duplicates);
  w.U8(c.uncovered);
  w.U8(c.form_2_2);
  w.U32(c.county);
  w.U32(c.city);
  w.U8(c.branches_anywhere);
  w.U8(res.verified);
  w.U8(c.both_classes);
  return w.EndRow();
}

Status OutcomeTables::WriteEnrolment(const Record& r, Outcome outcome, uint64_t person,
                                     const scheme::EnrolmentFact& e) {
  EnrolmentFields f = DecodeEnrolment(r);
  RowFileWriter& w = *files_[kEnrolment];
  w.U64(person);
  w.U64(Ref(r));
  w.U8(static_cast<uint8_t>(outcome));
  w.U16(f.scheme);
  w.U32(f.region);
  w.U8(static_cast<uint8_t>(f.state));
  w.U8(static_cast<uint8_t>(e.state_at_cutoff));
  w.Day(f.enrolled_on);
  w.Day(f.ended_on);
  w.Day(Date{r.packed->has_texts() ? ShortText(*r.packed, TextTag::kFirstMonth) : uint16_t{0}});
  w.U16(f.insured_category);
  w.U16(f.insured_year);
  w.Text(r.Text(TextTag::kPersonNo));
  w.Text(r.Text(TextTag::kEmployerNo));
  w.Text(r.Text(TextTag::kEmployerName));
  w.Text(r.Text(TextTag::kUscc));
  w.U8(e.confirmed);
  w.Text(r.Text(TextTag::kStateText));
  return w.EndRow();
}

Status OutcomeTables::WriteEvidence(const Record& r, Outcome outcome, uint64_t person) {
  EvidenceFields f = DecodeEvidence(r);
  bool settlement = r.kind == static_cast<uint8_t>(Kind::kMedicalSettlement);
  bool employed = f.evidence == scheme::EvidenceKind::kWageTax ||
                  f.evidence == scheme::EvidenceKind::kEmploymentFiling;
  RowFileWriter& w = *files_[kEvidence];
  w.U64(person);
  w.U64(Ref(r));
  w.U8(static_cast<uint8_t>(outcome));
  w.U8(r.kind);
  w.U8(static_cast<uint8_t>(f.evidence));
  w.Day(f.from);
  w.Day(f.until);
  w.U32(employed ? Employer{f.employer, 0}.county()
                 : (settlement ? 0 : identity::Division{f.code}.county()));
  w.U32(settlement ? static_cast<uint32_t>(f.code) : 0);
  std::string_view category = r.Text(TextTag::kCategory);
  std::string_view detail = r.Text(TextTag::kDetail);
  if (employed) detail = r.Text(TextTag::kUscc);
  std::string both;
  if (!category.empty() && !detail.empty()) {
    both = fmt::format("{} {}", category, detail);
    detail = both;
  }
  w.Text(detail.empty() ? category : detail);
  return w.EndRow();
}

Status OutcomeTables::WriteUnlinked(const Record& r, Outcome outcome, uint64_t person) {
  RowFileWriter& w = *files_[kUnlinked];
  w.U64(Ref(r));
  w.U8(static_cast<uint8_t>(outcome));
  w.U64(person);
  w.U8(r.kind);
  w.U64(CitizenNumber(r.key));
  std::string_view raw = r.Text(TextTag::kIdNumber);
  w.Text(raw.empty() ? identity::ToText(PersonNumber{CitizenNumber(r.key)}) : std::string(raw));
  w.Text(r.Text(TextTag::kName));
  w.U8(static_cast<uint8_t>(r.sex));
  w.Day(r.birth);
  EnrolmentFields f;
  if (HasEnrolment(r.kind)) f = DecodeEnrolment(r);
  w.U16(f.scheme);
  w.U32(f.region);
  w.Text(r.Text(TextTag::kPhone));
  w.Text(r.Text(TextTag::kEmployerNo));
  w.Text(r.Text(TextTag::kHouseholdNo));
  w.Text(r.Text(TextTag::kAddress));
  return w.EndRow();
}

Status OutcomeTables::Finding(Discrepancy kind, uint64_t person, const Record& r,
                              std::string_view field, std::string_view delivered,
                              std::string_view prevailing) {
  ++discrepancies_[static_cast<size_t>(kind)];
  RowFileWriter& w = *files_[kDiscrepancy];
  w.U64(person);
  w.U64(Ref(r));
  w.U8(static_cast<uint8_t>(kind));
  w.Text(field);
  w.Text(delivered);
  w.Text(prevailing);
  return w.EndRow();
}

Status OutcomeTables::WriteFindings(const Record& r, Outcome outcome, const Resolution& res,
                                    const Record* reference, uint64_t person) {
  PersonNumber number{r.key};
  std::string own = number.is_citizen() ? identity::ToText(number) : std::string();
  std::string_view raw = r.Text(TextTag::kIdNumber);
  std::string_view number_text = raw.empty() ? std::string_view(own) : raw;
  if (r.findings & RowFinding::kNumberCleaned) {
    CANBAO_TRY(Finding(Discrepancy::kNumberCleaned, person, r, "id_number", number_text, own));
  }
  if (r.number_class == NumberClass::kUpgraded15) {
    CANBAO_TRY(Finding(Discrepancy::kNumberUpgraded, person, r, "id_number", raw, own));
  }
  if (outcome == Outcome::kRepaired && r.number_class == NumberClass::kDamaged) {
    CANBAO_TRY(Finding(Discrepancy::kNumberRepaired, person, r, "id_number", raw, own));
  }
  if (outcome == Outcome::kProbable) {
    CANBAO_TRY(Finding(Discrepancy::kNumberUnreadable, person, r, "id_number", raw, own));
  }
  if (outcome == Outcome::kUnlinked && r.number_class == NumberClass::kDamaged) {
    CANBAO_TRY(Finding(Discrepancy::kNumberUnreadable, person, r, "id_number", raw, ""));
  }
  if (r.findings & RowFinding::kBirthDateDropped) {
    CANBAO_TRY(Finding(Discrepancy::kBirthDropped, person, r, "birth_date", "", ""));
  }
  if (r.findings & RowFinding::kOptionalDateDropped) {
    CANBAO_TRY(Finding(Discrepancy::kDateDropped, person, r, "date", "", ""));
  }
  if (r.findings & RowFinding::kStateUnmapped) {
    CANBAO_TRY(Finding(Discrepancy::kUnmappedState, person, r, "enrolment_state",
                       r.Text(TextTag::kStateText), ""));
  }
  if (number.is_citizen() && r.birth.has_value() && r.birth != identity::BirthDateOf(number)) {
    CANBAO_TRY(Finding(Discrepancy::kNumberContradictsBirth, person, r, "birth_date",
                       r.birth.ToIso(), identity::BirthDateOf(number).ToIso()));
  }
  if (outcome == Outcome::kConflict) {
    CANBAO_TRY(Finding(Discrepancy::kConflict, 0, r, "name", r.Text(TextTag::kName), own));
  }
  if (reference == nullptr) return {};
  if (!r.Text(TextTag::kFormerName).empty() || !r.Text(TextTag::kFormerNumber).empty()) {
    std::string former =
        fmt::format("{} {}", r.Text(TextTag::kFormerName), r.Text(TextTag::kFormerNumber));
    CANBAO_TRY(Finding(Discrepancy::kFormerIdentity, person, r, "former_identity", former,
                       reference->Text(TextTag::kName)));
  }
  if (r.packed == reference->packed) return {};
  if (IsRegister(r.kind)) {
    CANBAO_TRY(Finding(Discrepancy::kRegisterDuplicate, person, r, "id_number", own, own));
  }
  if (r.name != reference->name && outcome != Outcome::kUnlinked) {
    Agreement a = Compare(*reference, r);
    CANBAO_TRY(Finding(
        a == Agreement::kNameChanged ? Discrepancy::kNameChanged : Discrepancy::kNameVariant,
        person, r, "name", r.Text(TextTag::kName), reference->Text(TextTag::kName)));
  }
  if (r.birth.has_value() && res.birth.has_value() && r.birth != res.birth) {
    CANBAO_TRY(Finding(Discrepancy::kBirthDiffers, person, r, "birth_date", r.birth.ToIso(),
                       res.birth.ToIso()));
  }
  if (r.sex != identity::Sex::kUnknown && res.sex != identity::Sex::kUnknown && r.sex != res.sex) {
    CANBAO_TRY(
        Finding(Discrepancy::kSexDiffers, person, r, "sex", SexText(r.sex), SexText(res.sex)));
  }
  return {};
}

Status OutcomeTables::WritePersonFindings(std::span<const Record> rows,
                                          const std::vector<Outcome>& outcomes, const Resolution&,
                                          uint64_t person,
                                          std::span<const scheme::EnrolmentFact> enrolments,
                                          const scheme::Classification& c, uint16_t duplicates) {
  numbers_.clear();
  std::string relations;
  size_t at = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Record& r = rows[i];
    if (outcomes[i] == Outcome::kConflict || !HasEnrolment(r.kind)) continue;
    const scheme::EnrolmentFact& e = enrolments[at++];
    EnrolmentFields f = DecodeEnrolment(r);
    if (f.person_no_hash != 0) {
      numbers_.push_back({f.scheme, f.region / 100 * 100, f.person_no_hash, i});
    }
    if (scheme::IsActive(e.state_at_cutoff)) {
      relations += fmt::format("{}{}@{}:{}", relations.empty() ? "" : ";", f.scheme, f.region,
                               scheme::StateName(e.state_at_cutoff));
      if (c.flags & scheme::kStopBenefit) {
        CANBAO_TRY(Finding(Discrepancy::kStopBenefit, person, r, "enrolment_state",
                           r.Text(TextTag::kStateText), ""));
      }
    } else if (scheme::IsActive(f.state) && f.ended_on.has_value() && f.ended_on <= in_.cutoff) {
      CANBAO_TRY(Finding(Discrepancy::kStateContradiction, person, r, "ended_on",
                         f.ended_on.ToIso(), r.Text(TextTag::kStateText)));
    }
  }
  // 一人多号: one finding a person, scheme and city, at the first row with the further number.
  std::stable_sort(numbers_.begin(), numbers_.end(), [](const NumberSeen& a, const NumberSeen& b) {
    return std::tie(a.scheme, a.city) < std::tie(b.scheme, b.city);
  });
  for (size_t i = 0; i < numbers_.size();) {
    size_t j = i + 1;
    size_t other = 0;
    while (j < numbers_.size() && numbers_[j].scheme == numbers_[i].scheme &&
           numbers_[j].city == numbers_[i].city) {
      if (other == 0 && numbers_[j].person_no != numbers_[i].person_no) other = j;
      ++j;
    }
    if (other != 0) {
      CANBAO_TRY(Finding(Discrepancy::kSeveralPersonNumbers, person, rows[numbers_[other].row],
                         "person_no", rows[numbers_[other].row].Text(TextTag::kPersonNo),
                         rows[numbers_[i].row].Text(TextTag::kPersonNo)));
    }
    i = j;
  }
  if (c.flags & scheme::kStudent25) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (outcomes[i] == Outcome::kConflict ||
          rows[i].kind != static_cast<uint8_t>(Kind::kStudent)) {
        continue;
      }
      CANBAO_TRY(Finding(Discrepancy::kStudent25, person, rows[i], "status", "", ""));
      break;
    }
  }
  for (uint16_t bit = 1; bit != 0; bit = static_cast<uint16_t>(bit << 1)) {
    if (!(duplicates & bit)) continue;
    RowFileWriter& w = *files_[kDuplicate];
    w.U64(person);
    w.U16(bit);
    w.Text(relations);
    CANBAO_TRY(w.EndRow());
  }
  return {};
}

}  // namespace canbao::comparison
