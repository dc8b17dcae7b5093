#include "comparison/run.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <chrono>
#include <numeric>
#include <set>

#include "base/digest.h"
#include "base/file.h"
#include "comparison/link/score_table.h"
#include "comparison/manifest.h"
#include "comparison/outcome_tables.h"
#include "comparison/run_key.h"
#include "extract/mapping/mappings.h"

namespace canbao::comparison {
namespace {

using extract::Delivery;
using extract::ExtractAccount;
using extract::ExtractSpec;
using extract::Kind;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Below the data folder: what a run leaves while it is not finished.
constexpr const char* kWorkFolder = "work";

// Partitions of about this many bytes of input: the table of one fits the second-level cache.
constexpr uint64_t kInputPerPartition = 2u << 20;

struct InputFile {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};

InputFile StatOf(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return {};
  return {static_cast<uint64_t>(st.st_size), st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec};
}

// Input in bytes of text: a function of the files alone, so that partitions do not depend on the
// machine.
uint64_t TextBytes(const Delivery& d) {
  uint64_t n = 0;
  for (const ExtractSpec& e : d.extracts) {
    uint64_t size = StatOf(e.path).size;
    bool packed = e.file.ends_with(".gz") || e.file.ends_with(".zst");
    n += packed ? size * 5 : size;
  }
  return n;
}

std::string Fingerprint(const Delivery& d, const CompareOptions& o, const std::string& rules) {
  std::string text = fmt::format("1|{}|{}|{}|{}|{}|{}\n", d.province, d.cutoff.ToIso(), o.outcomes,
                                 o.partitions, rules, o.previous_run);
  for (const ExtractSpec& e : d.extracts) {
    InputFile f = StatOf(e.path);
    text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", e.path, static_cast<int>(e.kind),
                        e.source, static_cast<int>(e.stage), e.region, e.scheme, e.encoding, e.rows,
                        e.sha256, f.size, f.mtime_ns);
  }
  return Sha256Hex(text).substr(0, 16);
}

// The canonical order (rules.md §3): stage, source, digest; equal content by name.
std::vector<uint16_t> CanonicalOrder(const Delivery& d,
                                     const std::vector<ExtractAccount>& accounts) {
  std::vector<size_t> order(d.extracts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const ExtractSpec& x = d.extracts[a];
    const ExtractSpec& y = d.extracts[b];
    return std::tie(x.stage, x.source, accounts[a].digest, x.file, a) <
           std::tie(y.stage, y.source, accounts[b].digest, y.file, b);
  });
  std::vector<uint16_t> canonical(order.size());
  for (size_t i = 0; i < order.size(); ++i) canonical[order[i]] = static_cast<uint16_t>(i);
  return canonical;
}

std::string RunName(const Delivery& d, const std::vector<ExtractAccount>& accounts,
                    const std::vector<uint16_t>& canonical, const std::string& rules) {
  std::vector<std::string> lines(d.extracts.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const ExtractSpec& e = d.extracts[i];
    lines[canonical[i]] =
        fmt::format("{}|{}|{}|{}|{}|{}|{}\n", static_cast<int>(e.stage), e.source,
                    accounts[i].digest, extract::KindName(e.kind), e.region, e.scheme, e.delta);
  }
  std::string text = fmt::format("canbao run 1|{}|{}|{}\n", d.province, d.cutoff.ToIso(), rules);
  for (const std::string& line : lines) text += line;
  return Sha256Hex(text).substr(0, 16);
}

// What reading left behind, in memory or from the checkpoint.
struct ReadState {
  std::vector<ExtractAccount> accounts;
  std::vector<uint32_t> max_lines;
  std::vector<Population> population;
  std::unique_ptr<Spill> keyed;
  std::unique_ptr<Spill> unkeyed;
  std::unique_ptr<Spill> rejects;
  uint64_t highest = 0;  // person key of the previous run
};

// What was recorded of divisions up to the cut-off's year; a later change is nothing to this run.
Result<std::vector<identity::DivisionChange>> ChangesUpTo(const std::string& path, Date cutoff) {
  if (!FileExists(path)) return std::vector<identity::DivisionChange>();
  CANBAO_ASSIGN(std::string csv, ReadWholeFile(path));
  CANBAO_ASSIGN(auto changes, identity::ParseDivisionChanges(csv, path));
  std::erase_if(changes, [&](const auto& c) { return c.date.year() > cutoff.year(); });
  return changes;
}

