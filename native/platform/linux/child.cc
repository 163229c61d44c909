// The child half: everything between clone and execve.
//
// It runs in its parent's memory while the parent's other threads go on, or in a copy of it in which they have stopped
// anywhere, and with every signal blocked. So: raw system calls only (signal-safety(7) is not enough: libc's set*id,
// errno and stdio touch state shared with the parent), no allocation, no locks, no thread-local state, no unwinding.
// All of it stands in this one file, long as it is, so that test/native/kernel/child-half.test.ts can check that its
// object refers to no symbol.
#include "platform/linux/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "platform/linux/kernel_text.h"
#include "platform/linux/raw_syscall.h"
#include "platform/linux/seccomp_filter.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

namespace sigshield::platform {

namespace {

// The kernel's struct sigaction (rt_sigaction(2)).
struct KernelSigaction {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  SignalSet mask;
};
constexpr unsigned long kDefault = 0;
constexpr unsigned long kIgnore = 1;
constexpr unsigned long kSaRestorer = 0x0400'0000;
constexpr unsigned long kSaResetHandler = 0x8000'0000;

struct Limit {
  std::uint64_t soft, hard;
};

[[noreturn]] void leave(int code) {
  for (;;) raw_syscall(SYS_exit_group, code);
}

// A pipe takes so few bytes at once. A parent that is not there to read them needs none.
void tell(ChildPlan& plan) {
  if (plan.tells_by_pipe) raw_syscall(SYS_write, plan.release_fd, &plan.report, sizeof plan.report);
}

void tell_ready(const ChildPlan& plan) {
  if (plan.ready_word == nullptr) return;
  std::atomic_ref{*plan.ready_word}.store(0);
  // Refused, it is seen all the same, later.
  raw_syscall(SYS_futex, plan.ready_word, FUTEX_WAKE, 1);
}

// Until then each descriptor is its parent's too, and none may be opened or closed.
void leave_shared_table(ChildPlan& plan) {
  if (plan.first_other < 0) return;
  long result = raw_syscall(SYS_close_range, plan.first_other, ~0U, CLOSE_RANGE_UNSHARE);
  // A policy can answer with success without doing it.
  if (result == 0 && raw_syscall(SYS_fcntl, plan.canary, F_GETFD) != -EBADF) result = -EPERM;
  if (result == 0) return;
  std::atomic_ref{plan.report.unshare_error}.store(static_cast<int>(-result));
  tell_ready(plan);
  leave(127);
}

[[noreturn]] void fail(ChildPlan& plan, Step step, long result) {
  plan.report.failure.error = static_cast<int>(-result);
  // Last: a child that is killed between the two has not failed, it has ended.
  std::atomic_ref{plan.report.failure.step}.store(step);
  if (plan.give_up != nullptr) plan.give_up();
  tell(plan);
  tell_ready(plan);
  leave(127);
}

void check(ChildPlan& plan, Step step, long result) {
  if (result < 0) fail(plan, step, result);
}

long set_disposition(const ChildPlan& plan, int signal, const KernelSigaction& action) {
  const long number = number_past(plan.enforced_above, signal);
  return raw_syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof(SignalSet));
}

constexpr SignalSet kDumpsCore = signal_bit(SIGQUIT) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGABRT) |
                                 signal_bit(SIGBUS) | signal_bit(SIGFPE) | signal_bit(SIGSEGV) | signal_bit(SIGXCPU) |
                                 signal_bit(SIGXFSZ) | signal_bit(SIGSYS);

// The handler of these signals until execve, which sets handlers back to the default; so does the kernel when it calls
// this one. The child ends by the signal all the same, but without a dump of its parent's memory; or by SIGKILL where a
// dump would end the parent too.
[[noreturn]] void end_without_core(int signal) {
  const long self = raw_syscall(SYS_getpid);
  // Before Linux 5.16 a core dump kills all processes that share the memory.
  if (is_before_linux_5_16()) raw_syscall(SYS_kill, self, SIGKILL);
  // One byte means none, for a pipe in core_pattern as well (core(5)).
  Limit limit{};
  raw_syscall(SYS_prlimit64, 0, RLIMIT_CORE, nullptr, &limit);
  limit.soft = limit.hard == 0 ? 0 : 1;
  raw_syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, nullptr);
  const SignalSet others = ~signal_bit(signal);
  raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &others, nullptr, sizeof(SignalSet));
  raw_syscall(SYS_kill, self, signal);
  leave(128 + signal);
}

// What no call can change is as the parent had it. A handler of the parent's must not run here, and a child that was to
// ignore must do so; the parent is told of one that ignores more.
void check_immovable(ChildPlan& plan, int signal, bool ignored) {
  KernelSigaction found{};
  raw_syscall(SYS_rt_sigaction, signal, nullptr, &found, sizeof(SignalSet));
  if (found.handler != kIgnore && (ignored || found.handler != kDefault)) fail(plan, Step::kSigaction, -EPERM);
  if (!ignored && found.handler == kIgnore) plan.report.kept_ignored |= signal_bit(signal);
}

