// canbao demo-data: an invented province, its delivery and the truth about it.
#include <memory>

#include "app/context.h"
#include "app/demo/demo_data.h"
#include "base/progress.h"

namespace canbao::app {

void AddDemoData(Command app, Action* action) {
  struct Options {
    demo::DemoOptions demo;
    std::string errors = "realistic";
    std::string columns = "full";
    bool no_digests = false;
  };
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("demo-data", Say("生成虚构省份的数据交付（含真值）",
                                      "make a delivery of an invented province, with its truth"));
  sub.Add("--persons", &o->demo.persons, Say("人数", "number of persons"))
      .Required()
      .BetweenUnsigned(1, 200000000);
  sub.Add("--out", &o->demo.out, Say("输出目录", "folder to write")).Required();
  sub.Add("--province", &o->demo.province, Say("省级行政区划代码", "province")).ShowDefault();
  sub.Add("--seed", &o->demo.seed, Say("随机种子", "seed")).ShowDefault();
  sub.Add("--errors", &o->errors, Say("错误程度", "how faulty"))
      .OneOf({"clean", "realistic", "hard"})
      .ShowDefault();
  sub.Add("--columns", &o->columns, Say("列的多少", "which columns"))
      .OneOf({"full", "slim"})
      .ShowDefault();
  sub.AddFlag("--no-digests", &o->no_digests,
              Say("清单不注明各文件的 SHA-256", "a manifest without the SHA-256 of the files"));
  sub.AddFlag(
      "--extras", &o->demo.extras,
      Say("另含用工备案、编制、医疗结算", "also employment filing, staffing, medical settlement"));
  sub.Add("--threads", &o->demo.threads, Say("线程数", "threads")).Between(1, 256).ShowDefault();
  sub.OnUse([o, action] {
    *action = [o] {
      demo::ParseErrorProfile(o->errors, &o->demo.errors);
      o->demo.slim = o->columns == "slim";
      o->demo.digests = !o->no_digests;
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
