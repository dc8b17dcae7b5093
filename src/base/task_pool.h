// A few threads for one piece of parallel work. The work never depends on which thread does what:
// results go into places given by index, so the outcome is the same for any number of threads.
//
// Calls block until all threads are done. The first failure stops the rest (tasks that run are left
// to finish, none begins any more); of several failures the one with the lowest index is returned,
// so that the same bad input reports the same error. An exception (broken invariant) is rethrown to
// the caller. A set cancel flag ends the work with InterruptedError(). A pool may be used again and
// again, by one thread at a time; tasks must not use the pool that runs them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "base/error.h"

namespace canbao {

class TaskPool {
 public:
  // `threads` >= 1; with 1 everything runs on the calling thread.
  explicit TaskPool(int threads, const std::atomic<bool>* cancel = nullptr);

  // task(worker, index) for every index in [0, count), begun in ascending order; worker <
  // threads().
  Status ForEach(size_t count, const std::function<Status(int worker, size_t index)>& task);
  // body(worker) once on every worker at the same time; for work that shares a queue of its own.
  Status OnEveryWorker(const std::function<Status(int worker)>& body);

  // A failure or the cancel flag was seen: long tasks ask now and then and return early.
  bool stopping() const {
    return failed_.load(std::memory_order_relaxed) ||
           (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed));
  }
  int threads() const { return threads_; }

 private:
  int threads_;
  const std::atomic<bool>* cancel_;
  std::atomic<bool> failed_{false};
};

}  // namespace canbao
