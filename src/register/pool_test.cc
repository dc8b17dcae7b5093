#include "register/pool.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "register/test_data_folder.h"

namespace canbao::reg {
namespace {
using namespace std::chrono_literals;

class PoolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TestDataFolder();
    DatabaseOptions o;
    o.instance.durable = false;
    auto db = Database::Open(folder_->path(), o);
    ASSERT_TRUE(db) << db.error().ToString();
    db_ = db->release();
  }
  static void TearDownTestSuite() {
    delete db_;
    delete folder_;
  }
  static TestDataFolder* folder_;
  static Database* db_;
};
TestDataFolder* PoolTest::folder_ = nullptr;
Database* PoolTest::db_ = nullptr;

PoolOptions Small(int size) {
  PoolOptions o;
  o.size = size;
  o.wait = 50ms;
  return o;
}

TEST_F(PoolTest, KeepsSessionsAndHasOnlySoMany) {
  Pool pool([] { return db_->ConnectApp(); }, Small(2));
  {
    auto a = pool.Take();
    auto b = pool.Take();
    ASSERT_TRUE(a && b);
    EXPECT_EQ(pool.in_use(), 2);
    auto c = pool.Take();
    ASSERT_FALSE(c);
    EXPECT_EQ(c.error().code, "CB-REGISTER-0106");
  }
  EXPECT_EQ(pool.in_use(), 0);
  EXPECT_EQ(pool.open(), 2);
  auto again = pool.Take();
  ASSERT_TRUE(again);
  EXPECT_EQ(pool.open(), 2);
}

TEST_F(PoolTest, RollsBackWhatWasLeftOpen) {
  Pool pool([] { return db_->Connect("pool test"); }, Small(1));
  {
    auto a = pool.Take();
    ASSERT_TRUE(a);
    ASSERT_TRUE(
        (*a)->Run("CREATE TABLE canbao.pool_left (x int); BEGIN; "
                  "INSERT INTO canbao.pool_left VALUES (1)"));
  }
  auto b = pool.Take();
  ASSERT_TRUE(b);
  auto rows = (*b)->Exec("SELECT count(*) FROM canbao.pool_left");
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(rows->Int(0, 0), 0);
  ASSERT_TRUE((*b)->Run("DROP TABLE canbao.pool_left"));
}

TEST_F(PoolTest, OutlivesTheServersDeath) {
  Pool pool([] { return db_->ConnectApp(); }, Small(4));
  {
    auto a = pool.Take(), b = pool.Take();
    ASSERT_TRUE(a && b);
  }
  const int postmaster = Instance::PostmasterPid(folder_->path());
  ASSERT_GT(postmaster, 0);
  ASSERT_EQ(::kill(postmaster, SIGQUIT), 0);  // at once, as a crash does
  for (int i = 0; i < 500 && Instance::IsRunning(folder_->path()); ++i)
    std::this_thread::sleep_for(10ms);
  auto down = pool.Take();
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().cls, ErrorClass::kEnvironment);
  ASSERT_TRUE(db_->instance()->EnsureRunning());
  auto up = pool.Take();
  ASSERT_TRUE(up) << up.error().ToString();
  EXPECT_TRUE((*up)->Exec("SELECT 1"));
  EXPECT_EQ(pool.in_use(), 1);
}

TEST_F(PoolTest, ServesManyThreads) {
  PoolOptions o = Small(3);
  o.wait = 20s;
  Pool pool([] { return db_->ConnectApp(); }, o);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        auto c = pool.Take();
        if (c && (*c)->Exec("SELECT 1")) ++done;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(done.load(), 160);
  EXPECT_LE(pool.open(), 3);
}

}  // namespace
}  // namespace canbao::reg
