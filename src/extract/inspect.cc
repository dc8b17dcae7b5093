#include "extract/inspect.h"

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/digest.h"
#include "extract/errors.h"
#include "extract/format/byte_source.h"
#include "extract/reader.h"
#include "extract/typing/clean_text.h"
#include "extract/typing/date_text.h"
#include "identity/citizen_number.h"
#include "identity/credit_code.h"
#include "identity/division.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;

// Distinct values by linear counting: a bit per hash bucket (Whang et al. 1990).
class DistinctCounter {
 public:
  void Add(std::string_view value) {
    uint64_t h = std::hash<std::string_view>{}(value);
    bits_[h % kBits / 64] |= uint64_t{1} << (h % 64);
  }
  uint64_t Estimate() const {
    uint64_t set = 0;
    for (uint64_t word : bits_) set += static_cast<uint64_t>(std::popcount(word));
    if (set == kBits) return kBits * 12;  // beyond what can be told apart
    double free = static_cast<double>(kBits - set) / kBits;
    return static_cast<uint64_t>(std::llround(-static_cast<double>(kBits) * std::log(free)));
  }

 private:
  static constexpr uint64_t kBits = 1 << 17;
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(kBits / 64);
};

// Characters of `text` from `from` on, `count` of them, replaced by stars.
std::string Stars(std::string_view text, size_t from, size_t keep_end) {
  std::vector<std::string_view> characters;
  for (size_t at = 0; at < text.size();) {
    size_t size = 1;
    while (at + size < text.size() && (static_cast<uint8_t>(text[at + size]) & 0xC0) == 0x80)
      ++size;
    characters.push_back(text.substr(at, size));
    at += size;
  }
  std::string out;
  for (size_t i = 0; i < characters.size(); ++i) {
    out += i >= from && i + keep_end < characters.size() ? std::string_view("*") : characters[i];
  }
  return out;
}

// Runs of six and more digits in any text, so that no number is shown whole.
std::string MaskDigits(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t n = 0;
    while (i + n < text.size() && ((text[i + n] >= '0' && text[i + n] <= '9') ||
                                   (n >= 14 && (text[i + n] == 'X' || text[i + n] == 'x'))))
      ++n;
    if (n >= 9) {
      out += Stars(text.substr(i, n), 3, n >= 15 ? 0 : 2);
    } else {
      out += text.substr(i, n);
    }
    i += n;
    if (n == 0) out += text[i++];
  }
  return out;
}

std::string MaskSample(Field field, std::string_view value) {
  value = value.substr(0, 64);
  while (!value.empty() && (static_cast<uint8_t>(value.back()) & 0x80) != 0 &&
         RepairUtf8(value) != value) {
    value.remove_suffix(1);
  }
  switch (field) {
    case Field::kIdNumber:
    case Field::kFormerIdNumber:
    case Field::kMotherIdNumber:
      return value.size() >= 10 ? identity::MaskNumber(value) : Stars(value, 1, 0);
    case Field::kName:
    case Field::kFormerName:
      return Stars(value, 1, 0);
    case Field::kHukouAddress:
    case Field::kResidenceAddress:
    case Field::kAddress:
      return Stars(value, 6, 0);
    default:
      return MaskDigits(value);
  }
}

