// All children of a loop stand in one kqueue that is itself watched by one uv_poll handle, so that the cost of an exit
// does not depend on how many other children live. What the kqueue does not take is looked at on each SIGCHLD.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "platform/platform.h"
#include "platform/posix/exit_queue.h"

namespace sigshield::platform {

namespace {

// The exit is told before the child can be reaped, by microseconds as a rule. So it is looked at again, ever more
// seldom: to wait for it would hold up the loop.
constexpr std::uint64_t kFirstLookMs = 1;
constexpr std::uint64_t kLastLookMs = 500;

}  // namespace

class ExitSource::Implementation {
 public:
  Implementation(uv_loop_t* loop, Announce announce) : loop_(loop), announce_(std::move(announce)) {}

  Failure open() {
    if (!is_open(timer_)) {
      // Can't fail.
      uv_timer_init(loop_, &timer_);
      opened(timer_);
    }
    if (!is_open(sigchld_)) {
      // The first signal handle of a loop opens the loop's own pipe for signals.
      if (const int error = uv_signal_init(loop_, &sigchld_); error != 0) return {Step::kPipe, -error};
      opened(sigchld_);
    }
    if (!queue_.is_open()) {
      if (const Failure failure = queue_.open()) return failure;
    }
    if (is_open(poll_)) return {};
    if (const int error = uv_poll_init(loop_, &poll_, queue_.fd()); error != 0) return {Step::kKevent, -error};
    opened(poll_);
    const int error = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
      static_cast<Implementation*>(handle->data)->announce_ready();
    });
    return error == 0 ? Failure{} : Failure{Step::kKevent, -error};
  }

  void watch(ChildId id, const ProcessReference& process, bool tell_stops) {
    // The queue tells of the exit alone, SIGCHLD of a stop too.
    if (queue_.watch(process.pid, id) && !tell_stops) return;
    announced_by_sigchld_.insert(id);
    if (is_active(sigchld_)) return;
    start_sigchld();
    // A child that exited before the handler stood.
    static_cast<void>(raise(SIGCHLD));
  }

  void look_again(ChildId id) {
    overdue_.insert(id);
    if (!is_active(timer_)) look_after(kFirstLookMs);
  }

  void forget(ChildId id, const ProcessReference& process) {
    queue_.forget(process.pid);
    announced_by_sigchld_.erase(id);
    overdue_.erase(id);
    if (announced_by_sigchld_.empty()) uv_signal_stop(&sigchld_);
    if (overdue_.empty() && !is_without_sigchld_) uv_timer_stop(&timer_);
  }

  void keep_loop_alive(bool on) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&poll_);
    on ? uv_ref(handle) : uv_unref(handle);
  }

  void close(std::function<void()> closed) {
    closed_ = std::move(closed);
    // Counts down in callbacks, which come later.
    if (is_open(poll_)) close_one(poll_);
    if (is_open(sigchld_)) close_one(sigchld_);
    close_one(timer_);
  }

 private:
  template <typename Handle>
  static bool is_open(const Handle& handle) {
    return handle.data != nullptr;
  }

  template <typename Handle>
  static bool is_active(const Handle& handle) {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle)) != 0;
  }

  template <typename Handle>
  void opened(Handle& handle) {
    handle.data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle));
    ++open_handles_;
  }

  template <typename Handle>
  void close_one(Handle& handle) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
      auto* const self = static_cast<Implementation*>(closed->data);
      if (--self->open_handles_ > 0) return;
      // Moved out first: it destroys this object.
      const std::function<void()> done = std::move(self->closed_);
      done();
    });
  }

  // The way of libuv itself, with its cost for each child at each exit.
  void start_sigchld() {
    const int error = uv_signal_start(
        &sigchld_, [](uv_signal_t* handle, int) { static_cast<Implementation*>(handle->data)->announce_overdue(); },
        SIGCHLD);
    is_without_sigchld_ = error != 0;
    if (is_without_sigchld_) look_after(kLastLookMs);
  }

  void look_after(std::uint64_t ms) {
    pause_ms_ = ms;
    uv_timer_start(
        &timer_,
        [](uv_timer_t* handle) {
          auto* const self = static_cast<Implementation*>(handle->data);
          self->look_after(std::min(self->pause_ms_ * 2, kLastLookMs));
          self->announce_overdue();
        },
        ms, 0);
  }

  void announce_ready() {
    const std::vector<ChildId> ids = queue_.take(0);
    overdue_.insert(ids.begin(), ids.end());
    announce_(ids);
    // What is not forgotten by that can't be reaped yet.
    if (std::any_of(ids.begin(), ids.end(), [this](ChildId id) { return overdue_.contains(id); })) {
      look_after(kFirstLookMs);
    }
  }

  void announce_overdue() {
    // A copy: who is told may watch and forget.
    std::set<ChildId> ids = announced_by_sigchld_;
    ids.insert(overdue_.begin(), overdue_.end());
    announce_(std::vector<ChildId>{ids.begin(), ids.end()});
  }

  uv_loop_t* const loop_;
  Announce announce_;
  ExitQueue queue_;
  uv_poll_t poll_{};
  uv_signal_t sigchld_{};
  uv_timer_t timer_{};
  std::uint64_t pause_ms_ = kFirstLookMs;
  int open_handles_ = 0;
  std::set<ChildId> announced_by_sigchld_;
  // Announced, and not reaped.
  std::set<ChildId> overdue_;
  bool is_without_sigchld_ = false;
  std::function<void()> closed_;
};

ExitSource::ExitSource(uv_loop_t* loop, Announce announce)
    : implementation_(std::make_unique<Implementation>(loop, std::move(announce))) {}
ExitSource::~ExitSource() = default;

Failure ExitSource::open() { return implementation_->open(); }
void ExitSource::watch(ChildId id, const ProcessReference& process, bool tell_stops) {
  implementation_->watch(id, process, tell_stops);
}
// Every start waits for its program here.
void ExitSource::watch_start(ChildId, int) {}
void ExitSource::forget_start(ChildId, int) {}
void ExitSource::look_again(ChildId id) { implementation_->look_again(id); }
void ExitSource::forget(ChildId id, const ProcessReference& process) { implementation_->forget(id, process); }
void ExitSource::keep_loop_alive(bool on) { implementation_->keep_loop_alive(on); }
void ExitSource::close(std::function<void()> closed) { implementation_->close(std::move(closed)); }

}  // namespace sigshield::platform
