// canbao link: which rows of any tables are one person, by a model (docs/formats/link-model.md) or
// by one that is made for the columns there are.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "app/context.h"
#include "base/file.h"
#include "base/progress.h"
#include "linkage/link.h"
#include "linkage/model/guess.h"
#include "linkage/output.h"
#include "linkage/table.h"

namespace canbao::app {
namespace {

using linkage::Bits;
using linkage::LinkResult;
using linkage::Model;

struct Options {
  std::vector<std::string> files;
  std::string model;
  std::string links;
  std::string pairs;
  std::string report;
  std::string write_model;
  std::vector<std::string> ignored;
  int pairs_below = 5;
  int threads = 2;
  bool explain_blocking = false;
  bool link_only = false;
  bool quiet = false;
};

void Line(const Text& text) { std::printf("%s\n", text.Get().c_str()); }

std::string Amount(uint64_t n) { return FormatAmount(n, ProgressUnit::kItems); }

// One line of progress after the other.
class Steps {
 public:
  explicit Steps(bool silent) { options_.silent = silent; }
  void Begin(const Text& label, uint64_t total, ProgressUnit unit) {
    progress_.reset();
    progress_ = std::make_unique<Progress>(label, total, unit, options_);
  }
  void Add(uint64_t n) { progress_->Add(n); }
  void Finish() { progress_.reset(); }

