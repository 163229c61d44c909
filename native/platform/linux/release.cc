#include "platform/linux/release.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "platform/linux/process.h"
#include "platform/linux/raw_syscall.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// Linux clears the word of set_tid_address(2), and wakes who waits for it, when a process leaves a memory that others
// use. The page promises that for the end of a thread only, so execve has to be seen to do it. Until then a pipe is the
// proof, whose last write end execve closes: that is later by all the time that the new program takes to load.
std::atomic<bool>& execve_clears_word() {
  static std::atomic<bool> seen{false};
  return seen;
}

// What the kernel says of a process in /proc/PID/stat (proc_pid_stat(5)).
struct ProcessState {
  char state = 0;  // 0: not known.
  unsigned flags = 0;
};

ProcessState state_of(pid_t process) {
  char state = 0;
  unsigned flags = 0;
  // NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers.
  const int found = std::sscanf(stat_of(process).c_str(), " %c %*d %*d %*d %*d %*d %u", &state, &flags);
  return found == 2 ? ProcessState{state, flags} : ProcessState{};
}

bool is_readable(int fd, int timeout_ms) {
  pollfd readable{fd, POLLIN, 0};
  return wait_for_any({&readable, 1}, timeout_ms) > 0 && (readable.revents & (POLLIN | POLLHUP)) != 0;
}

// ECHILD: SIGCHLD is ignored here, and the kernel has reaped a child that has ended. A policy that refuses the call
// says nothing of the child.
bool has_ended(pid_t child, int pidfd) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid != 0;
  if (errno == ECHILD) return true;
  if (pidfd >= 0) return is_readable(pidfd, 0);
  return state_of(child).state == 'Z' || (kill(child, 0) != 0 && errno == ESRCH);
}

// The kernel marks a process that has not executed a program since its fork (PF_FORKNOEXEC of linux/sched.h), and takes
// the mark away when it has changed its memory. A kernel that tells of no flag at all (gVisor) says nothing.
bool is_marked_executed(pid_t child) {
  constexpr unsigned kForkNoExec = 0x40;
  const unsigned flags = state_of(child).flags;
  return flags != 0 && (flags & kForkNoExec) == 0;
}

// A process that has executed a program can't be moved to a process group any more, not even to its own (setpgid(2)).
// Only for one that no longer sets its group itself.
bool has_executed(pid_t child) {
  const pid_t group = getpgid(child);
  return group > 0 && setpgid(child, group) != 0 && errno == EACCES;
}

bool is_cleared(int& word) { return std::atomic_ref{word}.load() == 0; }

// How often a child is looked at that should have let go.
constexpr int kLookMs = 100;

}  // namespace

void Release::wait_for_word(int& word, pid_t child, int pidfd) {
  // Older kernels keep the word of a process that dies with a core dump (mm_release of kernel/fork.c), and a child that
  // is killed at once has not named it yet.
  constexpr timespec kTimeout{0, kLookMs * 1'000'000};
  while (!is_cleared(word)) {
    const long result = raw_syscall(SYS_futex, &word, FUTEX_WAIT, 1, &kTimeout, nullptr, 0);
    // Any error but these: the wait is none, and the pause is made here.
    if (result == 0 || result == -EAGAIN || result == -EINTR) continue;
    if (result != -ETIMEDOUT) wait_for_any({}, kLookMs);
    if (has_ended(child, pidfd) || is_marked_executed(child)) return;
  }
}

Failure Release::open(Pipe pipe) {
  tells_by_pipe_ = pipe == Pipe::kWithReport;
  return pipe == Pipe::kWhereNeeded && execve_clears_word() ? Failure{} : open_pipe(read_end_, write_end_);
}

// False when there may be more to come. A report is written in one piece; the last one counts.
bool Release::read_to_end(int timeout_ms, ChildReport& report) {
  while (is_readable(read_end_.get(), timeout_ms)) {
    ChildReport told;
    const ssize_t length = read(read_end_.get(), &told, sizeof told);
    if (length == 0) return true;
    if (length == sizeof told) report = told;
    if (length < 0 && errno != EINTR) {
      // It would be readable at once again.
      wait_for_any({}, timeout_ms);
      return false;
    }
  }
  return false;
}

// A process that was forked elsewhere meanwhile may hold a copy of the write end, for as long as it likes.
bool Release::is_over(pid_t child, int pidfd, ChildReport& report) {
  if (read_to_end(0, report)) return true;
  if ((tells_by_pipe_ || !is_cleared(word_)) && !has_ended(child, pidfd) && !is_marked_executed(child)) return false;
  read_to_end(0, report);
  return true;
}

void Release::wait(pid_t child, int pidfd, ChildReport& report) {
  if (!read_end_.valid()) {
    wait_for_word(word_, child, pidfd);
    return;
  }
  start_watching();
  while (!read_to_end(kLookMs, report) && !is_over(child, pidfd, report)) {
  }
  // The end of a child that has not executed anything clears its word too. Of the leader of a session setpgid(2) does
  // not say whether it has.
  if (!tells_by_pipe_ && is_cleared(word_) && (has_executed(child) || is_marked_executed(child))) {
    execve_clears_word() = true;
  }
}

}  // namespace sigshield::platform
