// GB18030 against ICU for every code, UTF-8 against a plain reading for every short sequence, and
// what the beginning of a file says about it.
#include <gtest/gtest.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <random>

#include "extract/errors.h"
#include "extract/format/gb18030.h"
#include "extract/format/text_format.h"
#include "extract/format/utf8.h"

namespace canbao::extract {
namespace {

std::string ByIcu(std::string_view gb) {
  UErrorCode code = U_ZERO_ERROR;
  UConverter* converter = ucnv_open("gb18030", &code);
  icu::UnicodeString text(gb.data(), static_cast<int32_t>(gb.size()), converter, code);
  ucnv_close(converter);
  std::string out;
  text.toUTF8String(out);
  return out;
}

TEST(Gb18030Test, EveryCodeIsWhatIcuSays) {
  int characters = 0;
  for (int a = 0x81; a <= 0xFE; ++a) {
    for (int b = 0x40; b <= 0xFE; ++b) {
      if (b == 0x7F) continue;
      std::string gb = {static_cast<char>(a), static_cast<char>(b)};
      bool valid = true;
      std::string mine = DecodeGb18030(gb, &valid);
      std::string icu = ByIcu(gb);
      ASSERT_EQ(valid, icu.find("\xEF\xBF\xBD") == std::string::npos) << a << " " << b;
      if (valid) {
        ASSERT_EQ(mine, icu);
      }
      characters += valid;
    }
  }
  EXPECT_EQ(characters, 23940);
  for (uint32_t n = 0; n < 1587600; n += n < 39500 || n > 189000 ? 7 : 101) {
    std::string gb = {static_cast<char>(0x81 + n / 12600), static_cast<char>(0x30 + n / 1260 % 10),
                      static_cast<char>(0x81 + n / 10 % 126), static_cast<char>(0x30 + n % 10)};
    bool valid = true;
    std::string mine = DecodeGb18030(gb, &valid);
    std::string icu = ByIcu(gb);
    if (valid) {
      ASSERT_EQ(mine, icu) << n;
    } else {
      ASSERT_NE(icu.find("\xEF\xBF\xBD"), std::string::npos) << n;
    }
  }
  // U+FFFD has a code of its own.
  bool valid = true;
  EXPECT_EQ(DecodeGb18030("\x84\x31\xA4\x37", &valid), "\xEF\xBF\xBD");
  EXPECT_TRUE(valid);
}

TEST(Gb18030Test, BadBytesAreMarkedAndDoNotSwallowText) {
  for (std::string_view gb : {"\x81", "\xFF", "\x80", "a\x81\x30", "\x81\x30\x81", "\x81\x20"}) {
    bool valid = true;
    DecodeGb18030(gb, &valid);
    EXPECT_FALSE(valid) << testing::PrintToString(gb);
  }
  bool valid = true;
  EXPECT_EQ(DecodeGb18030("\x81,b", &valid), "\xEF\xBF\xBD,b");
}

TEST(Utf8Test, ShortSequencesAndRandomText) {
  // A plain reading: decode, and encode again.
  auto plain = [](std::string_view text) {
    Utf8Census census = CountUtf8(text);
    return census.invalid == 0 && RepairUtf8(text) == text;
  };
  EXPECT_TRUE(IsValidUtf8(std::string_view()));
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      std::string two = {static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(IsValidUtf8(two), plain(two)) << a << " " << b;
      for (int c : {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE4, 0xFF}) {
        std::string three = two + static_cast<char>(c);
        ASSERT_EQ(IsValidUtf8(three), plain(three)) << a << " " << b << " " << c;
        std::string four = three + "\x80";
        ASSERT_EQ(IsValidUtf8(four), plain(four)) << a << " " << b << " " << c;
      }
    }
  }
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    while (text.size() < 60)
      text += std::vector<std::string>{"a", "é", "中", "𠮷", "\x7F"}[random() % 5];
    if (random() % 2 == 0) text[random() % text.size()] = static_cast<char>(random());
    ASSERT_EQ(IsValidUtf8(text), plain(text)) << testing::PrintToString(text);
  }
}

