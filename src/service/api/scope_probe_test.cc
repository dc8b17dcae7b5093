// Who sees whom: random callers ask random operations about random persons, cases, jobs, exports,
// and every answer is held against what the owner of the database knows. Handlers are asked
// themselves, without the gate, so that nothing but the database's policies keeps a role out.
// CANBAO_PROBES says how many. That the probes would find a leak is seen by making some.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "identity/citizen_number.h"
#include "register/load.h"
#include "register/row_export.h"
#include "register/synthetic_run.h"
#include "scheme/cells.h"
#include "service/test_context.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CANBAO_SLOW_BUILD 1
#endif
#endif

namespace canbao::service {
namespace {

namespace json = boost::json;

#ifdef CANBAO_SLOW_BUILD
constexpr int kUsualProbes = 500;
#else
constexpr int kUsualProbes = 5000;
#endif

struct Known {
  int64_t key = 0;
  int64_t county = 0, hukou = 0, residence = 0;
  std::string name, pinyin, number, phone;
  scheme::Classification is;
};

struct Asker {
  Caller caller;
  int64_t low = 0, high = 0;
  bool persons = true;  // the role sees persons at all
  // The register's province also has what no source places anywhere.
  bool Has(int64_t division) const {
    return (division >= low && division < high) || (division == 0 && low == 330000000000);
  }
  bool HasCounty(int64_t county) const { return Has(county * 1000000); }
  // All of another account's place; the country's is nobody's but the country's.
  bool Holds(int64_t division) const {
    return division == 0 ? high - low == 1000000000000 : Has(division);
  }
  bool Sees(const Known& p) const {
    return persons && (HasCounty(p.county) || (p.hukou != 0 && Has(p.hukou)) ||
                       (p.residence != 0 && Has(p.residence)));
  }
};

struct KnownCase {
  int64_t id = 0;
  std::vector<int64_t> places;
};

// A job with what hangs on it: an export, or a delivery; and an upload.
struct KnownWork {
  std::string kind;
  int64_t account = 0, division = 0;
  int64_t job = 0, delivery = 0, upload = 0;
};

// As TestContext, with a session of the pool: probes are many.
class ProbeContext : public Context {
 public:
  ProbeContext(const Services& services, Caller caller)
      : services_(services), caller_(std::move(caller)) {}

  const Request& request() const override { return request_; }
  const Caller& caller() const override { return caller_; }
  const Services& services() const override { return services_; }
  const json::value& body() const override { return body_; }
  Result<reg::Connection*> Db() override {
    if (lease_) return lease_->get();
    CANBAO_ASSIGN(auto lease, services_.pool->Take());
    lease_.emplace(std::move(lease));
    CANBAO_TRY((*lease_)->Run("BEGIN; SET LOCAL canbao.session = '" + caller_.token + "'"));
    return lease_->get();
  }
  void Record(AuditNote note) override { notes.push_back(std::move(note)); }

  Answer Call(const Handlers& handlers, std::string_view operation) {
    Answer answer = (*handlers.Find(operation))(*this);
    if (lease_) {
      Status s = (*lease_)->Run(answer ? "COMMIT" : "ROLLBACK");
      if (answer && !s) answer = tl::unexpected<Problem>(s.error());
    }
    lease_.reset();
    return answer;
  }
  ProbeContext& Param(std::string name, std::string value) {
    request_.params[std::move(name)] = std::move(value);
    return *this;
  }
  ProbeContext& Query(std::string name, std::string value) {
    request_.query[std::move(name)] = std::move(value);
    return *this;
  }
  ProbeContext& Header(std::string name, std::string value) {
    request_.headers[std::move(name)] = std::move(value);
    return *this;
  }
  ProbeContext& Body(json::value value) {
    body_ = std::move(value);
    return *this;
  }

  std::vector<AuditNote> notes;

 private:
  const Services& services_;
  Caller caller_;
  Request request_;
  json::value body_;
  std::optional<reg::Pool::Lease> lease_;
};

class ScopeProbe : public ::testing::Test {
 protected:
  struct World {
    reg::TestDataFolder folder;
    std::unique_ptr<reg::Database> db;
    std::unique_ptr<reg::Pool> pool;
    Services services;
    Handlers handlers;
    std::vector<Known> known;
    std::map<int64_t, size_t> by_key;
    std::map<std::string, std::map<int64_t, int64_t>> listed;  // rows of a list by county
    std::vector<KnownCase> cases;
    std::vector<KnownWork> work;
    std::vector<Asker> askers;
  };

