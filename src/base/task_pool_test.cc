#include "base/task_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace canbao {
namespace {

Status FailAt(size_t index) {
  return Fail(ErrorClass::kInput, "CB-TEST-" + std::to_string(index), Msg("坏", "bad"));
}

class TaskPoolTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, TaskPoolTest, testing::Values(1, 2, 3, 8));

TEST_P(TaskPoolTest, EveryIndexExactlyOnce) {
  TaskPool pool(GetParam());
  for (size_t count : {0u, 1u, 2u, 7u, 5000u}) {
    std::vector<std::atomic<int>> seen(count);
    std::atomic<bool> bad_worker{false};
    ASSERT_TRUE(pool.ForEach(count, [&](int worker, size_t i) -> Status {
      if (worker < 0 || worker >= pool.threads()) bad_worker = true;
      seen[i].fetch_add(1);
      return {};
    }));
    for (auto& n : seen) ASSERT_EQ(n.load(), 1);
    EXPECT_FALSE(bad_worker);
  }
}

TEST_P(TaskPoolTest, LowestOfTheFailuresWins) {
  TaskPool pool(GetParam());
  for (int round = 0; round < 50; ++round) {
    Status s = pool.ForEach(1000, [&](int, size_t i) -> Status {
      if (i >= 20) return FailAt(i);
      return {};
    });
    ASSERT_FALSE(s.has_value());
    // Index 20 always begins before any later one, and a task that began is finished.
    ASSERT_EQ(s.error().code, "CB-TEST-20");
  }
  // The pool is as good as new.
  EXPECT_FALSE(pool.ForEach(3, [](int, size_t i) { return FailAt(i); }).has_value());
  EXPECT_TRUE(pool.ForEach(3, [](int, size_t) -> Status { return {}; }).has_value());
}

TEST_P(TaskPoolTest, FailureStopsTheRest) {
  TaskPool pool(GetParam());
  std::atomic<size_t> begun{0};
  Status s = pool.ForEach(100000, [&](int, size_t i) -> Status {
    begun.fetch_add(1);
    if (i == 0) return FailAt(0);
    // The others take long enough for the failure to be noted.
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    return {};
  });
  EXPECT_EQ(s.error().code, "CB-TEST-0");
  EXPECT_LT(begun.load(), 50000u);
}

TEST_P(TaskPoolTest, CancelIsInterrupted) {
  std::atomic<bool> cancel{false};
  TaskPool pool(GetParam(), &cancel);
  std::atomic<size_t> finished{0};
  Status s = pool.ForEach(100000, [&](int, size_t i) -> Status {
    if (i == 10) cancel = true;
    finished.fetch_add(1);
    return {};
  });
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().cls, ErrorClass::kInterrupted);
  EXPECT_LT(finished.load(), 100000u);
  EXPECT_TRUE(pool.stopping());
}

TEST_P(TaskPoolTest, CancelAfterTheLastTaskChangesNothing) {
  std::atomic<bool> cancel{false};
  TaskPool pool(1, &cancel);
  EXPECT_TRUE(pool.ForEach(5, [&](int, size_t i) -> Status {
    if (i == 4) cancel = true;
    return {};
  }));
}

TEST_P(TaskPoolTest, ExceptionsReachTheCaller) {
  TaskPool pool(GetParam());
  EXPECT_THROW(static_cast<void>(pool.ForEach(100,
                                              [](int, size_t i) -> Status {
                                                if (i == 50) throw std::logic_error("broken");
                                                return {};
                                              })),
               std::logic_error);
  EXPECT_THROW(static_cast<void>(
                   pool.OnEveryWorker([](int) -> Status { throw std::logic_error("broken"); })),
               std::logic_error);
}

TEST_P(TaskPoolTest, EveryWorkerRunsAtTheSameTime) {
  TaskPool pool(GetParam());
  std::mutex mutex;
  std::set<int> workers;
  std::atomic<int> arrived{0};
  ASSERT_TRUE(pool.OnEveryWorker([&](int worker) -> Status {
    {
      std::lock_guard lock(mutex);
      workers.insert(worker);
    }
    arrived.fetch_add(1);
    // Would hang if the workers ran one after the other.
    while (arrived.load() < pool.threads()) std::this_thread::yield();
    return {};
  }));
  EXPECT_EQ(workers.size(), static_cast<size_t>(GetParam()));
  Status s = pool.OnEveryWorker([](int worker) { return FailAt(static_cast<size_t>(worker)); });
  EXPECT_EQ(s.error().code, "CB-TEST-0");
}

TEST(TaskPoolEdgeTest, AtLeastOneThread) { EXPECT_EQ(TaskPool(0).threads(), 1); }

}  // namespace
}  // namespace canbao
