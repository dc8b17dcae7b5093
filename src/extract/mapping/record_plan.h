// How the records of one file are read: which column is which field. Made once per file (or sheet)
// from its headers; immutable afterwards and shared by all workers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "extract/delivery.h"
#include "extract/mapping/mappings.h"

namespace canbao::extract {

struct PlannedColumn {
  uint16_t column = 0;  // 0-based
  Field field = Field::kNone;
  uint64_t required_bit = 0;  // a row must have a value here (several columns of a field share it)
  uint16_t priority = 0;      // of several columns of a field the lowest with a value is read …
  bool has_rivals = false;    // … this being one of them
};

struct RecordPlan {
  Kind kind = Kind::kEnrolment;
  uint32_t columns = 0;                   // fields of a record
  std::vector<PlannedColumn> planned;     // in the order of the columns
  uint64_t required = 0;                  // all required bits
  std::vector<const StateTable*> states;  // by scheme code; nullptr = every state is unmapped
  bool has_contribution = false;
  bool has_benefit = false;
  std::shared_ptr<const SourceMapping> mapping;
  scheme::SchemeCode scheme = 0;  // fixed by the manifest
  uint32_t region = 0;            // the manifest's
  bool date1904 = false;          // workbooks that count days from 1904

  // The (first) column of this required bit.
  const PlannedColumn* ColumnOfBit(uint64_t bit) const;
};

// Refuses headers without a required column (naming the accepted headers) and with two columns of
// one name, or for one field that may have one only. `line` is the header's.
Result<RecordPlan> MakeRecordPlan(const std::string& path, uint64_t line,
                                  const std::vector<std::string>& headers, const ExtractSpec& spec,
                                  std::shared_ptr<const SourceMapping> mapping);

// How many headers the kind knows.
int CountKnownHeaders(const KindSchema& schema, const std::vector<std::string>& headers);
// Whether every required column is there.
bool HasRequired(const KindSchema& schema, const std::vector<std::string>& headers,
                 bool scheme_by_manifest);

}  // namespace canbao::extract
