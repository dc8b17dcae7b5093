// canbao forms: an official form of a division at a cut-off, from the register's figures.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "app/context.h"
#include "app/figures_source.h"
#include "app/store.h"
#include "base/file.h"
#include "identity/division.h"
#include "reporting/render.h"
#include "reporting/workbook.h"

namespace canbao::app {
namespace {

using reporting::FormTable;
using reporting::Level;
using reporting::Population;

struct Options {
  std::string data;
  std::string form;
  uint32_t division = 0;
  std::string level;
  std::string population = "all";
  std::string cutoff;
  std::string format = "text";
  std::string out;
  std::string database;
};

Result<FormTable> Make(const Options& o) {
  Date cutoff;
  if (!o.cutoff.empty()) {
    cutoff = ParseIsoDate(o.cutoff);
    if (!cutoff.has_value()) {
      return Fail(ErrorClass::kUsage, "CB-APP-0006",
                  Msg("无法识别的日期：{0}", "this is no date: {0}", o.cutoff),
                  Text{"写作 2017-09-30。", "write it as 2017-09-30."});
    }
  }
  CANBAO_ASSIGN(std::string policy, PolicyDir());
  CANBAO_ASSIGN(reporting::FiguresSource source, LoadFigures(Absolute(o.data), o.database, cutoff));
  CANBAO_ASSIGN(identity::DivisionTable divisions, identity::DivisionTable::Load(policy));
  CANBAO_ASSIGN(reporting::FormPtr form, reporting::LoadForm(policy, o.form, source.cutoff));

  uint32_t division = o.division == 0 ? source.province : o.division;
  if (division / 10000 * 10000 != source.province) {
    return Fail(ErrorClass::kUsage, "CB-APP-0007",
                Msg("{0} 不属于 {1}", "{0} does not lie in {1}", division, source.province));
  }
  Population population = o.population == "hukou" ? Population::kHukou : Population::kAll;
  Level level = reporting::LevelOf(division);
  if (o.level == "county") level = Level::kCounty;

  return reporting::MakeFormTable(source, form, division, level, population, divisions);
}

Status Execute(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  if (o.format == "xlsx" && o.out.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0008",
                Msg("xlsx 需要 --out 文件名", "xlsx needs --out FILE"));
  }
  CANBAO_ASSIGN(FormTable table, Make(o));
  if (o.format == "xlsx") return reporting::WriteXlsx(table, o.out, CurrentLang());
  std::string text = o.format == "json"  ? reporting::RenderJson(table)
                     : o.format == "csv" ? reporting::RenderCsv(table, CurrentLang())
                                         : reporting::RenderText(table, CurrentLang());
  while (text.ends_with("\n\n")) text.pop_back();
  if (!o.out.empty()) return WriteFileAtomic(o.out, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

}  // namespace

void AddForms(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand(
      "forms", Say("报表：表 2-1、2-2 和工作进度表 1", "forms 2-1, 2-2 and the progress form 1"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--form", &o->form, Say("表号", "form")).Required().OneOf({"2-1", "2-2", "1"});
  sub.Add("--division", &o->division,
          Say("行政区划代码，默认全省", "division code; the province by default"))
      .BetweenUnsigned(110000, 999999);
  sub.Add("--level", &o->level,
          Say("county：把 330100 看作市本级",
              "county: take 330100 as 市本级, the city's own county"))
      .OneOf({"county"});
  sub.Add("--population", &o->population,
          Say("all 全部，hukou 只计本省户籍人口", "all, or hukou: only persons of H"))
      .OneOf({"all", "hukou"})
      .ShowDefault();
  sub.Add("--cutoff", &o->cutoff, Say("截止日期，默认最近一次", "cut-off; the latest by default"));
  sub.Add("--format", &o->format, Say("输出格式", "format"))
      .OneOf({"text", "json", "csv", "xlsx"})
      .ShowDefault();
  sub.Add("--out", &o->out, Say("写入文件", "write to this file"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