// Every disposition is set, not only the ignored ones: a handler of the parent's must not run here when the mask opens.
void set_dispositions(ChildPlan& plan) {
  const StartOptions& options = plan.start.options;
  // It never returns, so that no restorer is needed; but x86-64 asks for one. The handler's mask blocks all others.
  const auto handler = reinterpret_cast<unsigned long>(&end_without_core);
  const KernelSigaction without_core{handler, kSaRestorer | kSaResetHandler, handler, kAllSignals};
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    const SignalSet bit = signal_bit(signal);
    const bool ignored = (options.ignored & bit) != 0;
    // A process that becomes the program dumps no memory but its own.
    const bool dumps = (kDumpsCore & bit) != 0 && plan.give_up == nullptr;
    const KernelSigaction plain{ignored ? kIgnore : kDefault, 0, 0, 0};
    check(plan, Step::kSigaction, set_disposition(plan, signal, dumps && !ignored ? without_core : plain));
    if ((plan.immovable & bit) != 0) check_immovable(plan, signal, ignored);
  }
}

// Allowed from the background as SIGTTOU is blocked (tcsetpgrp(3)).
void take_terminal(ChildPlan& plan) {
  const long terminal = raw_syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC, 0);
  check(plan, Step::kOpen, terminal);
  const auto group = static_cast<pid_t>(raw_syscall(SYS_getpgid, 0));
  check(plan, Step::kGetpgid, group);
  check(plan, Step::kIoctl, raw_syscall(SYS_ioctl, terminal, TIOCSPGRP, &group));
  raw_syscall(SYS_close, terminal);
}

void lead_session(ChildPlan& plan) {
  if (plan.start.options.new_session != 0) check(plan, Step::kSetsid, raw_syscall(SYS_setsid));
}

