#include "comparison/record.h"

#include <algorithm>

namespace canbao::comparison {
namespace {

using extract::Kind;
using identity::NumberClass;

// Appends texts behind the fixed part.
struct Writer {
  std::vector<uint8_t>* out;
  size_t n = sizeof(Packed);
  explicit Writer(std::vector<uint8_t>* to) : out(to) {
    if (out->size() < 2048) out->resize(2048);
  }
  Packed* packed() const { return reinterpret_cast<Packed*>(out->data()); }
  void Text(TextTag tag, std::string_view text) {
    if (text.empty()) return;
    // A record's size is 16 bits; 1,000 bytes hold every real field of a person.
    auto size = static_cast<uint16_t>(std::min<size_t>(text.size(), 1000));
    while (size < text.size() && size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80)
      --size;
    if (out->size() < n + size + 3) out->resize((n + size + 3) * 2);
    uint8_t* p = out->data() + n;
    p[0] = static_cast<uint8_t>(tag);
    std::memcpy(p + 1, &size, 2);
    std::memcpy(p + 3, text.data(), size);
    n += size + 3u;
  }
  void Short(TextTag tag, uint16_t value) {
    char two[2];
    std::memcpy(two, &value, 2);
    Text(tag, {two, 2});
  }
  size_t Finish() {
    packed()->size = static_cast<uint16_t>(n);
    return n;
  }
};

// A record that is no row of its own: everything but what is given is nought.
Packed Bare(uint64_t key, uint8_t kind, uint16_t extract, uint32_t line) {
  Packed p{};
  p.key = key;
  p.kind = kind;
  p.extract = extract;
  p.line = line;
  p.size = sizeof(Packed);
  return p;
}

}  // namespace

size_t Encode(const extract::Row& row, Kind kind, uint16_t extract, uint32_t line, uint64_t key,
              Employer employer, bool with_texts, std::vector<uint8_t>* out) {
  Writer w(out);
  Pack(row, kind, extract, line, key, employer, w.packed());
  if (HasEnrolment(static_cast<uint8_t>(kind))) {
    if (row.insured_year != 0) w.Short(TextTag::kInsuredYear, row.insured_year);
    if (with_texts && row.first_month.has_value()) w.Short(TextTag::kFirstMonth, row.first_month.v);
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
  return w.Finish();
}

size_t EncodeProbe(const extract::Row& row, uint16_t extract, uint32_t line, uint64_t candidate,
                   std::vector<uint8_t>* out) {
  Writer w(out);
  *w.packed() = Bare(candidate, kProbe, extract, line);
  w.packed()->name = row.name_code.v;
  w.packed()->bits = BitsOf(row);
  w.packed()->birth = row.birth.v;
  if (row.name_code.is_hash()) w.Text(TextTag::kName, row.name);
  return w.Finish();
}

size_t EncodeSuperseded(uint16_t extract, uint32_t line, uint64_t key, std::vector<uint8_t>* out) {
  Writer w(out);
  *w.packed() = Bare(key, kSuperseded, extract, line);
  return w.Finish();
}

size_t EncodeMaster(uint64_t key, uint64_t person_key, std::vector<uint8_t>* out) {
  Writer w(out);
  *w.packed() = Bare(key, kMaster, 0, 0);
  w.packed()->name = person_key;
  return w.Finish();
}

size_t Rekey(const Packed& record, uint64_t key, uint8_t how, std::vector<uint8_t>* out) {
  Writer w(out);
  if (out->size() < record.size) out->resize(record.size * 2u);
  std::memcpy(out->data(), &record, record.size);
  w.n = record.size;
  w.packed()->key = key;
  w.packed()->bits |= how;
  bool own_number = how == kByScore && !IsProvisionalKey(record.key);
  if (own_number && record.has_texts()) {
    w.Text(TextTag::kIdNumber, identity::ToText(identity::PersonNumber{record.key}));
  }
  return w.Finish();
}

Record Decode(const Packed& p) {
  Record r;
  r.packed = &p;
  r.key = p.key;
  r.name = p.name;
  r.line = p.line;
  r.extract = p.extract;
  r.findings = p.findings;
  r.kind = p.kind;
  r.sex = p.sex();
  r.number_class = p.number_class();
  r.is_probable = p.is_joined();
  r.birth = Date{p.birth};
  return r;
}

std::string_view Record::Text(TextTag tag) const {
  const auto* p = reinterpret_cast<const uint8_t*>(packed) + sizeof(Packed);
  const uint8_t* end = reinterpret_cast<const uint8_t*>(packed) + packed->size;
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

uint16_t ShortText(const Packed& p, TextTag tag) {
  Record r;
  r.packed = &p;
  // The insured year stands first or not at all.
  if (tag == TextTag::kInsuredYear &&
      reinterpret_cast<const uint8_t*>(&p)[sizeof(Packed)] != static_cast<uint8_t>(tag)) {
    return 0;
  }
  std::string_view two = r.Text(tag);
  uint16_t value = 0;
  if (two.size() == 2) std::memcpy(&value, two.data(), 2);
  return value;
}

}  // namespace canbao::comparison
