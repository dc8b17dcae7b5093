// Who sees whom: random callers ask random operations about random persons, and every answer is
// held against what the owner of the database knows. CANBAO_PROBES says how many (5,000 without).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "identity/citizen_number.h"
#include "register/load.h"
#include "register/synthetic_run.h"
#include "scheme/cells.h"
#include "service/test_context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

struct Known {
  int64_t key = 0;
  int64_t county = 0, hukou = 0, residence = 0;
  std::string name, number, phone;
  scheme::Classification is;
};

struct Asker {
  Caller caller;
  int64_t low = 0, high = 0;
  bool persons = true;  // the role sees persons at all
  bool Has(int64_t division) const { return division >= low && division < high; }
  bool Sees(const Known& p) const {
    return persons && (Has(p.county * 1000000) || (p.hukou != 0 && Has(p.hukou)) ||
                       (p.residence != 0 && Has(p.residence)));
  }
};

class ScopeProbe : public ::testing::Test {
 protected:
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    auto db = folder_.OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    RunKey key{};
    reg::synthetic::Options o;
    o.persons = 900;
    auto loaded = reg::LoadRun(*db_, reg::synthetic::Make(folder_.path(), key, o), key);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    services_.db = db_.get();
    services_.data_dir = folder_.path();
    services_.policy_dir = CANBAO_SOURCE_DIR "/data";
    AddListHandlers(handlers_);
    AddPersonHandlers(handlers_);
    MoveSome();
    LearnAll();
    MakeAskers();
  }

  // Some people live in one county and count in another, or nowhere.
  void MoveSome() {
    auto owner = db_->Connect();
    ASSERT_TRUE(owner);
    CANBAO_OK((*owner)->Run(
        "UPDATE canbao.person_row SET residence = 330302000000 WHERE person_key % 11 = 0; "
        "UPDATE canbao.classification_row SET residence = 330302000000 WHERE person_key % 11 = 0; "
        "UPDATE canbao.person_row SET hukou = 330102001001 WHERE person_key % 13 = 0; "
        "UPDATE canbao.classification_row SET hukou = 330102001001 WHERE person_key % 13 = 0"));
  }

  void LearnAll() {
    auto owner = db_->Connect();
    auto rows = (*owner)->Exec(
        "SELECT p.person_key, coalesce(p.county, 0), coalesce(p.hukou, 0), coalesce(p.residence, "
        "0), "
        "p.name, p.number, p.phone, c.flags, c.duplicates, c.uncovered, c.form_2_2, p.document "
        "FROM canbao.person p JOIN canbao.classification c USING (bucket, person_key)");
    ASSERT_TRUE(rows) << rows.error().ToString();
    const reg::FieldCipher& cipher = db_->cipher();
    for (int i = 0; i < rows->size(); ++i) {
      Known k;
      k.key = rows->Int(i, 0);
      k.county = rows->Int(i, 1);
      k.hukou = rows->Int(i, 2);
      k.residence = rows->Int(i, 3);
      k.name = rows->Text(i, 4);
      if (!rows->IsNull(i, 5)) k.number = identity::ToText({*cipher.OpenNumber(rows->Bytes(i, 5))});
      if (!rows->IsNull(i, 11)) k.number = *cipher.OpenText(rows->Bytes(i, 11));
      if (!rows->IsNull(i, 6)) k.phone = *cipher.OpenPhone(rows->Bytes(i, 6));
      k.is.flags = static_cast<uint32_t>(rows->Int(i, 7));
      k.is.duplicates = static_cast<uint16_t>(rows->Int(i, 8));
      k.is.uncovered = static_cast<uint8_t>(rows->Int(i, 9));
      k.is.form_2_2 = static_cast<uint8_t>(rows->Int(i, 10));
      by_key_[k.key] = known_.size();
      known_.push_back(std::move(k));
    }
    ASSERT_GT(known_.size(), 800u);
  }

  void MakeAskers() {
    const std::pair<int64_t, int64_t> places[] = {
        {0, 1000000000000},         {330000000000, 10000000000}, {330100000000, 100000000},
        {330200000000, 100000000},  {330102000000, 1000000},     {330201000000, 1000000},
        {330302000000, 1000000},    {330102001000, 1000},        {330201001001, 1},
        {320000000000, 10000000000}};
    for (const auto& [division, size] : places) {
      for (const char* role : {"operator", "reviewer", "leader"}) {
        auto caller = TestCaller(*db_, division, role);
        ASSERT_TRUE(caller) << caller.error().ToString();
        Asker a;
        a.caller = *caller;
        a.low = division;
        a.high = division + size;
        a.persons = caller->Can("persons.read");
        askers_.push_back(std::move(a));
      }
    }
  }

  template <typename T>
  const T& Any(const std::vector<T>& from) {
    return from[rng_() % from.size()];
  }
  const Known& Someone() { return Any(known_); }

  static json::object Body(const Answer& answer) { return json::parse(answer->body).as_object(); }

  // Every person in the rows of a table may be seen.
  void ExpectVisible(const Asker& who, const json::object& table, const std::string& what) {
    for (const json::value& row : table.at("rows").as_array()) {
      const json::value* key = row.as_object().if_contains("person_key");
      if (key == nullptr || !key->is_string()) continue;
      const Known& p = known_[by_key_.at(std::stoll(std::string(key->as_string())))];
      EXPECT_TRUE(who.Sees(p)) << what << " shows " << p.key << " to " << who.caller.account;
    }
  }

  // Refused like somebody who does not exist, without a word about who it is.
  void ExpectNobody(const Answer& answer, const Answer& nobody, const Known& p) {
    ASSERT_FALSE(answer) << "answers about " << p.key;
    EXPECT_EQ(answer.error().status, 404);
    EXPECT_EQ(answer.error().error.code, nobody.error().error.code);
    EXPECT_EQ(answer.error().error.message.zh, nobody.error().error.message.zh);
    EXPECT_EQ(answer.error().error.ToString().find(p.name), std::string::npos);
  }

  Answer AskPerson(const Asker& who, const char* operation, int64_t key) {
    TestContext c(services_, who.caller);
    c.Param("key", std::to_string(key)).Body(json::object{{"purpose", "核对身份"}});
    return c.Call(handlers_, operation);
  }

  void ProbePerson(const Asker& who) {
    const Known& p = Someone();
    static constexpr const char* kOperations[] = {"getPerson", "revealPerson", "listLooks",
                                                  "explainLinks"};
    const char* operation = kOperations[rng_() % 4];
    Answer answer = AskPerson(who, operation, p.key);
    if (!who.Sees(p)) {
      ExpectNobody(answer, AskPerson(who, operation, 88888888), p);
      return;
    }
    ASSERT_TRUE(answer) << operation << ": " << answer.error().error.ToString();
    if (std::string_view(operation) == "revealPerson") {
      EXPECT_EQ(Body(answer).at("name").as_string(), p.name);
    } else {
      EXPECT_EQ(answer->body.find("\"" + p.name + "\""), std::string::npos) << "a name in clear";
      if (p.number.size() == 18) {
        EXPECT_EQ(answer->body.find(p.number), std::string::npos);
      }
    }
  }

  void ProbeSearch(const Asker& who) {
    const Known& p = Someone();
    static constexpr const char* kBys[] = {"number", "name", "phone"};
    std::string by = kBys[rng_() % 3];
    std::string value = by == "number" ? p.number : by == "name" ? p.name : p.phone;
    if (value.empty()) return;
    TestContext c(services_, who.caller);
    c.Body(json::object{{"by", by}, {"value", value}, {"purpose", "窗口查询"}, {"limit", 100}});
    Answer answer = c.Call(handlers_, "searchPersons");
    ASSERT_TRUE(answer) << answer.error().error.ToString();
    json::object table = Body(answer);
    ExpectVisible(who, table, "search by " + by);
    bool found = false;
    for (const json::value& row : table.at("rows").as_array()) {
      found = found || row.at("person_key").as_string() == std::to_string(p.key);
    }
    if (table.at("next").is_null()) {
      EXPECT_EQ(found, who.Sees(p)) << by << " of " << p.key;
    }
    ASSERT_FALSE(c.notes.empty());
    EXPECT_EQ(c.notes[0].detail.find(value), std::string::npos) << "recorded what was looked for";
  }

  void ProbeList(const Asker& who) {
    static constexpr const char* kLists[] = {"to-verify",     "uncovered", "duplicates",
                                             "discrepancies", "conflicts", "rejects"};
    std::string list = kLists[rng_() % 6];
    TestContext c(services_, who.caller);
    c.Param("list", list).Query("limit", "200").Query("page", std::to_string(1 + rng_() % 3));
    Answer answer = c.Call(handlers_, "getList");
    ASSERT_TRUE(answer) << answer.error().error.ToString();
    json::object table = Body(answer);
    ExpectVisible(who, table, list);
    int64_t expected = 0;
    for (const Known& p : known_) {
      if (!Counts(who, p)) continue;
      if (list == "to-verify") expected += (p.is.flags & scheme::kToVerify) != 0;
      if (list == "uncovered") expected += p.is.uncovered != 0;
      if (list == "duplicates") expected += __builtin_popcount(p.is.duplicates);
    }
    if (list == "to-verify" || list == "uncovered" || list == "duplicates" || !who.persons) {
      EXPECT_EQ(table.at("count").as_int64(), expected) << list << " of " << who.caller.account;
    }
  }

  // Whether a list of the asker's own division holds the person: by where the person counts.
  static bool Counts(const Asker& who, const Known& p) {
    if (!who.persons) return false;
    if (who.high - who.low >= 1000000) return who.Has(p.county * 1000000);
    return p.county == who.low / 1000000 && who.Has(p.hukou);
  }

  void ProbePeople(const Asker& who) {
    bool first = rng_() % 2 == 0;
    auto column = static_cast<uint8_t>(1 + rng_() % (first ? 25 : 27));
    bool hukou = rng_() % 2 == 0;
    TestContext c(services_, who.caller);
    c.Param("form", first ? "2-1" : "2-2")
        .Query("column", column == 27 ? "not_yet_verified" : std::to_string(column))
        .Query("population", hukou ? "hukou" : "all")
        .Query("limit", "200");
    Answer answer = c.Call(handlers_, "getFormPeople");
    ASSERT_TRUE(answer) << answer.error().error.ToString();
    json::object table = Body(answer);
    ExpectVisible(who, table, "people");
    scheme::CellTest test = scheme::TestOf(first ? scheme::kForm21 : scheme::kForm22, column);
    int64_t expected = 0;
    for (const Known& p : known_) {
      expected += Counts(who, p) && test.Holds(p.is) && (!hukou || (p.is.flags & scheme::kH) != 0);
    }
    EXPECT_EQ(table.at("count").as_int64(), expected)
        << int{column} << (first ? " of 2-1, " : " of 2-2, ") << who.caller.account;
    EXPECT_EQ(static_cast<int64_t>(table.at("rows").as_array().size()),
              std::min<int64_t>(expected, 200));
  }

  // Another's division: the same refusal whatever is there.
  void ProbeElsewhere(const Asker& who) {
    static constexpr const char* kDivisions[] = {"330102", "330201", "3302",
                                                 "32",     "440305", "330302"};
    std::string division = kDivisions[rng_() % 6];
    std::string full = division + std::string(12 - division.size(), '0');
    TestContext c(services_, who.caller);
    c.Param("list", "to-verify").Query("division", division);
    Answer answer = c.Call(handlers_, "getList");
    bool within = who.Has(std::stoll(full)) && who.high - who.low >= 1000000;
    if (answer) {
      EXPECT_TRUE(within) << division << " answered to " << who.caller.account;
      ExpectVisible(who, Body(answer), "list of " + division);
    } else if (!within) {
      EXPECT_EQ(answer.error().status, 403);
      EXPECT_EQ(answer.error().error.code, "CB-SERVICE-0301");
    }
  }

  void ProbeFilters(const Asker& who, const Asker& other) {
    if (who.caller.account_id == other.caller.account_id) return;
    TestContext save(services_, other.caller);
    save.Body(json::object{{"name", "f" + std::to_string(rng_() % 3)},
                           {"list", "to-verify"},
                           {"query", json::object{}}});
    Answer saved = save.Call(handlers_, "saveFilter");
    ASSERT_TRUE(saved) << saved.error().error.ToString();
    std::string id(Body(saved).at("id").as_string());
    TestContext list(services_, who.caller);
    Answer own = list.Call(handlers_, "listSavedFilters");
    ASSERT_TRUE(own);
    const json::object listed = Body(own);
    for (const json::value& item : listed.at("items").as_array()) {
      EXPECT_NE(item.at("id").as_string(), id) << "another's filter is listed";
    }
    TestContext drop(services_, who.caller);
    drop.Param("id", id);
    Answer refused = drop.Call(handlers_, "deleteFilter");
    ASSERT_FALSE(refused) << "another's filter was deleted";
    EXPECT_EQ(refused.error().status, 404);
  }

  reg::TestDataFolder folder_;
  std::unique_ptr<reg::Database> db_;
  Services services_;
  Handlers handlers_;
  std::vector<Known> known_;
  std::map<int64_t, size_t> by_key_;
  std::vector<Asker> askers_;
  std::mt19937_64 rng_{20170930};
};

TEST_F(ScopeProbe, NothingLeaks) {
  const char* asked = std::getenv("CANBAO_PROBES");
  int probes = asked != nullptr ? std::atoi(asked) : 5000;
  for (int i = 0; i < probes && !HasFailure(); ++i) {
    const Asker& who = Any(askers_);
    switch (rng_() % 16) {
      case 0:
        ProbeElsewhere(who);
        break;
      case 1:
        ProbeFilters(who, Any(askers_));
        break;
      case 2:
      case 3:
        ProbeList(who);
        break;
      case 4:
      case 5:
        ProbePeople(who);
        break;
      case 6:
      case 7:
      case 8:
      case 9:
        ProbeSearch(who);
        break;
      default:
        ProbePerson(who);
    }
    if (HasFailure()) ADD_FAILURE() << "probe " << i;
  }
}

}  // namespace
}  // namespace canbao::service