class Run {
 public:
  Run(const CompareOptions& options, Delivery delivery)
      : options_(options), delivery_(std::move(delivery)) {}

  Result<CompareResult> Execute();

 private:
  Status ReadDivisionChanges();
  Status Read();
  Status ReadFiles();
  bool Resume();
  Status AddMasters();
  Status WriteRejects(const std::vector<const ExtractSpec*>& by_ordinal);
  Status WriteFigures();
  Status WriteLinks(Spill* links, const std::vector<uint32_t>& base);
  Status Account();
  std::string ResultDigest() const;
  std::string Work(std::string_view name) const { return fmt::format("{}/{}", work_, name); }
  void Report(Phase phase, uint64_t done, uint64_t total) const {
    if (options_.progress) options_.progress(phase, done, total);
  }

  const CompareOptions& options_;
  Delivery delivery_;
  std::string work_;
  std::string fingerprint_;
  uint32_t partitions_ = 0;
  bool persisted_ = false;  // what was read is on disk, for a later process too
  ReadState state_;
  std::vector<uint16_t> canonical_;
  std::vector<identity::DivisionChange> division_changes_;
  CompareResult result_;
};

Status Run::ReadDivisionChanges() {
  CANBAO_ASSIGN(division_changes_,
                ChangesUpTo(options_.state_dir + "/divisions/changes.csv", delivery_.cutoff));
  if (!division_changes_.empty()) {
    result_.rules +=
        ";divisions " + Sha256Hex(identity::WriteDivisionChanges(division_changes_)).substr(0, 16);
  }
  return {};
}

