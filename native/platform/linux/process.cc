// One process: asked after, reaped and signalled by its pidfd where there is one.
#include "platform/linux/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "platform/platform.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
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
  return process.handle.valid() && pidfds_can_be_waited_for()
             ? wait_for(P_PIDFD, process.handle.get(), info, options, usage)
             : wait_for(P_PID, process.pid, info, options, usage);
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

void tell_usage(const rusage& usage, ExitStatus& status) {
  status.user_cpu_us = microseconds(usage.ru_utime);
  status.system_cpu_us = microseconds(usage.ru_stime);
  if (is_of_the_child(usage.ru_maxrss)) {
    status.max_rss_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  }
}

void tell_end(const siginfo_t& info, ExitStatus& status) {
  status.known = true;
  (info.si_code == CLD_EXITED ? status.code : status.signal) = info.si_status;
}

// Returns an errno.
int send_by_pidfd(const ProcessReference& process, int signal, unsigned flags) {
  if (!process.handle.valid()) return ENOSYS;
  return syscall(SYS_pidfd_send_signal, process.handle.get(), signal, nullptr, flags) == 0 ? 0 : errno;
}

// Until it is reaped its pid names no other process. Who refuses both ways to ask leaves us what we know: that it was
// not us who reaped it.
bool is_reaped(const ProcessReference& process) {
  siginfo_t info{};
  const int error = wait_for(process, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT, nullptr);
  return error == ECHILD || (error != 0 && send_by_pidfd(process, 0, 0) == ESRCH);
}

