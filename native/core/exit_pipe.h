// The pipe behind an exit event, one for each child. The parent holds the write end, the child the read end; that it is
// closed is the event.
#pragma once

#include <cstdint>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield {

enum class ExitReason : std::int32_t {
  kUnset = 0,
  kRequested = 1,  // The parent set the event.
  kOrphaned = 2,   // The write end is gone and nobody had set it: the parent is dead.
};

// The parent's side. Destroying it unset tells who reads it that it is orphaned.
class ExitPipe {
 public:
  // Before any other member is called.
  Failure open();

  [[nodiscard]] int read_fd() const { return read_end_.get(); }
  // Names the pipe, so that a child can tell it from another file at the same number.
  [[nodiscard]] std::uint64_t inode() const { return inode_; }

  // Idempotent, and never blocks. Wakes all readers at once, however many there are.
  void set();

  // When the child has been started.
  void close_read_end();

  // Whether any process could be told by it. For when the child has ended.
  [[nodiscard]] bool has_readers();

  void close_write_end() { write_end_.reset(); }

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;
  std::uint64_t inode_ = 0;
  bool child_has_it_ = false;
};

struct Claim {
  bool is_ours = false;
  Failure failure;  // The system does not say.
};

// Whether `fd` is the read end of the pipe `inode`. If so, it is no longer inherited by accident.
Claim claim_exit_fd(int fd, std::uint64_t inode);

// Why the event is set, by what poll(2) has told of the pipe. Consumes nothing from it.
ExitReason exit_reason(int fd, short revents);

// After poll(2) has failed. It fails for good where RLIMIT_NOFILE was lowered to less than it is asked for: then once
// in a while is often enough.
void pause_unless_interrupted();

// Waits until the event is set or `timeout_ms` (at most INT_MAX, or infinity) have passed. Returns the
// state then.
ExitReason wait_for_exit_event(int fd, double timeout_ms);

}  // namespace sigshield
