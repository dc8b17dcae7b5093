// Figures, runs, divisions and policy as their handlers answer, on a real database with a small
// register at two cut-offs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <set>

#include "register/load.h"
#include "register/synthetic_run.h"
#include "service/api/figure_pages.h"
#include "service/test_context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using reg::InstanceOptions;
using reg::TestDataFolder;

constexpr const char* kSeptemberDay = "2017-09-30";
constexpr const char* kDecemberDay = "2017-12-31";

// One register for all tests of this file: loading it is what costs.
class FiguresTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access((InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    world_ = std::make_unique<World>();
    auto db = world_->folder.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    world_->db = std::move(*db);
    RunKey key{};
    key[3] = 9;
    for (bool december : {false, true}) {
      reg::synthetic::Options o;
      o.persons = december ? 1100 : 1000;
      o.run = december ? "december" : "september";
      o.cutoff = december ? Date::FromYmd(2017, 12, 31) : Date::FromYmd(2017, 9, 30);
      o.file_digest = december ? "bb" : "aa";
      const std::string run = reg::synthetic::Make(world_->folder.path(), key, o);
      auto report = reg::LoadRun(*world_->db, run, key);
      ASSERT_TRUE(report) << report.error().ToString();
    }
    // People of the province whose place nobody knows.
    auto owner = world_->db->Connect();
    ASSERT_TRUE(owner);
    auto s = (*owner)->Run(
        "INSERT INTO canbao.figure VALUES ('2017-12-31', 0, 0, false, 21, 23, 7), "
        "('2017-12-31', 0, 0, true, 21, 1, 3), ('2017-12-31', 0, 0, true, 21, 5, 3)");
    ASSERT_TRUE(s) << s.error().ToString();
    world_->services.db = world_->db.get();
    world_->services.data_dir = world_->folder.path();
    world_->services.policy_dir = CANBAO_SOURCE_DIR "/data";
    AddFigureHandlers(world_->handlers);
    AddDivisionHandlers(world_->handlers);
    AddPolicyHandlers(world_->handlers);
  }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { CANBAO_NEEDS_POSTGRES(); }

  using Queries = std::vector<std::pair<std::string, std::string>>;

  static Answer Ask(const std::string& role, int64_t division, const char* operation,
                    const Queries& params, const Queries& query, json::value body = {}) {
    auto caller = TestCaller(*world_->db, division, role);
    EXPECT_TRUE(caller) << caller.error().ToString();
    TestContext c(world_->services, *caller);
    for (const auto& [name, value] : params) c.Param(name, value);
    for (const auto& [name, value] : query) c.Query(name, value);
    c.Body(std::move(body));
    return c.Call(world_->handlers, operation);
  }
  static json::object Get(int64_t division, const char* operation, const Queries& params = {},
                          const Queries& query = {}, const std::string& role = "operator") {
    Answer a = Ask(role, division, operation, params, query);
    EXPECT_TRUE(a) << a.error().error.ToString();
    return a ? json::parse(a->body).as_object() : json::object{};
  }
  static int StatusOf(const Answer& a) { return a ? a->status : a.error().status; }
  static std::string CodeOf(const Answer& a) { return a ? std::string() : a.error().error.code; }

  // As `canbao forms` does it: all figures, by the owner.
  static std::string Expected(const std::string& form, uint32_t division, bool hukou) {
    auto day = Date::FromYmd(2017, 12, 31);
    reporting::FiguresSource s;
    auto run = reg::RunAt(*world_->db, day);
    EXPECT_TRUE(run && *run);
    EXPECT_TRUE(s.TakeManifest((*run)->manifest));
    auto rows = reg::FiguresAt(*world_->db, day);
    EXPECT_TRUE(rows);
    for (const reg::FigureRow& r : *rows) {
      s.cube.Add(r.county, r.city, r.hukou, static_cast<uint8_t>(r.form),
                 static_cast<uint8_t>(r.column), r.count);
    }
    auto owner = world_->db->Connect();
    EXPECT_TRUE(owner);
    auto errors = reg::ErrorsSeen(**owner, day);
    EXPECT_TRUE(errors);
    if (*errors) s.SetErrors((*errors)->found, (*errors)->corrected);
    auto loaded = reporting::LoadForm(world_->services.policy_dir, form, day);
    auto table = identity::DivisionTable::Load(world_->services.policy_dir);
    EXPECT_TRUE(loaded && table);
    return reporting::RenderJson(reporting::MakeFormTable(
        s, *loaded, division, reporting::LevelOf(division),
        hukou ? reporting::Population::kHukou : reporting::Population::kAll, *table));
  }

  struct World {
    TestDataFolder folder;
    std::unique_ptr<reg::Database> db;
    Services services;
    Handlers handlers;
  };
  static std::unique_ptr<World> world_;
};
std::unique_ptr<FiguresTest::World> FiguresTest::world_;

