#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "casework/test_world.h"
#include "service/test_context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

class CaseHandlersTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access((reg::InstanceOptions().bin_dir + "/postgres").c_str(), X_OK) != 0) return;
    folder_ = std::make_unique<reg::TestDataFolder>();
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    Own(casework::kTestLeaves);
  }
  static void TearDownTestSuite() {
    db_.reset();
    folder_.reset();
  }
  void SetUp() override {
    CANBAO_NEEDS_POSTGRES();
    Own(casework::kTestWorldEnds);
    Own(casework::kTestWorld);
    Own("SELECT canbao.open_cases('2017-06-30')");
    services_.db = db_.get();
    services_.data_dir = folder_->path();
    services_.policy_dir = CANBAO_SOURCE_DIR "/data";
    AddCaseHandlers(handlers_);
  }
  static void Own(const std::string& sql) {
    auto c = db_->Connect();
    ASSERT_TRUE(c);
    Status s = (*c)->Run("BEGIN; " + sql + "; COMMIT");
    ASSERT_TRUE(s) << s.error().ToString();
  }
  TestContext As(int64_t division, const std::string& role = "operator") {
    auto caller = TestCaller(*db_, division, role);
    EXPECT_TRUE(caller) << caller.error().ToString();
    return {services_, caller ? *caller : Caller{}};
  }
  json::object Ok(const Answer& a) {
    EXPECT_TRUE(a) << a.error().error.ToString();
    return a ? json::parse(a->body).as_object() : json::object{};
  }
  std::string EtagOf(const Answer& a) {
    for (const auto& [name, value] : a->headers) {
      if (name == "ETag") return value;
    }
    return "";
  }
  std::string IdOfKind(TestContext& c, const std::string& kind, const std::string& number) {
    c.Query("kind", kind).Query("number", number);
    json::object page = Ok(c.Call(handlers_, "listCases"));
    c.Query("kind", "").Query("number", "");
    EXPECT_EQ(page["count"].as_int64(), 1);
    return std::string(page["items"].as_array()[0].as_object()["id"].as_string());
  }

  static std::unique_ptr<reg::TestDataFolder> folder_;
  static std::unique_ptr<reg::Database> db_;
  Services services_;
  Handlers handlers_;
};
std::unique_ptr<reg::TestDataFolder> CaseHandlersTest::folder_;
std::unique_ptr<reg::Database> CaseHandlersTest::db_;

TEST_F(CaseHandlersTest, ListsShowWhatTheCallerSeesMasked) {
  TestContext c = As(330102000000);
  json::object page = Ok(c.Call(handlers_, "listCases"));
  EXPECT_EQ(page["count"].as_int64(), 3);
  ASSERT_EQ(page["items"].as_array().size(), 3u);
  json::object first = page["items"].as_array()[0].as_object();
  EXPECT_EQ(first["name"].as_string(), "王*");
  EXPECT_EQ(first["state"].as_string(), "found");
  EXPECT_EQ(c.notes.back().action, "case.list");
  json::object summary = Ok(c.Call(handlers_, "summariseCases"));
  EXPECT_EQ(summary["items"].as_array().size(), 3u);

  TestContext other = As(330300000000);
  EXPECT_EQ(Ok(other.Call(handlers_, "listCases"))["count"].as_int64(), 0);
  // Another's division is asked for: nothing of it is shown, nor counted.
  other.Query("division", "330102");
  EXPECT_EQ(Ok(other.Call(handlers_, "listCases"))["count"].as_int64(), 0);
  EXPECT_TRUE(Ok(other.Call(handlers_, "summariseCases"))["items"].as_array().empty());
}

