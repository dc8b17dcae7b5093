// Any bytes as a delimited file: probing, cutting at a block size that the first byte chooses, and
// typing must neither crash nor lose a record, and blocks must not change what comes out.
#include <cstring>
#include <memory>
#include <stdexcept>

#include "extract/reader.h"

namespace canbao::extract {
namespace {

struct Outcome {
  uint64_t rows = 0;
  uint64_t rejects = 0;
  uint64_t lines = 0;  // sum
  bool refused = false;
  bool operator==(const Outcome&) const = default;
};

Outcome Run(std::string_view text, const TextFormat& format, const RecordPlan& plan, size_t block) {
  Outcome out;
  BatchMaker maker(Date::FromYmd(2017, 10, 8), nullptr);
  RecordCutter cutter("fuzz", format.dialect, format.data_begin, format.data_line);
  std::vector<char> room(kMaxRecordBytes + block + kBlockPadding);
  for (size_t at = 0;; at += block) {
    size_t size = std::min(block, text.size() - std::min(at, text.size()));
    std::memcpy(room.data() + kMaxRecordBytes, text.data() + std::min(at, text.size()), size);
    bool last = at + block >= text.size();
    auto piece = cutter.Add(room.data() + kMaxRecordBytes, size, last);
    if (!piece) {
      out = {};
      out.refused = true;
      return out;
    }
    auto status =
        maker.Text("fuzz", plan, format, *piece, 0, 0, [&](const RowBatch& batch) -> Status {
          out.rows += batch.rows.size();
          out.rejects += batch.rejects.size();
          for (const Row& row : batch.rows) out.lines += row.line * 31 + row.name.size();
          for (const Reject& reject : batch.rejects) out.lines += reject.line * 37;
          return {};
        });
    if (!status) throw std::runtime_error(status.error().ToString());
    if (last) return out;
  }
}

const SourceMapping& Mapping() {
  static auto mappings = Mappings::Load(CANBAO_SOURCE_DIR "/data");
  if (!mappings) throw std::runtime_error(mappings.error().ToString());
  static auto mapping = (*mappings)->For("sb-330100");
  return *mapping;
}

}  // namespace
}  // namespace canbao::extract

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  if (size < 2) return 0;
  size_t block = 1 + data[0];
  ExtractSpec spec;
  spec.kind = static_cast<Kind>(data[1] % kKinds);
  spec.scheme = data[1] & 128 ? 110 : 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string_view text;
  std::string padded = bytes + std::string(kBlockPadding, '\0');
  text = std::string_view(padded).substr(0, bytes.size());
  std::shared_ptr<const SourceMapping> mapping(&Mapping(), [](const SourceMapping*) {});
  const KindSchema& schema = mapping->Of(spec.kind);
  auto format = DetectTextFormat("fuzz", text, true, "", [&](const auto& headers) {
    return CountKnownHeaders(schema, headers);
  });
  if (!format) return 0;
  auto plan = MakeRecordPlan("fuzz", format->header_line, format->headers, spec, mapping);
  if (!plan) return 0;
  Outcome whole = Run(text, *format, *plan, bytes.size() + 1);
  Outcome parts = Run(text, *format, *plan, block);
  if (!(whole == parts)) __builtin_trap();
  return 0;
}
