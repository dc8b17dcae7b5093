#include "register/load.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "base/interrupt.h"
#include "base/task_pool.h"
#include "register/internal/encoder.h"
#include "register/internal/layout.h"
#include "register/internal/load_lock.h"
#include "register/outcome.h"

namespace canbao::reg {
namespace {

constexpr char kLeafSession[] = "canbao load";
constexpr size_t kSendBytes = 64 * 1024;  // of one bucket, before its buffer is sent

using Clock = std::chrono::steady_clock;
double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string Day(Date d) { return "'" + d.ToIso() + "'::date"; }

std::string LeafName(const TableLayout& table, Date cutoff, int bucket) {
  return table.per_cutoff ? fmt::format("{}_{:08}_{}", table.name, cutoff.yyyymmdd(), bucket)
                          : fmt::format("{}_{}", table.name, bucket);
}

// One load. The control session holds the advisory lock and does what everyone sees; eight leaf
// sessions, one for each bucket, fill what nobody sees yet.
class Loader {
 public:
  Loader(Database& db, const std::string& run_dir, const RunKey& key, const LoadOptions& options)
      : db_(db), run_dir_(run_dir), key_(key), options_(options) {}

  Result<LoadReport> Load() {
    CANBAO_ASSIGN(manifest_, ReadManifest(run_dir_));
    CANBAO_ASSIGN(control_, db_.Connect("canbao load control"));
    CANBAO_TRY(TakeLock());
    CANBAO_TRY(LookAround());
    if (report_.unchanged) return report_;
    CANBAO_TRY(ClearStaging());
    CANBAO_TRY(InternExtracts());
    CANBAO_TRY(OpenLeaves());
    CANBAO_TRY(CopyTables());
    CANBAO_TRY(BuildKeys());
    CANBAO_TRY(CommitLeaves());
    if (!report_.first) CANBAO_TRY(Compare());
    CANBAO_TRY(Apply());
    return report_;
  }

 private:
  bool Cancelled() const {
    return options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed);
  }
  Status CheckCancel() const {
    if (Cancelled()) return Fail(InterruptedError());
    return {};
  }
  void Tell(LoadPhase phase, uint64_t done, uint64_t total) {
    if (!options_.progress) return;
    std::lock_guard guard(progress_mutex_);
    options_.progress(phase, done, total);
  }

  Status TakeLock() {
    CANBAO_ASSIGN(bool locked, TakeLoadLock(*control_, options_.cancel));
    if (!locked) {
      return Fail(
          ErrorClass::kEnvironment, "CB-REGISTER-0507",
          Msg("另一个进程正在向这个数据库装载。", "another process is loading into this database."),
          Msg("请等它结束后再试。", "Wait for it to end and try again."));
    }
    // We hold the lock, so sessions of an earlier load have lost their process.
    return control_->Run(
        fmt::format("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = '{}'",
                    kLeafSession));
  }

  Status LookAround() {
    const std::string cutoff = Day(manifest_.cutoff);
    CANBAO_ASSIGN(Rows current,
                  control_->Exec("SELECT run_id, content_digest, province FROM canbao.run "
                                 "WHERE superseded_by IS NULL AND cutoff = " +
                                 cutoff));
    if (current.size() > 0) {
      report_.run_id = static_cast<int32_t>(current.Int(0, 0));
      if (current.Text(0, 1) == manifest_.ContentDigest()) {
        report_.unchanged = true;
        return {};
      }
      report_.replaced = true;
    }
    CANBAO_ASSIGN(Rows other, control_->Exec("SELECT province FROM canbao.run WHERE province <> $1 "
                                             "LIMIT 1",
                                             {Param(static_cast<int32_t>(manifest_.province))}));
    if (other.size() > 0) {
      return Fail(
          ErrorClass::kInput, "CB-REGISTER-0508",
          Msg("这个数据库属于 {0}，运行属于 {1}。", "this database belongs to {0}, the run to {1}.",
              other.Int(0, 0), manifest_.province),
          Msg("请为每个上报单位使用各自的数据目录。",
              "Use a data folder of its own for each reporting unit."));
    }
    CANBAO_ASSIGN(Rows next, control_->Exec("SELECT coalesce(min(cutoff), 'infinity') "
                                            "FROM canbao.run WHERE superseded_by IS NULL AND "
                                            "cutoff > " +
                                            cutoff));
    next_ = QuoteLiteral(next.Text(0, 0)) + "::date";
    CANBAO_ASSIGN(Rows leaves, control_->Exec("SELECT count(*) FROM pg_inherits "
                                              "WHERE inhparent = 'canbao.person_row'::regclass"));
    report_.first = leaves.Int(0, 0) == 0;
    return {};
  }

