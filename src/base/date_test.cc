// Against std::chrono, over every day that a Date can hold.
#include "base/date.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace canbao {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

const sys_days kFirst = year{1880} / 1 / 1;

std::string Iso(const year_month_day& d) {
  char text[16];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(d.year()),
                static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
  return text;
}

TEST(DateTest, EveryDayAgreesWithChrono) {
  for (int n = 1; n <= 65535; ++n) {
    year_month_day expected{kFirst + days{n - 1}};
    int y = static_cast<int>(expected.year());
    int m = static_cast<int>(static_cast<unsigned>(expected.month()));
    int d = static_cast<int>(static_cast<unsigned>(expected.day()));
    Date date = Date::FromYmd(y, m, d);
    ASSERT_EQ(date.v, n) << Iso(expected);
    ASSERT_EQ(date.year(), y);
    ASSERT_EQ(date.month(), m);
    ASSERT_EQ(date.day(), d);
    ASSERT_EQ(date.ToIso(), Iso(expected));
    ASSERT_EQ(date.yyyymmdd(), static_cast<uint32_t>(y * 10000 + m * 100 + d));
    ASSERT_EQ(Date::FromYyyymmdd(date.yyyymmdd()), date);
    ASSERT_EQ(ParseIsoDate(date.ToIso()), date);
    ASSERT_EQ(date.FirstOfMonth(), Date::FromYmd(y, m, 1));
    ASSERT_EQ(date.month_index(), y * 12 + m - 1);
  }
  EXPECT_EQ(Date::FromYmd(2059, 6, 6), Date::Last());
}

TEST(DateTest, RealDaysAreThoseOfChrono) {
  for (int y = 1875; y <= 2065; ++y) {
    for (int m = 0; m <= 13; ++m) {
      for (int d = 0; d <= 32; ++d) {
        bool real =
            year_month_day{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}}
                .ok();
        ASSERT_EQ(IsRealDay(y, m, d), real) << y << "-" << m << "-" << d;
        ASSERT_EQ(Date::FromYmd(y, m, d).has_value(), real && y >= 1880);
      }
    }
  }
}

TEST(DateTest, EdgesAreMissingOrLast) {
  EXPECT_FALSE(Date::FromYmd(1879, 12, 31).has_value());
  EXPECT_EQ(Date::FromYmd(1880, 1, 1).v, 1);
  EXPECT_EQ(Date::FromYmd(2059, 6, 4).v, 65534);
  EXPECT_EQ(Date::FromYmd(2059, 6, 5), Date::Last());
  EXPECT_EQ(Date::FromYmd(2059, 6, 7), Date::Last());
  EXPECT_EQ(Date::FromYmd(2059, 12, 31), Date::Last());
  EXPECT_EQ(Date::FromYmd(9999, 12, 31), Date::Last());
  EXPECT_FALSE(Date::FromYmd(10000, 1, 1).has_value());
  EXPECT_EQ(Date{}.ToIso(), "");
  EXPECT_EQ(Date{}.yyyymmdd(), 0u);
  EXPECT_FALSE(Date{}.FirstOfMonth().has_value());
  EXPECT_LT(Date{}, Date::FromYmd(1880, 1, 1));
}

TEST(DateTest, AgeCountsTheBirthday) {
  Date birth = Date::FromYmd(1957, 9, 30);
  EXPECT_EQ(AgeOn(birth, Date::FromYmd(2017, 9, 29)), 59);
  EXPECT_EQ(AgeOn(birth, Date::FromYmd(2017, 9, 30)), 60);
  EXPECT_EQ(AgeOn(birth, Date::FromYmd(1957, 9, 30)), 0);
  EXPECT_EQ(AgeOn(birth, Date::FromYmd(1957, 9, 29)), -1);
  // Born on a leap day: the birthday of other years is the day after 28 February.
  Date leap = Date::FromYmd(2000, 2, 29);
  EXPECT_EQ(AgeOn(leap, Date::FromYmd(2016, 2, 28)), 15);
  EXPECT_EQ(AgeOn(leap, Date::FromYmd(2017, 2, 28)), 16);
  EXPECT_EQ(AgeOn(leap, Date::FromYmd(2017, 3, 1)), 17);
}

TEST(DateTest, ParsesOnlyTheTwoForms) {
  EXPECT_EQ(ParseIsoDate("2017-09-30"), Date::FromYmd(2017, 9, 30));
  EXPECT_EQ(ParseIsoDate("20170930"), Date::FromYmd(2017, 9, 30));
  for (const char* bad : {"", "2017", "2017-9-30", "2017/09/30", "201709301", "2017093",
                          "2017-02-30", "20170931", "２０１７０９３０", " 2017093", "2017-09-30 ",
                          "1879-12-31", "----------", "2017--9-30", "-0170930"}) {
    EXPECT_FALSE(ParseIsoDate(bad).has_value()) << bad;
  }
}

TEST(DateTest, TodayIsAPlausibleDay) {
  EXPECT_GE(Date::Today(), Date::FromYmd(2024, 1, 1));
  EXPECT_LT(Date::Today(), Date::Last());
}

}  // namespace
}  // namespace canbao
