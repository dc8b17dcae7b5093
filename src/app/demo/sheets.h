// The files of a demo delivery: which exist, how each agency writes its own (headers, order of
// columns, encoding, delimiter, dates, compression), and the writers.
//
// A Sheet is read-only after PlanSheets. RowText belongs to one worker. A SheetFile is written by
// whoever holds the commit ticket; blocks arrive in order, so the bytes do not depend on threads.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/demo/geography.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/error.h"

namespace canbao::demo {

enum class Field : uint8_t {
  kPersonNo,
  kIdType,
  kId,
  kName,
  kSex,
  kBirth,
  kHukouType,
  kScheme,
  kState,
  kContribution,
  kBenefit,
  kEnrolledOn,
  kFirstMonth,
  kEndedOn,
  kEmployerNo,
  kEmployerName,
  kUscc,
  kRegion,
  kCategory,
  kPhone,
  kAddress,
  kRemark,
  kEthnicity,
  kHukouDivision,
  kHouseholdNo,
  kRelation,
  kManagement,
  kChangedOn,
  kResidence,
  kRegisteredOn,
  kUnitType,
  kIndustry,
  kHeadcount,
  kSchool,
  kStatus,
  kFullTime,
  kStage,
  kFrom,
  kUntil,
  kWord,
  kGrade,
  kMonth,
  kCardNo,
  kIssuedBy,
  kCareRegion,
  kYear,
  kPopulation,
  kAdmission,
  kPaid,
  kCount
};
inline constexpr int kFields = static_cast<int>(Field::kCount);

struct Column {
  Field field;
  std::string header;
};

struct Sheet {
  std::string file, kind, source, stage;
  uint32_t region = 0;           // of the manifest
  uint16_t manifest_scheme = 0;  // when the file has no scheme column
  uint16_t scheme = 0;           // of its rows; 0 = several or none
  bool gb18030 = false, bom = false, crlf = false, state_encoding = false;
  char delimiter = ',';
  bool gz = false, xlsx = false;
  uint8_t date_style = 0;  // YYYYMMDD, YYYY-MM-DD, YYYY/M/D
  bool sex_words = false;
  std::vector<Column> columns;
  uint64_t has = 0;  // bit per Field
  bool Has(Field f) const { return has >> static_cast<int>(f) & 1; }
};

// Places of the sheets that are not per city.
struct SheetPlan {
  std::vector<Sheet> sheets;
  std::vector<std::array<int, 9>> enrolment;  // by city: 110 120 170 310 210 410 510 390/391 380
  int register_sheet = -1, employer = -1, reply = -1, permit = -1, student = -1, death = -1,
      prisoner = -1, military = -1, abroad = -1, wage = -1, subsidised = -1, card = -1, remote = -1,
      population = -1, filing = -1, staffing = -1, settlement = -1;
};
SheetPlan PlanSheets(const Geography& geography, uint64_t seed, bool slim, bool extras,
                     bool workbook);

// One row as texts by field, in a buffer of its own.
class RowText {
 public:
  void Clear() {
    std::memset(length_, 0, sizeof(length_));
    used_ = 0;
  }
  void Set(Field f, std::string_view text) {
    if (used_ + text.size() > sizeof(buffer_)) return;
    CopyBytes(buffer_ + used_, text.data(), text.size());
    offset_[static_cast<int>(f)] = used_;
    length_[static_cast<int>(f)] = static_cast<uint16_t>(text.size());
    used_ = static_cast<uint16_t>(used_ + text.size());
  }
  void SetNumber(Field f, uint64_t value, int min_digits = 1);
  void SetDate(Field f, uint32_t yyyymmdd, uint8_t style);
  std::string_view Get(Field f) const {
    const int i = static_cast<int>(f);
    return {buffer_ + offset_[i], length_[i]};
  }

 private:
  uint16_t offset_[kFields] = {};
  uint16_t length_[kFields] = {};
  uint16_t used_ = 0;
  char buffer_[2048];
};

// Appends one line: `fields` = how many columns are written (fewer or more than the header when the
// row is broken). Returns the number of physical lines.
int AppendRow(const Sheet& sheet, const RowText& row, int extra_fields, std::string* out);
std::string HeaderLine(const Sheet& sheet);
void AppendGb18030(std::string_view utf8, std::string* out);

// A piece of a gzip member: raw deflate that ends on a byte, and the CRC of its plain text.
struct PackedBlock {
  std::string bytes;
  uint32_t crc = 0;
  uint64_t plain_size = 0;
};
PackedBlock PackBlock(std::string_view plain);

// A file that grows block by block; computes its SHA-256 on the way.
class SheetFile {
 public:
  explicit SheetFile(std::string path, bool gz);
  ~SheetFile();
  SheetFile(SheetFile&&) noexcept;
  Status Open();
  Status Append(std::string_view plain);     // not gz
  Status Append(const PackedBlock& packed);  // gz
  Result<std::string> Finish();              // SHA-256 in hex
 private:
  Status Write(std::string_view bytes);
  std::string path_;
  bool gz_;
  int fd_ = -1;
  uint32_t crc_ = 0;
  uint64_t plain_ = 0;
  Sha256 sha_;
};

// A workbook with two title rows above the header.
Status WriteWorkbook(const std::string& path, const Sheet& sheet, std::string_view title,
                     std::string_view filled_by, const std::vector<std::vector<std::string>>& rows);

}  // namespace canbao::demo
