#include "service/http/schema.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <stdexcept>

namespace canbao::service {
namespace {
namespace json = boost::json;

// The faults of `value` under `schema`, "field: detail" in English, one a line.
std::string Faults(const char* schema, std::string_view value, bool as_text = false) {
  json::value document = json::parse(schema);
  Schemas schemas(document);
  const json::value* at = &document;
  if (const json::value* root = document.as_object().if_contains("root")) at = root;
  const Schema* s = schemas.Get(*at);
  std::vector<Problem::Field> faults;
  if (as_text) {
    s->CheckText(value, "p", Lang::kEn, &faults);
  } else {
    json::value v = json::parse(value);
    s->Check(v, Lang::kEn, &faults);
  }
  std::string out;
  for (const auto& f : faults) out += f.field + ": " + f.detail + "\n";
  return out;
}
std::string OfText(const char* schema, std::string_view text) { return Faults(schema, text, true); }

TEST(Schema, ChecksTypes) {
  EXPECT_EQ(Faults(R"({"type": "string"})", "\"a\""), "");
  EXPECT_EQ(Faults(R"({"type": "string"})", "1"), ": must be text\n");
  EXPECT_EQ(Faults(R"({"type": ["string", "null"]})", "null"), "");
  EXPECT_EQ(Faults(R"({"type": ["string", "null"]})", "[]"), ": must be text or null\n");
  EXPECT_EQ(Faults(R"({"type": "number"})", "1.5"), "");
  EXPECT_EQ(Faults(R"({"type": "number"})", "2"), "");
  EXPECT_EQ(Faults(R"({"type": "integer"})", "1.5"), ": must be an integer\n");
  EXPECT_EQ(Faults(R"({"type": "integer"})", "18446744073709551615"), ": must be an integer\n");
  EXPECT_EQ(Faults(R"({"type": "integer"})", "true"), ": must be an integer\n");
  EXPECT_EQ(Faults("{}", "{\"any\": [1, null]}"), "");
}

TEST(Schema, MakesWholeNumbersIntegers) {
  json::value document = json::parse(R"({"type": "integer"})");
  Schemas schemas(document);
  json::value v = json::parse("3.0");
  std::vector<Problem::Field> faults;
  schemas.Get(document)->Check(v, Lang::kEn, &faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_TRUE(v.is_int64());
}

TEST(Schema, ChecksTexts) {
  const char* s = R"({"type": "string", "minLength": 2, "maxLength": 3})";
  EXPECT_EQ(Faults(s, "\"杭\""), ": at least 2 characters\n");
  EXPECT_EQ(Faults(s, "\"杭州市\""), "");
  EXPECT_EQ(Faults(s, "\"abcd\""), ": at most 3 characters\n");
  const char* code = R"({"type": "string", "pattern": "^([0-9]{2}|[0-9]{4})$"})";
  EXPECT_EQ(Faults(code, "\"3301\""), "");
  EXPECT_NE(Faults(code, "\"330\""), "");
  EXPECT_NE(Faults(code, "\"33\\n\""), "");
  EXPECT_NE(Faults(code, "\"" + std::string(100000, '1') + "\""), "");
  const char* day = R"({"type": "string", "format": "date"})";
  EXPECT_EQ(Faults(day, "\"2017-09-30\""), "");
  EXPECT_NE(Faults(day, "\"2017-02-30\""), "");
  EXPECT_NE(Faults(day, "\"20170930\""), "");
  EXPECT_EQ(Faults(R"({"type": "string", "enum": ["a", "b"]})", "\"c\""),
            ": must be one of a, b\n");
}

TEST(Schema, ChecksNumbersAndArrays) {
  const char* n = R"({"type": "integer", "minimum": 1, "maximum": 200})";
  EXPECT_EQ(Faults(n, "200"), "");
  EXPECT_EQ(Faults(n, "0"), ": must not be less than 1\n");
  EXPECT_EQ(Faults(n, "201"), ": must not be more than 200\n");
  const char* a = R"({"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}})";
  EXPECT_EQ(Faults(a, "[]"), ": at least 1 items\n");
  EXPECT_EQ(Faults(a, "[\"a\", 2]"), "[1]: must be text\n");
  EXPECT_EQ(Faults(a, "[1, 2, 3]"), ": at most 2 items\n");
}

