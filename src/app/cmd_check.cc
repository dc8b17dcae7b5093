// canbao check (for processes, not in the help): reads a whole delivery as a comparison would and
// links nothing. What would be rejected, by file, row and column, as summary.json, as rejects.jsonl
// (masked, one reject a line) and as rejects.xlsx (as delivered, to be corrected). A dry run.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>

#include "app/context.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/report.h"
#include "extract/delivery.h"
#include "extract/reject_workbook.h"
#include "identity/citizen_number.h"
#include "register/read.h"

namespace canbao::app {
namespace {

namespace json = boost::json;

struct Options {
  std::string delivery;
  std::string data;
  std::string out;
  int threads = 2;
};

// Kept of each file; all are counted.
constexpr size_t kKeptRejects = 50000;

struct Kept {
  uint64_t line = 0;
  uint8_t sheet = 0;
  extract::RejectReason reason{};
  uint16_t column = 0;
  std::string field;
  std::string text;
};

// Counts by reason and column, and the first rejects of each file by line.
class RejectSink : public extract::RowSink {
 public:
  explicit RejectSink(size_t files) : files_(files) {}

  struct File {
    std::map<std::pair<uint8_t, uint16_t>, uint64_t> counts;  // reason, column
    std::map<uint16_t, std::string> fields;                   // column → field
    std::vector<Kept> kept;
    uint64_t unmapped = 0;
    uint64_t findings = 0;
  };

  Status OnBatch(int, const extract::RowBatch& batch) override {
    uint64_t findings = 0;
    uint64_t unmapped = 0;
    for (const extract::Row& row : batch.rows) {
      findings += row.findings != 0 ? 1 : 0;
      unmapped += (row.findings & extract::kStateUnmapped) != 0 ? 1 : 0;
    }
    if (findings == 0 && batch.rejects.empty()) return {};
    std::lock_guard lock(mutex_);
    File& file = files_[batch.extract];
    file.findings += findings;
    file.unmapped += unmapped;
    for (const extract::Reject& r : batch.rejects) {
      ++file.counts[{static_cast<uint8_t>(r.reason), r.column}];
      if (r.column > 0) file.fields[r.column] = r.field;
      // Blocks come in any order: twice as many as are kept, then the later half goes.
      if (file.kept.size() >= 2 * kKeptRejects) Trim(&file);
      file.kept.push_back(
          {r.line, r.sheet, r.reason, r.column, std::string(r.field), std::string(r.text)});
    }
    return {};
  }
  std::vector<File>& Finish() {
    for (File& file : files_) Trim(&file);
    return files_;
  }

 private:
  static void Trim(File* file) {
    std::sort(file->kept.begin(), file->kept.end(), [](const Kept& a, const Kept& b) {
      return std::tie(a.sheet, a.line) < std::tie(b.sheet, b.line);
    });
    if (file->kept.size() > kKeptRejects) file->kept.resize(kKeptRejects);
  }

