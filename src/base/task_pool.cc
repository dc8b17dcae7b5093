#include "base/task_pool.h"

#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/interrupt.h"

namespace canbao {
namespace {

// The failure with the lowest index of those that happened.
class FirstFailure {
 public:
  explicit FirstFailure(std::atomic<bool>* failed) : failed_(failed) {}

  void Note(size_t index, Error error) {
    std::lock_guard lock(mutex_);
    // A task that stopped because another failed says "interrupted": that is no cause.
    bool echo = error.cls == ErrorClass::kInterrupted;
    bool had_echo = error_ && error_->cls == ErrorClass::kInterrupted;
    if (!error_ || (had_echo && !echo) || (had_echo == echo && index < index_)) {
      index_ = index;
      error_ = std::move(error);
    }
    failed_->store(true);
  }
  void NoteException() {
    std::lock_guard lock(mutex_);
    if (!exception_) exception_ = std::current_exception();
    failed_->store(true);
  }
  Status Outcome() {
    if (exception_) std::rethrow_exception(exception_);
    if (error_) return Fail(std::move(*error_));
    return {};
  }

 private:
  std::mutex mutex_;
  std::atomic<bool>* failed_;
  size_t index_ = 0;
  std::optional<Error> error_;
  std::exception_ptr exception_;
};

// Runs body(0) on this thread and the others on threads of their own.
template <typename Body>
void Spread(int workers, const Body& body) {
  std::vector<std::thread> others;
  others.reserve(static_cast<size_t>(workers - 1));
  for (int w = 1; w < workers; ++w) others.emplace_back([&body, w] { body(w); });
  body(0);
  for (std::thread& t : others) t.join();
}

}  // namespace

TaskPool::TaskPool(int threads, const std::atomic<bool>* cancel)
    : threads_(threads < 1 ? 1 : threads), cancel_(cancel) {}

Status TaskPool::ForEach(size_t count,
                         const std::function<Status(int worker, size_t index)>& task) {
  failed_ = false;
  FirstFailure failure(&failed_);
  std::atomic<size_t> next{0};
  std::atomic<size_t> done{0};
  int workers = static_cast<size_t>(threads_) < count ? threads_ : static_cast<int>(count);
  if (count == 0) return {};
  Spread(workers, [&](int worker) {
    while (!stopping()) {
      size_t index = next.fetch_add(1);
      if (index >= count) return;
      try {
        if (Status s = task(worker, index); !s) {
          failure.Note(index, std::move(s.error()));
        } else {
          done.fetch_add(1);
        }
      } catch (...) {
        failure.NoteException();
      }
    }
  });
  if (Status s = failure.Outcome(); !s) return s;
  // The flag that was set after the last task changes nothing.
  if (done.load() != count) return Fail(InterruptedError());
  return {};
}

Status TaskPool::OnEveryWorker(const std::function<Status(int worker)>& body) {
  failed_ = false;
  FirstFailure failure(&failed_);
  Spread(threads_, [&](int worker) {
    try {
      if (Status s = body(worker); !s) {
        failure.Note(static_cast<size_t>(worker), std::move(s.error()));
      }
    } catch (...) {
      failure.NoteException();
    }
  });
  return failure.Outcome();
}

}  // namespace canbao
