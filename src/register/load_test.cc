#include "register/load.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "register/backup.h"
#include "register/doctor.h"
#include "register/internal/encoder.h"
#include "register/internal/layout.h"
#include "register/read.h"
#include "register/synthetic_run.h"
#include "register/test_data_folder.h"
#include "scheme/person.h"

namespace canbao::reg {
namespace {

const Date kSeptember = Date::FromYmd(2017, 9, 30);
const Date kDecember = Date::FromYmd(2017, 12, 31);

class LoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    key_[3] = 9;
    auto db = folder_.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
  }

  synthetic::Options World(Date cutoff, const char* run) {
    synthetic::Options o;
    o.cutoff = cutoff;
    o.run = run;
    return o;
  }
  synthetic::Options December(const char* run = "december") {
    synthetic::Options o = World(kDecember, run);
    o.renamed_every = 40;
    o.vanished_every = 97;
    o.ended_every = 30;
    o.persons = 1050;
    o.file_digest = "bb";
    o.first_line = 5;
    return o;
  }
  std::string Make(const synthetic::Options& o) { return synthetic::Make(folder_.path(), key_, o); }
  LoadReport Load(const synthetic::Options& o) {
    auto report = LoadRun(*db_, Make(o), key_);
    EXPECT_TRUE(report) << report.error().ToString();
    return report ? *report : LoadReport{};
  }
  int64_t Count(const std::string& sql) {
    auto c = db_->Connect();
    auto rows = (*c)->Exec(sql);
    EXPECT_TRUE(rows) << rows.error().ToString();
    return rows ? rows->Int(0, 0) : -1;
  }

  // What is known at a cut-off, whatever the versions: rows and hash of each table.
  std::map<std::string, TableDigest> KnownAt(Database& db, Date cutoff) {
    std::map<std::string, TableDigest> out;
    auto c = db.Connect();
    for (const TableLayout& t : Layouts()) {
      std::string where =
          t.per_cutoff ? "cutoff = '{0}'" : "valid_from <= '{0}' AND valid_to > '{0}'";
      // The places in files differ between registers by the extracts' numbers.
      std::string columns;
      for (const LayoutColumn& column : t.columns) {
        if ((column.traits & kIdentityless) || column.form == Form::kRef) continue;
        if (column.form == Form::kNumber || column.form == Form::kPhone ||
            column.form == Form::kSealedText || column.form == Form::kSealedValue) {
          continue;  // other keys
        }
        columns += (columns.empty() ? "\"" : ", \"") + std::string(column.name) + "\"";
      }
      auto rows = (*c)->Exec(fmt::format(
          "SELECT count(*), coalesce(sum(hash_record_extended(ROW({}), 0)::numeric), 0) "
          "FROM canbao.{} WHERE {}",
          columns, t.name, fmt::format(fmt::runtime(where), cutoff.ToIso())));
      EXPECT_TRUE(rows) << rows.error().ToString();
      if (rows) out[t.view] = {rows->Int(0, 0), std::string(rows->Text(0, 1))};
    }
    return out;
  }
  // A register that saw nothing but this run: another database of the same server.
  std::map<std::string, TableDigest> FreshlyKnown(const synthetic::Options& o) {
    static int number = 0;
    std::string name = "fresh" + std::to_string(++number);
    auto server = Connection::Open(db_->instance()->ConnInfo("canbao_owner", "postgres"));
    EXPECT_TRUE(server && (*server)->Run("CREATE DATABASE " + name));
    std::string folder = folder_.path() + "/" + name;
    DatabaseOptions options;
    options.url = db_->instance()->ConnInfo("canbao_owner", name);
    auto db = Database::Open(folder, options);
    EXPECT_TRUE(db) << db.error().ToString();
    auto report = LoadRun(**db, synthetic::Make(folder, key_, o), key_);
    EXPECT_TRUE(report) << report.error().ToString();
    return KnownAt(**db, o.cutoff);
  }

  std::vector<std::vector<std::string>> List(ListQuery query) {
    std::vector<std::vector<std::string>> out;
    auto list = OpenList(*db_, query);
    EXPECT_TRUE(list) << list.error().ToString();
    if (!list) return out;
    std::vector<std::string> row;
    for (;;) {
      auto more = (*list)->Next(&row);
      EXPECT_TRUE(more) << more.error().ToString();
      if (!more || !*more) break;
      EXPECT_EQ(row.size(), (*list)->columns().size());
      out.push_back(row);
    }
    return out;
  }

