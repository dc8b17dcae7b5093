#include "linkage/model/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

const char* const kModel = R"TOML(version = 1
name = "people"
id = "nr"
mode = "link_only"
one_per_file = true

[columns]
given = "lower(trim(first))"
sur = "lower(last)"
full = "concat(given, ' ', sur)"

[[comparison]]
name = "name"
missing = "all"
level = [
  { all = [{ exact = "given" }, { exact = "sur" }], frequency = ["given", "sur"] },
  { swapped = ["given", "sur"] },
  { jaro_winkler = "full", at_least = 0.9, label = "alike" },
  { missing = "given", says_nothing = true },
  { else = true },
]

[[comparison]]
name = "dob"
level = [{ exact = "dob", m = 0.9, u = 0.01 }, { else = true, m = 0.1, u = 0.99 }]

[[blocking]]
on = ["sur", "year(dob)"]
split = ["given"]
hot = 100

[training]
seed = 7
prior = 0.001

[decision]
probability = 0.9
clustering = "complete"
)TOML";

std::string With(const std::string& from, const std::string& to) {
  std::string text = kModel;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ModelTest, ReadsWhatIsWritten) {
  auto model = ParseModel(kModel, "m.toml");
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_TRUE(model->link_only);
  EXPECT_TRUE(model->one_per_file);
  EXPECT_EQ(model->Inputs(), (std::vector<std::string>{"dob", "first", "last"}));
  ASSERT_EQ(model->comparisons.size(), 2u);
  EXPECT_FALSE(model->comparisons[0].missing_first);
  EXPECT_TRUE(model->comparisons[1].missing_first);
  EXPECT_EQ(model->comparisons[0].levels[2].label, "alike");
  EXPECT_EQ(model->comparisons[0].levels[0].frequency.size(), 2u);
  EXPECT_EQ(model->rules[0].hot, 100u);
  EXPECT_EQ(model->rules[0].label, "sur + year(dob)");
  EXPECT_EQ(model->decision.threshold, 317);  // log2(9)
  EXPECT_EQ(model->decision.clustering, Clustering::kComplete);
  EXPECT_FALSE(model->trained());
  // Each column stands behind those it is made of.
  for (size_t c = 0; c < model->columns.size(); ++c) {
    if (model->columns[c].raw) continue;
    std::vector<std::string> of;
    model->columns[c].made_of.Columns(&of);
    for (const std::string& name : of) {
      EXPECT_TRUE(std::any_of(model->columns.begin(),
                              model->columns.begin() + static_cast<int64_t>(c),
                              [&](const ModelColumn& m) { return m.name == name; }))
          << model->columns[c].name << " of " << name;
    }
  }
}

struct Mistake {
  const char* from;
  const char* to;
  std::string_view code;
  int64_t line;
};

class MistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(MistakeTest, IsRefusedWithItsLine) {
  const Mistake& m = GetParam();
  auto model = ParseModel(With(m.from, m.to), "m.toml");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, m.code) << model.error().ToString();
  EXPECT_EQ(model.error().line, m.line) << model.error().ToString();
  EXPECT_EQ(model.error().file, "m.toml");
  EXPECT_FALSE(model.error().remedy.zh.empty());
  EXPECT_FALSE(model.error().remedy.en.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, MistakeTest,
    testing::Values(
        Mistake{"version = 1", "version = ", kErrModelSyntax, 1},
        Mistake{"version = 1", "version = 2", kErrModelVersion, 1},
        Mistake{"mode = \"link_only\"", "mode = \"both\"", kErrModelValue, 4},
        Mistake{"one_per_file = true", "one_per_person = true", kErrModelKey, 5},
        Mistake{"one_per_file = true", "one_per_file = 1", kErrModelValue, 5},
        Mistake{"lower(trim(first))", "lower(trim(first)", kErrModelExpression, 8},
        Mistake{"lower(trim(first))", "upper(first)", kErrModelExpression, 8},
        Mistake{"lower(trim(first))", "lower(full)", kErrModelCycle, 10},
        Mistake{"concat(given, ' ', sur)", "substr(given, 1)", kErrModelExpression, 10},
        Mistake{"{ exact = \"given\" }, {", "{ exactly = \"given\" }, {", kErrModelLevel, 16},
        Mistake{"{ exact = \"given\" }, {", "{ exact = 3 }, {", kErrModelValue, 16},
        Mistake{"swapped = [\"given\", \"sur\"]", "swapped = [\"given\"]", kErrModelValue, 17},
        Mistake{"at_least = 0.9", "at_least = 1.9", kErrModelValue, 18},
        Mistake{"at_least = 0.9", "at_most = 3", kErrModelKey, 18},
        Mistake{"{ missing = \"given\", says_nothing = true },", "{ else = true },", kErrModelLevel,
                20},
        Mistake{"{ else = true, m = 0.1, u = 0.99 }", "{ else = true }", kErrModelLevel, 25},
        Mistake{"m = 0.9, u = 0.01", "m = 0.95, u = 0.01", kErrModelLevel, 25},
        Mistake{"name = \"dob\"", "name = \"name\"", kErrModelTwice, 23},
        Mistake{"{ exact = \"dob\", m = 0.9, u = 0.01 }, { else = true, m = 0.1, u = 0.99 }",
                "{ exact = \"dob\" }, { first = \"dob\", characters = 4 }", kErrModelLevel, 25},
        Mistake{"hot = 100", "hot = 1", kErrModelValue, 30},
        Mistake{"year(dob)", "year(dob", kErrModelExpression, 28},
        Mistake{"on = [\"sur\", \"year(dob)\"]", "", kErrModelKey, 27},
        Mistake{"seed = 7", "sead = 7", kErrModelKey, 33},
        Mistake{"prior = 0.001", "prior = 1.5", kErrModelValue, 34},
        Mistake{"probability = 0.9", "probability = 0.9\nbits = 3", kErrModelValue, 38},
        Mistake{"clustering = \"complete\"", "clustering = \"single\"", kErrModelValue, 38}));

