// One process: asked after, reaped and signalled by its number, which is its own until somebody reaps it, and by when
// it was started.
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "platform/platform.h"
#include "platform/posix/system.h"
#include "platform/process_table.h"

namespace sigshield::platform {

namespace {

// Returns an errno. `info.si_pid` is 0 when there is nothing to tell.
int look(const ProcessReference& process, int options, siginfo_t& info) {
  info = {};
  for (;;) {
    if (waitid(P_PID, static_cast<id_t>(process.pid), &info, options | WNOHANG) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// Something else in this process has reaped it, and the number is another's by now: of a child too. What says nothing
// of its start is believed to be the same.
bool is_anothers(const ProcessReference& process) {
  const std::uint64_t started_at = start_of_process(process.pid);
  return started_at != 0 && process.started_at != 0 && started_at != process.started_at;
}

// ECHILD: the same, or SIGCHLD is ignored in this process.
bool is_reaped(const ProcessReference& process) {
  siginfo_t info{};
  return look(process, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, info) == ECHILD || is_anothers(process);
}

}  // namespace

Fate look_at(const ProcessReference& process, ExitStatus& status) {
  if (is_anothers(process)) return Fate::kGone;
  siginfo_t info{};
  const int error = look(process, WEXITED | WNOWAIT, info);
  if (error != 0) return error == ECHILD ? Fate::kGone : Fate::kUnknown;
  if (info.si_pid == 0) return Fate::kLives;
  status.known = true;
  (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
  return Fate::kExited;
}

Fate reap(const ProcessReference& process, ExitStatus& status) {
  if (is_anothers(process)) return Fate::kGone;
  int end = 0;
  rusage usage{};
  pid_t reaped = 0;
  do reaped = wait4(process.pid, &end, WNOHANG, &usage);
  while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return errno == ECHILD ? Fate::kGone : Fate::kUnknown;
  if (reaped == 0) return Fate::kLives;
  status.known = true;
  status.code = WIFEXITED(end) ? WEXITSTATUS(end) : 0;
  status.signal = WIFSIGNALED(end) ? WTERMSIG(end) : 0;
  status.user_cpu_us = microseconds(usage.ru_utime);
  status.system_cpu_us = microseconds(usage.ru_stime);
  status.max_rss_bytes = max_rss_bytes(usage);
  return Fate::kExited;
}

bool has_stopped(const ProcessReference& process) {
  siginfo_t info{};
  return look(process, WSTOPPED, info) == 0 && info.si_pid != 0;
}

int stop_signal(const ProcessReference& process) {
  siginfo_t info{};
  return look(process, WSTOPPED | WNOWAIT, info) == 0 && info.si_pid != 0 ? info.si_status : 0;
}

Failure send_signal(const ProcessReference& process, int signal) {
  if (is_reaped(process)) return {Step::kKill, ESRCH};
  return kill(process.pid, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

Failure send_signal_to_group(const ProcessReference& process, int signal) {
  if (is_reaped(process)) return {Step::kKill, ESRCH};
  if (kill(-process.pid, signal) == 0) return {};
  const int error = errno;
  // Of a group in which all have ended, and are not reaped, some systems say so.
  ExitStatus status;
  if (error == EPERM && look_at(process, status) == Fate::kExited) return {};
  return {Step::kKill, error};
}

bool group_is_anothers(const ProcessReference& process) {
  if (!send_signal_to_group(process, 0)) return false;
  return kill(-process.pid, 0) == 0 || errno != ESRCH;
}

// A moment remains between the look and the signal.
Failure signal_process(pid_t pid, std::uint64_t started_at, int signal) {
  if (start_of_process(pid) != started_at) return {Step::kKill, ESRCH};
  return kill(pid, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

// A kqueue would have to be held for each.
int exit_descriptor(const ProcessReference&) { return -1; }

}  // namespace sigshield::platform
