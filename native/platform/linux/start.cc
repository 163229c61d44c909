// The parent half: lays out all that the child needs, clones, and learns what came of it.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "core/terminal.h"
#include "platform/linux/child.h"
#include "platform/linux/child_stack.h"
#include "platform/linux/release.h"
#include "platform/linux/seccomp_filter.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// CLONE_VM: the cost does not grow with the parent's memory.
// Legacy clone: container profiles refuse clone3.
// No CLONE_VFORK: its wait can't be interrupted. A Ctrl-Z in this window stops the child before execve, and the parent,
// which only the child could wake, never stops: the shell waits for it for ever. Release waits instead.
pid_t clone_child(const ChildStack& stack, ChildPlan& plan, int* pidfd) {
  constexpr int kFlags = CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD;
  const pid_t pid = clone(child_main, stack.top(), kFlags | CLONE_PIDFD, &plan, pidfd, nullptr, Release::word());
  if (pid >= 0 || errno != EINVAL) return pid;
  // Before Linux 5.2.
  *pidfd = -1;
  return clone(child_main, stack.top(), kFlags, &plan, nullptr, nullptr, Release::word());
}

void reap(pid_t pid) {
  // ECHILD: SIGCHLD is ignored in this process and the kernel has reaped it.
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

Started start(const StartPlan& plan) {
  const StartOptions& options = plan.options;
  Started started;
  Release release;
  started.failure = release.open();
  if (started.failure) return started;

  // One per thread is enough: the child has let go of it when this returns.
  thread_local ChildStack stack;
  if (!stack.map()) {
    started.failure = {Step::kMmap, ENOMEM};
    return started;
  }

  const SeccompFilter filter{options.enforcement == Enforcement::kOff ? SignalSet{0} : options.ignored};
  ChildPlan child_plan{
      .start = plan,
      .release_fd = release.fd(),
      .filter = filter.program(),
      .parent = options.parent_death_signal == 0 ? 0 : getpid(),
      .report = {},
  };

  pid_t pid = -1;
  int pidfd = -1;
  int clone_error = 0;
  {
    // The child starts with this mask and opens it last. The parent needs it no longer than that.
    const SignalsBlocked blocked{kAllSignals};
    pid = clone_child(stack, child_plan, &pidfd);
    clone_error = errno;
  }
  FileDescriptor handle{pidfd};
  if (pid < 0) {
    started.failure = {Step::kClone, clone_error};
    return started;
  }
  release.wait(pid);
  started.enforced = child_plan.filter != nullptr && !child_plan.report.filter_refused;
  // The step is written last: with it the rest of the report is there.
  if (const Step step = std::atomic_ref{child_plan.report.failure.step}.load(); step != Step::kNone) {
    started.failure = {step, child_plan.report.failure.error};
    // It may have taken the terminal before it failed.
    if (options.foreground != 0) take_back_terminal({group_of(options, pid), std::nullopt}, TerminalMode::kTheirs);
    reap(pid);
    return started;
  }
  started.process = {pid, std::move(handle)};
  return started;
}

}  // namespace sigshield::platform