TEST_F(FiguresTest, FormsAreThoseOfTheCommandForEveryDivision) {
  std::vector<uint32_t> divisions = {330000, 330100, 330200, 330300};
  for (uint32_t city : {330100, 330200, 330300}) {
    for (uint32_t county = 1; county <= 3; ++county) divisions.push_back(city + county);
  }
  auto table = identity::DivisionTable::Load(world_->services.policy_dir);
  ASSERT_TRUE(table);
  std::erase_if(divisions, [&](uint32_t d) {
    return !table->IsKnown(identity::Division{uint64_t{d} * 1000000});
  });
  ASSERT_GE(divisions.size(), 8u);
  for (const char* form : {"2-1", "2-2", "1"}) {
    for (uint32_t division : divisions) {
      for (bool hukou : {false, true}) {
        const std::string expected = Expected(form, division, hukou);
        // Once by who holds the province, once by who holds no more than the division itself.
        for (int64_t own : {int64_t{330000000000}, int64_t{division} * 1000000}) {
          Answer a = Ask("operator", own, "getFormFile", {{"form", form}},
                         {{"division", std::to_string(division)},
                          {"population", hukou ? "hukou" : "all"},
                          {"format", "json"}});
          ASSERT_TRUE(a) << a.error().error.ToString();
          EXPECT_EQ(a->body, expected) << form << " of " << division << " for " << own;
        }
      }
    }
  }
}

TEST_F(FiguresTest, AWorkbookIsBytesWithAName) {
  Answer a = Ask("leader", 330100000000, "getFormFile", {{"form", "2-1"}}, {});
  ASSERT_TRUE(a) << a.error().error.ToString();
  EXPECT_EQ(a->body.substr(0, 2), "PK");
  Answer again = Ask("leader", 330100000000, "getFormFile", {{"form", "2-1"}}, {});
  EXPECT_EQ(a->body, again->body);
  bool named = false;
  for (const auto& [name, value] : a->headers) {
    named |= name == "Content-Disposition" && value.find("2-1") != std::string::npos;
  }
  EXPECT_TRUE(named);
}

TEST_F(FiguresTest, AFormPageHasLayoutFiguresAndChecks) {
  json::object page = Get(330000000000, "getForm", {{"form", "2-1"}});
  EXPECT_EQ(page["division"], "330000");
  EXPECT_EQ(page["cutoff"], kDecemberDay);
  EXPECT_EQ(page["columns"].as_array().size(), 25u);
  EXPECT_EQ(page["rows"].as_array().size(), 3u);
  // Every line of the headings covers what the line above leaves open: 25 columns at the bottom.
  std::set<int64_t> covered;
  const json::array& headings = page["headings"].as_array();
  for (const json::value& cell : headings.back().as_array()) {
    const int64_t first = cell.at("column").as_int64();
    for (int64_t i = 0; i < cell.at("span").as_int64(); ++i) covered.insert(first + i);
  }
  EXPECT_EQ(covered.size(), 25u);
  const json::object& to_verify = page["columns"].as_array()[4].as_object();
  EXPECT_EQ(to_verify.at("key"), "5");
  EXPECT_TRUE(to_verify.at("opens").as_bool());
  EXPECT_EQ(to_verify.at("text").as_string(), std::to_string(to_verify.at("value").as_int64()));
  // No settlements were delivered: not collected is no number.
  const json::object& settled = page["columns"].as_array()[20].as_object();
  EXPECT_TRUE(settled.at("value").is_null());
  EXPECT_EQ(settled.at("text"), "未采集");
  EXPECT_FALSE(settled.at("opens").as_bool());
  for (const json::value& check : page["checks"].as_array()) {
    EXPECT_FALSE(check.at("text").at("zh").as_string().empty());
  }

  json::object second = Get(330000000000, "getForm", {{"form", "2-2"}});
  EXPECT_EQ(second["columns"].as_array().size(), 27u);
  EXPECT_EQ(second["headings"].as_array().size(), 3u);
  EXPECT_EQ(second["columns"].as_array()[26].at("key"), "not_yet_verified");
}

