#include <sys/stat.h>

#include "platform/platform.h"

namespace sigshield::platform {

// A named one is of a device.
bool is_anonymous_pipe(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_dev == 0;
}

}  // namespace sigshield::platform
