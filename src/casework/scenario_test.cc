// tests/scenarios/casework: steps and kept relations as data that a clerk can read.
#include <gtest/gtest.h>
#include <toml++/toml.h>
#include <filesystem>
#include <fstream>

#include "casework/keep.h"
#include "casework/machine.h"
#include "register/read.h"

namespace canbao::casework {
namespace {

constexpr char kScenarios[] = CANBAO_SOURCE_DIR "/tests/scenarios/casework/";
const Date kStepDay = Date::FromYmd(2017, 10, 20);

std::shared_ptr<const Policy> PolicyOn(Date day) {
  auto policy = Policy::Load(CANBAO_SOURCE_DIR "/data", day);
  EXPECT_TRUE(policy) << policy.error().ToString();
  return policy ? *policy : nullptr;
}

std::vector<std::string> Names(const toml::table& t, const char* key) {
  std::vector<std::string> out;
  if (const toml::array* all = t[key].as_array()) {
    for (const toml::node& n : *all) out.push_back(n.value_or(std::string()));
  }
  return out;
}

// A case as the scenario left it, and as `who` sees it.
struct World {
  const Policy& policy;
  CaseFacts facts;
  std::vector<std::string> parties;

  CaseFacts SeenBy(const std::string& who) const {
    CaseFacts f = facts;
    for (size_t i = 0; i < parties.size(); ++i) {
      f.parties[i].mine = f.parties[i].outside || who.starts_with(parties[i]);
      if (f.parties[i].outside) f.parties[i].mine = who != "other";
    }
    f.mine_as_source = who == "source";
    f.shown = f.state;
    if (f.gone) f.shown = f.kind == CaseKind::kDuplicate ? kGone : State{8};
    return f;
  }
  void Apply(const std::string& who, const Effect& e) {
    if (e.state) facts.state = *e.state;
    for (Party& p : facts.parties) {
      if (e.clears_agreements) p.agreed = false;
      for (uint32_t region : e.agrees) p.agreed = p.agreed || p.region == region;
    }
    if (e.sets_pending) {
      facts.pending_action = e.action;
      facts.pending_by = who;
    }
    if (e.clears_pending) facts.pending_action = facts.pending_by = "";
  }
};

void Play(const Policy& policy, const toml::table& scenario) {
  SCOPED_TRACE(scenario["name"].value_or(std::string()));
  World world{policy, {}, Names(scenario, "parties")};
  CaseFacts& f = world.facts;
  f.kind = scenario["kind"].value_or(std::string()) == "duplicate" ? CaseKind::kDuplicate
                                                                   : CaseKind::kDiscrepancy;
  const StateInfo* first = policy.FindState(scenario["state"].value_or(std::string("found")));
  ASSERT_NE(first, nullptr);
  f.state = first->number;
  f.gone = scenario["gone"].value_or(false);
  f.pays_benefits = scenario["pays_benefits"].value_or(false);
  f.relations = static_cast<int>(scenario["relations"].value_or<int64_t>(0));
  f.proposed_keep = static_cast<int>(scenario["proposed"].value_or<int64_t>(-1));
  for (size_t i = 0; i < world.parties.size(); ++i) {
    f.parties.push_back(
        {330100 + 100 * static_cast<uint32_t>(i), world.parties[i] == "outside", false, false});
  }
  const toml::array* steps = scenario["step"].as_array();
  ASSERT_NE(steps, nullptr);
  for (const toml::node& node : *steps) {
    const toml::table& step = *node.as_table();
    const std::string who = step["by"].value_or(std::string());
    Intent intent;
    intent.action = step["action"].value_or(std::string());
    SCOPED_TRACE(who + " " + intent.action);
    intent.note = step["note"].value_or(std::string());
    intent.reason = step["reason"].value_or(std::string());
    if (step.contains("keep")) intent.keep = static_cast<int>(step["keep"].value_or<int64_t>(0));
    const Actor actor{who, who == "hangzhou2"};
    const CaseFacts seen = world.SeenBy(who);
    auto effect = Decide(policy, seen, actor, intent, kStepDay);
    bool offered = false;
    for (const Offer& o : Offers(policy, seen, actor)) offered |= o.action == intent.action;
    if (step.contains("refused")) {
      ASSERT_FALSE(effect);
      EXPECT_EQ(effect.error().code, "CB-CASEWORK-" + step["refused"].value_or(std::string()));
      EXPECT_EQ(effect.error().cls, ErrorClass::kInput);
      EXPECT_FALSE(effect.error().message.en.empty());
      continue;
    }
    ASSERT_TRUE(effect) << effect.error().ToString();
    EXPECT_TRUE(offered) << "what can be done is offered";
    world.Apply(who, *effect);
    if (step.contains("state")) {
      const StateInfo* state = policy.FindState(f.state);
      ASSERT_NE(state, nullptr);
      EXPECT_EQ(state->name, step["state"].value_or(std::string()));
    }
    if (step.contains("pending")) {
      EXPECT_EQ(f.pending_action, step["pending"].value_or(std::string()));
    }
    if (step.contains("due")) {
      const auto days = static_cast<uint16_t>(step["due"].value_or<int64_t>(0));
      ASSERT_TRUE(effect->due);
      EXPECT_EQ(effect->due->v, days == 0 ? 0 : kStepDay.v + days);
    }
  }
}

TEST(CaseworkScenarios, StepsLeadWhereAClerkExpects) {
  auto policy = PolicyOn(kStepDay);
  ASSERT_NE(policy, nullptr);
  int played = 0;
  for (const char* file : {"duplicates.toml", "discrepancies.toml"}) {
    SCOPED_TRACE(file);
    const toml::table all = toml::parse_file(std::string(kScenarios) + file);
    for (const toml::node& node : *all["scenario"].as_array()) {
      Play(*policy, *node.as_table());
      ++played;
    }
  }
  EXPECT_GE(played, 9);
}

TEST(CaseworkScenarios, TheRuleSaysWhichRelationIsKept) {
  const toml::table all = toml::parse_file(std::string(kScenarios) + "keep.toml");
  for (const toml::node& node : *all["scenario"].as_array()) {
    const toml::table& t = *node.as_table();
    SCOPED_TRACE(t["name"].value_or(std::string()));
    auto day = [](const toml::table& from, const char* key) {
      auto d = from[key].value<toml::date>();
      return d ? Date::FromYmd(d->year, d->month, d->day) : Date{};
    };
    const Date on = day(t, "on");
    auto policy = PolicyOn(on);
    ASSERT_NE(policy, nullptr);
    int bit = 0;
    for (int b = 1; b <= 64; b <<= 1) {
      if (reg::DuplicateLabel(b).en == t["duplicate"].value_or(std::string())) bit = b;
    }
    const KeepRule* rule = policy->KeepRuleOf(bit);
    ASSERT_NE(rule, nullptr);
    std::vector<Relation> relations;
    for (const toml::node& n : *t["relations"].as_array()) {
      const toml::table& r = *n.as_table();
      relations.push_back({static_cast<int>(r["scheme"].value_or<int64_t>(0)),
                           static_cast<uint32_t>(r["region"].value_or<int64_t>(0)), 1,
                           day(r, "enrolled_on"), r["employed"].value_or(false), ""});
    }
    const auto residence = static_cast<uint64_t>(t["residence"].value_or<int64_t>(0)) * 1000000;
    EXPECT_EQ(ProposeKeep(*rule, relations, residence, on), t["keep"].value_or<int64_t>(-2));
  }
}

TEST(CaseworkPolicy, SaysWhereAFileIsWrong) {
  auto none = Policy::Load(CANBAO_SOURCE_DIR "/data", Date::FromYmd(1999, 1, 1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "CB-CASEWORK-0002");

  const std::string dir = ::testing::TempDir() + "/casework_policy";
  std::filesystem::create_directories(dir + "/casework");
  for (const char* name : {"steps-2017.toml", "keep-2011.toml"}) {
    std::filesystem::copy_file(std::string(CANBAO_SOURCE_DIR "/data/casework/") + name,
                               dir + "/casework/" + name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  ASSERT_TRUE(Policy::Load(dir, kStepDay));
  std::ofstream(dir + "/casework/steps-2017.toml", std::ios::app)
      << "\n[[step]]\ncase = \"duplicate\"\naction = \"x\"\nlabel = { zh = \"x\", en = \"x\" }\n"
         "from = [\"nowhere\"]\nto = \"found\"\nwho = \"anyone\"\n";
  auto wrong = Policy::Load(dir, kStepDay);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "CB-CASEWORK-0001");
  EXPECT_GT(wrong.error().line, 100);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace canbao::casework
