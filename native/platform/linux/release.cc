#include "platform/linux/release.h"

#include <linux/futex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

#include "platform/linux/raw_syscall.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// Linux clears the word of CLONE_CHILD_CLEARTID, and wakes who waits for it, when a process leaves a memory that others
// use. clone(2) promises that for the end of a thread only, so execve has to be seen to do it. Until then a pipe is the
// proof, whose last write end execve closes: that is later by all the time that the new program takes to load.
std::atomic<bool>& execve_clears_word() {
  static std::atomic<bool> seen{false};
  return seen;
}

bool is_cleared() { return std::atomic_ref{*Release::word()}.load() == 0; }

// SIGCHLD may be ignored here: then the kernel has reaped a child that has ended.
bool has_ended(pid_t child) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return true;
  return info.si_pid != 0;
}

// A process that has executed a program can't be moved to a process group any more, not even to its own (setpgid(2)).
bool has_executed(pid_t child) {
  const pid_t group = getpgid(child);
  return group > 0 && setpgid(child, group) != 0 && errno == EACCES;
}

void wait_for_end_of_file(int fd) {
  char nothing = 0;
  while (read(fd, &nothing, 1) < 0 && errno == EINTR) continue;
}

void wait_for_word(pid_t child) {
  // Older kernels keep the word of a process that dies with a core dump (mm_release of kernel/fork.c).
  constexpr timespec kLookAfterIt{0, 100'000'000};
  while (!is_cleared()) {
    const long result = raw_syscall(SYS_futex, Release::word(), FUTEX_WAIT, 1, &kLookAfterIt, nullptr, 0);
    if (result == -ETIMEDOUT && has_ended(child)) return;
  }
}

}  // namespace

int* Release::word() {
  thread_local int word = 0;
  return &word;
}

Failure Release::open() {
  std::atomic_ref{*word()}.store(1);
  return execve_clears_word() ? Failure{} : open_pipe(read_end_, write_end_);
}

void Release::wait(pid_t child) {
  if (!read_end_.valid()) {
    wait_for_word(child);
    return;
  }
  write_end_.reset();
  wait_for_end_of_file(read_end_.get());
  // The end of a child that has not executed anything clears its word too.
  if (is_cleared() && has_executed(child)) execve_clears_word() = true;
}

}  // namespace sigshield::platform