  RunKey key_{};
  TestDataFolder folder_;
  std::unique_ptr<Database> db_;
};

TEST_F(LoadTest, FirstRunThenTheSameAgain) {
  synthetic::Options o = World(kSeptember, "september");
  LoadReport report = Load(o);
  EXPECT_TRUE(report.first);
  EXPECT_EQ(report.tables["person"].rows, 1000);
  EXPECT_EQ(report.tables["enrolment"].rows, 4000);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.person"), 1000);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.classification"), 1000);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.enrolment WHERE valid_to <> 'infinity'"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.person WHERE bucket <> person_key % 8"), 0);
  // The leaves were attached with their keys, without a scan that would be noticed only by time.
  EXPECT_EQ(Count("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM pg_namespace WHERE nspname = 'canbao_load'"), 0);

  auto figures = FiguresAt(*db_, kSeptember);
  auto counted = RecountFigures(*db_, kSeptember);
  ASSERT_TRUE(figures && counted);
  EXPECT_GT(figures->size(), 100u);
  EXPECT_EQ(*figures, *counted);

  {
    auto c = db_->Connect();
    auto before = TableDigests(**c);
    auto again = LoadRun(*db_, folder_.path() + "/runs/september", key_);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_TRUE(again->unchanged);
    // The same content from a run of another name is the same, too.
    o.run = "copy";
    EXPECT_TRUE(Load(o).unchanged);
    auto after = TableDigests(**c);
    ASSERT_TRUE(before && after);
    EXPECT_EQ(*before, *after);
  }
  EXPECT_TRUE(*IsLoaded(*db_, folder_.path() + "/runs/september"));

  auto runs = Runs(*db_);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1u);
  EXPECT_TRUE((*runs)[0].current);
  ASSERT_EQ((*runs)[0].accounts.size(), 2u);
  for (const AccountRow& a : (*runs)[0].accounts) {
    EXPECT_EQ(a.rows_in, a.linked + a.unlinked + a.rejected + a.reference);
  }
  EXPECT_EQ((*runs)[0].accounts[1].rejected, 20);
  EXPECT_EQ(*HighestPersonKey(*db_), 1000u);
}

TEST_F(LoadTest, ALaterCutoffTouchesOnlyWhatChangedAndKeepsHistory) {
  synthetic::Options september = World(kSeptember, "september");
  Load(september);
  auto known = KnownAt(*db_, kSeptember);
  auto figures = FiguresAt(*db_, kSeptember);

  LoadReport report = Load(December());
  EXPECT_FALSE(report.first);
  // 1050/40 renamed and 1000/97 vanished, less those that are both; 50 more persons, one renamed.
  int64_t vanished = 1000 / 97, renamed = 1000 / 40;
  EXPECT_EQ(report.tables["person"].closed, vanished + renamed);
  EXPECT_EQ(report.tables["person"].inserted, renamed + 50);
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.person WHERE valid_from = '2017-09-30' AND "
                  "valid_to = 'infinity'"),
            1000 - vanished - renamed);

  // September as it was; December as if it had been loaded alone.
  EXPECT_EQ(KnownAt(*db_, kSeptember), known);
  EXPECT_EQ(*FiguresAt(*db_, kSeptember), *figures);
  EXPECT_EQ(KnownAt(*db_, kDecember), FreshlyKnown(December()));
  for (Date d : {kSeptember, kDecember}) {
    EXPECT_EQ(*FiguresAt(*db_, d), *RecountFigures(*db_, d)) << d.ToIso();
  }
  auto cutoffs = Cutoffs(*db_);
  ASSERT_TRUE(cutoffs);
  EXPECT_EQ(*cutoffs, (std::vector<Date>{kSeptember, kDecember}));
  EXPECT_EQ(*ResolveCutoff(*db_, {}), kDecember);
  EXPECT_EQ(ResolveCutoff(*db_, Date::FromYmd(2016, 1, 1)).error().code, "CB-REGISTER-0601");
  EXPECT_TRUE(Load(December("december again")).unchanged);
}

