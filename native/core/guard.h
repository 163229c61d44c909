// What a start and this process have to do with the guard: the library in native/guard, which is loaded into programs.
#pragma once

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "core/signal_set.h"

namespace sigshield {

// The pipe on which a guard says that it is in force.
struct Acknowledgement {
  FileDescriptor read_end;
  FileDescriptor write_end;

  Failure open();
};

enum class GuardAnswer : std::int32_t {
  kInForce,
  kNotInForce,  // It says so, or the program has closed the pipe or ended without a word.
  kNone,        // None came in time.
};

// Blocks, so `timeout_ms` is for what should not happen. No other process may hold the write end by then.
GuardAnswer wait_for_guard(int read_fd, int timeout_ms);

// Of the guard in this process; none without one.
SignalSet guarded_signals();

// Does nothing without one.
void lift_guard(SignalSet signals);

}  // namespace sigshield
