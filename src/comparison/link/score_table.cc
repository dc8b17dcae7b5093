#include "comparison/link/score_table.h"

#include "comparison/outcome_tables.h"

namespace canbao::comparison {
namespace {

const RowSchema& ScoreSchema() {
  static const RowSchema kSchema = [] {
    RowSchema s{"score", {{"seeker", ColumnType::kU64},        {"seeker_ref", ColumnType::kU64},
                          {"rows", ColumnType::kU32},          {"by_number", ColumnType::kU8},
                          {"makes_person", ColumnType::kU8},   {"seeker_name", ColumnType::kText},
                          {"seeker_birth", ColumnType::kDate}, {"seeker_sex", ColumnType::kU8},
                          {"rank", ColumnType::kU8},           {"verdict", ColumnType::kU8},
                          {"odds", ColumnType::kU32},          {"rules", ColumnType::kU16},
                          {"person", ColumnType::kU64},        {"person_ref", ColumnType::kU64},
                          {"person_name", ColumnType::kText},  {"person_birth", ColumnType::kDate},
                          {"person_sex", ColumnType::kU8},     {"place", ColumnType::kU32},
                          {"levels", ColumnType::kU32},        {"may_be_twins", ColumnType::kU8}}};
    for (const FieldName& f : FieldNames()) {
      s.columns.push_back({std::string("weight_") + f.key, ColumnType::kU32});
    }
    return s;
  }();
  return kSchema;
}

std::string NameText(uint64_t name) {
  identity::FoldedName folded;
  identity::Unpack(identity::NameCode{name}, &folded);
  return identity::ToUtf8(folded);
}

}  // namespace

Result<TableDigest> WriteScores(const std::string& path, const RunKey& key, const Seekers& seekers,
                                const std::vector<Pair>& pairs, const std::vector<Judged>& judged,
                                const Weights& weights,
                                const std::vector<extract::ExtractSpec>& extracts) {
  auto ref = [&extracts](uint64_t order) {
    const auto extract = static_cast<uint16_t>(order >> 32);
    return RowRef(extract, static_cast<uint32_t>(order), IsWorkbook(extracts[extract]));
  };
  CANBAO_ASSIGN(auto w, RowFileWriter::Create(path, ScoreSchema(), key));
  for (const Judged& j : judged) {
    const Pair& pair = pairs[j.pair];
    const Profile& seeker = seekers.all()[pair.seeker];
    w->U64(seeker.key);
    w->U64(ref(seeker.first));
    w->U32(seeker.rows);
    w->U8(seeker.by_number);
    w->U8(seeker.makes_person);
    w->Text(NameText(seeker.name));
    w->Day(seeker.birth);
    w->U8(static_cast<uint8_t>(seeker.sex));
    w->U8(j.rank);
    w->U8(static_cast<uint8_t>(j.verdict));
    w->U32(static_cast<uint32_t>(j.odds));
    w->U16(pair.rules);
    w->U64(pair.person);
    w->U64(ref(pair.first));
    w->Text(NameText(pair.name));
    w->Day(pair.birth);
    w->U8(static_cast<uint8_t>(pair.sex));
    w->U32(pair.place);
    w->U32(pair.levels.v);
    w->U8(pair.may_be_twins);
    for (size_t f = 0; f < kFields; ++f) {
      w->U32(static_cast<uint32_t>(
          weights.Of(static_cast<Field>(f), seeker.extract(), pair.levels, pair.shared())));
    }
    CANBAO_TRY(w->EndRow());
  }
  CANBAO_TRY(w->Finish());
  return TableDigest{w->rows(), w->plain_sha256()};
}

Status ReadScores(const std::string& path, const RunKey& key,
                  const std::function<bool(const ScoreRow&)>& use) {
  CANBAO_ASSIGN(auto reader, RowFileReader::Open(path, key));
  return reader->EachRow([&use](RowCursor& c) -> Result<bool> {
    ScoreRow r;
    r.seeker = c.U64();
    r.seeker_ref = c.U64();
    r.rows = c.U32();
    r.by_number = c.U8() != 0;
    r.makes_person = c.U8() != 0;
    r.seeker_name = c.Text();
    r.seeker_birth = c.Day();
    r.seeker_sex = static_cast<identity::Sex>(c.U8());
    r.rank = c.U8();
    r.verdict = static_cast<Verdict>(c.U8());
    r.odds = static_cast<Bits>(c.U32());
    r.rules = c.U16();
    r.person = c.U64();
    r.person_ref = c.U64();
    r.person_name = c.Text();
    r.person_birth = c.Day();
    r.person_sex = static_cast<identity::Sex>(c.U8());
    r.place = c.U32();
    r.levels.v = c.U32();
    r.may_be_twins = c.U8() != 0;
    for (Bits& w : r.weights) w = static_cast<Bits>(c.U32());
    return use(r);
  });
}

}  // namespace canbao::comparison
