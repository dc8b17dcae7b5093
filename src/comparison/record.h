// The packed record: one accepted row between the stages of a comparison, 52 bytes where the text
// of the row was 70 to 200, followed by the texts that only the register needs. Every kind of row
// has the same members at the same places, so that the stages read them where they lie.
//
// Little endian, unaligned. Encoding and decoding are pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "comparison/employer.h"
#include "extract/row.h"

namespace canbao::comparison {

// Kinds beyond extract::Kind.
inline constexpr uint8_t kProbe =
    254;  // a repair candidate of a damaged row: does this number lead to a person?
inline constexpr uint8_t kSuperseded =
    252;                                 // a row that a delta replaced or ended: counted, no more
inline constexpr uint8_t kMaster = 253;  // a person of an earlier run; name code = its person key

// Key space of PersonNumber, continued: persons known without a usable number.
inline constexpr uint64_t kProvisionalBit = 3ull << 62;
constexpr bool IsProvisionalKey(uint64_t key) { return (key >> 62) == 3; }

// The number is not the key: the row was brought to its person by a personal number, or by score.
inline constexpr uint8_t kByPersonNo = 1u << 7;
inline constexpr uint8_t kByScore = 1u << 6;

// The fixed part. What `day1` and those behind it mean depends on the kind:
//
//             enrolment, reply             register              evidence
//   day1      enrolled_on                  changed_on            from
//   day2      ended_on                     –                     until
//   category  AAC066                       hukou, bits 32..47    –
//   employer  Employer::v                  hukou, bits 0..31     Employer::v; settlement: hash of
//   its no. place     region 20 · scheme 9 ·       management 8 ·        evidence 8 · code,
//   bits 32..39
//             state 3 bits, from below     hukou_type 8 ·
//                                          ethnicity 8
//   other     hash of the personal number  –                     code, bits 0..31
struct __attribute__((packed)) Packed {
  uint64_t key;   // PersonNumber, or a provisional key
  uint64_t name;  // identity::NameCode; kMaster: the person key
  uint32_t line;  // workbooks: sheet << 24 | row
  uint16_t extract;
  uint16_t size;  // of the whole record
  uint8_t kind;
  uint8_t bits;  // sex 2 · number class 3 · 0 · kByScore · kByPersonNo
  uint16_t findings;
  uint16_t birth;
  uint16_t day1;
  uint16_t day2;
  uint16_t category;
  uint32_t employer;
  uint32_t place;
  uint32_t other;
  uint16_t phone;  // hash, 0 = none
  uint16_t unit;   // hash of the employer's code or number; register: of the household's number

  identity::Sex sex() const { return static_cast<identity::Sex>(bits & 3); }
  identity::NumberClass number_class() const {
    return static_cast<identity::NumberClass>((bits >> 2) & 7);
  }
  bool is_joined() const { return (bits & (kByPersonNo | kByScore)) != 0; }
  bool has_texts() const { return size > sizeof(Packed); }
};
static_assert(sizeof(Packed) == 52);

// Texts carried behind the fixed part: u8 tag, u16 size, bytes.
enum class TextTag : uint8_t {
  kInsuredYear = 17,  // two bytes; always the first
  kFirstMonth = 18,   // two bytes
  kName = 1,          // as delivered
  kIdNumber,          // as delivered, where `key` does not say it
  kIdType,
  kPersonNo,
  kEmployerNo,
  kEmployerName,
  kUscc,
  kStateText,
  kPhone,
  kAddress,
  kHouseholdNo,
  kRelation,
  kCategory,
  kDetail,
  kFormerName,
  kFormerNumber
};

// What the stages read of a record. Views into the partition's buffer.
struct Record {
  uint64_t key = 0;
  uint64_t name = 0;  // identity::NameCode; kMaster: the person key
  uint32_t line = 0;
  uint16_t extract = 0;
  uint16_t findings = 0;  // extract::RowFinding
  uint8_t kind = 0;       // extract::Kind, kProbe, kMaster
  identity::Sex sex = identity::Sex::kUnknown;
  identity::NumberClass number_class = identity::NumberClass::kMissing;
  bool is_probable = false;  // its system's personal number or its score told the person
  Date birth;
  const Packed* packed = nullptr;

