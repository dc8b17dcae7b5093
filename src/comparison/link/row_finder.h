// Single rows of a run's files, read again to be explained: by file and line, or all rows of the
// household register under a number. Reads the files concerned whole; one call at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comparison/link/model.h"
#include "comparison/link/profile.h"
#include "extract/delivery.h"

namespace canbao::comparison {

struct RowPlace {
  size_t extract = 0;  // index into the delivery
  uint32_t line = 0;   // of the file; row of the sheet
  uint8_t sheet = 0;   // 0 = the first that has such a row
};

struct FoundRow {
  RowPlace place;
  std::vector<uint8_t> bytes;  // the packed record; `record` views it
  Record record;
  uint64_t key = 0;  // number, or provisional
  // A row that was rejected has a reason and nothing else.
  bool rejected = false;
  extract::RejectReason reason = extract::RejectReason::kTooFewFields;
  std::string reject_text;

  std::string Text(TextTag tag) const { return std::string(record.Text(tag)); }
  std::string number_text() const;  // as delivered, or as it was read
};

// One answer a place; nothing where no row begins.
Result<std::vector<std::optional<FoundRow>>> FindRows(const extract::Delivery& delivery,
                                                      const std::vector<RowPlace>& places,
                                                      const std::string& data_dir, int threads);

// The register's rows of these numbers.
Result<std::vector<FoundRow>> FindRegistered(const extract::Delivery& delivery,
                                             const std::vector<uint64_t>& numbers,
                                             const std::string& data_dir, int threads);
// Rows of the same source that carry the same personal number, and a usable citizen number.
Result<std::vector<FoundRow>> FindSamePersonNo(const extract::Delivery& delivery,
                                               const FoundRow& row, const std::string& data_dir,
                                               int threads);

// How many people of the household register have these names, any birth date, any place.
Result<Frequencies> CountRegister(const extract::Delivery& delivery,
                                  const std::vector<uint64_t>& names, const std::string& data_dir,
                                  int threads);

// What one row says of its person.
Profile ProfileOf(const FoundRow& row);

}  // namespace canbao::comparison
