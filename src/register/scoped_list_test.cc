#include "register/scoped_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "identity/citizen_number.h"
#include "identity/name.h"
#include "register/access/test_session.h"
#include "register/cursor.h"
#include "register/load.h"
#include "register/person_page.h"
#include "register/person_search.h"
#include "register/synthetic_run.h"
#include "register/test_data_folder.h"
#include "scheme/cells.h"

namespace canbao::reg {
namespace {

constexpr int64_t kProvince = 330000000000;
constexpr int64_t kCity = 330100000000;
constexpr int64_t kCounty = 330201000000;

class ScopedListTest : public ::testing::Test {
 protected:
  // One register for all: making it costs more than asking it.
  static void SetUpTestSuite() {
    folder_ = new TestDataFolder();
    if (::access((InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = db->release();
    RunKey key{};
    key[3] = 9;
    synthetic::Options o;
    o.persons = 1500;
    auto loaded = LoadRun(*db_, synthetic::Make(folder_->path(), key, o), key);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
  }
  static void TearDownTestSuite() {
    delete db_;
    db_ = nullptr;
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override { CANBAO_NEEDS_POSTGRES(); }

  // A transaction in a session of an operator.
  std::unique_ptr<Connection> In(int64_t division) {
    auto token = TestSession(*db_, division, {"operator"});
    EXPECT_TRUE(token) << token.error().ToString();
    auto c = ConnectSession(*db_, *token);
    EXPECT_TRUE(c) << c.error().ToString();
    EXPECT_TRUE((*c)->Run("BEGIN"));
    return std::move(*c);
  }
  TablePage Page(Connection& c, const PageRequest& request) {
    auto page = ReadPage(c, db_->cipher(), request);
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? *page : TablePage{};
  }
  static int At(const TablePage& page, const char* key) {
    for (size_t i = 0; i < page.columns.size(); ++i) {
      if (page.columns[i].key == key) return static_cast<int>(i);
    }
    return -1;
  }
  // All rows, page by page; checks count, ordinals, and that the way back gives the same pages.
  std::vector<std::vector<std::string>> Walk(Connection& c, PageRequest request) {
    std::vector<std::vector<std::string>> all;
    TablePage page = Page(c, request);
    int64_t count = page.count.value_or(-1);
    std::vector<TablePage> pages;
    while (!page.rows.empty()) {
      EXPECT_EQ(page.first, static_cast<int64_t>(all.size()) + 1);
      EXPECT_EQ(page.count, count);
      all.insert(all.end(), page.rows.begin(), page.rows.end());
      pages.push_back(page);
      if (page.next.empty()) break;
      request.after = page.next;
      page = Page(c, request);
    }
    EXPECT_EQ(static_cast<int64_t>(all.size()), count);
    EXPECT_TRUE(pages.empty() || pages.front().previous.empty());
    request.after.clear();
    for (size_t i = pages.size(); i-- > 1;) {
      request.before = pages[i].previous;
      TablePage back = Page(c, request);
      EXPECT_EQ(back.rows, pages[i - 1].rows);
      EXPECT_EQ(back.first, pages[i - 1].first);
    }
    request.before.clear();
    for (size_t i = 0; i < pages.size(); i += 3) {
      request.page = static_cast<int64_t>(i) + 1;
      TablePage jumped = Page(c, request);
      EXPECT_EQ(jumped.rows, pages[i].rows);
      EXPECT_EQ(jumped.first, pages[i].first);
    }
    return all;
  }
  std::multiset<std::string> Keys(const std::vector<std::vector<std::string>>& rows, int at) {
    std::multiset<std::string> keys;
    for (const auto& row : rows) keys.insert(row[static_cast<size_t>(at)]);
    return keys;
  }
  // What the owner sees, by the command's own reader.
  std::multiset<std::string> Listed(const ListQuery& query, const char* key) {
    auto list = OpenList(*db_, query);
    EXPECT_TRUE(list) << list.error().ToString();
    size_t at = 0;
    for (size_t i = 0; i < (*list)->columns().size(); ++i) {
      if ((*list)->columns()[i].en == key) at = i;
    }
    std::multiset<std::string> keys;
    std::vector<std::string> row;
    for (;;) {
      auto more = (*list)->Next(&row);
      EXPECT_TRUE(more) << more.error().ToString();
      if (!more || !*more) return keys;
      keys.insert(row[at]);
    }
  }

  static TestDataFolder* folder_;
  static Database* db_;
};
TestDataFolder* ScopedListTest::folder_ = nullptr;
Database* ScopedListTest::db_ = nullptr;

TEST_F(ScopedListTest, ListsAreThoseOfTheCommandWithinTheScope) {
  const struct {
    ListKind kind;
    const char* key;
  } kLists[] = {{ListKind::kToVerify, "person_key"},   {ListKind::kUncovered, "person_key"},
                {ListKind::kDuplicates, "person_key"}, {ListKind::kDiscrepancies, "line"},
                {ListKind::kConflicts, "line"},        {ListKind::kRejects, "line"}};
  for (int64_t division : {kProvince, kCity, kCounty}) {
    auto c = In(division);
    for (const auto& list : kLists) {
      PageRequest request;
      request.filter.list = list.kind;
      request.filter.division = division == kProvince ? "" : std::to_string(division);
      request.limit = 17;
      auto rows = Walk(*c, request);
      ListQuery query;
      query.kind = list.kind;
      query.division = request.filter.division;
      EXPECT_EQ(Keys(rows, At(Page(*c, request), list.key)), Listed(query, list.key))
          << static_cast<int>(list.kind) << " in " << division;
    }
  }
}

TEST_F(ScopedListTest, PeopleBehindAFigureAreAsMany) {
  auto figures = FiguresAt(*db_, Date::FromYmd(2017, 9, 30));
  ASSERT_TRUE(figures);
  for (int64_t division : {kProvince, kCity, kCounty}) {
    auto c = In(division);
    for (bool hukou : {false, true}) {
      for (int form : {21, 22}) {
        for (int column = 1; column <= (form == 21 ? 25 : 27); ++column) {
          int64_t figure = 0;
          for (const FigureRow& f : *figures) {
            bool in = division == kProvince ||
                      (division == kCity ? f.city * int64_t{1000000} == division
                                         : f.county * int64_t{1000000} == division);
            if (in && f.form == form && f.column == column && (!hukou || f.hukou))
              figure += f.count;
          }
          PageRequest request;
          request.filter.form = form;
          request.filter.column = column;
          request.filter.hukou = hukou;
          request.filter.division = division == kProvince ? "" : std::to_string(division);
          request.limit = 200;
          auto rows = Walk(*c, request);
          EXPECT_EQ(static_cast<int64_t>(rows.size()), figure)
              << form << " " << column << " " << hukou << " " << division;
          EXPECT_EQ(Keys(rows, 0).size(), std::set<std::string>([&] {
                                            std::set<std::string> once;
                                            for (auto& row : rows) once.insert(row[0]);
                                            return once;
                                          }())
                                              .size());
        }
      }
    }
  }
}

TEST_F(ScopedListTest, FiltersCountWhatTheyShow) {
  std::mt19937 rng(11);
  auto c = In(kProvince);
  for (int i = 0; i < 60; ++i) {
    PageRequest request;
    RowFilter& f = request.filter;
    f.list = static_cast<ListKind>(rng() % 3);
    request.limit = 50;
    if (rng() % 3 == 0) f.branch = static_cast<int>(rng() % 5);
    if (rng() % 3 == 0) f.age_from = static_cast<int>(rng() % 60);
    if (rng() % 3 == 0) f.age_to = f.age_from + 1 + static_cast<int>(rng() % 40);
    if (rng() % 4 == 0) f.group = 27;
    if (rng() % 4 == 0) f.scheme = rng() % 2 == 0 ? 310 : 390;
    if (rng() % 3 == 0) f.division = rng() % 2 == 0 ? "3302" : "330201001001";
    if (f.list == ListKind::kDuplicates && rng() % 2 == 0) f.number = 1 << rng() % 7;
    Walk(*c, request);
  }
  PageRequest wrong;
  wrong.filter.list = ListKind::kRejects;
  wrong.filter.age_from = 3;
  auto refused = ReadPage(*c, db_->cipher(), wrong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "CB-REGISTER-1102");
}

TEST_F(ScopedListTest, CursorsAreOfTheirListAlone) {
  auto c = In(kProvince);
  PageRequest request;
  request.limit = 5;
  TablePage page = Page(*c, request);
  ASSERT_FALSE(page.next.empty());
  request.after = page.next;
  EXPECT_FALSE(Page(*c, request).rows.empty());
  std::string damaged = page.next;
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {damaged, std::string("x"), std::string(199, 'A')}) {
    request.after = bad;
    auto refused = ReadPage(*c, db_->cipher(), request);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, "CB-REGISTER-1101");
  }
  request.after = page.next;
  request.filter.list = ListKind::kUncovered;
  auto refused = ReadPage(*c, db_->cipher(), request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "CB-REGISTER-1101");
}

TEST_F(ScopedListTest, NothingIdentifyingIsShownInClear) {
  auto owner = db_->Connect();
  ASSERT_TRUE(owner);
  auto known = (*owner)->Exec("SELECT person_key, name FROM canbao.person WHERE name IS NOT NULL");
  ASSERT_TRUE(known);
  std::map<std::string, std::string> names;
  for (int i = 0; i < known->size(); ++i) {
    names[std::string(known->Text(i, 0))] = known->Text(i, 1);
  }
  auto c = In(kProvince);
  PageRequest request;
  request.limit = 200;
  TablePage page = Page(*c, request);
  int number = At(page, "number"), name = At(page, "name");
  for (const auto& row : page.rows) {
    EXPECT_NE(row[static_cast<size_t>(name)], names[row[0]]);
    EXPECT_NE(row[static_cast<size_t>(number)].find('*'), std::string::npos);
  }
}

TEST_F(ScopedListTest, SearchFindsWithinTheScopeOnly) {
  auto owner = db_->Connect();
  ASSERT_TRUE(owner);
  auto people = (*owner)->Exec(
      "SELECT person_key, number, name, phone, coalesce(county, 0) FROM canbao.person WHERE "
      "number IS NOT NULL AND document IS NULL AND phone IS NOT NULL ORDER BY person_key LIMIT 40");
  ASSERT_TRUE(people);
  ASSERT_GT(people->size(), 20);
  auto all = In(kProvince);
  auto county = In(kCounty);
  int inside = 0;
  for (int i = 0; i < people->size(); ++i) {
    PersonQuery by_number, by_name, by_phone, by_pinyin;
    by_number.value = identity::ToText({*db_->cipher().OpenNumber(people->Bytes(i, 1))});
    by_name.by = SearchBy::kName;
    by_name.value = people->Text(i, 2);
    by_phone.by = SearchBy::kPhone;
    by_phone.value = *db_->cipher().OpenPhone(people->Bytes(i, 3));
    by_pinyin.by = SearchBy::kPinyin;
    by_pinyin.value = identity::Pinyin(people->Text(i, 2));
    for (PersonQuery& q : std::array{by_number, by_name, by_phone, by_pinyin}) {
      q.limit = 100;
      auto found = SearchPersons(*all, db_->cipher(), q);
      ASSERT_TRUE(found) << found.error().ToString();
      bool has = false;
      for (const auto& row : found->rows) has = has || row[0] == people->Text(i, 0);
      if (!found->next.empty()) continue;  // a phone that many share
      EXPECT_TRUE(has) << q.value;
      auto within = SearchPersons(*county, db_->cipher(), q);
      ASSERT_TRUE(within);
      bool sees = false;
      for (const auto& row : within->rows) {
        sees = sees || row[0] == people->Text(i, 0);
        EXPECT_EQ(row[5], "330201") << "a person of another county was found";
      }
      EXPECT_EQ(sees, people->Int(i, 4) == 330201);
      inside += sees;
    }
  }
  EXPECT_GT(inside, 0);
}

TEST_F(ScopedListTest, SearchPagesAreWhole) {
  auto all = In(kProvince);
  PersonQuery q;
  q.by = SearchBy::kPinyin;
  q.value = "wm";
  q.limit = 7;
  std::set<std::string> seen;
  for (int pages = 0; pages < 300; ++pages) {
    auto page = SearchPersons(*all, db_->cipher(), q);
    ASSERT_TRUE(page) << page.error().ToString();
    for (const auto& row : page->rows) EXPECT_TRUE(seen.insert(row[0]).second) << row[0];
    if (page->next.empty()) break;
    q.after = page->next;
  }
  auto owner = db_->Connect();
  auto expected = (*owner)->Exec(
      "SELECT count(*) FROM canbao.person_row WHERE initials = 'wm' OR pinyin = 'wm'");
  ASSERT_TRUE(expected);
  EXPECT_EQ(static_cast<int64_t>(seen.size()), expected->Int(0, 0));
}

TEST_F(ScopedListTest, APersonOutOfScopeDoesNotExist) {
  auto owner = db_->Connect();
  auto people = (*owner)->Exec(
      "SELECT person_key, county FROM canbao.person WHERE person_key <= 60 ORDER BY 1");
  ASSERT_TRUE(people);
  auto county = In(kCounty);
  int seen = 0;
  for (int i = 0; i < people->size(); ++i) {
    int64_t key = people->Int(i, 0);
    bool inside = people->Int(i, 1) == 330201;
    auto page = ReadPerson(*county, db_->cipher(), key, {});
    ASSERT_TRUE(page) << page.error().ToString();
    EXPECT_EQ(page->has_value(), inside) << key;
    auto clear = RevealPerson(*county, db_->cipher(), key);
    ASSERT_TRUE(clear);
    EXPECT_EQ(clear->has_value(), inside);
    auto links = LinksOf(*county, key, {});
    ASSERT_TRUE(links) << links.error().ToString();
    EXPECT_EQ(links->has_value(), inside);
    if (!inside || !*page) continue;
    ++seen;
    EXPECT_FALSE((*page)->enrolments.empty());
    EXPECT_FALSE((*page)->sections.empty());
    EXPECT_EQ((*page)->history.size(), 1u);
    EXPECT_NE((*page)->identity.name, (*clear)->name);
    EXPECT_FALSE((*links)->rows.empty());
  }
  EXPECT_GT(seen, 2);
  auto nobody = ReadPerson(*county, db_->cipher(), 999999999, {});
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->has_value());
}

}  // namespace
}  // namespace canbao::reg