TEST(Schema, ChecksObjects) {
  const char* s = R"({"type": "object", "additionalProperties": false, "required": ["a"],
    "properties": {"a": {"type": "string"}, "b": {"type": "object",
      "additionalProperties": {"type": "string"}, "maxProperties": 1}}})";
  EXPECT_EQ(Faults(s, R"({"a": "x", "b": {"k": "v"}})"), "");
  EXPECT_EQ(Faults(s, "{}"), "a: is required\n");
  EXPECT_EQ(Faults(s, R"({"a": "x", "c": 1})"), "c: there is no such field\n");
  EXPECT_EQ(Faults(s, R"({"a": "x", "b": {"k": 1}})"), "b.k: must be text\n");
  EXPECT_EQ(Faults(s, R"({"a": "x", "b": {"k": "", "l": ""}})"), "b: at most 1 items\n");
}

TEST(Schema, FollowsReferencesAndCombinations) {
  const char* s = R"({"defs": {"Name": {"type": "string", "minLength": 1},
      "Tree": {"type": "object", "properties": {"below": {"type": "array",
        "items": {"$ref": "#/defs/Tree"}}, "name": {"$ref": "#/defs/Name"}}}},
    "root": {"allOf": [{"$ref": "#/defs/Tree"}, {"type": "object", "required": ["name"]}]}})";
  EXPECT_EQ(Faults(s, R"({"name": "a", "below": [{"name": "b"}]})"), "");
  EXPECT_EQ(Faults(s, R"({"name": "a", "below": [{"name": ""}]})"),
            "below[0].name: at least 1 characters\n");
  EXPECT_EQ(Faults(s, "{}"), "name: is required\n");
  const char* one = R"({"oneOf": [{"type": "string"}, {"type": "null"}]})";
  EXPECT_EQ(Faults(one, "null"), "");
  EXPECT_NE(Faults(one, "1"), "");
  const char* both = R"({"oneOf": [{"type": "number"}, {"type": "integer"}]})";
  EXPECT_NE(Faults(both, "1"), "");
}

TEST(Schema, ReadsParametersAsText) {
  const char* n = R"({"type": "integer", "minimum": 1})";
  EXPECT_EQ(OfText(n, "12"), "");
  for (const char* bad : {"", "x", "1x", "1.0", " 1", "+1", "99999999999999999999"})
    EXPECT_EQ(OfText(n, bad), "p: must be an integer\n") << bad;
  EXPECT_EQ(OfText(n, "0"), "p: must not be less than 1\n");
  EXPECT_EQ(OfText(R"({"type": "boolean"})", "true"), "");
  EXPECT_EQ(OfText(R"({"type": "boolean"})", "1"), "p: must be true or false\n");
  EXPECT_EQ(OfText(R"({"type": "string", "pattern": "^[0-9]+$"})", "12"), "");
}

TEST(Schema, TellsNoMoreThanADozenFaults) {
  std::string many = "[1";
  for (int i = 0; i < 100; ++i) many += ",1";
  const std::string faults =
      Faults(R"({"type": "array", "items": {"type": "string"}})", many + "]");
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 12);
}

TEST(Schema, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(Faults(R"({"type": "string", "uniqueItems": true})", "1"), std::runtime_error);
  EXPECT_THROW(Faults(R"({"type": "text"})", "1"), std::runtime_error);
}

TEST(Schema, SeesNulAnywhere) {
  EXPECT_FALSE(HasNul(json::parse(R"({"a": ["b", 1, null]})")));
  EXPECT_TRUE(HasNul(json::parse(R"({"a": ["b\u0000"]})")));
  EXPECT_TRUE(HasNul(json::parse(R"({"a\u0000": 1})")));
}

}  // namespace
}  // namespace canbao::service
