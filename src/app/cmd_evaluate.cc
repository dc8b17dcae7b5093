// canbao evaluate: links against a truth. Both are csv (.gz and .zst too) with `file`, `line` and
// `person`; rows that one of them lacks are counted and left out.
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <unordered_map>

#include "app/account.h"
#include "app/context.h"
#include "extract/format/byte_source.h"
#include "extract/format/record_index.h"
#include "linkage/evaluate.h"

namespace canbao::app {
namespace {

struct Options {
  std::string links;
  std::string truth;
  std::string by = "corruption";
  std::string format = "text";
};

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

tl::unexpected<Error> Refused(const std::string& path, int64_t line, Text message, Text remedy) {
  return Fail(Error{ErrorClass::kInput, "CB-APP-0016", std::move(message), std::move(remedy), path,
                    line, 0});
}

Result<Table> ReadTable(const std::string& path) {
  CANBAO_ASSIGN(auto source, extract::OpenByteSource(path, false));
  std::string text;
  extract::BlockBuffer block(size_t{1} << 20);
  for (;;) {
    CANBAO_ASSIGN(size_t n, source->Read(block.data(), block.capacity()));
    if (n == 0) break;
    text.append(block.data(), n);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (text.size() >= UINT32_MAX) {
    return Refused(path, 0, Msg("文件超过 4 GB", "the file is larger than 4 GB"),
                   Msg("请分批评估", "evaluate it in parts"));
  }
  const size_t size = text.size();
  text.append(extract::kBlockPadding, '\0');
  extract::RecordIndex index;
  index.Start(text.data(), size, {});
  Table table;
  std::string scratch;
  while (index.Next(1024)) {
    for (const extract::RecordSpan& record : index.records()) {
      std::vector<std::string> fields;
      for (uint32_t f = 0; f < record.fields; ++f) {
        const uint32_t* end = index.ends() + record.first + f;
        const uint32_t begin = end[-1] + 1;
        std::string_view raw(text.data() + begin, *end - begin);
        if (f + 1 == record.fields && raw.ends_with('\r')) raw.remove_suffix(1);
        scratch.resize(raw.size());
        size_t written = 0;
        fields.emplace_back(extract::Unquote(raw, scratch.data(), &written));
      }
      if (fields.size() == 1 && fields[0].empty()) continue;
      if (table.header.empty()) {
        table.header = std::move(fields);
      } else if (fields.size() != table.header.size()) {
        return Refused(path, record.line + 1,
                       Msg("应有 {0} 个字段，实有 {1} 个", "{0} fields wanted, {1} found",
                           table.header.size(), fields.size()),
                       Msg("请检查该行", "check this line"));
      } else {
        table.rows.push_back(std::move(fields));
      }
    }
  }
  return table;
}

Result<size_t> Column(const Table& table, const std::string& path, const std::string& name) {
  for (size_t i = 0; i < table.header.size(); ++i) {
    if (table.header[i] == name) return i;
  }
  return Refused(path, 1, Msg("缺少列 {0}", "there is no column {0}", name),
                 Msg("链接文件由 compare --links 生成；真值文件格式见 docs/formats/truth.md",
                     "links come from compare --links; the format of a truth is in "
                     "docs/formats/truth.md"));
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
  CANBAO_ASSIGN(Table links, ReadTable(o.links));
  CANBAO_ASSIGN(Table truth, ReadTable(o.truth));
  CANBAO_ASSIGN(size_t link_file, Column(links, o.links, "file"));
  CANBAO_ASSIGN(size_t link_line, Column(links, o.links, "line"));
  CANBAO_ASSIGN(size_t link_person, Column(links, o.links, "person"));
  CANBAO_ASSIGN(size_t file, Column(truth, o.truth, "file"));
  CANBAO_ASSIGN(size_t line, Column(truth, o.truth, "line"));
  CANBAO_ASSIGN(size_t person, Column(truth, o.truth, "person"));
  size_t by = SIZE_MAX;
  if (o.by != "none") {
    CANBAO_ASSIGN(by, Column(truth, o.truth, o.by));
  }
  std::unordered_map<std::string, const std::string*> said;
  for (const auto& row : links.rows)
    said[row[link_file] + "\n" + row[link_line]] = &row[link_person];
  std::vector<linkage::JudgedRow> rows;
  uint64_t without_link = 0;
  for (const auto& row : truth.rows) {
    auto it = said.find(row[file] + "\n" + row[line]);
    if (it == said.end()) {
      ++without_link;
      continue;
    }
    rows.push_back({*it->second, row[person], by == SIZE_MAX ? std::string() : row[by]});
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
  sub.Add("--links", &o->links, Say("compare --links 写出的文件", "what compare --links wrote"))
      .Required();
  sub.Add("--truth", &o->truth,
          Say("真值：file,line,person（csv，可压缩）",
              "the truth: file,line,person (csv, also .gz, .zst)"))
      .Required();
  sub.Add("--by", &o->by,
          Say("按真值的哪一列分层；none 不分", "column of the truth to break down by; none"))
      .ShowDefault();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.OnUse([o, action] {
    *action = [o] {
      auto s = Execute(*o);
      return s ? 0 : Report(s.error());
    };
  });
}

}  // namespace canbao::app