  // One world for all tests of this file: making it is what costs.
  static void SetUpTestSuite() {
    if (::access((reg::InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    world_ = std::make_unique<World>();
    auto db = world_->folder.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    world_->db = std::move(*db);
    world_->pool = std::make_unique<reg::Pool>([] { return world_->db->ConnectApp(); });
    RunKey key{};
    reg::synthetic::Options o;
    o.persons = 900;
    auto loaded =
        reg::LoadRun(*world_->db, reg::synthetic::Make(world_->folder.path(), key, o), key);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    Services& s = world_->services;
    s.db = world_->db.get();
    s.pool = world_->pool.get();
    s.data_dir = world_->folder.path();
    s.policy_dir = CANBAO_SOURCE_DIR "/data";
    AddListHandlers(world_->handlers);
    AddPersonHandlers(world_->handlers);
    AddCaseHandlers(world_->handlers);
    AddJobHandlers(world_->handlers);
    AddDeliveryHandlers(world_->handlers);
    AddFigureHandlers(world_->handlers);
    AddAdministrationHandlers(world_->handlers);
    MoveSome();
    LearnPersons();
    LearnCases();
    MakeAskers();
    MakeWork();
  }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override { CANBAO_NEEDS_POSTGRES(); }

  static reg::Rows Own(const std::string& sql, const std::vector<reg::Param>& params = {}) {
    auto owner = world_->db->Connect();
    if (!owner) throw std::runtime_error(owner.error().ToString());
    auto rows = (*owner)->Exec(sql, params);
    if (!rows) throw std::runtime_error(rows.error().ToString());
    return std::move(*rows);
  }

  // Some people live in one county and count in another, or nowhere.
  static void MoveSome() {
    for (const char* table : {"person_row", "classification_row"}) {
      Own(fmt::format("UPDATE canbao.{} SET residence = 330302000000 WHERE person_key % 11 = 0",
                      table));
      Own(fmt::format("UPDATE canbao.{} SET hukou = 330102001001 WHERE person_key % 13 = 0",
                      table));
    }
  }

  static void LearnPersons() {
    reg::Rows rows = Own(
        "SELECT p.person_key, coalesce(p.county, 0), coalesce(p.hukou, 0), coalesce(p.residence, "
        "0), p.name, p.number, p.phone, c.flags, c.duplicates, c.uncovered, c.form_2_2, "
        "p.document, r.pinyin "
        "FROM canbao.person p JOIN canbao.classification c USING (bucket, person_key) "
        "JOIN canbao.person_row r ON r.bucket = p.bucket AND r.person_key = p.person_key AND "
        "r.valid_to = 'infinity'");
    const reg::FieldCipher& cipher = world_->db->cipher();
    for (int i = 0; i < rows.size(); ++i) {
      Known k;
      k.key = rows.Int(i, 0);
      k.county = rows.Int(i, 1);
      k.hukou = rows.Int(i, 2);
      k.residence = rows.Int(i, 3);
      k.name = rows.Text(i, 4);
      if (!rows.IsNull(i, 5)) k.number = identity::ToText({*cipher.OpenNumber(rows.Bytes(i, 5))});
      if (!rows.IsNull(i, 11)) k.number = *cipher.OpenText(rows.Bytes(i, 11));
      if (!rows.IsNull(i, 6)) k.phone = *cipher.OpenPhone(rows.Bytes(i, 6));
      k.is.flags = static_cast<uint32_t>(rows.Int(i, 7));
      k.is.duplicates = static_cast<uint16_t>(rows.Int(i, 8));
      k.is.uncovered = static_cast<uint8_t>(rows.Int(i, 9));
      k.is.form_2_2 = static_cast<uint8_t>(rows.Int(i, 10));
      k.pinyin = rows.Text(i, 12);
      world_->by_key[k.key] = world_->known.size();
      world_->known.push_back(std::move(k));
    }
    ASSERT_GT(world_->known.size(), 800u);
    // Those of persons are counted from the persons above.
    rows =
        Own("SELECT list, county, sum(rows) FROM canbao.listed_row WHERE list IN ('discrepancies', "
            "'conflicts', 'rejects') GROUP BY list, county");
    for (int i = 0; i < rows.size(); ++i) {
      world_->listed[std::string(rows.Text(i, 0))][rows.Int(i, 1)] += rows.Int(i, 2);
    }
  }

  static void LearnCases() {
    reg::Rows rows = Own(
        "SELECT c.case_id, c.county::bigint * 1000000, c.division, c.region::bigint * 1000000, "
        "r::bigint * 1000000 FROM canbao.case c LEFT JOIN unnest(c.regions) r ON true ORDER BY 1");
    for (int i = 0; i < rows.size(); ++i) {
      if (world_->cases.empty() || world_->cases.back().id != rows.Int(i, 0)) {
        world_->cases.push_back({rows.Int(i, 0), {}});
      }
      for (int column = 1; column < 5; ++column) {
        if (!rows.IsNull(i, column) && (column < 3 || rows.Int(i, column) != 0)) {
          world_->cases.back().places.push_back(rows.Int(i, column));
        }
      }
    }
    ASSERT_GT(world_->cases.size(), 20u);
  }

  static void MakeAskers() {
    const std::pair<int64_t, int64_t> places[] = {
        {0, 1000000000000},         {330000000000, 10000000000}, {330100000000, 100000000},
        {330200000000, 100000000},  {330102000000, 1000000},     {330201000000, 1000000},
        {330302000000, 1000000},    {330102001000, 1000},        {330201001001, 1},
        {320000000000, 10000000000}};
    for (const auto& [division, size] : places) {
      for (const char* role : {"operator", "reviewer", "leader", "clerk", "liaison",
                               "system_administrator", "audit_administrator"}) {
        auto caller = TestCaller(*world_->db, division, role);
        ASSERT_TRUE(caller) << caller.error().ToString();
        Asker a;
        a.caller = *caller;
        a.low = division;
        a.high = division + size;
        a.persons = caller->Can("persons.read");
        world_->askers.push_back(std::move(a));
      }
    }
  }

  // Jobs of everybody who may have one: with their export, or their delivery and upload.
  static void MakeWork() {
    for (const Asker& a : world_->askers) {
      for (const char* kind : {"export", "profile", "comparison"}) {
        const bool may =
            a.caller.Can(kind == std::string_view("export")       ? "exports.write"
                         : kind == std::string_view("comparison") ? "comparisons.write"
                                                                  : "deliveries.write");
        if (!may) continue;
        KnownWork w;
        w.kind = kind;
        w.account = a.caller.account_id;
        w.division = a.caller.division;
        const std::vector<reg::Param> who = {reg::Param(w.account), reg::Param(a.caller.account),
                                             reg::Param(w.division)};
        w.job = Own(fmt::format(
                        "INSERT INTO canbao.job (kind, state, argument, account_id, account, "
                        "division) VALUES ('{}', 'failed', '{{}}', $1, $2, $3) RETURNING job_id",
                        kind),
                    who)
                    .Int(0, 0);
        if (w.kind == "export") {
          Own(fmt::format(
                  "INSERT INTO canbao.export (job_id, list, query, format, clear, account_id, "
                  "account, division, purpose) VALUES ({}, 'to-verify', '{{}}', 'csv', false, "
                  "$1, $2, $3, 'of {}')",
                  w.job, w.job),
              who);
        } else {
          w.delivery =
              Own(fmt::format("INSERT INTO canbao.delivery (name, folder, account_id, account, "
                              "division, job_id) VALUES ('d{}', '/none', $1, $2, $3, {}) "
                              "RETURNING delivery_id",
                              w.job, w.job),
                  who)
                  .Int(0, 0);
          w.upload = Own(fmt::format("INSERT INTO canbao.upload (name, size, account_id) VALUES "
                                     "('u{}.csv', 10, {}) RETURNING upload_id",
                                     w.job, w.account))
                         .Int(0, 0);
        }
        world_->work.push_back(std::move(w));
      }
    }
    ASSERT_GT(world_->work.size(), 30u);
  }

  template <typename T>
  const T& Any(const std::vector<T>& from) {
    return from[rng_() % from.size()];
  }
  const Known& Someone() { return Any(world_->known); }

  // What must hold; what does not is a leak, or somebody's right that is refused.
  template <typename... Args>
  bool Must(bool holds, const char* what, const Asker& who, const Args&... args) {
    if (holds) return true;
    std::string place;
    ((place += fmt::format(" {}", args)), ...);
    leaks_.push_back(fmt::format("{}:{} as {}", what, place, who.caller.account));
    return false;
  }

  static json::object Body(const Answer& answer) { return json::parse(answer->body).as_object(); }
  static int StatusOf(const Answer& a) { return a ? a->status : a.error().status; }

  // Every person in the rows of a table may be seen.
  void MustBeVisible(const Asker& who, const json::object& table, const std::string& what) {
    for (const json::value& row : table.at("rows").as_array()) {
      const json::value* key = row.as_object().if_contains("person_key");
      if (key == nullptr || !key->is_string()) continue;
      const Known& p = world_->known[world_->by_key.at(std::stoll(std::string(key->as_string())))];
      Must(who.Sees(p), "a row about a stranger", who, what, p.key);
    }
  }

  // Refused like somebody who does not exist, without a word about who it is.
  void MustBeNobody(const Asker& who, const Answer& answer, const Answer& nobody, const Known& p) {
    if (!Must(!answer, "answers about a stranger", who, p.key)) return;
    Must(answer.error().status == 404, "no 404", who, p.key, answer.error().status);
    Must(!nobody && answer.error().error.code == nobody.error().error.code &&
             answer.error().error.message.zh == nobody.error().error.message.zh,
         "a stranger is told from nobody", who, p.key);
    Must(answer.error().error.ToString().find(p.name) == std::string::npos, "an error names", who,
         p.key);
  }

  Answer Ask(const Asker& who, const char* operation, const char* param = "",
             const std::string& value = "", json::value body = {}) {
    ProbeContext c(world_->services, who.caller);
    if (*param != 0) c.Param(param, value);
    c.Body(std::move(body));
    return c.Call(world_->handlers, operation);
  }
  Answer AskPerson(const Asker& who, const char* operation, int64_t key) {
    return Ask(who, operation, "key", std::to_string(key), json::object{{"purpose", "核对身份"}});
  }

  void ProbePerson(const Asker& who) {
    const Known& p = Someone();
    static constexpr const char* kOperations[] = {"getPerson", "revealPerson", "listLooks",
                                                  "explainLinks"};
    const char* operation = kOperations[rng_() % 4];
    Answer answer = AskPerson(who, operation, p.key);
    if (!who.Sees(p)) {
      MustBeNobody(who, answer, AskPerson(who, operation, 88888888), p);
      return;
    }
    if (!Must(answer.has_value(), "refused", who, operation, p.key)) return;
    if (std::string_view(operation) == "revealPerson") {
      Must(Body(answer).at("name").as_string() == p.name, "another's name", who, p.key);
    } else {
      Must(answer->body.find("\"" + p.name + "\"") == std::string::npos, "a name in clear", who,
           operation, p.key);
      Must(p.number.size() != 18 || answer->body.find(p.number) == std::string::npos,
           "a number in clear", who, operation, p.key);
      Must(p.phone.empty() || answer->body.find(p.phone) == std::string::npos, "a phone in clear",
           who, operation, p.key);
    }
  }

  // Also what fills in while somebody types: the beginning of a name or of its pinyin.
  void ProbeSearch(const Asker& who) {
    const Known& p = Someone();
    static constexpr const char* kBys[] = {"number", "name", "phone", "pinyin", "begun"};
    std::string by = kBys[rng_() % 5];
    std::string value = by == "number"   ? p.number
                        : by == "phone"  ? p.phone
                        : by == "pinyin" ? p.pinyin
                                         : p.name;
    if (by == "begun") {
      by = rng_() % 2 == 0 ? "name" : "pinyin";
      value = by == "name" ? p.name.substr(0, 6) : p.pinyin.substr(0, 5);
    }
    if (value.empty()) return;
    ProbeContext c(world_->services, who.caller);
    c.Body(json::object{{"by", by}, {"value", value}, {"purpose", "窗口查询"}, {"limit", 100}});
    Answer answer = c.Call(world_->handlers, "searchPersons");
    if (!Must(answer.has_value(), "refused", who, "search by", by)) return;
    json::object table = Body(answer);
    MustBeVisible(who, table, "search by " + by);
    bool found = false;
    for (const json::value& row : table.at("rows").as_array()) {
      found = found || row.at("person_key").as_string() == std::to_string(p.key);
    }
    if (table.at("next").is_null()) Must(found == who.Sees(p), "search", who, by, p.key);
    Must(!c.notes.empty() && c.notes[0].detail.find(value) == std::string::npos,
         "recorded what was looked for", who, p.key);
  }

  int64_t Expected(const Asker& who, const std::string& list) const {
    int64_t expected = 0;
    if (!who.persons) return 0;
    for (const Known& p : world_->known) {
      if (!Counts(who, p)) continue;
      if (list == "to-verify") expected += (p.is.flags & scheme::kToVerify) != 0;
      if (list == "uncovered") expected += p.is.uncovered != 0;
      if (list == "duplicates") expected += __builtin_popcount(p.is.duplicates);
    }
    // Of a township there are none: a file's rows belong to counties.
    if (auto at = world_->listed.find(list); at != world_->listed.end()) {
      for (const auto& [county, rows] : at->second) {
        if (who.high - who.low >= 1000000 && who.HasCounty(county)) expected += rows;
      }
    }
    return expected;
  }

  void ProbeList(const Asker& who) {
    static constexpr const char* kLists[] = {"to-verify",     "uncovered", "duplicates",
                                             "discrepancies", "conflicts", "rejects"};
    std::string list = kLists[rng_() % 6];
    ProbeContext c(world_->services, who.caller);
    const auto page = static_cast<int64_t>(1 + rng_() % 3);
    c.Param("list", list).Query("limit", "200").Query("page", std::to_string(page));
    Answer answer = c.Call(world_->handlers, "getList");
    if (!Must(answer.has_value(), "refused", who, list)) return;
    json::object table = Body(answer);
    MustBeVisible(who, table, list);
    const int64_t expected = Expected(who, list);
    const int64_t count = table.at("count").is_null() ? -1 : table.at("count").as_int64();
    Must(count == expected, "count", who, list, count, expected);
    const auto rows = static_cast<int64_t>(table.at("rows").as_array().size());
    // Behind the last page there are the last rows; of a township, without counts to jump by, none.
    const int64_t left = expected - (page - 1) * 200;
    Must(left > 0 || page == 1
             ? rows == std::min<int64_t>(left, 200) || (who.high - who.low < 1000000 && page > 1)
             : rows <= std::min<int64_t>(expected, 200),
         "rows", who, list, page, rows, expected);
  }

  // What an export job writes: the child reads as its caller, by the same policies.
  void ProbeExport(const Asker& who) {
    static constexpr const char* kLists[] = {"to-verify", "uncovered", "duplicates", "rejects"};
    const std::string list = kLists[rng_() % 4];
    std::map<std::string, std::string> query;
    const bool elsewhere = rng_() % 2 == 0;  // words that the start of an export lets through
    if (elsewhere) query["division"] = "330102";
    ProbeContext c(world_->services, who.caller);
    auto db = c.Db();
    auto filter = reg::FilterOf(list, "", query);
    if (!Must(db && filter, "no export", who, list)) return;
    reg::ExportOptions options;
    const Known& p = Someone();
    if (rng_() % 3 == 0) options.persons = {p.key};
    auto reader = reg::StreamRows(**db, world_->db->cipher(), *filter, options);
    if (!reader) return;  // refused: nothing is written
    size_t key_at = (*reader)->columns().size();
    for (size_t i = 0; i < (*reader)->columns().size(); ++i) {
      if (reg::DescribeColumn((*reader)->columns()[i]).key == "person_key") key_at = i;
    }
    std::vector<std::string> row;
    int64_t rows = 0;
    for (auto more = (*reader)->Next(&row); more && *more; more = (*reader)->Next(&row)) {
      ++rows;
      if (key_at >= row.size()) continue;
      auto at = world_->by_key.find(std::strtoll(row[key_at].c_str(), nullptr, 10));
      if (at == world_->by_key.end()) continue;
      Must(who.Sees(world_->known[at->second]), "an export with a stranger", who, list,
           row[key_at]);
    }
    if (elsewhere || !options.persons.empty()) {
      Must(rows == 0 || who.persons, "an export of nobody's", who, list, rows);
    } else if (who.high - who.low >= 1000000) {
      Must(rows >= Expected(who, list), "an export is short", who, list, rows);
      Must(rows == 0 || who.persons, "an export of nobody's", who, list, rows);
    }
  }

  // Whether a list of the asker's own division holds the person: by where the person counts.
  static bool Counts(const Asker& who, const Known& p) {
    if (!who.persons) return false;
    if (who.high - who.low >= 1000000) return who.HasCounty(p.county);
    return p.county == who.low / 1000000 && who.Has(p.hukou);
  }

  void ProbePeople(const Asker& who) {
    bool first = rng_() % 2 == 0;
    auto column = static_cast<uint8_t>(1 + rng_() % (first ? 25 : 27));
    bool hukou = rng_() % 2 == 0;
    ProbeContext c(world_->services, who.caller);
    c.Param("form", first ? "2-1" : "2-2")
        .Query("column", column == 27 ? "not_yet_verified" : std::to_string(column))
        .Query("population", hukou ? "hukou" : "all")
        .Query("limit", "200");
    Answer answer = c.Call(world_->handlers, "getFormPeople");
    if (!Must(answer.has_value(), "refused", who, "people of", int{column})) return;
    json::object table = Body(answer);
    MustBeVisible(who, table, "people");
    scheme::CellTest test = scheme::TestOf(first ? scheme::kForm21 : scheme::kForm22, column);
    int64_t expected = 0;
    for (const Known& p : world_->known) {
      expected += Counts(who, p) && test.Holds(p.is) && (!hukou || (p.is.flags & scheme::kH) != 0);
    }
    const int64_t count = table.at("count").as_int64();
    Must(count == expected, "people behind a figure", who, first ? "2-1" : "2-2", int{column},
         count, expected);
    const auto rows = static_cast<int64_t>(table.at("rows").as_array().size());
    Must(rows == std::min<int64_t>(expected, 200), "people of a page", who, rows, expected);
  }

  // Another's division: the same refusal whatever is there, of lists, figures, tiles, cases.
  void ProbeElsewhere(const Asker& who) {
    static constexpr const char* kDivisions[] = {"330102", "330201", "3302",
                                                 "32",     "440305", "330302"};
    std::string division = kDivisions[rng_() % 6];
    const int64_t full = std::stoll(division + std::string(12 - division.size(), '0'));
    const bool within = who.Has(full) && who.high - who.low >= 1000000;
    static constexpr const char* kOperations[] = {"getList", "getHome", "getForm", "listCases",
                                                  "searchPersons"};
    const std::string_view operation = kOperations[rng_() % 5];
    ProbeContext c(world_->services, who.caller);
    c.Param("list", "to-verify").Param("form", "2-1").Query("division", division);
    c.Body(json::object{{"by", "name"},
                        {"value", Someone().name},
                        {"division", division},
                        {"purpose", "窗口查询"}});
    Answer answer = c.Call(world_->handlers, operation);
    if (operation == "listCases") {
      if (!Must(answer.has_value(), "refused", who, operation)) return;
      json::object body = Body(answer);
      for (const json::value& item : body.at("items").as_array()) MustBeOwnCase(who, item);
      const auto seen = std::count_if(world_->cases.begin(), world_->cases.end(),
                                      [&](const KnownCase& k) { return SeesCase(who, k); });
      Must(CountsCases(body) <= seen, "cases of elsewhere are counted", who, division);
    } else if (answer) {
      Must(within, "elsewhere is answered", who, operation, division);
      if (operation == "getList" || operation == "searchPersons") {
        MustBeVisible(who, Body(answer), std::string(operation));
      }
      if (operation == "getHome") {
        json::object body = Body(answer);
        for (const json::value& tile : body.at("divisions").as_array()) {
          const std::string code(tile.at("code").as_string());
          Must(who.Has(std::stoll(code + std::string(12 - code.size(), '0'))),
               "a tile of elsewhere", who, code);
        }
      }
    } else if (!within) {
      const int status = answer.error().status;
      Must(status == 403 || status == 404, "no refusal", who, operation, division, status);
    }
  }
  static int64_t CountsCases(const json::object& page) {
    return page.at("count").is_null() ? 0 : page.at("count").as_int64();
  }

  bool SeesCase(const Asker& who, const KnownCase& k) const {
    return who.persons && std::any_of(k.places.begin(), k.places.end(),
                                      [&](int64_t place) { return who.Has(place); });
  }
  void MustBeOwnCase(const Asker& who, const json::value& item) {
    const int64_t id = std::stoll(std::string(item.at("id").as_string()));
    for (const KnownCase& k : world_->cases) {
      if (k.id == id) Must(SeesCase(who, k), "a case of strangers is listed", who, id);
    }
  }

  void ProbeCase(const Asker& who) {
    const KnownCase& k = Any(world_->cases);
    const bool step = rng_() % 4 == 0;
    ProbeContext c(world_->services, who.caller);
    c.Param("id", std::to_string(k.id)).Header("if-match", "\"99\"");
    c.Body(json::object{{"action", "comment"}, {"note", "x"}});
    Answer answer = c.Call(world_->handlers, step ? "stepCase" : "getCase");
    if (SeesCase(who, k)) {
      // Of no version: known, and not taken.
      Must(StatusOf(answer) == (step ? 412 : 200) || (step && StatusOf(answer) == 403), "a case",
           who, k.id, StatusOf(answer));
      return;
    }
    if (!Must(!answer, "a case of strangers", who, k.id)) return;
    Must(answer.error().status == 404 || (step && answer.error().status == 403), "no 404", who,
         k.id, answer.error().status);
    ProbeContext n(world_->services, who.caller);
    n.Param("id", "88888888").Header("if-match", "\"99\"");
    n.Body(json::object{{"action", "comment"}, {"note", "x"}});
    Answer nobody = n.Call(world_->handlers, step ? "stepCase" : "getCase");
    Must(!nobody && nobody.error().error.code == answer.error().error.code,
         "a case of strangers is told from none", who, k.id);
  }

  void ProbeCases(const Asker& who) {
    Answer listed = Ask(who, "listCases");
    if (!Must(listed.has_value(), "refused", who, "cases")) return;
    json::object page = Body(listed);
    for (const json::value& item : page.at("items").as_array()) MustBeOwnCase(who, item);
    if (!who.persons) Must(page.at("items").as_array().empty(), "cases without persons", who);
    Answer summary = Ask(who, "summariseCases");
    if (!Must(summary.has_value(), "refused", who, "summary")) return;
    int64_t total = 0, most = 0;
    json::object sums = Body(summary);
    for (const json::value& item : sums.at("items").as_array())
      total += item.at("count").as_int64();
    for (const KnownCase& k : world_->cases) most += SeesCase(who, k);
    Must(total <= most, "more cases are counted than are seen", who, total, most);
  }

  bool SeesJob(const Asker& who, const KnownWork& w) const {
    if (w.account == who.caller.account_id) return true;
    return who.Holds(w.division) &&
           who.caller.Can(w.kind == "export" ? "exports.audit" : "deliveries.write");
  }

  void ProbeJob(const Asker& who) {
    const KnownWork& w = Any(world_->work);
    static constexpr const char* kOperations[] = {"getJob",       "watchJob",  "getJobLog",
                                                  "getJobResult", "cancelJob", "resumeJob"};
    const bool sees = SeesJob(who, w);
    const char* operation = kOperations[rng_() % (sees ? 4 : 6)];
    Answer answer = Ask(who, operation, "id", std::to_string(w.job));
    if (std::string_view(operation) == "getJobResult") {
      Must(StatusOf(answer) == 404 || (sees && StatusOf(answer) == 403), "a result", who, w.job,
           StatusOf(answer));
    } else {
      Must(StatusOf(answer) == (sees ? 200 : 404), "a job", who, operation, w.kind, w.job,
           StatusOf(answer));
    }
    if (rng_() % 4 != 0) return;
    Answer listed = Ask(who, "listJobs");
    if (!Must(listed.has_value(), "refused", who, "jobs")) return;
    const json::object page = Body(listed);
    for (const json::value& item : page.at("items").as_array()) {
      for (const KnownWork& one : world_->work) {
        if (std::to_string(one.job) == item.at("id").as_string()) {
          Must(SeesJob(who, one), "a job is listed", who, one.kind, one.job);
        }
      }
    }
  }

  void ProbeExports(const Asker& who) {
    Answer listed = Ask(who, "listExports");
    if (!Must(listed.has_value(), "refused", who, "exports")) return;
    std::set<std::string> there;
    const json::object page = Body(listed);
    for (const json::value& item : page.at("items").as_array()) {
      there.insert(std::string(item.at("job").as_string()));
    }
    for (const KnownWork& w : world_->work) {
      if (w.kind != "export") continue;
      Must(there.contains(std::to_string(w.job)) == SeesJob(who, w), "an export in the list", who,
           w.job);
    }
  }

  void ProbeDelivery(const Asker& who) {
    const KnownWork& w = Any(world_->work);
    if (w.delivery == 0) return;
    const bool sees = w.account == who.caller.account_id ||
                      (who.caller.Can("deliveries.read") && who.Holds(w.division));
    Answer answer = Ask(who, "getDelivery", "id", std::to_string(w.delivery));
    Must(StatusOf(answer) == (sees ? 200 : 404), "a delivery", who, w.delivery, StatusOf(answer));
    if (!sees) {
      Answer rejects = Ask(who, "getDeliveryRejects", "id", std::to_string(w.delivery));
      Must(StatusOf(rejects) == 404, "rejects of a delivery", who, w.delivery, StatusOf(rejects));
      Answer decided = Ask(who, "decideDelivery", "id", std::to_string(w.delivery),
                           json::object{{"decision", "refuse"}});
      Must(StatusOf(decided) == 404, "a delivery is decided", who, w.delivery, StatusOf(decided));
    }
    Answer upload = Ask(who, "getUpload", "id", std::to_string(w.upload));
    Must(StatusOf(upload) == (w.account == who.caller.account_id ? 200 : 404), "an upload", who,
         w.upload, StatusOf(upload));
  }

  void ProbeUsers(const Asker& who) {
    Answer answer = Ask(who, "listUsers");
    if (!answer) return;
    const json::object page = Body(answer);
    for (const json::value& item : page.at("items").as_array()) {
      const std::string code(item.at("division").as_string());
      const int64_t full = std::stoll(code + std::string(12 - code.size(), '0'));
      Must(who.caller.Can("users.read") && who.Holds(full), "an account of elsewhere", who, code);
    }
  }

  void ProbeFilters(const Asker& who) {
    const Asker& other = Any(world_->askers);
    if (who.caller.account_id == other.caller.account_id) return;
    Answer saved = Ask(other, "saveFilter", "", "",
                       json::object{{"name", "f" + std::to_string(rng_() % 3)},
                                    {"list", "to-verify"},
                                    {"query", json::object{}}});
    if (!Must(saved.has_value(), "refused", other, "a filter")) return;
    std::string id(Body(saved).at("id").as_string());
    Answer own = Ask(who, "listSavedFilters");
    if (!Must(own.has_value(), "refused", who, "filters")) return;
    const json::object listed = Body(own);
    for (const json::value& item : listed.at("items").as_array()) {
      Must(item.at("id").as_string() != id, "another's filter is listed", who, id);
    }
    Must(StatusOf(Ask(who, "deleteFilter", "id", id)) == 404, "another's filter is deleted", who,
         id);
  }

  void Probe() {
    const Asker& who = Any(world_->askers);
    // How often each: what costs the database much is asked more seldom.
    struct Kind {
      unsigned weight;
      void (ScopeProbe::*ask)(const Asker&);
    };
    static constexpr Kind kKinds[] = {
        {8, &ScopeProbe::ProbePerson},  {8, &ScopeProbe::ProbeElsewhere},
        {8, &ScopeProbe::ProbeJob},     {8, &ScopeProbe::ProbeDelivery},
        {6, &ScopeProbe::ProbeList},    {4, &ScopeProbe::ProbePeople},
        {4, &ScopeProbe::ProbeSearch},  {4, &ScopeProbe::ProbeExports},
        {3, &ScopeProbe::ProbeExport},  {3, &ScopeProbe::ProbeCase},
        {2, &ScopeProbe::ProbeFilters}, {1, &ScopeProbe::ProbeCases},
        {1, &ScopeProbe::ProbeUsers},
    };
    unsigned all = 0;
    for (const Kind& kind : kKinds) all += kind.weight;
    auto at = static_cast<unsigned>(rng_() % all);
    for (const Kind& kind : kKinds) {
      if (at < kind.weight) return (this->*kind.ask)(who);
      at -= kind.weight;
    }
  }

  static std::unique_ptr<World> world_;
  std::vector<std::string> leaks_;
  std::mt19937_64 rng_{20170930};
};
std::unique_ptr<ScopeProbe::World> ScopeProbe::world_;

TEST_F(ScopeProbe, NothingLeaks) {
  const char* asked = std::getenv("CANBAO_PROBES");
  const int probes = asked != nullptr ? std::atoi(asked) : kUsualProbes;
  int done = 0;
  for (; done < probes && leaks_.size() < 20; ++done) Probe();
  EXPECT_EQ(done, probes);
  std::string said;
  for (const std::string& leak : leaks_) said += leak + "\n";
  EXPECT_TRUE(leaks_.empty()) << said;
  RecordProperty("probes", done);
}

// The probes can fail: each of these policies is what keeps something from strangers.
TEST_F(ScopeProbe, AHoleIsFound) {
  for (const char* table : {"person_row", "case", "job", "export", "delivery", "upload"}) {
    Own(fmt::format("CREATE POLICY hole ON canbao.{} FOR SELECT TO canbao_app USING (true)",
                    table));
    leaks_.clear();
    for (int i = 0; i < 600 && leaks_.empty(); ++i) Probe();
    EXPECT_FALSE(leaks_.empty()) << "a hole in the policies of " << table << " is not found";
    Own(fmt::format("DROP POLICY hole ON canbao.{}", table));
  }
  leaks_.clear();
  for (int i = 0; i < 50; ++i) Probe();
  EXPECT_TRUE(leaks_.empty()) << leaks_.front();
}

}  // namespace
}  // namespace canbao::service
