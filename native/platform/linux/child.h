// What the child half is given, laid out by the parent half before the clone.
#pragma once

#include <linux/filter.h>

#include <cstdint>

#include "core/signal_set.h"
#include "core/start.h"

namespace sigshield {

// What the child tells its parent, in the memory that they share until execve.
struct ChildReport {
  Step failed_step = Step::kNone;
  std::int32_t error = 0;
  bool filter_refused = false;
};

// Points into memory that the parent half keeps until the child has let go of it.
struct ChildPlan {
  char* const* candidates;  // Paths to try, in order, NULL-terminated.
  char* const* arguments;
  char* const* environment;
  char** shell_arguments;  // arguments for /bin/sh to run a file without a known format; entry 1 is set by the child.
  const char* directory;   // Or null.
  int* descriptors;        // As in SpawnRequest, without kNewPipe. The child overwrites them.
  int descriptor_count;
  int release_fd;  // Kept open until execve; -1: none.
  SignalSet ignored;
  SignalSet blocked;
  const sock_fprog* filter;  // Or null.
  bool filter_required;
  bool new_session;
  bool set_process_group;
  pid_t process_group;
  bool foreground;
  int parent_death_signal;
  pid_t parent;  // For parent_death_signal.
  bool set_uid;
  bool set_gid;
  std::uint32_t uid;
  std::uint32_t gid;
  ChildReport report;
};

// The entry point of the child, for clone(2). Never returns.
int child_main(void* argument);

}  // namespace sigshield
