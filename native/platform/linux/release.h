// Learns when a child has let go of the memory of its parent, by execve or by its end, and what it told.
#pragma once

#include <sys/types.h>

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "platform/linux/child.h"

namespace sigshield::platform {

// One at a time in a thread.
class Release {
 public:
  // Before the clone. A child that has a copy of the memory tells by the pipe.
  Failure open(bool tells_by_pipe);
  // What the child must hold until its execve; -1: nothing.
  [[nodiscard]] int fd() const { return write_end_.get(); }
  // For set_tid_address(2), in a child that shares the memory.
  [[nodiscard]] static int* word();
  // After the clone. A stop signal stops the caller meanwhile, and SIGCONT lets it go on. `pidfd` may be -1. What the
  // child told by the pipe goes to `report`.
  void wait(pid_t child, int pidfd, ChildReport& report);

 private:
  bool read_to_end(int timeout_ms, ChildReport& report);

  bool tells_by_pipe_ = false;
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

}  // namespace sigshield::platform
