// A kqueue is an epoll set. Each event in it is a descriptor of its own: a pidfd, or an eventfd.
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace {

using Key = std::pair<std::int16_t, std::uintptr_t>;

struct Note {
  int fd;
  struct kevent event;
};

// Never destroyed: the thread that reaps what other threads have left may outlive main().
// NOLINTNEXTLINE(cert-err58-cpp): without memory for it there is nothing to run.
std::mutex& mutex = *new std::mutex;
// By the number of the queue.
// NOLINTNEXTLINE(cert-err58-cpp): nor for this.
std::map<int, std::map<Key, Note>>& queues = *new std::map<int, std::map<Key, Note>>;

void remove_note(int queue, std::map<Key, Note>::iterator found) {
  syscall(SYS_close, found->second.fd);
  queues[queue].erase(found);
}

// As xnu has it: a process that has ended is not found (proc_find of bsd/kern/kern_proc.c).
int open_process(std::uintptr_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  siginfo_t info{};
  if (fd < 0 || waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    return fd;
  }
  syscall(SYS_close, fd);
  errno = ESRCH;
  return -1;
}

int add(int queue, const struct kevent& event) {
  const Key key{event.filter, event.ident};
  auto& notes = queues[queue];
  if (const auto found = notes.find(key); found != notes.end()) {
    found->second.event = event;
    return 0;
  }
  const bool is_process = event.filter == EVFILT_PROC;
  const int fd = is_process ? open_process(event.ident) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return errno;
  // xnu tells of an exit before the process can be reaped. With this in the environment, as long before as can be.
  static const bool is_early = std::getenv("SIGSHIELD_TEST_EARLY_EXITS") != nullptr;
  int ready = fd;
  if (is_process && is_early) {
    syscall(SYS_close, fd);
    ready = eventfd(1, EFD_CLOEXEC);
  }
  epoll_event interest{.events = EPOLLIN, .data = {.fd = ready}};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, ready, &interest) != 0) {
    const int error = errno;
    syscall(SYS_close, ready);
    return error;
  }
  notes.emplace(key, Note{ready, event});
  return 0;
}

// Returns 0 or an errno.
int change(int queue, const struct kevent& event) {
  if ((event.flags & EV_ADD) != 0) return add(queue, event);
  auto& notes = queues[queue];
  const auto found = notes.find({event.filter, event.ident});
  if (found == notes.end()) return ENOENT;
  if ((event.flags & EV_DELETE) != 0) {
    remove_note(queue, found);
  } else if ((event.fflags & NOTE_TRIGGER) != 0) {
    eventfd_write(found->second.fd, 1);
  }
  return 0;
}

}  // namespace

// The addon's own, in place of libc's: what is in a queue goes with it.
extern "C" [[gnu::visibility("hidden")]] int close(int fd) {
  {
    const std::lock_guard lock{mutex};
    if (const auto found = queues.find(fd); found != queues.end()) {
      for (const auto& [key, note] : found->second) syscall(SYS_close, note.fd);
      queues.erase(found);
    }
  }
  return static_cast<int>(syscall(SYS_close, fd));
}

int kqueue() { return epoll_create1(0); }

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count,
           const timespec* timeout) {
  {
    const std::lock_guard lock{mutex};
    for (int i = 0; i < change_count; ++i) {
      if (const int error = change(queue, changes[i]); error != 0) {
        errno = error;
        return -1;
      }
    }
  }
  if (event_count == 0) return 0;
  std::array<epoll_event, 64> ready{};
  const int ms = timeout == nullptr ? -1 : static_cast<int>(timeout->tv_sec * 1000 + timeout->tv_nsec / 1'000'000);
  const int count = epoll_wait(queue, ready.data(), std::min<int>(event_count, ready.size()), ms);
  if (count < 0) return -1;
  const std::lock_guard lock{mutex};
  auto& notes = queues[queue];
  int told = 0;
  for (int i = 0; i < count; ++i) {
    const auto found =
        std::find_if(notes.begin(), notes.end(), [&](const auto& note) { return note.second.fd == ready[i].data.fd; });
    if (found == notes.end()) continue;
    events[told++] = found->second.event;
    // All that is asked for is told once.
    remove_note(queue, found);
  }
  return told;
}