// Whether the value can be read as its field's. States are judged with the row.
bool IsReadable(const RecordPlan& plan, const PlannedColumn& column, std::string_view value,
                Date today) {
  const Codes& codes = plan.mapping->codes;
  auto date = [&] { return ParseDateText(value, plan.date1904).has_value(); };
  uint64_t n = 0;
  switch (column.field) {
    case Field::kIdNumber:
      return identity::ParseNumber(value, "", today).cls != identity::NumberClass::kDamaged;
    case Field::kSex:
      return codes.sex.Find(value) >= 0;
    case Field::kManagement:
      return codes.management.Find(value) >= 0;
    case Field::kFullTime:
      return codes.truth.Find(value) >= 0;
    case Field::kEthnicity:
      return codes.ethnicity.Find(value) >= 0;
    case Field::kHukouType:
      return codes.hukou_type.Find(value) >= 0;
    case Field::kUnitType:
      return codes.unit_type.Find(value) >= 0;
    case Field::kChange:
      return codes.change.Find(value) >= 0;
    case Field::kBirthDate:
    case Field::kBornOn: {
      Date birth = ParseDateText(value, plan.date1904);
      return birth.has_value() && birth <= today;
    }
    case Field::kChangedOn:
    case Field::kRegisteredOn:
    case Field::kEnrolledOn:
    case Field::kFirstMonth:
    case Field::kEndedOn:
    case Field::kGraduatesOn:
    case Field::kDiedOn:
    case Field::kFrom:
    case Field::kUntil:
    case Field::kLeftOn:
    case Field::kReturnedOn:
    case Field::kMonth:
    case Field::kIssuedOn:
      return date();
    case Field::kScheme:
      return ParseWhole(value, &n) && n <= 999 &&
             scheme::StandingOf(static_cast<scheme::SchemeCode>(n)) !=
                 scheme::SchemeStanding::kUnknown;
    case Field::kUscc:
      return identity::ParseCreditCode(value).cls != identity::CreditCodeClass::kInvalid;
    case Field::kHukouDivision:
    case Field::kResidenceDivision:
    case Field::kDivision:
    case Field::kRegion:
    case Field::kInsuredRegion:
    case Field::kCareRegion:
      return identity::ParseDivision(value).has_value();
    case Field::kHeadcount:
    case Field::kPopulation:
    case Field::kInsuredCategory:
      return ParseWhole(value, &n);
    case Field::kStatus:
      return plan.kind != Kind::kStudent || codes.student_status.Find(value) >= 0;
    case Field::kCategory:
      return plan.kind != Kind::kMilitary || codes.military_category.Find(value) >= 0;
    default:
      return true;
  }
}

class Inspector {
 public:
  Inspector(const ExtractSpec& spec, std::shared_ptr<const SourceMapping> mapping,
            std::unique_ptr<KnownDivisions> divisions, const InspectOptions& options)
      : spec_(spec),
        mapping_(std::move(mapping)),
        divisions_(std::move(divisions)),
        options_(options),
        maker_(options.today, divisions_.get()) {
    profile_.file = spec.path;
    profile_.kind = spec.kind;
  }

  FileProfile Run() {
    FileType type = FileTypeOf(spec_.path);
    Status status = type == FileType::kText ? Text() : Table();
    if (status) status = CheckTotals();
    if (!status) profile_.refused = std::move(status.error());
    for (size_t i = 0; i < profile_.columns.size(); ++i) {
      profile_.columns[i].distinct = std::min(counters_[i].Estimate(), profile_.columns[i].values);
    }
    return std::move(profile_);
  }

 private:
  Status Text() {
    CANBAO_ASSIGN(ProbedText probed, ProbeText(spec_, mapping_));
    profile_.encoding = probed.format.encoding;
    profile_.delimiter = probed.format.dialect.delimiter;
    profile_.header_line = probed.format.header_line;
    StartColumns(*probed.plan, probed.format.headers);
    CANBAO_ASSIGN(auto source, OpenByteSource(spec_.path, true));
    profile_.bytes = source->stored_size();
    RecordCutter cutter(spec_.path, probed.format.dialect, probed.format.data_begin,
                        probed.format.data_line);
    constexpr size_t kBlock = size_t{4} << 20;
    BlockBuffer buffer(kBlock);
    Sha256 hasher;
    for (bool last = false; !last;) {
      if (options_.cancel != nullptr && *options_.cancel) {
        return Fail(ErrorClass::kInterrupted, kErrInterrupted,
                    Msg("检查被中断", "inspection was interrupted"));
      }
      CANBAO_ASSIGN(size_t size, source->Read(buffer.data(), kBlock));
      last = size < kBlock;
      if (source->hasher() == nullptr) hasher.Update(buffer.data(), size);
      CANBAO_ASSIGN(RecordPiece piece, cutter.Add(buffer.data(), size, last));
      if (piece.size == 0) continue;
      CANBAO_TRY(maker_.Text(spec_.path, *probed.plan, probed.format, piece, 0, 0,
                             [&](const RowBatch& batch) { return TakeBatch(batch); }));
      ProfilePiece(*probed.plan, probed.format, piece);
    }
    profile_.sha256 = (source->hasher() != nullptr ? source->hasher() : &hasher)->FinishHex();
    return {};
  }

