#include "extract/mapping/field.h"

#include <array>

namespace canbao::extract {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kFields> kNames = {
    "",
    "id_number",
    "id_type",
    "name",
    "sex",
    "birth_date",
    "ethnicity",
    "hukou_division",
    "hukou_address",
    "household_no",
    "relation",
    "hukou_type",
    "management",
    "changed_on",
    "phone",
    "former_name",
    "former_id_number",
    "residence_division",
    "residence_address",
    "registered_on",
    "person_no",
    "scheme",
    "enrolment_state",
    "contribution_state",
    "benefit_state",
    "enrolled_on",
    "first_month",
    "ended_on",
    "employer_no",
    "employer_name",
    "uscc",
    "region",
    "insured_category",
    "insured_year",
    "address",
    "unit_type",
    "industry",
    "division",
    "headcount",
    "school",
    "stage",
    "status",
    "full_time",
    "graduates_on",
    "died_on",
    "from",
    "until",
    "category",
    "left_on",
    "purpose",
    "returned_on",
    "month",
    "grade",
    "card_no",
    "issued_by",
    "issued_on",
    "insured_region",
    "care_region",
    "year",
    "population",
    "unit",
    "certificate_no",
    "mother_id_number",
    "born_on",
    "admission_no",
    "invoice_no",
    "paid",
    "batch_no",
    "change",
};

}  // namespace

std::string_view FieldName(Field field) { return kNames[static_cast<size_t>(field)]; }

std::optional<Field> FieldFromName(std::string_view name) {
  for (int i = 1; i < kFields; ++i) {
    if (kNames[static_cast<size_t>(i)] == name) return static_cast<Field>(i);
  }
  return std::nullopt;
}

}  // namespace canbao::extract
