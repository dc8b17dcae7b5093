// The fields of extracts.md by their English names: what a column can mean. Which kind has which
// field, and by which headers it is recognised, is data (data/mappings/headers.toml).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace canbao::extract {

enum class Field : uint8_t {
  kNone = 0,  // a further column, carried unread
  kIdNumber,
  kIdType,
  kName,
  kSex,
  kBirthDate,
  kEthnicity,
  kHukouDivision,
  kHukouAddress,
  kHouseholdNo,
  kRelation,
  kHukouType,
  kManagement,
  kChangedOn,
  kPhone,
  kFormerName,
  kFormerIdNumber,
  kResidenceDivision,
  kResidenceAddress,
  kRegisteredOn,
  kPersonNo,
  kScheme,
  kEnrolmentState,
  kContributionState,
  kBenefitState,
  kEnrolledOn,
  kFirstMonth,
  kEndedOn,
  kEmployerNo,
  kEmployerName,
  kUscc,
  kRegion,
  kInsuredCategory,
  kInsuredYear,
  kAddress,
  kUnitType,
  kIndustry,
  kDivision,
  kHeadcount,
  kSchool,
  kStage,
  kStatus,
  kFullTime,
  kGraduatesOn,
  kDiedOn,
  kFrom,
  kUntil,
  kCategory,
  kLeftOn,
  kPurpose,
  kReturnedOn,
  kMonth,
  kGrade,
  kCardNo,
  kIssuedBy,
  kIssuedOn,
  kInsuredRegion,
  kCareRegion,
  kYear,
  kPopulation,
  kUnit,
  kCertificateNo,
  kMotherIdNumber,
  kBornOn,
  kAdmissionNo,
  kInvoiceNo,
  kPaid,
  kBatchNo,
  kChange
};
inline constexpr int kFields = static_cast<int>(Field::kChange) + 1;

std::string_view FieldName(Field field);  // "id_number"
std::optional<Field> FieldFromName(std::string_view name);

}  // namespace canbao::extract
