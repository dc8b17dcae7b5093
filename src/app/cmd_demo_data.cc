// canbao demo-data: an invented province, its delivery and the truth about it.
#include <memory>

#include "app/context.h"
#include "app/demo/demo_data.h"
#include "base/progress.h"

namespace canbao::app {

void AddDemoData(CLI::App* app, Action* action) {
  struct Options {
    demo::DemoOptions demo;
    std::string errors = "realistic";
    std::string columns = "full";
  };
  auto o = std::make_shared<Options>();
  CLI::App* sub = app->add_subcommand(
      "demo-data", Say("生成虚构省份的数据交付（含真值）",
                       "make a delivery of an invented province, with its truth"));
  sub->add_option("--persons", o->demo.persons, Say("人数", "number of persons"))
      ->required()
      ->check(CLI::Range(uint64_t{1}, uint64_t{200000000}));
  sub->add_option("--out", o->demo.out, Say("输出目录", "folder to write"))->required();
  sub->add_option("--province", o->demo.province, Say("省级行政区划代码", "province"))
      ->capture_default_str();
  sub->add_option("--seed", o->demo.seed, Say("随机种子", "seed"))->capture_default_str();
  sub->add_option("--errors", o->errors, Say("错误程度", "how faulty"))
      ->check(CLI::IsMember({"clean", "realistic", "hard"}))
      ->capture_default_str();
  sub->add_option("--columns", o->columns, Say("列的多少", "which columns"))
      ->check(CLI::IsMember({"full", "slim"}))
      ->capture_default_str();
  sub->add_flag("--digests,!--no-digests", o->demo.digests,
                Say("清单注明各文件的 SHA-256（默认注明）",
                    "state the SHA-256 of the files in the manifest (the default)"));
  sub->add_flag(
      "--extras", o->demo.extras,
      Say("另含用工备案、编制、医疗结算", "also employment filing, staffing, medical settlement"));
  sub->add_option("--threads", o->demo.threads, Say("线程数", "threads"))
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sub->callback([o, action] {
    *action = [o] {
      demo::ParseErrorProfile(o->errors, &o->demo.errors);
      o->demo.slim = o->columns == "slim";
      auto policy = PolicyDir();
      if (!policy) return Report(policy.error());
      o->demo.data_dir = *policy;
      Progress progress(Msg("生成", "making"), o->demo.persons, ProgressUnit::kItems);
      o->demo.progress = [&progress](uint64_t done, uint64_t) { progress.Set(done); };
      if (auto s = demo::GenerateDelivery(o->demo); !s) return Report(s.error());
      progress.Finish();
      std::printf("%s\n", o->demo.out.c_str());
      return 0;
    };
  });
}

}  // namespace canbao::app
