// What a page of a list, a search and a person's page cost in the sessions of a province and of its
// largest county, under row-level policies, in a register that exists already:
//   CANBAO_BENCH_DATA=/data/canbao build/release/bin/register_bench --benchmark_filter=Query
// Counters: milliseconds, median and 95th percentile.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>

#include "identity/citizen_number.h"
#include "identity/name.h"
#include "register/access/test_session.h"
#include "register/person_page.h"
#include "register/person_search.h"
#include "register/scoped_list.h"

namespace canbao::reg {
namespace {

struct Sample {
  int64_t key;
  std::string number, name;
};

struct QueryWorld {
  std::unique_ptr<Database> db;
  int64_t county = 0;
  int64_t province = 0;
  std::vector<Sample> people;  // of the county

  static QueryWorld* Get() {
    static QueryWorld* world = Make();
    return world;
  }
  static QueryWorld* Make() {
    const char* data = std::getenv("CANBAO_BENCH_DATA");
    if (data == nullptr) return nullptr;
    auto db = Database::Open(data);
    if (!db) return nullptr;
    auto* w = new QueryWorld();
    w->db = std::move(*db);
    auto c = w->db->Connect();
    auto where = (*c)->Exec(
        "SELECT county, (SELECT province FROM canbao.run LIMIT 1) FROM canbao.figure WHERE form = "
        "21 "
        "AND \"column\" = 1 AND county <> 0 GROUP BY 1 ORDER BY sum(count) DESC LIMIT 1");
    w->county = where->Int(0, 0);
    w->province = where->Int(0, 1);
    auto people = (*c)->Exec(fmt::format(
        "SELECT person_key, number, name FROM canbao.person_row TABLESAMPLE SYSTEM (3) WHERE "
        "county "
        "= {} AND number IS NOT NULL AND document IS NULL AND name IS NOT NULL LIMIT 400",
        w->county));
    for (int i = 0; i < people->size(); ++i) {
      auto number = w->db->cipher().OpenNumber(people->Bytes(i, 1));
      if (number) {
        w->people.push_back(
            {people->Int(i, 0), identity::ToText({*number}), std::string(people->Text(i, 2))});
      }
    }
    return w;
  }
};

enum Kind {
  kFirst,
  kTenThousandth,
  kMiddle,
  kPeople,
  kRare,
  kNumber,
  kNameCounty,
  kPinyin,
  kPerson
};

Status Ask(QueryWorld& w, Connection& c, Kind kind, int list, bool province, size_t i) {
  const FieldCipher& cipher = w.db->cipher();
  const Sample& who = w.people[i % w.people.size()];
  std::string own = std::to_string((province ? w.province : w.county) * 1000000);
  PageRequest page;
  page.filter.division = own;
  PersonQuery search;
  search.home = own;
  switch (kind) {
    case kFirst:
    case kTenThousandth:
    case kMiddle: {
      page.filter.list = static_cast<ListKind>(list);
      CANBAO_ASSIGN(int64_t rows, CountRows(c, page.filter));
      if (kind == kTenThousandth) page.page = std::clamp<int64_t>(rows / 50, 1, 10000);
      if (kind == kMiddle) page.page = std::max<int64_t>(1, rows / 100);
      return ReadPage(c, cipher, page).map([](const TablePage&) {});
    }
    case kPeople:
    case kRare:
      page.filter.form = kind == kPeople ? 21 : 22;
      page.filter.column = kind == kPeople ? 2 : 9;
      return ReadPage(c, cipher, page).map([](const TablePage&) {});
    case kNumber:
      search.value = who.number;
      return SearchPersons(c, cipher, search).map([](const TablePage&) {});
    case kNameCounty:
      search.by = SearchBy::kName;
      search.value = who.name;
      search.division = std::to_string(w.county);
      return SearchPersons(c, cipher, search).map([](const TablePage&) {});
    case kPinyin:
      search.by = SearchBy::kPinyin;
      search.value = identity::Pinyin(who.name);
      return SearchPersons(c, cipher, search).map([](const TablePage&) {});
    case kPerson:
      return ReadPerson(c, cipher, who.key, {}).map([](const std::optional<PersonPage>&) {});
  }
  return {};
}

void BM_Query(benchmark::State& state, Kind kind, int list, bool province) {
  QueryWorld* w = QueryWorld::Get();
  if (w == nullptr || w->people.empty())
    return state.SkipWithError("CANBAO_BENCH_DATA names no register");
  auto token = TestSession(*w->db, (province ? w->province : w->county) * 1000000, {"operator"});
  if (!token) return state.SkipWithError("no session");
  auto c = ConnectSession(*w->db, *token);
  if (!c) return state.SkipWithError("no connection");
  std::vector<double> took;
  size_t i = 0;
  for (auto _ : state) {
    auto start = std::chrono::steady_clock::now();
    (void)(*c)->Run("BEGIN");
    auto asked = Ask(*w, **c, kind, list, province, i++);
    (void)(*c)->Run("COMMIT");
    took.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
    if (!asked) return state.SkipWithError(asked.error().ToString().c_str());
  }
  std::sort(took.begin(), took.end());
  state.counters["p50_ms"] = took[took.size() / 2];
  state.counters["p95_ms"] = took[took.size() * 95 / 100];
}

void Register() {
  static const char* const kLists[] = {"to-verify",     "uncovered", "duplicates",
                                       "discrepancies", "rejects",   "conflicts"};
  static const std::pair<const char*, Kind> kPlaces[] = {
      {"first", kFirst}, {"page 10000", kTenThousandth}, {"middle", kMiddle}};
  static const std::pair<const char*, Kind> kOthers[] = {
      {"people 2-1(2)", kPeople},   {"people 2-2(9)", kRare}, {"number", kNumber},
      {"name+county", kNameCounty}, {"pinyin", kPinyin},      {"person", kPerson}};
  for (bool province : {true, false}) {
    const char* who = province ? "province" : "county";
    for (int list = 0; list < 6; ++list) {
      for (const auto& [name, kind] : kPlaces) {
        benchmark::RegisterBenchmark(fmt::format("Query/{}/{}/{}", who, kLists[list], name).c_str(),
                                     BM_Query, kind, list, province)
            ->Iterations(40)
            ->Unit(benchmark::kMillisecond);
      }
    }
    for (const auto& [name, kind] : kOthers) {
      benchmark::RegisterBenchmark(fmt::format("Query/{}/{}", who, name).c_str(), BM_Query, kind, 0,
                                   province)
          ->Iterations(100)
          ->Unit(benchmark::kMillisecond);
    }
  }
}
[[maybe_unused]] const bool kRegistered = [] {
  if (std::getenv("CANBAO_BENCH_DATA") != nullptr) Register();
  return true;
}();

}  // namespace
}  // namespace canbao::reg
