// Invariants of the classification over random persons: what the printed checks of the forms rest
// on must hold for every person, not only for the situations somebody thought of.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "scheme/cells.h"
#include "scheme/person.h"
#include "scheme/rules.h"

namespace canbao::scheme {
namespace {

Date Cutoff() { return Date::FromYmd(2017, 9, 30); }

RulesPtr Load() {
  auto rules = LoadRules(std::string(CANBAO_SOURCE_DIR) + "/data", 330000, Cutoff());
  EXPECT_TRUE(rules) << rules.error().ToString();
  return std::move(*rules);
}

// A person with everything that can happen to one, more often than in life.
struct RandomPerson {
  PersonFacts facts;
  std::vector<EnrolmentFact> enrolments;
  std::vector<EvidenceFact> evidence;

  explicit RandomPerson(std::mt19937_64& random) {
    auto below = [&](uint64_t n) { return random() % n; };
    auto day = [&] {
      return below(4) == 0 ? Date{} : Date{static_cast<uint16_t>(Cutoff().v - 900 + below(1000))};
    };
    facts.in_register = below(4) != 0;
    facts.confirmed = below(20) != 0;
    facts.management = static_cast<Management>(below(3) == 0 ? below(5) : 0);
    facts.changed_on = below(3) == 0 ? day() : Date{};
    static constexpr uint64_t kHukou[] = {330102, 330281, 330300, 340102};
    facts.hukou.v = facts.in_register ? kHukou[below(4)] * 1000000 : 0;
    facts.birth = below(10) == 0 ? Date{} : Date{static_cast<uint16_t>(20000 + below(30000))};
    facts.sex = static_cast<identity::Sex>(below(3));
    static constexpr SchemeCode kSchemes[] = {110, 120, 170, 210, 310, 340,
                                              380, 390, 391, 392, 410, 510};
    static constexpr uint32_t kRegions[] = {0,      330000, 330100, 330102, 330106,
                                            330200, 330281, 320100, 320500, 659001};
    for (uint64_t n = below(7); n > 0; --n) {
      EnrolmentFact e;
      e.scheme = kSchemes[below(std::size(kSchemes))];
      e.state = static_cast<State>(below(7));
      e.confirmed = below(8) != 0;
      e.has_employer = below(2) == 0;
      e.unit_type = static_cast<uint8_t>(below(4) * 10);
      e.insured_category = static_cast<uint16_t>(below(3) == 0 ? 102 : below(5) == 0 ? 301 : 101);
      e.region = kRegions[below(std::size(kRegions))];
      e.employer_county = below(2) == 0 ? 330106 : 0;
      e.enrolled_on = day();
      e.ended_on = below(3) == 0 ? day() : Date{};
      e.insured_year = static_cast<uint16_t>(below(4) == 0 ? 2016 + below(3) : 0);
      enrolments.push_back(e);
    }
    for (uint64_t n = below(4); n > 0; --n) {
      EvidenceFact e;
      e.kind = static_cast<EvidenceKind>(below(17));
      e.exact = below(3) != 0;
      e.code = static_cast<uint8_t>(below(34));
      e.unit_type = static_cast<uint8_t>(below(4) * 10);
      e.from = day();
      e.until = below(3) == 0 ? day() : Date{};
      e.county = below(2) == 0 ? 330110 : 0;
      evidence.push_back(e);
    }
    facts.enrolments = enrolments;
    facts.evidence = evidence;
  }
  RandomPerson(const RandomPerson&) = delete;
};

using Cells = std::map<int, int64_t>;  // form × 100 + column → persons

Cells CellsOf(const Classification& c) {
  Cells cells;
  ForEachCell(c, [&](uint8_t form, uint8_t column) { ++cells[form * 100 + column]; });
  return cells;
}

TEST(ClassifyTest, PartitionHoldsForEveryPerson) {
  RulesPtr rules = Load();
  std::mt19937_64 random(20170930);
  Cells total;
  int64_t sum22 = 0;
  for (int i = 0; i < 200000; ++i) {
    RandomPerson person(random);
    Classification c = Classify(person.facts, *rules);
    SCOPED_TRACE(i);
    uint32_t f = c.flags;
    // Exactly one of registered here, registered elsewhere, to verify, for everybody in H.
    int of_h = ((f & kL) != 0) + ((f & kElsewhere) != 0) + ((f & kToVerify) != 0);
    if ((f & kH) != 0) {
      ASSERT_EQ(of_h, 1);
    } else {
      ASSERT_EQ(f & (kElsewhere | kToVerify | kVerified | kDeregister), 0u);
    }
    if ((f & kD) != 0) {
      ASSERT_EQ(f & (kL | kE | kW), 0u);
      ASSERT_EQ(c.uncovered, 0);
      ASSERT_EQ(c.duplicates, 0);
    }
    if ((f & kVerified) != 0) {
      ASSERT_NE(f & kToVerify, 0u);
    }
    // Exactly one column of form 2-2 in H ∪ L, none outside.
    ASSERT_EQ(c.form_2_2 != kNoColumn, (f & (kH | kL)) != 0);
    if ((f & kToVerify) == 0 && c.form_2_2 != kNoColumn) {
      ASSERT_GE(c.form_2_2, 1);
      ASSERT_LE(c.form_2_2, 15);
    }
    if ((f & kToVerify) != 0) {
      ASSERT_EQ(c.form_2_2 <= 15, (f & kSurveyInsured) != 0);
    }
    if (c.both_classes != 0) {
      ASSERT_LE(c.form_2_2, 10);
      ASSERT_GE(c.both_classes, 11);
    }
    // W alone reaches columns 23–25 only.
    if ((f & (kH | kL)) == 0) {
      ASSERT_EQ(c.uncovered & 3, 0);
      ASSERT_EQ(c.duplicates, 0);
      if ((f & kW) == 0) {
        ASSERT_EQ(c.uncovered, 0);
      }
    } else {
      ASSERT_NE(c.county, 0u);
      ASSERT_NE(c.city, 0u);
    }
    ASSERT_EQ(c.uncovered & c.branches_anywhere, 0);
    if ((f & kW) == 0) {
      ASSERT_EQ(c.uncovered >> 2, 0);
    }
    for (const auto& [cell, count] : CellsOf(c)) {
      ASSERT_EQ(count, 1) << "a person counts once in a column";
      total[cell] += count;
      if (cell / 100 == kForm22) sum22 += count;
    }
  }
  // The printed checks, and the sums of form 2-2, over the sample.
  EXPECT_EQ(total[2101], total[2102] - total[2103] + total[2104] + total[2105]);
  EXPECT_GE(total[2102], total[2103]);
  EXPECT_GE(total[2105], total[2106]);
  EXPECT_EQ(sum22, total[2101] + total[2103]);
  EXPECT_GT(total[2106], 0) << "the random persons never reach verification";
  EXPECT_GT(total[2227], 0);
}

TEST(ClassifyTest, OrderOfEnrolmentsAndEvidenceDoesNotMatter) {
  RulesPtr rules = Load();
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    RandomPerson person(random);
    Classification before = Classify(person.facts, *rules);
    std::reverse(person.enrolments.begin(), person.enrolments.end());
    Classification after = Classify(person.facts, *rules);
    ASSERT_EQ(before.flags, after.flags) << i;
    ASSERT_EQ(before.duplicates, after.duplicates) << i;
    ASSERT_EQ(before.uncovered, after.uncovered) << i;
    ASSERT_EQ(before.form_2_2, after.form_2_2) << i;
  }
}

TEST(ClassifyTest, MinimumOverlapOfZeroMonthsAgreesWithThePairwiseCount) {
  RulesPtr rules = Load();
  Rules pairwise = *rules;
  std::mt19937_64 random(11);
  for (int i = 0; i < 50000; ++i) {
    RandomPerson person(random);
    // A negative bound asks for the pairwise path and excludes no pair.
    pairwise.min_overlap_months = -1;
    ASSERT_EQ(Classify(person.facts, *rules).duplicates,
              Classify(person.facts, pairwise).duplicates)
        << i;
  }
}

TEST(ClassifyTest, MinimumOverlapCountsWholeMonthsFromTheLaterEnrolment) {
  RulesPtr rules = Load();
  Rules strict = *rules;
  strict.min_overlap_months = 3;
  std::vector<EnrolmentFact> enrolments(2);
  enrolments[0].scheme = 110;
  enrolments[1].scheme = 170;
  for (EnrolmentFact& e : enrolments) {
    e.state = State::kContributing;
    e.confirmed = true;
    e.region = 330100;
  }
  PersonFacts person;
  person.in_register = true;
  person.hukou.v = 330102000000;
  person.enrolments = enrolments;
  enrolments[0].enrolled_on = Date::FromYmd(2010, 1, 1);
  enrolments[1].enrolled_on = Date::FromYmd(2017, 6, 30);
  EXPECT_EQ(Classify(person, strict).duplicates, kPensionCrossScheme);
  enrolments[1].enrolled_on = Date::FromYmd(2017, 7, 1);
  EXPECT_EQ(Classify(person, strict).duplicates, 0);
}

TEST(ClassifyTest, CrossTableCellNamesBothColumns) {
  Classification c;
  c.form_2_2 = 3;
  c.both_classes = 12;
  Cells cells = CellsOf(c);
  EXPECT_EQ(cells[kForm22 * 100 + 3], 1);
  EXPECT_EQ(cells[kCrossTable * 100 + 12], 1);  // (3 − 1) × 5 + 1 + 1
}

TEST(ClassifyTest, ProvisionalPersonIsNotEmployed) {
  RulesPtr rules = Load();
  EvidenceFact tax;
  tax.kind = EvidenceKind::kWageTax;
  tax.from = Date::FromYmd(2017, 9, 1);
  PersonFacts person;
  person.evidence = std::span<const EvidenceFact>(&tax, 1);
  EXPECT_NE(Classify(person, *rules).flags & kW, 0u);
  person.confirmed = false;
  EXPECT_EQ(Classify(person, *rules).flags & kW, 0u);
}

TEST(ApplyCases, DismissedLeavesItsColumnAndConsolidatedCountsTwice) {
  auto cells = [](const Classification& c) {
    std::map<int, int> out;
    ForEachCell(c, [&](uint8_t form, uint8_t column) { ++out[form * 100 + column]; });
    return out;
  };
  Classification c;
  c.flags = kH;
  c.duplicates = kPensionCrossScheme | kMedicalCrossRegion;
  ApplyCases(kPensionCrossScheme, 0, &c);
  EXPECT_EQ(cells(c), (std::map<int, int>{{2101, 1}, {2119, 1}}));
  // Also where the data show it no more: it was a case, and is put right.
  ApplyCases(0, kPensionBenefitCrossRegion | kMedicalCrossRegion, &c);
  EXPECT_EQ(cells(c), (std::map<int, int>{{2101, 1}, {2114, 1}, {2115, 1}, {2119, 1}, {2120, 1}}));
  for (int bit = 0; bit < kDuplicates; ++bit) {
    EXPECT_EQ(ColumnOfDuplicate(bit + kConsolidatedShift), ColumnOfDuplicate(bit) + 1);
  }
  // Within H and L only: everybody else is in no column of duplicates.
  Classification outside;
  ApplyCases(0, kPensionCrossScheme, &outside);
  EXPECT_EQ(outside.duplicates, 0);
}

}  // namespace
}  // namespace canbao::scheme
