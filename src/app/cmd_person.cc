// canbao person: everything known about one person, from which file and line, and why it was
// linked.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "register/read.h"
#include "reporting/render.h"

namespace canbao::app {
namespace {

struct Options {
  std::string who;
  std::string data;
  std::string format = "text";
  std::string database;
  bool mask = false;
};

std::string Name(const reg::ListColumn& c) { return CurrentLang() == Lang::kZh ? c.zh : c.en; }

void PrintText(const reg::PersonView& view) {
  for (const reg::PersonSection& s : view.sections) {
    std::printf("%s\n", ("■ " + s.title.Get()).c_str());
    if (s.rows.size() == 1) {
      // One record reads better downwards.
      for (size_t i = 0; i < s.columns.size(); ++i) {
        if (s.rows[0][i].empty()) continue;
        std::string name = Name(s.columns[i]);
        int pad = 24 - reporting::DisplayWidth(name);
        std::printf("  %s%s %s\n", name.c_str(),
                    std::string(static_cast<size_t>(std::max(pad, 1)), ' ').c_str(),
                    s.rows[0][i].c_str());
      }
    } else {
      std::vector<int> width(s.columns.size());
      for (size_t i = 0; i < s.columns.size(); ++i) {
        width[i] = reporting::DisplayWidth(Name(s.columns[i]));
        for (const auto& row : s.rows)
          width[i] = std::max(width[i], reporting::DisplayWidth(row[i]));
      }
      auto line = [&](auto cell) {
        std::string out = " ";
        for (size_t i = 0; i < s.columns.size(); ++i) {
          std::string text = cell(i);
          out +=
              " " + text +
              std::string(static_cast<size_t>(width[i] - reporting::DisplayWidth(text) + 1), ' ');
        }
        while (out.ends_with(' ')) out.pop_back();
        std::printf("%s\n", out.c_str());
      };
      line([&](size_t i) { return Name(s.columns[i]); });
      for (const auto& row : s.rows) line([&](size_t i) { return row[i]; });
    }
    std::printf("\n");
  }
}

void PrintJson(const std::vector<reg::PersonView>& views) {
  boost::json::array persons;
  for (const reg::PersonView& v : views) {
    boost::json::object o;
    o["person"] = v.person_key;
    for (const reg::PersonSection& s : v.sections) {
      boost::json::array rows;
      for (const auto& row : s.rows) {
        boost::json::object r;
        for (size_t i = 0; i < s.columns.size(); ++i) r[s.columns[i].en] = row[i];
        rows.push_back(std::move(r));
      }
      o[s.title.en] = std::move(rows);
    }
    persons.push_back(std::move(o));
  }
  std::printf("%s\n", boost::json::serialize(persons).c_str());
}

Status Execute(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(std::vector<reg::PersonView> views, reg::PersonByNumber(*db, o.who, o.mask));
  bool digits = !o.who.empty() && o.who.find_first_not_of("0123456789") == std::string::npos;
  if (views.empty() && digits && o.who.size() < 15) {
    CANBAO_ASSIGN(auto one, reg::PersonByKey(*db, std::stoull(o.who), o.mask));
    if (one) views.push_back(std::move(*one));
  }
  if (views.empty()) {
    return Fail(
        ErrorClass::kInput, "CB-APP-0012",
        Msg("登记库中没有这个号码或人员编号", "the register has no such number or person key"));
  }
  if (o.format == "json") {
    PrintJson(views);
  } else {
    for (const reg::PersonView& v : views) PrintText(v);
  }
  return {};
}

}  // namespace

void AddPerson(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("person", Say("一个人的全部登记信息及来源",
                                             "everything known about one person, and from where"));
  sub.Add("who", &o->who, Say("证件号码或人员编号", "number or person key")).Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.AddFlag("--mask", &o->mask, Say("遮盖号码和电话", "mask numbers and phones"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