// Old profiles know nothing of pidfds, and kernels before 6.9 nothing of groups; then a number has to do, and who reaps
// the process between our two calls can't be shut out. Any error but ESRCH may be a profile's word or the system's: the
// other call tells.
Failure send_to(const ProcessReference& process, pid_t number, int signal, unsigned pidfd_flags) {
  const int error = send_by_pidfd(process, signal, pidfd_flags);
  if (error == 0) return {};
  if (error == ESRCH || is_reaped(process)) return {Step::kKill, ESRCH};
  return kill(number, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

// For where a policy forbids waitid(2).
Fate reap_by_number(const ProcessReference& process, ExitStatus& status) {
  if (send_by_pidfd(process, 0, 0) == ESRCH) return Fate::kGone;
  int end = 0;
  rusage usage{};
  pid_t reaped = 0;
  do reaped = wait4(process.pid, &end, WNOHANG, &usage);
  while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return errno == ECHILD ? Fate::kGone : Fate::kUnknown;
  if (reaped == 0) return Fate::kLives;
  status.known = true;
  if (WIFEXITED(end)) {
    status.code = WEXITSTATUS(end);
  } else {
    status.signal = WTERMSIG(end);
  }
  tell_usage(usage, status);
  return Fate::kExited;
}

// The tick at which a process was started; 0 when there is none, or that can't be told.
std::uint64_t start_of(pid_t pid) {
  std::istringstream fields{stat_of(pid)};
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;
  return std::strtoull(field.c_str(), nullptr, 10);
}

// The beginning of a file. Empty where it can't be read.
std::string text_of(const std::string& path) {
  const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 1024> text{};
  const ssize_t length = file.valid() ? read(file.get(), text.data(), text.size()) : -1;
  return {text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

// A process may always signal itself: who refuses that is a profile.
bool pidfds_can_signal() {
  static const bool answer = [] {
    const FileDescriptor self{static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0))};
    return self.valid() && syscall(SYS_pidfd_send_signal, self.get(), 0, nullptr, 0) == 0;
  }();
  return answer;
}

}  // namespace

bool proc_is_own() {
  std::array<char, 16> own{};
  return readlink("/proc/self", own.data(), own.size() - 1) > 0 && own.data() == std::to_string(getpid());
}

std::string stat_of(pid_t pid) {
  if (!proc_is_own()) return {};
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  // The name before it may hold any character, ')' too.
  const std::size_t end_of_name = stat.rfind(')');
  return end_of_name == std::string::npos ? std::string{} : stat.substr(end_of_name + 1);
}

bool is_traced() {
  constexpr std::string_view kField = "\nTracerPid:\t";
  const std::string status = text_of("/proc/self/status");
  const std::size_t field = status.find(kField);
  return field != std::string::npos && status.compare(field + kField.size(), 1, "0") != 0;
}

bool pidfds_can_be_waited_for() {
  // A kernel that can't rejects the type, not the descriptor.
  static const bool answer = [] {
    siginfo_t info{};
    return wait_for(P_PIDFD, INT_MAX, &info, WEXITED | WNOHANG, nullptr) != EINVAL;
  }();
  return answer;
}

int exit_descriptor(const ProcessReference& process) {
  return process.handle.valid() && pidfds_can_be_waited_for() ? process.handle.get() : -1;
}

Fate look_at(const ProcessReference& process, ExitStatus& status) {
  siginfo_t info{};
  const int error = wait_for(process, &info, WEXITED | WNOHANG | WNOWAIT, nullptr);
  if (error != 0) return error == ECHILD ? Fate::kGone : Fate::kUnknown;
  if (info.si_pid == 0) return Fate::kLives;
  tell_end(info, status);
  return Fate::kExited;
}

Fate reap(const ProcessReference& process, ExitStatus& status) {
  siginfo_t info{};
  rusage usage{};
  const int error = wait_for(process, &info, WEXITED | WNOHANG, &usage);
  if (error == ECHILD) return Fate::kGone;
  if (error != 0) return reap_by_number(process, status);
  if (info.si_pid == 0) return Fate::kLives;
  tell_end(info, status);
  tell_usage(usage, status);
  return Fate::kExited;
}

bool has_stopped(const ProcessReference& process) {
  siginfo_t info{};
  return wait_for(process, &info, WSTOPPED | WNOHANG, nullptr) == 0 && info.si_pid != 0;
}

int stop_signal(const ProcessReference& process) {
  siginfo_t info{};
  const int error = wait_for(process, &info, WSTOPPED | WNOHANG | WNOWAIT, nullptr);
  return error == 0 && info.si_pid != 0 ? info.si_status : 0;
}

Failure send_signal(const ProcessReference& process, int signal) { return send_to(process, process.pid, signal, 0); }

// The kernel takes a pidfd for the group with the same number even when its leader is reaped, and never for another
// (pidfd_send_signal(2)).
Failure send_signal_to_group(const ProcessReference& process, int signal) {
  return send_to(process, -process.pid, signal, PIDFD_SIGNAL_PROCESS_GROUP);
}

Failure signal_process(pid_t pid, std::uint64_t started_at, int signal) {
  // Opened first: what is read then is of the process that it names, or that has ended since.
  const ProcessReference process{pid, FileDescriptor{static_cast<int>(syscall(SYS_pidfd_open, pid, 0))}};
  if (!process.handle.valid() && (errno == ESRCH || errno == EMFILE || errno == ENFILE)) return {Step::kKill, errno};
  const std::uint64_t start = start_of(pid);
  if (start == 0) {
    // It may be there and be hidden (hidepid of proc(5)).
    const int error = send_by_pidfd(process, 0, 0);
    if (error == 0) return {Step::kKill, EACCES};
    return {Step::kKill, error == ENOSYS ? ESRCH : error};
  }
  if (start != started_at) return {Step::kKill, ESRCH};
  const int error = send_by_pidfd(process, signal, 0);
  if (error == 0) return {};
  // Kernels before 5.3, and profiles that know no pidfds: a moment remains between the look and the signal.
  if (error == ESRCH || (error != ENOSYS && pidfds_can_signal())) return {Step::kKill, error};
  return kill(pid, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

bool group_is_anothers(const ProcessReference& process) {
  if (!send_signal_to_group(process, 0)) return false;
  return kill(-process.pid, 0) == 0 || errno != ESRCH;
}

}  // namespace sigshield::platform
