// poll(2) takes no more entries than RLIMIT_NOFILE allows, which a sandboxed program may have set to 0 for itself:
// EINVAL. select(2) does not ask for it.
#pragma once

#include <poll.h>
#include <sys/select.h>

#include <algorithm>
#include <ctime>
#include <span>

namespace sigshield::platform {

// As wait_for_any; only for numbers below FD_SETSIZE.
inline int wait_by_select(std::span<pollfd> descriptors, int timeout_ms) {
  fd_set readable{};
  fd_set writable{};
  int end = 0;
  for (pollfd& descriptor : descriptors) {
    descriptor.revents = 0;
    if (descriptor.fd < 0) continue;
    if (descriptor.fd >= FD_SETSIZE) return -1;
    if ((descriptor.events & POLLIN) != 0) FD_SET(descriptor.fd, &readable);
    if ((descriptor.events & POLLOUT) != 0) FD_SET(descriptor.fd, &writable);
    end = std::max(end, descriptor.fd + 1);
  }
  const timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  if (const int ready = pselect(end, &readable, &writable, nullptr, timeout_ms < 0 ? nullptr : &timeout, nullptr);
      ready <= 0) {
    return ready;
  }
  int ready = 0;
  for (pollfd& descriptor : descriptors) {
    if (descriptor.fd < 0) continue;
    if (FD_ISSET(descriptor.fd, &readable)) descriptor.revents |= POLLIN;
    if (FD_ISSET(descriptor.fd, &writable)) descriptor.revents |= POLLOUT;
    if (descriptor.revents != 0) ++ready;
  }
  return ready;
}

}  // namespace sigshield::platform
