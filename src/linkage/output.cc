#include "linkage/output.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <numeric>

#include "base/file.h"
#include "linkage/parquet.h"

namespace canbao::linkage {
namespace {

constexpr size_t kFlush = size_t{1} << 22;

// A file that appears when it is complete.
class Writer {
 public:
  static Result<Writer> Open(const std::string& path) {
    // A Parquet file is made of a CSV of that name.
    const std::string csv = IsParquet(path) ? path + ".csv" : path;
    CANBAO_ASSIGN(Fd fd, OpenForWrite(csv + ".part"));
    return Writer(path, csv, std::move(fd));
  }
  std::string& text() { return text_; }
  Status MayFlush() { return text_.size() < kFlush ? Status() : Flush(); }
  Status Finish() {
    CANBAO_TRY(Flush());
    CANBAO_TRY(SyncFile(fd_.get(), csv_));
    CANBAO_TRY(RenameDurably(csv_ + ".part", csv_));
    if (csv_ == path_) return {};
    Status written = Convert();
    CANBAO_TRY(RemoveTree(csv_));
    return written;
  }

 private:
  Writer(std::string path, std::string csv, Fd fd)
      : path_(std::move(path)), csv_(std::move(csv)), fd_(std::move(fd)) {}
  Status Convert() const {
    CANBAO_ASSIGN(Table table, ReadTable(csv_));
    return WriteParquet(table, path_);
  }
  Status Flush() {
    CANBAO_TRY(WriteAll(fd_.get(), text_, csv_));
    text_.clear();
    return {};
  }
  std::string path_;
  std::string csv_;
  Fd fd_;
  std::string text_;
};

// Where the rows of the input are.
class Places {
 public:
  Places(const Model& model, const std::vector<Table>& tables,
         const std::vector<std::string>& paths)
      : tables_(tables), paths_(paths) {
    size_t rows = 0;
    for (const Table& table : tables) {
      begin_.push_back(rows);
      rows += table.rows();
      if (!model.id.empty()) id_.push_back(table.Find(model.id));
    }
  }
  bool has_id() const { return !id_.empty(); }
  void Append(size_t origin, std::string* out) const {
    const size_t t = static_cast<size_t>(std::upper_bound(begin_.begin(), begin_.end(), origin) -
                                         begin_.begin()) -
                     1;
    const size_t row = origin - begin_[t];
    AppendField(paths_[t], out);
    out->push_back(',');
    out->append(std::to_string(tables_[t].lines[row]));
    if (!has_id()) return;
    out->push_back(',');
    AppendField(tables_[t].columns[id_[t]].Text(row), out);
  }

 private:
  const std::vector<Table>& tables_;
  const std::vector<std::string>& paths_;
  std::vector<size_t> begin_;
  std::vector<size_t> id_;
};

std::string LevelName(const Comparison& comparison, size_t level) {
  return level == 0 ? "missing" : comparison.levels[level - 1].label;
}

}  // namespace

std::string BitsText(Bits bits) {
  const int64_t b = bits;
  return fmt::format("{}{}.{:02}", b < 0 ? "-" : "", std::abs(b) / 100, std::abs(b) % 100);
}

Status WriteLinks(const Model& model, const LinkResult& result, const std::vector<Table>& tables,
                  const std::vector<std::string>& paths, const std::string& to) {
  CANBAO_ASSIGN(Writer writer, Writer::Open(to));
  const Places places(model, tables, paths);
  std::vector<RowId> row_of(result.frame->rows);
  for (RowId row = 0; row < row_of.size(); ++row) row_of[result.frame->origin[row]] = row;
  std::string& out = writer.text();
  out = places.has_id() ? "file,line,id,person\n" : "file,line,person\n";
  for (size_t origin = 0; origin < row_of.size(); ++origin) {
    places.Append(origin, &out);
    out.push_back(',');
    out.append(std::to_string(result.clusters.of_row[row_of[origin]] + 1));
    out.push_back('\n');
    CANBAO_TRY(writer.MayFlush());
  }
  return writer.Finish();
}

Status WritePairs(const Model& model, const LinkResult& result, const std::vector<Table>& tables,
                  const std::vector<std::string>& paths, const std::string& to) {
  CANBAO_ASSIGN(Writer writer, Writer::Open(to));
  const Places places(model, tables, paths);
  std::string& out = writer.text();
  out = places.has_id() ? "file_a,line_a,id_a,file_b,line_b,id_b" : "file_a,line_a,file_b,line_b";
  out += ",rule,weight,probability,same_person";
  for (const Comparison& c : model.comparisons) {
    for (const char* suffix : {"", "_weight"}) {
      out.push_back(',');
      AppendField(c.name + suffix, &out);
    }
  }
  out.push_back('\n');
  std::vector<uint32_t> order(result.pairs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t x, uint32_t y) {
    return result.pairs[x].weight > result.pairs[y].weight;
  });
  Comparer::Scratch scratch(*result.comparer);
  for (uint32_t i : order) {
    const ScoredPair& pair = result.pairs[i];
    // The row that came first in the input stands first.
    RowId a = pair.a;
    RowId b = pair.b;
    if (result.frame->origin[a] > result.frame->origin[b]) std::swap(a, b);
    places.Append(result.frame->origin[a], &out);
    out.push_back(',');
    places.Append(result.frame->origin[b], &out);
    out.push_back(',');
    AppendField(model.rules[pair.rule].label, &out);
    out += fmt::format(",{},{:.6f},{}", BitsText(pair.weight), ProbabilityOf(pair.weight),
                       result.clusters.of_row[a] == result.clusters.of_row[b] ? 1 : 0);
    const Pattern pattern = result.comparer->Levels(a, b, &scratch);
    for (size_t c = 0; c < model.comparisons.size(); ++c) {
      const size_t level = LevelOf(pattern, c);
      out.push_back(',');
      AppendField(LevelName(model.comparisons[c], level), &out);
      out.push_back(',');
      out += BitsText(result.comparer->Part(a, b, c, level));
    }
    out.push_back('\n');
    CANBAO_TRY(writer.MayFlush());
  }
  return writer.Finish();
}

