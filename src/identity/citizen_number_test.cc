#include "identity/citizen_number.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace canbao::identity {
namespace {

const Date kToday = Date::FromYmd(2017, 9, 30);

std::string WithCheck(const std::string& body17) {
  return body17 + CheckDigitOf(std::stoull(body17));
}

NumberClass ClassOf(std::string_view raw, std::string_view type = "", Date today = kToday) {
  return ParseNumber(raw, type, today).cls;
}

// A random number of a person born 1900–2016.
std::string RandomNumber(std::mt19937_64* rng) {
  static constexpr const char* kPlaces[] = {"110101", "330102", "330783", "440524",
                                            "659001", "810000", "710000", "942001"};
  auto pick = [&](uint64_t n) { return (*rng)() % n; };
  char body[18];
  const int month = static_cast<int>(1 + pick(12));
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::snprintf(body, sizeof(body), "%s%04d%02d%02d%03d", kPlaces[pick(8)],
                static_cast<int>(1900 + pick(117)), month,
                static_cast<int>(1 + pick(static_cast<uint64_t>(kDays[month - 1]))),
                static_cast<int>(pick(1000)));
  return WithCheck(body);
}

TEST(CitizenNumber, PublishedSpecimensAreValid) {
  for (const char* text :
       {"11010519491231002X", "440524188001010014", "810000199408230021", "830000199201300022"}) {
    // 1880 is beyond 130 years in 2017: that specimen is asked about in 2000.
    const ParsedNumber n = ParseNumber(text, "01", Date::FromYmd(2000, 1, 1));
    EXPECT_EQ(n.cls, NumberClass::kValid) << text;
    EXPECT_EQ(ToText(n.number), text);
    EXPECT_STREQ(n.text, text);
    EXPECT_FALSE(n.cleaned);
  }
  EXPECT_EQ(ClassOf("440524188001010014"), NumberClass::kDamaged);
}

TEST(CitizenNumber, PartsOfANumber) {
  const PersonNumber n = FromText18("11010519491231002X");
  ASSERT_TRUE(n.is_citizen());
  EXPECT_EQ(BirthDateOf(n).ToIso(), "1949-12-31");
  EXPECT_EQ(SexOf(n), Sex::kFemale);
  EXPECT_EQ(AddressCodeOf(n), 110105u);
  EXPECT_EQ(n.v, 11010519491231002u);
  EXPECT_EQ(SexOf(FromText18("440524188001010014")), Sex::kMale);
  EXPECT_FALSE(FromText18("110105194912310020").has_value());
  EXPECT_FALSE(FromText18("").has_value());
}

TEST(CitizenNumber, EverySingleSubstitutionIsDetected) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 300; ++i) {
    const std::string number = RandomNumber(&rng);
    ASSERT_EQ(ClassOf(number), NumberClass::kValid) << number;
    for (size_t at = 0; at < 18; ++at) {
      for (char c : std::string("0123456789X")) {
        if (c == number[at]) continue;
        std::string wrong = number;
        wrong[at] = c;
        ASSERT_NE(ClassOf(wrong), NumberClass::kValid) << number << ' ' << wrong;
      }
    }
  }
}

TEST(CitizenNumber, EveryAdjacentSwapIsDetected) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string number = RandomNumber(&rng);
    for (size_t at = 0; at + 1 < 18; ++at) {
      if (number[at] == number[at + 1]) continue;
      std::string wrong = number;
      std::swap(wrong[at], wrong[at + 1]);
      ASSERT_NE(ClassOf(wrong), NumberClass::kValid) << number << ' ' << wrong;
    }
  }
}