TEST_F(CaseHandlersTest, AStepNeedsTheVersionItWasMadeFor) {
  TestContext c = As(330100000000);
  const std::string id = IdOfKind(c, "duplicate", "2");
  c.Param("id", id);
  Answer read = c.Call(handlers_, "getCase");
  Ok(read);
  EXPECT_EQ(EtagOf(read), "\"1\"");
  EXPECT_EQ(c.notes.back().person, 1u);
  c.Body(json::object{{"action", "notify"}});
  Answer without = c.Call(handlers_, "stepCase");
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().status, 412);
  c.Header("if-match", "\"1\"");
  Answer done = c.Call(handlers_, "stepCase");
  json::object detail = Ok(done);
  EXPECT_EQ(detail["state"].as_string(), "notified");
  EXPECT_EQ(EtagOf(done), "\"2\"");
  EXPECT_EQ(detail["events"].as_array().size(), 1u);
  Answer stale = c.Call(handlers_, "stepCase");
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().status, 412);
  c.Header("if-match", "\"2\"");
  Answer wrong = c.Call(handlers_, "stepCase");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().status, 409);
  c.Body(json::object{{"action", "assign"}, {"assignee", "nobody.there"}});
  Answer nobody = c.Call(handlers_, "stepCase");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().error.code, "CB-CASEWORK-0018");
  c.Param("id", "424242");
  Answer none = c.Call(handlers_, "getCase");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, 404);
}

TEST_F(CaseHandlersTest, BulkSaysWhatBecameOfEach) {
  TestContext c = As(330000000000);
  const std::string duplicate = IdOfKind(c, "duplicate", "2");
  const std::string discrepancy = IdOfKind(c, "discrepancy", "4");
  c.Body(json::object{{"cases", json::array{duplicate, discrepancy, duplicate}},
                      {"step", json::object{{"action", "send"}}}});
  json::object result = Ok(c.Call(handlers_, "stepCases"));
  EXPECT_EQ(result["done"], (json::array{discrepancy}));
  ASSERT_EQ(result["refused"].as_array().size(), 1u);
  EXPECT_EQ(result["refused"].as_array()[0].as_object()["code"].as_string(), "CB-CASEWORK-0004");
  c.Param("id", discrepancy);
  json::object detail = Ok(c.Call(handlers_, "getCase"));
  EXPECT_EQ(detail["state"].as_string(), "sent");
  EXPECT_EQ(detail["field"].as_string(), "name");
  EXPECT_EQ(detail["delivered"].as_string(), "王*");
}

TEST_F(CaseHandlersTest, EvidenceIsKeptSealedAndGivenToThoseWhoSeeTheCase) {
  TestContext c = As(330100000000);
  const std::string id = IdOfKind(c, "duplicate", "2");
  const std::string scan = "%PDF-1.4 某某 33010219500101001X";
  c.Param("id", id).Query("name", "证明.pdf").Bytes(scan);
  Answer kept = c.Call(handlers_, "addEvidence");
  json::object detail = Ok(kept);
  EXPECT_EQ(kept->status, 201);
  json::object e = detail["evidence"].as_array()[0].as_object();
  const std::string file = folder_->path() + "/evidence/" + std::string(e["sha256"].as_string());
  ASSERT_TRUE(std::filesystem::exists(file));
  std::ifstream in(file, std::ios::binary);
  const std::string sealed((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(sealed.find("PDF"), std::string::npos);

  c.Param("evidence", std::string(e["id"].as_string()));
  Answer got = c.Call(handlers_, "getEvidence");
  ASSERT_TRUE(got) << got.error().error.ToString();
  EXPECT_EQ(got->body, scan);
  TestContext other = As(330300000000);
  other.Param("id", id).Param("evidence", std::string(e["id"].as_string()));
  Answer hidden = other.Call(handlers_, "getEvidence");
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().status, 404);
  other.Query("name", "x.pdf").Bytes("%PDF-1.4 other");
  EXPECT_FALSE(other.Call(handlers_, "addEvidence"));

  c.Query("name", "run.exe").Bytes(std::string("MZ\0\x01", 4));
  Answer program = c.Call(handlers_, "addEvidence");
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().status, 415);
  c.Bytes("");
  Answer empty = c.Call(handlers_, "addEvidence");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().status, 413);
}

}  // namespace
}  // namespace canbao::service