TEST_F(LoadTest, UnchangedFactsAreNotTouched) {
  Load(World(kSeptember, "september"));
  synthetic::Options o = World(kDecember, "december");  // the same files at a later cut-off
  LoadReport report = Load(o);
  for (const auto& [name, t] : report.tables) {
    if (name == "classification" || name == "figure") continue;
    EXPECT_EQ(t.closed, 0) << name;
    EXPECT_EQ(t.inserted, 0) << name;
  }
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.classification"), 2000);
  // Other files with the same facts: only the rows that are looked up in their file move.
  o = World(Date::FromYmd(2018, 3, 31), "march");
  o.file_digest = "cc";
  o.first_line = 9;
  report = Load(o);
  EXPECT_EQ(report.tables["person"].inserted + report.tables["person"].closed, 0);
  EXPECT_EQ(report.tables["enrolment"].inserted + report.tables["enrolment"].closed, 0);
  EXPECT_EQ(report.tables["reject_row"].inserted, 20);
  EXPECT_EQ(report.tables["reject_row"].closed, 20);
}

TEST_F(LoadTest, ACutoffsKnowledgeIsReplacedAndOthersStay) {
  Load(World(kSeptember, "september"));
  Load(December());
  auto december = KnownAt(*db_, kDecember);
  // September is delivered again, corrected.
  synthetic::Options corrected = World(kSeptember, "september corrected");
  corrected.renamed_every = 7;
  corrected.vanished_every = 13;
  corrected.file_digest = "dd";
  LoadReport report = Load(corrected);
  EXPECT_TRUE(report.replaced);
  EXPECT_EQ(KnownAt(*db_, kSeptember), FreshlyKnown(corrected));
  EXPECT_EQ(KnownAt(*db_, kDecember), december);
  EXPECT_EQ(*FiguresAt(*db_, kSeptember), *RecountFigures(*db_, kSeptember));
  auto runs = Runs(*db_);
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 3u);
  EXPECT_FALSE((*runs)[0].current);
  EXPECT_TRUE((*runs)[2].current);

  // And back: the first delivery again replaces the correction.
  EXPECT_TRUE(Load(World(kSeptember, "september")).replaced);
  EXPECT_EQ(KnownAt(*db_, kSeptember), FreshlyKnown(World(kSeptember, "september")));
  EXPECT_EQ(KnownAt(*db_, kDecember), december);
}

TEST_F(LoadTest, ACutoffMayComeAfterALaterOne) {
  Load(December());
  auto december = KnownAt(*db_, kDecember);
  Load(World(kSeptember, "september"));
  EXPECT_EQ(KnownAt(*db_, kSeptember), FreshlyKnown(World(kSeptember, "september")));
  EXPECT_EQ(KnownAt(*db_, kDecember), december);
}

TEST_F(LoadTest, BrokenRunsAreRefusedAndLeaveNothing) {
  std::string run = Make(World(kSeptember, "september"));
  auto c = db_->Connect();
  auto before = TableDigests(**c);
  ASSERT_TRUE(before);
  auto refuse = [&](const char* code) {
    auto report = LoadRun(*db_, run, key_);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, code);
    EXPECT_EQ(Count("SELECT count(*) FROM canbao.run"), 0);
    EXPECT_EQ(Count("SELECT count(*) FROM canbao.person"), 0);
  };
  std::filesystem::resize_file(run + "/enrolment.07.rows",
                               std::filesystem::file_size(run + "/enrolment.07.rows") - 100);
  refuse("CB-BASE-0105");
  run = Make(World(kSeptember, "september"));
  std::filesystem::remove(run + "/reject.03.rows");
  refuse("CB-BASE-0103");
  run = Make(World(kSeptember, "september"));
  std::filesystem::copy_file(run + "/person.01.rows", run + "/person.02.rows",
                             std::filesystem::copy_options::overwrite_existing);
  refuse("CB-REGISTER-0504");
  std::filesystem::remove(run + "/manifest.json");
  refuse("CB-REGISTER-0501");
  std::ofstream(run + "/manifest.json") << "{\"run\": 1";
  refuse("CB-REGISTER-0502");
  run = Make(World(kSeptember, "september"));
  RunKey other = key_;
  other[0] ^= 1;
  auto wrong = LoadRun(*db_, run, other);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "CB-BASE-0106");
  std::atomic<bool> cancel{true};
  LoadOptions options;
  options.cancel = &cancel;
  auto cancelled = LoadRun(*db_, run, key_, options);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().cls, ErrorClass::kInterrupted);
  CANBAO_OK(LoadRun(*db_, run, key_));  // and after all that it loads
}