void join_process_group(ChildPlan& plan) {
  const StartOptions& options = plan.start.options;
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

// What can't be made blocking is given as it is, as by libuv.
void set_blocking(int fd) {
  const long flags = raw_syscall(SYS_fcntl, fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0) raw_syscall(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
}

// A policy that is made for Node may know dup2(2) alone, where the machine has it.
long duplicate_onto(int fd, int target) {
  const long result = raw_syscall(SYS_dup3, fd, target, 0);
#ifdef SYS_dup2
  if (result < 0) return raw_syscall(SYS_dup2, fd, target);
#endif
  return result;
}

int duplicate_above(ChildPlan& plan, int fd) {
  const long copy = raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, plan.start.descriptor_count);
  check(plan, Step::kFcntl, copy);
  return static_cast<int>(copy);
}

// For one that is kept until execve beside those of the program. Above them there may be none: an inherited descriptor
// can stand beyond the limit (getrlimit(2)). So it stays where it is while that is nobody's place.
void move_away(ChildPlan& plan, int& fd) {
  if (fd < 0 || fd >= plan.start.descriptor_count) return;
  if (fd <= 2 || plan.start.descriptors[fd] != kNoDescriptor) fd = duplicate_above(plan, fd);
}

// At a number above what scripts name (`exec 3>>log`): after all others have been closed, and out of the way of
// what is kept until execve.
void give_exit_end(ChildPlan& plan) {
  const int target = plan.start.options.exit_target;
  if (plan.exit_source < 0) return;
  for (int* const kept : {&plan.release_fd, &plan.parent_pidfd}) {
    if (*kept != target) continue;
    const long copy = raw_syscall(SYS_fcntl, *kept, F_DUPFD_CLOEXEC, target + 1);
    check(plan, Step::kFcntl, copy);
    *kept = static_cast<int>(copy);
  }
  if (plan.exit_source == target) {
    check(plan, Step::kFcntl, raw_syscall(SYS_fcntl, target, F_SETFD, 0));
  } else {
    check(plan, Step::kDup, duplicate_onto(plan.exit_source, target));
  }
}

// All descriptors below the target are open, so it becomes the lowest that is free.
void open_null(ChildPlan& plan, int target) {
  raw_syscall(SYS_close, target);
  const long fd = raw_syscall(SYS_openat, AT_FDCWD, "/dev/null", target == 0 ? O_RDONLY : O_RDWR, 0);
  check(plan, Step::kOpen, fd);
  // Where the target could not be closed, the child would have a descriptor of its parent's.
  if (fd != target) check(plan, Step::kDup, duplicate_onto(static_cast<int>(fd), target));
}

bool is_given_in_place(const ChildPlan& plan, int fd) {
  return fd >= 0 && fd < plan.start.descriptor_count && plan.start.descriptors[fd] == fd;
}

// Before targets are written in ascending order, every source below its target is moved out of their way.
void set_descriptors(ChildPlan& plan) {
  const int count = plan.start.descriptor_count;
  move_away(plan, plan.release_fd);
  move_away(plan, plan.parent_pidfd);
  // One that the program is given at its own number is still there afterwards.
  if (!is_given_in_place(plan, plan.exit_source)) move_away(plan, plan.exit_source);
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
      check(plan, Step::kDup, duplicate_onto(source, target));
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

// False when /proc does not say what is open.
bool close_all_in_proc(int first) {
  const long directory = raw_syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return false;
  alignas(DirectoryEntry) char buffer[1024];
  long length = 0;
  while ((length = raw_syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0) {
    for (long position = 0; position < length;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + position);
      const char* text = entry->name;
      const int fd = number_at(text);
      if (*text == '\0' && fd >= first) set_close_on_exec(fd, true);
      position += entry->length;
    }
  }
  raw_syscall(SYS_close, directory);
  return length == 0;
}

// Without close_range (kernels before 5.11, old container profiles): what /proc says is open, or else every number
// below the limit.
void close_others_one_by_one(int first) {
  if (close_all_in_proc(first)) return;
  Limit limit{};
  const long result = raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  const std::uint64_t end = result == 0 && limit.hard < (1U << 20) ? limit.hard : (1U << 20);
  for (auto fd = static_cast<std::uint64_t>(first); fd < end; ++fd) {
    set_close_on_exec(static_cast<int>(fd), true);
  }
}

void close_from(int first) {
  if (raw_syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) != 0) close_others_one_by_one(first);
}

// For a process that becomes the program: at their numbers, and in the mode in which it was given them.
void keep_descriptors(const ChildPlan& plan) {
  close_from(0);
  for (int i = 0; i < plan.start.descriptor_count; ++i) set_close_on_exec(plan.start.descriptors[i], false);
}

struct Ids {
  std::uint32_t real, effective, saved;

  [[nodiscard]] bool all_are(std::uint32_t id) const { return real == id && effective == id && saved == id; }
};

// By getresuid(2) or getresgid(2).
bool get_ids(long number, Ids& ids) { return raw_syscall(number, &ids.real, &ids.effective, &ids.saved) == 0; }

struct IdCalls {
  long set_all, get_all, set;
};
constexpr IdCalls kUid{SYS_setresuid, SYS_getresuid, SYS_setuid};
constexpr IdCalls kGid{SYS_setresgid, SYS_getresgid, SYS_setgid};

// What libuv calls sets all three of who has the privilege (setuid(2)): a policy that is made for Node may know no
// other. For setresuid -1 means "leave it as it is" (setresuid(2)): the child would keep its parent's id.
long set_all_three(const IdCalls& calls, std::uint32_t id) {
  if (id == ~std::uint32_t{0}) return -EINVAL;
  const long result = raw_syscall(calls.set_all, id, id, id);
  if (result == 0 || raw_syscall(calls.set, id) != 0) return result;
  Ids ids{};
  return get_ids(calls.get_all, ids) && ids.all_are(id) ? 0 : result;
}

// All three of each are the process's own already, as far as they are asked for.
bool ids_stay(const StartOptions& options) {
  Ids ids{};
  if (!get_ids(kUid.get_all, ids)) return false;
  if (options.set_uid != 0 && !ids.all_are(static_cast<std::uint32_t>(options.uid))) return false;
  if (!get_ids(kGid.get_all, ids)) return false;
  return options.set_gid == 0 || ids.all_are(static_cast<std::uint32_t>(options.gid));
}

// They go first, while there is the privilege to drop them (CVE-2023-6507 is the same step forgotten).
void set_groups(ChildPlan& plan) {
  const StartPlan& start = plan.start;
  if (start.group_count >= 0) {
    check(plan, Step::kSetgroups, raw_syscall(SYS_setgroups, start.group_count, start.groups));
    return;
  }
  const long result = raw_syscall(SYS_setgroups, 0, nullptr);
  // An unprivileged parent may name its own ids. Another id must not keep groups that are the parent's.
  const bool has_none = raw_syscall(SYS_getgroups, 0, nullptr) == 0;
  if (!(has_none || ids_stay(start.options))) check(plan, Step::kSetgroups, result);
}

// All that are ambient are inheritable (capabilities(7)).
bool may_have_ambient_capabilities() {
  struct {
    std::uint32_t version;
    std::int32_t pid;
  } const header{_LINUX_CAPABILITY_VERSION_3, 0};
  struct {
    std::uint32_t effective, permitted, inheritable;
  } halves[2]{};
  return raw_syscall(SYS_capget, &header, halves) != 0 || (halves[0].inheritable | halves[1].inheritable) != 0;
}

// Ambient capabilities survive the change from one unprivileged uid to another, and with CAP_SETUID it means nothing
// (capabilities(7)).
void drop_ambient_capabilities(ChildPlan& plan) {
  const long result = raw_syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (result < 0 && may_have_ambient_capabilities()) fail(plan, Step::kPrctl, result);
}

void set_ids(ChildPlan& plan) {
  const StartOptions& options = plan.start.options;
  if (options.set_uid != 0 || options.set_gid != 0 || plan.start.group_count >= 0) set_groups(plan);
  if (options.set_gid != 0) check(plan, Step::kSetresgid, set_all_three(kGid, static_cast<std::uint32_t>(options.gid)));
  if (options.set_uid == 0) return;
  if (!ids_stay(options)) drop_ambient_capabilities(plan);
  check(plan, Step::kSetresuid, set_all_three(kUid, static_cast<std::uint32_t>(options.uid)));
}

// A parent outside this pid namespace is 0 here, and stays 0 when it is gone.
bool parent_is_gone(ChildPlan& plan) {
  const long parent = raw_syscall(SYS_getppid);
  if (parent > 0 || plan.parent_pidfd < 0) {
    check(plan, Step::kGetppid, parent);
    return parent != plan.parent;
  }
  pollfd ended{plan.parent_pidfd, POLLIN, 0};
  const timespec at_once{};
  long ready = raw_syscall(SYS_ppoll, &ended, 1, &at_once, nullptr, 0);
#ifdef SYS_poll
  if (ready < 0) ready = raw_syscall(SYS_poll, &ended, 1, 0);
#endif
  check(plan, Step::kPoll, ready);
  return ready > 0;
}

// After the ids, whose change clears it (PR_SET_PDEATHSIG(2const)).
void set_parent_death_signal(ChildPlan& plan) {
  const int signal = plan.start.options.parent_death_signal;
  if (signal == 0) return;
  check(plan, Step::kPrctl, raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0));
  // The parent may have died before: then nobody is left to be told, and nothing must start.
  if (parent_is_gone(plan)) fail(plan, Step::kPrctl, -ESRCH);
}

