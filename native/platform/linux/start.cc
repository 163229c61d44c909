// The parent half: lays out all that the child needs, clones, and learns what came of it.
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/terminal.h"
#include "platform/linux/child.h"
#include "platform/linux/child_stack.h"
#include "platform/linux/release.h"
#include "platform/linux/seccomp_filter.h"
#include "platform/linux/shared_table.h"
#include "platform/platform.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace sigshield::platform {

namespace {

enum class Memory : std::uint8_t {
  kShared,
  kCopied,
  kDebugged,
};

// A child that changes its ids has a copy: in shared memory it would take its parent the right to dump core and to read
// its own /proc for good (PR_SET_DUMPABLE(2const)).
Memory memory_for(const StartPlan& plan) {
  // SIGSHIELD_DEBUG_CLONE=vfork is for developers: valgrind knows vfork and no other clone that shares memory, and
  // copies the memory in it.
  static const bool debugged = [] {
    // Read once, at the first start.
    const char* const wish = std::getenv("SIGSHIELD_DEBUG_CLONE");  // NOLINT(concurrency-mt-unsafe)
    return wish != nullptr && std::string_view{wish} == "vfork";
  }();
  if (debugged) return Memory::kDebugged;
  const StartOptions& options = plan.options;
  const bool changes_ids = options.set_uid != 0 || options.set_gid != 0 || plan.group_count >= 0;
  return changes_ids ? Memory::kCopied : Memory::kShared;
}

// CLONE_VM: the cost does not grow with the parent's memory.
// Legacy clone: container profiles refuse clone3.
// No CLONE_VFORK: its wait can't be interrupted. A Ctrl-Z in this window stops the child before execve, and the parent,
// which only the child could wake, never stops: the shell waits for it for ever. Release waits instead.
constexpr int flags_of(Memory memory) {
  switch (memory) {
    case Memory::kShared:
      return CLONE_VM | SIGCHLD;
    case Memory::kCopied:
      return SIGCHLD;
    case Memory::kDebugged:
      return CLONE_VM | CLONE_VFORK | SIGCHLD;
  }
  return 0;
}

pid_t clone_child(const ChildStack& stack, ChildPlan& plan, int flags, int* pidfd) {
  const pid_t pid = clone(child_main, stack.top(), flags | CLONE_PIDFD, &plan, pidfd);
  if (pid >= 0) return pid;
  // Without one where it is not known (before Linux 5.2), not allowed, or one descriptor too many. What fails for
  // another reason fails again.
  *pidfd = -1;
  return clone(child_main, stack.top(), flags, &plan);
}

void reap(pid_t pid) {
  // ECHILD: SIGCHLD is ignored in this process and the kernel has reaped it.
  while (waitpid(pid, nullptr, 0) < 0 && errno != ECHILD) {
    // A policy may know one of the two calls only.
    siginfo_t info{};
    if (errno != EINTR && (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) == 0 || errno != EINTR)) return;
  }
}

// Invalid before Linux 5.3.
FileDescriptor open_own_pidfd() { return FileDescriptor{static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0))}; }

enum class Table : std::uint8_t {
  kMayBeShared,
  kCopied,
};

// What may have failed for the shared table alone is to be made again with a copied one.
struct Attempt {
  Started started;
  bool again = false;
};

