// canbao export (for processes, not in the help): writes the file of an export job. It acts in the
// session whose token it reads from standard input, as canbao_app: what it cannot see, it cannot
// write. What is to be written stands in canbao.export and in the job's argument.
#include <sys/stat.h>

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <memory>

#include "app/context.h"
#include "app/database_words.h"
#include "app/table_output.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/report.h"
#include "register/row_export.h"

namespace canbao::app {
namespace {

namespace json = boost::json;

struct Options {
  uint64_t job = 0;
  std::string data;
  std::string out;
  std::string database = FromEnvironment(kDatabaseVariable);
  std::string app_database = FromEnvironment(kAppDatabaseVariable);
};

struct Wanted {
  int64_t id = 0;
  std::string list, column, format, purpose, account, at;
  std::map<std::string, std::string> query;
  reg::ExportOptions options;
};

Result<Wanted> Read(reg::Connection& c, int64_t job) {
  CANBAO_ASSIGN(reg::Rows rows,
                c.Exec("SELECT e.export_id, e.list, e.\"column\", e.query, e.format, e.clear, "
                       "e.purpose, e.account, canbao.moment(now()), j.argument, "
                       "canbao.permitted('persons.reveal'), canbao.permitted('exports.write') "
                       "FROM canbao.export e JOIN canbao.job j USING (job_id) "
                       "WHERE e.job_id = $1 AND e.account_id = canbao.account_id()",
                       {reg::Param(job)}));
  if (rows.size() == 0 || !rows.Bool(0, 11) || (rows.Bool(0, 5) && !rows.Bool(0, 10))) {
    return Fail(ErrorClass::kInput, "CB-APP-0033",
                Msg("没有导出权限，或权限已被收回",
                    "the permission to export is missing, or was taken away"),
                Msg("请联系安全管理员。", "ask the security administrator."));
  }
  Wanted w;
  w.id = rows.Int(0, 0);
  w.list = rows.Text(0, 1);
  w.column = rows.Text(0, 2);
  const json::value query = json::parse(rows.Text(0, 3));
  for (const auto& [name, value] : query.as_object()) w.query[name] = value.as_string();
  w.format = rows.Text(0, 4);
  w.options.clear = rows.Bool(0, 5);
  w.purpose = rows.Text(0, 6);
  w.account = rows.Text(0, 7);
  w.at = rows.Text(0, 8);
  const json::value argument = json::parse(rows.Text(0, 9));
  if (const json::value* keys = argument.as_object().if_contains("keys")) {
    for (const json::value& key : keys->as_array()) {
      w.options.persons.push_back(std::strtoll(key.as_string().c_str(), nullptr, 10));
    }
  }
  return w;
}

Result<int64_t> Write(reg::Connection& c, const reg::FieldCipher& cipher, const Wanted& w,
                      const TableMark& mark, const std::string& path) {
  CANBAO_ASSIGN(reg::RowFilter filter, reg::FilterOf(w.list, w.column, w.query));
  int64_t total = static_cast<int64_t>(w.options.persons.size());
  if (total == 0) {
    CANBAO_ASSIGN(total, reg::CountRows(c, filter));
  }
  Progress progress(Msg("导出", "exporting"), static_cast<uint64_t>(total), ProgressUnit::kRows);
  reg::ExportOptions options = w.options;
  options.rows = total;
  CANBAO_ASSIGN(auto reader, reg::StreamRows(c, cipher, filter, options));
  std::vector<std::string> header;
  std::vector<std::string> keys;
  for (const reg::ListColumn& column : reader->columns()) {
    header.push_back(CurrentLang() == Lang::kZh ? column.zh : column.en);
    keys.push_back(column.en);
  }
  CANBAO_ASSIGN(auto writer, TableWriter::Create(w.format, path, header, keys, mark));
  int64_t rows = 0;
  std::vector<std::string> row;
  for (;; ++rows) {
    if (rows % 1000 == 0) {
      if (Interrupted()) return Fail(InterruptedError());
      progress.Set(static_cast<uint64_t>(rows));
    }
    CANBAO_ASSIGN(bool more, reader->Next(&row));
    if (!more) break;
    CANBAO_TRY(writer->Write(row));
  }
  CANBAO_TRY(writer->Finish());
  progress.Set(static_cast<uint64_t>(rows));
  progress.Finish();
  return rows;
}

Status Execute(const Options& o) {
  // What it writes is about persons, whichever library makes the file.
  ::umask(077);
  std::string token;
  std::getline(std::cin, token);
  reg::DatabaseOptions d;
  d.url = o.database;
  d.app_url = o.app_database;
  d.migrate = false;
  CANBAO_ASSIGN(auto db, reg::Database::Open(Absolute(o.data), d));
  CANBAO_ASSIGN(auto c, db->ConnectApp());
  CANBAO_TRY(c->Exec("SELECT set_config('canbao.session', $1, false)", {reg::Param(token)}));
  CANBAO_ASSIGN(reg::Transaction t,
                reg::Transaction::Begin(*c, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  CANBAO_ASSIGN(Wanted w, Read(*c, static_cast<int64_t>(o.job)));
  TableMark mark;
  mark.title = w.list + (w.column.empty() ? "" : " " + w.column);
  mark.author = w.account;
  mark.text = fmt::format("Canbao 参保 · {} {} · {} · {} · {}", Say("导出", "export"), w.id,
                          w.account, w.at, w.purpose);
  const std::string path = o.out + "/export." + w.format;
  CANBAO_ASSIGN(int64_t rows, Write(*c, db->cipher(), w, mark, path));
  std::string name =
      fmt::format("{}{}-{}.{}", w.list, w.column.empty() ? "" : "-" + w.column, w.id, w.format);
  ReportResult(
      {{"path", path}, {"name", name}, {"rows", std::to_string(rows)}, {"watermark", mark.text}});
  return {};
}

}  // namespace

void AddExport(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("export", Say("写出导出文件", "writes the file of an export job"));
  sub.Hide();
  sub.Add("--job", &o->job, Say("任务编号", "number of the job")).Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--out", &o->out, Say("目录", "folder of the file")).Required();
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  sub.Add("--app-database", &o->app_database,
          Say("同一数据库，canbao_app 的连接串", "the same as canbao_app"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
