#include "app/account.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/context.h"
#include "base/progress.h"

namespace canbao::app {
namespace {

std::string N(uint64_t n) { return FormatAmount(n, ProgressUnit::kItems); }

void Line(const std::string& text) { std::printf("%s\n", text.c_str()); }

// Chinese characters are two columns wide.
size_t Width(std::string_view text) {
  size_t w = 0;
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    w += n >= 3 ? 2 : 1;
    i += n;
  }
  return w;
}

std::string Left(std::string_view text, size_t width) {
  size_t w = Width(text);
  return std::string(text) + std::string(w < width ? width - w : 0, ' ');
}

std::string Right(std::string_view text, size_t width) {
  size_t w = Width(text);
  return std::string(w < width ? width - w : 0, ' ') + std::string(text);
}

}  // namespace

void PrintAccount(const comparison::CompareResult& run) {
  using comparison::Outcome;
  Line(Msg("运行 {0}　截止日期 {1}　省份 {2}", "run {0}  cut-off {1}  province {2}", run.run,
           run.cutoff.ToIso(), run.province)
           .Get());
  Line("");
  Line(Left(Say("文件", "file"), 40) + Right(Say("读入", "rows in"), 13) +
       Right(Say("关联", "linked"), 13) + Right(Say("未关联", "unlinked"), 12) +
       Right(Say("参考", "reference"), 12) + Right(Say("拒绝", "rejected"), 10));
  uint64_t in = 0;
  uint64_t linked = 0;
  uint64_t unlinked = 0;
  uint64_t reference = 0;
  uint64_t rejected = 0;
  uint64_t unmapped = 0;
  std::array<uint64_t, comparison::kOutcomes> outcomes{};
  for (const comparison::ExtractResult& e : run.extracts) {
    Line(Left(e.spec.file, 40) + Right(N(e.account.rows_in), 13) + Right(N(e.linked), 13) +
         Right(N(e.unlinked), 12) + Right(N(e.reference), 12) + Right(N(e.account.rejected), 10));
    in += e.account.rows_in;
    linked += e.linked;
    unlinked += e.unlinked;
    reference += e.reference;
    rejected += e.account.rejected;
    unmapped += e.account.unmapped_states;
    for (size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += e.outcomes[i];
  }
  Line(Left(Say("合计", "total"), 40) + Right(N(in), 13) + Right(N(linked), 13) +
       Right(N(unlinked), 12) + Right(N(reference), 12) + Right(N(rejected), 10));
  Line("");
  auto of = [&outcomes](Outcome o) { return N(outcomes[static_cast<size_t>(o)]); };
  Line(Msg("结果：户籍基准 {0}　完全一致 {1}　姓名变体 {2}　号码修复 {3}　个人编号关联 "
           "{6}　号码冲突 {4}　未关联 {5}",
           "outcomes: baseline {0}  exact {1}  name_variant {2}  repaired {3}  probable {6}  "
           "conflict {4}  "
           "unlinked {5}",
           of(Outcome::kBaseline), of(Outcome::kExact), of(Outcome::kNameVariant),
           of(Outcome::kRepaired), of(Outcome::kConflict), of(Outcome::kUnlinked),
           of(Outcome::kProbable))
           .Get());
  Line(Msg("人员 {0}　待对码的参保状态 {1} 行", "persons {0}  rows with unmapped states {1}",
           N(run.persons), N(unmapped))
           .Get());
  double total = run.seconds[0] + run.seconds[1] + run.seconds[2];
  if (total > 0) {
    Line(Msg("用时 {0:.1f} 秒（读取 {1:.1f}，关联 {2:.1f}，归类 {3:.1f}），每秒 {4} 行；中间文件 "
             "{5}",
             "{0:.1f} s (reading {1:.1f}, linking {2:.1f}, classifying {3:.1f}), {4} rows/s; "
             "spilled {5}",
             total, run.seconds[0], run.seconds[1], run.seconds[2],
             N(static_cast<uint64_t>(static_cast<double>(in) / std::max(total, 1e-3))),
             FormatAmount(run.spilled_bytes, ProgressUnit::kBytes))
             .Get());
  }
  Line(Msg("结果摘要 {0}", "result digest {0}", run.result_digest).Get());
}

void PrintLoad(const reg::LoadReport& r) {
  if (r.unchanged) {
    Line(
        Msg("登记库已有此运行，没有变化。", "the register holds this run already, nothing changed.")
            .Get());
    return;
  }
  Line("");
  for (const auto& [table, t] : r.tables) {
    Line(Left(table, 24) + Right(N(static_cast<uint64_t>(t.rows)), 14) + Say("　新增 ", "  new ") +
         N(static_cast<uint64_t>(t.inserted)) + Say("　结束 ", "  ended ") +
         N(static_cast<uint64_t>(t.closed)));
  }
  Line(Msg("入库 {0} 行，{1:.1f} 秒（含加密，每秒 {2} 行）；索引 {3:.1f} 秒，落盘 {4:.1f} 秒，比较 "
           "{5:.1f} 秒，写入 {6:.1f} 秒",
           "loaded {0} rows in {1:.1f} s (encryption included, {2} rows/s); keys {3:.1f} s, sync "
           "{4:.1f} s, compare {5:.1f} s, apply {6:.1f} s",
           N(static_cast<uint64_t>(r.rows)), r.seconds_rows,
           N(static_cast<uint64_t>(r.rows_per_second())), r.seconds_keys, r.seconds_sync,
           r.seconds_compare, r.seconds_apply)
           .Get());
}

}  // namespace canbao::app
