#include "register/cursor.h"

#include <charconv>

#include "base/digest.h"

namespace canbao::reg {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char kBetween = '\x1f';

std::string ToBase64Url(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(c);
    for (have += 8; have >= 6; have -= 6) out += kDigits[bits >> (have - 6) & 63];
  }
  if (have > 0) out += kDigits[bits << (6 - have) & 63];
  return out;
}

// Empty for anything that is not what ToBase64Url makes.
std::string FromBase64Url(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (char c : text) {
    size_t digit = std::string_view(kDigits, 64).find(c);
    if (digit == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<uint32_t>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xFF);
    }
  }
  return ToBase64Url(out) == text ? out : std::string();
}

std::string Mark(std::string_view list) { return Sha256Hex(list).substr(0, 12); }

}  // namespace

std::string SealCursor(const FieldCipher& cipher, std::string_view list, const Cursor& cursor) {
  std::string plain = Mark(list) + kBetween + std::to_string(cursor.ordinal);
  for (const std::string& key : cursor.keys) plain += kBetween + key;
  return ToBase64Url(cipher.SealText(plain));
}

Result<Cursor> OpenCursor(const FieldCipher& cipher, std::string_view list, std::string_view text,
                          size_t keys) {
  auto refuse = []() {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-1101",
                Msg("翻页标记无效，或属于另一个列表。",
                    "the place in the list is not valid, or of another list."),
                Msg("请从第一页重新打开列表。", "Open the list at its first page again."));
  };
  std::string sealed = FromBase64Url(text);
  if (sealed.size() <= FieldCipher::kBlock) return refuse();
  auto plain = cipher.OpenText(sealed);
  if (!plain) return refuse();
  std::vector<std::string> parts;
  for (size_t at = 0;;) {
    size_t end = plain->find(kBetween, at);
    parts.push_back(plain->substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  if (parts.size() != keys + 2 || parts[0] != Mark(list)) return refuse();
  Cursor cursor;
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), cursor.ordinal);
  cursor.keys.assign(parts.begin() + 2, parts.end());
  return cursor;
}

}  // namespace canbao::reg