  std::mutex mutex_;
  std::vector<File> files_;
};

std::string LineOf(const Kept& k) {
  return k.sheet > 0 ? fmt::format("{}!{}", k.sheet + 1, k.line) : std::to_string(k.line);
}

// The value at fault, so that it can be found and nobody is known by it: digits beyond six of a run
// and all but the first character of words are starred.
std::string MaskedValue(const Kept& k, char delimiter) {
  if (k.column == 0) return {};
  std::vector<std::string> fields = extract::FieldsOfRecord(k.text, delimiter);
  if (k.column > fields.size()) return {};
  const std::string& value = fields[k.column - 1];
  if (k.field == "id_number") return identity::MaskNumber(value);
  std::string out;
  size_t digits = 0;
  size_t letters = 0;
  for (size_t i = 0; i < value.size() && i < 60; ++i) {
    const auto u = static_cast<unsigned char>(value[i]);
    if (value[i] >= '0' && value[i] <= '9') {
      letters = 0;
      out += ++digits > 8 ? '*' : value[i];
    } else if (u < 0x80) {
      digits = 0;
      out += value[i];
    } else if ((u & 0xC0) != 0x80) {
      digits = 0;
      size_t n = 1;
      while (i + n < value.size() && (static_cast<unsigned char>(value[i + n]) & 0xC0) == 0x80) ++n;
      out += ++letters > 1 ? "*" : value.substr(i, n);
    }
  }
  return out;
}

Text ReasonText(const Kept& k) {
  Text text = reg::RejectLabel(static_cast<int>(k.reason));
  if (!k.field.empty()) {
    text.zh += "：" + k.field;
    text.en += ": " + k.field;
  }
  return text;
}

Status Write(const Options& o, const extract::Delivery& delivery,
             const std::vector<extract::ExtractAccount>& accounts,
             std::vector<RejectSink::File>& found) {
  CANBAO_TRY(RemoveTree(o.out));
  CANBAO_TRY(MakeFolders(o.out, 0700));
  CANBAO_ASSIGN(auto book, extract::RejectWorkbook::Create(o.out + "/rejects.xlsx"));
  json::array files;
  std::string lines;
  for (size_t i = 0; i < accounts.size(); ++i) {
    const extract::ExtractAccount& a = accounts[i];
    RejectSink::File& file = found[i];
    json::array counts;
    for (const auto& [key, count] : file.counts) {
      counts.push_back(json::object{
          {"reason",
           std::string(extract::RejectCode(static_cast<extract::RejectReason>(key.first)))},
          {"column", key.second},
          {"field", key.second > 0 ? file.fields[key.second] : std::string()},
          {"count", count}});
    }
    files.push_back(json::object{{"file", delivery.extracts[i].file},
                                 {"rows", a.rows_in},
                                 {"rejected", a.rejected},
                                 {"findings", file.findings},
                                 {"unmapped_states", file.unmapped},
                                 {"counts", std::move(counts)}});
    if (file.kept.empty()) continue;
    std::vector<extract::WorkbookReject> rejects;
    for (const Kept& k : file.kept) {
      const Text why = ReasonText(k);
      rejects.push_back({LineOf(k), why.Get(), k.column, k.text});
      lines += json::serialize(json::object{{"file", delivery.extracts[i].file},
                                            {"line", LineOf(k)},
                                            {"column", k.column},
                                            {"field", k.field},
                                            {"reason", std::string(extract::RejectCode(k.reason))},
                                            {"zh", why.zh},
                                            {"en", why.en},
                                            {"value", MaskedValue(k, a.delimiter)}}) +
               "\n";
    }
    CANBAO_TRY(book->AddFile(delivery.extracts[i].file, a.header, a.delimiter, rejects));
  }
  CANBAO_TRY(book->Finish());
  CANBAO_TRY(WriteFileAtomic(o.out + "/rejects.jsonl", lines, 0600));
  return WriteFileAtomic(o.out + "/summary.json",
                         json::serialize(json::object{{"files", std::move(files)}}), 0600);
}

Status Execute(const Options& o) {
  CANBAO_ASSIGN(std::string policy, PolicyDir());
  CANBAO_ASSIGN(extract::Delivery delivery, extract::LoadDelivery(o.delivery));
  if (!o.data.empty()) delivery.own_mappings = Absolute(o.data) + "/mappings";
  std::vector<size_t> all(delivery.extracts.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  RejectSink sink(all.size());
  Progress progress(Msg("检查", "checking"), 0, ProgressUnit::kBytes);
  extract::ReadOptions read;
  read.threads = o.threads;
  read.today = Date::Today();
  read.cancel = &InterruptFlag();
  read.progress = [&progress](uint64_t done, uint64_t total) {
    progress.SetTotal(total);
    progress.Set(done);
  };
  CANBAO_ASSIGN(std::vector<extract::ExtractAccount> accounts,
                extract::ReadExtracts(delivery, all, policy, &sink, read));
  progress.Finish();
  return Write(o, delivery, accounts, sink.Finish());
}

}  // namespace

void AddCheck(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub = app.AddCommand("check", Say("试读一批交付", "reads a delivery without linking"));
  sub.Hide();
  sub.Add("delivery", &o->delivery, Say("数据交付目录", "delivery folder")).Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register"));
  sub.Add("--out", &o->out, Say("结果目录", "folder for what was found")).Required();
  sub.Add("--threads", &o->threads, Say("线程数", "threads")).Between(1, 64);
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
