// Learns when a child has let go of the memory that it shares with its parent: by execve, or by its end.
#pragma once

#include <sys/types.h>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield::platform {

// One at a time in a thread.
class Release {
 public:
  // Before the clone.
  Failure open();
  // What the child must hold until its execve; -1: nothing.
  [[nodiscard]] int fd() const { return write_end_.get(); }
  // For CLONE_CHILD_CLEARTID.
  [[nodiscard]] static int* word();
  // After the clone. A stop signal stops the caller meanwhile, and SIGCONT lets it go on.
  void wait(pid_t child);

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

}  // namespace sigshield::platform
