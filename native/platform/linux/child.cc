// The child half: everything between clone and execve.
//
// It runs in its parent's memory while the parent's other threads go on, with every signal blocked. So: raw system
// calls only (signal-safety(7) is not enough: libc's set*id, errno and stdio touch state shared with the parent), no
// allocation, no locks, no thread-local state, no unwinding. All of it stands in this one file, long as it is, so that
// test/native/kernel/child-half.test.ts can check that its object refers to no symbol.
#include "platform/linux/child.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "platform/linux/raw_syscall.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace sigshield::platform {

namespace {

// The kernel's struct sigaction (rt_sigaction(2)). All but the handler stay zero, so the order of the rest, which
// differs by architecture, does not matter.
struct KernelSigaction {
  unsigned long handler;
  unsigned long rest[3];
};
constexpr unsigned long kDefault = 0;
constexpr unsigned long kIgnore = 1;

[[noreturn]] void fail(ChildPlan& plan, Step step, long result) {
  plan.report.failure.error = static_cast<int>(-result);
  // Last: a child that is killed between the two has not failed, it has ended.
  std::atomic_ref{plan.report.failure.step}.store(step);
  for (;;) raw_syscall(SYS_exit_group, 127);
}

void check(ChildPlan& plan, Step step, long result) {
  if (result < 0) fail(plan, step, result);
}

// Every disposition is set, not only the ignored ones: a handler of the parent's must not run here when the mask opens.
void set_dispositions(const StartOptions& options) {
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    const bool ignored = (options.ignored & signal_bit(signal)) != 0;
    const KernelSigaction action{ignored ? kIgnore : kDefault, {0, 0, 0}};
    raw_syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof(SignalSet));
  }
}

// Allowed from the background as SIGTTOU is blocked (tcsetpgrp(3)).
void take_terminal(ChildPlan& plan) {
  const long terminal = raw_syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC, 0);
  check(plan, Step::kOpen, terminal);
  const auto group = static_cast<pid_t>(raw_syscall(SYS_getpgid, 0));
  check(plan, Step::kIoctl, raw_syscall(SYS_ioctl, terminal, TIOCSPGRP, &group));
  raw_syscall(SYS_close, terminal);
}

void join_process_group(ChildPlan& plan) {
  const StartOptions& options = plan.start.options;
  // Fails only for a group leader, which a new process is not.
  if (options.new_session != 0) raw_syscall(SYS_setsid);
  // The leader of a new session leads a new group already.
  const bool leads_already = options.new_session != 0 && options.process_group == 0;
  if (options.set_process_group != 0 && !leads_already) {
    check(plan, Step::kSetpgid, raw_syscall(SYS_setpgid, 0, options.process_group));
  }
  if (options.foreground != 0) take_terminal(plan);
}

void set_close_on_exec(int fd, bool on) {
  // EBADF is as good: what is not open is not inherited.
  raw_syscall(SYS_fcntl, fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

void set_blocking(int fd) {
  const long flags = raw_syscall(SYS_fcntl, fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0) raw_syscall(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
}

int duplicate_above(ChildPlan& plan, int fd) {
  const long copy = raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, plan.start.descriptor_count);
  check(plan, Step::kFcntl, copy);
  return static_cast<int>(copy);
}

// All descriptors below the target are open, so it becomes the lowest that is free.
void open_null(ChildPlan& plan, int target) {
  raw_syscall(SYS_close, target);
  check(plan, Step::kOpen, raw_syscall(SYS_openat, AT_FDCWD, "/dev/null", target == 0 ? O_RDONLY : O_RDWR, 0));
}

// Before targets are written in ascending order, every source below its target is moved out of their way.
void set_descriptors(ChildPlan& plan) {
  const int count = plan.start.descriptor_count;
  if (plan.release_fd >= 0 && plan.release_fd < count) duplicate_above(plan, plan.release_fd);
  for (int target = 0; target < count; ++target) {
    int& source = plan.start.descriptors[target];
    if (source >= 0 && source < target) source = duplicate_above(plan, source);
  }
  for (int target = 0; target < count; ++target) {
    const int source = plan.start.descriptors[target];
    if (source == kNoDescriptor) {
      if (target <= 2) {
        open_null(plan, target);
      } else {
        set_close_on_exec(target, true);
      }
      continue;
    }
    if (source == target) {
      check(plan, Step::kFcntl, raw_syscall(SYS_fcntl, target, F_SETFD, 0));
    } else {
      check(plan, Step::kDup, raw_syscall(SYS_dup3, source, target, 0));
    }
    if (target <= 2) set_blocking(target);
  }
}

struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[];
};

// Without close_range (kernels before 5.11, old container profiles): what /proc says is open, or else every number
// below the limit.
void close_others_one_by_one(int first) {
  const long directory = raw_syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory >= 0) {
    alignas(DirectoryEntry) char buffer[1024];
    for (;;) {
      const long length = raw_syscall(SYS_getdents64, directory, buffer, sizeof buffer);
      if (length <= 0) break;
      for (long position = 0; position < length;) {
        const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + position);
        int fd = 0;
        const char* digit = entry->name;
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it can't see the kernel fill the buffer.
        for (; *digit >= '0' && *digit <= '9'; ++digit) fd = fd * 10 + (*digit - '0');
        if (*digit == '\0' && fd >= first) set_close_on_exec(fd, true);
        position += entry->length;
      }
    }
    raw_syscall(SYS_close, directory);
    return;
  }
  struct {
    std::uint64_t soft, hard;
  } limit{};
  const long result = raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  const std::uint64_t end = result == 0 && limit.hard < (1U << 20) ? limit.hard : (1U << 20);
  for (auto fd = static_cast<std::uint64_t>(first); fd < end; ++fd) {
    set_close_on_exec(static_cast<int>(fd), true);
  }
}

