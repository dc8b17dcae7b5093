// PlainRowReader against RowBuilder, whose rules are the normative ones: on random records of every
// kind, whatever the fast lane accepts must be the same row, member by member.
#include "extract/typing/plain_row.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "extract/mapping/mappings.h"
#include "identity/citizen_number.h"

namespace canbao::extract {
namespace {

using Rng = std::mt19937;

// Of each list the first value is the plain one; most records have nothing but those, some have
// any.
class Values {
 public:
  explicit Values(Rng* rng) : rng_(rng) {}
  void StartWorld() { broken_ = Roll(3) == 0; }
  void StartRecord() { odd_ = (*rng_)() % 3 == 0; }
  std::string Of(Field field);

 private:
  unsigned Roll(unsigned sides) { return static_cast<unsigned>((*rng_)()) % sides; }
  std::string Any(const std::vector<std::string>& values) {
    return odd_ ? values[Roll(static_cast<unsigned>(values.size()))] : values[0];
  }
  std::string Number();
  std::string Day();

  Rng* rng_;
  bool odd_ = false;
  bool broken_ = false;  // bytes that are no text, which leave the whole piece unchecked
};

std::string Values::Number() {
  uint64_t birth = 19000101u + Roll(110) * 10000u + Roll(12) * 100u + Roll(odd_ ? 31 : 28);
  uint64_t first17 = 330102ull * 100000000000u + birth * 1000 + Roll(1000);
  std::string text = std::to_string(first17) + identity::CheckDigitOf(first17);
  if (!odd_) return text;
  switch (Roll(6)) {
    case 0:
      return "0330102" + text;
    case 1:
      text[Roll(18)] = static_cast<char>('0' + Roll(10));
      return text;
    case 2:
      return "\"" + text + "\"";
    case 3:
      return Any({"无", "111111111111111111", "330102800307123", "G12345678", "3.30102E+17"});
    default:
      return text;
  }
}

std::string Values::Day() {
  if (odd_ && Roll(4) == 0) {
    return Any({"2017-09-30", "2017/9/3", "201709", "00000000", "20170230", "18791231", "21000101",
                "20600101", "99999999", "20000229", "19000229", "长期"});
  }
  return std::to_string(odd_ ? 18800101u + Roll(190) * 10000u + Roll(12) * 100u + Roll(31)
                             : 19500101u + Roll(60) * 10000u + Roll(12) * 100u + Roll(28));
}

// Values that a field may have, plain and not.
std::string Values::Of(Field field) {
  if (odd_ && Roll(6) == 0)
    return Any({"", " ", "无", "-", "\"\"", "不详", "？", broken_ ? "\xff" : "", "\"a\"\"b\""});
  switch (field) {
    case Field::kIdNumber:
    case Field::kMotherIdNumber:
    case Field::kFormerIdNumber:
      return Number();
    case Field::kChange:
      return Any({"", "A", "D"});
    case Field::kIdType:
      return Any({"01", "1", "居民身份证", "08", "护照"});
    case Field::kName:
    case Field::kFormerName:
      return Any({"张三", "欧阳修远", "李 四", "買買提·烏斯曼", "王", "阿不都热合曼·买买提", "𠮷田",
                  "Li Si", " 赵六", "\"钱七\"", "周?", "鄭成功", "\xef\xbc\xa1\xe5\xbc\xa0"});
    case Field::kSex:
      return Any({"1", "2", "男", "女", "0", "9", "M", "男性"});
    case Field::kScheme:
      return Any({"110", "120", "170", "310", "390", "380", "320", "999", "11", "１１０"});
    case Field::kEnrolmentState:
    case Field::kContributionState:
    case Field::kBenefitState:
      return Any({"1", "2", "3", "4", "0", "9", "01", "１", "正常"});
    case Field::kRegion:
    case Field::kInsuredRegion:
    case Field::kCareRegion:
    case Field::kIssuedBy:
      return Any({"330100", "330102", "330103", "999999", "330102001", "杭州", "33010", "000000",
                  "3301 0"});
    case Field::kHukouDivision:
    case Field::kResidenceDivision:
    case Field::kDivision:
      return Any({"330102001002", "330102", "330102001", "999999000000", "33010200100", "x"});
    case Field::kInsuredCategory:
      return Any({"101", "102", "301", "0", "70000", "1234", "在职", "１０１"});
    case Field::kInsuredYear:
    case Field::kYear:
      return Any({"2017", "2016", "1899", "2201", "2017年", "17"});
    case Field::kManagement:
      return Any({"管理中", "死亡", "注销", "迁出", "别的"});
    case Field::kStatus:
      return Any({"在读", "毕业", "退学", "正常", "挂失", "休学"});
    case Field::kFullTime:
      return Any({"是", "否", "1", "0", "Y", "N", "或许"});
    case Field::kCategory:
      return Any({"现役", "随军家属建账", "低保", "异地安置", "退役"});
    case Field::kUscc:
      return Any({"91330102MA298DU25J", "91330702MA298DU25J", "91330702MA298DU25", "x"});
    case Field::kPersonNo:
    case Field::kEmployerNo:
    case Field::kCardNo:
      return Any({"010001250140", "A17", "111111", "123456", "7", "工号7", " 42", "42 ", "\"42\""});
    case Field::kEthnicity:
    case Field::kHukouType:
      return Any({"1", "01", "汉", "汉族", "10", "20", "农业", "99"});
    case Field::kMonth:
    case Field::kFirstMonth:
      return Roll(3) > 0 ? Any({"201709", "201713", "209901", "187901", "2017-09"}) : Day();
    case Field::kBirthDate:
    case Field::kBornOn:
    case Field::kChangedOn:
    case Field::kEnrolledOn:
    case Field::kEndedOn:
    case Field::kRegisteredOn:
    case Field::kGraduatesOn:
    case Field::kDiedOn:
    case Field::kFrom:
    case Field::kUntil:
    case Field::kLeftOn:
    case Field::kReturnedOn:
    case Field::kIssuedOn:
      return Day();
    default:
      return Any({"某某路1号", "Abc", "13800000000", " 前后有空 ", "\"引号\"", "\xe3\x80\x80全角"});
  }
}

// Every member of a row that anything downstream may look at.
std::string Show(const Row& r) {
  auto n = [](auto v) { return std::to_string(static_cast<unsigned long long>(v)) + "|"; };
  auto s = [](std::string_view v) { return std::string(v) + "|"; };
  return n(r.sheet) + n(r.findings) + n(r.change) + n(r.number.cls) + n(r.number.cleaned) +
         n(r.number.number.v) + s({r.number.text, r.number.length}) + s(r.id_number) +
         s(r.id_type) + s(r.name) + n(r.name_code.v) + n(r.sex) + n(r.birth.v) + n(r.division.v) +
         n(r.management) + n(r.hukou_type) + n(r.ethnicity) + n(r.changed_on.v) +
         s(r.household_no) + s(r.relation) + s(r.phone) + s(r.address) + s(r.former_name) +
         s(r.former_number) + n(r.scheme) + n(r.state) + n(r.insured_category) + n(r.insured_year) +
         n(r.region) + n(r.care_region) + n(r.enrolled_on.v) + n(r.first_month.v) +
         n(r.ended_on.v) + s(r.person_no) + s(r.employer_no) + s(r.employer_name) + s(r.uscc) +
         s(r.state_text) + n(r.evidence) + n(r.from.v) + n(r.until.v) + s(r.category) +
         s(r.detail) + n(r.unit_type) + s(r.industry) + n(r.headcount) + n(r.year) +
         n(r.population) + s(r.mother_number) + n(r.paid);
}

TEST(PlainRowTest, SaysTheSameAsTheRules) {
  auto mappings = Mappings::Load(CANBAO_SOURCE_DIR "/data");
  ASSERT_TRUE(mappings) << mappings.error().ToString();
  auto table = identity::DivisionTable::Load(CANBAO_SOURCE_DIR "/data");
  ASSERT_TRUE(table);
  KnownDivisions divisions(std::move(*table));
  auto mapping = (*mappings)->For("sb-330100");
  const Date today = Date::FromYmd(2017, 10, 8);
  Rng rng(20170930);
  Values values(&rng);
  std::map<Kind, int> plain_rows;
  for (int world = 0; world < 600; ++world) {
    auto kind = static_cast<Kind>(world % kKinds);
    values.StartWorld();
    // Required columns always, others at random, in any order.
    std::vector<Field> fields;
    std::vector<std::string> headers;
    for (const FieldSpec& f : mapping->Of(kind).fields) {
      if (!f.required && rng() % 2 == 0) continue;
      fields.push_back(f.field);
    }
    std::shuffle(fields.begin(), fields.end(), rng);
    for (Field f : fields) headers.emplace_back(FieldName(f));
    ExtractSpec spec;
    spec.kind = kind;
    spec.scheme = rng() % 2 == 0 ? scheme::SchemeCode{0} : scheme::SchemeCode{310};
    spec.region = rng() % 2 == 0 ? 330100u : 0u;
    auto plan = MakeRecordPlan("x.csv", 1, headers, spec, mapping);
    ASSERT_TRUE(plan) << plan.error().ToString();

    std::string text;
    for (int i = 0; i < 60; ++i) {
      values.StartRecord();
      for (size_t f = 0; f < fields.size(); ++f) {
        if (f > 0) text += ',';
        text += values.Of(fields[f]);
      }
      if (rng() % 40 == 0) text += ",more";
      text += rng() % 3 == 0 ? "\r\n" : "\n";
    }
    const size_t size = text.size();
    bool valid = IsValidUtf8(text);
    text.append(kBlockPadding, '\0');
    RecordIndex index;
    index.Start(text.data(), size, {});
    Arena arena;
    RowBuilder builder(*plan, today, &divisions, &arena);
    PlainRowReader plain(*plan, today, &divisions);
    EXPECT_FALSE(IsReference(kind) && plain.usable());
    Row reused;
    while (index.Next(16)) {
      arena.Reset(text.size() * 4 + 64 * RowBuilder::kRoomPerRow);
      TextRecord record(text.data(), index.ends(), false, valid, &arena);
      for (const RecordSpan& span : index.records()) {
        record.Set(span);
        Row expected;
        Reject reject;
        bool accepted = builder.Build(record, &expected, &reject);
        if (plain.usable() && plain.Build(record, valid, &reused)) {
          ASSERT_TRUE(accepted) << record.WholeRaw();
          ASSERT_EQ(Show(reused), Show(expected)) << record.WholeRaw();
          ++plain_rows[kind];
        } else if (rng() % 2 == 0) {
          builder.Build(record, &reused, &reject);  // what it leaves behind must not matter
        }
      }
    }
  }
  // A test that never takes the lane shows nothing.
  EXPECT_GT(plain_rows[Kind::kEnrolment], 20);
  EXPECT_GT(plain_rows[Kind::kHouseholdRegister], 20);
  EXPECT_GT(plain_rows[Kind::kStudent], 20);
  EXPECT_GT(plain_rows[Kind::kNationalReply], 5);
}

}  // namespace
}  // namespace canbao::extract
