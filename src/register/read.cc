#include "register/read.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "register/internal/layout.h"
#include "register/internal/run_rows.h"
#include "register/internal/sql_day.h"
#include "scheme/cells.h"

namespace canbao::reg {
namespace {

Result<std::vector<FigureRow>> CollectFigures(Rows rows) {
  std::vector<FigureRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<uint32_t>(rows.Int(i, 0)), static_cast<uint32_t>(rows.Int(i, 1)),
                   rows.Bool(i, 2), static_cast<int>(rows.Int(i, 3)),
                   static_cast<int>(rows.Int(i, 4)), rows.Int(i, 5)});
  }
  std::sort(out.begin(), out.end());
  return out;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t v = 0;
  for (char c : bytes) v = v << 8 | static_cast<uint8_t>(c);
  return v;
}

// Fields of one row of a binary COPY; false for the trailer.
bool CopyFields(std::string_view row, std::vector<std::optional<std::string_view>>* fields) {
  static constexpr size_t kHeader = 19;
  if (row.size() >= kHeader && row.substr(0, 6) == "PGCOPY") row.remove_prefix(kHeader);
  fields->clear();
  if (row.size() < 2) return false;
  int16_t n = static_cast<int16_t>(BigEndian(row.substr(0, 2)));
  if (n < 0) return false;
  row.remove_prefix(2);
  for (int i = 0; i < n && row.size() >= 4; ++i) {
    int32_t length = static_cast<int32_t>(BigEndian(row.substr(0, 4)));
    row.remove_prefix(4);
    if (length < 0) {
      fields->push_back(std::nullopt);
    } else {
      fields->push_back(row.substr(0, static_cast<size_t>(length)));
      row.remove_prefix(std::min(row.size(), static_cast<size_t>(length)));
    }
  }
  return true;
}

}  // namespace

Result<std::vector<Date>> Cutoffs(Database& db) {
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(Rows rows, c->Exec("SELECT cutoff FROM canbao.run WHERE superseded_by IS NULL "
                                   "ORDER BY cutoff"));
  std::vector<Date> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(ParseIsoDate(rows.Text(i, 0)));
  return out;
}

Result<std::vector<RunRow>> Runs(Database& db) {
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(Rows rows, c->Exec(fmt::format("SELECT {}, highest_key, manifest FROM canbao.run "
                                               "ORDER BY run_id",
                                               kRunColumns)));
  CANBAO_ASSIGN(
      Rows accounts,
      c->Exec(fmt::format("SELECT {}, a.run_id FROM canbao.extract_account a "
                          "JOIN canbao.extract e USING (extract_id) ORDER BY a.run_id, a.ordinal",
                          kExtractAccountColumns)));
  std::vector<RunRow> out;
  for (int i = 0; i < rows.size(); ++i) {
    RunRow& r = out.emplace_back(RunOf(rows, i));
    r.highest_key = static_cast<uint64_t>(rows.Int(i, kRunColumnCount));
    r.manifest = rows.Text(i, kRunColumnCount + 1);
  }
  size_t at = 0;
  for (int i = 0; i < accounts.size(); ++i) {
    while (at < out.size() && out[at].run_id != accounts.Int(i, kExtractAccountColumnCount)) ++at;
    if (at == out.size()) break;
    out[at].accounts.push_back(ExtractAccountOf(accounts, i));
  }
  return out;
}

Result<std::optional<RunRow>> RunAt(Database& db, Date cutoff) {
  CANBAO_ASSIGN(std::vector<RunRow> runs, Runs(db));
  for (RunRow& r : runs) {
    if (r.current && r.cutoff == cutoff) return std::optional<RunRow>(std::move(r));
  }
  return std::optional<RunRow>();
}

Result<Date> ResolveCutoff(Database& db, Date cutoff) {
  CANBAO_ASSIGN(std::vector<Date> known, Cutoffs(db));
  if (known.empty()) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-0602",
                Msg("登记库中还没有任何运行。", "the register holds no run yet."),
                Msg("请先运行 canbao compare。", "Run `canbao compare` first."));
  }
  if (!cutoff.has_value()) return known.back();
  if (std::find(known.begin(), known.end(), cutoff) != known.end()) return cutoff;
  std::string list;
  for (Date d : known) list += (list.empty() ? "" : ", ") + d.ToIso();
  return Fail(
      ErrorClass::kUsage, "CB-REGISTER-0601",
      Msg("没有截止日期 {0} 的数据。", "nothing is known for the cut-off {0}.", cutoff.ToIso()),
      Msg("已有的截止日期：{0}", "Known cut-offs: {0}", list));
}

Result<std::vector<FigureRow>> FiguresAt(Database& db, Date cutoff) {
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(Rows rows, c->Exec("SELECT county, city, hukou, form, \"column\", count "
                                   "FROM canbao.figure WHERE count > 0 AND cutoff = " +
                                   SqlDay(cutoff)));
  return CollectFigures(std::move(rows));
}