Result<CompareResult> Run::Execute() {
  CANBAO_ASSIGN(scheme::RulesPtr rules,
                scheme::LoadRules(options_.data_dir, delivery_.province, delivery_.cutoff));
  result_.province = delivery_.province;
  result_.cutoff = delivery_.cutoff;
  CANBAO_ASSIGN(std::shared_ptr<const LinkModel> model,
                LinkModel::Load(options_.data_dir, delivery_.cutoff));
  CANBAO_ASSIGN(std::vector<Decision> decisions, ReadDecisions(options_.state_dir));
  const Labels labels(decisions);
  result_.rules = scheme::VersionOf(*rules) + ";" + model->version;
  if (!labels.empty()) result_.rules += ";decisions " + labels.digest();
  if (!options_.cases.empty()) result_.rules += ";cases " + options_.cases.digest();
  CANBAO_TRY(ReadDivisionChanges());
  delivery_.own_mappings = options_.state_dir + "/mappings";
  CANBAO_ASSIGN(std::string mappings, extract::Mappings::OwnDigest(delivery_.own_mappings));
  if (!mappings.empty()) result_.rules += ";mappings " + mappings;
  fingerprint_ = Fingerprint(delivery_, options_, result_.rules);
  work_ = fmt::format("{}/{}/{}", options_.state_dir, kWorkFolder, fingerprint_);
  CANBAO_TRY(MakeFolders(work_, 0700));
  CANBAO_TRY(MakeFolders(options_.state_dir + "/keys", 0700));
  CANBAO_ASSIGN(result_.key,
                LoadOrMakeKey(fmt::format("{}/keys/{}.key", options_.state_dir, fingerprint_)));
  partitions_ =
      options_.partitions != 0
          ? options_.partitions
          : static_cast<uint32_t>(std::clamp<uint64_t>(
                std::bit_ceil(TextBytes(delivery_) / kInputPerPartition + 1), kShards, 4096));

  double t = Now();
  CANBAO_TRY(Read());
  result_.seconds[0] = Now() - t;
  canonical_ = CanonicalOrder(delivery_, state_.accounts);
  result_.run = RunName(delivery_, state_.accounts, canonical_, result_.rules);
  result_.folder = fmt::format("{}/runs/{}", options_.state_dir, result_.run);
  for (size_t i = 0; i < delivery_.extracts.size(); ++i) {
    ExtractResult e;
    e.spec = delivery_.extracts[i];
    e.account = state_.accounts[i];
    e.ordinal = canonical_[i];
    result_.settlements |= e.spec.kind == Kind::kMedicalSettlement;
    result_.extracts.push_back(std::move(e));
  }
  // A run that the register holds is made again only for its links, which are not kept.
  result_.unchanged = options_.is_known && options_.is_known(result_.run);
  if (result_.unchanged && options_.links_path.empty()) {
    CANBAO_TRY(RemoveTree(work_));
    return result_;
  }
  bool write_outcomes = options_.outcomes && !result_.unchanged;

  size_t n = delivery_.extracts.size();
  std::vector<const ExtractSpec*> by_ordinal(n);
  std::vector<ExtractSpec> specs(n);
  std::vector<uint32_t> max_lines(n);
  for (size_t i = 0; i < n; ++i) {
    by_ordinal[canonical_[i]] = &delivery_.extracts[i];
    specs[canonical_[i]] = delivery_.extracts[i];
    max_lines[canonical_[i]] = state_.max_lines[i];
  }

  t = Now();
  Report(Phase::kLink, 0, 1);
  CANBAO_ASSIGN(std::unique_ptr<Spill> joined,
                Spill::Create(Work("joined.spill"), partitions_, options_.threads,
                              options_.memory / 8, result_.key));
  // Person keys are made for those who will see them: the register and the list of links.
  bool number_persons = write_outcomes || !options_.links_path.empty();
  PersonNumbering numbering(number_persons ? max_lines : std::vector<uint32_t>{}, state_.highest);
  const std::string finished = Work("out");
  const std::string out = write_outcomes ? finished : std::string();
  CANBAO_TRY(RemoveTree(finished));
  CANBAO_TRY(MakeFolders(finished, 0700));
  CANBAO_ASSIGN(result_.repair,
                RunLinkStage(LinkInputs{state_.keyed.get(), state_.unkeyed.get(), joined.get(),
                                        &canonical_, &specs, result_.key, options_.threads,
                                        options_.cancel, number_persons, model.get(), &labels,
                                        result_.unchanged ? std::string() : ScoresPath(finished)},
                             &numbering));
  result_.seconds[1] = Now() - t;

  t = Now();
  std::unique_ptr<Spill> links;
  std::vector<uint32_t> link_base(n);
  if (!options_.links_path.empty()) {
    uint32_t parts = 0;
    for (size_t e = 0; e < n; ++e) {
      link_base[e] = parts;
      parts += (max_lines[e] >> 20) + 1;
    }
    CANBAO_ASSIGN(links, Spill::Create(Work("links.spill"), std::max(parts, 1u), options_.threads,
                                       options_.memory / 8, result_.key));
  }
  OutcomeInputs in;
  in.keyed = state_.keyed.get();
  in.joined = joined.get();
  in.links = links.get();
  in.link_base = &link_base;
  in.canonical = &canonical_;
  in.extracts = &specs;
  in.numbering = number_persons ? &numbering : nullptr;
  in.moved = result_.repair.moved.empty() ? nullptr : &result_.repair.moved;
  in.cases = options_.cases.empty() || !number_persons ? nullptr : &options_.cases;
  in.rules = rules.get();
  in.cutoff = delivery_.cutoff;
  in.folder = out;
  in.key = result_.key;
  in.threads = options_.threads;
  in.cancel = options_.cancel;
  in.progress = [this](uint64_t done, uint64_t total) { Report(Phase::kOutcome, done, total); };
  CANBAO_ASSIGN(OutcomeCounts counts, RunOutcomeStage(in));
  result_.figures = std::move(counts.figures);
  result_.tables = std::move(counts.tables);
  if (result_.repair.scores.rows > 0) result_.tables["score"] = result_.repair.scores;
  result_.discrepancies = counts.discrepancies;
  result_.persons = counts.persons;
  result_.highest_key = state_.highest + counts.new_persons;
  result_.population = state_.population;
  for (ExtractResult& e : result_.extracts) e.outcomes = counts.outcomes[e.ordinal];
  CANBAO_TRY(Account());
  result_.spilled_bytes =
      state_.keyed->spilled_bytes() + state_.unkeyed->spilled_bytes() + joined->spilled_bytes();
  if (write_outcomes) {
    CANBAO_TRY(WriteRejects(by_ordinal));
    CANBAO_TRY(WriteFigures());
  }
  if (links != nullptr) {
    CANBAO_TRY(links->Seal(false));
    CANBAO_TRY(WriteLinks(links.get(), link_base));
  }
  result_.result_digest = ResultDigest();
  result_.seconds[2] = Now() - t;

  if (result_.unchanged) {
    CANBAO_TRY(RemoveTree(work_));
    return result_;
  }

  // The finished run appears under its name by one rename; a crash before leaves the checkpoint.
  std::string manifest = ManifestOf(result_, fingerprint_);
  CANBAO_TRY(WriteFileAtomic(finished + "/manifest.json", manifest, 0600));
  CANBAO_TRY(MakeFolders(options_.state_dir + "/runs", 0700));
  CANBAO_TRY(RemoveTree(result_.folder));
  CANBAO_TRY(RenameDurably(finished, result_.folder));
  state_ = ReadState{};
  joined.reset();
  links.reset();
  CANBAO_TRY(RemoveTree(work_));
  return result_;
}

