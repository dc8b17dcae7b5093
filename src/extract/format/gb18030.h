// GB18030 → UTF-8, field by field: two-byte codes by a table, four-byte codes by their linear
// number. The tables are made once from ICU's converter, so the result is byte-identical to ICU
// (the two-byte rare-character area included: what a reader does with PUA characters is identity's
// job). Thread-safe after the first call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace canbao::extract {

// Room that DecodeGb18030 may need for `size` bytes: U+FFFD for every byte, and 4 bytes of slack,
// because characters are stored with 4-byte writes.
constexpr size_t Gb18030Room(size_t size) { return size * 3 + 4; }

// Writes UTF-8 to `out` (Gb18030Room(text.size()) bytes) and returns its size. Bytes that are no
// text become U+FFFD and clear *valid.
size_t DecodeGb18030(std::string_view text, char* out, bool* valid);
std::string DecodeGb18030(std::string_view text, bool* valid = nullptr);

// Makes the tables before threads start, so that no worker waits for them.
void PrepareGb18030();

}  // namespace canbao::extract
