// One process: asked after, reaped and signalled by its pidfd where there is one.
#include "platform/linux/process.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "platform/platform.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace sigshield::platform {

namespace {

// waitid as the kernel has it: with the resource usage, which libc's hides. Returns an errno.
int wait_for(int id_type, int id, siginfo_t* info, int options, rusage* usage) {
  for (;;) {
    if (syscall(SYS_waitid, id_type, id, info, options, usage) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

int wait_for(const ProcessReference& process, siginfo_t* info, int options, rusage* usage) {
  return process.handle.valid() ? wait_for(P_PIDFD, process.handle.get(), info, options, usage)
                                : wait_for(P_PID, process.pid, info, options, usage);
}

// Takes note that a process has changed its state in this way: once, unless told to leave the note.
bool has_changed(const ProcessReference& process, int options) {
  siginfo_t info{};
  return wait_for(process, &info, options | WNOHANG, nullptr) == 0 && info.si_pid != 0;
}

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// The kernel counts what the parent held when it started the child as the child's own. So only what is more than this
// process has ever held tells of the child; and more by an eighth, as pages are counted on each processor and summed up
// now and then.
bool is_of_the_child(long rss_kb) {
  static std::atomic<long> known_peak_kb{0};
  const auto exceeds = [rss_kb](long peak_kb) { return rss_kb > peak_kb + peak_kb / 8; };
  if (!exceeds(known_peak_kb)) return false;
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  known_peak_kb = own.ru_maxrss;
  return exceeds(own.ru_maxrss);
}

bool reap(const ProcessReference& process, int options, ExitStatus& status) {
  siginfo_t info{};
  rusage usage{};
  if (wait_for(process, &info, WEXITED | options, &usage) != 0) return true;
  if (info.si_pid == 0) return false;
  status.known = true;
  if (info.si_code == CLD_EXITED) {
    status.code = info.si_status;
  } else {
    status.signal = info.si_status;
  }
  status.user_cpu_us = microseconds(usage.ru_utime);
  status.system_cpu_us = microseconds(usage.ru_stime);
  if (is_of_the_child(usage.ru_maxrss)) {
    status.max_rss_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  }
  return true;
}

// The tick at which a process was started; 0 when there is none.
std::uint64_t start_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string stat{std::istreambuf_iterator<char>{file}, {}};
  // The name before it may hold any character, ')' too. The start is the 20th field behind it.
  std::istringstream fields{stat.substr(std::min(stat.rfind(')') + 1, stat.size()))};
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  return std::strtoull(field.c_str(), nullptr, 10);
}

}  // namespace

bool pidfds_can_be_waited_for() {
  // A kernel that can't rejects the type, not the descriptor.
  static const bool answer = [] {
    siginfo_t info{};
    return wait_for(P_PIDFD, INT_MAX, &info, WEXITED | WNOHANG, nullptr) == EBADF;
  }();
  return answer;
}

bool has_exited(const ProcessReference& process) { return has_changed(process, WEXITED | WNOWAIT); }

bool has_stopped(const ProcessReference& process) { return has_changed(process, WSTOPPED); }

int stop_signal(const ProcessReference& process) {
  siginfo_t info{};
  const int error = wait_for(process, &info, WSTOPPED | WNOHANG | WNOWAIT, nullptr);
  return error == 0 && info.si_pid != 0 ? info.si_status : 0;
}

bool reap(const ProcessReference& process, ExitStatus& status) { return reap(process, WNOHANG, status); }

void reap_all(std::vector<ProcessReference> processes) {
  const auto without_pidfd = std::partition(processes.begin(), processes.end(),
                                            [](const ProcessReference& process) { return process.handle.valid(); });
  std::vector<ProcessReference> one_by_one{std::move_iterator{without_pidfd}, std::move_iterator{processes.end()}};
  processes.erase(without_pidfd, processes.end());
  ExitStatus status;
  while (!processes.empty()) {
    std::vector<pollfd> polls;
    polls.reserve(processes.size());
    for (const ProcessReference& process : processes) polls.push_back({process.handle.get(), POLLIN, 0});
    if (poll(polls.data(), polls.size(), -1) < 0) continue;
    std::erase_if(processes, [&](const ProcessReference& process) { return reap(process, WNOHANG, status); });
  }
  for (const ProcessReference& process : one_by_one) reap(process, 0, status);
}

Failure signal_process(pid_t pid, std::uint64_t started_at, int signal) {
  // Opened first: what is read then is of the process that it names, or that has ended since.
  const FileDescriptor pidfd{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))};
  if (!pidfd.valid() && errno == ESRCH) return {Step::kKill, ESRCH};
  if (start_of(pid) != started_at) return {Step::kKill, ESRCH};
  if (pidfd.valid() && syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0) return {};
  // Kernels before 5.3, and profiles that know no pidfds: a moment remains between the look and the signal.
  if (pidfd.valid() && errno != ENOSYS && errno != EPERM) return {Step::kKill, errno};
  return kill(pid, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

Failure send_signal(const ProcessReference& process, int signal) {
  if (process.handle.valid()) {
    if (syscall(SYS_pidfd_send_signal, process.handle.get(), signal, nullptr, 0) == 0) return {};
    if (errno != ENOSYS) return {Step::kKill, errno};
  }
  return kill(process.pid, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

}  // namespace sigshield::platform
