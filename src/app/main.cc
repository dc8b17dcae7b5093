// The command `canbao`: the only place that wires the libraries together. Each subcommand stands in
// a file of its own; this one parses the words and turns errors into exit codes (0 done, 2 usage, 3
// input refused, 4 environment, 5 internal, 130 interrupted).
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "app/context.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/report.h"

namespace {

using canbao::Lang;

// --lang decides, else the environment; Chinese is the language of the users.
Lang ChooseLang(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view a = argv[i];
    if (a == "--lang" && i + 1 < argc)
      return std::string_view(argv[i + 1]) == "en" ? Lang::kEn : Lang::kZh;
    if (a.starts_with("--lang=")) return a.substr(7) == "en" ? Lang::kEn : Lang::kZh;
  }
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* v = std::getenv(name);
    if (v == nullptr || *v == '\0') continue;
    return std::string_view(v).starts_with("en") ? Lang::kEn : Lang::kZh;
  }
  return Lang::kZh;
}

int Main(int argc, char** argv) {
  canbao::SetCurrentLang(ChooseLang(argc, argv));
  canbao::InstallInterruptHandlers();
  std::signal(SIGPIPE, SIG_IGN);
  if (auto s = canbao::SetUpLog({}); !s) return canbao::app::Report(s.error());

  canbao::app::CommandLine words(
      canbao::app::Say("全民参保登记：信息比对、登记入库、名单与报表",
                       "universal social-insurance enrolment registration: comparison, register, "
                       "lists and forms"),
      canbao::app::Say("退出码：0 完成，2 用法错误，3 数据被拒收，4 环境问题，5 内部错误，130 "
                       "已按要求停止（可继续）",
                       "exit codes: 0 done, 2 usage, 3 input refused, 4 environment, 5 internal, "
                       "130 stopped (resumable)"),
      "canbao " CANBAO_VERSION);
  canbao::app::Command app = words.top();
  app.NeedsCommand();
  std::string lang;
  app.Add("--lang", &lang, canbao::app::Say("界面语言", "language of output")).OneOf({"zh", "en"});

  int report_to = -1;
  app.Add("--progress-fd", &report_to,
          canbao::app::Say("向此文件描述符报告进度", "report progress to this descriptor"))
      .Hidden();

  canbao::app::Action action;
  canbao::app::AddDemoData(app, &action);
  canbao::app::AddInspect(app, &action);
  canbao::app::AddCompare(app, &action);
  canbao::app::AddCheck(app, &action);
  canbao::app::AddWithdraw(app, &action);
  canbao::app::AddExport(app, &action);
  canbao::app::AddForms(app, &action);
  canbao::app::AddList(app, &action);
  canbao::app::AddPerson(app, &action);
  canbao::app::AddRuns(app, &action);
  canbao::app::AddLinkage(app, &action);
  canbao::app::AddEvaluate(app, &action);
  canbao::app::AddExplain(app, &action);
  canbao::app::AddReview(app, &action);
  canbao::app::AddLink(app, &action);
  canbao::app::AddDoctor(app, &action);
  canbao::app::AddDb(app, &action);
  canbao::app::AddUser(app, &action);
  canbao::app::AddAudit(app, &action);
  canbao::app::AddServe(app, &action);
  if (auto code = words.Parse(argc, argv)) return *code;
  if (report_to >= 0) canbao::ReportTo(report_to);
  return action ? action() : static_cast<int>(canbao::ErrorClass::kUsage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::bad_alloc&) {
    return canbao::app::Report(canbao::Error{
        canbao::ErrorClass::kEnvironment,
        "CB-APP-0003",
        canbao::Msg("内存不足", "out of memory"),
        canbao::Text{"请减小 --memory 或 --threads。", "lower --memory or --threads."},
        {},
        0,
        0});
  } catch (const std::exception& e) {
    return canbao::app::Report(
        canbao::Error{canbao::ErrorClass::kInternal,
                      "CB-APP-0004",
                      canbao::Msg("内部错误：{0}", "internal error: {0}", std::string(e.what())),
                      {},
                      {},
                      0,
                      0});
  }
}
