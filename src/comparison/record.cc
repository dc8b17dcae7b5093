#include "comparison/record.h"

#include <algorithm>

namespace canbao::comparison {
namespace {

using extract::Kind;
using identity::NumberClass;
using identity::PersonNumber;
using identity::Sex;

constexpr uint8_t kBirthFromNumber = 1u << 5;
constexpr uint8_t kBirthStored = 1u << 6;
constexpr uint8_t kByPersonNo = 1u << 7;
constexpr size_t kBitsAt = 2 + 8 + 2 + 4 + 8 + 1;
constexpr size_t kHead = kBitsAt + 1 + 2;

// Presence bits of an enrolment.
enum : uint8_t {
  kHasEnrolled = 1,
  kHasEnded = 2,
  kHasCategory = 4,
  kHasEmployer = 8,
  kHasPersonNo = 16,
  kHasYear = 32,
  kHasFirstMonth = 64
};

struct Writer {
  std::vector<uint8_t>* out;
  size_t n = 0;
  void Reserve(size_t more) {
    if (out->size() < n + more) out->resize(std::max<size_t>(n + more, 512) * 2);
  }
  template <typename T>
  void Put(T v) {
    std::memcpy(out->data() + n, &v, sizeof(T));
    n += sizeof(T);
  }
  void Put24(uint32_t v) {
    std::memcpy(out->data() + n, &v, 3);
    n += 3;
  }
  void Put40(uint64_t v) {
    std::memcpy(out->data() + n, &v, 5);
    n += 5;
  }
  void Text(TextTag tag, std::string_view text) {
    if (text.empty()) return;
    // A record's size is 16 bits; 1,000 bytes hold every real field of a person.
    auto size = static_cast<uint16_t>(std::min<size_t>(text.size(), 1000));
    while (size < text.size() && size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80)
      --size;
    Reserve(static_cast<size_t>(size) + 3);
    Put(static_cast<uint8_t>(tag));
    Put(size);
    std::memcpy(out->data() + n, text.data(), size);
    n += size;
  }
};

template <typename T>
T Get(const uint8_t*& p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  p += sizeof(T);
  return v;
}

uint32_t Get24(const uint8_t*& p) {
  uint32_t v = 0;
  std::memcpy(&v, p, 3);
  p += 3;
  return v;
}

uint64_t Get40(const uint8_t*& p) {
  uint64_t v = 0;
  std::memcpy(&v, p, 5);
  p += 5;
  return v;
}

void PutHead(Writer* w, uint64_t key, uint16_t extract, uint32_t line, uint64_t name, uint8_t kind,
             Sex sex, NumberClass number_class, Date birth, uint16_t findings) {
  w->Reserve(kHead + 80);
  w->Put<uint16_t>(0);
  w->Put(key);
  w->Put(extract);
  w->Put(line);
  w->Put(name);
  w->Put(kind);
  uint8_t bits =
      static_cast<uint8_t>(static_cast<uint8_t>(sex) | static_cast<uint8_t>(number_class) << 2);
  bool stored = false;
  if (birth.has_value()) {
    if ((key >> 63) == 0 && identity::BirthDateOf(PersonNumber{key}) == birth) {
      bits |= kBirthFromNumber;
    } else {
      bits |= kBirthStored;
      stored = true;
    }
  }
  w->Put(bits);
  w->Put(findings);
  if (stored) w->Put(birth.v);
}

size_t Finish(Writer* w) {
  auto size = static_cast<uint16_t>(w->n);
  std::memcpy(w->out->data(), &size, 2);
  return w->n;
}

size_t FieldsSize(uint8_t kind, const uint8_t* p) {
  if (HasEnrolment(kind)) {
    uint8_t has = *p;
    return 1 + 2 + 1 + 3 + ((has & kHasEnrolled) ? 2 : 0) + ((has & kHasEnded) ? 2 : 0) +
           ((has & kHasCategory) ? 2 : 0) + ((has & kHasEmployer) ? 4 : 0) +
           ((has & kHasPersonNo) ? 4 : 0) + ((has & kHasYear) ? 2 : 0) +
           ((has & kHasFirstMonth) ? 2 : 0);
  }
  if (IsRegister(kind)) return 5 + 1 + 2 + 1 + 1;
  if (kind >= kSuperseded) return 0;  // and kMaster, kProbe
  return 1 + 2 + 2 + 4 + 5;
}

}  // namespace

size_t Encode(const extract::Row& row, Kind kind, uint16_t extract, uint32_t line, uint64_t key,
              uint32_t employer, bool with_texts, std::vector<uint8_t>* out) {
  Writer w{out};
  auto k = static_cast<uint8_t>(kind);
  PutHead(&w, key, extract, line, row.name_code.v, k, row.sex, row.number.cls, row.birth,
          row.findings);
  if (HasEnrolment(k)) {
    uint32_t person_no = 0;
    if (!row.person_no.empty()) {
      person_no = static_cast<uint32_t>(HashText(row.person_no)) | 1u;
    }
    bool first = with_texts && row.first_month.has_value();
    uint8_t has = static_cast<uint8_t>(
        (row.enrolled_on.has_value() ? kHasEnrolled : 0) |
        (row.ended_on.has_value() ? kHasEnded : 0) |
        (row.insured_category != 0 ? kHasCategory : 0) | (employer != 0 ? kHasEmployer : 0) |
        (person_no != 0 ? kHasPersonNo : 0) | (row.insured_year != 0 ? kHasYear : 0) |
        (first ? kHasFirstMonth : 0));
    w.Put(has);
    w.Put<uint16_t>(row.scheme);
    w.Put(static_cast<uint8_t>(row.state));
    w.Put24(row.region);
    if (has & kHasEnrolled) w.Put(row.enrolled_on.v);
    if (has & kHasEnded) w.Put(row.ended_on.v);
    if (has & kHasCategory) w.Put(row.insured_category);
    if (has & kHasEmployer) w.Put(employer);
    if (has & kHasPersonNo) w.Put(person_no);
    if (has & kHasYear) w.Put(row.insured_year);
    if (has & kHasFirstMonth) w.Put(row.first_month.v);
  } else if (IsRegister(k)) {
    w.Put40(row.division.v);
    w.Put(static_cast<uint8_t>(row.management));
    w.Put(row.changed_on.v);
    w.Put(row.hukou_type);
    w.Put(row.ethnicity);
  } else {
    w.Put(static_cast<uint8_t>(row.evidence));
    w.Put(row.from.v);
    w.Put(row.until.v);
    if (kind == Kind::kMedicalSettlement) {
      w.Put(static_cast<uint32_t>(HashText(row.detail)));
      w.Put40(row.scheme);
    } else {
      w.Put(employer);
      w.Put40(kind == Kind::kRemoteMedical ? static_cast<uint64_t>(row.region) * 1000000
                                           : row.division.v);
    }
  }
  if (with_texts) {
    w.Text(TextTag::kName, row.name);
    if (row.number.cls != NumberClass::kValid) {
      w.Text(TextTag::kIdNumber, row.id_number);
      w.Text(TextTag::kIdType, row.id_type);
    }
    w.Text(TextTag::kPersonNo, row.person_no);
    w.Text(TextTag::kEmployerNo, row.employer_no);
    w.Text(TextTag::kEmployerName, row.employer_name);
    w.Text(TextTag::kUscc, row.uscc);
    w.Text(TextTag::kStateText, row.state_text);
    w.Text(TextTag::kPhone, row.phone);
    w.Text(TextTag::kAddress, row.address);
    w.Text(TextTag::kHouseholdNo, row.household_no);
    w.Text(TextTag::kRelation, row.relation);
    w.Text(TextTag::kCategory, row.category);
    w.Text(TextTag::kDetail, row.detail);
    w.Text(TextTag::kFormerName, row.former_name);
    w.Text(TextTag::kFormerNumber, row.former_number);
  } else if (row.name_code.is_hash()) {
    w.Text(TextTag::kName, row.name);
  }
  return Finish(&w);
}

size_t EncodeProbe(const extract::Row& row, uint16_t extract, uint32_t line, uint64_t candidate,
                   std::vector<uint8_t>* out) {
  Writer w{out};
  PutHead(&w, candidate, extract, line, row.name_code.v, kProbe, row.sex, row.number.cls, row.birth,
          0);
  if (row.name_code.is_hash()) w.Text(TextTag::kName, row.name);
  return Finish(&w);
}

size_t EncodeSuperseded(uint16_t extract, uint32_t line, uint64_t key, std::vector<uint8_t>* out) {
  Writer w{out};
  PutHead(&w, key, extract, line, 0, kSuperseded, Sex::kUnknown, NumberClass::kMissing, Date{}, 0);
  return Finish(&w);
}

size_t EncodeMaster(uint64_t key, uint64_t person_key, std::vector<uint8_t>* out) {
  Writer w{out};
  PutHead(&w, key, 0, 0, person_key, kMaster, Sex::kUnknown, NumberClass::kMissing, Date{}, 0);
  return Finish(&w);
}

size_t Rekey(const uint8_t* record, uint64_t key, bool by_person_no, std::vector<uint8_t>* out) {
  Record r;
  Decode(record, &r);
  Writer w{out};
  PutHead(&w, key, r.extract, r.line, r.name, r.kind, r.sex, r.number_class, r.birth, r.findings);
  if (by_person_no) (*out)[kBitsAt] |= kByPersonNo;
  size_t rest = static_cast<size_t>(r.end - r.fields);
  w.Reserve(rest);
  std::memcpy(out->data() + w.n, r.fields, rest);
  w.n += rest;
  return Finish(&w);
}

const uint8_t* Decode(const uint8_t* p, Record* r) {
  r->start = p;
  const uint8_t* end = p + SizeAt(p);
  p += 2;
  r->key = Get<uint64_t>(p);
  r->extract = Get<uint16_t>(p);
  r->line = Get<uint32_t>(p);
  r->name = Get<uint64_t>(p);
  r->kind = Get<uint8_t>(p);
  uint8_t bits = Get<uint8_t>(p);
  r->findings = Get<uint16_t>(p);
  r->sex = static_cast<Sex>(bits & 3);
  r->number_class = static_cast<NumberClass>((bits >> 2) & 7);
  r->by_person_no = (bits & kByPersonNo) != 0;
  r->birth = Date{};
  if (bits & kBirthFromNumber) {
    r->birth = identity::BirthDateOf(PersonNumber{r->key});
  } else if (bits & kBirthStored) {
    r->birth = Date{Get<uint16_t>(p)};
  }
  r->fields = p;
  r->texts = p + FieldsSize(r->kind, p);
  r->end = end;
  return end;
}

std::string_view Record::Text(TextTag tag) const {
  const uint8_t* p = texts;
  while (p < end) {
    auto t = static_cast<TextTag>(*p++);
    uint16_t size;
    std::memcpy(&size, p, 2);
    p += 2;
    if (t == tag) return {reinterpret_cast<const char*>(p), size};
    p += size;
  }
  return {};
}

EnrolmentFields DecodeEnrolment(const Record& r) {
  const uint8_t* p = r.fields;
  EnrolmentFields f;
  uint8_t has = Get<uint8_t>(p);
  f.scheme = Get<uint16_t>(p);
  f.state = static_cast<scheme::State>(Get<uint8_t>(p));
  f.region = Get24(p);
  if (has & kHasEnrolled) f.enrolled_on = Date{Get<uint16_t>(p)};
  if (has & kHasEnded) f.ended_on = Date{Get<uint16_t>(p)};
  if (has & kHasCategory) f.insured_category = Get<uint16_t>(p);
  if (has & kHasEmployer) f.employer = Get<uint32_t>(p);
  if (has & kHasPersonNo) f.person_no_hash = Get<uint32_t>(p);
  if (has & kHasYear) f.insured_year = Get<uint16_t>(p);
  if (has & kHasFirstMonth) f.first_month = Date{Get<uint16_t>(p)};
  return f;
}

RegisterFields DecodeRegister(const Record& r) {
  const uint8_t* p = r.fields;
  RegisterFields f;
  f.hukou = Get40(p);
  f.management = static_cast<scheme::Management>(Get<uint8_t>(p));
  f.changed_on = Date{Get<uint16_t>(p)};
  f.hukou_type = Get<uint8_t>(p);
  f.ethnicity = Get<uint8_t>(p);
  return f;
}

EvidenceFields DecodeEvidence(const Record& r) {
  const uint8_t* p = r.fields;
  EvidenceFields f;
  f.evidence = static_cast<scheme::EvidenceKind>(Get<uint8_t>(p));
  f.from = Date{Get<uint16_t>(p)};
  f.until = Date{Get<uint16_t>(p)};
  f.employer = Get<uint32_t>(p);
  f.code = Get40(p);
  return f;
}

}  // namespace canbao::comparison
