// The children of threads that are gone: one thread of the process reaps them when they exit.
#include <pthread.h>
#include <sys/epoll.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "platform/linux/process.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

using Id = std::uint64_t;

// How often those are looked at that no pidfd announces, and whether one has stopped, which none announces.
constexpr int kLookAfterThemMs = 500;

class Reaper {
 public:
  void take(std::vector<Orphan> orphans) {
    const std::lock_guard lock{mutex_};
    if (!is_running_ && !epoll_.valid()) open();
    for (Orphan& orphan : orphans) {
      const Id id = ++last_id_;
      const bool is_announced = watch(orphan.process.handle, id);
      if (!is_announced || orphan.tell_stops) unannounced_.insert(id);
      orphans_.emplace(id, std::move(orphan));
    }
    if (is_running_) {
      wake_.send();
    } else {
      // Without a thread they are left to the next time.
      is_running_ = start();
    }
  }

 private:
  // What fails here leaves a thread that looks after all of them now and then.
  void open() {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    if (epoll_.valid() && (wake_.open() || !add(wake_.fd(), 0))) epoll_.reset();
  }

  // Once for each exit: a tracer may hold one that has exited, and its pidfd stays readable.
  [[nodiscard]] bool add(int fd, Id id) const {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = id}};
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  [[nodiscard]] bool watch(const FileDescriptor& pidfd, Id id) const {
    return pidfd.valid() && pidfds_can_be_waited_for() && epoll_.valid() && add(pidfd.get(), id);
  }

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
      const std::optional<std::set<Id>> announced = wait(looks_after_them);
      lock.lock();
      std::set<Id> ids = unannounced_;
      if (announced) {
        ids.insert(announced->begin(), announced->end());
      } else {
        // Nobody tells of any.
        for (const auto& [id, orphan] : orphans_) ids.insert(id);
      }
      for (const Id id : ids) reap_one(id);
    }
    epoll_.reset();
    wake_ = {};
    is_running_ = false;
  }

  // `epoll_` is this thread's while it runs.
  [[nodiscard]] std::optional<std::set<Id>> wait(bool looks_after_them) const {
    std::array<epoll_event, 64> events{};
    const int count = epoll_.valid() ? epoll_pwait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                                   looks_after_them ? kLookAfterThemMs : -1, nullptr)
                                     : -1;
    if (count < 0 && epoll_.valid() && errno == EINTR) return std::set<Id>{};
    if (count < 0) {
      const timespec pause{0, kLookAfterThemMs * 1'000'000L};
      nanosleep(&pause, nullptr);
      return std::nullopt;
    }
    std::set<Id> announced;
    for (int i = 0; i < count; ++i) announced.insert(events[static_cast<std::size_t>(i)].data.u64);
    return announced;
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
  FileDescriptor epoll_;
  WakeUp wake_;
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
