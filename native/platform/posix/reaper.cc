// The children of threads that are gone: one thread of the process reaps them when they exit.
#include <pthread.h>
#include <uv.h>

#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "platform/platform.h"
#include "platform/posix/exit_queue.h"

namespace sigshield::platform {

namespace {

using Id = ExitQueue::Id;

// How often those are looked at that the queue does not tell of, or told of too early, and whether one has stopped,
// which it never tells.
constexpr int kLookAfterThemMs = 500;

class Reaper {
 public:
  void take(std::vector<Orphan> orphans) {
    const std::lock_guard lock{mutex_};
    // What fails here leaves a thread that looks after all of them now and then.
    if (!is_running_ && !queue_.is_open()) static_cast<void>(queue_.open());
    for (Orphan& orphan : orphans) {
      const Id id = ++last_id_;
      const bool is_announced = queue_.is_open() && queue_.watch(orphan.process.pid, id);
      if (!is_announced || orphan.tell_stops) unannounced_.insert(id);
      orphans_.emplace(id, std::move(orphan));
    }
    if (is_running_) {
      if (queue_.is_open()) queue_.wake();
    } else {
      // Without a thread they are left to the next time.
      is_running_ = start();
    }
  }

 private:
  bool start() {
    const SignalsBlocked blocked{kProgramSignals};
    uv_thread_t thread;
    const int error = uv_thread_create(&thread, [](void* self) { static_cast<Reaper*>(self)->run(); }, this);
    if (error == 0) pthread_detach(thread);
    return error == 0;
  }

  void run() {
    std::unique_lock lock{mutex_};
    while (!orphans_.empty()) {
      const bool looks_after_them = !unannounced_.empty();
      lock.unlock();
      const std::vector<Id> announced = wait(looks_after_them);
      lock.lock();
      std::set<Id> ids = unannounced_;
      ids.insert(announced.begin(), announced.end());
      for (const Id id : ids) reap_one(id);
    }
    queue_.close();
    is_running_ = false;
  }

  // `queue_` is open or not for as long as this thread runs.
  [[nodiscard]] std::vector<Id> wait(bool looks_after_them) const {
    if (queue_.is_open()) {
      return queue_.take(looks_after_them ? std::optional{kLookAfterThemMs} : std::nullopt);
    }
    const timespec pause{0, kLookAfterThemMs * 1'000'000L};
    nanosleep(&pause, nullptr);
    return {};
  }

  void reap_one(Id id) {
    const auto found = orphans_.find(id);
    if (found == orphans_.end()) return;
    const Fate fate = found->second.reap(found->second.process);
    if (fate == Fate::kExited || fate == Fate::kGone) {
      orphans_.erase(found);
      unannounced_.erase(id);
    } else {
      unannounced_.insert(id);
    }
  }

  std::mutex mutex_;
  std::map<Id, Orphan> orphans_;
  std::set<Id> unannounced_;
  ExitQueue queue_;
  Id last_id_ = 0;
  bool is_running_ = false;
};

}  // namespace

void reap_later(std::vector<Orphan> orphans) {
  // Never destroyed: its thread may outlive main().
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): it has a lock of its own.
  static Reaper& reaper = *new Reaper;
  reaper.take(std::move(orphans));
}

}  // namespace sigshield::platform