Status Run::Read() {
  if (Resume()) return {};
  CANBAO_TRY(ReadFiles());
  if (!persisted_) return {};
  return WriteFileAtomic(
      Work("read.json"),
      CheckpointOf(state_.accounts, state_.max_lines, state_.population, state_.highest), 0600);
}

// Takes the state of an earlier process over when all of it is there; anything else starts anew.
bool Run::Resume() {
  auto text = ReadWholeFile(Work("read.json"));
  if (!text) return false;
  if (!ParseCheckpoint(*text, &state_.accounts, &state_.max_lines, &state_.population,
                       &state_.highest) ||
      state_.accounts.size() != delivery_.extracts.size()) {
    return false;
  }
  auto keyed = Spill::Open(Work("keyed.spill"));
  auto unkeyed = Spill::Open(Work("unkeyed.spill"));
  auto rejects = Spill::Open(Work("rejects.spill"));
  if (!keyed || !unkeyed || !rejects || (*keyed)->partitions() != partitions_) return false;
  state_.keyed = std::move(*keyed);
  state_.unkeyed = std::move(*unkeyed);
  state_.rejects = std::move(*rejects);
  return true;
}

Status Run::ReadFiles() {
  state_ = ReadState{};
  // Four threads over two cores keep the disk busy while others parse; the results do not depend on
  // it.
  int workers = options_.threads;
  CANBAO_ASSIGN(state_.keyed, Spill::Create(Work("keyed.spill"), partitions_, workers,
                                            options_.memory / 8 * 5, result_.key));
  CANBAO_ASSIGN(state_.unkeyed, Spill::Create(Work("unkeyed.spill"), partitions_, workers,
                                              options_.memory / 16, result_.key));
  CANBAO_ASSIGN(state_.rejects,
                Spill::Create(Work("rejects.spill"), kRejectPartitions, workers,
                              std::min<uint64_t>(options_.memory / 64, 16u << 20), result_.key));
  CANBAO_TRY(AddMasters());

  extract::ReadOptions read;
  read.threads = workers;
  read.today = Date::Today();
  read.division_changes = division_changes_;
  read.cancel = options_.cancel;
  read.sha256 = options_.outcomes;  // the register keeps it
  EmployerTable employers;
  std::vector<size_t> of_employers;
  std::vector<size_t> others;
  for (size_t i = 0; i < delivery_.extracts.size(); ++i) {
    (delivery_.extracts[i].kind == Kind::kEmployer ? of_employers : others).push_back(i);
  }
  PartitionOptions po{workers, options_.outcomes, read.today};
  state_.accounts.resize(delivery_.extracts.size());
  // Employers first: rows refer to them.
  CANBAO_ASSIGN(
      std::vector<ExtractAccount> first,
      extract::ReadExtracts(delivery_, of_employers, options_.data_dir, &employers, read));
  for (size_t i = 0; i < of_employers.size(); ++i) state_.accounts[of_employers[i]] = first[i];
  std::vector<size_t> changes;
  for (size_t i : others) {
    if (delivery_.extracts[i].delta) changes.push_back(i);
  }
  DeltaIndex deltas(delivery_.extracts);
  CANBAO_ASSIGN(std::vector<ExtractAccount> ignored,
                extract::ReadExtracts(delivery_, changes, options_.data_dir, &deltas, read));
  PartitionStage stage(delivery_.extracts, employers, deltas, state_.keyed.get(),
                       state_.unkeyed.get(), state_.rejects.get(), po);
  read.progress = [this](uint64_t done, uint64_t total) { Report(Phase::kRead, done, total); };
  CANBAO_ASSIGN(std::vector<ExtractAccount> rest,
                extract::ReadExtracts(delivery_, others, options_.data_dir, &stage, read));
  for (size_t i = 0; i < others.size(); ++i) state_.accounts[others[i]] = rest[i];
  state_.max_lines = stage.MaxLines();
  state_.population = stage.TakePopulation();
  // A checkpoint is worth its writing when most of it is on disk anyway: an input that fits the
  // budget is read again in seconds.
  persisted_ = state_.keyed->MostlySpilled();
  CANBAO_TRY(state_.keyed->Seal(persisted_));
  CANBAO_TRY(state_.unkeyed->Seal(persisted_));
  return state_.rejects->Seal(persisted_);
}