  Status Table() {
    CANBAO_ASSIGN(profile_.sha256, Sha256OfFile(spec_.path));
    std::error_code ec;
    profile_.bytes = fs::file_size(spec_.path, ec);
    CANBAO_ASSIGN(auto sheets, SheetReader::Open(spec_, mapping_));
    profile_.header_line = sheets->header_line();
    TableChunk chunk;
    std::shared_ptr<const RecordPlan> plan;
    for (;;) {
      CANBAO_ASSIGN(bool more, sheets->Next(kBatchRecords, &chunk, &plan));
      if (!more) return {};
      if (profile_.columns.empty()) StartColumns(*plan, sheets->headers());
      CANBAO_TRY(maker_.Table(*plan, chunk, 0, 0,
                              [&](const RowBatch& batch) { return TakeBatch(batch); }));
      for (const auto& row : chunk.rows) {
        CellRecord record(chunk.CellsOf(row), plan->columns);
        ProfileRecord(*plan, record);
      }
    }
  }

  Status CheckTotals() {
    if (!spec_.sha256.empty() && spec_.sha256 != profile_.sha256) {
      return Fail(Error{ErrorClass::kInput,
                        kErrDigest,
                        Msg("SHA-256 与清单不符：清单 {0}，文件 {1}",
                            "the SHA-256 differs from the manifest: {0} there, {1} here",
                            spec_.sha256, profile_.sha256),
                        {},
                        spec_.path,
                        0,
                        0});
    }
    if (spec_.rows >= 0 && static_cast<uint64_t>(spec_.rows) != profile_.rows) {
      return Fail(Error{ErrorClass::kInput,
                        kErrRowCount,
                        Msg("行数与清单不符：清单 {0}，文件 {1}",
                            "the number of rows differs from the manifest: {0} there, {1} here",
                            spec_.rows, profile_.rows),
                        {},
                        spec_.path,
                        0,
                        0});
    }
    return {};
  }

  void StartColumns(const RecordPlan& plan, const std::vector<std::string>& headers) {
    profile_.columns.resize(headers.size());
    counters_.resize(headers.size());
    for (size_t i = 0; i < headers.size(); ++i) profile_.columns[i].header = headers[i];
    std::set<Field> present;
    for (const PlannedColumn& column : plan.planned) {
      ColumnProfile& profile = profile_.columns[column.column];
      profile.field = FieldName(column.field);
      profile.required = column.required_bit != 0;
      present.insert(column.field);
    }
    for (const FieldSpec& field : mapping_->Of(plan.kind).fields) {
      if (!present.contains(field.field) && field.field != Field::kChange) {
        profile_.missing.emplace_back(FieldName(field.field));
      }
    }
  }

  Status TakeBatch(const RowBatch& batch) {
    profile_.rows += batch.rows.size() + batch.rejects.size();
    profile_.rejected += batch.rejects.size();
    for (const Row& row : batch.rows) {
      if ((row.findings & kStateUnmapped) == 0) continue;
      ++profile_.unmapped_states;
      std::string text(row.state_text);
      auto& texts = profile_.state_texts;
      if (texts.size() < 20 && std::find(texts.begin(), texts.end(), text) == texts.end()) {
        texts.push_back(std::move(text));
      }
    }
    for (const Reject& reject : batch.rejects) {
      if (profile_.bad_rows.size() >= static_cast<size_t>(options_.bad_rows)) break;
      std::string text = MaskDigits(reject.text);
      if (text.size() > 400) text = RepairUtf8(text.substr(0, 400)) + "…";
      profile_.bad_rows.push_back({reject.line, reject.sheet,
                                   std::string(RejectCode(reject.reason)), reject.column,
                                   std::string(reject.field), std::move(text)});
    }
    return {};
  }

  void ProfilePiece(const RecordPlan& plan, const TextFormat& format, const RecordPiece& piece) {
    index_.Start(piece.data, piece.size, format.dialect);
    while (index_.Next(kBatchRecords)) {
      for (const RecordSpan& span : index_.records()) {
        size_t size = index_.ends()[span.first + span.fields - 1] - span.begin + 1;
        arena_.Reset(size * 4 + 64);
        TextRecord record(piece.data, index_.ends(), format.gb18030(), false, &arena_);
        record.Set(span);
        if (span.fields == plan.columns && !record.IsBlankLine()) ProfileRecord(plan, record);
      }
    }
  }

