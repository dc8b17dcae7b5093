#include "linkage/engine/similarity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace canbao::linkage {
namespace {

std::u32string U(std::string_view text) {
  std::u32string out;
  Decode(text, &out);
  return out;
}

// As the definitions say, and as slowly.
double SlowJaro(const std::u32string& a, const std::u32string& b) {
  if (a.empty() && b.empty()) return 1;
  if (a.empty() || b.empty()) return 0;
  const int window = std::max(static_cast<int>(std::max(a.size(), b.size())) / 2 - 1, 0);
  std::vector<bool> used(b.size());
  std::vector<bool> matched(a.size());
  for (int i = 0; i < static_cast<int>(a.size()); ++i) {
    for (int j = std::max(0, i - window); j < static_cast<int>(b.size()) && j <= i + window; ++j) {
      if (used[static_cast<size_t>(j)] || a[static_cast<size_t>(i)] != b[static_cast<size_t>(j)]) {
        continue;
      }
      used[static_cast<size_t>(j)] = matched[static_cast<size_t>(i)] = true;
      break;
    }
  }
  std::u32string x;
  std::u32string y;
  for (size_t i = 0; i < a.size(); ++i) {
    if (matched[i]) x.push_back(a[i]);
  }
  for (size_t j = 0; j < b.size(); ++j) {
    if (used[j]) y.push_back(b[j]);
  }
  if (x.empty()) return 0;
  int differ = 0;
  for (size_t i = 0; i < x.size(); ++i) differ += x[i] != y[i];
  const auto m = static_cast<double>(x.size());
  return (m / static_cast<double>(a.size()) + m / static_cast<double>(b.size()) +
          (m - differ / 2) / m) /
         3;
}

uint32_t SlowEdits(const std::u32string& a, const std::u32string& b, bool transpositions) {
  std::vector<std::vector<uint32_t>> d(a.size() + 1, std::vector<uint32_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = static_cast<uint32_t>(i + j);
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (transpositions && i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

TEST(SimilarityTest, PublishedExamples) {
  // Winkler 1990 and 2006.
  EXPECT_NEAR(Jaro(U("MARTHA"), U("MARHTA")), 0.944444, 1e-6);
  EXPECT_NEAR(JaroWinkler(U("MARTHA"), U("MARHTA")), 0.961111, 1e-6);
  EXPECT_NEAR(JaroWinkler(U("DWAYNE"), U("DUANE")), 0.84, 1e-6);
  EXPECT_NEAR(JaroWinkler(U("DIXON"), U("DICKSONX")), 0.813333, 1e-6);
  EXPECT_NEAR(Jaro(U("JONES"), U("JOHNSON")), 0.790476, 1e-6);
  EXPECT_NEAR(JaroWinkler(U("JONES"), U("JOHNSON")), 0.832381, 1e-6);
  EXPECT_NEAR(JaroWinkler(U("ABROMS"), U("ABRAMS")), 0.922222, 1e-6);
  EXPECT_EQ(Jaro(U("ABC"), U("XYZ")), 0);
  EXPECT_EQ(Levenshtein(U("kitten"), U("sitting")), 3u);
  EXPECT_EQ(DamerauLevenshtein(U("CA"), U("ABC")), 3u);
  EXPECT_EQ(DamerauLevenshtein(U("smith"), U("smiht")), 1u);
  EXPECT_EQ(Soundex("Robert"), "R163");
  EXPECT_EQ(Soundex("Rupert"), "R163");
  EXPECT_EQ(Soundex("Tymczak"), "T522");
  EXPECT_EQ(Soundex("Pfister"), "P236");
  EXPECT_EQ(Soundex("Ashcraft"), "A261");
  EXPECT_EQ(Soundex("张"), "");
  EXPECT_EQ(PhoneticKey("Philip"), PhoneticKey("filip"));
  EXPECT_EQ(PhoneticKey("Knight"), PhoneticKey("nite"));
  EXPECT_NE(PhoneticKey("Smith"), PhoneticKey("Jones"));
}

TEST(SimilarityTest, SameAsTheDefinitions) {
  std::mt19937 rng(3);
  auto text = [&](size_t most, char32_t letters) {
    std::u32string out;
    for (size_t n = rng() % (most + 1); n > 0; --n) {
      const char32_t c = rng() % letters;
      out.push_back(rng() % 9 == 0 ? 0x5F20 + c * 128 : 'a' + c);
    }
    return out;
  };
  for (int i = 0; i < 5000; ++i) {
    const size_t most = i % 20 == 0 ? 150 : i % 3 == 0 ? 70 : 12;
    const std::u32string a = text(most, i % 2 == 0 ? 3 : 12);
    std::u32string b = text(most, i % 2 == 0 ? 3 : 12);
    if (i % 4 == 0) {
      b = a;
      if (b.size() > 2) std::swap(b[b.size() / 2], b[b.size() / 2 - 1]);
    }
    ASSERT_EQ(Jaro(a, b), SlowJaro(a, b)) << Encode(a) << " " << Encode(b);
    ASSERT_EQ(Levenshtein(a, b), SlowEdits(a, b, false)) << Encode(a) << " " << Encode(b);
    ASSERT_EQ(DamerauLevenshtein(a, b), SlowEdits(a, b, true)) << Encode(a) << " " << Encode(b);
    ASSERT_EQ(Levenshtein(a, b), Levenshtein(b, a));
    ASSERT_EQ(DamerauLevenshtein(a, b), DamerauLevenshtein(b, a));
    ASSERT_GE(JaroWinkler(a, b), Jaro(a, b));
    ASSERT_LE(JaroWinkler(a, b), 1);
  }
}

TEST(SimilarityTest, CodePointsThereAndBack) {
  for (std::string_view text : {"", "abc", "Zoë 张伟 𠮷"}) EXPECT_EQ(Encode(U(text)), text);
  EXPECT_EQ(U("\xFF\xE5\xBC").size(), 3u);  // no UTF-8: byte by byte
}

TEST(DayTest, FormsOfADate) {
  for (const char* text : {"1971-06-24", "1971/6/24", "1971.06.24", "19710624", "24.06.1971",
                           "24/6/1971", "06/24/1971", "1971-06-24 10:00", "1971-06-24T10:00:00"}) {
    auto day = ParseDay(text);
    ASSERT_TRUE(day) << text;
    EXPECT_EQ(day->number, 539) << text;
  }
  for (const char* text : {"", "1971", "1971-13-01", "1971-02-29", "19160017", "24-06", "x",
                           "1971-06-24x", "1-1-1", "123456789", "1971-06-24-01"}) {
    EXPECT_FALSE(ParseDay(text)) << text;
  }
  // Every day of four centuries follows the one before.
  int32_t before = DayOf(1599, 12, 31)->number;
  for (int32_t year = 1600; year < 2000; ++year) {
    for (int32_t month = 1; month <= 12; ++month) {
      for (int32_t day = 1; day <= 31; ++day) {
        if (auto d = DayOf(year, month, day)) {
          ASSERT_EQ(d->number, ++before);
        }
      }
    }
  }
}

TEST(NumberTest, Millionths) {
  EXPECT_EQ(ParseNumber("12"), 12'000'000);
  EXPECT_EQ(ParseNumber("-0.5"), -500'000);
  EXPECT_EQ(ParseNumber("1,234.5678901"), 1'234'567'890);
  for (const char* text : {"", "-", ".", "1.2.3", "1e5", "x", "99999999999999999999"}) {
    EXPECT_FALSE(ParseNumber(text)) << text;
  }
}

TEST(PartsTest, SortedOnceEach) {
  EXPECT_EQ(Parts("b a  b", '\0'), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(Parts("x y;;z ; x y", ';'), (std::vector<std::string_view>{"x y", "z"}));
  EXPECT_TRUE(Parts("", ';').empty());
}

}  // namespace
}  // namespace canbao::linkage
