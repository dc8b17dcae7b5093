// The rows of all files as numbers, in an order that depends on what they say and not on where they
// stood: whoever goes through them in this order comes to the same result for any order of input.
// Rows that say the same are one as good as the other.
//
// Built by one thread, read by any number.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "linkage/model/model.h"
#include "linkage/table.h"
#include "linkage/values.h"

namespace canbao::linkage {

using RowId = uint32_t;

struct Frame {
  size_t rows = 0;
  size_t width = 0;         // columns of the model
  std::vector<Code> codes;  // rows × width
  std::vector<Values> values;
  std::vector<uint16_t> file;    // of each row
  std::vector<uint32_t> origin;  // where it was in the input: files one behind the other

  const Code* Row(RowId row) const { return codes.data() + size_t{row} * width; }
};

// Error: a table lacks a column of the model (kErrTableColumn), too many rows (kErrTableRows).
Result<Frame> BuildFrame(const Model& model, const std::vector<Table>& tables,
                         const std::vector<std::string>& paths);

// Sorts `order` by `keys[order[i]]`, ascending and stable.
void SortByKey(const std::vector<uint64_t>& keys, std::vector<uint32_t>* order);

}  // namespace canbao::linkage