TEST_F(LoadTest, TwoLoadsAtATimeDoNotMeet) {
  std::string a = Make(World(kSeptember, "september"));
  std::string b = Make(December());
  Result<LoadReport> one = LoadReport{}, two = LoadReport{};
  // The one that comes later waits for some seconds, and says then that the other is at it.
  auto load = [&](const std::string& dir) {
    for (;;) {
      auto loaded = LoadRun(*db_, dir, key_);
      if (loaded || loaded.error().code != "CB-REGISTER-0507") return loaded;
    }
  };
  std::thread first([&] { one = load(a); });
  std::thread second([&] { two = load(b); });
  first.join();
  second.join();
  ASSERT_TRUE(one) << one.error().ToString();
  ASSERT_TRUE(two) << two.error().ToString();
  EXPECT_EQ(KnownAt(*db_, kSeptember), FreshlyKnown(World(kSeptember, "september")));
  EXPECT_EQ(KnownAt(*db_, kDecember), FreshlyKnown(December()));
}

// The postmaster dies at any moment of a first and of a later load: the register is as before or as
// after, and the load run again ends the same.
TEST_F(LoadTest, KilledServer) {
  synthetic::Options september = World(kSeptember, "september");
  september.persons = 6000;
  synthetic::Options december = December();
  december.persons = 6200;
  auto known_september = FreshlyKnown(september);
  auto known_december = FreshlyKnown(december);
  std::string runs[] = {Make(september), Make(december)};
  int killed = 0;
  for (int r = 0; r < 2; ++r) {
    for (int attempt = 0; attempt < 4; ++attempt) {
      std::atomic<bool> ended{false};
      Result<LoadReport> report = LoadReport{};
      std::thread load([&] {
        report = LoadRun(*db_, runs[r], key_);
        ended = true;
      });
      for (int ms = 0; ms < 60 + 170 * attempt && !ended; ++ms) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      int pid = Instance::PostmasterPid(folder_.path());
      ASSERT_GT(pid, 1);
      ::kill(pid, SIGKILL);
      load.join();
      CANBAO_OK(db_->instance()->EnsureRunning());
      killed += !report;
      auto loaded = IsLoaded(*db_, runs[r]);
      ASSERT_TRUE(loaded) << loaded.error().ToString();
      auto cutoffs = Cutoffs(*db_);
      ASSERT_TRUE(cutoffs);
      EXPECT_EQ(cutoffs->size(), static_cast<size_t>(r + (*loaded ? 1 : 0)));
      if (r == 1) {
        EXPECT_EQ(KnownAt(*db_, kSeptember), known_september);
      }
      if (*loaded) break;
    }
    CANBAO_OK(LoadRun(*db_, runs[r], key_));
  }
  EXPECT_GT(killed, 0);
  EXPECT_EQ(KnownAt(*db_, kSeptember), known_september);
  EXPECT_EQ(KnownAt(*db_, kDecember), known_december);
  EXPECT_EQ(*FiguresAt(*db_, kDecember), *RecountFigures(*db_, kDecember));
}

