#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "platform/platform.h"
#include "platform/wait_by_select.h"

namespace sigshield::platform {

namespace {

// The one way that Node itself can't do without. Its events are those of poll(2) by value (epoll_ctl(2)).
int wait_by_epoll(std::span<pollfd> descriptors, int timeout_ms) {
  const FileDescriptor set{epoll_create1(EPOLL_CLOEXEC)};
  if (!set.valid()) return -1;
  for (pollfd& descriptor : descriptors) {
    descriptor.revents = 0;
    if (descriptor.fd < 0) continue;
    epoll_event event{.events = static_cast<std::uint32_t>(descriptor.events), .data = {.ptr = &descriptor}};
    if (epoll_ctl(set.get(), EPOLL_CTL_ADD, descriptor.fd, &event) != 0) return -1;
  }
  std::array<epoll_event, 8> events{};
  const int ready = epoll_pwait(set.get(), events.data(), static_cast<int>(events.size()), timeout_ms, nullptr);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<pollfd*>(event.data.ptr)->revents = static_cast<short>(event.events);
  }
  return ready;
}

}  // namespace

Failure open_pipe(FileDescriptor& read_end, FileDescriptor& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {Step::kPipe, errno};
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return {};
}

Failure open_socket_pair(FileDescriptor& one, FileDescriptor& other) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {Step::kSocketpair, errno};
  one.reset(ends[0]);
  other.reset(ends[1]);
  return {};
}

int wait_for_any(std::span<pollfd> descriptors, int timeout_ms) {
  int ready = poll(descriptors.data(), descriptors.size(), timeout_ms);
  if (ready < 0 && errno == EINVAL) return wait_by_select(descriptors, timeout_ms);
  if (ready >= 0 || errno == EINTR) return ready;
  const timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  ready = ppoll(descriptors.data(), descriptors.size(), timeout_ms < 0 ? nullptr : &timeout, nullptr);
  return ready >= 0 || errno == EINTR ? ready : wait_by_epoll(descriptors, timeout_ms);
}

Failure WakeUp::open() {
  read_end_.reset(eventfd(0, EFD_CLOEXEC));
  return read_end_.valid() ? Failure{} : Failure{Step::kEventfd, errno};
}

// Who waits for it would wait for ever.
void WakeUp::send() const {
  constexpr int kAgainMs = 1;
  while (read_end_.valid() && eventfd_write(read_end_.get(), 1) != 0 && errno != EBADF) wait_for_any({}, kAgainMs);
}

}  // namespace sigshield::platform
