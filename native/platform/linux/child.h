// What the child half is given, laid out by the parent half before the clone.
#pragma once

#include <linux/filter.h>

#include "platform/platform.h"

namespace sigshield::platform {

// What the child tells its parent: in the memory that they share until execve, or through a pipe.
struct ChildReport {
  Failure failure;
  bool filter_refused = false;
  SignalSet kept_ignored = 0;  // Ignored although they were not to be: nothing can change that.
  int unshare_error = 0;       // The child has left without a table of its own, and has changed nothing.
};

// Points into memory that the parent half keeps until the child has let go of it.
struct ChildPlan {
  const StartPlan& start;
  int* word;           // That the kernel clears when the child leaves this memory; null: it has a copy of its own.
  int release_fd;      // Kept open until execve; -1: none.
  bool tells_by_pipe;  // The report is written to release_fd.
  const sock_fprog* filter;  // Or null.
  bool filter_by_prctl;      // As in FiltersInForce.
  SignalSet enforced_above;  // As FiltersInForce::enforced: it takes the key to change them.
  SignalSet immovable;       // Their dispositions may stay the parent's whatever the child does.
  pid_t parent;              // For StartOptions::parent_death_signal.
  int exit_source;           // As in StartOptions. The child moves it.
  int parent_pidfd;          // For the same, as a parent outside the child's pid namespace has no number in it; or -1.
  int first_other = -1;      // As in SharedTable; -1: the child has a table of its own.
  int canary = -1;           // As in SharedTable.
  // As in Release; null: nobody waits for it.
  int* ready_word = nullptr;
  ChildReport report;
  // Where a failure goes on in the process that becomes the program itself. Null: the child leaves.
  void (*give_up)() = nullptr;
};

// The entry point of the child, for clone(2). Never returns.
int child_main(void* argument);

// The same for the calling process itself, which must have blocked all signals. Keeps its directory, and of its
// descriptors those that the plan names. A failure ends in `give_up`.
[[noreturn]] void become(ChildPlan& plan);

}  // namespace sigshield::platform