  Status ClearStaging() {
    return control_->Run(
        "SET client_min_messages = error; "
        "DROP SCHEMA IF EXISTS canbao_load CASCADE; CREATE SCHEMA canbao_load; "
        "CREATE UNLOGGED TABLE canbao_load.employer (LIKE canbao.employer)");
  }

  // Rows refer to extracts by numbers that outlive the run; a number without a run is harmless.
  Status InternExtracts() {
    context_.cipher = &db_.cipher();
    context_.province = manifest_.province;
    CANBAO_ASSIGN(Transaction t, Transaction::Begin(*control_));
    for (const RunExtract& e : manifest_.extracts) {
      std::vector<Param> params = {Param(e.file),
                                   Param(e.kind),
                                   Param(e.source),
                                   Param(e.stage),
                                   Param(static_cast<int32_t>(e.region)),
                                   Param(e.sha256)};
      auto find = [&]() {
        return control_->Exec(
            "SELECT extract_id FROM canbao.extract WHERE file = $1 AND kind = $2 "
            "AND source = $3 AND stage = $4 AND region = $5 AND sha256 = $6",
            params);
      };
      CANBAO_ASSIGN(Rows id, find());
      if (id.size() == 0) {
        CANBAO_ASSIGN(id, control_->Exec("INSERT INTO canbao.extract (file, kind, source, stage, "
                                         "region, sha256) VALUES ($1, $2, $3, $4, $5, $6) "
                                         "RETURNING extract_id",
                                         params));
      }
      if (context_.extracts.size() <= e.ordinal) context_.extracts.resize(e.ordinal + 1);
      context_.extracts[e.ordinal] = {static_cast<int32_t>(id.Int(0, 0)), e.region};
    }
    return t.Commit();
  }

  Status OpenLeaves() {
    for (int b = 0; b < kBuckets; ++b) {
      CANBAO_ASSIGN(auto c, db_.Connect(kLeafSession));
      // What is committed here is only staged; the last transaction is synced as usual, and with it
      // all before it.
      CANBAO_TRY(c->Run("SET synchronous_commit = off; SET max_parallel_maintenance_workers = 0"));
      CANBAO_TRY(c->Run("BEGIN"));
      leaves_[static_cast<size_t>(b)] = std::move(c);
    }
    return {};
  }

  Connection& Leaf(int bucket) { return *leaves_[static_cast<size_t>(bucket)]; }
  std::string Staged(const TableLayout& t, int bucket) const {
    return "canbao_load." + LeafName(t, manifest_.cutoff, bucket);
  }

  Status CopyTables() {
    auto start = Clock::now();
    for (const TableLayout& t : Layouts()) {
      auto table = manifest_.tables.find(t.source);
      if (table != manifest_.tables.end()) rows_total_ += static_cast<uint64_t>(table->second.rows);
    }
    for (const TableLayout& t : Layouts()) {
      CANBAO_TRY(CopyTable(t));
      CANBAO_TRY(CheckCancel());
    }
    report_.seconds_rows = Since(start);
    return {};
  }

  // What a leaf is made of before its rows come: the table's columns without the last ones,
  // validity.
  Result<std::string> ColumnsBeforeValidity(const TableLayout& t) {
    CANBAO_ASSIGN(
        Rows columns,
        control_->Exec("SELECT string_agg(format('%I %s%s%s', attname, format_type(atttypid, "
                       "atttypmod), CASE WHEN attcollation <> typcollation THEN format(' COLLATE "
                       "%s', attcollation::regcollation) ELSE '' END, "
                       "CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', ' "
                       "ORDER BY attnum) FROM pg_attribute JOIN pg_type t ON t.oid = atttypid "
                       "WHERE attrelid = $1::text::regclass "
                       "AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('valid_from', "
                       "'valid_to')",
                       {Param(std::string("canbao.") + t.name)}));
    return std::string(columns.Text(0, 0));
  }

