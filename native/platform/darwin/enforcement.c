// The kernel has no filter for system calls.
#include "platform/posix/enforcement.h"

#include <errno.h>

int sigshield_enforce(uint64_t ignored) {
  (void)ignored;
  return ENOTSUP;
}
