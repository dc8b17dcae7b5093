// canbao doctor: everything that should hold in a data folder, asked and answered.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/store.h"
#include "register/doctor.h"

namespace canbao::app {
namespace {

struct Options {
  std::string data;
  std::string format = "text";
  std::string database;
  bool quick = false;
};

int Execute(const Options& o) {
  if (auto s = CheckDataFolder(o.data); !s) return Report(s.error());
  reg::DoctorOptions d;
  d.database.url = o.database;
  d.recount = !o.quick;
  std::vector<reg::DoctorFinding> findings = reg::Examine(Absolute(o.data), d);
  bool bad = false;
  boost::json::array all;
  for (const reg::DoctorFinding& f : findings) {
    bad |= f.health == reg::Health::kBad;
    const char* health = f.health == reg::Health::kGood      ? "good"
                         : f.health == reg::Health::kWarning ? "warning"
                                                             : "bad";
    if (o.format == "json") {
      all.push_back(boost::json::object{{"health", health},
                                        {"code", f.code},
                                        {"subject", f.subject.Get()},
                                        {"message", f.message.Get()},
                                        {"remedy", f.remedy.Get()}});
      continue;
    }
    std::string mark = f.health == reg::Health::kGood      ? Say("正常", "good   ")
                       : f.health == reg::Health::kWarning ? Say("注意", "warning")
                                                           : Say("异常", "bad    ");
    std::string remedy =
        f.remedy.Get().empty() ? "" : Say(" 处理办法：", " Remedy: ") + f.remedy.Get();
    std::printf("%s  %s  %s%s%s%s\n", mark.c_str(), f.subject.Get().c_str(), f.code.c_str(),
                f.code.empty() ? "" : " ", f.message.Get().c_str(), remedy.c_str());
  }
  if (o.format == "json") std::printf("%s\n", boost::json::serialize(all).c_str());
  return bad ? static_cast<int>(ErrorClass::kEnvironment) : 0;
}

}  // namespace

void AddDoctor(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("doctor", Say("检查数据目录是否完好", "checks that a data folder is sound"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.AddFlag("--quick", &o->quick, Say("不逐人重算报表", "do not recount the figures"));
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  sub.OnUse([o, action] { *action = [o] { return Execute(*o); }; });
}

}  // namespace canbao::app
