// From blocks of an outcome file to binary COPY rows in one buffer per bucket. Blocks to be sealed
// are left plain and noted; Seal() encrypts all of a buffer's in one call before it is sent.
// An encoder belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/row_file.h"
#include "register/cipher.h"
#include "register/connection.h"
#include "register/internal/employer_sink.h"
#include "register/internal/layout.h"
#include "register/internal/search_name.h"

namespace canbao::reg {

// An extract as rows refer to it: by ordinal in the run, by id in the register.
struct ExtractRef {
  int32_t id = 0;
  uint32_t region = 0;
};

struct EncoderContext {
  const FieldCipher* cipher = nullptr;
  EmployerSink* employers = nullptr;
  std::vector<ExtractRef> extracts;  // by ordinal; id 0 = not listed
  uint32_t province = 0;
};

// Days since 2000-01-01 as PostgreSQL counts; infinity for Date::Last().
int32_t PgDays(Date date);

class Encoder {
 public:
  // Refuses a file that lacks a column of the layout (CB-REGISTER-0505).
  static Result<Encoder> For(const TableLayout& layout, const RowSchema& schema,
                             const std::string& path, const EncoderContext* context);

  // Appends all rows of a block. Refuses rows of extracts that the manifest does not list, and
  // lines beyond 2^32 (0506).
  Status Add(std::string_view block);
  CopyBuffer& buffer(int bucket) { return out_[static_cast<size_t>(bucket)].buffer; }
  int64_t& rows(int bucket) { return out_[static_cast<size_t>(bucket)].rows; }
  // Before a buffer is sent.
  void Seal(int bucket);

 private:
  struct Cell {
    uint64_t v = 0;
    std::string_view s;
  };
  static const Cell kNone;
  struct Out {
    CopyBuffer buffer;
    std::vector<size_t> blocks;  // offsets of plain blocks
    int64_t rows = 0;
  };
  // Columns of the outcome file up to the next text: read with one check of the length.
  struct FixedCell {
    uint32_t cell;
    uint32_t offset;
    uint64_t mask;  // of the column's bytes in a little-endian word
  };
  struct Run {
    std::vector<FixedCell> fixed;
    size_t bytes = 0;
    int text = -1;  // the cell behind them; -1: none
  };
  struct FactCell {
    int cell;  // -1: none, 0
    uint8_t width;
  };
  struct Step {
    Form form;
    int cell;  // -1: none
    bool zero_is_null;
    std::vector<FactCell> facts;
  };

  const char* ReadRow(const char* p, const char* end);
  Status Row();
  bool IsSealed(const Cell& c) const;
  void Facts(CopyBuffer& b, const std::vector<FactCell>& facts);
  Status Employer(CopyBuffer& b);
  const SearchName& SearchOf(std::string_view name);
  Result<int64_t> Ref(uint64_t row_ref) const;

  const EncoderContext* context_ = nullptr;
  std::string path_;
  std::vector<Run> runs_;
  std::vector<Step> steps_;
  int bucket_cell_ = 0;
  bool bucket_by_line_ = false;
  int ref_cell_ = -1;
  int field_cell_ = -1;
  std::array<int, 3> employer_cells_{};
  std::vector<uint64_t> recent_employers_ = std::vector<uint64_t>(16384);
  std::vector<SearchName> recent_names_ = std::vector<SearchName>(4096);
  std::vector<Cell> cells_;
  std::array<Out, kBuckets> out_;
  std::vector<uint8_t> scratch_;
};

}  // namespace canbao::reg
