// The SIMD loops against a reader that is obviously right: one character at a time, on random text
// made of everything that matters to them, in every encoding and delimiter.
#include "extract/format/record_index.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "extract/errors.h"
#include "extract/format/record_cutter.h"

namespace canbao::extract {
namespace {

struct OracleRecord {
  std::vector<std::string> fields;  // raw
  uint64_t line;                    // line feeds before it
  bool operator==(const OracleRecord&) const = default;
};

// Length of the character at `at`.
size_t Step(std::string_view text, size_t at, bool gb18030) {
  if (!gb18030 || static_cast<uint8_t>(text[at]) < 0x81) return 1;
  if (at + 1 < text.size() && text[at + 1] >= 0x30 && text[at + 1] <= 0x39) return 4;
  return 2;
}

std::vector<OracleRecord> Oracle(std::string_view text, Dialect dialect) {
  std::vector<OracleRecord> out;
  OracleRecord record{{}, 0};
  std::string field;
  uint64_t line = 0;
  bool quoted = false;
  bool open = false;  // something of the record was seen
  for (size_t at = 0; at < text.size();) {
    size_t step = Step(text, at, dialect.gb18030);
    char c = text[at];
    if (step == 1 && c == '\n') {
      ++line;
      if (!quoted) {
        record.fields.push_back(field);
        out.push_back(record);
        record = {{}, line};
        field.clear();
        open = false;
        ++at;
        continue;
      }
    }
    open = true;
    if (step == 1 && c == '"') {
      if (quoted) {
        if (at + 1 < text.size() && text[at + 1] == '"') {
          field += "\"\"";
          at += 2;
          continue;
        }
        quoted = false;
      } else if (field.empty()) {
        quoted = true;
      }
    } else if (step == 1 && c == dialect.delimiter && !quoted) {
      record.fields.push_back(field);
      field.clear();
      ++at;
      continue;
    }
    field += text.substr(at, step);
    at += step;
  }
  if (open) {
    record.fields.push_back(field);
    out.push_back(record);
  }
  return out;
}

std::vector<OracleRecord> Indexed(std::string_view text, Dialect dialect, size_t batch,
                                  uint64_t line) {
  std::string padded(text);
  padded.append(kBlockPadding, '|');  // what stands behind must not matter
  RecordIndex index;
  index.Start(padded.data(), text.size(), dialect);
  std::vector<OracleRecord> out;
  while (index.Next(batch)) {
    for (const RecordSpan& span : index.records()) {
      OracleRecord record{{}, line + span.line};
      uint32_t begin = span.begin;
      for (uint32_t f = 0; f < span.fields; ++f) {
        uint32_t end = index.ends()[span.first + f];
        record.fields.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
      }
      out.push_back(std::move(record));
    }
  }
  return out;
}

// `gb18030` text with characters whose trail bytes look like ASCII, `|` among them.
std::string RandomText(std::mt19937* random, bool gb18030, bool quotes) {
  static const std::vector<std::string> kUtf8 = {"中", "备注", "é", "𠮷", "·"};
  static const std::vector<std::string> kGb = {
      "\xD6\xD0",         "\x81\x7C",         "\xFE\x7C", "\x81\x5C", "\x81\x40",
      "\x81\x30\x81\x30", "\x90\x30\x81\x39", "\xD6\x80", "\xFE\xFE", "\xB1\xB8\xD7\xA2"};
  const auto& wide = gb18030 ? kGb : kUtf8;
  std::string out;
  size_t n = (*random)() % 400;
  // Long runs without structure now and then, across chunks of 64 bytes.
  for (size_t i = 0; i < n; ++i) {
    switch ((*random)() % 12) {
      case 0:
        out += ',';
        break;
      case 1:
        out += '|';
        break;
      case 2:
        out += '\t';
        break;
      case 3:
        out += (*random)() % 2 ? "\n" : "\r\n";
        break;
      case 4:
        if (quotes) out += '"';
        break;
      case 5:
        if (quotes) out += (*random)() % 2 ? ",\"" : "\"\"";
        break;
      case 6:
        out.append((*random)() % 70, 'a');
        break;
      default:
        out += (*random)() % 2 ? wide[(*random)() % wide.size()]
                               : std::string(1, static_cast<char>('0' + (*random)() % 10));
    }
  }
  return out;
}

TEST(RecordIndexTest, FindsWhatTheOracleFinds) {
  std::mt19937 random(7);
  for (int round = 0; round < 6000; ++round) {
    Dialect dialect{",|\t"[random() % 3], random() % 2 == 0};
    std::string text = RandomText(&random, dialect.gb18030, random() % 2 == 0);
    SetSimdLevel(random() % 2 == 0 ? SimdLevel::kSse2 : SimdLevel::kBest);
    ASSERT_EQ(Indexed(text, dialect, 1 + random() % 9, 0), Oracle(text, dialect))
        << "delimiter " << dialect.delimiter << (dialect.gb18030 ? " gb18030" : " utf-8") << "\n"
        << text;
  }
  SetSimdLevel(SimdLevel::kBest);
}

TEST(RecordCutterTest, PiecesOfAnySizeGiveTheSameRecords) {
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    Dialect dialect{",|\t"[random() % 3], random() % 2 == 0};
    std::string text = RandomText(&random, dialect.gb18030, random() % 2 == 0);
    SetSimdLevel(random() % 2 == 0 ? SimdLevel::kSse2 : SimdLevel::kBest);
    std::string padded = text + std::string(kBlockPadding, '\0');
    bool unclosed = ScanBlock(padded.data(), text.size(), dialect).in_quotes;
    size_t block = 1 + random() % 150;
    RecordCutter cutter("x.csv", dialect, 0, 1);
    std::vector<OracleRecord> out;
    std::vector<char> room(kMaxRecordBytes + block + kBlockPadding);
    bool refused = false;
    for (size_t at = 0; !refused; at += block) {
      size_t size = at >= text.size() ? 0 : std::min(block, text.size() - at);
      std::memcpy(room.data() + kMaxRecordBytes, text.data() + std::min(at, text.size()), size);
      auto piece = cutter.Add(room.data() + kMaxRecordBytes, size, at + block >= text.size());
      if (!piece) {
        EXPECT_EQ(piece.error().code, kErrQuoteOpen);
        refused = true;
        break;
      }
      if (piece->size > 0) {
        for (auto& r : Indexed({piece->data, piece->size}, dialect, 4, piece->first_line - 1))
          out.push_back(r);
      }
      if (at + block >= text.size()) break;
    }
    ASSERT_EQ(refused, unclosed) << text;
    if (!refused) {
      ASSERT_EQ(out, Oracle(text, dialect)) << text;
    }
  }
  SetSimdLevel(SimdLevel::kBest);
}

TEST(RecordCutterTest, SaysWhereTheQuoteOpens) {
  std::string text = "a,b\n1,\"x\n2,3\n";
  std::vector<char> room(kMaxRecordBytes + text.size() + kBlockPadding);
  std::memcpy(room.data() + kMaxRecordBytes, text.data(), text.size());
  RecordCutter cutter("x.csv", {}, 0, 1);
  auto piece = cutter.Add(room.data() + kMaxRecordBytes, text.size(), true);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code, kErrQuoteOpen);
  EXPECT_EQ(piece.error().line, 2);
}

TEST(RecordCutterTest, RefusesRecordsWithoutEnd) {
  RecordCutter cutter("x.csv", {}, 0, 5);
  std::vector<char> room(kMaxRecordBytes * 4, 'x');
  auto piece = cutter.Add(room.data() + kMaxRecordBytes, kMaxRecordBytes + 1, false);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code, kErrRecordTooLong);
  EXPECT_EQ(piece.error().line, 5);
}

TEST(UnquoteTest, FollowsRfc4180AndSpreadsheets) {
  auto unquote = [](std::string_view raw) {
    std::string room(raw.size(), '\0');
    size_t written = 0;
    return std::string(Unquote(raw, room.data(), &written));
  };
  EXPECT_EQ(unquote("\"转入,见附件\""), "转入,见附件");
  EXPECT_EQ(unquote("\"原件\"\"存档\"\"\""), "原件\"存档\"");
  EXPECT_EQ(unquote("原件\"存档\""), "原件\"存档\"");
  EXPECT_EQ(unquote("\"\""), "");
  EXPECT_EQ(unquote("\"a\"b\"c\""), "ab\"c\"");
  EXPECT_EQ(unquote("\"open"), "open");
}

}  // namespace
}  // namespace canbao::extract
