#include "platform/linux/attempt.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/terminal.h"
#include "platform/linux/process.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace sigshield::platform {

namespace {

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

// The kernel lets an error of its own out where there is no room for a filter's code (net.core.bpf_jit_limit): ENOTSUPP
// of its errno.h.
int known_errno(int error) {
  constexpr int kKernelNotSupported = 524;
  return error == kKernelNotSupported ? ENOTSUP : error;
}

std::atomic<bool>& filter_was_installed() {
  static std::atomic<bool> seen{false};
  return seen;
}

}  // namespace

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
  // In memory that is shared with this process gdb takes its breakpoints out when it lets go of the child, and proot
  // lets children crash. Asked once: it costs too much for every start.
  static const bool traced = is_traced();
  const StartOptions& options = plan.options;
  const bool changes_ids = options.set_uid != 0 || options.set_gid != 0 || plan.group_count >= 0;
  return changes_ids || traced ? Memory::kCopied : Memory::kShared;
}

bool filters_can_be_installed() { return filter_was_installed().load(std::memory_order_relaxed); }

Failure Attempt::clone(Table table, bool waits) {
  const StartOptions& options = plan_.options;
  // One that can't be watched, as descriptors are few, is waited for.
  const bool has_pipe = !waits && !release_.open(Release::Pipe::kAlways);
  const auto pipe = memory_ == Memory::kShared ? Release::Pipe::kWhereNeeded : Release::Pipe::kWithReport;
  if (const Failure failure = has_pipe ? Failure{} : release_.open(pipe)) return failure;
  keep_low_numbers();
  if (const Failure failure = SpareStacks::of_process().take(stack_)) return failure;

  const bool ends_with_parent = options.parent_death_signal != 0;
  if (ends_with_parent) own_pidfd_ = open_own_pidfd();
  int exit_source = options.exit_source;
  int parent_pidfd = own_pidfd_.get();
  int release_fd = release_.fd();
  shares_table_ = table == Table::kMayBeShared && memory_ == Memory::kShared &&
                  shared_.emplace().open(plan_, {&exit_source, &parent_pidfd, &release_fd});
  if (!shares_table_) shared_.reset();
  // Before fd() is closed here it must not be closed there, and who has a session of its own can be signalled by its
  // number.
  const bool must_be_ready = (shares_table_ && release_fd >= 0) || (!waits && options.new_session != 0);
  child_plan_.emplace(ChildPlan{
      .start = plan_,
      .word = memory_ == Memory::kCopied ? nullptr : release_.word(),
      .release_fd = release_fd,
      .tells_by_pipe = memory_ != Memory::kShared,
      .filter = filter_.program(),
      .filter_by_prctl = inherited_.by_prctl,
      .enforced_above = inherited_.enforced,
      .immovable = inherited_.immovable,
      .parent = ends_with_parent ? getpid() : 0,
      .exit_source = exit_source,
      .parent_pidfd = parent_pidfd,
      .first_other = shares_table_ ? shared_->first_other() : -1,
      .canary = shares_table_ ? shared_->canary() : -1,
      .ready_word = must_be_ready ? release_.ready_word() : nullptr,
      .report = {},
  });

  int pidfd = -1;
  int clone_error = 0;
  {
    // The child starts with this mask and opens it last. The parent needs it no longer than that.
    const SignalsBlocked blocked{kAllSignals};
    pid_ = clone_child(*stack_, *child_plan_, flags_of(memory_) | (shares_table_ ? CLONE_FILES : 0), &pidfd);
    clone_error = errno;
  }
  handle_.reset(pidfd);
  if (pid_ >= 0) {
    if (must_be_ready) {
      release_.wait_until_ready(pid_, pidfd);
      shared_.reset();
    }
    return {};
  }
  if (shares_table_) SharedTable::refused(clone_error);
  again_ = shares_table_;
  return {Step::kClone, clone_error};
}

int Attempt::unshare_error() { return std::atomic_ref{child_plan_->report.unshare_error}.load(); }

bool Attempt::can_be_watched() { return handle_.valid() && release_.watched_fd() >= 0 && unshare_error() == 0; }

void Attempt::tell_enforced(Started& started, SignalSet in_force) const {
  started.in_force = in_force;
  const SignalSet wanted = plan_.options.ignored & ~plan_.options.unenforced;
  started.enforced = wanted != 0 && (wanted & ~in_force) == 0;
}

void Attempt::tell(Started& started) {
  const ChildReport& report = child_plan_->report;
  started.kept_ignored = report.kept_ignored;
  tell_enforced(started, inherited_.enforced | (report.filter_refused ? 0 : to_enforce_));
  // The step is written last: with it the rest of the report is there.
  if (const Step step = std::atomic_ref{child_plan_->report.failure.step}.load(); step != Step::kNone) {
    started.failure = {step, known_errno(report.failure.error)};
  } else if (filter_.program() != nullptr && !report.filter_refused) {
    filter_was_installed().store(true, std::memory_order_relaxed);
  }
}

Started Attempt::wait() {
  Started started;
  release_.wait(pid_, handle_.get(), child_plan_->report);
  if (const int error = unshare_error(); error != 0) {
    SharedTable::refused(error);
    reap(pid_);
    again_ = true;
    return started;
  }
  tell(started);
  if (!started.failure) {
    started.process = {pid_, std::move(handle_)};
    return started;
  }
  // It may have taken the terminal before it failed.
  if (plan_.options.foreground != 0) take_back_terminal(plan_.terminal, group_of(plan_.options, pid_), nullptr);
  reap(pid_);
  // Its name may lead through a descriptor that the child has in a whole table (/proc/self/fd).
  const Step step = started.failure.step;
  again_ = shares_table_ && (step == Step::kExecve || step == Step::kChdir);
  return started;
}

Started Attempt::watch() {
  release_.start_watching();
  // The child does so too, later; but the group can be signalled from now on. Refused where it has done so, or has
  // ended.
  if (plan_.options.set_process_group != 0) setpgid(pid_, pid_);
  Started started;
  tell_enforced(started, inherited_.enforced);
  started.process = {pid_, std::move(handle_)};
  return started;
}

bool Attempt::is_over(pid_t child, bool has_ended, Started& started) {
  if (!has_ended && !release_.is_over(child, -1, child_plan_->report)) return false;
  tell(started);
  return true;
}

}  // namespace sigshield::platform