Status Run::AddMasters() {
  if (options_.previous_run.empty()) return {};
  CANBAO_ASSIGN(std::string text, ReadWholeFile(options_.previous_run + "/manifest.json"));
  CANBAO_ASSIGN(PreviousRun previous, ParsePrevious(text));
  state_.highest = previous.highest_key;
  CANBAO_ASSIGN(RunKey key, LoadOrMakeKey(fmt::format("{}/keys/{}.key", options_.state_dir,
                                                      previous.fingerprint)));
  uint32_t shift = ShiftFor(partitions_);
  std::vector<uint8_t> record;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    CANBAO_ASSIGN(auto reader,
                  RowFileReader::Open(
                      fmt::format("{}/master.{:02}.rows", options_.previous_run, shard), key));
    CANBAO_TRY(reader->EachRow([&](RowCursor& c) -> Result<bool> {
      uint64_t number = c.U64();
      uint64_t person = c.U64();
      size_t size = EncodeMaster(number, person, &record);
      Spill* to = IsProvisionalKey(number) ? state_.unkeyed.get() : state_.keyed.get();
      CANBAO_TRY(to->Append(0, PartitionOf(number, shift), record.data(), size));
      return true;
    }));
  }
  return {};
}

Status Run::WriteRejects(const std::vector<const ExtractSpec*>& by_ordinal) {
  struct Item {
    uint16_t extract;
    uint32_t line;
    const char* p;
  };
  // In shards like every table; the extract decides, so that order within a shard is that of lines.
  std::vector<std::unique_ptr<RowFileWriter>> shards(kShards);
  for (uint32_t i = 0; i < kShards; ++i) {
    CANBAO_ASSIGN(shards[i], RowFileWriter::Create(Work(fmt::format("out/reject.{:02}.rows", i)),
                                                   RejectSchema(), result_.key));
  }
  StreamCipher cipher(result_.key);
  std::vector<std::vector<char>> buffers(kRejectPartitions);
  std::vector<Item> items;
  for (uint32_t p = 0; p < kRejectPartitions; ++p) {
    CANBAO_TRY(state_.rejects->ReadPartition(p, &cipher, &buffers[p]));
    const char* at = buffers[p].data();
    const char* end = at + buffers[p].size();
    while (at < end) {
      Item item{};
      uint16_t field = 0;
      uint32_t text = 0;
      std::memcpy(&item.extract, at, 2);
      std::memcpy(&item.line, at + 2, 4);
      std::memcpy(&field, at + 9, 2);
      std::memcpy(&text, at + 11, 4);
      item.extract = canonical_[item.extract];
      item.p = at;
      items.push_back(item);
      at += 15 + field + text;
    }
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tie(a.extract, a.line) < std::tie(b.extract, b.line);
  });
  for (const Item& item : items) {
    uint16_t column = 0;
    uint16_t field = 0;
    uint32_t text = 0;
    std::memcpy(&column, item.p + 7, 2);
    std::memcpy(&field, item.p + 9, 2);
    std::memcpy(&text, item.p + 11, 4);
    RowFileWriter* writer = shards[item.extract % kShards].get();
    writer->U64(RowRef(item.extract, item.line, IsWorkbook(*by_ordinal[item.extract])));
    writer->U8(static_cast<uint8_t>(item.p[6]));
    writer->U16(column);
    writer->Text({item.p + 15, field});
    writer->Text({item.p + 15 + field, text});
    CANBAO_TRY(writer->EndRow());
  }
  Sha256 all;
  TableDigest& digest = result_.tables["reject"];
  for (auto& shard : shards) {
    CANBAO_TRY(shard->Finish());
    digest.rows += shard->rows();
    all.Update(shard->plain_sha256());
  }
  digest.sha256 = all.FinishHex();
  return {};
}

