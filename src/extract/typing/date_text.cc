#include "extract/typing/date_text.h"

#include <cstdint>
#include <cstring>

#include "extract/typing/clean_text.h"
#include "extract/typing/digits.h"

namespace canbao::extract {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Eight ASCII digits as a number; false when there is anything else.
bool EightDigits(const char* p, uint32_t* out) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  if (!AreDigits(v)) return false;
  *out = DigitNumber(v);
  return true;
}

// Reads up to `most` digits at *p.
int Number(std::string_view* p, int most) {
  int n = 0;
  int digits = 0;
  while (digits < most && !p->empty() && IsDigit((*p)[0])) {
    n = n * 10 + ((*p)[0] - '0');
    p->remove_prefix(1);
    ++digits;
  }
  return digits == 0 ? -1 : n;
}

bool Skip(std::string_view* p, std::string_view what) {
  if (!p->starts_with(what)) return false;
  p->remove_prefix(what.size());
  return true;
}

// What may stand behind a date: nothing, or a time of day.
bool IsTime(std::string_view rest) {
  if (rest.empty()) return true;
  if (rest[0] != ' ' && rest[0] != 'T' && rest[0] != 't') return false;
  rest.remove_prefix(1);
  for (char c : rest) {
    if (!IsDigit(c) && c != ':' && c != '.' && c != '+' && c != '-' && c != 'Z' && c != 'z') {
      return false;
    }
  }
  return !rest.empty() && IsDigit(rest[0]);
}

Date Separated(std::string_view text) {
  int year = Number(&text, 4);
  if (year < 1000) return {};
  std::string_view between;
  for (std::string_view s : {"-", "/", ".", "年"}) {
    if (Skip(&text, s)) {
      between = s;
      break;
    }
  }
  if (between.empty()) return {};
  int month = Number(&text, 2);
  if (month < 1) return {};
  bool words = between == "年";
  if (words ? Skip(&text, "月") : Skip(&text, between)) {
    if (words && text.empty()) return Date::FromYmd(year, month, 1);
    int day = Number(&text, 2);
    if (words) {
      if (!Skip(&text, "日")) Skip(&text, "号");
    }
    return day >= 1 && IsTime(text) ? Date::FromYmd(year, month, day) : Date{};
  }
  return !words && text.empty() ? Date::FromYmd(year, month, 1) : Date{};
}

Date Parse(std::string_view text, bool date1904) {
  uint32_t ymd = 0;
  if (text.size() == 8 && EightDigits(text.data(), &ymd)) return Date::FromYyyymmdd(ymd);
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  std::string_view rest = text.substr(digits);
  if (digits == 4) return Separated(text);
  if (digits == 14 && rest.empty()) {  // YYYYMMDDhhmmss
    return EightDigits(text.data(), &ymd) ? Date::FromYyyymmdd(ymd) : Date{};
  }
  if (digits != 5 && digits != 6 && digits != 8) return {};
  uint32_t n = 0;
  for (size_t i = 0; i < digits; ++i) n = n * 10 + static_cast<uint32_t>(text[i] - '0');
  // Spreadsheets append ".0" to whole numbers, and the time of day to serials.
  if (!rest.empty() && rest[0] == '.') {
    std::string_view fraction = rest.substr(1);
    bool zeros = true;
    for (char c : fraction) {
      if (!IsDigit(c)) return {};
      zeros = zeros && c == '0';
    }
    if (fraction.empty() || (!zeros && digits != 5)) return {};
    rest = {};
  }
  if (digits == 5) return rest.empty() ? DateOfSerial(n, date1904) : Date{};
  if (digits == 6) {
    // A month, or the first of two that bound a period.
    bool period = rest.size() == 7 && rest[0] == '-';
    return rest.empty() || period
               ? Date::FromYmd(static_cast<int>(n / 100), static_cast<int>(n % 100), 1)
               : Date{};
  }
  bool period = rest.size() == 9 && rest[0] == '-';
  return IsTime(rest) || period ? Date::FromYyyymmdd(n) : Date{};
}

}  // namespace

Date DateOfSerial(int64_t serial, bool date1904) {
  if (serial < 0 || serial > 2958465) return {};
  // Days from 1880-01-01 (day 1 of a Date): 1899-12-31 is day 7305, 1904-01-01 day 8766.
  int64_t day = 0;
  if (date1904) {
    day = 8766 + serial;
  } else {
    if (serial == 0 || serial == 60) return {};
    day = 7305 + serial - (serial > 60 ? 1 : 0);
  }
  if (day > 65535) return Date::Last();
  return Date{static_cast<uint16_t>(day)};
}

Date ParseDateText(std::string_view utf8, bool date1904) {
  Date date = Parse(utf8, date1904);
  if (date.has_value() || utf8.size() > 64) return date;
  char room[64];
  std::string_view clean = HalfWidth(utf8, room, Blanks::kKeep);
  if (clean != utf8) date = Parse(clean, date1904);
  if (!date.has_value()) {
    clean = HalfWidth(utf8, room, Blanks::kDrop);
    if (clean != utf8) date = Parse(clean, date1904);
  }
  return date;
}

}  // namespace canbao::extract