// A policy that is in force may end who calls seccomp(2), as @system-service of systemd does before 257.
long install_filter(const ChildPlan& plan, const sock_fprog* filter) {
  if (plan.filter_by_prctl) return raw_syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0);
  const long result = raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, filter);
  // The flag is unknown before Linux 4.17.
  return result == -EINVAL ? raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) : result;
}

// EACCES is a policy's word where it comes before the kernel has read the filter.
bool needs_no_new_privs(const ChildPlan& plan, long result) {
  return result == -EACCES && install_filter(plan, nullptr) == -EFAULT;
}

// no_new_privs only where the kernel asks for it: it takes setuid programs their privilege, and can't be taken back
// (PR_SET_NO_NEW_PRIVS(2const)). So before the ids, which take the privilege to do without it; and a child that has it
// for nothing ends, and is started again without a filter.
void enforce(ChildPlan& plan) {
  if (plan.filter == nullptr) return;
  long result = install_filter(plan, plan.filter);
  const bool unprivileged =
      needs_no_new_privs(plan, result) && raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  if (unprivileged) result = install_filter(plan, plan.filter);
  if (result >= 0) return;
  if (unprivileged || plan.start.options.enforcement == Enforcement::kRequired) fail(plan, Step::kSeccomp, result);
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

// Last: until here a signal for the group waits, and from here on it meets the disposition the program starts with.
[[noreturn]] void open_mask_and_execute(ChildPlan& plan) {
  const SignalSet blocked = plan.start.options.blocked;
  check(plan, Step::kSigprocmask, raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, nullptr, sizeof(SignalSet)));
  execute(plan);
}

}  // namespace

int child_main(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  // Not by CLONE_CHILD_CLEARTID, which musl's clone() refuses from 1.2.5 on. It is the same field of the kernel's.
  if (plan.word != nullptr) check(plan, Step::kSetTidAddress, raw_syscall(SYS_set_tid_address, plan.word));
  leave_shared_table(plan);
  lead_session(plan);
  tell_ready(plan);
  set_dispositions(plan);
  join_process_group(plan);
  set_descriptors(plan);
  if (plan.start.directory != nullptr) check(plan, Step::kChdir, raw_syscall(SYS_chdir, plan.start.directory));
  enforce(plan);
  set_ids(plan);
  set_parent_death_signal(plan);
  close_from(plan.start.descriptor_count);
  give_exit_end(plan);
  tell(plan);
  open_mask_and_execute(plan);
}

void become(ChildPlan& plan) {
  lead_session(plan);
  set_dispositions(plan);
  join_process_group(plan);
  enforce(plan);
  set_ids(plan);
  set_parent_death_signal(plan);
  keep_descriptors(plan);
  open_mask_and_execute(plan);
}

}  // namespace sigshield::platform
