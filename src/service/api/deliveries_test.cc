#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/file.h"
#include "register/delivery_record.h"
#include "service/test_context.h"

namespace canbao::service {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using reg::InstanceOptions;
using reg::TestDataFolder;

constexpr const char* kCards = "公民身份号码,姓名,卡号\n330102199001011237,王小明,123456789\n";

class DeliveryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    CANBAO_NEEDS_POSTGRES();
    folder_ = std::make_unique<TestDataFolder>();
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
    AddDeliveryHandlers(handlers_);
    AddJobHandlers(handlers_);
  }
  static void TearDownTestSuite() {
    db_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (!db_) GTEST_SKIP() << "without PostgreSQL";
    services_.db = db_.get();
    services_.data_dir = folder_->path();
    services_.policy_dir = CANBAO_SOURCE_DIR "/data";
    std::filesystem::create_directories(folder_->path() + "/uploads");
    auto caller = TestCaller(*db_, 330000000000, "operator");
    ASSERT_TRUE(caller) << caller.error().ToString();
    caller_ = *caller;
  }

  TestContext As(const Caller& caller) { return TestContext(services_, caller); }
  template <typename C>
  json::object Do(C&& c, const char* operation) {
    Answer answer = c.Call(handlers_, operation);
    EXPECT_TRUE(answer) << operation << ": " << (answer ? "" : answer.error().error.ToString());
    return answer && !answer->body.empty() ? json::parse(answer->body).as_object() : json::object();
  }
  template <typename C>
  void Refused(C&& c, const char* operation, int status, const char* code) {
    Answer answer = c.Call(handlers_, operation);
    ASSERT_FALSE(answer) << operation << " gave " << answer->body;
    EXPECT_EQ(answer.error().status, status) << answer.error().error.ToString();
    EXPECT_EQ(answer.error().error.code, code);
  }
  std::string Upload(const std::string& name, const std::string& bytes) {
    json::object u = Do(As(caller_).Body({{"name", name}, {"size", bytes.size()}}), "beginUpload");
    std::string id(u["id"].as_string());
    if (!bytes.empty())
      u = Do(As(caller_).Param("id", id).Query("offset", "0").Bytes(bytes), "putPart");
    EXPECT_EQ(u["state"], "complete");
    return id;
  }
  json::object MakeOfUploads(const std::string& name = "") {
    json::object body{{"uploads", {Upload("cards.csv", kCards)}},
                      {"province", "330000"},
                      {"cutoff", "2017-09-30"}};
    if (!name.empty()) body["name"] = name;
    body["files"] = json::array{json::object{{"upload", body["uploads"].as_array()[0]},
                                             {"kind", "card"},
                                             {"source", "ka-330000"},
                                             {"stage", "internal"}}};
    return Do(As(caller_).Body(body), "makeDelivery");
  }
  // As the end of a job does.
  void SetState(const std::string& id, const std::string& state) {
    auto owner = db_->Connect();
    auto d = reg::FindDelivery(**owner, std::stoll(id));
    ASSERT_TRUE(d && *d);
    (*d)->state = state;
    if (state == "loaded") (*d)->run = "r1";
    ASSERT_TRUE(reg::SaveDelivery(**owner, **d));
  }
  TestContext On(const std::string& id) {
    TestContext c = As(caller_);
    c.Param("id", id);
    return c;
  }

  static inline std::unique_ptr<TestDataFolder> folder_;
  static inline std::unique_ptr<reg::Database> db_;
  static inline Handlers handlers_;
  Services services_;
  Caller caller_;
};