Status Run::WriteFigures() {
  CANBAO_ASSIGN(auto writer,
                RowFileWriter::Create(Work("out/figure.00.rows"), FigureSchema(), result_.key));
  for (const auto& [k, count] : result_.figures) {
    writer->U32(k.county);
    writer->U32(k.city);
    writer->U8(k.hukou);
    writer->U8(k.form);
    writer->U8(k.column);
    writer->U64(count);
    CANBAO_TRY(writer->EndRow());
  }
  CANBAO_TRY(writer->Finish());
  result_.tables["figure"] = {writer->rows(), writer->plain_sha256()};
  return {};
}

Status Run::WriteLinks(Spill* links, const std::vector<uint32_t>& base) {
  // Written beside the target and renamed: a reader never sees half of it.
  std::string temporary = options_.links_path + ".part";
  CANBAO_ASSIGN(Fd fd, OpenForWrite(temporary, 0600));
  std::string out = "file,line,person,outcome\n";
  StreamCipher cipher(result_.key);
  std::vector<char> buffer;
  struct Item {
    uint32_t line;
    uint8_t outcome;
    uint64_t person;
  };
  std::vector<Item> items;
  for (const ExtractResult& e : result_.extracts) {
    if (extract::IsReference(e.spec.kind)) continue;
    std::string file = e.spec.file;
    if (file.find_first_of(",\"\n") != std::string::npos) {
      std::string quoted = "\"";
      for (char c : file) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
      file = quoted + "\"";
    }
    bool workbook = IsWorkbook(e.spec);
    uint32_t end = static_cast<size_t>(e.ordinal) + 1 < base.size() ? base[e.ordinal + 1u]
                                                                    : links->partitions();
    for (uint32_t p = base[e.ordinal]; p < end; ++p) {
      CANBAO_TRY(links->ReadPartition(p, &cipher, &buffer));
      items.clear();
      for (size_t at = 0; at + 15 <= buffer.size(); at += 15) {
        Item item{};
        std::memcpy(&item.line, buffer.data() + at + 2, 4);
        std::memcpy(&item.person, buffer.data() + at + 6, 8);
        item.outcome = static_cast<uint8_t>(buffer[at + 14]);
        items.push_back(item);
      }
      std::sort(items.begin(), items.end(),
                [](const Item& a, const Item& b) { return a.line < b.line; });
      for (const Item& item : items) {
        uint32_t line = workbook ? item.line & 0xFFFFFF : item.line;
        fmt::format_to(std::back_inserter(out), "{},{},{},{}\n", file, line,
                       item.person == 0 ? std::string() : std::to_string(item.person),
                       OutcomeName(static_cast<Outcome>(item.outcome)));
        if (out.size() > (1u << 20)) {
          CANBAO_TRY(WriteAll(fd.get(), out, temporary));
          out.clear();
        }
      }
    }
  }
  CANBAO_TRY(WriteAll(fd.get(), out, temporary));
  CANBAO_TRY(SyncFile(fd.get(), temporary));
  return RenameDurably(temporary, options_.links_path);
}