TEST_F(LoadTest, IdentityFieldsAreSealedAndFound) {
  Load(World(kSeptember, "september"));
  // Person 9: citizen number, mobile phone.
  auto view = PersonByKey(*db_, 9);
  ASSERT_TRUE(view && *view);
  auto value = [](const PersonView& v, const char* section, const char* column, size_t row = 0) {
    for (const PersonSection& s : v.sections) {
      if (s.title.en != section) continue;
      for (size_t i = 0; i < s.columns.size(); ++i) {
        if (s.columns[i].en == column) return s.rows.at(row).at(i);
      }
    }
    return std::string("none");
  };
  std::string number = value(**view, "identity", "number");
  EXPECT_EQ(number.size(), 18u);
  EXPECT_EQ(value(**view, "identity", "phone"), "13800000009");
  EXPECT_EQ(value(**view, "identity", "file"), "hukou.csv");
  EXPECT_EQ(value(**view, "identity", "line"), "11");
  EXPECT_EQ(value(**view, "enrolments", "file"), "pension.csv");
  EXPECT_EQ(value(**view, "classification", "cutoff"), "2017-09-30");

  auto c = db_->Connect();
  auto clear = (*c)->Exec("SELECT count(*) FROM canbao.person p WHERE p::text LIKE '%" + number +
                          "%' OR p::text LIKE '%13800000009%'");
  ASSERT_TRUE(clear);
  EXPECT_EQ(clear->Int(0, 0), 0);
  auto hidden = (*c)->Exec(
      "SELECT count(*) FROM canbao.discrepancy d WHERE d::text ~ "
      "'(^|[^0-9a-fx])[0-9]{17}'");  // sealed fields print as hex
  ASSERT_TRUE(hidden) << hidden.error().ToString();
  EXPECT_EQ(hidden->Int(0, 0), 0);

  auto found = PersonByNumber(*db_, number);
  ASSERT_TRUE(found) << found.error().ToString();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0].person_key, 9u);
  found = PersonByNumber(*db_, number, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(value((*found)[0], "identity", "number").find(number.substr(6, 8)), std::string::npos);
  // Person 50 has another document.
  found = PersonByNumber(*db_, "E10000050");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0].person_key, 50u);
  found = PersonByNumber(*db_, "330101190001019999");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
  auto nobody = PersonByKey(*db_, 123456789);
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(*nobody);
}

// Facts lie packed in the tables; the views must say every one of them as it was delivered.
TEST_F(LoadTest, ViewsUnpackTheFacts) {
  Load(World(kSeptember, "september"));
  auto c = db_->Connect();
  auto text = [&](const std::string& sql) {
    auto rows = (*c)->Exec(sql);
    EXPECT_TRUE(rows) << rows.error().ToString();
    std::string out;
    for (int i = 0; rows && i < rows->size(); ++i) {
      for (int k = 0; k < rows->columns(); ++k) {
        out += (k == 0 ? "" : "|") +
               (rows->IsNull(i, k) ? std::string("-") : std::string(rows->Text(i, k)));
      }
      out += ";";
    }
    return out;
  };
  EXPECT_EQ(
      text("SELECT sex, birth, confirmed, verified_number, management, changed_on, hukou_type, "
           "ethnicity, relation, valid_from, valid_to FROM canbao.person "
           "WHERE person_key = 9 AND bucket = 1"),
      "2|1959-01-01|t|t|0|-|1|1|户主|2017-09-30|infinity;");
  EXPECT_EQ(text("SELECT outcome, scheme, region, state, state_at_cutoff, enrolled_on, ended_on, "
                 "first_month, insured_category, insured_year, person_no, confirmed, state_text, "
                 "employer IS NULL FROM canbao.enrolment WHERE person_key = 9 AND bucket = 1 "
                 "ORDER BY enrolled_on"),
            "2|410|330100|1|1|2009-01-01|-|-|-|-|P9|t|1/1/|f;"
            "2|210|330100|1|1|2009-02-01|-|-|-|-|P9|t|1/1/|t;"
            "2|510|330100|1|1|2009-03-01|-|-|-|-|P9|t|1/1/|f;"
            "2|170|330100|1|1|2009-04-01|-|-|-|-|P9|t|1/1/|t;");
  EXPECT_EQ(text("SELECT c.kind, c.field, delivered = p.name || '某', prevailing = p.name, "
                 "delivered_sealed FROM canbao.discrepancy c JOIN canbao.person p USING (bucket, "
                 "person_key) WHERE person_key = 25"),
            "4|name|t|t|-;");
  EXPECT_EQ(text("SELECT kind, field, delivered, prevailing, delivered_sealed IS NULL "
                 "FROM canbao.discrepancy WHERE person_key = 50"),
            "1|id_number|-|-|f;");
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.classification c WHERE city <> county / 100 * 100 "
                  "OR branches <> 3 OR both_classes <> 0"),
            0);
  EXPECT_EQ(text("SELECT canbao.fact_day('\\x0000', 0), canbao.fact_day('\\x0001', 0), "
                 "canbao.fact_day('\\xffff', 0), canbao.fact_word('\\x00ff01', 1), "
                 "canbao.fact_text('\\x07000341424344', 1), canbao.fact_text('\\x0000', 0)"),
            "-|1880-01-01|infinity|65281|ABC|-;");
}

