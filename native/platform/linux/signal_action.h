// What the process does with a signal, as the kernel keeps it (rt_sigaction(2)): libc hides what it adds to it.
#pragma once

#include "core/signal_set.h"
#include "platform/linux/raw_syscall.h"

namespace sigshield::platform {

struct Action {
  unsigned long handler = 0;
  unsigned long flags = 0;
  unsigned long restorer = 0;
  SignalSet mask = 0;
};

// A filter may answer for the kernel: then nothing is written, and nothing done.
inline Action exchange_action(int signal, const Action* action) {
  Action old;
  raw_syscall(SYS_rt_sigaction, signal, nullptr, &old, sizeof(SignalSet));
  if (action != nullptr) raw_syscall(SYS_rt_sigaction, signal, action, &old, sizeof(SignalSet));
  return old;
}

}  // namespace sigshield::platform
