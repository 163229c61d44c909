// Not every system opens them closed on exec: what another thread of the process forks in between holds a copy. A child
// of ours never does.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"
#include "platform/wait_by_select.h"

namespace sigshield::platform {

namespace {

Failure take(const int (&ends)[2], FileDescriptor& one, FileDescriptor& other) {
  one.reset(ends[0]);
  other.reset(ends[1]);
  for (const int end : ends) {
    if (fcntl(end, F_SETFD, FD_CLOEXEC) != 0) return {Step::kFcntl, errno};
  }
  return {};
}

}  // namespace

Failure open_pipe(FileDescriptor& read_end, FileDescriptor& write_end) {
  int ends[2];
  if (pipe(ends) != 0) return {Step::kPipe, errno};
  return take(ends, read_end, write_end);
}

Failure open_socket_pair(FileDescriptor& one, FileDescriptor& other) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return {Step::kSocketpair, errno};
  return take(ends, one, other);
}

int wait_for_any(std::span<pollfd> descriptors, int timeout_ms) {
  const int ready = poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), timeout_ms);
  return ready < 0 && errno == EINVAL ? wait_by_select(descriptors, timeout_ms) : ready;
}

Failure WakeUp::open() {
  if (const Failure failure = open_pipe(read_end_, write_end_)) return failure;
  // A pipe that is full wakes as well.
  if (fcntl(write_end_.get(), F_SETFL, O_NONBLOCK) != 0) return {Step::kFcntl, errno};
  return {};
}

void WakeUp::send() const {
  constexpr char kByte = 0;
  static_cast<void>(write(write_end_.get(), &kByte, 1) == 1);
}

}  // namespace sigshield::platform