// rows in = linked + unlinked + rejected (+ reference); anything else is our mistake.
Status Run::Account() {
  for (ExtractResult& e : result_.extracts) {
    auto of = [&e](Outcome o) { return e.outcomes[static_cast<size_t>(o)]; };
    e.linked = of(Outcome::kBaseline) + of(Outcome::kExact) + of(Outcome::kNameVariant) +
               of(Outcome::kRepaired) + of(Outcome::kProbable);
    // Two register rows of two people under one number conflict, and stay the register's own.
    if (e.spec.kind == Kind::kHouseholdRegister) e.linked += of(Outcome::kConflict);
    e.unlinked = of(Outcome::kUnlinked) +
                 (e.spec.kind == Kind::kHouseholdRegister ? 0 : of(Outcome::kConflict));
    e.reference = extract::IsReference(e.spec.kind) ? e.account.accepted : of(Outcome::kSuperseded);
    if (e.account.rows_in != e.linked + e.unlinked + e.reference + e.account.rejected) {
      return Fail(
          Error{ErrorClass::kInternal, "CB-COMPARISON-0007",
                Msg("行数不平衡：读入 {0}，关联 {1}，未关联 {2}，参考 {3}，拒绝 {4}",
                    "rows do not balance: in {0}, linked {1}, unlinked {2}, reference {3}, "
                    "rejected {4}",
                    e.account.rows_in, e.linked, e.unlinked, e.reference, e.account.rejected),
                Text{"请保留工作目录并报告此错误。", "keep the work folder and report this."},
                e.spec.file, 0, 0});
    }
  }
  return {};
}

std::string Run::ResultDigest() const {
  std::string text = result_.run + "\n";
  std::vector<const ExtractResult*> order(result_.extracts.size());
  for (const ExtractResult& e : result_.extracts) order[e.ordinal] = &e;
  for (const ExtractResult* e : order) {
    text += fmt::format("{} {} {}\n", e->account.digest, e->account.rows_in, e->account.rejected);
    for (uint64_t n : e->outcomes) text += fmt::format("{} ", n);
  }
  for (const auto& [k, n] : result_.figures) {
    text += fmt::format("{} {} {} {} {} {}\n", k.county, k.city, k.hukou, k.form, k.column, n);
  }
  for (const auto& [name, t] : result_.tables) {
    text += fmt::format("{} {} {}\n", name, t.rows, t.sha256);
  }
  return Sha256Hex(text);
}

}  // namespace

Result<Delivery> Combine(const std::vector<Delivery>& deliveries) {
  Delivery all = deliveries.front();
  for (const Delivery& d : deliveries) {
    if (d.province != all.province) {
      return Fail(Error{
          ErrorClass::kInput, "CB-COMPARISON-0008",
          Msg("各批数据的填报单位不同：{0} 与 {1}",
              "deliveries of different reporting units: {0} and {1}", all.province, d.province),
          Text{"请分别比对。", "compare them apart."}, d.folder, 0, 0});
    }
    if (d.cutoff > all.cutoff) {
      all.cutoff = d.cutoff;
      all.made_at = d.made_at;
    }
  }
  // A full list replaces every older list of its source and kind.
  std::vector<const Delivery*> order;
  for (const Delivery& d : deliveries) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(),
                   [](const Delivery* a, const Delivery* b) { return a->cutoff > b->cutoff; });
  all.extracts.clear();
  std::set<std::pair<std::string, Kind>> listed;
  std::vector<std::vector<ExtractSpec>> kept;
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    std::vector<ExtractSpec> here;
    std::set<std::pair<std::string, Kind>> here_listed;
    for (; j < order.size() && order[j]->cutoff == order[i]->cutoff; ++j) {
      for (const ExtractSpec& e : order[j]->extracts) {
        if (listed.contains({e.source, e.kind})) continue;
        here.push_back(e);
        if (!e.delta) here_listed.insert({e.source, e.kind});
      }
    }
    listed.merge(here_listed);
    kept.push_back(std::move(here));
    i = j;
  }
  for (auto it = kept.rbegin(); it != kept.rend(); ++it) {
    all.extracts.insert(all.extracts.end(), it->begin(), it->end());
  }
  if (all.extracts.size() > UINT16_MAX) {
    return Fail(ErrorClass::kInput, "CB-COMPARISON-0009",
                Msg("一次比对最多 {0} 个文件", "at most {0} files in one comparison", UINT16_MAX));
  }
  return all;
}

Result<CompareResult> RunComparison(const CompareOptions& options) {
  CANBAO_ASSIGN(Delivery delivery, Combine(options.deliveries));
  return Run(options, std::move(delivery)).Execute();
}

}  // namespace canbao::comparison