void close_others(const ChildPlan& plan) {
  const int first = plan.start.descriptor_count;
  if (raw_syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) != 0) close_others_one_by_one(first);
}

// For setresuid -1 means "leave it as it is" (setresuid(2)): the child would keep its parent's id.
long set_all_three(long number, std::uint32_t id) {
  return id == ~std::uint32_t{0} ? -EINVAL : raw_syscall(number, id, id, id);
}

// Supplementary groups go first, while there is the privilege to drop them (CVE-2023-6507 is the same step forgotten).
void set_ids(ChildPlan& plan) {
  const StartOptions& options = plan.start.options;
  if (options.set_uid != 0 || options.set_gid != 0) {
    // EPERM is ignored as libuv does: an unprivileged parent may name its own ids, and has no groups to lose.
    const long result = raw_syscall(SYS_setgroups, 0, nullptr);
    if (result != -EPERM) check(plan, Step::kSetgroups, result);
  }
  if (options.set_gid != 0)
    check(plan, Step::kSetresgid, set_all_three(SYS_setresgid, static_cast<std::uint32_t>(options.gid)));
  if (options.set_uid != 0)
    check(plan, Step::kSetresuid, set_all_three(SYS_setresuid, static_cast<std::uint32_t>(options.uid)));
}

// After the ids, whose change clears it (PR_SET_PDEATHSIG(2const)).
void set_parent_death_signal(ChildPlan& plan) {
  const int signal = plan.start.options.parent_death_signal;
  if (signal == 0) return;
  check(plan, Step::kPrctl, raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0));
  // The parent may have died before: then nobody is left to be told, and nothing must start.
  if (raw_syscall(SYS_getppid) != plan.parent) fail(plan, Step::kPrctl, -ESRCH);
}

long install_filter(const sock_fprog* filter) {
  const long result = raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, filter);
  // The flag is unknown before Linux 4.17.
  return result == -EINVAL ? raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) : result;
}

// no_new_privs only where the kernel asks for it: it takes setuid programs their privilege
// (PR_SET_NO_NEW_PRIVS(2const)).
void enforce(ChildPlan& plan) {
  if (plan.filter == nullptr) return;
  long result = install_filter(plan.filter);
  if (result == -EACCES) {
    raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    result = install_filter(plan.filter);
  }
  if (result >= 0) return;
  if (plan.start.options.enforcement == Enforcement::kRequired) fail(plan, Step::kSeccomp, result);
  plan.report.filter_refused = true;
}

// The rules of execvp(3): which errors try the next candidate, and a file without a known format is a shell script.
[[noreturn]] void execute(ChildPlan& plan) {
  const StartPlan& start = plan.start;
  bool denied = false;
  long result = -ENOENT;
  for (char* const* candidate = start.candidates; *candidate != nullptr; ++candidate) {
    result = raw_syscall(SYS_execve, *candidate, start.arguments, start.environment);
    if (result == -ENOEXEC) {
      start.shell_arguments[1] = *candidate;
      result = raw_syscall(SYS_execve, start.shell_arguments[0], start.shell_arguments, start.environment);
    }
    switch (result) {
      case -EACCES:
        denied = true;
        break;
      case -ENOENT:
      case -ENOTDIR:
      case -ESTALE:
      case -ENODEV:
      case -ETIMEDOUT:
        break;
      default:
        fail(plan, Step::kExecve, result);
    }
  }
  fail(plan, Step::kExecve, denied ? -EACCES : result);
}

}  // namespace

int child_main(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  set_dispositions(plan.start.options);
  join_process_group(plan);
  set_descriptors(plan);
  if (plan.start.directory != nullptr) check(plan, Step::kChdir, raw_syscall(SYS_chdir, plan.start.directory));
  set_ids(plan);
  set_parent_death_signal(plan);
  close_others(plan);
  enforce(plan);
  // Last: until here a signal for the group waits, and from here on it meets the disposition the program starts with.
  const SignalSet blocked = plan.start.options.blocked;
  raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, nullptr, sizeof(SignalSet));
  execute(plan);
}

}  // namespace sigshield::platform
