// Learns when a child has let go of the memory that it shares with its parent: by execve, or by its end.
#pragma once

#include <sys/types.h>

#include "core/file_descriptor.h"

namespace sigshield {

// One at a time in a thread.
class Release {
 public:
  // Before the clone; false with errno set. A descriptor that the child must hold until its execve is in fd().
  [[nodiscard]] bool open();
  // -1: none.
  [[nodiscard]] int fd() const { return write_end_.get(); }
  // For CLONE_CHILD_CLEARTID.
  [[nodiscard]] static int* word();
  // After the clone. A stop signal stops the caller meanwhile, and SIGCONT lets it go on.
  void wait(pid_t child);

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

}  // namespace sigshield