TEST_F(DeliveryTest, AnUploadInPartsGoesOnWhereItBroke) {
  const std::string all = "0123456789";
  json::object u =
      Do(As(caller_).Body(
             {{"name", "C:\\x\\..\\ a\tb.csv"}, {"size", 10}, {"sha256", Sha256Hex(all)}}),
         "beginUpload");
  EXPECT_EQ(u["name"], "ab.csv") << "of a path only the name, without control characters";
  const std::string id(u["id"].as_string());
  u = Do(On(id).Query("offset", "0").Bytes("0123"), "putPart");
  EXPECT_EQ(u["received"], 4);
  // The answer was lost: the part comes again. A part beyond does not fit, one across does.
  EXPECT_EQ(Do(On(id).Query("offset", "0").Bytes("0123"), "putPart")["received"], 4);
  Refused(On(id).Query("offset", "5").Bytes("5"), "putPart", 409, "CB-SERVICE-0434");
  Refused(On(id).Query("offset", "4").Bytes("456789x"), "putPart", 422, "CB-SERVICE-0433");
  Refused(On(id).Query("offset", "4").Bytes(std::string((8 << 20) + 1, 'x')), "putPart", 413,
          "CB-SERVICE-0432");
  EXPECT_EQ(Do(On(id).Query("offset", "2").Bytes("2345"), "putPart")["received"], 6);
  // Bytes of a part that was never answered lie behind; another server has no digest at hand.
  {
    std::fstream file(folder_->path() + "/uploads/" + id + "/data",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(6);
    file << "garbage";
  }
  Handlers restarted;
  AddDeliveryHandlers(restarted);
  TestContext last = On(id);
  last.Query("offset", "6").Bytes("6789");
  Answer answer = last.Call(restarted, "putPart");
  ASSERT_TRUE(answer) << answer.error().error.ToString();
  EXPECT_EQ(json::parse(answer->body).as_object()["state"], "complete");
  EXPECT_EQ(Do(On(id), "getUpload")["received"], 10);
  Do(On(id), "dropUpload");
  EXPECT_FALSE(FileExists(folder_->path() + "/uploads/" + id));
  Refused(On(id), "getUpload", 404, "CB-SERVICE-0410");
}

TEST_F(DeliveryTest, AnotherDigestIsDamage) {
  json::object u =
      Do(As(caller_).Body({{"name", "a.csv"}, {"size", 3}, {"sha256", Sha256Hex("abc")}}),
         "beginUpload");
  const std::string id(u["id"].as_string());
  u = Do(On(id).Query("offset", "0").Bytes("abd"), "putPart");
  EXPECT_EQ(u["state"], "damaged");
  Refused(As(caller_).Body({{"uploads", {id}}}), "makeDelivery", 409, "CB-SERVICE-0442");
}

TEST_F(DeliveryTest, WhatTheDiskHasNoRoomForIsRefusedAtOnce) {
  Refused(As(caller_).Body({{"name", "a.csv"}, {"size", int64_t{1} << 40}}), "beginUpload", 413,
          "CB-SERVICE-0431");
  for (const char* name : {"..", "/", " . ", "\t"}) {
    Refused(As(caller_).Body({{"name", name}, {"size", 1}}), "beginUpload", 422, "CB-SERVICE-0430");
  }
}

TEST_F(DeliveryTest, OthersUploadsAreNotThere) {
  const std::string id = Upload("a.csv", "x");
  auto other = TestCaller(*db_, 330100000000, "operator");
  ASSERT_TRUE(other) << other.error().ToString();
  Refused(As(*other).Param("id", id), "getUpload", 404, "CB-SERVICE-0410");
  Refused(As(*other).Body({{"uploads", {id}}}), "makeDelivery", 404, "CB-SERVICE-0410");
}

TEST_F(DeliveryTest, MadeOfUploadsWithWhatWasSaidOfThem) {
  json::object d = MakeOfUploads();
  const std::string id(d["id"].as_string());
  EXPECT_EQ(d["state"], "profiling");
  EXPECT_EQ(d["name"], "330000 2017-09-30");
  EXPECT_EQ(d["job"].as_object()["kind"], "profile");
  ASSERT_EQ(d["files"].as_array().size(), 1u);
  EXPECT_EQ(d["files"].as_array()[0].as_object()["kind"], "card");
  EXPECT_EQ(d["history"].as_array()[0].as_object()["what"], "made");
  const std::string manifest = folder_->path() + "/deliveries-in/" + id + "/files/manifest.toml";
  EXPECT_NE(ReadWholeFile(manifest)->find(Sha256Hex(kCards)), std::string::npos);
  // An upload goes into one delivery only.
  auto owner = db_->Connect();
  auto used = (*owner)->Exec("SELECT count(*) FROM canbao.upload WHERE state = 'used'");
  EXPECT_GE(used->Int(0, 0), 1);
  // Nobody outside its division sees it.
  auto other = TestCaller(*db_, 330100000000, "operator");
  Refused(As(*other).Param("id", id), "getDelivery", 404, "CB-SERVICE-0410");
  auto country = TestCaller(*db_, 0, "operator");
  Do(As(*country).Param("id", id), "getDelivery");
}

TEST_F(DeliveryTest, WhatIsWrongWithAManifestIsSaidWithItsPlace) {
  const std::string broken = "[delivery]\nprovince = \"330000\"\ncutoff = 2017-09-30\nwhat = 1\n";
  json::object body{{"uploads", {Upload("manifest.toml", broken)}}};
  TestContext c = As(caller_);
  c.Body(body);
  Answer answer = c.Call(handlers_, "makeDelivery");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().status, 422);
  EXPECT_EQ(answer.error().error.code, "CB-EXTRACT-0003");
  EXPECT_EQ(answer.error().error.message.en.rfind("manifest.toml, line 4", 0), 0u)
      << answer.error().error.message.en;
  Refused(As(caller_).Body({{"uploads", {Upload("a.csv", kCards)}}}), "makeDelivery", 422,
          "CB-SERVICE-0440");
  Refused(As(caller_).Body({{"uploads", {Upload("a.csv", "1"), Upload("a.csv", "2")}}}),
          "makeDelivery", 422, "CB-SERVICE-0443");
  Refused(As(caller_).Body(json::object{}), "makeDelivery", 422, "CB-SERVICE-0445");
}

