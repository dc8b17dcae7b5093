// What one classification costs. The comparison calls it once per person, so 60 ns here are 6 s of
// one core for 100 million persons.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "scheme/cells.h"
#include "scheme/person.h"
#include "scheme/rules.h"

namespace canbao::scheme {
namespace {

struct Population {
  std::vector<PersonFacts> persons;
  std::vector<EnrolmentFact> enrolments;
  std::vector<EvidenceFact> evidence;
};

// Employees with five schemes and residents with two, some evidence for every third.
Population MakePopulation(int schemes) {
  Population p;
  std::mt19937_64 random(1);
  constexpr int kPersons = 4096;
  p.enrolments.reserve(kPersons * 6);
  p.evidence.reserve(kPersons);
  static constexpr SchemeCode kSchemes[] = {110, 310, 410, 210, 510, 170};
  for (int i = 0; i < kPersons; ++i) {
    size_t first = p.enrolments.size();
    for (int k = 0; k < schemes; ++k) {
      EnrolmentFact e;
      e.scheme = kSchemes[k];
      e.state = random() % 8 == 0 ? State::kInterrupted : State::kContributing;
      e.confirmed = true;
      e.has_employer = true;
      e.unit_type = 10;
      e.insured_category = 101;
      e.region = 330100 + static_cast<uint32_t>(random() % 3) * 100;
      e.employer_county = e.region + 6;
      e.enrolled_on = Date::FromYmd(2010, 1, 1);
      p.enrolments.push_back(e);
    }
    size_t first_evidence = p.evidence.size();
    if (i % 3 == 0) {
      EvidenceFact e;
      e.kind = EvidenceKind::kWageTax;
      e.from = Date::FromYmd(2017, 9, 1);
      e.unit_type = 10;
      p.evidence.push_back(e);
    }
    PersonFacts facts;
    facts.in_register = random() % 8 != 0;
    facts.hukou.v = 330102001001;
    facts.birth = Date::FromYmd(1950 + static_cast<int>(random() % 60), 5, 5);
    facts.sex = identity::Sex::kMale;
    facts.enrolments = {p.enrolments.data() + first, static_cast<size_t>(schemes)};
    facts.evidence = {p.evidence.data() + first_evidence, p.evidence.size() - first_evidence};
    p.persons.push_back(facts);
  }
  return p;
}

void BM_Classify(benchmark::State& state) {
  auto rules =
      LoadRules(std::string(CANBAO_SOURCE_DIR) + "/data", 330000, Date::FromYmd(2017, 9, 30));
  if (!rules) {
    state.SkipWithError("rules");
    return;
  }
  Population p = MakePopulation(static_cast<int>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Classify(p.persons[i], **rules));
    i = (i + 1) % p.persons.size();
  }
}
BENCHMARK(BM_Classify)->Arg(2)->Arg(5)->Arg(6);

void BM_ForEachCell(benchmark::State& state) {
  Classification c;
  c.flags = kH | kL;
  c.uncovered = 12;
  c.form_2_2 = 10;
  uint64_t sum = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(c);
    ForEachCell(c, [&](uint8_t form, uint8_t column) { sum += form + column; });
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(BM_ForEachCell);

void BM_LoadRules(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        LoadRules(std::string(CANBAO_SOURCE_DIR) + "/data", 330000, Date::FromYmd(2017, 9, 30)));
  }
}
BENCHMARK(BM_LoadRules);

}  // namespace
}  // namespace canbao::scheme
