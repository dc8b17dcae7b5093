#include "comparison/link/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/digest.h"
#include "base/file.h"
#include "base/row_file.h"
#include "comparison/run_key.h"

namespace canbao::comparison {
namespace {

const RowSchema& DecisionSchema() {
  static const RowSchema kSchema{"decision",
                                 {{"seeker", ColumnType::kU64},
                                  {"person", ColumnType::kU64},
                                  {"judgement", ColumnType::kU8},
                                  {"at", ColumnType::kText},
                                  {"by", ColumnType::kText},
                                  {"note", ColumnType::kText}}};
  return kSchema;
}

std::string FileOf(const std::string& state_dir) { return state_dir + "/decisions.rows"; }
std::string KeyOf(const std::string& state_dir) { return state_dir + "/keys/decisions.key"; }

}  // namespace

Labels::Labels(const std::vector<Decision>& decisions) {
  std::map<std::pair<uint64_t, uint64_t>, Judgement> last;
  for (const Decision& d : decisions) last[{d.seeker, d.person}] = d.judgement;
  std::string text;
  for (const auto& [pair, judgement] : last) {
    if (judgement == Judgement::kWithdrawn) continue;
    labels_.push_back({pair.first, pair.second, judgement});
    text += fmt::format("{} {} {}\n", pair.first, pair.second, static_cast<int>(judgement));
  }
  if (!text.empty()) digest_ = Sha256Hex(text).substr(0, 16);
}

Judgement Labels::Of(uint64_t seeker, uint64_t person) const {
  auto it = std::lower_bound(labels_.begin(), labels_.end(), std::pair(seeker, person),
                             [](const Label& l, const std::pair<uint64_t, uint64_t>& p) {
                               return std::pair(l.seeker, l.person) < p;
                             });
  return it != labels_.end() && it->seeker == seeker && it->person == person
             ? it->judgement
             : Judgement::kWithdrawn;
}

Result<std::vector<Decision>> ReadDecisions(const std::string& state_dir) {
  std::vector<Decision> out;
  if (!FileExists(FileOf(state_dir))) return out;
  CANBAO_ASSIGN(RunKey key, LoadOrMakeKey(KeyOf(state_dir)));
  CANBAO_ASSIGN(auto reader, RowFileReader::Open(FileOf(state_dir), key));
  CANBAO_TRY(reader->EachRow([&out](RowCursor& c) -> Result<bool> {
    Decision d;
    d.seeker = c.U64();
    d.person = c.U64();
    d.judgement = static_cast<Judgement>(c.U8());
    d.at = c.Text();
    d.by = c.Text();
    d.note = c.Text();
    out.push_back(std::move(d));
    return true;
  }));
  return out;
}

Status AddDecisions(const std::string& state_dir, const std::vector<Decision>& more) {
  CANBAO_ASSIGN(std::vector<Decision> all, ReadDecisions(state_dir));
  all.insert(all.end(), more.begin(), more.end());
  CANBAO_TRY(MakeFolders(state_dir + "/keys", 0700));
  CANBAO_ASSIGN(RunKey key, LoadOrMakeKey(KeyOf(state_dir)));
  const std::string temporary = FileOf(state_dir) + ".part";
  CANBAO_ASSIGN(auto writer, RowFileWriter::Create(temporary, DecisionSchema(), key));
  for (const Decision& d : all) {
    writer->U64(d.seeker);
    writer->U64(d.person);
    writer->U8(static_cast<uint8_t>(d.judgement));
    writer->Text(d.at);
    writer->Text(d.by);
    writer->Text(d.note);
    CANBAO_TRY(writer->EndRow());
  }
  CANBAO_TRY(writer->Finish());
  return RenameDurably(temporary, FileOf(state_dir));
}

}  // namespace canbao::comparison
