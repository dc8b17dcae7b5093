// Any bytes as a workbook: every row of every sheet is read, or the file is refused. Bytes that are
// no archive become a sheet, the shared strings or the styles of one (by their first byte), because
// hardly any mutation survives an archive's checksums.
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

#include "extract/format/xlsx.h"

namespace canbao::extract {
namespace {

void Append(std::string* out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8) *out += static_cast<char>(value);
}

// An archive with its files stored as they are.
std::string Archive(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out;
  std::string directory;
  for (const auto& [name, text] : files) {
    std::string common;
    Append(&common, 20, 2);
    Append(&common, 0, 8);  // flags, stored, time, date
    Append(&common,
           crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())),
           4);
    Append(&common, text.size(), 4);
    Append(&common, text.size(), 4);
    Append(&common, name.size(), 2);
    Append(&common, 0, 2);
    directory += "PK\x01\x02";
    Append(&directory, 20, 2);
    directory += common;
    Append(&directory, 0, 10);  // comment, disk, attributes
    Append(&directory, out.size(), 4);
    directory += name;
    out += "PK\x03\x04" + common + name + text;
  }
  uint64_t at = out.size();
  out += directory + "PK\x05\x06";
  Append(&out, 0, 4);
  Append(&out, files.size(), 2);
  Append(&out, files.size(), 2);
  Append(&out, directory.size(), 4);
  Append(&out, at, 4);
  Append(&out, 0, 2);
  return out;
}

std::string Workbook(uint8_t part, const std::string& text) {
  std::string sheet =
      R"(<worksheet><sheetData><row r="1"><c t="s"><v>0</v></c><c s="1"><v>42736.5</v></c></row></sheetData></worksheet>)";
  std::string strings = "<sst><si><t>AAC002</t></si></sst>";
  std::string styles =
      R"(<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>)";
  std::string book = R"(<workbook><sheets><sheet name="S" id="r1"/></sheets></workbook>)";
  std::string* parts[] = {&sheet, &strings, &styles, &book};
  *parts[part % 4] = text;
  return Archive(
      {{"xl/workbook.xml", book},
       {"xl/_rels/workbook.xml.rels",
        R"(<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>)"
        R"(<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/>)"
        R"(<Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>)"},
       {"xl/worksheets/sheet1.xml", sheet},
       {"xl/sharedStrings.xml", strings},
       {"xl/styles.xml", styles}});
}

}  // namespace
}  // namespace canbao::extract

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace canbao::extract;
  if (size < 2) return 0;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.starts_with("PK")) bytes = Workbook(data[0], bytes.substr(1));
  auto source = OpenXlsxBytes(bytes, "fuzz.xlsx");
  if (!source) return 0;
  TableChunk chunk;
  size_t characters = 0;
  for (int chunks = 0; chunks < 1000; ++chunks) {
    auto more = (*source)->Next(64, &chunk);
    if (!more || !*more) break;
    for (const auto& row : chunk.rows) {
      for (std::string_view cell : chunk.CellsOf(row)) {
        for (char c : cell) characters += static_cast<unsigned char>(c);
      }
    }
  }
  return characters == SIZE_MAX ? 1 : 0;
}