TEST_F(DeliveryTest, FoldersOfTheServerOnlyBelowItsRoots) {
  const std::string root = folder_->path() + "/offered";
  const std::string secret = folder_->path() + "/secret";
  const std::string manifest =
      "[delivery]\nprovince = \"330000\"\ncutoff = 2017-09-30\n[[extract]]\nfile = \"cards.csv\"\n"
      "kind = \"card\"\nsource = \"ka\"\nstage = \"internal\"\n";
  for (const std::string& folder : {root + "/2017/q3", secret}) {
    fs::create_directories(folder);
    std::ofstream(folder + "/manifest.toml") << manifest;
    std::ofstream(folder + "/cards.csv") << kCards;
  }
  fs::create_directories(root + "/linked");
  std::ofstream(root + "/linked/manifest.toml") << manifest;
  fs::create_symlink(secret + "/cards.csv", root + "/linked/cards.csv");
  fs::create_symlink(secret, root + "/way-out");
  services_.delivery_roots = {root};
  json::object listed = Do(As(caller_), "listFolders");
  ASSERT_EQ(listed["items"].as_array().size(), 2u);
  const json::object& q3 = listed["items"].as_array()[0].as_object();
  EXPECT_EQ(std::string(q3.at("folder").as_string()), root + "/2017/q3");
  EXPECT_EQ(q3.at("cutoff"), "2017-09-30");
  for (const std::string& out :
       {secret, root + "/../secret", root + "/way-out", root + "/2017/q3/../../../secret",
        root + "/nothing", std::string("/etc"), root + "/linked", root + "ed"}) {
    Refused(As(caller_).Body({{"folder", out}}), "makeDelivery", 422, "CB-SERVICE-0444");
  }
  json::object d =
      Do(As(caller_).Body({{"folder", root + "/2017/q3"}, {"name", "三季度"}}), "makeDelivery");
  EXPECT_EQ(d["name"], "三季度");
  EXPECT_EQ(d["state"], "profiling");
}