TEST_F(LoadTest, Lists) {
  Load(World(kSeptember, "september"));
  auto figures = FiguresAt(*db_, kSeptember);
  ASSERT_TRUE(figures);
  auto sum = [&](int column, uint32_t city) {
    int64_t n = 0;
    for (const FigureRow& f : *figures) {
      if (f.form == 21 && f.column == column && (city == 0 || f.city == city)) n += f.count;
    }
    return static_cast<size_t>(n);
  };
  ListQuery q;
  q.kind = ListKind::kToVerify;
  EXPECT_EQ(List(q).size(), sum(5, 0));
  q.division = "330000";
  EXPECT_EQ(List(q).size(), sum(5, 0));
  q.division = "330200";
  EXPECT_EQ(List(q).size(), sum(5, 330200));
  q.division = "34";
  EXPECT_EQ(List(q).size(), 0u);
  q.division = "33x";
  EXPECT_EQ(OpenList(*db_, q).error().code, "CB-REGISTER-0604");
  q = {};
  q.kind = ListKind::kUncovered;
  q.branch = static_cast<int>(scheme::Branch::kPension);
  EXPECT_EQ(List(q).size(), sum(7, 0));
  q = {};
  q.kind = ListKind::kDuplicates;
  q.number = scheme::kMedicalCrossScheme;
  EXPECT_EQ(List(q).size(), sum(17, 0));
  q = {};
  q.kind = ListKind::kDiscrepancies;
  EXPECT_EQ(List(q).size(), 40u);
  q.number = 1;
  auto cleaned = List(q);
  ASSERT_EQ(cleaned.size(), 20u);
  EXPECT_EQ(cleaned[0][2].substr(0, 8), "33010119");  // opened
  q.mask = true;
  EXPECT_NE(List(q)[0][2].find('*'), std::string::npos);
  q = {};
  q.kind = ListKind::kRejects;
  auto rejects = List(q);
  ASSERT_EQ(rejects.size(), 20u);
  EXPECT_EQ(rejects[0][1], "pension.csv");
  EXPECT_EQ(rejects[0][2], "800000002");
  EXPECT_NE(rejects[0].back().find("残缺的行"), std::string::npos);
  q.division = "330100";
  EXPECT_EQ(List(q).size(), 20u);
  q = {};
  q.kind = ListKind::kConflicts;
  EXPECT_EQ(List(q).size(), 10u);
}

TEST_F(LoadTest, TheServiceSeesItsDivisionsOnly) {
  Load(World(kSeptember, "september"));
  auto nothing = db_->ConnectScoped("");
  ASSERT_TRUE(nothing) << nothing.error().ToString();
  auto count = [](Connection& c, const std::string& what) {
    auto rows = c.Exec("SELECT count(*) FROM canbao." + what);
    EXPECT_TRUE(rows) << rows.error().ToString();
    return rows ? rows->Int(0, 0) : -1;
  };
  for (const char* table : {"person", "classification", "enrolment", "evidence", "discrepancy",
                            "duplicate_case", "unlinked_row", "reject_row", "figure"}) {
    EXPECT_EQ(count(**nothing, table), 0) << table;
  }
  auto city = db_->ConnectScoped("{[330200000000,330300000000)}");
  ASSERT_TRUE(city);
  int64_t own = Count("SELECT count(*) FROM canbao.person WHERE county BETWEEN 330200 AND 330299");
  EXPECT_GT(own, 100);
  EXPECT_EQ(count(**city, "person"), own);
  EXPECT_EQ(count(**city, "classification"), own);
  EXPECT_EQ(count(**city, "enrolment"), own * 4);
  EXPECT_EQ(count(**city, "person WHERE county NOT BETWEEN 330200 AND 330299"), 0);
  EXPECT_EQ(count(**city, "evidence"),
            Count("SELECT count(*) FROM canbao.evidence WHERE county BETWEEN 330200 AND 330299"));
  EXPECT_EQ(count(**city, "reject_row"), 0);  // they are of 330100
  auto all = db_->ConnectScoped("{[330000000000,340000000000)}");
  ASSERT_TRUE(all);
  EXPECT_EQ(count(**all, "person"), 1000);
  EXPECT_EQ(count(**all, "unlinked_row"), 30);
  // Two ranges, and nothing around the policies.
  auto two = db_->ConnectScoped("{[330200000000,330300000000),[330300000000,330400000000)}");
  ASSERT_TRUE(two);
  EXPECT_EQ(count(**two, "person"),
            Count("SELECT count(*) FROM canbao.person WHERE county BETWEEN 330200 AND 330399"));
  EXPECT_FALSE((*city)->Exec("SELECT count(*) FROM canbao.person_row_0"));
  EXPECT_FALSE((*city)->Exec("DELETE FROM canbao.person"));
  EXPECT_FALSE((*city)->Exec("SET ROLE canbao_owner"));
}