Attempt attempt(const StartPlan& plan, SignalSet to_enforce, Table table) {
  const StartOptions& options = plan.options;
  const Memory memory = memory_for(plan);
  Attempt result;
  Started& started = result.started;
  Release release;
  started.failure = release.open(memory != Memory::kShared);
  if (started.failure) return result;
  keep_low_numbers();

  // One per thread is enough: the child has let go of it when this returns.
  thread_local ChildStack stack;
  started.failure = stack.map();
  if (started.failure) return result;

  const FiltersInForce& inherited = filters_in_force();
  const SeccompFilter filter{to_enforce};
  const bool ends_with_parent = options.parent_death_signal != 0;
  const FileDescriptor own_pidfd = ends_with_parent ? open_own_pidfd() : FileDescriptor{};
  int exit_source = options.exit_source;
  int parent_pidfd = own_pidfd.get();
  SharedTable shared;
  const bool shares = table == Table::kMayBeShared && memory == Memory::kShared && release.fd() < 0 &&
                      shared.open(plan, {&exit_source, &parent_pidfd});
  ChildPlan child_plan{
      .start = plan,
      .word = memory == Memory::kCopied ? nullptr : Release::word(),
      .release_fd = release.fd(),
      .tells_by_pipe = memory != Memory::kShared,
      .filter = filter.program(),
      .filter_by_prctl = inherited.by_prctl,
      .enforced_above = inherited.enforced,
      .immovable = inherited.immovable,
      .parent = ends_with_parent ? getpid() : 0,
      .exit_source = exit_source,
      .parent_pidfd = parent_pidfd,
      .first_other = shares ? shared.first_other() : -1,
      .canary = shares ? shared.canary() : -1,
      .report = {},
  };

  pid_t pid = -1;
  int pidfd = -1;
  int clone_error = 0;
  {
    // The child starts with this mask and opens it last. The parent needs it no longer than that.
    const SignalsBlocked blocked{kAllSignals};
    pid = clone_child(stack, child_plan, flags_of(memory) | (shares ? CLONE_FILES : 0), &pidfd);
    clone_error = errno;
  }
  FileDescriptor handle{pidfd};
  if (pid < 0) {
    started.failure = {Step::kClone, clone_error};
    if (shares) SharedTable::refused(clone_error);
    result.again = shares;
    return result;
  }
  release.wait(pid, handle.get(), child_plan.report);
  if (const int error = std::atomic_ref{child_plan.report.unshare_error}.load(); error != 0) {
    SharedTable::refused(error);
    reap(pid);
    result.again = true;
    return result;
  }
  started.kept_ignored = child_plan.report.kept_ignored;
  started.in_force = inherited.enforced | (child_plan.report.filter_refused ? 0 : to_enforce);
  const SignalSet wanted = options.ignored & ~options.unenforced;
  started.enforced = wanted != 0 && (wanted & ~started.in_force) == 0;
  // The step is written last: with it the rest of the report is there.
  if (const Step step = std::atomic_ref{child_plan.report.failure.step}.load(); step != Step::kNone) {
    started.failure = {step, child_plan.report.failure.error};
    // It may have taken the terminal before it failed.
    if (options.foreground != 0) take_back_terminal(plan.terminal, group_of(options, pid), nullptr);
    reap(pid);
    // Its name may lead through a descriptor that the child has in a whole table (/proc/self/fd).
    result.again = shares && (step == Step::kExecve || step == Step::kChdir);
    return result;
  }
  started.process = {pid, std::move(handle)};
  return result;
}

Started start_once(const StartPlan& plan, SignalSet to_enforce, const std::vector<int>& descriptors) {
  std::copy(descriptors.begin(), descriptors.end(), plan.descriptors);
  Attempt first = attempt(plan, to_enforce, Table::kMayBeShared);
  if (!first.again) return std::move(first.started);
  std::copy(descriptors.begin(), descriptors.end(), plan.descriptors);
  return attempt(plan, to_enforce, Table::kCopied).started;
}

}  // namespace

bool has_signal_filter() { return true; }

bool has_parent_death_signal() { return true; }

Started start(const StartPlan& plan) {
  const Enforcement enforcement = plan.options.enforcement;
  // What is in force already is not installed again: a program that restarts itself would gain a filter each time.
  const SignalSet wanted = plan.options.ignored & ~plan.options.unenforced;
  const SignalSet missing = enforcement == Enforcement::kOff ? 0 : wanted & ~filters_in_force().enforced;
  // The child half overwrites them.
  const std::vector<int> descriptors{plan.descriptors, plan.descriptors + plan.descriptor_count};
  Started started = start_once(plan, missing, descriptors);
  if (started.failure.step != Step::kSeccomp || enforcement != Enforcement::kIfAvailable) return started;
  return start_once(plan, 0, descriptors);
}

}  // namespace sigshield::platform
