#include "register/internal/layout.h"

namespace canbao::reg {

const std::vector<TableLayout>& Layouts() {
  static const std::vector<TableLayout> all = {
      {"person",
       "person",
       "person_key",
       false,
       {{"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"number", Form::kNumber, "number", kZeroIsNull},
        {"document", Form::kSealedText, "document", kZeroIsNull},
        {"name", Form::kText, "name", kZeroIsNull},
        {"sex", Form::kInt2, "sex", kZeroIsNull},
        {"birth", Form::kDate, "birth", kZeroIsNull},
        {"in_register", Form::kBool, "in_register"},
        {"confirmed", Form::kBool, "confirmed"},
        {"verified_number", Form::kBool, "verified_number"},
        {"management", Form::kInt2, "management"},
        {"changed_on", Form::kDate, "changed_on", kZeroIsNull},
        {"hukou", Form::kInt8, "hukou", kZeroIsNull},
        {"hukou_type", Form::kInt2, "hukou_type", kZeroIsNull},
        {"ethnicity", Form::kInt2, "ethnicity", kZeroIsNull},
        {"household_no", Form::kText, "household_no", kZeroIsNull},
        {"relation", Form::kText, "relation", kZeroIsNull},
        {"phone", Form::kPhone, "phone", kZeroIsNull},
        {"address", Form::kText, "address", kZeroIsNull},
        {"residence", Form::kInt8, "residence", kZeroIsNull},
        {"county", Form::kInt4, "county", kZeroIsNull},
        {"source_ref", Form::kRef, "first_ref", kIdentityless},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"ALTER TABLE {0} ADD PRIMARY KEY (person_key, valid_from, bucket)",
        "CREATE INDEX ON {0} (number)",
        "CREATE INDEX ON {0} (document) WHERE document IS NOT NULL"}},
      {"classification",
       "person",
       "person_key",
       true,
       {{"cutoff", Form::kCutoff, ""},
        {"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"flags", Form::kInt4, "flags"},
        {"duplicates", Form::kInt2, "duplicates"},
        {"uncovered", Form::kInt2, "uncovered"},
        {"form_2_2", Form::kInt2, "form_2_2"},
        {"county", Form::kInt4, "county"},
        {"city", Form::kInt4, "city"},
        {"branches", Form::kInt2, "branches"},
        {"both_classes", Form::kInt2, "both_classes", kOptional}},
       {"ALTER TABLE {0} ADD PRIMARY KEY (person_key, cutoff, bucket)"}},
      {"enrolment",
       "enrolment",
       "person_key",
       false,
       {{"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"source_ref", Form::kRef, "row_ref", kIdentityless},
        {"outcome", Form::kInt2, "outcome"},
        {"scheme", Form::kInt2, "scheme"},
        {"region", Form::kInt4, "region", kZeroIsNull},
        {"state", Form::kInt2, "state"},
        {"state_at_cutoff", Form::kInt2, "state_at_cutoff"},
        {"enrolled_on", Form::kDate, "enrolled_on", kZeroIsNull},
        {"ended_on", Form::kDate, "ended_on", kZeroIsNull},
        {"first_month", Form::kDate, "first_month", kZeroIsNull},
        {"insured_category", Form::kInt2, "insured_category", kZeroIsNull},
        {"insured_year", Form::kInt2, "insured_year", kZeroIsNull},
        {"person_no", Form::kText, "person_no", kZeroIsNull},
        {"employer", Form::kEmployer, ""},
        {"confirmed", Form::kBool, "confirmed"},
        {"state_text", Form::kText, "state_text", kZeroIsNull},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (person_key)"}},
      {"evidence",
       "evidence",
       "person_key",
       false,
       {{"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"source_ref", Form::kRef, "row_ref", kIdentityless},
        {"outcome", Form::kInt2, "outcome"},
        {"kind", Form::kInt2, "kind"},
        {"evidence", Form::kInt2, "evidence"},
        {"from_day", Form::kDate, "from", kZeroIsNull},
        {"until_day", Form::kDate, "until", kZeroIsNull},
        {"county", Form::kInt4, "county", kZeroIsNull},
        {"code", Form::kInt4, "code", kZeroIsNull},
        {"detail", Form::kText, "detail", kZeroIsNull},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (person_key)"}},
      // The place of a discrepancy, of an unlinked row and of a reject is compared: people look for
      // it in the newest file, and a file that was delivered again unchanged has kept its place.
      {"discrepancy",
       "discrepancy",
       "person_key",
       false,
       {{"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"source_ref", Form::kRef, "row_ref"},
        {"kind", Form::kInt2, "kind"},
        {"field", Form::kText, "field"},
        {"delivered", Form::kClearValue, "delivered", kZeroIsNull},
        {"prevailing", Form::kClearValue, "prevailing", kZeroIsNull},
        {"delivered_sealed", Form::kSealedValue, "delivered", kZeroIsNull},
        {"prevailing_sealed", Form::kSealedValue, "prevailing", kZeroIsNull},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (person_key)"}},
      {"duplicate_case",
       "duplicate",
       "person_key",
       false,
       {{"bucket", Form::kBucket, ""},
        {"person_key", Form::kInt8, "person_key"},
        {"kind", Form::kInt2, "kind"},
        {"relations", Form::kText, "relations"},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (person_key)"}},
      {"unlinked_row",
       "unlinked",
       "row_ref",
       false,
       {{"bucket", Form::kBucket, ""},
        {"source_ref", Form::kRef, "row_ref"},
        {"outcome", Form::kInt2, "outcome"},
        {"person_key", Form::kInt8, "person_key", kZeroIsNull},
        {"kind", Form::kInt2, "kind"},
        {"number", Form::kNumber, "number", kZeroIsNull},
        {"number_text", Form::kSealedText, "number_text", kZeroIsNull},
        {"name", Form::kText, "name", kZeroIsNull},
        {"sex", Form::kInt2, "sex", kZeroIsNull},
        {"birth", Form::kDate, "birth", kZeroIsNull},
        {"scheme", Form::kInt2, "scheme", kZeroIsNull},
        {"region", Form::kRegion, "region"},
        {"phone", Form::kPhone, "phone", kZeroIsNull},
        {"employer_no", Form::kText, "employer_no", kZeroIsNull},
        {"household_no", Form::kText, "household_no", kZeroIsNull},
        {"address", Form::kText, "address", kZeroIsNull},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (source_ref)"}},
      {"reject_row",
       "reject",
       "row_ref",
       false,
       {{"bucket", Form::kBucket, ""},
        {"source_ref", Form::kRef, "row_ref"},
        {"reason", Form::kInt2, "reason"},
        {"column", Form::kInt2, "column", kZeroIsNull},
        {"field", Form::kText, "field", kZeroIsNull},
        {"region", Form::kRegion, ""},
        {"text", Form::kSealedText, "text", kZeroIsNull},
        {"valid_from", Form::kValidFrom, "", kIdentityless},
        {"valid_to", Form::kValidTo, "", kIdentityless}},
       {"CREATE INDEX ON {0} (source_ref)"}},
  };
  return all;
}

std::string ComparedColumns(const TableLayout& table) {
  std::string out;
  for (const LayoutColumn& c : table.columns) {
    if (c.traits & kIdentityless) continue;
    if (!out.empty()) out += ", ";
    out += std::string("\"") + c.name + "\"";
  }
  return out;
}

std::string AllColumns(const TableLayout& table, const std::string& valid_from,
                       const std::string& valid_to) {
  std::string out;
  for (const LayoutColumn& c : table.columns) {
    if (!out.empty()) out += ", ";
    if (c.form == Form::kValidFrom && !valid_from.empty()) {
      out += valid_from;
    } else if (c.form == Form::kValidTo && !valid_to.empty()) {
      out += valid_to;
    } else {
      out += std::string("\"") + c.name + "\"";
    }
  }
  return out;
}

}  // namespace canbao::reg