 private:
  ProgressOptions options_;
  std::unique_ptr<Progress> progress_;
};

Text LabelOf(linkage::Step step) {
  switch (step) {
    case linkage::Step::kPrepare:
      return Msg("准备", "preparing");
    case linkage::Step::kTrain:
      return Msg("估计参数", "training");
    case linkage::Step::kScore:
      return Msg("打分", "scoring");
    case linkage::Step::kCluster:
      break;
  }
  return Msg("归并", "clustering");
}

void PrintRules(const LinkResult& result) {
  Line(Msg("分块规则：共 {0} 对，比较 {1} 对", "blocking rules: {0} pairs in all, {1} compared",
           Amount(result.all_pairs), Amount(result.compared)));
  for (const linkage::RuleAccount& r : result.rules) {
    if (r.left_out) {
      Line(Msg("  {0}：{1} 对，超过上限，未用", "  {0}: {1} pairs, above its limit, left out",
               r.label, Amount(r.agree)));
      continue;
    }
    Line(Msg("  {0}：{1} 对（一致 {2}），{3} 块，最大 {4} 行，拆分 {5}",
             "  {0}: {1} pairs ({2} agree), {3} blocks, the largest of {4} rows, {5} split",
             r.label, Amount(r.pairs), Amount(r.agree), Amount(r.blocks), Amount(r.largest),
             r.hot));
  }
}

void PrintParameters(const Model& model, const LinkResult& result) {
  const auto weights = result.parameters.Weights(model);
  Line(Msg("参数：先验 {0} 比特，{1} 轮，{2} 对",
           "parameters: prior {0} bits, {1} rounds, {2} pairs",
           linkage::BitsText(result.parameters.PriorBits()), result.parameters.rounds,
           Amount(result.parameters.pairs_seen)));
  for (size_t c = 0; c < model.comparisons.size(); ++c) {
    std::printf("  %s\n", model.comparisons[c].name.c_str());
    for (size_t l = 1; l < weights[c].size(); ++l) {
      const linkage::Level& level = model.comparisons[c].levels[l - 1];
      if (level.says_nothing) continue;
      std::printf("    %-44s m %.9f  u %.9f  %8s\n", level.label.c_str(), result.parameters.m[c][l],
                  result.parameters.u[c][l], linkage::BitsText(weights[c][l]).c_str());
    }
  }
}

void PrintHistogram(const Model& model, const LinkResult& result) {
  uint64_t most = 1;
  for (uint64_t n : result.histogram) most = std::max(most, n);
  Line(Msg("达到阈值的对（比特）", "pairs at or above the threshold, by bits"));
  for (size_t i = 0; i < result.histogram.size(); ++i) {
    const uint64_t n = result.histogram[i];
    if (n == 0) continue;
    const auto bits = static_cast<Bits>(model.decision.threshold + static_cast<Bits>(i) * 100);
    std::printf("  %8s %12s %s\n", linkage::BitsText(bits).c_str(), Amount(n).c_str(),
                std::string(1 + n * 40 / most, '#').c_str());
  }
}

Result<std::vector<linkage::Table>> ReadAll(const Options& o, Steps* steps) {
  std::vector<linkage::Table> tables;
  uint64_t bytes = 0;
  std::error_code unknown;
  for (const std::string& file : o.files) {
    const auto size = std::filesystem::file_size(file, unknown);
    if (!unknown) bytes += size;
  }
  steps->Begin(Msg("读取", "reading"), bytes, ProgressUnit::kBytes);
  for (const std::string& file : o.files) {
    CANBAO_ASSIGN(linkage::Table table,
                  linkage::ReadTable(file, [steps](uint64_t n) { steps->Add(n); }));
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<Model> TheModel(const Options& o, const std::vector<linkage::Table>& tables) {
  if (!o.model.empty()) return linkage::LoadModel(o.model);
  linkage::GuessOptions guess;
  guess.ignored = o.ignored;
  guess.link_only = o.link_only;
  CANBAO_ASSIGN(std::string text, linkage::GuessModel(tables, guess));
  if (!o.write_model.empty()) CANBAO_TRY(WriteFileAtomic(o.write_model, text));
  return linkage::ParseModel(text, "guessed model");
}

Status Execute(const Options& o) {
  if (o.links.empty() && !o.explain_blocking && o.write_model.empty()) {
    return Fail(ErrorClass::kUsage, "CB-APP-0023",
                Msg("请给出 --links、--explain-blocking 或 --write-model",
                    "give --links, --explain-blocking or --write-model"));
  }
  Steps steps(o.quiet);
  CANBAO_ASSIGN(auto tables, ReadAll(o, &steps));
  CANBAO_ASSIGN(Model model, TheModel(o, tables));
  linkage::LinkOptions options;
  options.threads = o.threads;
  options.blocking_only = o.links.empty();
  if (!o.pairs.empty()) options.keep_above = model.decision.threshold - o.pairs_below * 100;
  options.begins = [&steps](linkage::Step step, uint64_t pairs) {
    steps.Begin(LabelOf(step), pairs, ProgressUnit::kItems);
  };
  options.seen = [&steps](uint64_t pairs) { steps.Add(pairs); };
  if (options.blocking_only && !o.explain_blocking) return {};
  CANBAO_ASSIGN(LinkResult result, linkage::Link(model, tables, o.files, options));
  steps.Finish();
  PrintRules(result);
  if (!o.report.empty()) CANBAO_TRY(WriteFileAtomic(o.report, ReportOf(model, result)));
  if (options.blocking_only) return {};
  PrintParameters(model, result);
  PrintHistogram(model, result);
  Line(Msg("{0} 行，{1} 人，最大的连通分量 {2} 行",
           "{0} rows, {1} persons, the largest component {2} rows", Amount(result.frame->rows),
           Amount(result.clusters.count), Amount(result.clusters.largest_component)));
  Line(Msg("用时：估计 {0:.2f} 秒，打分 {1:.2f} 秒（每秒每线程 {2:.1f} 百万对），归并 {3:.2f} 秒",
           "seconds: training {0:.2f}, scoring {1:.2f} ({2:.1f} M pairs a second and thread), "
           "clustering {3:.2f}",
           result.seconds_training, result.seconds_scoring,
           static_cast<double>(result.compared) / 1e6 / std::max(result.seconds_scoring, 1e-9) /
               o.threads,
           result.seconds_clustering));
  if (!o.pairs.empty()) CANBAO_TRY(linkage::WritePairs(model, result, tables, o.files, o.pairs));
  return linkage::WriteLinks(model, result, tables, o.files, o.links);
}

}  // namespace

void AddLink(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("link", Say("关联任意表格：哪些行是同一个人（Fellegi–Sunter）",
                                 "which rows of any tables are one person (Fellegi–Sunter)"));
  sub.Add("files", &o->files,
          Say("表格：CSV、TSV（可为 .gz、.zst）、Parquet；一个则查重，几个则相互关联并查重",
              "tables: csv, tsv (also .gz, .zst), parquet; one is deduplicated, several are linked "
              "and "
              "deduplicated"))
      .Required();
  sub.Add("--model", &o->model,
          Say("模型（docs/formats/link-model.md）；不给则按列名和内容生成",
              "the model (docs/formats/link-model.md); without, one is made for the columns"));
  sub.Add("--links", &o->links,
          Say("把每行的人写入此 CSV：file,line,id,person",
              "write the person of each row to this CSV: file,line,id,person"));
  sub.Add("--pairs", &o->pairs,
          Say("把每对的规则、权重、概率和各比较的级写入此 CSV",
              "write pairs with rule, weight, probability and levels to this CSV"));
  sub.Add("--pairs-below", &o->pairs_below,
          Say("--pairs 包括低于阈值多少比特的对",
              "how many bits below the threshold --pairs reaches"))
      .Between(0, 200)
      .ShowDefault();
  sub.Add("--report", &o->report, Say("把统计写入此 JSON", "write the figures to this JSON"));
  sub.AddFlag("--explain-blocking", &o->explain_blocking,
              Say("列出各分块规则的对数；没有 --links 时只做这一步",
                  "pairs of each blocking rule; nothing else is done without --links"));
  sub.Add("--write-model", &o->write_model,
          Say("把生成的模型写入此文件", "write the model that was made to this file"))
      .Excludes("--model");
  sub.Add("--ignore", &o->ignored,
          Say("生成模型时不看的列", "columns that the model that is made leaves alone"))
      .Excludes("--model");
  sub.AddFlag("--link-only", &o->link_only,
              Say("生成的模型只关联不同文件的行，每人在每个文件中至多一行",
                  "the model that is made links rows of different files only, one of each file"));
  sub.Add("--threads", &o->threads, Say("线程数", "threads")).Between(1, 64).ShowDefault();
  sub.AddFlag("--quiet", &o->quiet, Say("不显示进度", "no progress"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
