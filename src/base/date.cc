#include "base/date.h"

#include <array>
#include <chrono>
#include <ctime>

namespace canbao {
namespace {

constexpr int64_t kEpoch =
    std::chrono::sys_days(std::chrono::year{1880} / 1 / 1).time_since_epoch().count();

std::chrono::year_month_day Civil(Date d) {
  return std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(kEpoch + d.v - 1)));
}

// First day number of each month of 1880..2060, so that building a date costs two loads.
struct MonthTable {
  std::array<uint16_t, 181 * 12> first{};
  constexpr MonthTable() {
    for (int y = 1880; y <= 2060; ++y) {
      for (int m = 1; m <= 12; ++m) {
        int64_t n = std::chrono::sys_days(std::chrono::year{y} / m / 1).time_since_epoch().count() -
                    kEpoch + 1;
        first[static_cast<size_t>((y - 1880) * 12 + m - 1)] =
            static_cast<uint16_t>(n > 65535 ? 65535 : n);
      }
    }
  }
};
constexpr MonthTable kMonths;  // at compile time: other static values may be dates

}  // namespace

bool IsRealDay(int year, int month, int day) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || year < 1 || year > 9999) return false;
  int last = kDays[month - 1];
  if (month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))) last = 29;
  return day <= last;
}

Date Date::FromYmd(int year, int month, int day) {
  if (year < 1880 || !IsRealDay(year, month, day)) return {};
  if (year > 2059) return Last();
  uint32_t n = kMonths.first[static_cast<size_t>((year - 1880) * 12 + month - 1)] +
               static_cast<uint32_t>(day) - 1;
  return Date{static_cast<uint16_t>(n > 65535 ? 65535 : n)};
}

Date Date::Today() {
  std::time_t now = std::time(nullptr);
  std::tm tm{};
  localtime_r(&now, &tm);
  return FromYmd(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

int Date::year() const { return has_value() ? static_cast<int>(Civil(*this).year()) : 0; }
int Date::month() const {
  return has_value() ? static_cast<int>(static_cast<unsigned>(Civil(*this).month())) : 0;
}
int Date::day() const {
  return has_value() ? static_cast<int>(static_cast<unsigned>(Civil(*this).day())) : 0;
}

uint32_t Date::yyyymmdd() const {
  if (!has_value()) return 0;
  auto c = Civil(*this);
  return static_cast<uint32_t>(static_cast<int>(c.year())) * 10000 +
         static_cast<unsigned>(c.month()) * 100 + static_cast<unsigned>(c.day());
}

std::string Date::ToIso() const {
  if (!has_value()) return {};
  uint32_t n = yyyymmdd();
  char buf[11] = "0000-00-00";
  auto put = [&](int at, int digits, uint32_t value) {
    for (int i = digits - 1; i >= 0; --i, value /= 10)
      buf[at + i] = static_cast<char>('0' + value % 10);
  };
  put(0, 4, n / 10000);
  put(5, 2, n / 100 % 100);
  put(8, 2, n % 100);
  return buf;
}

Date Date::FirstOfMonth() const { return has_value() ? FromYmd(year(), month(), 1) : Date{}; }
int Date::month_index() const { return year() * 12 + month() - 1; }

int AgeOn(Date birth, Date on) {
  uint32_t b = birth.yyyymmdd();
  uint32_t o = on.yyyymmdd();
  return static_cast<int>(o / 10000) - static_cast<int>(b / 10000) -
         (o % 10000 < b % 10000 ? 1 : 0);
}

Date ParseIsoDate(std::string_view t) {
  if (t.size() == 10 && t[4] == '-' && t[7] == '-') {
    std::string compact =
        std::string(t.substr(0, 4)) + std::string(t.substr(5, 2)) + std::string(t.substr(8, 2));
    return ParseIsoDate(compact);
  }
  if (t.size() != 8) return {};
  uint32_t n = 0;
  for (char c : t) {
    if (c < '0' || c > '9') return {};
    n = n * 10 + static_cast<uint32_t>(c - '0');
  }
  return Date::FromYyyymmdd(n);
}

}  // namespace canbao
