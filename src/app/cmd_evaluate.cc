// canbao evaluate: links against a truth. Both are csv (.gz and .zst too) with `file`, `line` and
// `person`; rows that one of them lacks are counted and left out.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <unordered_map>

#include "app/context.h"
#include "linkage/evaluate.h"
#include "linkage/table.h"

namespace canbao::app {
namespace {

struct Options {
  std::string links;
  std::string truth;
  std::string by = "corruption";
  std::string format = "text";
};

Result<size_t> ColumnOf(const linkage::Table& table, const std::string& path,
                        const std::string& name) {
  return linkage::NeedColumn(table, path, name,
                             Msg("链接文件由 compare --links 或 link --links 生成；真值文件格式见 "
                                 "docs/formats/truth.md",
                                 "links come from compare --links or link --links; the format of a "
                                 "truth is in docs/formats/truth.md"));
}

boost::json::object Json(const linkage::Quality& q) {
  return {{"rows", q.rows},
          {"precision", q.precision()},
          {"recall", q.recall()},
          {"f1", q.f1()},
          {"said_pairs", q.said_pairs},
          {"true_pairs", q.real_pairs},
          {"right_pairs", q.right_pairs},
          {"bcubed_precision", q.bcubed_precision},
          {"bcubed_recall", q.bcubed_recall}};
}

Status Execute(const Options& o) {
  CANBAO_ASSIGN(linkage::Table links, linkage::ReadTable(o.links));
  CANBAO_ASSIGN(linkage::Table truth, linkage::ReadTable(o.truth));
  CANBAO_ASSIGN(size_t link_file, ColumnOf(links, o.links, "file"));
  CANBAO_ASSIGN(size_t link_line, ColumnOf(links, o.links, "line"));
  CANBAO_ASSIGN(size_t link_person, ColumnOf(links, o.links, "person"));
  CANBAO_ASSIGN(size_t file, ColumnOf(truth, o.truth, "file"));
  CANBAO_ASSIGN(size_t line, ColumnOf(truth, o.truth, "line"));
  CANBAO_ASSIGN(size_t person, ColumnOf(truth, o.truth, "person"));
  size_t by = SIZE_MAX;
  if (o.by != "none") {
    CANBAO_ASSIGN(by, ColumnOf(truth, o.truth, o.by));
  }
  auto key = [](const linkage::Table& table, size_t of_file, size_t of_line, size_t row) {
    return std::string(table.columns[of_file].Text(row)) + "\n" +
           std::string(table.columns[of_line].Text(row));
  };
  auto text = [](const linkage::Table& table, size_t column, size_t row) {
    return std::string(table.columns[column].Text(row));
  };
  std::unordered_map<std::string, size_t> said;
  for (size_t row = 0; row < links.rows(); ++row) said[key(links, link_file, link_line, row)] = row;
  std::vector<linkage::JudgedRow> rows;
  uint64_t without_link = 0;
  for (size_t row = 0; row < truth.rows(); ++row) {
    auto it = said.find(key(truth, file, line, row));
    if (it == said.end()) {
      ++without_link;
      continue;
    }
    rows.push_back({text(links, link_person, it->second), text(truth, person, row),
                    by == SIZE_MAX ? std::string() : text(truth, by, row)});
  }
  const uint64_t without_truth = said.size() - rows.size();
  const linkage::Evaluation e = linkage::Evaluate(rows);
  if (o.format == "json") {
    boost::json::object out = Json(e.all);
    out["merged_persons"] = e.merged;
    out["split_persons"] = e.split;
    out["without_link"] = without_link;
    out["without_truth"] = without_truth;
    if (by != SIZE_MAX) {
      boost::json::object strata;
      for (const auto& [name, q] : e.strata) strata[name] = Json(q);
      out["by"] = o.by;
      out["strata"] = std::move(strata);
    }
    std::printf("%s\n", boost::json::serialize(out).c_str());
    return {};
  }
  auto show = [](const std::string& name, const linkage::Quality& q) {
    std::printf("%-36s %10llu  %9.6f  %9.6f  %9.6f  %9.6f  %9.6f\n", name.c_str(),
                static_cast<unsigned long long>(q.rows), q.precision(), q.recall(), q.f1(),
                q.bcubed_precision, q.bcubed_recall);
  };
  std::printf("%s\n", Say("（成对 精确率 召回率 F1；B-cubed 精确率 召回率）",
                          "(pairwise precision, recall, F1; B-cubed precision, recall)")
                          .c_str());
  show(Say("全部", "all"), e.all);
  if (by != SIZE_MAX) {
    for (const auto& [name, q] : e.strata) show(name.empty() ? "-" : name, q);
  }
  std::printf("%s\n",
              Msg("混入他人的人 {0}　被拆分的人 {1}　无链接的行 {2}　无真值的行 {3}",
                  "persons merged {0}  persons split {1}  rows without link {2}  without truth {3}",
                  e.merged, e.split, without_link, without_truth)
                  .Get()
                  .c_str());
  return {};
}

}  // namespace

void AddEvaluate(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("evaluate", Say("对照真值评估链接（成对与 B-cubed）",
                                               "links against a truth, by pairs and B-cubed"));
  sub.Add("--links", &o->links,
          Say("compare --links 或 link --links 写出的文件",
              "what compare --links or link --links wrote"))
      .Required();
  sub.Add("--truth", &o->truth,
          Say("真值：file,line,person（csv，可压缩）",
              "the truth: file,line,person (csv, also .gz, .zst)"))
      .Required();
  sub.Add("--by", &o->by,
          Say("按真值的哪一列分层；none 不分", "column of the truth to break down by; none"))
      .ShowDefault();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