TEST_F(FiguresTest, OtherDivisionsAreAsUnknownAsNone) {
  for (const char* operation : {"getForm", "getFormFile", "getHome"}) {
    for (const char* division : {"330200", "330000", "330201", "110000", "339999", "00"}) {
      Answer a =
          Ask("operator", 330100000000, operation, {{"form", "2-1"}}, {{"division", division}});
      EXPECT_EQ(StatusOf(a), 404) << operation << " " << division;
      EXPECT_EQ(CodeOf(a), "CB-SERVICE-0201") << operation << " " << division;
    }
  }
  EXPECT_EQ(CodeOf(Ask("operator", 330000000000, "getForm", {{"form", "2-1"}},
                       {{"cutoff", "2016-01-31"}})),
            "CB-SERVICE-0202");
  EXPECT_EQ(CodeOf(Ask("operator", 330102001000, "getForm", {{"form", "2-1"}}, {})),
            "CB-SERVICE-0203");
}

TEST_F(FiguresTest, HomeAddsUp) {
  json::object home = Get(330000000000, "getHome");
  EXPECT_EQ(home["cutoff"], kDecemberDay);
  EXPECT_EQ(home["previous_cutoff"], kSeptemberDay);
  json::object form = Get(330000000000, "getForm", {{"form", "2-1"}});
  auto column = [&](size_t n) { return form["columns"].as_array()[n - 1].at("value").as_int64(); };
  std::map<std::string, json::object> funnel;
  for (const json::value& step : home["funnel"].as_array()) {
    funnel[std::string(step.at("key").as_string())] = step.as_object();
  }
  EXPECT_EQ(funnel["to_verify"]["value"], column(5));
  EXPECT_EQ(funnel["registered"]["value"], column(2) + column(4) + column(6));
  EXPECT_EQ(funnel["uncovered_pension"]["value"], column(7));
  json::object before =
      Get(330000000000, "getForm", {{"form", "2-1"}}, {{"cutoff", kSeptemberDay}});
  EXPECT_EQ(funnel["to_verify"]["previous"], before["columns"].as_array()[4].at("value"));
  EXPECT_EQ(home["branches"].as_array().size(), 5u);
  EXPECT_EQ(home["branches"].as_array()[2].at("uncovered"), column(23));

  // Tiles: every city has one, no two share a place, and with the unplaced they are the province.
  int64_t to_verify = 3;
  std::set<std::pair<int64_t, int64_t>> places;
  for (const json::value& tile : home["divisions"].as_array()) {
    to_verify += tile.at("values").at("to_verify").as_int64();
    places.emplace(tile.at("column").as_int64(), tile.at("row").as_int64());
  }
  EXPECT_EQ(to_verify, column(5));
  EXPECT_EQ(places.size(), home["divisions"].as_array().size());
  EXPECT_EQ(places.size(), 11u);  // cities of Zhejiang
}

TEST_F(FiguresTest, HomeOfEveryLevel) {
  json::object country = Get(0, "getHome");
  EXPECT_EQ(country["division"].at("level"), "country");
  EXPECT_GE(country["divisions"].as_array().size(), 31u);
  int known = 0;
  for (const json::value& tile : country["divisions"].as_array()) {
    known += tile.at("values").at("to_verify").is_null() ? 0 : 1;
  }
  EXPECT_EQ(known, 1) << "the register holds one province";
  json::object county = Get(330102000000, "getHome");
  EXPECT_EQ(county["division"].at("level"), "county");
  EXPECT_FALSE(county["funnel"].as_array()[3].at("value").is_null());
  EXPECT_TRUE(county["divisions"].as_array().empty());
  json::object town = Get(330102001000, "getHome");
  EXPECT_EQ(town["division"].at("level"), "township");
  EXPECT_TRUE(town["funnel"].as_array()[3].at("value").is_null()) << "figures end at the county";
}

