#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "platform/platform.h"

namespace sigshield::platform {

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
  const int ready = poll(descriptors.data(), descriptors.size(), timeout_ms);
  if (ready >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS)) return ready;
  const timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  return ppoll(descriptors.data(), descriptors.size(), timeout_ms < 0 ? nullptr : &timeout, nullptr);
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
