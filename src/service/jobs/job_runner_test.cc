#include "service/jobs/job_runner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "register/delivery_record.h"
#include "service/jobs/job_command.h"
#include "service/test_context.h"

namespace canbao::service {
namespace {

using reg::InstanceOptions;
using reg::TestDataFolder;

// Jobs of a child that is a shell script: what it does is up to each test.
class JobRunnerTest : public testing::Test {
 protected:
  // One register for all tests: each has jobs of its own.
  static void SetUpTestSuite() {
    CANBAO_NEEDS_POSTGRES();
    folder_ = std::make_unique<TestDataFolder>();
    auto db = folder_->OpenDatabase();
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = std::move(*db);
  }
  static void TearDownTestSuite() {
    db_.reset();
    folder_.reset();
  }
  void SetUp() override {
    if (!db_) GTEST_SKIP() << "without PostgreSQL";
    services_.db = db_.get();
    services_.data_dir = folder_->path();
    services_.executable =
        folder_->path() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
    auto caller = TestCaller(*db_, 330000000000, "operator");
    ASSERT_TRUE(caller) << caller.error().ToString();
    caller_ = *caller;
  }
  void TearDown() override { runner_.reset(); }

  void Child(const std::string& script) {
    std::ofstream(services_.executable) << "#!/bin/sh\n" << script;
    ::chmod(services_.executable.c_str(), 0755);
  }
  void StartRunner() {
    auto runner = JobRunner::Start(services_);
    ASSERT_TRUE(runner) << runner.error().ToString();
    runner_ = std::move(*runner);
  }
  int64_t AddDelivery() {
    auto c = reg::ConnectSession(*db_, caller_.token);
    EXPECT_TRUE(c) << c.error().ToString();
    reg::DeliveryRecord d;
    d.name = "d";
    d.folder = "/nowhere";
    d.account_id = caller_.account_id;
    d.account = caller_.account;
    d.division = caller_.division;
    auto id = reg::AddDelivery(**c, d);
    EXPECT_TRUE(id) << id.error().ToString();
    return *id;
  }
  int64_t Add(const std::string& kind, const std::string& argument,
              std::optional<int64_t> delivery = {}) {
    auto c = reg::ConnectSession(*db_, caller_.token);
    EXPECT_TRUE(c) << c.error().ToString();
    auto id = reg::AddJob(
        **c, {kind, argument, delivery, caller_.account_id, caller_.account, caller_.division});
    EXPECT_TRUE(id) << id.error().ToString();
    return id ? *id : 0;
  }
  reg::Job Read(int64_t id) {
    auto job = runner_->Read(id);
    EXPECT_TRUE(job) << job.error().ToString();
    EXPECT_TRUE(*job);
    return **job;
  }
  // Waits for a state; the job as it is then, or after ten seconds.
  reg::Job Await(int64_t id, const std::string& state) {
    for (int i = 0; i < 200; ++i) {
      reg::Job job = Read(id);
      if (job.state == state) return job;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    reg::Job job = Read(id);
    ADD_FAILURE() << "job is " << job.state << ", not " << state << ": " << job.problem;
    return job;
  }

  static inline std::unique_ptr<TestDataFolder> folder_;
  static inline std::unique_ptr<reg::Database> db_;
  Services services_;
  Caller caller_;
  std::unique_ptr<JobRunner> runner_;
};

constexpr const char* kProgress =
    R"(echo '{"phase":{"zh":"读取","en":"reading"},"done":5,"total":10,"unit":"bytes"}' >&3
)";

TEST_F(JobRunnerTest, AComparisonRunsAndItsDeliveryIsLoaded) {
  Child(std::string(kProgress) +
        "echo \"$@\" >&2; sleep 0.7; echo '{\"result\":{\"run\":\"r1\"}}' >&3\n");
  StartRunner();
  int64_t delivery = AddDelivery();
  int64_t id = Add("comparison",
                   R"({"folders":["/a b"],"deliveries":[)" + std::to_string(delivery) +
                       R"(],"memory":"3G","threads":"4","accept_list":["sb-1"]})",
                   delivery);
  for (int i = 0; i < 100 && Read(id).done == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  reg::Job running = Read(id);
  EXPECT_EQ(running.state, "running");
  EXPECT_EQ(running.phase.zh, "读取");
  EXPECT_EQ(running.total, 10);
  EXPECT_GT(running.pid, 0);
  reg::Job job = Await(id, "done");
  EXPECT_EQ(job.run, "r1");
  EXPECT_EQ(job.done, 10);
  EXPECT_EQ(job.pid, 0);
  auto log = ReadWholeFile(JobFolder(services_, id) + "/log");
  ASSERT_TRUE(log);
  EXPECT_EQ(*log, "--progress-fd 3 compare /a b --data " + folder_->path() +
                      " --memory 3G --threads 4 --accept-list sb-1\n");
  auto owner = db_->Connect();
  auto d = reg::FindDelivery(**owner, delivery);
  ASSERT_TRUE(d && *d);
  EXPECT_EQ((*d)->state, "loaded");
  EXPECT_EQ((*d)->run, "r1");
  ASSERT_EQ((*d)->history.size(), 1u);
  EXPECT_EQ((*d)->history[0].what, "loaded");
}

TEST_F(JobRunnerTest, WhatItWasRefusedForIsKept) {
  Child(
      R"(echo '{"problem":{"class":3,"code":"CB-EXTRACT-0007","message":{"zh":"坏","en":"bad"},"remedy":{"zh":"","en":""},"file":"a.csv","line":3,"column":4}}' >&3
exit 3
)");
  StartRunner();
  int64_t delivery = AddDelivery();
  reg::Job job = Await(Add("profile", R"({"folder":"/x"})", delivery), "failed");
  EXPECT_NE(job.problem.find("CB-EXTRACT-0007"), std::string::npos) << job.problem;
  auto owner = db_->Connect();
  auto d = reg::FindDelivery(**owner, delivery);
  ASSERT_TRUE(d && *d);
  EXPECT_EQ((*d)->state, "refused_by_check");
  EXPECT_NE((*d)->problem.find("CB-EXTRACT-0007"), std::string::npos);
}

TEST_F(JobRunnerTest, AChildThatDiesIsAFailureThatSaysSo) {
  Child("kill -9 $$\n");
  StartRunner();
  reg::Job job = Await(Add("comparison", R"({"folders":["/x"]})"), "failed");
  EXPECT_NE(job.problem.find("CB-SERVICE-0401"), std::string::npos) << job.problem;
}

// What a profile left cannot be read: the job's own end, not an endless try.
TEST_F(JobRunnerTest, AResultThatIsNoneEndsTheJob) {
  Child("echo '[]'\n");
  StartRunner();
  int64_t delivery = AddDelivery();
  {
    auto owner = db_->Connect();
    reg::DeliveryFile f;
    f.file = "a.csv";
    f.kind = "card";
    f.source = "s";
    f.stage = "internal";
    ASSERT_TRUE(reg::SaveDeliveryFiles(**owner, delivery, {f}));
  }
  reg::Job job = Await(Add("profile", R"({"folder":"/x"})", delivery), "failed");
  EXPECT_NE(job.problem.find("CB-SERVICE-0404"), std::string::npos) << job.problem;
}

constexpr const char* kStops =
    R"(if [ -e "$0.second" ]; then echo '{"result":{"run":"r2"}}' >&3; exit 0; fi
trap 'exit 130' INT
touch "$0.second"
while :; do sleep 0.05; done
)";

TEST_F(JobRunnerTest, ACancelledJobGoesOnWhenItIsResumed) {
  Child(kStops);
  StartRunner();
  int64_t id = Add("comparison", R"({"folders":["/x"]})");
  Await(id, "running");
  while (!FileExists(services_.executable + ".second"))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  auto cancelled = runner_->Cancel(id);
  ASSERT_TRUE(cancelled && *cancelled);
  Await(id, "cancelled");
  auto again = runner_->Cancel(id);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  auto resumed = runner_->Resume(id);
  ASSERT_TRUE(resumed && *resumed);
  EXPECT_EQ(Await(id, "done").run, "r2");
  resumed = runner_->Resume(id);
  ASSERT_TRUE(resumed);
  EXPECT_FALSE(*resumed);
}

TEST_F(JobRunnerTest, AServerThatStopsLeavesItsJobsToBeResumed) {
  Child(kStops);
  StartRunner();
  int64_t id = Add("comparison", R"({"folders":["/x"]})");
  int64_t waits = Add("comparison", R"({"folders":["/y"]})");
  Await(id, "running");
  while (!FileExists(services_.executable + ".second"))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(Read(waits).state, "queued") << "one comparison at a time";
  runner_.reset();
  StartRunner();
  EXPECT_EQ(Await(id, "interrupted").run, "");
  EXPECT_EQ(Await(waits, "done").run, "r2");
}

// A job that a dead server left `running`, with a child that still runs.
TEST_F(JobRunnerTest, TheChildOfADeadServerIsStopped) {
  Child(kStops);
  int64_t id = Add("comparison", R"({"folders":["/x"]})");
  const std::string mark = "CANBAO_JOB=" + std::to_string(id);
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setpgid(0, 0);
    ::execl("/usr/bin/env", "env", mark.c_str(), services_.executable.c_str(), nullptr);
    ::_exit(1);
  }
  while (!FileExists(services_.executable + ".second"))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  {
    auto owner = db_->Connect();
    ASSERT_TRUE(reg::ClaimJob(**owner, id));
    ASSERT_TRUE(reg::SetJobProcess(**owner, id, child));
  }
  std::thread reaper([child] { ::waitpid(child, nullptr, 0); });
  StartRunner();
  Await(id, "interrupted");
  reaper.join();
}

TEST_F(JobRunnerTest, NobodySeesJobsOfAForeignDivision) {
  int64_t id = Add("comparison", R"({"folders":["/x"]})");
  struct Case {
    int64_t division;
    const char* role;
    bool sees;
  };
  for (const Case& k :
       {Case{330000000000, "operator", true}, Case{0, "operator", true},
        Case{330100000000, "operator", false}, Case{340000000000, "operator", false},
        Case{330000000000, "surveyor", false}}) {
    auto token = reg::TestSession(*db_, k.division, {k.role});
    ASSERT_TRUE(token) << token.error().ToString();
    auto c = reg::ConnectSession(*db_, *token);
    ASSERT_TRUE(c);
    auto job = reg::FindJob(**c, id);
    ASSERT_TRUE(job) << job.error().ToString();
    EXPECT_EQ(job->has_value(), k.sees) << k.division << " " << k.role;
    auto list = reg::ListJobs(**c, "", 10);
    ASSERT_TRUE(list);
    EXPECT_EQ(list->empty(), !k.sees);
  }
  // Nor makes one in another's name.
  auto token = reg::TestSession(*db_, 330100000000, {"operator"});
  auto c = reg::ConnectSession(*db_, *token);
  EXPECT_FALSE(reg::AddJob(**c, {"comparison", "{}", {}, caller_.account_id, "x", 330100000000}));
}

}  // namespace
}  // namespace canbao::service