TEST_F(FiguresTest, AccountsAreThoseOfTheCallersPlace) {
  json::object runs = Get(330000000000, "listRuns");
  ASSERT_EQ(runs["items"].as_array().size(), 2u);
  EXPECT_EQ(runs["items"].as_array()[0].at("name"), "december");
  const std::string id(runs["items"].as_array()[0].at("id").as_string());

  json::object run = Get(330000000000, "getRun", {{"id", id}});
  ASSERT_EQ(run["accounts"].as_array().size(), 2u);
  for (const json::value& a : run["accounts"].as_array()) {
    EXPECT_EQ(a.at("rows_in").as_int64(), a.at("linked").as_int64() + a.at("unlinked").as_int64() +
                                              a.at("rejected").as_int64() +
                                              a.at("reference").as_int64());
  }
  ASSERT_EQ(run["outcomes"].as_array().size(), 1u);
  const json::value& exact = run["outcomes"].as_array()[0];
  EXPECT_EQ(exact.at("outcome"), "exact");
  EXPECT_GT(exact.at("count").as_int64(), exact.at("previous").as_int64());
  EXPECT_FALSE(run["figures"].as_array().empty());
  for (const json::value& f : run["figures"].as_array()) {
    EXPECT_FALSE(f.at("previous").is_null()) << f.at("column");
  }

  // The city sees the account of its own file, not of the province's; another city none.
  json::object city = Get(330100000000, "getRun", {{"id", id}});
  ASSERT_EQ(city["accounts"].as_array().size(), 1u);
  EXPECT_EQ(city["accounts"].as_array()[0].at("file"), "pension.csv");
  EXPECT_TRUE(Get(330200000000, "getRun", {{"id", id}})["accounts"].as_array().empty());
  EXPECT_EQ(CodeOf(Ask("operator", 330000000000, "getRun", {{"id", "999"}}, {})),
            "CB-SERVICE-0204");
}

TEST_F(FiguresTest, TheServiceDoesNotReadManifests) {
  auto caller = TestCaller(*world_->db, 330000000000, "operator");
  ASSERT_TRUE(caller);
  auto c = reg::ConnectSession(*world_->db, caller->token);
  ASSERT_TRUE(c);
  EXPECT_FALSE((*c)->Exec("SELECT manifest FROM canbao.run"));
  auto facts =
      (*c)->Exec("SELECT canbao.run_facts(1) ? 'figures', canbao.run_facts(1) ? 'extracts'");
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_FALSE(facts->Bool(0, 0));
  EXPECT_TRUE(facts->Bool(0, 1));
}

TEST_F(FiguresTest, DivisionsAreFoundAndTheirChangesKept) {
  json::object found = Get(330100000000, "listDivisions", {}, {{"q", "上城"}, {"limit", "20"}});
  bool shangcheng = false;
  for (const json::value& d : found["items"].as_array()) shangcheng |= d.at("code") == "330102";
  EXPECT_TRUE(shangcheng);
  EXPECT_EQ(Get(330100000000, "listDivisions")["items"].as_array()[0].at("code"), "110000");
  json::object detail = Get(330100000000, "getDivision", {{"code", "330102"}});
  ASSERT_EQ(detail["parents"].as_array().size(), 2u);
  EXPECT_EQ(detail["parents"].as_array()[1].at("code"), "330100");

  const json::object change{{"kind", "rename"},
                            {"code", "330122"},
                            {"name", "桐庐新区"},
                            {"date", "2030-05-01"},
                            {"source", "测试批复"}};
  Answer added = Ask("system_administrator", 330000000000, "addDivisionChange", {}, {}, change);
  ASSERT_TRUE(added) << added.error().error.ToString();
  EXPECT_EQ(added->status, 201);
  EXPECT_EQ(
      StatusOf(Ask("system_administrator", 330000000000, "addDivisionChange", {}, {}, change)),
      409);
  EXPECT_EQ(Get(330100000000, "getDivision", {{"code", "330122"}})["name"], "桐庐新区");
  json::object history = Get(330100000000, "getDivision", {{"code", "330122"}});
  EXPECT_EQ(history["history"].as_array().back().at("source"), "测试批复");
  EXPECT_EQ(history["history"].as_array().back().at("date"), "2030-05-01");
  EXPECT_EQ(Get(330000000000, "listDivisionChanges", {}, {}, "leader")["items"].as_array().size(),
            1u);

  // Not by others, whatever a handler lets through; and nothing that makes no sense.
  json::object other = change;
  other["date"] = "2031-05-01";
  EXPECT_FALSE(Ask("operator", 330000000000, "addDivisionChange", {}, {}, other));
  other["kind"] = "merge";
  Answer wrong = Ask("system_administrator", 330000000000, "addDivisionChange", {}, {}, other);
  EXPECT_EQ(StatusOf(wrong), 422);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().fields.front().field, "successor");
}

