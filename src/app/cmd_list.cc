// canbao list: the lists to work on. csv and json stream; xlsx is written in constant memory.
#include <xlsxwriter.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "base/file.h"
#include "extract/reject_export.h"
#include "register/read.h"

namespace canbao::app {
namespace {

struct Options {
  std::string list;
  std::string data;
  std::string division;
  std::string branch;
  std::string kind;
  std::string cutoff;
  std::string format = "csv";
  std::string out;
  std::string correct;  // folder for files of rejected rows to correct
  std::string database;
  bool mask = false;
};

Error Unknown(const char* what, const std::string& value, const std::string& accepted) {
  return Error{ErrorClass::kUsage,
               "CB-APP-0010",
               Msg("{0} 没有这个值：{1}", "{0} has no value {1}", std::string(what), value),
               Text{"可用：" + accepted, "one of: " + accepted},
               {},
               0,
               0};
}

Result<reg::ListQuery> Query(const Options& o) {
  reg::ListQuery q;
  using K = reg::ListKind;
  q.kind = o.list == "to-verify"       ? K::kToVerify
           : o.list == "uncovered"     ? K::kUncovered
           : o.list == "duplicates"    ? K::kDuplicates
           : o.list == "discrepancies" ? K::kDiscrepancies
           : o.list == "rejects"       ? K::kRejects
                                       : K::kConflicts;
  q.division = o.division;
  q.mask = o.mask;
  if (!o.cutoff.empty()) {
    q.cutoff = ParseIsoDate(o.cutoff);
    if (!q.cutoff.has_value()) return Fail(Unknown("--cutoff", o.cutoff, "YYYY-MM-DD"));
  }
  if (!o.branch.empty()) {
    std::string accepted;
    for (int b = 0; b < scheme::kBranches; ++b) {
      auto name = scheme::BranchName(static_cast<scheme::Branch>(b));
      if (name == o.branch) q.branch = b;
      accepted += (b == 0 ? "" : ", ") + std::string(name);
    }
    if (q.branch < 0) return Fail(Unknown("--branch", o.branch, accepted));
  }
  if (!o.kind.empty()) {
    std::string accepted;
    bool duplicates = q.kind == K::kDuplicates;
    for (int i = 0; i < (duplicates ? 7 : 19); ++i) {
      int value = duplicates ? 1 << i : i + 1;
      Text label = duplicates ? reg::DuplicateLabel(value) : reg::DiscrepancyLabel(value);
      if (o.kind == label.en || o.kind == label.zh || o.kind == std::to_string(value))
        q.number = value;
      accepted += (i == 0 ? "" : ", ") + label.en;
    }
    if (q.number == 0) return Fail(Unknown("--kind", o.kind, accepted));
  }
  return q;
}

// The rejected rows of each file as a file with its header, to correct and to deliver again.
Status WriteFilesToCorrect(const Options& o) {
  CANBAO_ASSIGN(reg::ListQuery query, Query(o));
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(std::string latest, LatestLoadedRun(*db));
  CANBAO_ASSIGN(comparison::CompareResult run, comparison::ReadRun(o.data, latest));
  CANBAO_ASSIGN(auto reader, reg::OpenList(*db, query));
  enum { kSource, kFile, kLine, kColumn, kField, kReason, kText };  // the columns of this list
  CANBAO_TRY(MakeFolders(o.correct, 0700));
  std::set<std::string> used;
  std::vector<extract::RejectedRecord> records;
  std::string file;
  std::string source;
  auto flush = [&]() -> Status {
    if (records.empty()) return {};
    for (const comparison::ExtractResult& e : run.extracts) {
      if (e.spec.file != file || e.spec.source != source) continue;
      // Plain CSV, whatever it came in; two files of one name in two folders both find room.
      std::string name = std::filesystem::path(file).filename().string();
      name.resize(std::min(name.find('.'), name.size()));
      while (!used.insert(name).second) name += "_";
      std::string path = o.correct + "/" + name + ".csv";
      CANBAO_TRY(extract::WriteCorrectable(path, e.account.header, e.account.delimiter, records));
      std::printf("%s\n", path.c_str());
      break;
    }
    records.clear();
    return {};
  };
  std::vector<std::string> row;
  for (;;) {
    CANBAO_ASSIGN(bool more, reader->Next(&row));
    if (!more) break;
    if (row[kFile] != file || row[kSource] != source) {
      CANBAO_TRY(flush());
      file = row[kFile];
      source = row[kSource];
    }
    std::string why = row[kReason];
    if (!row[kField].empty()) why += " " + row[kField];
    if (row[kColumn] != "0") why += " (" + row[kColumn] + ")";
    records.push_back({row[kLine], std::move(why), row[kText]});
  }
  return flush();
}

Status Execute(const Options& o) {
  if (!o.correct.empty()) {
    if (o.list == "rejects") return WriteFilesToCorrect(o);
    return Fail(ErrorClass::kUsage, "CB-APP-0015",
                Msg("--correct 只用于 rejects 名单", "--correct is for the list of rejects only"));
  }
  CANBAO_ASSIGN(reg::ListQuery query, Query(o));
  CANBAO_TRY(CheckDataFolder(o.data));
  if (o.format == "xlsx" && o.out.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0008",
                Msg("xlsx 需要 --out 文件名", "xlsx needs --out FILE"));
  }
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(auto reader, reg::OpenList(*db, query));
  std::vector<std::string> header;
  std::vector<std::string> keys;
  for (const reg::ListColumn& c : reader->columns()) {
    header.push_back(CurrentLang() == Lang::kZh ? c.zh : c.en);
    keys.push_back(c.en);
  }
  CANBAO_ASSIGN(auto writer, TableWriter::Create(o.format, o.out, header, keys));
  std::vector<std::string> row;
  for (;;) {
    CANBAO_ASSIGN(bool more, reader->Next(&row));
    if (!more) break;
    CANBAO_TRY(writer->Write(row));
  }
  return writer->Finish();
}

}  // namespace

void AddList(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("list", Say("工作名单", "the lists to work on"));
  sub.Add("list", &o->list, Say("名单", "which list"))
      .Required()
      .OneOf({"to-verify", "uncovered", "duplicates", "discrepancies", "rejects", "conflicts"});
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--division", &o->division, Say("行政区划代码（前缀）", "division, or its first digits"));
  sub.Add("--branch", &o->branch,
          Say("险种大类：pension medical work_injury unemployment maternity",
              "pension medical work_injury unemployment maternity"));
  sub.Add("--kind", &o->kind, Say("重复或错误的类别", "kind of duplicate or discrepancy"));
  sub.Add("--cutoff", &o->cutoff, Say("截止日期，默认最近一次", "cut-off; the latest by default"));
  sub.Add("--format", &o->format, Say("输出格式", "format"))
      .OneOf({"csv", "xlsx", "json"})
      .ShowDefault();
  sub.Add("--out", &o->out, Say("写入文件", "write to this file"));
  sub.Add("--correct", &o->correct,
          Say("把被拒收的行按原文件写入此目录，改正后可重新交付",
              "write the rejected rows, file by file, into this folder, to correct them and "
              "deliver them again"));
  sub.AddFlag("--mask", &o->mask, Say("遮盖号码和电话", "mask numbers and phones"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
