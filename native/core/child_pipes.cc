#include "core/child_pipes.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <uv.h>

#include <cerrno>

#include "core/wire.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// libuv 1.51 and newer gives the pipes of children a size, which programs see as backpressure; 1.50 and older do not.
bool has_sized_pipes() { return uv_version() >= 0x013300; }

void set_pipe_size(int fd) {
  // Only advice: a pipe of another size works too.
  const int size = 64 * 1024;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

}  // namespace

Failure check_all_open(std::span<const int> descriptors) {
  for (const int descriptor : descriptors) {
    if (descriptor >= 0 && fcntl(descriptor, F_GETFD) < 0) return {Step::kFcntl, errno};
  }
  return {};
}

Failure open_child_pipes(std::vector<int>& descriptors, std::vector<FileDescriptor>& parent_ends,
                         std::vector<FileDescriptor>& child_ends) {
  for (int& descriptor : descriptors) {
    if (descriptor != kNewPipe) continue;
    FileDescriptor parent_end;
    FileDescriptor child_end;
    if (const Failure failure = platform::open_socket_pair(parent_end, child_end)) return failure;
    if (has_sized_pipes()) {
      set_pipe_size(parent_end.get());
      set_pipe_size(child_end.get());
    }
    descriptor = child_end.get();
    parent_ends.push_back(std::move(parent_end));
    child_ends.push_back(std::move(child_end));
  }
  return {};
}

}  // namespace sigshield
