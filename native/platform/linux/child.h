// What the child half is given, laid out by the parent half before the clone.
#pragma once

#include <linux/filter.h>

#include "platform/platform.h"

namespace sigshield::platform {

// What the child tells its parent, in the memory that they share until execve.
struct ChildReport {
  Failure failure;
  bool filter_refused = false;
};

// Points into memory that the parent half keeps until the child has let go of it.
struct ChildPlan {
  const StartPlan& start;
  int release_fd;            // Kept open until execve; -1: none.
  const sock_fprog* filter;  // Or null.
  pid_t parent;              // For StartOptions::parent_death_signal.
  ChildReport report;
};

// The entry point of the child, for clone(2). Never returns.
int child_main(void* argument);

}  // namespace sigshield::platform
