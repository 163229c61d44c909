#include <sys/stat.h>

#include <cerrno>

#include "platform/platform.h"

namespace sigshield::platform {

// A named one is of a device.
Failure is_anonymous_pipe(int fd, bool& answer) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return {Step::kFstat, errno};
  answer = S_ISFIFO(status.st_mode) && status.st_dev == 0;
  return {};
}

}  // namespace sigshield::platform