TEST_F(FiguresTest, PolicyIsReadByIdsOfTheListOnly) {
  json::object list = Get(330000000000, "listPolicy");
  std::set<std::string> ids;
  for (const json::value& f : list["items"].as_array()) {
    ids.insert(std::string(f.at("id").as_string()));
    EXPECT_EQ(f.at("sha256").as_string().size(), 64u);
    if (f.at("id") == "rules:obligations-2020.toml") {
      EXPECT_EQ(f.at("kind"), "rules");
      EXPECT_FALSE(f.at("from").is_null());
      EXPECT_FALSE(f.at("source").is_null());
    }
  }
  EXPECT_TRUE(ids.contains("rules:obligations-2020.toml"));
  EXPECT_TRUE(ids.contains("forms:form-2-1.toml"));
  Answer file = Ask("leader", 330000000000, "getPolicy", {{"id", "forms:form-2-1.toml"}}, {});
  ASSERT_TRUE(file);
  EXPECT_NE(file->body.find("全民参保登记"), std::string::npos);
  for (const char* id : {"../CMakeLists.txt", "forms/form-2-1.toml", "/etc/passwd",
                         "..:CMakeLists.txt", "forms:..:..:README.md", ""}) {
    EXPECT_EQ(CodeOf(Ask("leader", 330000000000, "getPolicy", {{"id", id}}, {})), "CB-SERVICE-0206")
        << id;
  }
}

TEST_F(FiguresTest, SourcesShowWhatTheyLastDelivered) {
  json::object sources = Get(330000000000, "listSources", {}, {}, "system_administrator");
  ASSERT_EQ(sources["rows"].as_array().size(), 2u);
  EXPECT_EQ(sources["rows"].as_array()[1].at("source"), "sb-330100");
  EXPECT_EQ(sources["rows"].as_array()[1].at("cutoff"), kDecemberDay);
  EXPECT_EQ(sources["rows"].as_array()[1].at("runs"), 2);
}

TEST_F(FiguresTest, HealthLooksAtEverything) {
  json::object health = Get(330000000000, "getHealth", {}, {}, "system_administrator");
  std::set<std::string> names;
  for (const json::value& check : health["checks"].as_array()) {
    names.insert(std::string(check.at("name").at("en").as_string()));
    if (check.at("name").at("en") == "Schema" || check.at("name").at("en") == "Keys" ||
        check.at("name").at("en") == "Accounts of rows" ||
        check.at("name").at("en") == "Database") {
      EXPECT_TRUE(check.at("ok").as_bool()) << check;
    }
  }
  EXPECT_TRUE(names.contains("Disk space"));
  EXPECT_TRUE(names.contains("Last load"));
  EXPECT_GE(names.size(), 9u);
}

TEST_F(FiguresTest, CutoffsAscend) {
  json::object cutoffs = Get(330102000000, "listCutoffs");
  EXPECT_EQ(cutoffs["items"], (json::array{kSeptemberDay, kDecemberDay}));
}

}  // namespace
}  // namespace canbao::service
