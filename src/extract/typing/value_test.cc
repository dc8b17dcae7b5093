#include <gtest/gtest.h>

#include "extract/typing/clean_text.h"
#include "extract/typing/date_text.h"

namespace canbao::extract {
namespace {

uint32_t Ymd(std::string_view text, bool date1904 = false) {
  return ParseDateText(text, date1904).yyyymmdd();
}

TEST(DateTextTest, EveryFormOfTheContract) {
  EXPECT_EQ(Ymd("20170930"), 20170930u);
  EXPECT_EQ(Ymd("2017-09-30"), 20170930u);
  EXPECT_EQ(Ymd("2017/9/3"), 20170903u);
  EXPECT_EQ(Ymd("2017.9.3"), 20170903u);
  EXPECT_EQ(Ymd("2017年9月3日"), 20170903u);
  EXPECT_EQ(Ymd("2017年9月"), 20170901u);
  EXPECT_EQ(Ymd("201709"), 20170901u);
  EXPECT_EQ(Ymd("2017-09"), 20170901u);
  EXPECT_EQ(Ymd("2017/9"), 20170901u);
  EXPECT_EQ(Ymd("2017-09-30 00:00:00"), 20170930u);
  EXPECT_EQ(Ymd("2017-09-30T08:00:00+08:00"), 20170930u);
  EXPECT_EQ(Ymd("20170930 12:00"), 20170930u);
  EXPECT_EQ(Ymd("20170930120000"), 20170930u);
  EXPECT_EQ(Ymd("201709-201709"), 20170901u);
}

TEST(DateTextTest, WhatSpreadsheetsMakeOfThem) {
  EXPECT_EQ(Ymd("43008"), 20170930u);
  EXPECT_EQ(Ymd("43008.0"), 20170930u);
  EXPECT_EQ(Ymd("43008.75"), 20170930u);
  EXPECT_EQ(Ymd("41546", true), 20170930u);
  EXPECT_EQ(Ymd("20170930.0"), 20170930u);
  EXPECT_EQ(Ymd("'20170930"), 20170930u);
  EXPECT_EQ(Ymd("２０１７０９３０"), 20170930u);
  EXPECT_EQ(Ymd("2017 0930"), 20170930u);
  EXPECT_EQ(Ymd("２０１７－０９－３０"), 20170930u);
  // 1900-02-29 is Excel's invention.
  EXPECT_EQ(DateOfSerial(59, false).yyyymmdd(), 19000228u);
  EXPECT_FALSE(DateOfSerial(60, false).has_value());
  EXPECT_EQ(DateOfSerial(61, false).yyyymmdd(), 19000301u);
  EXPECT_EQ(DateOfSerial(0, true).yyyymmdd(), 19040101u);
}

TEST(DateTextTest, ImpossibleOnes) {
  for (std::string_view text : {"2015-13-01", "20159999", "0000-00-00", "20030000", "19691131",
                                "2017-02-29", "17000101", "123", "2017", "无效", "2017-09-30x",
                                "20170930.5", "99999", "2017--9", "2017-9-", "201713", ""}) {
    if (text == "99999") continue;  // a serial of the year 2173: without end
    EXPECT_EQ(Ymd(text), 0u) << text;
  }
  EXPECT_EQ(ParseDateText("99991231", false), Date::Last());
  EXPECT_EQ(ParseDateText("99999", false), Date::Last());
}

TEST(DateTextTest, EveryDayInEveryForm) {
  for (int v = 1; v < 65535; v += 13) {
    Date day{static_cast<uint16_t>(v)};
    char room[32];
    std::snprintf(room, sizeof room, "%d/%d/%d", day.year(), day.month(), day.day());
    ASSERT_EQ(ParseDateText(room, false), day) << room;
    ASSERT_EQ(ParseDateText(day.ToIso(), false), day);
    ASSERT_EQ(ParseDateText(std::to_string(day.yyyymmdd()), false), day);
  }
}

TEST(CleanTextTest, Numbers) {
  uint64_t n = 0;
  EXPECT_TRUE(ParseWhole("145", &n));
  EXPECT_EQ(n, 145u);
  EXPECT_TRUE(ParseWhole("1,234.0", &n));
  EXPECT_EQ(n, 1234u);
  EXPECT_TRUE(ParseWhole("'１２ ", &n));
  EXPECT_EQ(n, 12u);
  for (std::string_view text : {"", "x", "-1", "1.5", "9999999999999999999", ".", ","}) {
    EXPECT_FALSE(ParseWhole(text, &n)) << text;
  }
  int64_t fen = 0;
  EXPECT_TRUE(ParseAmount("1,234.5", &fen));
  EXPECT_EQ(fen, 123450);
  EXPECT_TRUE(ParseAmount("-0.07", &fen));
  EXPECT_EQ(fen, -7);
  EXPECT_FALSE(ParseAmount("1.234", &fen));
}

}  // namespace
}  // namespace canbao::extract
