// The packed record: one accepted row between the stages of a comparison, 30 to 45 bytes where the
// text of the row was 70 to 200, followed by the texts that only the register needs.
//
//   u16 size of the whole record      u64 key (PersonNumber, or a provisional key)
//   u16 extract ordinal               u32 line (workbooks: sheet << 24 | row)
//   u64 name code                     u8 kind · u8 bits · u16 findings
//   [u16 birth, unless absent or the one in the number]
//   fields by kind                    [texts: u8 tag, u16 size, bytes …]
//
// Little endian, unaligned. Encoding and decoding are pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

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

// Texts carried behind the fixed fields.
enum class TextTag : uint8_t {
  kName = 1,  // as delivered
  kIdNumber,  // as delivered, where `key` does not say it
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
  bool by_person_no =
      false;  // without a usable number; its system's personal number told the person
  Date birth;
  const uint8_t* start = nullptr;   // of the record
  const uint8_t* fields = nullptr;  // the part by kind
  const uint8_t* texts = nullptr;
  const uint8_t* end = nullptr;

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
  Date first_month;
  uint16_t insured_category = 0;
  uint16_t insured_year = 0;
  uint32_t employer = 0;        // index into the employer table; see EmployerTable
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
  uint64_t code = 0;      // residence: division (12 digits); remote_medical: insured region;
                          // medical_settlement: scheme; else 0
};

// Appends one record. `with_texts`: everything the register and the linkage stage need of the row;
// otherwise only the name of rows whose name code is a hash.
// Returns the record's size. `out` is reused; the record starts at out->data().
size_t Encode(const extract::Row& row, extract::Kind kind, uint16_t extract, uint32_t line,
              uint64_t key, uint32_t employer, bool with_texts, std::vector<uint8_t>* out);
// The same row as a probe for `candidate`.
size_t EncodeProbe(const extract::Row& row, uint16_t extract, uint32_t line, uint64_t candidate,
                   std::vector<uint8_t>* out);
size_t EncodeSuperseded(uint16_t extract, uint32_t line, uint64_t key, std::vector<uint8_t>* out);
size_t EncodeMaster(uint64_t key, uint64_t person_key, std::vector<uint8_t>* out);
// A copy of a decoded record under another key.
size_t Rekey(const uint8_t* record, uint64_t key, bool by_person_no, std::vector<uint8_t>* out);

// Decodes the record at `p`; returns its end. The buffer is our own: sizes are trusted.
const uint8_t* Decode(const uint8_t* p, Record* out);
inline uint64_t KeyAt(const uint8_t* p) {
  uint64_t key;
  std::memcpy(&key, p + 2, 8);
  return key;
}
inline uint16_t SizeAt(const uint8_t* p) {
  uint16_t n;
  std::memcpy(&n, p, 2);
  return n;
}
EnrolmentFields DecodeEnrolment(const Record& r);
RegisterFields DecodeRegister(const Record& r);
EvidenceFields DecodeEvidence(const Record& r);

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
  uint64_t h = seed;
  for (char c : text) h = (h ^ static_cast<uint8_t>(c)) * 1099511628211ull;
  return HashKey(h ^ text.size());
}

}  // namespace canbao::comparison