std::string ReportOf(const Model& model, const LinkResult& result) {
  namespace json = boost::json;
  json::object out;
  out["model"] = model.name;
  out["model_digest"] = model.digest;
  out["rows"] = result.frame->rows;
  out["all_pairs"] = result.all_pairs;
  out["compared_pairs"] = result.compared;
  out["kept_pairs"] = result.pairs.size();
  out["threshold_bits"] = BitsText(model.decision.threshold);
  json::array rules;
  for (const RuleAccount& r : result.rules) {
    rules.push_back({{"rule", r.label},
                     {"agreeing_pairs", r.agree},
                     {"pairs", r.pairs},
                     {"blocks", r.blocks},
                     {"largest_block", r.largest},
                     {"hot_blocks", r.hot},
                     {"left_out", r.left_out}});
  }
  out["rules"] = std::move(rules);
  if (!result.parameters.m.empty()) {
    json::object training;
    training["prior"] = result.parameters.prior;
    training["prior_bits"] = BitsText(result.parameters.PriorBits());
    training["rounds"] = result.parameters.rounds;
    training["pairs_seen"] = result.parameters.pairs_seen;
    training["patterns"] = result.parameters.patterns;
    const auto weights = result.parameters.Weights(model);
    json::array comparisons;
    for (size_t c = 0; c < model.comparisons.size(); ++c) {
      json::array levels;
      for (size_t l = 1; l < weights[c].size(); ++l) {
        const Level& level = model.comparisons[c].levels[l - 1];
        json::object entry{{"level", level.label}};
        if (!level.says_nothing) {
          entry["m"] = result.parameters.m[c][l];
          entry["u"] = result.parameters.u[c][l];
          entry["bits"] = BitsText(weights[c][l]);
        }
        levels.push_back(std::move(entry));
      }
      comparisons.push_back({{"comparison", model.comparisons[c].name}, {"levels", levels}});
    }
    training["comparisons"] = std::move(comparisons);
    out["training"] = std::move(training);
    json::array histogram;
    for (size_t i = 0; i < result.histogram.size(); ++i) {
      histogram.push_back({{"bits_above_threshold", i}, {"pairs", result.histogram[i]}});
    }
    out["histogram"] = std::move(histogram);
    std::vector<uint64_t> rows_of(result.clusters.count);
    for (uint32_t person : result.clusters.of_row) ++rows_of[person];
    std::map<uint64_t, uint64_t> sizes;
    for (uint64_t n : rows_of) ++sizes[n];
    json::array clusters;
    for (const auto& [rows, persons] : sizes) {
      clusters.push_back({{"rows", rows}, {"persons", persons}});
    }
    out["persons"] = result.clusters.count;
    out["persons_by_rows"] = std::move(clusters);
    out["components"] = result.clusters.components;
    out["largest_component"] = result.clusters.largest_component;
    out["components_cut"] = result.clusters.cut;
  }
  return json::serialize(out) + "\n";
}

}  // namespace canbao::linkage
