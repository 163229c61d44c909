// The mark is O_APPEND on the read end, which means nothing there. It stands in the open file description that the
// parent shares with all who hold the read end, and every language can ask for it (fcntl(2) F_GETFL).
#include <fcntl.h>

#include "platform/platform.h"

namespace sigshield::platform {

// A pipe has no name here by which it could be opened once more. xnu's SIGPIPE reaches whichever thread does not block
// it.
void seal_exit_pipe([[maybe_unused]] int write_fd) {
#ifdef F_SETNOSIGPIPE
  fcntl(write_fd, F_SETNOSIGPIPE, 1);
#endif
}

bool exit_mark_needs_read_end() { return true; }

// Not needed to be right: the line says the same, until somebody reads it.
void mark_exit_pipe(int read_fd, int) {
  const int flags = fcntl(read_fd, F_GETFL);
  if (flags >= 0) static_cast<void>(fcntl(read_fd, F_SETFL, flags | O_APPEND) == 0);
}

bool is_marked_exit_pipe(int read_fd) {
  const int flags = fcntl(read_fd, F_GETFL);
  return flags >= 0 && (flags & O_APPEND) != 0;
}

}  // namespace sigshield::platform
