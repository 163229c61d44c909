// All pidfds of a loop stand in one epoll set that is itself watched by one uv_poll handle, so that the cost of an exit
// does not depend on how many other children live. Children without a pidfd are looked at on each SIGCHLD.
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "platform/linux/process.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// How often those are looked at that should have been announced again, and were not.
constexpr std::uint64_t kLookAgainMs = 500;

// In what epoll tells of a child: its start, and not its exit.
constexpr std::uint64_t kOfStart = std::uint64_t{1} << 32;

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
    if (!epoll_.valid()) {
      epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
      if (!epoll_.valid()) return {Step::kEpollCreate, errno};
    }
    if (is_open(poll_)) return {};
    // ENOSPC where the user has no epoll watches left.
    if (const int error = uv_poll_init(loop_, &poll_, epoll_.get()); error != 0) return {Step::kEpoll, -error};
    opened(poll_);
    const int error = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
      static_cast<Implementation*>(handle->data)->announce_ready();
    });
    return error == 0 ? Failure{} : Failure{Step::kEpoll, -error};
  }

  void watch(ChildId id, const ProcessReference& process, bool tell_stops) {
    const bool watched = !is_without_epoll_ && watch_pidfd(process.handle, id);
    if (watched) announced_by_pidfd_.insert(id);
    // A pidfd tells of the exit alone, SIGCHLD of a stop too.
    if (watched && !tell_stops) return;
    announced_by_sigchld_.insert(id);
    if (!is_active(sigchld_)) start_sigchld_now();
  }

  void look_again(ChildId id) {
    overdue_.insert(id);
    start_sigchld();
    look_again_later();
  }

  void watch_start(ChildId id, int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kOfStart | id}};
    if (!is_without_epoll_) epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    // Also for those that epoll does not tell of: a process that was forked elsewhere may hold the other end.
    starting_.insert(id);
    if (!is_active(timer_)) look_again_later();
  }

  void forget_start(ChildId id, int fd) {
    // As of a pidfd.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    starting_.erase(id);
    stop_timer();
  }

  void forget(ChildId id, const ProcessReference& process) {
    // Not left to closing the pidfd: a process forked elsewhere in the meantime holds a copy of it until its execve.
    if (process.handle.valid()) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, process.handle.get(), nullptr);
    announced_by_pidfd_.erase(id);
    announced_by_sigchld_.erase(id);
    overdue_.erase(id);
    if (announced_by_sigchld_.empty() && overdue_.empty()) uv_signal_stop(&sigchld_);
    stop_timer();
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

  bool watch_pidfd(const FileDescriptor& pidfd, ChildId id) {
    if (!pidfd.valid() || !pidfds_can_be_waited_for()) return false;
    // Once for each exit: a tracer may hold one that has exited, and its pidfd stays readable (ptrace(2)).
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = id}};
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) == 0;
  }

  // The way of libuv itself, with its cost for each child at each exit: only where pidfds can't do it.
  void start_sigchld() {
    const int error = uv_signal_start(
        &sigchld_, [](uv_signal_t* handle, int) { static_cast<Implementation*>(handle->data)->announce_overdue(); },
        SIGCHLD);
    is_without_sigchld_ = error != 0;
    if (is_without_sigchld_) look_again_later();
  }

  void start_sigchld_now() {
    start_sigchld();
    // A child that exited before the handler stood.
    static_cast<void>(raise(SIGCHLD));
  }

  // Active still, as that keeps the loop alive; but with nothing to be told of.
  void do_without_epoll() {
    is_without_epoll_ = true;
    uv_poll_start(&poll_, UV_PRIORITIZED, [](uv_poll_t*, int, int) {});
    announced_by_sigchld_.merge(announced_by_pidfd_);
    start_sigchld_now();
  }

  void look_again_later() {
    uv_timer_start(
        &timer_, [](uv_timer_t* handle) { static_cast<Implementation*>(handle->data)->announce_overdue(); },
        kLookAgainMs, kLookAgainMs);
  }

  void stop_timer() {
    if (overdue_.empty() && starting_.empty() && !is_without_sigchld_) uv_timer_stop(&timer_);
  }

  void announce_ready() {
    std::array<epoll_event, 64> events{};
    // Not epoll_wait(2): libuv makes do without it, and so may a policy that is made for Node.
    const int count = epoll_pwait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0, nullptr);
    if (count < 0 && errno != EINTR) {
      do_without_epoll();
      return;
    }
    std::array<ChildId, 64> ids{};
    std::size_t ready = 0;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t told = events[static_cast<std::size_t>(i)].data.u64;
      ids[ready++] = static_cast<ChildId>(told);
      // What is not forgotten by the call is held by a tracer. SIGCHLD tells when it lets go.
      if ((told & kOfStart) == 0) overdue_.insert(static_cast<ChildId>(told));
    }
    announce_({ids.data(), ready});
    if (!overdue_.empty() && !(is_active(timer_) && is_active(sigchld_))) {
      start_sigchld();
      look_again_later();
    }
  }

  void announce_overdue() {
    // A copy: who is told may watch and forget.
    std::set<ChildId> ids = announced_by_sigchld_;
    ids.insert(overdue_.begin(), overdue_.end());
    ids.insert(starting_.begin(), starting_.end());
    announce_(std::vector<ChildId>{ids.begin(), ids.end()});
  }

  uv_loop_t* const loop_;
  Announce announce_;
  FileDescriptor epoll_;
  uv_poll_t poll_{};
  uv_signal_t sigchld_{};
  uv_timer_t timer_{};
  int open_handles_ = 0;
  std::set<ChildId> announced_by_pidfd_;
  std::set<ChildId> announced_by_sigchld_;
  // Announced, and not reaped.
  std::set<ChildId> overdue_;
  std::set<ChildId> starting_;
  bool is_without_epoll_ = false;
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
void ExitSource::watch_start(ChildId id, int fd) { implementation_->watch_start(id, fd); }
void ExitSource::forget_start(ChildId id, int fd) { implementation_->forget_start(id, fd); }
void ExitSource::look_again(ChildId id) { implementation_->look_again(id); }
void ExitSource::forget(ChildId id, const ProcessReference& process) { implementation_->forget(id, process); }
void ExitSource::keep_loop_alive(bool on) { implementation_->keep_loop_alive(on); }
void ExitSource::close(std::function<void()> closed) { implementation_->close(std::move(closed)); }

}  // namespace sigshield::platform
