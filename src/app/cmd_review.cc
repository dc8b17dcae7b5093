// canbao review: the rows that somebody has to look at, out as a list and back as decisions. Each
// decision is applied by the next comparison, and taught to its scores.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/link_text.h"
#include "app/store.h"
#include "app/table_output.h"
#include "base/file.h"
#include "comparison/link/label.h"
#include "comparison/link/review.h"
#include "identity/citizen_number.h"
#include "linkage/table.h"

namespace canbao::app {
namespace {

using comparison::Candidate;
using comparison::Decision;
using comparison::Judgement;

struct Options {
  std::string data;
  std::string format = "csv";
  std::string out;
  std::string decisions;
  std::string by;
  bool taken = false;
  bool mask = false;
  std::string database;
};

struct ColumnName {
  const char* key;
  const char* zh;
  const char* en;
};
constexpr ColumnName kColumns[] = {{"item", "复核编号", "item"},
                                   {"place", "待定行", "row"},
                                   {"rows", "行数", "rows"},
                                   {"effect", "影响", "effect"},
                                   {"name", "姓名", "name"},
                                   {"birth_date", "出生日期", "birth_date"},
                                   {"sex", "性别", "sex"},
                                   {"candidate", "候选", "candidate"},
                                   {"person_number", "候选人证件号码", "person_number"},
                                   {"person_name", "候选人姓名", "person_name"},
                                   {"person_birth_date", "候选人出生日期", "person_birth_date"},
                                   {"person_sex", "候选人性别", "person_sex"},
                                   {"person_place", "候选人见", "person_row"},
                                   {"odds_bits", "得分", "odds_bits"},
                                   {"probability", "概率", "probability"},
                                   {"agreement", "比较结果", "agreement"},
                                   {"decision", "决定", "decision"},
                                   {"note", "说明", "note"}};

Status Export(const Options& o, const comparison::CompareResult& run) {
  CANBAO_ASSIGN(auto queue, comparison::ReadQueue(run.folder, run.key));
  std::vector<std::string> header;
  std::vector<std::string> keys;
  for (const ColumnName& c : kColumns) {
    header.push_back(Text{c.zh, c.en}.Get());
    keys.emplace_back(c.key);
  }
  CANBAO_ASSIGN(auto writer, TableWriter::Create(o.format, o.out, header, keys));
  for (const comparison::ReviewItem& item : queue) {
    for (const Candidate& c : item.candidates) {
      std::string number = identity::ToText(identity::PersonNumber{c.person});
      CANBAO_TRY(writer->Write(
          {c.item(), RowPlaceText(run, c.seeker_ref), std::to_string(c.rows),
           item.decides_person() ? Text{"是否多出一个人", "whether there is one person more"}.Get()
                                 : Text{"这些行归谁", "whose the rows are"}.Get(),
           c.seeker_text, c.seeker_birth.ToIso(), SexText(c.seeker_sex), std::to_string(c.rank),
           o.mask ? identity::MaskNumber(number) : number, c.person_text, c.person_birth.ToIso(),
           SexText(c.person_sex), RowPlaceText(run, c.person_ref),
           fmt::format("{:.2f}", c.odds / 100.0), Probability(c.odds), LevelsText(c.levels), "",
           ""}));
    }
  }
  CANBAO_TRY(writer->Finish());
  std::fprintf(stderr, "%s\n",
               Msg("{0} 组待复核。在“决定”一列填写 同一人、不同人 或 撤销，再用 --decisions 读回。",
                   "{0} to review. Write same, different or withdraw into the column decision and "
                   "read it back with --decisions.",
                   queue.size())
                   .Get()
                   .c_str());
  return {};
}

// What was decided, newest last.
Status ExportTaken(const Options& o) {
  CANBAO_ASSIGN(std::vector<Decision> all, comparison::ReadDecisions(Absolute(o.data)));
  CANBAO_ASSIGN(auto writer,
                TableWriter::Create(o.format, o.out,
                                    {Text{"复核编号", "item"}.Get(), Text{"决定", "decision"}.Get(),
                                     Text{"时间", "at"}.Get(), Text{"决定人", "by"}.Get(),
                                     Text{"说明", "note"}.Get()},
                                    {"item", "decision", "at", "by", "note"}));
  for (const Decision& d : all) {
    const Text judgement = d.judgement == Judgement::kSame        ? Text{"同一人", "same"}
                           : d.judgement == Judgement::kDifferent ? Text{"不同人", "different"}
                                                                  : Text{"撤销", "withdraw"};
    CANBAO_TRY(writer->Write(
        {comparison::ItemName(d.seeker, d.person), judgement.Get(), d.at, d.by, d.note}));
  }
  return writer->Finish();
}

tl::unexpected<Error> Refused(const std::string& path, int64_t line, Text message, Text remedy) {
  return Fail(Error{ErrorClass::kInput, "CB-APP-0018", std::move(message), std::move(remedy), path,
                    line, 0});
}

// The file is taken whole or refused.
Status Import(const Options& o, const comparison::CompareResult& run) {
  if (o.by.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0019",
                Msg("读回决定时要用 --by 写明是谁决定的", "--by has to say who decided"));
  }
  CANBAO_ASSIGN(linkage::Table table, linkage::ReadTable(o.decisions));
  auto column = [&table](const ColumnName& c) {
    for (const char* name : {c.key, c.zh, c.en}) {
      if (size_t at = table.Find(name); at != SIZE_MAX) return at;
    }
    return SIZE_MAX;
  };
  const size_t item_at = column({"item", "复核编号", "item"});
  const size_t decision_at = column({"decision", "决定", "decision"});
  const size_t note_at = column({"note", "说明", "note"});
  if (item_at == SIZE_MAX || decision_at == SIZE_MAX) {
    return Refused(o.decisions, 1,
                   Msg("缺少“复核编号”或“决定”列", "the column item or decision is missing"),
                   Text{"请用 canbao review 导出的表。", "use the list that canbao review wrote."});
  }
  std::vector<comparison::ReviewAnswer> answers;
  uint64_t counts[4] = {};
  for (size_t row = 0; row < table.rows(); ++row) {
    const std::string_view text = table.columns[decision_at].Text(row);
    if (text.empty()) continue;
    const std::optional<Judgement> judgement = comparison::JudgementOf(text);
    if (!judgement) {
      return Refused(o.decisions, table.lines[row],
                     Msg("不认识的决定：{0}", "no decision: {0}", std::string(text)),
                     Text{"可写 同一人、不同人、撤销，或留空。",
                          "write same, different, withdraw, or nothing."});
    }
    comparison::ReviewAnswer answer;
    answer.item = table.columns[item_at].Text(row);
    answer.judgement = *judgement;
    answer.line = table.lines[row];
    if (note_at != SIZE_MAX) answer.note = table.columns[note_at].Text(row);
    ++counts[static_cast<size_t>(*judgement)];
    answers.push_back(std::move(answer));
  }
  auto taken = comparison::DecisionsOf(Absolute(o.data), run.folder, run.key, answers, o.by);
  if (!taken) return Fail(std::move(taken.error()).At(o.decisions, taken.error().line));
  if (!taken->empty()) CANBAO_TRY(comparison::AddDecisions(Absolute(o.data), *taken));
  std::printf("%s\n",
              Msg("记下 {0} 个同一人、{1} 个不同人、{2} 个撤销；下次 canbao compare 时生效。",
                  "{0} the same, {1} different, {2} withdrawn; the next canbao compare applies "
                  "them.",
                  counts[1], counts[2], counts[3])
                  .Get()
                  .c_str());
  return {};
}

Status Execute(const Options& o) {
  if (o.format == "xlsx" && o.out.empty() && o.decisions.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0008",
                Msg("xlsx 需要 --out 文件名", "xlsx needs --out FILE"));
  }
  CANBAO_ASSIGN(comparison::CompareResult run, CurrentRun(o.data, o.database));
  if (!o.decisions.empty()) return Import(o, run);
  if (o.taken) return ExportTaken(o);
  return Export(o, run);
}

}  // namespace

void AddReview(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("review", Say("导出待人工复核的关联，读回决定",
                                   "links to be looked at: export them, read decisions back"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--format", &o->format, Say("输出格式", "format"))
      .OneOf({"csv", "json", "xlsx"})
      .ShowDefault();
  sub.Add("--out", &o->out, Say("写入文件", "write to this file"));
  sub.Add("--decisions", &o->decisions, Say("读回填好的表（csv）", "read this list (csv) back"));
  sub.Add("--by", &o->by, Say("谁作的决定", "who decided"));
  sub.AddFlag("--taken", &o->taken, Say("列出已作的决定", "list the decisions taken so far"));
  sub.AddFlag("--mask", &o->mask, Say("遮盖号码", "mask numbers"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