Result<TextFormat> Detect(std::string bytes, const std::string& declared = "") {
  size_t size = bytes.size();
  bytes.append(kBlockPadding, '\0');
  return DetectTextFormat("x.csv", {bytes.data(), size}, true, declared, [](const auto& headers) {
    int known = 0;
    for (const auto& h : headers) known += h == "姓名" || h == "AAC002";
    return known;
  });
}

TEST(TextFormatTest, FindsEncodingDelimiterAndHeader) {
  auto comma = Detect("\xEF\xBB\xBF姓名,AAC002\r\n张三,1\r\n");
  ASSERT_TRUE(comma);
  EXPECT_EQ(comma->encoding, "utf-8");
  EXPECT_EQ(comma->dialect.delimiter, ',');
  EXPECT_EQ(comma->headers, (std::vector<std::string>{"姓名", "AAC002"}));
  EXPECT_EQ(comma->header_text, "姓名,AAC002");
  EXPECT_EQ(comma->data_line, 2u);
  EXPECT_EQ(comma->data_begin, 18u);

  // 姓名|AAC002 in GB18030, below a title row.
  auto pipe = Detect("\xC3\xFB\xB5\xA5\n\xD0\xD5\xC3\xFB|AAC002\n\xD5\xC5|1\n");
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe->encoding, "gb18030");
  EXPECT_EQ(pipe->dialect.delimiter, '|');
  EXPECT_EQ(pipe->header_line, 2u);
  EXPECT_EQ(pipe->data_line, 3u);
  EXPECT_EQ(pipe->headers[0], "姓名");

  auto quoted = Detect("\"姓名\"\t\"AAC002\"\t\"备\n注\"\n1\t2\t3\n");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->dialect.delimiter, '\t');
  EXPECT_EQ(quoted->headers[2], "备\n注");
  EXPECT_EQ(quoted->data_line, 3u);
}

TEST(TextFormatTest, OneBadByteDoesNotMakeItAnotherEncoding) {
  std::string text = "姓名,AAC002\n";
  for (int i = 0; i < 50; ++i) text += "张三丰,1\n";
  auto format = Detect(text + "\xFF,2\n");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->encoding, "utf-8");
}

TEST(TextFormatTest, Refuses) {
  auto code = [](auto format) { return format ? std::string() : format.error().code; };
  EXPECT_EQ(code(Detect("")), kErrFileEmpty);
  EXPECT_EQ(code(Detect("\n \n")), kErrFileEmpty);
  EXPECT_EQ(code(Detect(std::string("\x89PNG\0\0\0", 7))), kErrFileBinary);
  EXPECT_EQ(code(Detect(std::string("\xFF\xFE\x31\x00", 4))), kErrFileUtf16);
  std::string utf16;
  for (char c : std::string("AAC002,AAC003\n1,2\n")) utf16 += std::string({c, '\0'});
  EXPECT_EQ(code(Detect(utf16)), kErrFileUtf16);
  EXPECT_EQ(code(Detect("\xD0\xD5\xC3\xFB,AAC002\n\xD5\xC5,1\n", "utf-8")), kErrEncodingDeclared);
  std::string utf8 = "姓名,AAC002\n";
  for (int i = 0; i < 8; ++i) utf8 += "张三丰,1\n";
  EXPECT_EQ(code(Detect(utf8, "gb18030")), kErrEncodingDeclared);
  EXPECT_EQ(code(Detect("AAC002,AAC003\n1,2\n", "gb18030")), "");
}

TEST(TrimTest, TakesBlanksOfAllKinds) {
  EXPECT_EQ(TrimUtf8(" \t　张 三\xC2\xA0\xE2\x80\x8B"), "张 三");
  EXPECT_EQ(TrimUtf8("　"), "");
  EXPECT_EQ(TrimUtf8("\xE3\x81\x82"), "\xE3\x81\x82");
}

}  // namespace
}  // namespace canbao::extract
