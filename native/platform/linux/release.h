// Learns when a child has let go of what it shares with its parent: at first of the descriptors and the session, and
// then of the memory, by execve or by its end; and what it told.
#pragma once

#include <sys/types.h>

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "platform/linux/child.h"

namespace sigshield::platform {

class Release {
 public:
  enum class Pipe { kWhereNeeded, kAlways, kWithReport };
  // Before the clone. A child that has a copy of the memory tells by the pipe.
  Failure open(Pipe pipe);
  // What the child must hold until its execve, and the parent till after the clone; -1: nothing.
  [[nodiscard]] int fd() const { return write_end_.get(); }
  // For set_tid_address(2), in a child that shares the memory.
  [[nodiscard]] int* word() { return &word_; }
  // The child clears this when it has the table of descriptors and the session that it is to have, or can't.
  [[nodiscard]] int* ready_word() { return &ready_word_; }
  void wait_until_ready(pid_t child, int pidfd) { wait_for_word(ready_word_, child, pidfd); }
  // After the clone. A stop signal stops the caller meanwhile, and SIGCONT lets it go on. `pidfd` may be -1. What the
  // child told by the pipe goes to `report`.
  void wait(pid_t child, int pidfd, ChildReport& report);

  // In place of wait(), where there is a pipe: readable when the child may have let go; whether it has.
  [[nodiscard]] int watched_fd() const { return read_end_.get(); }
  void start_watching() { write_end_.reset(); }
  bool is_over(pid_t child, int pidfd, ChildReport& report);

 private:
  static void wait_for_word(int& word, pid_t child, int pidfd);
  bool read_to_end(int timeout_ms, ChildReport& report);

  // The kernel writes to it no more when the child has let go.
  int word_ = 1;
  int ready_word_ = 1;
  bool tells_by_pipe_ = false;
  FileDescriptor read_end_;
  FileDescriptor write_end_;
};

}  // namespace sigshield::platform