TEST_F(DeliveryTest, OnlyWhatWasCheckedIsAcceptedAndOnlyWhatWasAcceptedIsCompared) {
  const std::string id(MakeOfUploads("x")["id"].as_string());
  auto decide = [&](const char* decision) {
    TestContext c = On(id);
    c.Body({{"decision", decision}, {"note", "看过"}});
    return c;
  };
  Refused(decide("accept"), "decideDelivery", 409, "CB-SERVICE-0446");
  Refused(On(id), "dryRun", 409, "CB-SERVICE-0446");
  SetState(id, "profiled");
  Refused(decide("accept"), "decideDelivery", 409, "CB-SERVICE-0446");
  EXPECT_EQ(Do(On(id), "dryRun")["kind"], "dry_run");
  SetState(id, "checked");
  Refused(As(caller_).Body({{"deliveries", {id}}}), "startComparison", 409, "CB-SERVICE-0420");
  json::object d = Do(decide("accept"), "decideDelivery");
  EXPECT_EQ(d["state"], "accepted");
  EXPECT_EQ(d["note"], "看过");
  EXPECT_EQ(d["history"].as_array().back().as_object()["note"], "看过");
  // Who holds less than the province does not renew its register.
  auto country = TestCaller(*db_, 0, "operator");
  Do(As(*country).Body({{"deliveries", {id}}}), "startComparison");
  json::object job = Do(
      As(caller_).Body(
          {{"deliveries", {id}}, {"memory", "1G"}, {"threads", 2}, {"accept_list", {"ka-330000"}}}),
      "startComparison");
  EXPECT_EQ(job["kind"], "comparison");
  EXPECT_EQ(job["state"], "queued");
  EXPECT_EQ(Do(On(id), "getDelivery")["job"].as_object()["id"], job["id"]);
  Refused(decide("undo"), "decideDelivery", 409, "CB-SERVICE-0446");
  SetState(id, "loaded");
  Refused(decide("refuse"), "decideDelivery", 409, "CB-SERVICE-0446");
  EXPECT_EQ(Do(decide("undo"), "decideDelivery")["job"].as_object()["kind"], "undo");
}

TEST_F(DeliveryTest, ACountysOperatorDoesNotRenewTheProvincesRegister) {
  auto county = TestCaller(*db_, 330106000000, "operator");
  ASSERT_TRUE(county);
  Caller province = caller_;
  caller_ = *county;
  const std::string id(MakeOfUploads("county")["id"].as_string());
  SetState(id, "accepted");
  Refused(As(*county).Body({{"deliveries", {id}}}), "startComparison", 403, "CB-SERVICE-0421");
  // The province may, with what the county handed in.
  Do(As(province).Body({{"deliveries", {id}}}), "startComparison");
}

TEST_F(DeliveryTest, AMappingIsKeptForItsSource) {
  const std::string id(MakeOfUploads()["id"].as_string());
  auto put = [&](json::object body) {
    TestContext c = On(id);
    c.Param("file", "0").Body(std::move(body));
    return c;
  };
  Refused(put({{"columns", {{"卡片号", "card_no"}}}}), "putMapping", 409, "CB-SERVICE-0446");
  Refused(On(id).Param("file", "0"), "getProfile", 404, "CB-SERVICE-0450");
  Refused(On(id).Param("file", "1"), "getProfile", 404, "CB-SERVICE-0410");
  SetState(id, "refused_by_check");
  Refused(put({{"columns", {{"卡片号", "no_such_field"}}}}), "putMapping", 422, "CB-EXTRACT-0042");
  json::object d = Do(put({{"columns", {{"卡片号", "card_no"}}}}), "putMapping");
  EXPECT_EQ(d["state"], "profiling");
  EXPECT_TRUE(FileExists(folder_->path() + "/mappings/sources/ka-330000.toml"));
  Refused(On(id), "getDeliveryRejects", 404, "CB-SERVICE-0451");
}

TEST_F(DeliveryTest, ListsPageByKey) {
  for (int i = 0; i < 3; ++i) MakeOfUploads("n" + std::to_string(i));
  json::object first = Do(As(caller_).Query("limit", "2"), "listDeliveries");
  ASSERT_EQ(first["items"].as_array().size(), 2u);
  EXPECT_EQ(first["items"].as_array()[0].as_object()["name"], "n2");
  json::object second =
      Do(As(caller_).Query("limit", "2").Query("after", std::string(first["next"].as_string())),
         "listDeliveries");
  EXPECT_EQ(second["items"].as_array()[0].as_object()["name"], "n0");
}

}  // namespace
}  // namespace canbao::service
