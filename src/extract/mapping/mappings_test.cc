#include "extract/mapping/mappings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "extract/errors.h"
#include "extract/mapping/own_mapping.h"
#include "extract/mapping/record_plan.h"
#include "identity/citizen_number.h"

namespace canbao::extract {
namespace {

namespace fs = std::filesystem;
using scheme::State;

const Mappings& Installed() {
  static auto mappings = Mappings::Load(CANBAO_SOURCE_DIR "/data");
  if (!mappings) throw std::runtime_error(mappings.error().ToString());
  return **mappings;
}

TEST(HeaderTest, Folding) {
  EXPECT_EQ(FoldHeader(" AAC002 "), "aac002");
  EXPECT_EQ(FoldHeader("\xEF\xBB\xBFＡＡＣ００２"), "aac002");
  EXPECT_EQ(FoldHeader("姓 名(必填)"), "姓名");
  EXPECT_EQ(FoldHeader("*姓名（全称）"), "姓名");
  EXPECT_EQ(FoldHeader("(备注)"), "备注");
}

TEST(HeaderTest, EveryNameOfTheContractIsKnown) {
  auto mapping = Installed().For("x");
  struct Case {
    Kind kind;
    const char* header;
    Field field;
  };
  for (const Case& c : {Case{Kind::kHouseholdRegister, "户口簿编号", Field::kHouseholdNo},
                        {Kind::kEnrolment, "社会保障号码", Field::kIdNumber},
                        {Kind::kEnrolment, "AAE135", Field::kIdNumber},
                        {Kind::kEnrolment, "AAA029", Field::kIdType},
                        {Kind::kEnrolment, "行政区划代码", Field::kRegion},
                        {Kind::kEnrolment, "AAB301", Field::kRegion},
                        {Kind::kEmployer, "AAB301", Field::kDivision},
                        {Kind::kStudent, "预计毕业日期", Field::kGraduatesOn},
                        {Kind::kStudent, "enrolled_on", Field::kEnrolledOn},
                        {Kind::kPrisoner, "收监日期", Field::kFrom},
                        {Kind::kMilitary, "开始日期", Field::kFrom},
                        {Kind::kRemoteMedical, "参保地", Field::kInsuredRegion},
                        {Kind::kNationalReply, "行政区划", Field::kRegion},
                        {Kind::kNationalReply, "参保日期", Field::kEnrolledOn},
                        {Kind::kWageTax, "扣缴单位信用代码", Field::kUscc},
                        {Kind::kCard, "卡状态", Field::kStatus},
                        {Kind::kCard, "备注", Field::kNone}}) {
    EXPECT_EQ(mapping->Of(c.kind).Match(c.header).field, c.field) << c.header;
  }
  // A field's English name is a header of it in every kind that has it.
  for (int k = 0; k < kKinds; ++k) {
    for (const FieldSpec& spec : mapping->kinds[static_cast<size_t>(k)].fields) {
      EXPECT_EQ(mapping->kinds[static_cast<size_t>(k)].Match(FieldName(spec.field)).field,
                spec.field)
          << FieldName(spec.field);
    }
  }
}

TEST(StateTest, TheTwoFamilies) {
  auto mapping = Installed().For("sb-330100");
  auto state = [&](int scheme, std::string_view a, std::string_view b, std::string_view c) {
    return mapping->StatesOf(static_cast<scheme::SchemeCode>(scheme))
        ->Find({a, false}, {b, false}, {c, false});
  };
  for (int scheme : {170, 380, 390, 391}) {
    EXPECT_EQ(state(scheme, "0", "", ""), State::kNotEnrolled);
    EXPECT_EQ(state(scheme, "1", "1", ""), State::kContributing);
    EXPECT_EQ(state(scheme, "2", "2", ""), State::kInterrupted);
    EXPECT_EQ(state(scheme, "1", "3", ""), State::kReceiving);
    EXPECT_EQ(state(scheme, "2", "3", ""), State::kBenefitSuspended);
    EXPECT_EQ(state(scheme, "4", "2", ""), State::kTerminated);
    EXPECT_EQ(state(scheme, "4", "", ""), State::kTerminated);
    EXPECT_EQ(state(scheme, "3", "1", ""), State::kUnmapped);
    EXPECT_EQ(state(scheme, "2", "1", ""), State::kUnmapped);
    EXPECT_EQ(state(scheme, "A1", "1", ""), State::kUnmapped);
  }
  for (int scheme : {110, 120, 210, 310, 410, 510}) {
    EXPECT_EQ(state(scheme, "1", "1", ""), State::kContributing);
    EXPECT_EQ(state(scheme, "1", "2", ""), State::kInterrupted);
    EXPECT_EQ(state(scheme, "1", "3", ""), State::kTerminated);
    EXPECT_EQ(state(scheme, "2", "", ""), State::kReceiving);
    EXPECT_EQ(state(scheme, "2", "3", "1"), State::kReceiving);
    EXPECT_EQ(state(scheme, "2", "3", "2"), State::kBenefitSuspended);
    EXPECT_EQ(state(scheme, "2", "1", "3"), State::kTerminated);
    EXPECT_EQ(state(scheme, "3", "", ""), State::kTerminated);
    EXPECT_EQ(state(scheme, "4", "9", "9"), State::kTerminated);
    EXPECT_EQ(state(scheme, "9", "1", "1"), State::kUnmapped);
    EXPECT_EQ(state(scheme, "注", "1", ""), State::kUnmapped);
    EXPECT_EQ(state(scheme, "1", "", ""), State::kUnmapped);
  }
}

TEST(CodeTest, SexManagementAndNumbers) {
  const Codes& codes = Installed().For("x")->codes;
  EXPECT_EQ(codes.sex.Find("1"), static_cast<int>(identity::Sex::kMale));
  EXPECT_EQ(codes.sex.Find("女"), static_cast<int>(identity::Sex::kFemale));
  EXPECT_EQ(codes.sex.Find("9"), static_cast<int>(identity::Sex::kUnknown));
  EXPECT_EQ(codes.sex.Find("f"), static_cast<int>(identity::Sex::kFemale));
  EXPECT_EQ(codes.sex.Find("x"), -1);
  EXPECT_EQ(codes.management.Find("注销"), static_cast<int>(scheme::Management::kCancelled));
  EXPECT_EQ(codes.truth.Find("是"), 1);
  EXPECT_EQ(codes.truth.Find("n"), 0);
  EXPECT_EQ(codes.ethnicity.Find("01"), 1);
  EXPECT_EQ(codes.ethnicity.Find("土家族"), 15);
  EXPECT_EQ(codes.unit_type.Find("91"), 91);
  EXPECT_EQ(codes.unit_type.Find("机关"), 30);
}

TEST(PlaceholderTest, WordsAndDigits) {
  const Placeholders& p = Installed().For("x")->placeholders;
  for (std::string_view word : {"无", "不详", "null", "N/A", "-", "？"}) {
    EXPECT_TRUE(p.IsPlaceholder(Field::kName, word)) << word;
  }
  for (std::string_view number : {"000000000000000000", "111111111111111111", "999999999999999999",
                                  "123456789012345678", "123456"}) {
    EXPECT_TRUE(p.IsPlaceholder(Field::kIdNumber, number)) << number;
  }
  for (std::string_view number :
       {"330102199003074514", "11111", "1", "111111111111111112", "123457"}) {
    EXPECT_FALSE(p.IsPlaceholder(Field::kIdNumber, number)) << number;
  }
  EXPECT_FALSE(p.IsPlaceholder(Field::kAddress, "111111"));
  EXPECT_FALSE(p.IsPlaceholder(Field::kName, "不群"));
  EXPECT_FALSE(p.IsPlaceholder(Field::kName, "吴无"));
}

Result<RecordPlan> Plan(Kind kind, const std::vector<std::string>& headers, int scheme = 0) {
  ExtractSpec spec;
  spec.kind = kind;
  spec.scheme = static_cast<scheme::SchemeCode>(scheme);
  return MakeRecordPlan("x.csv", 1, headers, spec, Installed().For("x"));
}

TEST(RecordPlanTest, MissingHeadersAreNamedWithWhatIsAccepted) {
  auto plan = Plan(Kind::kDeath, {"AAC002", "姓名"});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, kErrHeaderMissing);
  EXPECT_NE(plan.error().message.en.find("died_on/死亡日期"), std::string::npos);
  EXPECT_EQ(plan.error().message.en.find("id_number/"), std::string::npos);
  EXPECT_FALSE(Plan(Kind::kEnrolment, {"AAC002", "姓名", "AAC008"}));
  EXPECT_TRUE(Plan(Kind::kEnrolment, {"AAC002", "姓名", "AAC008"}, 410));
}

TEST(RecordPlanTest, TwiceTheSameIsRefusedButNumbersHaveAPriority) {
  auto twice = Plan(Kind::kDeath, {"AAC002", "姓名", "死亡日期", "备注", "备 注"});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, kErrHeaderTwice);
  EXPECT_EQ(twice.error().column, 5);
  auto synonyms = Plan(Kind::kDeath, {"AAC002", "姓名", "AAC003", "死亡日期"});
  ASSERT_FALSE(synonyms);
  EXPECT_EQ(synonyms.error().code, kErrHeaderTwice);
  auto numbers = Plan(Kind::kDeath, {"AAC002", "公民身份号码", "姓名", "死亡日期"});
  ASSERT_TRUE(numbers);
  EXPECT_TRUE(numbers->planned[0].has_rivals);
  EXPECT_GT(numbers->planned[0].priority, numbers->planned[1].priority);
  EXPECT_TRUE(Plan(Kind::kDeath, {"AAC002", "姓名", "死亡日期", "", ""}));
}

class MappingFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("canbao-mappings-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    fs::copy(CANBAO_SOURCE_DIR "/data/mappings", folder_ / "mappings", fs::copy_options::recursive);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / "mappings" / name).parent_path());
    std::ofstream(folder_ / "mappings" / name) << text;
  }
  fs::path folder_;
};

TEST_F(MappingFilesTest, ASourceMayHaveItsOwn) {
  Write("sources/shenzhen.toml", R"(
pattern = "sb-4403*"
families = ["shenzhen"]
[headers.enrolment]
id_number = ["SFZHM"]
enrolment_state = ["个人状态"]
[sex]
male = ["M1"]
[[family]]
name = "shenzhen"
schemes = [110]
rules = [["正常", "*", "*", "contributing"], ["停保", "*", "*", "interrupted"]]
)");
  auto mappings = Mappings::Load(folder_.string());
  ASSERT_TRUE(mappings) << mappings.error().ToString();
  auto own = (*mappings)->For("sb-440300");
  EXPECT_EQ(own->Of(Kind::kEnrolment).Match("sfzhm").field, Field::kIdNumber);
  EXPECT_EQ(own->Of(Kind::kEnrolment).Match("AAC002").field, Field::kIdNumber);
  EXPECT_EQ(own->codes.sex.Find("M1"), 1);
  EXPECT_EQ(own->StatesOf(110)->Find({"停保", false}, {"", true}, {"", true}), State::kInterrupted);
  EXPECT_EQ(own->StatesOf(110)->Find({"1", false}, {"1", false}, {"", true}), State::kUnmapped);
  EXPECT_EQ(own->StatesOf(170)->Find({"1", false}, {"1", false}, {"", true}), State::kContributing);
  auto common = (*mappings)->For("sb-330100");
  EXPECT_EQ(common->Of(Kind::kEnrolment).Match("sfzhm").field, Field::kNone);
  bool listed = false;
  for (const auto& [name, digest] : (*mappings)->files())
    listed |= name == "mappings/sources/shenzhen.toml";
  EXPECT_TRUE(listed);
}

