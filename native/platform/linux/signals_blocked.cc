// The thread's mask by the raw system call: pthread_sigmask silently leaves libc's signals 32 and 33 unblocked
// (nptl(7)).
#include <csignal>

#include "platform/linux/raw_syscall.h"
#include "platform/platform.h"

namespace sigshield::platform {

SignalsBlocked::SignalsBlocked(SignalSet signals) {
  // Can't fail: valid pointers, valid how, the kernel's set size.
  raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &signals, &saved_, sizeof(SignalSet));
}

SignalsBlocked::~SignalsBlocked() { raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &saved_, nullptr, sizeof(SignalSet)); }

}  // namespace sigshield::platform