  // Order in which rows count as seen (rules.md §3), once extract ordinals are canonical.
  uint64_t order() const { return static_cast<uint64_t>(extract) << 32 | line; }
  std::string_view Text(TextTag tag) const;
};

struct EnrolmentFields {
  scheme::SchemeCode scheme = 0;
  scheme::State state = scheme::State::kUnmapped;
  uint32_t region = 0;
  Date enrolled_on;
  Date ended_on;
  uint16_t insured_category = 0;
  uint16_t insured_year = 0;
  uint32_t employer = 0;        // Employer::v
  uint32_t person_no_hash = 0;  // 0 = no personal number
};

struct RegisterFields {
  uint64_t hukou = 0;
  scheme::Management management = scheme::Management::kManaged;
  Date changed_on;
  uint8_t hukou_type = 0;
  uint8_t ethnicity = 0;
};

struct EvidenceFields {
  scheme::EvidenceKind evidence = scheme::EvidenceKind::kCard;
  Date from;
  Date until;
  uint32_t employer = 0;  // medical_settlement: hash of the admission or invoice number
  uint64_t code = 0;      // residence: division (12 digits); remote_medical: insured region; card:
                          // who issued it;
                          // medical_settlement: scheme; else 0
};

// Fills *out with the fixed part of the row, without texts: all there is of most rows when nothing
// but figures is wanted.
inline void Pack(const extract::Row& row, extract::Kind kind, uint16_t extract, uint32_t line,
                 uint64_t key, Employer employer, Packed* out);
// Whether a record of the row has texts behind the fixed part.
inline bool NeedsTexts(const extract::Row& row, bool with_texts) {
  return with_texts || row.name_code.is_hash() || row.insured_year != 0;
}
// The record with its texts. `with_texts`: everything the register and the linkage stage need of
// the row; otherwise only the name of rows whose name code is a hash, and the insured year.
// Returns the record's size. `out` is reused; the record starts at out->data().
size_t Encode(const extract::Row& row, extract::Kind kind, uint16_t extract, uint32_t line,
              uint64_t key, Employer employer, bool with_texts, std::vector<uint8_t>* out);
// The same row as a probe for `candidate`.
size_t EncodeProbe(const extract::Row& row, uint16_t extract, uint32_t line, uint64_t candidate,
                   std::vector<uint8_t>* out);
size_t EncodeSuperseded(uint16_t extract, uint32_t line, uint64_t key, std::vector<uint8_t>* out);
size_t EncodeMaster(uint64_t key, uint64_t person_key, std::vector<uint8_t>* out);
// A copy of a record under another key. `how`: kByPersonNo, kByScore or 0. A number that the record
// had as its key is kept as its text.
size_t Rekey(const Packed& record, uint64_t key, uint8_t how, std::vector<uint8_t>* out);

Record Decode(const Packed& p);
inline EnrolmentFields DecodeEnrolment(const Packed& p);
inline RegisterFields DecodeRegister(const Packed& p);
inline EvidenceFields DecodeEvidence(const Packed& p);
inline EnrolmentFields DecodeEnrolment(const Record& r) { return DecodeEnrolment(*r.packed); }
inline RegisterFields DecodeRegister(const Record& r) { return DecodeRegister(*r.packed); }
inline EvidenceFields DecodeEvidence(const Record& r) { return DecodeEvidence(*r.packed); }
// Two bytes under a tag; 0 = none. The insured year stands first.
uint16_t ShortText(const Packed& p, TextTag tag);

inline bool HasEnrolment(uint8_t kind) {
  return kind == static_cast<uint8_t>(extract::Kind::kEnrolment) ||
         kind == static_cast<uint8_t>(extract::Kind::kNationalReply);
}
inline bool IsRegister(uint8_t kind) {
  return kind == static_cast<uint8_t>(extract::Kind::kHouseholdRegister);
}

// The hash that decides partition, shard and order of persons: a bijection of the key.
inline uint64_t HashKey(uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdull;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53ull;
  key ^= key >> 33;
  return key;
}

inline uint64_t HashText(std::string_view text, uint64_t seed = 1469598103934665603ull) {
  uint64_t h = seed ^ text.size() * 0x9E3779B97F4A7C15ull;
  const char* p = text.data();
  size_t n = text.size();
  auto mix = [&h](uint64_t word) {
    h = (h ^ word) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  };
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  // The rest by loads of fixed size, which overlap what was read before.
  if (n > 0) {
    uint64_t word = 0;
    if (text.size() >= 8) {
      std::memcpy(&word, p + n - 8, 8);
    } else if (n >= 4) {
      uint32_t low;
      uint32_t high;
      std::memcpy(&low, p, 4);
      std::memcpy(&high, p + n - 4, 4);
      word = static_cast<uint64_t>(high) << 32 | low;
    } else {
      word = static_cast<uint8_t>(p[0]) |
             static_cast<uint64_t>(static_cast<uint8_t>(p[n / 2])) << 8 |
             static_cast<uint64_t>(static_cast<uint8_t>(p[n - 1])) << 16;
    }
    mix(word);
  }
  return HashKey(h);
}

// Sixteen bits, 0 for no text.
inline uint16_t ShortHash(std::string_view text) {
  return text.empty() ? uint16_t{0} : static_cast<uint16_t>(HashText(text) >> 48 | 1u);
}

inline uint8_t BitsOf(const extract::Row& row) {
  return static_cast<uint8_t>(static_cast<uint8_t>(row.sex) | static_cast<uint8_t>(row.number.cls)
                                                                  << 2);
}

inline void Pack(const extract::Row& row, extract::Kind kind, uint16_t extract, uint32_t line,
                 uint64_t key, Employer employer, Packed* out) {
  Packed& p = *out;
  p.key = key;
  p.name = row.name_code.v;
  p.line = line;
  p.extract = extract;
  p.size = sizeof(Packed);
  p.kind = static_cast<uint8_t>(kind);
  p.bits = BitsOf(row);
  p.findings = row.findings;
  p.birth = row.birth.v;
  p.phone = ShortHash(row.phone);
  p.unit = employer.id;
  if (HasEnrolment(p.kind)) {
    p.day1 = row.enrolled_on.v;
    p.day2 = row.ended_on.v;
    p.category = row.insured_category;
    p.employer = employer.v;
    p.place = (row.region & 0xFFFFF) | static_cast<uint32_t>(row.scheme & 0x1FF) << 20 |
              static_cast<uint32_t>(row.state) << 29;
    p.other = row.person_no.empty() ? 0 : static_cast<uint32_t>(HashText(row.person_no)) | 1u;
  } else if (IsRegister(p.kind)) {
    p.day1 = row.changed_on.v;
    p.day2 = 0;
    p.category = static_cast<uint16_t>(row.division.v >> 32);
    p.employer = static_cast<uint32_t>(row.division.v);
    p.place = static_cast<uint32_t>(row.management) | static_cast<uint32_t>(row.hukou_type) << 8 |
              static_cast<uint32_t>(row.ethnicity) << 16;
    p.other = 0;
    p.unit = ShortHash(row.household_no);
  } else {
    p.day1 = row.from.v;
    p.day2 = row.until.v;
    p.category = 0;
    uint64_t code = row.division.v;
    p.employer = employer.v;
    if (kind == extract::Kind::kMedicalSettlement) {
      p.employer = static_cast<uint32_t>(HashText(row.detail));
      code = row.scheme;
    } else if (kind == extract::Kind::kRemoteMedical || kind == extract::Kind::kCard) {
      code = static_cast<uint64_t>(row.region) * 1000000;
    }
    p.place = static_cast<uint32_t>(row.evidence) | static_cast<uint32_t>(code >> 32 & 0xFF) << 8;
    p.other = static_cast<uint32_t>(code);
  }
}

inline EnrolmentFields DecodeEnrolment(const Packed& p) {
  EnrolmentFields f;
  f.region = p.place & 0xFFFFF;
  f.scheme = static_cast<scheme::SchemeCode>(p.place >> 20 & 0x1FF);
  f.state = static_cast<scheme::State>(p.place >> 29);
  f.enrolled_on = Date{p.day1};
  f.ended_on = Date{p.day2};
  f.insured_category = p.category;
  f.employer = p.employer;
  f.person_no_hash = p.other;
  if (p.has_texts()) f.insured_year = ShortText(p, TextTag::kInsuredYear);
  return f;
}

inline RegisterFields DecodeRegister(const Packed& p) {
  RegisterFields f;
  f.hukou = static_cast<uint64_t>(p.category) << 32 | p.employer;
  f.management = static_cast<scheme::Management>(p.place & 0xFF);
  f.changed_on = Date{p.day1};
  f.hukou_type = static_cast<uint8_t>(p.place >> 8);
  f.ethnicity = static_cast<uint8_t>(p.place >> 16);
  return f;
}

inline EvidenceFields DecodeEvidence(const Packed& p) {
  EvidenceFields f;
  f.evidence = static_cast<scheme::EvidenceKind>(p.place & 0xFF);
  f.from = Date{p.day1};
  f.until = Date{p.day2};
  f.employer = p.employer;
  f.code = static_cast<uint64_t>(p.place >> 8 & 0xFF) << 32 | p.other;
  return f;
}

}  // namespace canbao::comparison