TEST_F(MappingFilesTest, BrokenDataAreSaidToBeBroken) {
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"states.toml", "[[family]]\nname = 1"},
           {"states.toml",
            "[[family]]\nname=\"a\"\nschemes=[110]\nrules=[[\"1\",\"1\",\"1\",\"wonderful\"]]"},
           {"codes.toml", "[sex]\nneither = [\"3\"]"},
           {"headers.toml", "[fields]\nno_such_field = [\"x\"]\n[kinds]"},
           {"placeholders.toml", "words = \"无\""},
           {"placeholders.toml", "words = ["}}) {
    SetUp();
    Write(name, text);
    auto mappings = Mappings::Load(folder_.string());
    ASSERT_FALSE(mappings) << name << " " << text;
    EXPECT_EQ(mappings.error().code, kErrMapping);
    EXPECT_EQ(mappings.error().cls, ErrorClass::kEnvironment);
    EXPECT_NE(mappings.error().file.find(name), std::string::npos);
  }
  auto nowhere = Mappings::Load((folder_ / "nowhere").string());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, kErrMapping);
}

// What is mapped in the console stays beside the policy, adds up, and may change its mind.
TEST(OwnMappingTest, ComesOnTopOfThePolicyAndAddsUp) {
  const std::string policy = CANBAO_SOURCE_DIR "/data";
  std::string own = (fs::temp_directory_path() / "own_mappings_XXXXXX").string();
  ASSERT_NE(::mkdtemp(own.data()), nullptr);
  auto digest = Mappings::OwnDigest(own);
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, "");
  OwnMapping m;
  m.source = "sb-3399/x";
  m.kind = Kind::kEnrolment;
  m.columns = {{"证号\"甲\"", "id_number"}, {"人名", "former_name"}};
  m.codes = {{"sex", {{"M9", "male"}}}, {"enrolment_state", {{"77/8/", "contributing"}}}};
  EXPECT_FALSE(AddOwnMapping(policy, own, m)) << "a list of enrolments has no former name";
  m.columns["人名"] = "name";
  auto added = AddOwnMapping(policy, own, m);
  ASSERT_TRUE(added) << added.error().ToString();
  OwnMapping more;
  more.source = m.source;
  more.kind = Kind::kEnrolment;
  more.codes = {{"sex", {{"M9", "female"}}}};
  added = AddOwnMapping(policy, own, more);
  ASSERT_TRUE(added) << added.error().ToString();

  auto mappings = Mappings::Load(policy, own);
  ASSERT_TRUE(mappings) << mappings.error().ToString();
  auto mapping = (*mappings)->For("sb-3399/x");
  EXPECT_EQ(mapping->Of(Kind::kEnrolment).Match("证号\"甲\"").field, Field::kIdNumber);
  EXPECT_EQ(mapping->Of(Kind::kEnrolment).Match("人名").field, Field::kName);
  EXPECT_EQ(mapping->Of(Kind::kEnrolment).Match("AAC002").field, Field::kIdNumber);
  EXPECT_EQ(mapping->codes.sex.Find("M9"), static_cast<int>(identity::Sex::kFemale));
  EXPECT_EQ(mapping->codes.sex.Find("男"), static_cast<int>(identity::Sex::kMale));
  const StateTable* states = mapping->StatesOf(110);
  ASSERT_NE(states, nullptr);
  EXPECT_EQ(states->Find({"77"}, {"8"}, {}), State::kContributing);
  EXPECT_EQ(states->Find({"77"}, {"8"}, {"", true}), State::kContributing);
  EXPECT_EQ(states->Find({"77"}, {"9"}, {}), State::kUnmapped);
  EXPECT_EQ(states->Find({"1"}, {"1"}, {"", true}),
            Installed().For("sb-3399/x")->StatesOf(110)->Find({"1"}, {"1"}, {"", true}));
  EXPECT_EQ((*mappings)->For("sb-1")->Of(Kind::kEnrolment).Match("人名").field, Field::kNone);
  digest = Mappings::OwnDigest(own);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->size(), 16u);
  more.codes = {{"sex", {{"M9", "neither"}}}};
  added = AddOwnMapping(policy, own, more);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().cls, ErrorClass::kInput);
  EXPECT_EQ(*Mappings::OwnDigest(own), *digest) << "what was refused changed nothing";
  fs::remove_all(own);
}

TEST(PatternTest, Stars) {
  EXPECT_TRUE(FitsPattern("*", ""));
  EXPECT_TRUE(FitsPattern("sb-33*", "sb-330100"));
  EXPECT_TRUE(FitsPattern("*-33*0", "jb-330100"));
  EXPECT_FALSE(FitsPattern("sb-33*", "jb-330100"));
  EXPECT_FALSE(FitsPattern("sb", "sb-1"));
}

}  // namespace
}  // namespace canbao::extract
