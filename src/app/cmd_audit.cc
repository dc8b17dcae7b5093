// canbao audit: verifies the audit of a data folder. Exit code 3 when something was found; the
// first finding is the error, all of them are printed.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/store.h"
#include "app/table_output.h"
#include "register/access/audit.h"

namespace canbao::app {
namespace {

struct Options {
  std::string data;
  std::string database;
  std::string format = "text";
};

Status Verify(const Options& o) {
  CANBAO_TRY(CheckDataFolder(o.data));
  CANBAO_ASSIGN(auto db, OpenRegister(o.data, o.database));
  CANBAO_ASSIGN(auto c, db->Connect("canbao audit"));
  CANBAO_ASSIGN(reg::AuditReport report, reg::VerifyAudit(*c, db->data_dir()));
  if (o.format == "json") {
    boost::json::array findings;
    for (const reg::AuditFinding& f : report.findings) {
      findings.push_back(boost::json::object{{"code", f.code}, {"text", f.text.Get()}});
    }
    std::printf("%s\n",
                boost::json::serialize(boost::json::object{{"ok", report.ok()},
                                                           {"entries", report.entries},
                                                           {"chains", report.chains},
                                                           {"roots", report.roots},
                                                           {"last_root_at", report.last_root_at},
                                                           {"findings", std::move(findings)}})
                    .c_str());
  } else {
    std::printf("%s\n", Msg("审计记录 {0} 条，链 {1} 条，签名根 {2} 个，最近 {3}",
                            "{0} entries in {1} chains, {2} roots, the last of {3}", report.entries,
                            report.chains, report.roots,
                            report.last_root_at.empty() ? "-" : report.last_root_at)
                            .Get()
                            .c_str());
    for (const reg::AuditFinding& f : report.findings) {
      std::printf("%s: %s\n", f.code.c_str(), f.text.Get().c_str());
    }
    if (report.ok()) std::printf("%s\n", Say("未发现改动。", "nothing was changed.").c_str());
  }
  if (report.ok()) return {};
  return Fail(
      Error{ErrorClass::kInput, "CB-APP-0029", report.findings[0].text,
            Text{"请保全现场，由审计管理员核查。",
                 "Leave everything as it is and have the audit administrator look into it."},
            o.data, 0, 0});
}

}  // namespace

void AddAudit(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command audit = app.AddCommand("audit", Say("审计记录", "the audit"));
  audit.NeedsCommand();
  Command sub = audit.AddCommand(
      "verify", Say("核验审计记录未被改动、删除、换序",
                    "verifies that nothing in the audit was changed, deleted or moved"));
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  RunOnUse(sub, action, o, Verify);
}

}  // namespace canbao::app