// SQL groups the persons, scheme/cells.h says in which cells a group counts: the mapping stands in
// one place, the people are counted where they are.
Result<std::vector<FigureRow>> RecountFigures(Database& db, Date cutoff) {
  CANBAO_ASSIGN(auto c, db.Connect());
  constexpr uint32_t kFormFlags =
      scheme::kH | scheme::kL | scheme::kElsewhere | scheme::kToVerify | scheme::kVerified;
  CANBAO_ASSIGN(
      Rows rows,
      c->Exec(fmt::format("SELECT county, city, flags & {}, duplicates, uncovered, form_2_2, "
                          "both_classes, count(*) FROM canbao.classification WHERE cutoff = {} "
                          "GROUP BY 1, 2, 3, 4, 5, 6, 7",
                          kFormFlags, SqlDay(cutoff))));
  std::map<FigureRow, int64_t> cells;  // key with count 0
  for (int i = 0; i < rows.size(); ++i) {
    scheme::Classification k;
    k.county = static_cast<uint32_t>(rows.Int(i, 0));
    k.city = static_cast<uint32_t>(rows.Int(i, 1));
    k.flags = static_cast<uint32_t>(rows.Int(i, 2));
    k.duplicates = static_cast<uint16_t>(rows.Int(i, 3));
    k.uncovered = static_cast<uint8_t>(rows.Int(i, 4));
    k.form_2_2 = static_cast<uint8_t>(rows.Int(i, 5));
    k.both_classes = static_cast<uint8_t>(rows.Int(i, 6));
    int64_t persons = rows.Int(i, 7);
    scheme::ForEachCell(k, [&](int form, int column) {
      cells[{k.county, k.city, (k.flags & scheme::kH) != 0, form, column, 0}] += persons;
    });
  }
  std::vector<FigureRow> out;
  for (const auto& [cell, persons] : cells) {
    out.push_back(cell);
    out.back().count = persons;
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<uint64_t> HighestPersonKey(Database& db) {
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(Rows rows, c->Exec("SELECT coalesce(max(highest_key), 0) FROM canbao.run"));
  return static_cast<uint64_t>(rows.Int(0, 0));
}

Result<int64_t> ExportMaster(Database& db, const std::string& path, const RunKey& key) {
  std::string temp = path + ".new";
  CANBAO_ASSIGN(auto out, RowFileWriter::Create(temp,
                                                {"master",
                                                 {{"number", ColumnType::kU64},
                                                  {"document", ColumnType::kText},
                                                  {"person_key", ColumnType::kU64}}},
                                                key));
  CANBAO_ASSIGN(auto c, db.Connect());
  const FieldCipher& cipher = db.cipher();
  // Holders of today, then numbers that nobody holds any more, with whoever held them last.
  CANBAO_TRY(c->CopyOut(
      "COPY (SELECT number, document, person_key FROM canbao.person "
      "WHERE number IS NOT NULL AND valid_to = 'infinity' "
      "UNION ALL SELECT * FROM (SELECT DISTINCT ON (number) number, document, person_key "
      "FROM canbao.person p WHERE number IS NOT NULL AND valid_to <> 'infinity' "
      "AND NOT EXISTS (SELECT FROM canbao.person q WHERE q.number = p.number "
      "AND q.valid_to = 'infinity') ORDER BY number, valid_to DESC, person_key) former) "
      "TO STDOUT (FORMAT binary)"));
  struct Pending {
    std::string document;
    uint64_t person_key;
  };
  std::vector<uint8_t> blocks;
  std::vector<Pending> pending;
  auto flush = [&]() -> Status {
    cipher.OpenBlocks(blocks.data(), pending.size());
    for (size_t i = 0; i < pending.size(); ++i) {
      auto number = FieldCipher::NumberOfBlock(blocks.data() + i * FieldCipher::kBlock);
      auto document = cipher.OpenText(pending[i].document);
      if (!number || !document) {
        return Fail(ErrorClass::kEnvironment, "CB-REGISTER-0603",
                    Msg("人员 {0} 的密文无法解开。", "the sealed fields of person {0} do not open.",
                        pending[i].person_key),
                    Msg("请用 canbao doctor 检查密钥。", "Check the keys with `canbao doctor`."));
      }
      out->U64(*number);
      out->Text(*document);
      out->U64(pending[i].person_key);
      CANBAO_TRY(out->EndRow());
    }
    blocks.clear();
    pending.clear();
    return {};
  };
  std::vector<std::optional<std::string_view>> fields;
  for (;;) {
    CANBAO_ASSIGN(std::string_view row, c->CopyGet());
    if (row.empty()) break;
    if (!CopyFields(row, &fields)) continue;
    if (fields.size() != 3 || !fields[0] || fields[0]->size() != FieldCipher::kBlock ||
        !fields[2]) {
      return Fail(ErrorClass::kInternal, "CB-REGISTER-0603",
                  Msg("人员表的列不符。", "the person table has other columns than expected."));
    }
    blocks.insert(blocks.end(), fields[0]->begin(), fields[0]->end());
    pending.push_back({std::string(fields[1].value_or("")), BigEndian(*fields[2])});
    if (pending.size() == 8192) CANBAO_TRY(flush());
  }
  CANBAO_TRY(flush());
  CANBAO_TRY(out->Finish());
  int64_t rows = static_cast<int64_t>(out->rows());
  CANBAO_TRY(RenameDurably(temp, path));
  return rows;
}

}  // namespace canbao::reg
