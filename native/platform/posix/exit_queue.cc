#include "platform/posix/exit_queue.h"

#include <fcntl.h>
#include <sys/event.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <ctime>

namespace sigshield::platform {

namespace {

using Event = struct kevent;

constexpr ExitQueue::Id kWake = 0;

Event event(std::int16_t filter, std::uintptr_t identity, std::uint16_t flags, std::uint32_t what, ExitQueue::Id id) {
  Event one{};
  // Not EV_SET, a macro with casts of C.
  one.ident = identity;
  one.filter = filter;
  one.flags = flags;
  one.fflags = what;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number of ours, which the kernel hands back as it is.
  one.udata = reinterpret_cast<void*>(static_cast<std::uintptr_t>(id));
  return one;
}

// Returns 0 or an errno.
int change(int queue, const Event& one) {
  // A change that fails is an error of the call when there is no room for events.
  while (kevent(queue, &one, 1, nullptr, 0, nullptr) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int trigger(int queue, ExitQueue::Id id) {
  const int error = change(queue, event(EVFILT_USER, id, EV_ADD | EV_ONESHOT, 0, id));
  return error != 0 ? error : change(queue, event(EVFILT_USER, id, 0, NOTE_TRIGGER, id));
}

}  // namespace

Failure ExitQueue::open() {
  queue_.reset(kqueue());
  if (!queue_.valid()) return {Step::kKqueue, errno};
  // A child by fork(2) has no use of it, and one by execve(2) gets none anyway (kqueue(2)).
  fcntl(queue_.get(), F_SETFD, FD_CLOEXEC);
  return {};
}

bool ExitQueue::watch(pid_t process, Id id) const {
  const auto number = static_cast<std::uintptr_t>(process);
  const int error = change(fd(), event(EVFILT_PROC, number, EV_ADD | EV_ONESHOT, NOTE_EXIT, id));
  // One that ends, or has ended, is not found any more.
  return error == 0 || (error == ESRCH && trigger(fd(), id) == 0);
}

void ExitQueue::forget(pid_t process) const {
  // ENOENT: it has been told, and is gone from the queue with that.
  static_cast<void>(change(fd(), event(EVFILT_PROC, static_cast<std::uintptr_t>(process), EV_DELETE, 0, 0)));
}

void ExitQueue::wake() const { static_cast<void>(trigger(fd(), kWake)); }

std::vector<ExitQueue::Id> ExitQueue::take(std::optional<int> timeout_ms) const {
  timespec limit{};
  if (timeout_ms) limit = {.tv_sec = *timeout_ms / 1000, .tv_nsec = *timeout_ms % 1000 * 1'000'000L};
  std::array<Event, 64> events{};
  const int count =
      kevent(fd(), nullptr, 0, events.data(), static_cast<int>(events.size()), timeout_ms ? &limit : nullptr);
  std::vector<Id> ids;
  for (int i = 0; i < count; ++i) {
    const auto id = static_cast<Id>(reinterpret_cast<std::uintptr_t>(events[static_cast<std::size_t>(i)].udata));
    if (id != kWake) ids.push_back(id);
  }
  return ids;
}

}  // namespace sigshield::platform