  template <typename Record>
  void ProfileRecord(const RecordPlan& plan, const Record& record) {
    size_t columns = std::min<size_t>(record.count(), profile_.columns.size());
    auto planned = plan.planned.begin();
    for (uint32_t i = 0; i < columns; ++i) {
      const PlannedColumn* column = nullptr;
      if (planned != plan.planned.end() && planned->column == i) column = &*planned++;
      ColumnProfile& profile = profile_.columns[i];
      FieldText value = record.Get(i);
      ++profile.values;
      if (value.text.empty()) {
        ++profile.empty;
        continue;
      }
      Field field = column == nullptr ? Field::kNone : column->field;
      if (mapping_->placeholders.IsPlaceholder(field, value.text)) {
        ++profile.empty;
        ++profile.placeholders;
        continue;
      }
      counters_[i].Add(value.text);
      bool good = value.valid &&
                  (column == nullptr || IsReadable(plan, *column, value.text, options_.today));
      if (!good) ++profile.bad;
      auto& samples = good ? profile.samples : profile.bad_samples;
      if (samples.size() < static_cast<size_t>(options_.samples)) {
        std::string sample =
            MaskSample(field, value.valid ? std::string(value.text) : RepairUtf8(value.text));
        if (std::find(samples.begin(), samples.end(), sample) == samples.end()) {
          samples.push_back(std::move(sample));
        }
      }
    }
  }

  ExtractSpec spec_;
  std::shared_ptr<const SourceMapping> mapping_;
  std::unique_ptr<KnownDivisions> divisions_;
  InspectOptions options_;
  BatchMaker maker_;
  FileProfile profile_;
  std::vector<DistinctCounter> counters_;
  RecordIndex index_;
  Arena arena_;
};

// The kind whose required columns are all there and that knows the most headers; of equal ones the
// first of the list.
Result<Kind> GuessKind(const std::string& path, const SourceMapping& mapping,
                       const std::vector<std::vector<std::string>>& rows) {
  std::optional<Kind> best;
  int best_known = 0;
  bool best_complete = false;
  for (int i = 0; i < kKinds; ++i) {
    auto kind = static_cast<Kind>(i);
    const KindSchema& schema = mapping.Of(kind);
    for (const auto& headers : rows) {
      int known = CountKnownHeaders(schema, headers);
      // A file with a fixed scheme lacks the column; a list without states is none of enrolments.
      bool complete = HasRequired(schema, headers, true);
      if (known > 0 && std::pair(complete, known) > std::pair(best_complete, best_known)) {
        best = kind;
        best_known = known;
        best_complete = complete;
      }
    }
  }
  if (best && best_complete) return *best;
  return Fail(
      Error{ErrorClass::kInput, kErrKindNotGuessed,
            Msg("从表头看不出文件的种类{0}", "the headers do not tell the kind of the file{0}",
                best ? fmt::format(" ({}?)", KindName(*best)) : std::string()),
            Msg("请核对表头（docs/formats/delivery.md），或通过清单检查",
                "check the headers (docs/formats/delivery.md), or inspect it through a manifest"),
            path, 0, 0});
}

Result<std::vector<std::vector<std::string>>> HeaderCandidates(const std::string& path,
                                                               const SourceMapping& mapping) {
  std::vector<std::vector<std::string>> rows;
  if (FileTypeOf(path) == FileType::kText) {
    CANBAO_ASSIGN(FileBegin begin, ReadBegin(path));
    auto format = DetectTextFormat(path, begin.view(), begin.whole, "", [&](const auto& headers) {
      rows.push_back(headers);
      int best = 0;
      for (int i = 0; i < kKinds; ++i) {
        best = std::max(best, CountKnownHeaders(mapping.Of(static_cast<Kind>(i)), headers));
      }
      return best;
    });
    if (!format) return Fail(std::move(format.error()));
    return rows;
  }
  CANBAO_ASSIGN(auto source, OpenTableSource(path, ""));
  TableChunk chunk;
  int sheet = -1;
  for (;;) {
    CANBAO_ASSIGN(bool more, source->Next(static_cast<size_t>(kHeaderRows), &chunk));
    if (!more) return rows;
    if (chunk.sheet == sheet) continue;
    sheet = chunk.sheet;
    for (size_t r = 0; r < chunk.rows.size() && r < static_cast<size_t>(kHeaderRows); ++r) {
      auto cells = chunk.CellsOf(chunk.rows[r]);
      rows.emplace_back(cells.begin(), cells.end());
    }
    source->SkipSheet();
  }
}

