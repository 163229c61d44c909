// This process itself: it becomes another program, ends by a signal, or takes in orphans.
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>

#include "platform/linux/child.h"
#include "platform/linux/raw_syscall.h"
#include "platform/linux/seccomp_filter.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// One process becomes one program.
std::jmp_buf& way_back() {
  static std::jmp_buf buffer;
  return buffer;
}

// The child half holds nothing that would have to be unwound.
// NOLINTBEGIN(cert-err52-cpp, modernize-avoid-setjmp-longjmp)
[[noreturn]] void go_back() { std::longjmp(way_back(), 1); }

// Returns only when it has failed.
void try_to_become(ChildPlan& plan) {
  if (setjmp(way_back()) == 0) become(plan);
}
// NOLINTEND(cert-err52-cpp, modernize-avoid-setjmp-longjmp)

// The kernel's struct sigaction (rt_sigaction(2)), with SIG_DFL in it.
struct DefaultAction {
  unsigned long handler = 0;
  unsigned long flags = 0;
  unsigned long restorer = 0;
  SignalSet mask = 0;
};

}  // namespace

// A filter holds for the thread that installs it, and execve ends all others.
Failure replace(const StartPlan& plan) {
  const StartOptions& options = plan.options;
  const FiltersInForce& inherited = filters_in_force();
  const SignalSet wanted = options.ignored & ~options.unenforced & ~inherited.enforced;
  const SeccompFilter filter{options.enforcement == Enforcement::kOff ? 0 : wanted};
  ChildPlan child_plan{
      .start = plan,
      .word = nullptr,
      .release_fd = -1,
      .tells_by_pipe = false,
      .filter = filter.program(),
      .filter_by_prctl = inherited.by_prctl,
      .enforced_above = inherited.enforced,
      .immovable = inherited.immovable,
      .parent = getppid(),
      .exit_source = -1,
      .parent_pidfd = -1,
      .report = {},
      .give_up = &go_back,
  };
  const SignalsBlocked blocked{kAllSignals};
  try_to_become(child_plan);
  return child_plan.report.failure;
}

void end_by(int signal) {
  prctl(PR_SET_DUMPABLE, 0);
  const DefaultAction action;
  const long number = number_past(filters_in_force().enforced, signal);
  raw_syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof(SignalSet));
  const SignalSet set = signal_bit(signal);
  raw_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, nullptr, sizeof(SignalSet));
  static_cast<void>(raise(signal));
}

Failure adopt_orphans() { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? Failure{} : Failure{Step::kPrctl, errno}; }

}  // namespace sigshield::platform