// A register of before there were columns to search by.
TEST_F(LoadTest, NamesToSearchByAreFilledLater) {
  Load(World(kSeptember, "september"));
  auto c = db_->Connect();
  auto before = (*c)->Exec(
      "SELECT string_agg(name_key || pinyin || initials, ',' ORDER BY "
      "person_key) FROM canbao.person_row");
  ASSERT_TRUE(before);
  ASSERT_TRUE(
      (*c)->Run("UPDATE canbao.person_row SET name_key = NULL, pinyin = NULL, initials = "
                "NULL; INSERT INTO canbao.upkeep VALUES ('person_search')"));
  db_.reset();
  auto db = folder_.OpenDatabase();
  ASSERT_TRUE(db) << db.error().ToString();
  db_ = std::move(*db);
  auto again = db_->Connect();
  auto after = (*again)->Exec(
      "SELECT string_agg(name_key || pinyin || initials, ',' ORDER BY "
      "person_key) FROM canbao.person_row");
  ASSERT_TRUE(after);
  EXPECT_EQ(before->Text(0, 0), after->Text(0, 0));
  EXPECT_EQ(Count("SELECT count(*) FROM canbao.upkeep"), 0);
}

TEST_F(LoadTest, MasterForTheNextRun) {
  Load(World(kSeptember, "september"));
  Load(December());
  std::string path = folder_.path() + "/master.rows";
  auto rows = ExportMaster(*db_, path, key_);
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(*rows, 1050);  // those who vanished keep their key
  auto reader = RowFileReader::Open(path, key_);
  ASSERT_TRUE(reader);
  std::map<uint64_t, std::pair<uint64_t, std::string>> by_key;
  for (;;) {
    uint32_t n = 0;
    auto block = (*reader)->NextBlock(&n);
    ASSERT_TRUE(block);
    if (block->empty()) break;
    RowCursor c(block->data(), block->size());
    while (!c.AtEnd()) {
      uint64_t number = c.U64();
      std::string document(c.Text());
      by_key[c.U64()] = {number, document};
    }
  }
  EXPECT_EQ(by_key.size(), 1050u);
  EXPECT_EQ(by_key[50].second, "E10000050");
  EXPECT_EQ(by_key[50].first >> 63, 1u);
  EXPECT_EQ(by_key[9].first >> 63, 0u);
}

TEST_F(LoadTest, BackupAndRestore) {
  Load(World(kSeptember, "september"));
  Load(December());
  std::string backup = folder_.path() + "/backup";
  CANBAO_OK(Backup(*db_, backup));
  EXPECT_EQ(Backup(*db_, backup).error().code, "CB-REGISTER-0701");
  auto before = TableDigests(**db_->Connect());
  ASSERT_TRUE(before);
  TestDataFolder other;
  CANBAO_OK(Restore(backup, other.path(), TestDataFolder::Options()));
  auto restored = other.OpenDatabase();
  ASSERT_TRUE(restored) << restored.error().ToString();
  auto after = TableDigests(**(*restored)->Connect());
  ASSERT_TRUE(after);
  EXPECT_EQ(*before, *after);
  auto person = PersonByNumber(**restored, "E10000050");
  ASSERT_TRUE(person);
  EXPECT_EQ(person->size(), 1u);  // the keys came along
  auto scoped = (*restored)->ConnectScoped("{[330200000000,330300000000)}");
  ASSERT_TRUE(scoped) << scoped.error().ToString();
  auto seen = (*scoped)->Exec("SELECT count(*) FROM canbao.person");
  ASSERT_TRUE(seen) << seen.error().ToString();
  EXPECT_GT(seen->Int(0, 0), 0);
  EXPECT_LT(seen->Int(0, 0), 1050);
  // It goes on from there.
  synthetic::Options march = World(Date::FromYmd(2018, 3, 31), "march");
  CANBAO_OK(LoadRun(**restored, Make(march), key_));
  EXPECT_EQ(Restore(backup, other.path(), TestDataFolder::Options()).error().code,
            "CB-REGISTER-0701");
  std::filesystem::remove(backup + "/backup.json");
  TestDataFolder third;
  EXPECT_EQ(Restore(backup, third.path(), TestDataFolder::Options()).error().code,
            "CB-REGISTER-0704");
}

