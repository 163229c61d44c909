// All pidfds of a loop stand in one epoll set that is itself watched by one uv_poll handle, so that the cost of an exit
// does not depend on how many other children live. Children without a pidfd are looked at on each SIGCHLD.
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <utility>

#include "platform/linux/process.h"
#include "platform/platform.h"

namespace sigshield::platform {

class ExitSource::Implementation {
 public:
  Implementation(uv_loop_t* loop, Announce announce) : announce_(std::move(announce)) {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) {
      failure_ = {Step::kEpoll, errno};
      return;
    }
    // The first signal handle of a loop opens the loop's own pipe for signals.
    if (const int error = uv_signal_init(loop, &sigchld_); error != 0) {
      failure_ = {Step::kEpoll, -error};
      return;
    }
    // Can't fail on a fresh epoll descriptor.
    uv_poll_init(loop, &poll_, epoll_.get());
    poll_.data = this;
    sigchld_.data = this;
    uv_poll_start(&poll_, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<Implementation*>(handle->data)->announce_ready(); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
    uv_unref(reinterpret_cast<uv_handle_t*>(&sigchld_));
  }

  [[nodiscard]] Failure failure() const { return failure_; }

  void watch(ChildId id, ProcessReference& process, bool tell_stops) {
    const bool watched = watch_pidfd(process.handle, id);
    if (!watched) process.handle.reset();
    // A pidfd tells of the exit alone, SIGCHLD of a stop too.
    if (watched && !tell_stops) return;
    announced_by_sigchld_.insert(id);
    if (announced_by_sigchld_.size() == 1) start_sigchld();
  }

  void forget(ChildId id, const ProcessReference& process) {
    // Not left to closing the pidfd: a process forked elsewhere in the meantime holds a copy of it until its execve.
    if (process.handle.valid()) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, process.handle.get(), nullptr);
    if (announced_by_sigchld_.erase(id) > 0 && announced_by_sigchld_.empty()) uv_signal_stop(&sigchld_);
  }

  void keep_loop_alive(bool on) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&poll_);
    on ? uv_ref(handle) : uv_unref(handle);
  }

  void close(std::function<void()> closed) {
    closed_ = std::move(closed);
    const uv_close_cb one_closed = [](uv_handle_t* handle) {
      auto* const self = static_cast<Implementation*>(handle->data);
      if (--self->open_handles_ > 0) return;
      // Moved out first: it destroys this object.
      const std::function<void()> done = std::move(self->closed_);
      done();
    };
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), one_closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&sigchld_), one_closed);
  }

 private:
  bool watch_pidfd(const FileDescriptor& pidfd, ChildId id) {
    if (!pidfd.valid() || !pidfds_can_be_waited_for()) return false;
    epoll_event event{.events = EPOLLIN, .data = {.u32 = id}};
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) == 0;
  }

  // The way of libuv itself, with its cost for each child at each exit: only where pidfds can't do it. A child that
  // exited before the handler stood is found by the pass that we send ourselves.
  void start_sigchld() {
    uv_signal_start(
        &sigchld_, [](uv_signal_t* handle, int) { static_cast<Implementation*>(handle->data)->announce_by_sigchld(); },
        SIGCHLD);
    static_cast<void>(raise(SIGCHLD));
  }

  void announce_ready() {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    std::array<ChildId, events.size()> ids;
    std::size_t ready = 0;
    for (int i = 0; i < count; ++i) ids[ready++] = events[static_cast<std::size_t>(i)].data.u32;
    announce_({ids.data(), ready});
  }

  void announce_by_sigchld() {
    // A copy: who is told may watch and forget.
    const std::vector<ChildId> ids{announced_by_sigchld_.begin(), announced_by_sigchld_.end()};
    announce_(ids);
  }

  Announce announce_;
  Failure failure_;
  FileDescriptor epoll_;
  uv_poll_t poll_{};
  uv_signal_t sigchld_{};
  int open_handles_ = 2;
  std::set<ChildId> announced_by_sigchld_;
  std::function<void()> closed_;
};

ExitSource::ExitSource(uv_loop_t* loop, Announce announce)
    : implementation_(std::make_unique<Implementation>(loop, std::move(announce))) {}
ExitSource::~ExitSource() = default;

Failure ExitSource::failure() const { return implementation_->failure(); }
void ExitSource::watch(ChildId id, ProcessReference& process, bool tell_stops) {
  implementation_->watch(id, process, tell_stops);
}
void ExitSource::forget(ChildId id, const ProcessReference& process) { implementation_->forget(id, process); }
void ExitSource::keep_loop_alive(bool on) { implementation_->keep_loop_alive(on); }
void ExitSource::close(std::function<void()> closed) { implementation_->close(std::move(closed)); }

}  // namespace sigshield::platform