struct Policy {
  std::shared_ptr<const Mappings> mappings;
  std::unique_ptr<KnownDivisions> divisions;
};
Result<Policy> LoadPolicy(const std::string& data_dir, const std::string& own_mappings) {
  Policy policy;
  CANBAO_ASSIGN(policy.mappings, Mappings::Load(data_dir, own_mappings));
  CANBAO_ASSIGN(identity::DivisionTable table, identity::DivisionTable::Load(data_dir));
  policy.divisions = std::make_unique<KnownDivisions>(std::move(table));
  return policy;
}

Status CheckType(const std::string& path) {
  if (FileTypeOf(path) != FileType::kUnknown) return {};
  return Fail(Error{ErrorClass::kInput, kErrFileType,
                    Msg("不支持这种文件类型", "files of this type are not read"),
                    Msg("可用：.csv .txt .tsv（可加 .gz、.zst）、.xlsx、.xls、.dbf",
                        "accepted: .csv .txt .tsv (with .gz or .zst), .xlsx, .xls, .dbf"),
                    path, 0, 0});
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

Result<FileProfile> InspectFile(const std::string& path, const std::string& data_dir,
                                const InspectOptions& options) {
  CANBAO_TRY(CheckType(path));
  CANBAO_ASSIGN(Policy policy, LoadPolicy(data_dir, options.own_mappings));
  auto mapping = policy.mappings->For("");
  CANBAO_ASSIGN(auto rows, HeaderCandidates(path, *mapping));
  ExtractSpec spec;
  spec.file = path;
  spec.path = path;
  CANBAO_ASSIGN(spec.kind, GuessKind(path, *mapping, rows));
  // Without a manifest nobody says the scheme of a file that has no such column; any will do here.
  const KindSchema& schema = mapping->Of(spec.kind);
  bool scheme_column = std::any_of(rows.begin(), rows.end(), [&](const auto& headers) {
    return HasRequired(schema, headers, false);
  });
  if (!scheme_column) spec.scheme = 110;
  FileProfile profile = Inspector(spec, mapping, std::move(policy.divisions), options).Run();
  profile.kind_guessed = true;
  return profile;
}

Result<FileProfile> InspectExtract(const ExtractSpec& spec, const std::string& data_dir,
                                   const InspectOptions& options) {
  CANBAO_TRY(CheckType(spec.path));
  CANBAO_ASSIGN(Policy policy, LoadPolicy(data_dir, options.own_mappings));
  return Inspector(spec, policy.mappings->For(spec.source), std::move(policy.divisions), options)
      .Run();
}

std::string ProfileText(const FileProfile& p, Lang lang) {
  auto say = [&](const Text& text) { return text.In(lang); };
  std::string out = p.file + "\n";
  std::string kind = lang == Lang::kZh ? std::string(KindNameZh(p.kind)) + " " : "";
  kind += KindName(p.kind);
  out += say(Msg("  种类 {0}{1}", "  kind {0}{1}", kind,
                 p.kind_guessed ? say(Msg("（由表头推断）", " (guessed from the headers)"))
                                : std::string())) +
         "\n";
  if (!p.encoding.empty()) {
    std::string delimiter = p.delimiter == '\t' ? "TAB" : std::string(1, p.delimiter);
    out +=
        say(Msg("  编码 {0}，分隔符 {1}", "  encoding {0}, delimiter {1}", p.encoding, delimiter)) +
        "\n";
  }
  out += say(Msg("  {0} 字节，表头在第 {1} 行，{2} 行数据，其中拒收 {3} 行",
                 "  {0} bytes, header in line {1}, {2} rows, {3} of them rejected", p.bytes,
                 p.header_line, p.rows, p.rejected)) +
         "\n";
  if (!p.sha256.empty()) out += "  SHA-256 " + p.sha256 + "\n";
  if (p.refused) {
    out += say(Msg("  将被拒收：{0} {1}", "  would be refused: {0} {1}", p.refused->code,
                   p.refused->message.In(lang))) +
           "\n";
  }
  if (!p.columns.empty()) {
    out += say(Msg("  列：表头 → 字段，空值，无法识别，不同值（约），样例",
                   "  columns: header → field, empty, bad, distinct (about), samples")) +
           "\n";
  }
  for (size_t i = 0; i < p.columns.size(); ++i) {
    const ColumnProfile& c = p.columns[i];
    std::string field =
        c.field.empty() ? say(Msg("（未读取）", "(unread)")) : c.field + (c.required ? "*" : "");
    out += fmt::format("  {:>3} {} → {}  {}  {}  {}  {}", i + 1, c.header, field, c.empty, c.bad,
                       c.distinct, Joined(c.samples));
    if (!c.bad_samples.empty()) out += say(Msg("；异常：{0}", "; bad: {0}", Joined(c.bad_samples)));
    out += "\n";
  }
  if (!p.missing.empty()) {
    out +=
        say(Msg("  没有的字段：{0}", "  fields without a column: {0}", Joined(p.missing))) + "\n";
  }
  if (p.unmapped_states > 0) {
    out += say(Msg("  未映射的参保状态 {0} 行（AAC008/AAC031/AAE116）：{1}",
                   "  unmapped states in {0} rows (AAC008/AAC031/AAE116): {1}", p.unmapped_states,
                   Joined(p.state_texts))) +
           "\n";
  }
  for (const BadRow& row : p.bad_rows) {
    std::string where = row.field.empty() ? "" : " " + row.field;
    std::string line =
        row.sheet > 0 ? fmt::format("{}!{}", row.sheet + 1, row.line) : std::to_string(row.line);
    out += say(Msg("  第 {0} 行 {1}{2}：{3}", "  line {0} {1}{2}: {3}", line, row.reason, where,
                   row.text)) +
           "\n";
  }
  return out;
}

std::string ProfileJson(const FileProfile& p) {
  namespace json = boost::json;
  auto list = [](const std::vector<std::string>& words) {
    return json::array(words.begin(), words.end());
  };
  json::object out;
  out["file"] = p.file;
  out["kind"] = std::string(KindName(p.kind));
  out["kind_guessed"] = p.kind_guessed;
  out["encoding"] = p.encoding.empty() ? json::value(nullptr) : json::value(p.encoding);
  out["delimiter"] =
      p.encoding.empty() ? json::value(nullptr) : json::value(std::string(1, p.delimiter));
  out["bytes"] = p.bytes;
  out["sha256"] = p.sha256;
  out["header_line"] = p.header_line;
  out["rows"] = p.rows;
  out["rejected"] = p.rejected;
  out["unmapped_states"] = p.unmapped_states;
  out["state_texts"] = list(p.state_texts);
  json::array columns;
  for (const ColumnProfile& c : p.columns) {
    json::object column;
    column["header"] = c.header;
    column["field"] = c.field.empty() ? json::value(nullptr) : json::value(c.field);
    column["required"] = c.required;
    column["values"] = c.values;
    column["empty"] = c.empty;
    column["placeholders"] = c.placeholders;
    column["bad"] = c.bad;
    column["distinct"] = c.distinct;
    column["samples"] = list(c.samples);
    column["bad_samples"] = list(c.bad_samples);
    columns.push_back(std::move(column));
  }
  out["columns"] = std::move(columns);
  out["missing_fields"] = list(p.missing);
  json::array rows;
  for (const BadRow& row : p.bad_rows) {
    rows.push_back(json::object{{"line", row.line},
                                {"sheet", row.sheet},
                                {"reason", row.reason},
                                {"column", row.column},
                                {"field", row.field},
                                {"text", row.text}});
  }
  out["bad_rows"] = std::move(rows);
  if (p.refused) {
    out["refused"] = json::object{{"code", p.refused->code},
                                  {"message_zh", p.refused->message.zh},
                                  {"message_en", p.refused->message.en},
                                  {"line", p.refused->line}};
  } else {
    out["refused"] = nullptr;
  }
  return json::serialize(out);
}

}  // namespace canbao::extract