  static bool IsValidity(const LayoutColumn& c) {
    return c.form == Form::kValidFrom || c.form == Form::kValidTo;
  }

  Status BeginCopy(const TableLayout& t, const std::string& columns, int bucket) {
    Connection& c = Leaf(bucket);
    std::string checks = fmt::format("CONSTRAINT in_bucket CHECK (bucket = {})", bucket);
    if (t.per_cutoff) {
      checks += fmt::format(", CONSTRAINT at_cutoff CHECK (cutoff = {})", Day(manifest_.cutoff));
    }
    // What is the same in every row of the leaf is not sent: a default costs a third of a field.
    // The last columns, validity, are not even stored with the rows: added behind the copy, they
    // are one default in the catalogue until a row is changed.
    std::string sent, defaults, later, no_defaults;
    for (const LayoutColumn& column : t.columns) {
      std::string value = SameInAllRows(column.form, bucket);
      auto add = [&](std::string& list, const std::string& text) {
        list += (list.empty() ? "" : ", ") + text;
      };
      if (value.empty()) {
        add(sent, fmt::format("\"{}\"", column.name));
        continue;
      }
      if (IsValidity(column)) {
        add(later, fmt::format("ADD \"{}\" date NOT NULL DEFAULT {}", column.name, value));
      } else {
        add(defaults, fmt::format("ALTER \"{}\" SET DEFAULT {}", column.name, value));
      }
      add(no_defaults, fmt::format("ALTER \"{}\" DROP DEFAULT", column.name));
    }
    // The CHECKs are what attaching would otherwise scan the leaf for.
    CANBAO_TRY(c.Run(fmt::format("CREATE TABLE {0} ({1}, {2}); ALTER TABLE {0} {3}",
                                 Staged(t, bucket), columns, checks, defaults)));
    std::string& finish = finish_[static_cast<size_t>(bucket)];
    finish.clear();
    if (!later.empty()) finish = fmt::format("ALTER TABLE {} {}; ", Staged(t, bucket), later);
    finish += fmt::format("ALTER TABLE {} {}", Staged(t, bucket), no_defaults);
    CANBAO_TRY(c.CopyIn(
        fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)", Staged(t, bucket), sent)));
    CopyBuffer header;
    header.Header();
    return c.CopyPut(header.data(), header.size());
  }

  // In SQL; empty for what rows say themselves.
  std::string SameInAllRows(Form form, int bucket) const {
    switch (form) {
      case Form::kBucket:
        return std::to_string(bucket);
      case Form::kCutoff:
      case Form::kValidFrom:
        return Day(manifest_.cutoff);
      case Form::kValidTo:
        return "'infinity'";
      default:
        return {};
    }
  }

  Status CopyTable(const TableLayout& t) {
    CANBAO_ASSIGN(std::string columns, ColumnsBeforeValidity(t));
    for (int b = 0; b < kBuckets; ++b) CANBAO_TRY(BeginCopy(t, columns, b));
    // The control session takes what the rows of this table name once for many.
    CANBAO_TRY(control_->CopyIn("COPY canbao_load.employer FROM STDIN (FORMAT binary)"));
    CopyBuffer header;
    header.Header();
    CANBAO_TRY(control_->CopyPut(header.data(), header.size()));
    EmployerSink employers(
        [this](CopyBuffer& rows) -> Status { return control_->CopyPut(rows.data(), rows.size()); });
    context_.employers = &employers;
    std::vector<std::string> files = ShardFiles(run_dir_, t.source);
    std::array<std::mutex, kBuckets> sending;
    TaskPool pool(std::max(1, options_.threads), options_.cancel);
    CANBAO_TRY(pool.ForEach(files.size(), [&](int, size_t i) -> Status {
      return CopyFile(t, files[i], sending, pool);
    }));
    CANBAO_TRY(employers.Flush());
    CopyBuffer end;
    end.Trailer();
    CANBAO_TRY(control_->CopyPut(end.data(), end.size()));
    CANBAO_TRY(control_->CopyEnd());
    int64_t rows = 0;
    for (int b = 0; b < kBuckets; ++b) {
      CANBAO_TRY(Leaf(b).CopyPut(end.data(), end.size()));
      CANBAO_ASSIGN(int64_t n, Leaf(b).CopyEnd());
      if (t.placed_by_person) CANBAO_TRY(PlaceByPerson(t, b));
      CANBAO_TRY(Leaf(b).Run(finish_[static_cast<size_t>(b)]));
      rows += n;
    }
    const RunTable& expected = manifest_.tables[t.source];
    if (rows != expected.rows) {
      return Fail(
          Error{ErrorClass::kInternal, "CB-REGISTER-0504",
                Msg("表 {0} 应有 {1} 行，实际 {2} 行。",
                    "table {0} should have {1} rows and has {2}.", t.source, expected.rows, rows),
                Msg("请重新运行比对。", "Run the comparison again."), run_dir_, 0, 0});
    }
    report_.tables[t.view].rows = rows;
    report_.rows += rows;
    return {};
  }

  // A new leaf, since rows that are changed where they lie would leave their old selves behind. The
  // table of persons is copied before.
  Status PlaceByPerson(const TableLayout& t, int bucket) {
    std::string leaf = LeafName(t, manifest_.cutoff, bucket);
    CANBAO_ASSIGN(
        Rows columns,
        Leaf(bucket).Exec("SELECT string_agg(CASE attname WHEN 'county' THEN "
                          "'coalesce(nullif(p.county, 0), d.county)' ELSE format('d.%I', attname) "
                          "END, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = "
                          "$1::text::regclass AND attnum > 0 AND NOT attisdropped",
                          {Param(Staged(t, bucket))}));
    return Leaf(bucket).Run(fmt::format(
        "CREATE TABLE canbao_load.placed_{3} (LIKE {0} INCLUDING ALL); "
        "INSERT INTO canbao_load.placed_{3} SELECT {1} FROM {0} d LEFT JOIN {2} p USING "
        "(person_key); DROP TABLE {0}; ALTER TABLE canbao_load.placed_{3} RENAME TO {4}",
        Staged(t, bucket), columns.Text(0, 0), Staged(Layouts().front(), bucket), bucket, leaf));
  }

  Status CopyFile(const TableLayout& t, const std::string& path,
                  std::array<std::mutex, kBuckets>& sending, const TaskPool& pool) {
    CANBAO_ASSIGN(auto reader, RowFileReader::Open(path, key_));
    CANBAO_ASSIGN(Encoder encoder, Encoder::For(t, reader->schema(), path, &context_));
    auto send = [&](int b) -> Status {
      encoder.Seal(b);
      CopyBuffer& buffer = encoder.buffer(b);
      std::lock_guard guard(sending[static_cast<size_t>(b)]);
      CANBAO_TRY(Leaf(b).CopyPut(buffer.data(), buffer.size()));
      buffer.Clear();
      return {};
    };
    for (;;) {
      uint32_t rows = 0;
      CANBAO_ASSIGN(std::string_view block, reader->NextBlock(&rows));
      if (block.empty()) break;
      if (pool.stopping()) return Fail(InterruptedError());
      CANBAO_TRY(encoder.Add(block));
      for (int b = 0; b < kBuckets; ++b) {
        if (encoder.buffer(b).size() >= kSendBytes) CANBAO_TRY(send(b));
      }
      Tell(LoadPhase::kRows, rows_done_ += rows, rows_total_);
    }
    for (int b = 0; b < kBuckets; ++b) CANBAO_TRY(send(b));
    return {};
  }

  // Two builds at a time on two cores; more would only share the memory.
  Status BuildKeys() {
    auto start = Clock::now();
    std::atomic<uint64_t> done{0};
    std::vector<const TableLayout*> keyed;
    for (const TableLayout& t : Layouts()) {
      if (report_.first || t.per_cutoff) keyed.push_back(&t);
    }
    TaskPool pool(std::max(1, options_.threads), options_.cancel);
    CANBAO_TRY(pool.ForEach(kBuckets, [&](int, size_t i) -> Status {
      int b = static_cast<int>(i);
      for (const TableLayout* t : keyed) {
        for (const char* key : t->keys) {
          CANBAO_TRY(Leaf(b).Run(fmt::format(fmt::runtime(key), Staged(*t, b))));
        }
        if (t->per_cutoff) {
          CANBAO_TRY(
              Leaf(b).Run(fmt::format("CREATE TABLE canbao_load.listed_{0} AS SELECT * FROM "
                                      "canbao.listed_persons_of('{1}')",
                                      b, Staged(*t, b))));
        }
        Tell(LoadPhase::kKeys, ++done, keyed.size() * kBuckets);
        if (pool.stopping()) return Fail(InterruptedError());
      }
      return {};
    }));
    report_.seconds_keys = Since(start);
    return {};
  }

  Status CommitLeaves() {
    auto start = Clock::now();
    TaskPool pool(std::max(1, options_.threads), options_.cancel);
    CANBAO_TRY(
        pool.ForEach(kBuckets, [&](int, size_t b) -> Status { return leaves_[b]->Run("COMMIT"); }));
    report_.seconds_sync = Since(start);
    return {};
  }

  // For every table and bucket: which rows that the register knows at the cut-off are not in the
  // run (old), and which of the run it does not know (new). Repeated equal rows are counted. Places
  // of rows (ctid) hold until Apply(): nobody else writes, and vacuum moves nothing that lives.
  Status Compare() {
    auto start = Clock::now();
    std::vector<std::pair<const TableLayout*, int>> work;
    for (const TableLayout& t : Layouts()) {
      for (int b = 0; b < kBuckets && !t.per_cutoff; ++b) work.emplace_back(&t, b);
    }
    std::atomic<uint64_t> done{0};
    TaskPool pool(std::max(1, options_.threads), options_.cancel);
    CANBAO_TRY(pool.ForEach(kBuckets, [&](int, size_t b) -> Status {
      for (const auto& [t, bucket] : work) {
        if (bucket != static_cast<int>(b)) continue;
        CANBAO_TRY(Leaf(bucket).Run(CompareSql(*t, bucket)));
        Tell(LoadPhase::kCompare, ++done, work.size());
        if (pool.stopping()) return Fail(InterruptedError());
      }
      return {};
    }));
    report_.seconds_compare = Since(start);
    return {};
  }

  std::string CompareSql(const TableLayout& t, int bucket) const {
    std::string leaf = LeafName(t, manifest_.cutoff, bucket);
    auto side = [&](const std::string& schema, const std::string& where) {
      return fmt::format(
          "SELECT tid, who, h, row_number() OVER (PARTITION BY who, h) AS n FROM ("
          "SELECT ctid AS tid, {0} AS who, hash_record_extended(ROW({1}), 0) AS h "
          "FROM {2}.{3} {4}) r",
          t.bucket_of == std::string_view("row_ref") ? "source_ref" : "person_key",
          ComparedColumns(t), schema, leaf, where);
    };
    std::string cutoff = Day(manifest_.cutoff);
    return fmt::format(
        "CREATE TABLE canbao_load.diff_{0} AS "
        "SELECT o.tid AS old, s.tid AS new FROM ({1}) o FULL JOIN ({2}) s USING (who, h, n) "
        "WHERE o.tid IS NULL OR s.tid IS NULL; ANALYZE canbao_load.diff_{0}",
        leaf, side("canbao", fmt::format("WHERE valid_from <= {0} AND valid_to > {0}", cutoff)),
        side("canbao_load", ""));
  }

  Status Apply() {
    auto start = Clock::now();
    CANBAO_TRY(CheckCancel());
    CANBAO_ASSIGN(Transaction t, Transaction::Begin(*control_));
    CANBAO_TRY(InsertRun());
    uint64_t done = 0, total = Layouts().size();
    // Compares what was known with what comes: before the one becomes the other.
    if (!report_.first) {
      CANBAO_TRY(control_->Run("SELECT canbao.note_merges(" + Day(manifest_.cutoff) + ")"));
    }
    for (const TableLayout& table : Layouts()) {
      if (table.per_cutoff) {
        CANBAO_TRY(AttachCutoff(table));
      } else if (report_.first) {
        CANBAO_TRY(AttachLeaves(table));
      } else {
        for (int b = 0; b < kBuckets; ++b) CANBAO_TRY(ApplyDifference(table, b));
      }
      CANBAO_TRY(CheckCancel());
      Tell(LoadPhase::kApply, ++done, total);
    }
    CANBAO_TRY(CopyFigures());
    CANBAO_TRY(CountLists());
    CANBAO_TRY(
        control_->Run("INSERT INTO canbao.employer SELECT * FROM canbao_load.employer "
                      "ON CONFLICT DO NOTHING"));
    // Cases follow what is known: in the same transaction, or a reader would miss them.
    CANBAO_TRY(control_->Run("SELECT canbao.open_cases(" + Day(manifest_.cutoff) + ")"));
    CANBAO_TRY(t.Commit());
    // From here the run is loaded; what follows is for the planner and for tidiness.
    // A sample of 3,000 rows of each leaf is enough for plans that go by key or read all.
    CANBAO_TRY(control_->Run("SET default_statistics_target = 10"));
    for (const TableLayout& table : Layouts()) {
      CANBAO_TRY(control_->Run(fmt::format("ANALYZE canbao.{}", table.name)));
    }
    CANBAO_TRY(
        control_->Run("ANALYZE canbao.employer; ANALYZE canbao.listed_person; "
                      "ANALYZE canbao.listed_row; ANALYZE canbao.case; "
                      "ANALYZE canbao.case_party; ANALYZE canbao.case_count"));
    CANBAO_TRY(control_->Run("DROP SCHEMA canbao_load CASCADE"));
    report_.seconds_apply = Since(start);
    return {};
  }

  Status InsertRun() {
    // The old run of this cut-off first: one current run for each.
    int32_t old_run = report_.run_id;
    CANBAO_ASSIGN(Rows id, control_->Exec("SELECT nextval(pg_get_serial_sequence('canbao.run', "
                                          "'run_id'))"));
    report_.run_id = static_cast<int32_t>(id.Int(0, 0));
    if (report_.replaced) {
      CANBAO_TRY(control_->Run("SET CONSTRAINTS ALL DEFERRED"));
      CANBAO_TRY(control_->Exec("UPDATE canbao.run SET superseded_by = $1 WHERE run_id = $2",
                                {Param(report_.run_id), Param(old_run)}));
    }
    CANBAO_TRY(control_->Exec(
        fmt::format(
            "INSERT INTO canbao.run (run_id, name, province, cutoff, made_at, rules, "
            "content_digest, result_digest, persons, highest_key, manifest) OVERRIDING "
            "SYSTEM VALUE VALUES ($1, $2, $3, {}, $4, $5, $6, $7, $8, $9, $10::text::jsonb)",
            Day(manifest_.cutoff)),
        {Param(report_.run_id), Param(manifest_.run),
         Param(static_cast<int32_t>(manifest_.province)), Param(manifest_.made_at),
         Param(manifest_.rules), Param(manifest_.ContentDigest()), Param(manifest_.result_digest),
         Param(manifest_.persons), Param(static_cast<int64_t>(manifest_.highest_key)),
         Param(manifest_.text)}));
    for (const RunExtract& e : manifest_.extracts) {
      CANBAO_TRY(control_->Exec(
          "INSERT INTO canbao.extract_account (run_id, ordinal, extract_id, rows_in, linked, "
          "unlinked, rejected, reference, outcomes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
          "$9::text::jsonb)",
          {Param(report_.run_id), Param(static_cast<int32_t>(e.ordinal)),
           Param(context_.extracts[e.ordinal].id), Param(e.rows_in), Param(e.linked),
           Param(e.unlinked), Param(e.rejected), Param(e.reference), Param(e.outcomes)}));
    }
    return {};
  }

  Status AttachLeaves(const TableLayout& t) {
    for (int b = 0; b < kBuckets; ++b) {
      CANBAO_TRY(control_->Run(
          fmt::format("ALTER TABLE {0} SET SCHEMA canbao; "
                      "ALTER TABLE canbao.{1} ATTACH PARTITION canbao.{2} FOR VALUES IN ({3})",
                      Staged(t, b), t.name, LeafName(t, manifest_.cutoff, b), b)));
    }
    report_.tables[t.view].inserted = report_.tables[t.view].rows;
    return {};
  }

  Status AttachCutoff(const TableLayout& t) {
    std::string name = fmt::format("{}_{:08}", t.name, manifest_.cutoff.yyyymmdd());
    std::string day = Day(manifest_.cutoff);
    CANBAO_ASSIGN(Rows old,
                  control_->Exec(fmt::format("SELECT to_regclass('canbao.{}') IS NOT NULL", name)));
    if (old.Bool(0, 0)) {
      CANBAO_ASSIGN(Rows count, control_->Exec("SELECT count(*) FROM canbao." + name));
      report_.tables[t.view].closed = count.Int(0, 0);
      CANBAO_TRY(control_->Run("DROP TABLE canbao." + name));
    }
    CANBAO_TRY(control_->Run(
        fmt::format("CREATE TABLE canbao.{0} (LIKE canbao.{1} INCLUDING DEFAULTS, CONSTRAINT "
                    "at_cutoff CHECK (cutoff = {2})) "
                    "PARTITION BY LIST (bucket); "
                    "ALTER TABLE canbao.{0} ADD PRIMARY KEY (person_key, cutoff, bucket)",
                    name, t.name, day)));
    for (int b = 0; b < kBuckets; ++b) {
      CANBAO_TRY(control_->Run(
          fmt::format("ALTER TABLE {0} SET SCHEMA canbao; "
                      "ALTER TABLE canbao.{1} ATTACH PARTITION canbao.{2} FOR VALUES IN ({3})",
                      Staged(t, b), name, LeafName(t, manifest_.cutoff, b), b)));
    }
    CANBAO_TRY(control_->Run(fmt::format(
        "ALTER TABLE canbao.{} ATTACH PARTITION canbao.{} FOR VALUES IN ({})", t.name, name, day)));
    report_.tables[t.view].inserted = report_.tables[t.view].rows;
    return {};
  }

  // What is known at the cut-off becomes the run; what is known at other cut-offs stays.
  Status ApplyDifference(const TableLayout& t, int bucket) {
    std::string leaf = LeafName(t, manifest_.cutoff, bucket);
    std::string cutoff = Day(manifest_.cutoff);
    std::string gone = fmt::format("FROM canbao_load.diff_{} d WHERE d.old = t.ctid", leaf);
    // Known at later cut-offs too: there it stays known.
    CANBAO_TRY(control_->Run(fmt::format(
        "INSERT INTO canbao.{0} ({1}) SELECT {2} FROM canbao.{0} t, canbao_load.diff_{0} d "
        "WHERE d.old = t.ctid AND t.valid_to > {3}",
        leaf, AllColumns(t), AllColumns(t, next_), next_)));
    CANBAO_ASSIGN(Rows ended,
                  control_->Exec(fmt::format(
                      "UPDATE canbao.{0} t SET valid_to = {1} {2} AND t.valid_from < {1}", leaf,
                      cutoff, gone)));
    CANBAO_ASSIGN(Rows removed, control_->Exec(fmt::format(
                                    "DELETE FROM canbao.{0} t USING canbao_load.diff_{0} d "
                                    "WHERE d.old = t.ctid AND t.valid_from = {1}",
                                    leaf, cutoff)));
    CANBAO_ASSIGN(Rows added,
                  control_->Exec(fmt::format("INSERT INTO canbao.{0} ({1}) SELECT {2} FROM {3} s, "
                                             "canbao_load.diff_{0} d WHERE d.new = s.ctid",
                                             leaf, AllColumns(t), AllColumns(t, cutoff, next_),
                                             Staged(t, bucket))));
    TableLoad& load = report_.tables[t.view];
    load.closed += ended.affected() + removed.affected();
    load.inserted += added.affected();
    return {};
  }

  Status CopyFigures() {
    CANBAO_TRY(control_->Run("DELETE FROM canbao.figure WHERE cutoff = " + Day(manifest_.cutoff)));
    CANBAO_TRY(
        control_->CopyIn("COPY canbao.figure (cutoff, county, city, hukou, form, \"column\", "
                         "count) FROM STDIN (FORMAT binary)"));
    std::string path = ShardFiles(run_dir_, "figure").front();
    CANBAO_ASSIGN(auto reader, RowFileReader::Open(path, key_));
    CopyBuffer out;
    out.Header();
    int64_t rows = 0;
    for (;;) {
      uint32_t n = 0;
      CANBAO_ASSIGN(std::string_view block, reader->NextBlock(&n));
      if (block.empty()) break;
      RowCursor in(block.data(), block.size());
      for (; !in.AtEnd(); ++rows) {
        out.Row(7);
        out.DateDays(PgDays(manifest_.cutoff));
        out.Int4(static_cast<int32_t>(in.U32()));
        out.Int4(static_cast<int32_t>(in.U32()));
        out.Bool(in.U8() != 0);
        out.Int2(in.U8());
        out.Int2(in.U8());
        out.Int8(static_cast<int64_t>(in.U64()));
      }
    }
    out.Trailer();
    CANBAO_TRY(control_->CopyPut(out.data(), out.size()));
    CANBAO_TRY(control_->CopyEnd());
    report_.tables["figure"] = {rows, rows, 0};
    return {};
  }

  // How long lists are, by county (db/migrations/0004_search.sql).
  Status CountLists() {
    std::string leaves;
    for (int b = 0; b < kBuckets; ++b) {
      leaves +=
          fmt::format("{}SELECT * FROM canbao_load.listed_{}", b == 0 ? "" : " UNION ALL ", b);
    }
    return control_->Run(fmt::format(
        "DELETE FROM canbao.listed_person WHERE cutoff = {0}; "
        "INSERT INTO canbao.listed_person SELECT cutoff, county, flags, uncovered, duplicates, "
        "form_2_2, age, sum(persons) FROM ({1}) leaves GROUP BY 1, 2, 3, 4, 5, 6, 7; "
        "SELECT canbao.count_listed_rows({0}), canbao.mark_lists({0})",
        Day(manifest_.cutoff), leaves));
  }

  Database& db_;
  const std::string& run_dir_;
  const RunKey& key_;
  const LoadOptions& options_;
  RunManifest manifest_;
  EncoderContext context_;
  LoadReport report_;
  std::array<std::string, kBuckets> finish_;  // SQL, after the copy that runs
  std::string next_;                          // the next later cut-off that is known, in SQL
  std::mutex progress_mutex_;
  std::atomic<uint64_t> rows_done_{0};
  uint64_t rows_total_ = 0;
  // Destroyed before the control session: a load ends with its lock held.
  std::unique_ptr<Connection> control_;
  std::array<std::unique_ptr<Connection>, kBuckets> leaves_;
};

}  // namespace

Result<LoadReport> LoadRun(Database& db, const std::string& run_dir, const RunKey& key,
                           const LoadOptions& options) {
  return Loader(db, run_dir, key, options).Load();
}

Result<bool> IsLoaded(Database& db, const std::string& run_dir) {
  CANBAO_ASSIGN(RunManifest manifest, ReadManifest(run_dir));
  CANBAO_ASSIGN(auto c, db.Connect());
  CANBAO_ASSIGN(Rows found, c->Exec("SELECT 1 FROM canbao.run WHERE superseded_by IS NULL AND "
                                    "content_digest = $1 AND cutoff = " +
                                        Day(manifest.cutoff),
                                    {Param(manifest.ContentDigest())}));
  return found.size() > 0;
}

}  // namespace canbao::reg