TEST_F(LoadTest, DoctorFindsWhatIsWrong) {
  Load(World(kSeptember, "september"));
  DoctorOptions options;
  options.database = TestDataFolder::DbOptions();
  options.free_bytes_wanted = 1;
  auto worst = [&](const char* code) {
    bool found = false;
    for (const DoctorFinding& f : Examine(folder_.path(), options)) {
      if (f.health != Health::kGood) {
        EXPECT_EQ(f.code, code) << f.message.en;
        found = true;
      }
    }
    return found;
  };
  EXPECT_FALSE(worst(""));
  auto c = db_->Connect();
  CANBAO_OK(
      (*c)->Run("UPDATE canbao.figure SET count = count + 1 WHERE ctid = (SELECT min(ctid) "
                "FROM canbao.figure)"));
  EXPECT_TRUE(worst("CB-REGISTER-0806"));
  CANBAO_OK((*c)->Run("UPDATE canbao.run SET persons = persons + 1"));
  EXPECT_TRUE(worst("CB-REGISTER-0805"));
  CANBAO_OK((*c)->Run("UPDATE canbao.run SET persons = persons - 1"));
  options.recount = false;
  EXPECT_FALSE(worst(""));
  ::chmod((folder_.path() + "/keys/master.key").c_str(), 0644);
  EXPECT_TRUE(worst("CB-REGISTER-0403"));
}

TEST(EncoderTest, ACutRowIsRefusedAndBadTextReplaced) {
  const TableLayout* layout = nullptr;
  for (const TableLayout& t : Layouts()) {
    if (t.view == std::string_view("discrepancy")) layout = &t;
  }
  ASSERT_NE(layout, nullptr);
  RowSchema schema{"discrepancy",
                   {{"person_key", ColumnType::kU64},
                    {"row_ref", ColumnType::kU64},
                    {"kind", ColumnType::kU8},
                    {"field", ColumnType::kText},
                    {"delivered", ColumnType::kText},
                    {"prevailing", ColumnType::kText}}};
  std::string row;
  auto put = [&row](uint64_t v, size_t n) { row.append(reinterpret_cast<const char*>(&v), n); };
  auto text = [&](std::string_view t) {
    put(t.size(), 2);
    row += t;
  };
  put(11, 8);
  put(0, 8);
  put(4, 1);
  text("name");
  text(std::string_view("A\0\xE6\x9D", 4));
  text("李明");
  EncoderContext context;
  auto encoder = Encoder::For(*layout, schema, "file", &context);
  ASSERT_TRUE(encoder) << encoder.error().ToString();
  for (size_t n = 1; n < row.size(); ++n) {
    auto cut = encoder->Add(std::string_view(row).substr(0, n));
    ASSERT_FALSE(cut) << n;
    EXPECT_EQ(cut.error().code, "CB-REGISTER-0509");
  }
  ASSERT_TRUE(encoder->Add(row));
  EXPECT_EQ(encoder->rows(11 % kBuckets), 1);
  CopyBuffer& b = encoder->buffer(11 % kBuckets);
  std::string facts(
      "\x04\0\x04name\0\x0A"
      "A\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\0\x06李明",
      27);
  EXPECT_NE(std::string_view(b.data(), b.size()).find(facts), std::string_view::npos);
}

TEST_F(LoadTest, KeysOfAnotherDatabaseAreRefused) {
  db_.reset();
  std::filesystem::remove_all(folder_.path() + "/keys");
  auto gone = folder_.OpenDatabase();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "CB-REGISTER-0402");
  CANBAO_OK(FieldCipher::Open(folder_.path() + "/keys", true));
  auto other = folder_.OpenDatabase();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "CB-REGISTER-0406");
}

}  // namespace
}  // namespace canbao::reg
