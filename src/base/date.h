// A calendar day in two bytes: 0 = missing, 1 = 1880-01-01, counted in days; 65535 stands for
// 2059-06-05 and every later day ("without end"). Days before 1880 are not dates of a living person
// and do not parse. Values order as days do, missing first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace canbao {

struct Date {
  uint16_t v = 0;

  constexpr bool has_value() const { return v != 0; }
  friend constexpr auto operator<=>(Date, Date) = default;

  // Invalid or too early → missing; after the last representable day → Last().
  static Date FromYmd(int year, int month, int day);
  static Date FromYyyymmdd(uint32_t ymd) {
    return FromYmd(static_cast<int>(ymd / 10000), static_cast<int>(ymd / 100 % 100),
                   static_cast<int>(ymd % 100));
  }
  static constexpr Date Last() { return Date{65535}; }
  // Today in the local time zone.
  static Date Today();

  int year() const;
  int month() const;
  int day() const;
  uint32_t yyyymmdd() const;  // 0 when missing
  std::string ToIso() const;  // "2017-09-30", empty when missing
  Date FirstOfMonth() const;
  // Months counted from year 0: year * 12 + month - 1.
  int month_index() const;
};

bool IsRealDay(int year, int month, int day);
// Whole years from birth to `on`; a birthday counts on its day. Negative when birth is later.
int AgeOn(Date birth, Date on);
// Accepts exactly YYYY-MM-DD, YYYYMMDD; missing on anything else.
Date ParseIsoDate(std::string_view text);

}  // namespace canbao
