// All pidfds of a loop stand in one epoll set that is itself watched by one uv_poll handle, so that the cost of an exit
// does not depend on how many other children live.
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/exit_watcher.h"
#include "core/signal_set.h"
#include "core/terminal.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace sigshield {

namespace {

// waitid as the kernel has it: with the resource usage, which libc's hides.
int wait_for(int id_type, int id, siginfo_t* info, int options, rusage* usage) {
  for (;;) {
    if (syscall(SYS_waitid, id_type, id, info, options, usage) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

// Linux 5.4. Before that a pidfd may exist but can't be waited for; the kernel then rejects the type, not the
// descriptor.
bool pidfds_can_be_waited_for() {
  static const bool answer = [] {
    siginfo_t info{};
    return wait_for(P_PIDFD, INT_MAX, &info, WEXITED | WNOHANG, nullptr) == EBADF;
  }();
  return answer;
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

struct Child : StartedChild {
  bool keeps_alive = true;
  bool group_dies_with_it = false;
};

// The kernel counts what the parent held when it started the child as the child's own. So only what is more than this
// process has ever held tells of the child; and more by an eighth, as pages are counted on each processor and summed up
// now and then.
bool is_of_the_child(long rss_kb) {
  static std::atomic<long> known_peak_kb{0};
  const auto exceeds = [rss_kb](long peak_kb) { return rss_kb > peak_kb + peak_kb / 8; };
  if (!exceeds(known_peak_kb)) return false;
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  known_peak_kb = own.ru_maxrss;
  return exceeds(own.ru_maxrss);
}

int wait_for(const Child& child, siginfo_t* info, int options, rusage* usage) {
  return child.pidfd.valid() ? wait_for(P_PIDFD, child.pidfd.get(), info, options, usage)
                             : wait_for(P_PID, child.pid, info, options, usage);
}

// Takes note that a child has changed its state in this way: once, unless told to leave the note.
bool has_changed(const Child& child, int options) {
  siginfo_t info{};
  return wait_for(child, &info, options | WNOHANG, nullptr) == 0 && info.si_pid != 0;
}

// Reaps a child that has exited, or with WNOHANG answers false when it has not.
bool reap(const Child& child, int options, Exit& exit) {
  siginfo_t info{};
  rusage usage{};
  if (wait_for(child, &info, WEXITED | options, &usage) != 0) return true;
  if (info.si_pid == 0) return false;
  exit.known = true;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
  } else {
    exit.signal = info.si_status;
  }
  exit.user_cpu_us = microseconds(usage.ru_utime);
  exit.system_cpu_us = microseconds(usage.ru_stime);
  if (is_of_the_child(usage.ru_maxrss)) {
    exit.max_rss_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  }
  return true;
}

// Waits until every one of these has exited and reaps it.
void reap_all(std::vector<Child> children) {
  const auto without_pidfd =
      std::partition(children.begin(), children.end(), [](const Child& child) { return child.pidfd.valid(); });
  std::vector<Child> one_by_one{std::move_iterator{without_pidfd}, std::move_iterator{children.end()}};
  children.erase(without_pidfd, children.end());
  Exit exit;
  while (!children.empty()) {
    std::vector<pollfd> polls;
    polls.reserve(children.size());
    for (const Child& child : children) polls.push_back({child.pidfd.get(), POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0) continue;
    std::erase_if(children, [&](const Child& child) { return reap(child, WNOHANG, exit); });
  }
  for (const Child& child : one_by_one) reap(child, 0, exit);
}

void start_reaper(std::vector<Child> children) {
  auto list = std::make_unique<std::vector<Child>>(std::move(children));
  const SignalsBlocked blocked{kProgramSignals};
  uv_thread_t thread;
  const int error = uv_thread_create(
      &thread,
      [](void* argument) {
        const std::unique_ptr<std::vector<Child>> owned{static_cast<std::vector<Child>*>(argument)};
        reap_all(std::move(*owned));
      },
      list.get());
  // Without a thread they are left to the end of the process.
  if (error != 0) return;
  // The thread owns the list now.
  static_cast<void>(list.release());
  pthread_detach(thread);
}

}  // namespace

class ExitWatcher::Implementation {
 public:
  Implementation(uv_loop_t* loop, Deliver deliver) : deliver_(std::move(deliver)) {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) {
      error_ = errno;
      return;
    }
    // The first signal handle of a loop opens the loop's own pipe for signals.
    error_ = -uv_signal_init(loop, &sigchld_);
    if (error_ != 0) return;
    // Can't fail on a fresh epoll descriptor.
    uv_poll_init(loop, &poll_, epoll_.get());
    poll_.data = this;
    sigchld_.data = this;
    uv_poll_start(&poll_, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<Implementation*>(handle->data)->take_ready(); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
    uv_unref(reinterpret_cast<uv_handle_t*>(&sigchld_));
  }

  [[nodiscard]] int error() const { return error_; }

  std::uint32_t add(StartedChild started) {
    do ++last_id_;
    while (children_.contains(last_id_));
    const std::uint32_t id = last_id_;
    Child child{std::move(started)};
    const bool watched = watch(child.pidfd, id);
    if (!watched) child.pidfd.reset();
    // A pidfd tells of the exit alone, SIGCHLD of a stop too.
    if (!watched || child.foreground_group != 0) announced_by_sigchld_.insert(id);
    children_.emplace(id, std::move(child));
    count_alive(1);
    if (announced_by_sigchld_.contains(id)) watch_sigchld();
    return id;
  }

  [[nodiscard]] int kill(std::uint32_t id, int signal) const {
    const auto found = children_.find(id);
    if (found == children_.end()) return ESRCH;
    const Child& child = found->second;
    if (child.pidfd.valid()) {
      if (syscall(SYS_pidfd_send_signal, child.pidfd.get(), signal, nullptr, 0) == 0) return 0;
      if (errno != ENOSYS) return errno;
    }
    // Only this loop reaps the child, so its pid is its own until then.
    return ::kill(child.pid, signal) == 0 ? 0 : errno;
  }

  [[nodiscard]] int kill_group(std::uint32_t id, int signal) const {
    const auto found = children_.find(id);
    if (found == children_.end()) return ESRCH;
    return ::kill(-found->second.pid, signal) == 0 ? 0 : errno;
  }

  void kill_group_at_exit(std::uint32_t id) {
    const auto found = children_.find(id);
    if (found != children_.end()) found->second.group_dies_with_it = true;
  }

  void keep_alive(std::uint32_t id, bool on) {
    const auto found = children_.find(id);
    if (found == children_.end() || found->second.keeps_alive == on) return;
    found->second.keeps_alive = on;
    count_alive(on ? 1 : -1);
  }

  void close(std::function<void()> closed) {
    std::vector<Child> orphans;
    for (auto& [id, child] : children_) orphans.push_back(std::move(child));
    children_.clear();
    if (!orphans.empty()) start_reaper(std::move(orphans));
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
  bool watch(const FileDescriptor& pidfd, std::uint32_t id) {
    if (!pidfd.valid() || !pidfds_can_be_waited_for()) return false;
    epoll_event event{.events = EPOLLIN, .data = {.u32 = id}};
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) == 0;
  }

  // The way of libuv itself, with its cost for each child at each exit: only where pidfds can't be had. A child that
  // exited before the handler stood is found by the pass that the handler's start sends itself.
  void watch_sigchld() {
    if (announced_by_sigchld_.size() > 1) return;
    uv_signal_start(
        &sigchld_, [](uv_signal_t* handle, int) { static_cast<Implementation*>(handle->data)->take_announced(); },
        SIGCHLD);
    static_cast<void>(raise(SIGCHLD));
  }

  // Children are taken out before any is delivered, as a delivery may start, kill or forget others.
  void take_ready() {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    std::vector<Exit> exits;
    for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.u32, exits);
    for (const Exit& exit : exits) deliver_(exit);
  }

  void take_announced() {
    const std::vector<std::uint32_t> candidates{announced_by_sigchld_.begin(), announced_by_sigchld_.end()};
    std::vector<Exit> exits;
    for (const std::uint32_t id : candidates) {
      take(id, exits);
      take_terminal_of_stopped(id);
    }
    if (announced_by_sigchld_.empty()) uv_signal_stop(&sigchld_);
    for (const Exit& exit : exits) deliver_(exit);
  }

  void take(std::uint32_t id, std::vector<Exit>& exits) {
    const auto found = children_.find(id);
    if (found == children_.end()) return;
    const Child& child = found->second;
    if (child.group_dies_with_it && has_changed(child, WEXITED | WNOWAIT)) ::kill(-child.pid, SIGKILL);
    Exit exit;
    exit.id = id;
    if (!reap(child, WNOHANG, exit)) return;
    if (child.foreground_group != 0) take_back_terminal(child.foreground_group);
    // Not left to closing the pidfd: a process forked elsewhere in the meantime holds a copy of it until its execve.
    if (child.pidfd.valid()) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child.pidfd.get(), nullptr);
    if (child.keeps_alive) count_alive(-1);
    announced_by_sigchld_.erase(id);
    children_.erase(found);
    exits.push_back(exit);
  }

  void take_terminal_of_stopped(std::uint32_t id) {
    const auto found = children_.find(id);
    if (found == children_.end() || found->second.foreground_group == 0) return;
    if (has_changed(found->second, WSTOPPED)) take_back_terminal(found->second.foreground_group);
  }

  void count_alive(int change) {
    const bool was = alive_ > 0;
    alive_ += change;
    if (was == (alive_ > 0)) return;
    auto* const handle = reinterpret_cast<uv_handle_t*>(&poll_);
    was ? uv_unref(handle) : uv_ref(handle);
  }

  Deliver deliver_;
  int error_ = 0;
  FileDescriptor epoll_;
  uv_poll_t poll_{};
  uv_signal_t sigchld_{};
  int open_handles_ = 2;
  std::unordered_map<std::uint32_t, Child> children_;
  std::set<std::uint32_t> announced_by_sigchld_;
  std::uint32_t last_id_ = 0;
  int alive_ = 0;
  std::function<void()> closed_;
};

ExitWatcher::ExitWatcher(uv_loop_t* loop, Deliver deliver)
    : implementation_(std::make_unique<Implementation>(loop, std::move(deliver))) {}
ExitWatcher::~ExitWatcher() = default;

int ExitWatcher::error() const { return implementation_->error(); }
std::uint32_t ExitWatcher::add(StartedChild child) { return implementation_->add(std::move(child)); }
int ExitWatcher::kill(std::uint32_t id, int signal) const { return implementation_->kill(id, signal); }
int ExitWatcher::kill_group(std::uint32_t id, int signal) const { return implementation_->kill_group(id, signal); }
void ExitWatcher::kill_group_at_exit(std::uint32_t id) { implementation_->kill_group_at_exit(id); }
void ExitWatcher::keep_alive(std::uint32_t id, bool on) { implementation_->keep_alive(id, on); }
void ExitWatcher::close(std::function<void()> closed) { implementation_->close(std::move(closed)); }

}  // namespace sigshield