TEST(CitizenNumber, EveryByteAtEveryPlaceAgreesWithASlowCheck) {
  const std::string number = "330102198007150019";
  std::string base = WithCheck(number.substr(0, 17));
  for (size_t at = 0; at < 18; ++at) {
    for (int b = 0; b < 256; ++b) {
      std::string text = base;
      text[at] = static_cast<char>(b);
      bool digits = true;
      for (size_t i = 0; i < 17; ++i) digits &= text[i] >= '0' && text[i] <= '9';
      bool valid = false;
      if (digits) {
        static constexpr int kW[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
        int sum = 0;
        for (size_t i = 0; i < 17; ++i) sum += (text[i] - '0') * kW[i];
        valid = "10X98765432"[sum % 11] == text[17] && text == base;
      }
      ASSERT_EQ(FromText18(text).has_value(), valid) << at << ' ' << b;
    }
  }
}

TEST(CitizenNumber, DatesMustBeRealAndOfALivingPerson) {
  auto cls = [](const char* place, const char* ymd) {
    return ClassOf(WithCheck(std::string(place) + ymd + "001"));
  };
  EXPECT_EQ(cls("330102", "20000229"), NumberClass::kValid);
  EXPECT_EQ(cls("330102", "19000229"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20010229"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20010431"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20011301"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20010001"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20010100"), NumberClass::kDamaged);
  EXPECT_EQ(cls("330102", "20170930"), NumberClass::kValid) << "born on the day";
  EXPECT_EQ(cls("330102", "20171001"), NumberClass::kDamaged) << "of the future";
  EXPECT_EQ(cls("330102", "18861001"), NumberClass::kValid) << "130 years old, 131 tomorrow";
  EXPECT_EQ(cls("330102", "18860930"), NumberClass::kDamaged) << "131 today";
}

TEST(CitizenNumber, AgeBoundAgreesWithAgeOnEveryDayAroundIt) {
  for (Date today : {Date::FromYmd(2017, 9, 30), Date::FromYmd(2020, 2, 29),
                     Date::FromYmd(2016, 3, 1), Date::FromYmd(2024, 12, 31)}) {
    for (uint16_t v = 1; v < 6000; ++v) {
      const Date birth{v};
      const std::string text =
          WithCheck(std::string("330102") + std::to_string(birth.yyyymmdd()) + "123");
      ASSERT_EQ(ClassOf(text, "", today) == NumberClass::kValid, AgeOn(birth, today) <= 130)
          << text << " on " << today.ToIso();
    }
  }
}

TEST(CitizenNumber, ProvincesAreCheckedAndCountiesAreNot) {
  EXPECT_EQ(ClassOf(WithCheck("33999919800101001")), NumberClass::kValid);
  EXPECT_EQ(ClassOf(WithCheck("71000019800101001")), NumberClass::kValid);
  EXPECT_EQ(ClassOf(WithCheck("82000019800101001")), NumberClass::kValid);
  EXPECT_EQ(ClassOf(WithCheck("91110119800101001")), NumberClass::kValid) << "foreigner";
  for (const char* prefix : {"00", "10", "16", "20", "24", "30", "38", "40", "47", "55", "60", "66",
                             "70", "72", "80", "84", "89"}) {
    EXPECT_EQ(ClassOf(WithCheck(std::string(prefix) + "010219800101001")), NumberClass::kDamaged)
        << prefix;
  }
}

TEST(CitizenNumber, FifteenDigitsGetTheirCentury) {
  ParsedNumber n = ParseNumber("330108640202183", "01", kToday);
  EXPECT_EQ(n.cls, NumberClass::kUpgraded15);
  EXPECT_EQ(ToText(n.number), "330108196402021833");
  EXPECT_STREQ(n.text, "330108640202183");
  // 996–999 were kept for people born before 1900.
  n = ParseNumber("330108900202996", "", kToday);
  EXPECT_EQ(n.cls, NumberClass::kUpgraded15);
  EXPECT_EQ(BirthDateOf(n.number).ToIso(), "1890-02-02");
  EXPECT_EQ(ClassOf("330108850202996"), NumberClass::kDamaged) << "132 years old";
  EXPECT_EQ(ClassOf("330108641302183"), NumberClass::kDamaged) << "month 13";
  EXPECT_EQ(ClassOf("33010864020218X"), NumberClass::kDamaged) << "no check digit in 15";
  EXPECT_EQ(ClassOf("000108640202183"), NumberClass::kDamaged);
}

TEST(CitizenNumber, UpgradingLosesNothing) {
  std::mt19937_64 rng(3);
  for (int i = 0; i < 5000; ++i) {
    const std::string number = RandomNumber(&rng);
    if (number.substr(6, 2) != "19" || number.substr(14, 3) >= "996") continue;
    const std::string old = number.substr(0, 6) + number.substr(8, 9);
    const ParsedNumber n = ParseNumber(old, "", kToday);
    ASSERT_EQ(n.cls, NumberClass::kUpgraded15) << old;
    ASSERT_EQ(ToText(n.number), number);
  }
}

TEST(CitizenNumber, CleaningIsRecorded) {
  struct Case {
    const char* raw;
    const char* text;
  };
  for (const Case& c :
       std::initializer_list<Case>{{" 330102198007150011", "330102198007150011"},
                                   {"330102 19800715 0011", "330102198007150011"},
                                   {"330102198007150011\r", "330102198007150011"},
                                   {"\xC2\xA0"
                                    "330102198007150011",
                                    "330102198007150011"},
                                   {"\xE3\x80\x80"
                                    "330102198007150011",
                                    "330102198007150011"},
                                   {"330102\xE2\x80\x8B"
                                    "198007150011",
                                    "330102198007150011"},
                                   {"\xEF\xBB\xBF"
                                    "330102198007150011",
                                    "330102198007150011"},
                                   {"'330102198007150011", "330102198007150011"},
                                   {"\xE2\x80\x98"
                                    "330102198007150011",
                                    "330102198007150011"},
                                   {"=\"330102198007150011\"", "330102198007150011"},
                                   {"３３０１０２１９８００７１５００１１", "330102198007150011"},
                                   {"330102-19800715-0011", "330102198007150011"},
                                   {"11010519491231002x", "11010519491231002X"},
                                   {"11010519491231002ｘ", "11010519491231002X"},
                                   {"11010519491231002×", "11010519491231002X"}}) {
    const ParsedNumber n = ParseNumber(c.raw, "", kToday);
    EXPECT_EQ(n.cls, NumberClass::kValid) << c.raw;
    EXPECT_TRUE(n.cleaned) << c.raw;
    EXPECT_STREQ(n.text, c.text);
    EXPECT_EQ(n.length, 18);
    EXPECT_EQ(ToText(n.number), c.text);
  }
  EXPECT_EQ(ClassOf("330108640202183.0"), NumberClass::kUpgraded15);
}

TEST(CitizenNumber, PlaceholdersAreMissing) {
  for (const char* raw : {"",
                          " ",
                          "\xE3\x80\x80",
                          "无",
                          " 无 ",
                          "不详",
                          "0",
                          "000",
                          "000000000000000000",
                          "111111111111111111",
                          "999999999999999",
                          "123456",
                          "123456789012345678",
                          "123456789012345",
                          "NULL",
                          "null",
                          "-",
                          "--",
                          "/",
                          "N/A",
                          "XXXXXXXXXXXXXXXXXX",
                          "'",
                          "未办理",
                          "１１１１１１"}) {
    const ParsedNumber n = ParseNumber(raw, "", kToday);
    EXPECT_EQ(n.cls, NumberClass::kMissing) << raw;
    EXPECT_FALSE(n.number.has_value());
  }
  EXPECT_EQ(ClassOf(std::string_view(), std::string_view()), NumberClass::kMissing);
  EXPECT_EQ(ClassOf("00000000", "08"), NumberClass::kMissing);
  EXPECT_NE(ClassOf("330000000000000000"), NumberClass::kMissing);
  EXPECT_NE(ClassOf("12"), NumberClass::kMissing);
}

TEST(CitizenNumber, OtherDocuments) {
  for (const char* raw : {"E12345678", "G1234567", "PE0123456", "H12345678", "H1234567801",
                          "M12345678", "CHN123456789012", "USA110054121512", "EA1234567"}) {
    for (const char* type : {"", "01", "08", "99"}) {
      const ParsedNumber n = ParseNumber(raw, type, kToday);
      EXPECT_EQ(n.cls, NumberClass::kOther) << raw << ' ' << type;
      EXPECT_TRUE(n.number.has_value());
      EXPECT_FALSE(n.number.is_citizen());
      EXPECT_EQ(n.number.v >> 62, 2u);
      EXPECT_EQ(ToText(n.number), "");
      EXPECT_FALSE(BirthDateOf(n.number).has_value());
    }
  }
  EXPECT_EQ(ClassOf("12345678", "06"), NumberClass::kMissing) << "1234… is a placeholder anywhere";
  EXPECT_EQ(ClassOf("86676302", "06"), NumberClass::kOther);
  EXPECT_EQ(ClassOf("86676302", ""), NumberClass::kDamaged);
  EXPECT_EQ(ClassOf("军字第0214357号", "02"), NumberClass::kOther);
  EXPECT_EQ(ClassOf("A123456(7)", "04"), NumberClass::kOther);
  EXPECT_EQ(ClassOf("张三", "08"), NumberClass::kDamaged);
  EXPECT_EQ(ClassOf("PASSPORT", ""), NumberClass::kDamaged) << "no digits";
  EXPECT_EQ(ClassOf("3.30102E+17", ""), NumberClass::kDamaged);
  EXPECT_EQ(ClassOf("3.30102E+17", "08"), NumberClass::kDamaged);
  EXPECT_EQ(ClassOf("33010219800715001", "08"), NumberClass::kDamaged) << "a citizen number, cut";
}

TEST(CitizenNumber, AValidNumberIsValidWhateverTheTypeSays) {
  for (const char* type : {"", "01", "1", "身份证", "02", "08", "16", "17", "99", "zz"}) {
    EXPECT_EQ(ClassOf("330102198007150011", type), NumberClass::kValid) << type;
    EXPECT_EQ(ClassOf("'330102198007150011", type), NumberClass::kValid) << type;
  }
  EXPECT_EQ(ClassOf("330108640202183", "90"), NumberClass::kUpgraded15);
}

TEST(CitizenNumber, OneDocumentHasOneNumber) {
  auto number = [](const char* raw, const char* type) {
    return ParseNumber(raw, type, kToday).number;
  };
  EXPECT_EQ(number("E12345678", ""), number("e12345678", "08"));
  EXPECT_EQ(number("H12345678", "04"), number("H1234567802", "")) << "renewals of one pass";
  EXPECT_EQ(number("A123456(7)", "04"), number("A123456（7）", "05"));
  EXPECT_NE(number("E12345678", ""), number("E12345679", ""));
  EXPECT_NE(number("86676302", "06"), number("86676302", "09")) << "documents of two kinds";
}

TEST(CitizenNumber, DamagedKeepsItsText) {
  const ParsedNumber n = ParseNumber("  3.30102198001011e+17 ", "", kToday);
  EXPECT_EQ(n.cls, NumberClass::kDamaged);
  EXPECT_STREQ(n.text, "3.30102198001011E+17");
  EXPECT_TRUE(n.cleaned);
  const ParsedNumber cut =
      ParseNumber("这是一个写在号码栏里的很长的说明文字，超过了三十二个字节", "", kToday);
  EXPECT_EQ(cut.cls, NumberClass::kDamaged);
  EXPECT_LE(cut.length, 32);
  EXPECT_EQ(std::string(cut.text).size(), cut.length);
  EXPECT_EQ(cut.length % 3, 0) << "cut between characters";
}

bool Finds(const std::string& damaged, const std::string& truth) {
  const std::vector<PersonNumber> found = RepairCandidates(damaged, kToday);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
  EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
  for (PersonNumber n : found) EXPECT_EQ(FromText18(ToText(n)), n) << "every candidate is valid";
  return std::find(found.begin(), found.end(), FromText18(truth)) != found.end();
}

TEST(RepairCandidates, ContainTheTruthForEveryKindOfError) {
  std::mt19937_64 rng(4);
  for (int i = 0; i < 300; ++i) {
    const std::string truth = RandomNumber(&rng);
    const size_t at = rng() % 18;
    std::string text = truth;
    text[at] = static_cast<char>('0' + (text[at] - '0' + 1 + rng() % 9) % 10);
    if (text != truth) {
      ASSERT_TRUE(Finds(text, truth)) << text;
    }
    text = truth;
    text[at] = 'O';
    ASSERT_TRUE(Finds(text, truth)) << text;
    text = truth;
    std::swap(text[rng() % 17], text[17]);
    text = truth;
    const size_t left = rng() % 17;
    std::swap(text[left], text[left + 1]);
    if (text != truth) {
      ASSERT_TRUE(Finds(text, truth)) << text;
    }
    text = truth;
    text.erase(at, 1);
    ASSERT_TRUE(Finds(text, truth)) << text;
    text = truth;
    text.insert(rng() % 19, 1, static_cast<char>('0' + rng() % 10));
    ASSERT_TRUE(Finds(text, truth)) << text;
    ASSERT_TRUE(Finds(truth.substr(0, 15) + "000", truth));
    if (ClassOf(truth.substr(0, 15)) != NumberClass::kUpgraded15) {
      ASSERT_TRUE(Finds(truth.substr(0, 15), truth)) << truth;
    }
    ASSERT_TRUE(Finds(truth.substr(0, 16), truth));
    ASSERT_TRUE(Finds(truth.substr(0, 17), truth));
    ASSERT_TRUE(Finds(truth.substr(0, 1) + "." + truth.substr(1, 14) + "E+17", truth));
    ASSERT_TRUE(Finds(truth.substr(0, 1) + "." + truth.substr(1, 14) + "E17", truth));
  }
}

TEST(RepairCandidates, AreFewAndNoneForHopelessText) {
  EXPECT_LE(RepairCandidates("330102198007150010", kToday).size(), 40u);
  EXPECT_EQ(RepairCandidates("3301021980071500", kToday).size(), 10u);
  EXPECT_LE(RepairCandidates("330102198007150000", kToday).size(), 140u);
  for (const char* text :
       {"", "3", "33010219800715", "3.30102E+17", "3.3010219800715E+17", "3.30102198007150E+16",
        "33010219800715OO1X", "12345678901234567890", "一二三四五六", "000102198007150"}) {
    EXPECT_TRUE(RepairCandidates(text, kToday).empty()) << text;
  }
  // A valid 15-digit number is no cut one; a centenarian's sequence given to a younger person is.
  EXPECT_TRUE(RepairCandidates("330108640202183", kToday).empty());
  EXPECT_TRUE(Finds("330108640202997", ToText(PersonNumber{33010819640202997})));
}

TEST(RepairCandidates, AValidNumberEndingInZerosMayHaveLostItsTail) {
  // One in eleven cut numbers still has a check digit that fits.
  ASSERT_EQ(ClassOf("330122199002260000"), NumberClass::kValid);
  EXPECT_TRUE(Finds("330122199002260000", "330122199002260625"));
  EXPECT_TRUE(RepairCandidates("330102198007150011", kToday).empty());
}

TEST(CitizenNumber, SecondOpinionOfIdValidator) {
  std::ifstream in(CANBAO_SOURCE_DIR "/src/identity/testdata/id_validator_vectors.csv");
  ASSERT_TRUE(in) << "run tools/generate_number_vectors.mjs";
  int checked = 0;
  int accepted = 0;
  for (std::string line; std::getline(in, line);) {
    if (line[0] == '#' || line.starts_with("number")) continue;
    const size_t comma = line.find(',');
    const std::string number = line.substr(0, comma);
    const bool theirs = line[comma + 1] == '1';
    const NumberClass cls = ClassOf(number);
    const bool ours = cls == NumberClass::kValid || cls == NumberClass::kUpgraded15;
    ++checked;
    accepted += ours;
    if (ours == theirs) continue;
    // They take 31 days for every month and any year.
    ASSERT_TRUE(theirs && !ours) << number;
    const bool short_one = number.size() == 15;
    const int year =
        std::stoi(short_one ? number.substr(6, 2) : number.substr(6, 4)) + (short_one ? 1900 : 0);
    const int month = std::stoi(number.substr(short_one ? 8 : 10, 2));
    const int day = std::stoi(number.substr(short_one ? 10 : 12, 2));
    const Date birth = Date::FromYmd(year, month, day);
    EXPECT_TRUE(!birth.has_value() || birth > kToday || AgeOn(birth, kToday) > 130) << number;
  }
  EXPECT_GT(checked, 1000);
  EXPECT_GT(accepted, 500);
}

TEST(MaskNumber, HidesTheBirthDate) {
  EXPECT_EQ(MaskNumber("330102198007151111"), "330102********1111");
  EXPECT_EQ(MaskNumber("330102800715111"), "330102*****5111");
  EXPECT_EQ(MaskNumber("E12345678"), "E******78");
  EXPECT_EQ(MaskNumber("123"), "***");
  EXPECT_EQ(MaskNumber(""), "");
}

}  // namespace
}  // namespace canbao::identity