TEST(ModelTest, TooMuchIsRefused) {
  std::string many = "version = 1\n";
  for (int i = 0; i < 17; ++i) {
    many += "[[comparison]]\nname = \"c" + std::to_string(i) +
            "\"\nlevel = [{ exact = \"x\" }, { else = true }]\n";
  }
  auto model = ParseModel(many + "[[blocking]]\non = \"x\"\n", "m.toml");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, kErrModelTooMuch);
  std::string chain = "version = 1\n[columns]\n";
  for (int i = 0; i < 300; ++i) {
    chain += "c" + std::to_string(i) + " = \"lower(c" + std::to_string(i + 1) + ")\"\n";
  }
  model = ParseModel(chain, "m.toml");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, kErrModelTooMuch);
}

TEST(ModelTest, ThoseThatAreShippedCanBeRead) {
  int seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(CANBAO_SOURCE_DIR "/data/linkage/public")) {
    auto model = LoadModel(entry.path().string());
    EXPECT_TRUE(model) << model.error().ToString();
    ++seen;
  }
  EXPECT_GE(seen, 3);
}

std::string Derive(const std::string& expression, const std::string& a, const std::string& b = "") {
  auto parsed = ParseExpression(expression);
  if (!parsed) return parsed.error().code;
  Column x;
  Column y;
  x.rows = {x.values.Add(a)};
  y.rows = {y.values.Add(b)};
  const Column out = Evaluate(
      *parsed, 1, [&](const std::string& name) -> const Column& { return name == "a" ? x : y; });
  return std::string(out.Text(0));
}

TEST(ExpressionTest, EachFunction) {
  EXPECT_EQ(Derive("lower(a)", "ÄB Ç"), "äb ç");
  EXPECT_EQ(Derive("trim(a)", "  x \t y "), "x y");
  EXPECT_EQ(Derive("alnum(a)", "O'Neil-2 张"), "ONeil2张");
  EXPECT_EQ(Derive("digits(a)", "+86 (10) 12"), "861012");
  EXPECT_EQ(Derive("letters(a)", "a1b"), "ab");
  EXPECT_EQ(Derive("substr(a, 2, 2)", "张晓明"), "晓明");
  EXPECT_EQ(Derive("substr(a, -2, 9)", "abcd"), "cd");
  EXPECT_EQ(Derive("substr(a, -9, 2)", "abcd"), "ab");
  EXPECT_EQ(Derive("substr(a, 5, 2)", "abcd"), "");
  EXPECT_EQ(Derive("token(a, 1)", " ann mary lee"), "ann");
  EXPECT_EQ(Derive("token(a, -1)", "ann mary lee"), "lee");
  EXPECT_EQ(Derive("token(a, 4)", "ann mary lee"), "");
  EXPECT_EQ(Derive("sorted(a)", "lee ann"), "ann lee");
  EXPECT_EQ(Derive("characters(a)", "cab a"), "aabc");
  EXPECT_EQ(Derive("soundex(a)", "Robert"), "R163");
  EXPECT_EQ(Derive("year(a)", "24/06/1971"), "1971");
  EXPECT_EQ(Derive("month(date(a))", "19710624"), "6");
  EXPECT_EQ(Derive("day(a)", "no date"), "");
  EXPECT_EQ(Derive("date(a)", "24/06/1971"), "1971-06-24");
  EXPECT_EQ(Derive("pinyin(a)", "张伟"), "zhang wei");
  EXPECT_EQ(Derive("fold(a)", "張 偉"), "张伟");
  EXPECT_EQ(Derive("concat(a, '-', b)", "x", "y"), "x-y");
  EXPECT_EQ(Derive("concat(a, '-', b)", "x", ""), "");
  EXPECT_EQ(Derive("join(a, b)", "x", "y"), "x y");
  EXPECT_EQ(Derive("join(a, b)", "", "y"), "y");
  EXPECT_EQ(Derive("coalesce(a, b)", "", "y"), "y");
  EXPECT_EQ(Derive("before(a, '@')", "me@home"), "me");
  EXPECT_EQ(Derive("after(a, '@')", "me@home"), "home");
  EXPECT_EQ(Derive("after(a, '@')", "me"), "");
  EXPECT_EQ(Derive("`a`", "x"), "x");
  // A missing value stays missing.
  EXPECT_EQ(Derive("soundex(a)", ""), "");
}

TEST(ExpressionTest, RefusesWhatItCannotRead) {
  for (const char* text :
       {"", "(", "lower()", "lower(a", "lower(a, b)", "lower('x')", "'x'", "a b", "substr(a, x, 1)",
        "before(a)", "before(a, '')", "concat('a', 'b')", "`", "nothing(a)", "a,b"}) {
    EXPECT_EQ(Derive(text, "x"), kErrModelExpression) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "lower(";
  EXPECT_EQ(Derive(deep + "a" + std::string(100, ')'), "x"), kErrModelExpression);
}

}  // namespace
}  // namespace canbao::linkage
